package api_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/token"
)

func TestBadParametersAreNamed(t *testing.T) {
	st := newStage(t)
	const sites, near, past = "/v1/parking/sites", "/v1/parking/nearby", "/v1/parking/sites/s-alun/history"
	for query, want := range map[string][]string{
		sites + "?vehicle=car":              {"vehicle"},
		sites + "?class=Car":                {"class"},
		sites + "?class=car&class=bus":      {"class"},
		sites + "?kind=garage&limit=0":      {"kind", "limit"},
		sites + "?limit=1001":               {"limit"},
		sites + "?limit=":                   {"limit"},
		sites + "?limit=1e2":                {"limit"},
		sites + "?bbox=1,2,3":               {"bbox"},
		sites + "?bbox=1,NaN,3,4":           {"bbox"},
		sites + "?bbox=1,91,3,4":            {"bbox"},
		sites + "?cursor=%21":               {"cursor"},
		sites + "?cursor=zzz":               {"cursor"}, // base64, and none of ours
		sites + "?cursor=cw":                {"cursor"},
		sites + "?format=pdf":               {"format"},
		sites + "?access_token=smp_x":       {"access_token"},
		sites + "/s-alun?class=car":         {"class"},
		near:                                {"lat", "lon"},
		near + "?lat=91&lon=107":            {"lat"},
		near + "?lat=NaN&lon=Inf":           {"lat", "lon"},
		near + "?lat=-6&lon=107&radius_m=0": {"radius_m"},

		near + "?lat=-6&lon=107&arrive_in_min=-1&accessible=1": {"arrive_in_min", "accessible"},
		near + "?lat=-6&lon=107&cursor=cw":                     {"cursor"},
		past + "?step=7m":                                      {"step"},
		past + "?step=0m":                                      {"step"},
		past + "?step=5":                                       {"step"},
		past + "?step=32d":                                     {"step"},
		past + "?from=yesterday&to=2026-03-02T08:15:00":        {"from", "to"},
		past + "?from=2026-03-03&to=2026-03-02":                {"from"},
		past + "?from=2026-02-01&to=2026-03-01&step=5m":        {"step"},
		past + "?class=bus":                                    {"class"},
		"/v1/stream?topics=weather":                            {"topics"},
		"/v1/revenue/summary?year=26":                          {"year"},
		"/v1/agencies?format=geojson":                          {"format"},
		"/healthz?x=1":                                         {"x"},
	} {
		p := st.do(t, http.MethodGet, query, "", "").problem(t, http.StatusBadRequest)
		require.Equal(t, want, fields(p), query)
		require.NotEmpty(t, p.Errors[0].Detail)
	}
	st.do(t, http.MethodGet, "/v1/parking/sites?limit=%zz", "", "").problem(t, http.StatusBadRequest)
	// 5,000 points are allowed.
	st.get(t, past+"?from=2026-02-01T00:00:00%2B07:00&to=2026-02-18T08:40:00%2B07:00&step=5m")
	st.do(t, http.MethodGet, past+"?from=2026-02-01T00:00:00%2B07:00&to=2026-02-18T08:45:00%2B07:00&step=5m", "", "").problem(t, http.StatusBadRequest)
}

func TestWhatIsNotThere(t *testing.T) {
	st := newStage(t)
	for _, path := range []string{
		"/v1", "/v1/parking/sites/", "/v1/parking/sites/s-alun/forecast", "/ngsi-ld/v1/entities",
		"/parkapi/v1/", "/open311/v3/discovery.json", "/v1/parking/sites/none/history", "/v1/traffic/segments/none/history", "/nothing",
	} {
		st.do(t, http.MethodGet, path, "", "").problem(t, http.StatusNotFound)
	}
	a := st.do(t, http.MethodPost, "/v1/parking/sites", "", "")
	a.problem(t, http.StatusMethodNotAllowed)
	require.Equal(t, "GET, HEAD, OPTIONS", a.Header.Get("Allow"))
	a = st.do(t, http.MethodPatch, "/v1/closures", "", "")
	a.problem(t, http.StatusMethodNotAllowed)
	require.Equal(t, "GET, HEAD, OPTIONS, POST", a.Header.Get("Allow"))
}

func TestBodiesAreChecked(t *testing.T) {
	st := newStage(t)
	admin := st.Secrets[token.Admin]
	post := func(body string, headers ...string) answer {
		return st.do(t, http.MethodPost, "/v1/closures", admin, body, headers...)
	}
	post(`{}`, "Content-Type", "text/csv").problem(t, http.StatusUnsupportedMediaType)
	post(`{}`, "Content-Type", "").problem(t, http.StatusUnsupportedMediaType)
	post(strings.Repeat(" ", 70_000)).problem(t, http.StatusRequestEntityTooLarge)
	post(`{"site":`).problem(t, http.StatusBadRequest)
	post(`[]`).problem(t, http.StatusBadRequest)
	post(`{} {}`).problem(t, http.StatusBadRequest)
	require.Equal(t, []string{"sites"}, fields(post(`{"sites":"s-alun"}`).problem(t, http.StatusBadRequest)))
	require.Equal(t, []string{"places_lost"}, fields(post(`{"places_lost":"two"}`).problem(t, http.StatusBadRequest)))
	// Without a right to it, not even the body's type is looked at.
	st.do(t, http.MethodPost, "/v1/closures", "", "x", "Content-Type", "text/csv").problem(t, http.StatusUnauthorized)
	require.Empty(t, st.Gate.Did)
}

func TestErrorsOfTheDomainHaveTheirStatus(t *testing.T) {
	st := newStage(t)
	for kind, status := range map[city.ErrorKind]int{
		city.KindInvalid: 400, city.KindNotFound: 404, city.KindConflict: 409, city.KindUnprocessed: 422, city.KindUnavailable: 503,
	} {
		st.Books.Err = &city.Error{Kind: kind, Message: "so it is"}
		a := st.do(t, http.MethodGet, "/v1/revenue/summary", "", "")
		require.Equal(t, "so it is", a.problem(t, status).Detail)
		require.Equal(t, status == 503, a.Header.Get("Retry-After") != "")
	}
	st.Books.Err = http.ErrBodyNotAllowed // anything that is not of the domain
	p := st.do(t, http.MethodGet, "/v1/revenue/summary", "", "").problem(t, http.StatusInternalServerError)
	require.NotContains(t, p.Detail, "body", "what is ours is not shown")
}

func TestReloadListsEveryFault(t *testing.T) {
	st := newStage(t)
	st.Gate.Err = &city.Error{Kind: city.KindUnprocessed, Message: "2 faults", Fields: []city.FieldError{
		{Field: "sites.geojson:3", Detail: "no name"}, {Field: "devices.csv:9", Detail: "unknown site"},
	}}
	p := st.do(t, http.MethodPost, "/v1/admin/reload", st.Secrets[token.Admin], "").problem(t, http.StatusUnprocessableEntity)
	require.Equal(t, []string{"sites.geojson:3", "devices.csv:9"}, fields(p))
	st.Gate.Err = nil
	st.Gate.Reloaded = api.ReloadResult{Changed: true, Hash: "ab", Restart: []string{"http.listen"}}
	a := st.do(t, http.MethodPost, "/v1/admin/reload", st.Secrets[token.Admin], "")
	require.JSONEq(t, `{"changed":true,"hash":"ab","restart":["http.listen"]}`, a.body)
}

func TestRateIsLimitedByAddress(t *testing.T) {
	st := newStage(t, func(o *api.Options) {
		o.RateLimit = 3
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's address
	})
	get := func(path, addr, secret string) answer {
		return st.do(t, http.MethodGet, path, secret, "", "X-Forwarded-For", addr)
	}
	for range 3 {
		require.Equal(t, http.StatusOK, get("/v1/parking/sites", "203.0.113.1", "").StatusCode)
	}
	a := get("/v1/parking/sites", "203.0.113.1", "")
	a.problem(t, http.StatusTooManyRequests)
	require.Equal(t, "1", a.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, get("/v1/parking/sites", "203.0.113.2", "").StatusCode, "another address")
	require.Equal(t, http.StatusTooManyRequests, get("/v1/parking/sites", "198.51.100.7, 203.0.113.1", "").StatusCode, "what the client claims counts nothing")
	require.Equal(t, http.StatusOK, get("/healthz", "203.0.113.1", "").StatusCode)
	for range 5 {
		require.Equal(t, http.StatusOK, get("/v1/devices", "203.0.113.3", st.Secrets[token.Admin]).StatusCode, "staff are not the public")
	}
	for range 3 {
		require.Equal(t, http.StatusUnauthorized, get("/v1/devices", "203.0.113.4", "smp_guess").StatusCode)
	}
	require.Equal(t, http.StatusTooManyRequests, get("/v1/devices", "203.0.113.4", "smp_guess").StatusCode, "guessing is limited")
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	st := newStage(t)
	for _, path := range []string{"/v1/parking/sites", "/nothing", "/v1/devices", "/openapi.json"} {
		a := st.do(t, http.MethodGet, path, "", "")
		require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), path)
		require.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'none'", path)
	}
	a := st.do(t, http.MethodOptions, "/v1/parking/sites", "", "")
	require.Equal(t, http.StatusNoContent, a.StatusCode)
	require.Equal(t, "*", a.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, a.Header.Get("Access-Control-Allow-Headers"), "If-None-Match")
	require.Empty(t, st.do(t, http.MethodGet, "/v1/devices", "", "").Header.Get("Access-Control-Allow-Origin"))
	a = st.do(t, http.MethodHead, "/v1/parking/sites", "", "")
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.NotEmpty(t, a.Header.Get("Content-Length"))
}

func TestReadiness(t *testing.T) {
	st := newStage(t)
	require.JSONEq(t, `{"status":"ok"}`, st.get(t, "/healthz").body)
	require.JSONEq(t, `{"ready":true,"reasons":[],"head":0,"sources":[],"followers":[]}`, st.get(t, "/readyz").body)
	st.State = api.Readyz{Reasons: []api.Reason{{Code: "clock", Detail: "ours stands in 1970"}}}
	a := st.do(t, http.MethodGet, "/readyz", "", "")
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.Contains(t, a.body, `"code":"clock"`)
}
