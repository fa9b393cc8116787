package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/web"
)

func ask(t *testing.T, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	s, err := web.New(web.Options{City: "Kota <Bekasi>", Version: "v1"})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestPagesAreStrict(t *testing.T) {
	for _, path := range []string{"/status", "/docs"} {
		w := ask(t, path)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
		csp := w.Header().Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'")
		require.NotContains(t, csp, "unsafe")
		body := w.Body.String()
		require.Contains(t, body, "Kota &lt;Bekasi&gt;")
		require.NotRegexp(t, `(?i)(src|href)="(https?:)?//`, body, "no external resources")
		require.NotRegexp(t, `(?i)<script>|\sstyle="|\son[a-z]+="`, body, "nothing inline, the policy forbids it")
		for _, asset := range regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(body, -1) {
			require.Equal(t, http.StatusOK, ask(t, asset[1]).Code, asset[1])
		}
		require.Equal(t, http.StatusNotModified, ask(t, path, "If-None-Match", w.Header().Get("Etag")).Code)
	}
}

func TestRootLeadsToStatus(t *testing.T) {
	w := ask(t, "/")
	require.Equal(t, http.StatusFound, w.Code)
	require.Equal(t, "/status", w.Header().Get("Location"))
	require.Equal(t, http.StatusNotFound, ask(t, "/static/../web.go").Code)
	require.Equal(t, http.StatusNotFound, ask(t, "/static/").Code)
}

func TestAssetsHaveTheirType(t *testing.T) {
	for path, kind := range map[string]string{"/static/status.js": "javascript", "/static/simpang.css": "text/css", "/static/icon.svg": "image/svg+xml"} {
		w := ask(t, path)
		require.Contains(t, w.Header().Get("Content-Type"), kind)
		require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
	}
	require.NotContains(t, strings.ToLower(ask(t, "/static/status.js").Body.String()), "innerhtml", "texts are never taken for markup")
}

func TestOptions(t *testing.T) {
	_, err := web.New(web.Options{})
	require.ErrorContains(t, err, "City")
}
