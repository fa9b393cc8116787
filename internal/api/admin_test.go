package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
)

func TestAdminListener(t *testing.T) {
	st := newStage(t)
	st.get(t, "/v1/parking/sites")
	st.do(t, http.MethodGet, "/v1/devices", "", "")
	h := api.Admin(st.Metrics)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w
	}
	metrics := get("/metrics")
	require.Equal(t, http.StatusOK, metrics.Code)
	require.Contains(t, metrics.Body.String(), `simpang_http_requests_total{route="listSites",status="2xx"} 1`)
	require.Contains(t, metrics.Body.String(), `simpang_http_requests_total{route="listDevices",status="4xx"} 1`)
	require.Equal(t, http.StatusOK, get("/debug/pprof/").Code)
	require.Equal(t, http.StatusOK, get("/debug/pprof/goroutine?debug=1").Code)
	// Neither is served to the public.
	st.do(t, http.MethodGet, "/metrics", "", "").problem(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/debug/pprof/", "", "").problem(t, http.StatusNotFound)
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := api.New(api.Options{})
	for _, name := range []string{"Parking", "Traffic", "Books", "Devices", "Readings", "Quarantine", "Gate", "Inventory", "Tokens", "Readiness", "Zone", "Now", "Log"} {
		require.ErrorContains(t, err, "Options."+name)
	}
}
