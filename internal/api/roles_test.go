package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/watch"
)

// may is the contract's table of rights (section 4), written once more by
// hand: a route that is not in it fails the test.
var may = map[string][]token.Role{
	"GET /v1/devices":                            {token.Dishub, token.Admin},
	"GET /v1/devices/{id}":                       {token.Dishub, token.Admin},
	"GET /v1/devices/{id}/readings":              {token.Dishub, token.Admin},
	"GET /v1/devices/{id}/completeness":          {token.Dishub, token.Admin},
	"GET /v1/devices/{id}/certificate":           {token.Dishub, token.Auditor, token.Admin},
	"GET /v1/parking/sites/{id}/completeness":    {token.Dishub, token.Auditor, token.Admin},
	"GET /v1/traffic/segments/{id}/completeness": {token.Dishub, token.Auditor, token.Admin},
	"GET /v1/completeness":                       {token.Dishub, token.Auditor, token.Admin},
	"POST /v1/devices/{id}/commands":             {token.Dishub, token.Admin},
	"GET /v1/devices/{id}/commands":              {token.Dishub, token.Admin},
	"GET /v1/refused-logins":                     {token.Dishub, token.Admin},
	"GET /v1/unknown-devices":                    {token.Dishub, token.Admin},
	"GET /v1/quarantine":                         {token.Admin},
	"POST /v1/quarantine/{id}/retry":             {token.Admin},
	"POST /v1/closures":                          {token.Dishub, token.Admin},
	"DELETE /v1/closures/{id}":                   {token.Dishub, token.Admin},
	"GET /v1/revenue/daily":                      {token.Dishub, token.Bapenda, token.Auditor, token.Operator, token.Executive, token.Admin},
	"GET /v1/revenue/receipts":                   {token.Bapenda, token.Auditor, token.Operator, token.Admin},
	"GET /v1/revenue/access":                     {token.Auditor, token.Admin},
	"POST /v1/revenue/deposits":                  {token.Bapenda, token.Admin},
	"GET /v1/revenue/deposits":                   {token.Bapenda, token.Auditor, token.Admin},
	"POST /v1/revenue/karcis":                    {token.Bapenda, token.Admin},
	"GET /v1/revenue/karcis":                     {token.Bapenda, token.Auditor, token.Admin},
	"POST /v1/revenue/handovers":                 {token.Bapenda, token.Admin},
	"GET /v1/revenue/handovers":                  {token.Bapenda, token.Auditor, token.Admin},
	"GET /v1/revenue/handovers/differences":      {token.Bapenda, token.Auditor, token.Admin},
	"POST /v1/revenue/declarations":              {token.Bapenda, token.Admin},
	"GET /v1/revenue/declarations":               {token.Bapenda, token.Auditor, token.Admin},
	"POST /v1/revenue/closes":                    {token.Bapenda, token.Admin},
	"GET /v1/revenue/closes":                     {token.Bapenda, token.Auditor, token.Admin},
	"GET /v1/anomalies":                          {token.Dishub, token.Bapenda, token.Auditor, token.Admin},
	"GET /v1/anomalies/{id}":                     {token.Dishub, token.Bapenda, token.Auditor, token.Admin},
	"GET /v1/anomalies/{id}/chart.svg":           {token.Dishub, token.Bapenda, token.Auditor, token.Admin},
	"POST /v1/anomalies/{id}/ack":                {token.Dishub, token.Bapenda, token.Admin},
	"GET /v1/revenue/reconciliation":             {token.Bapenda, token.Auditor, token.Admin},
	"GET /v1/revenue/statements/{operator}":      {token.Bapenda, token.Auditor, token.Operator, token.Admin},
	"GET /v1/revenue/realisasi":                  {token.Bapenda, token.Auditor, token.Executive, token.Admin},
	"GET /v1/complaints":                         {token.Dishub, token.Bapenda, token.Auditor, token.Agency, token.Admin},
	"GET /v1/complaints/{id}":                    {token.Dishub, token.Bapenda, token.Auditor, token.Agency, token.Admin},
	"POST /v1/complaints/{id}/updates":           {token.Dishub, token.Bapenda, token.Agency, token.Admin},
	"GET /v1/outbox":                             {token.Dishub, token.Bapenda, token.Executive, token.Admin},
	"GET /v1/monev":                              {token.Dishub, token.Bapenda, token.Auditor, token.Agency, token.Executive, token.Admin},
	"POST /v1/admin/reload":                      {token.Admin},
	"POST /v1/admin/clock":                       {token.Admin},
	"GET /v1/parking/sites":                      nil,
	"GET /v1/parking/nearby":                     nil,
	"GET /v1/parking/sites/{id}":                 nil,
	"GET /v1/parking/sites/{id}/history":         nil,
	"GET /v1/traffic/segments":                   nil,
	"GET /v1/traffic/segments/{id}":              nil,
	"GET /v1/traffic/segments/{id}/history":      nil,
	"GET /v1/traffic/congestion":                 nil,
	"GET /v1/stream":                             nil,
	"GET /v1/closures":                           nil,
	"GET /v1/agencies":                           nil,
	"GET /v1/revenue/summary":                    nil,
	"GET /v1/revenue/proof/checkpoint":           nil,
	"GET /v1/revenue/proof/inclusion":            {token.Bapenda, token.Auditor, token.Admin},
	"GET /v1/revenue/proof/consistency":          {token.Bapenda, token.Auditor, token.Admin},
	"GET /v1/revenue/proof/bundle":               {token.Auditor, token.Admin},
	"GET /open311/v2/discovery":                  nil,
	"GET /open311/v2/services":                   nil,
	"GET /open311/v2/services/{id}":              nil,
	"GET /open311/v2/requests":                   nil,
	"GET /open311/v2/requests/{id}":              nil,
	"GET /open311/v2/tokens/{id}":                nil,
	"GET /open311/v2/servicerequestupdates":      nil,
	"GET /open311/v2/photos/{id}":                nil,
	"GET /healthz":                               nil,
	"GET /readyz":                                nil,
	"GET /openapi.json":                          nil,
}

// keyed are routes whose form holds the key: without one, or with one of
// another role, they are 403.
var keyed = map[string][]token.Role{
	"POST /open311/v2/requests":              token.Roles,
	"POST /open311/v2/servicerequestupdates": {token.Dishub, token.Agency, token.Admin},
}

// routesOf reads every route from the OpenAPI document, which is made of the
// same table as the router.
func routesOf(t *testing.T, st *stage) []string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/openapi.json").body), &doc))
	var routes []string
	for path, methods := range doc.Paths {
		for method := range methods {
			routes = append(routes, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routes)
	return routes
}

func TestEveryRouteWithEveryRole(t *testing.T) {
	st := newStage(t, withRegister(t))
	expired := st.Token(t, token.Request{Role: token.Admin, Name: "old", Expires: st.Clock.Now().Add(time.Minute).UnixMilli()})
	revoked, secret, err := st.Tokens.Create(t.Context(), token.Request{Role: token.Admin, Name: "gone"}, st.Clock.Now())
	require.NoError(t, err)
	require.NoError(t, st.Tokens.Revoke(t.Context(), revoked.ID, st.Clock.Now()))
	st.Clock.Move(2 * time.Minute)
	st.Gate.Verdict = api.RetryResult{Verdict: "accepted"}
	bapendas, dishubs := aComplaint(t, st, "overcharged", "s-mall"), aComplaint(t, st, "illegal_parking", "s-alun")
	st.Anomalies.All = []watch.Incident{{ID: "in-1", Rule: watch.RuleMeterSilent, State: watch.StateOpen}}

	routes := routesOf(t, st)
	require.Len(t, routes, len(may)+len(keyed))
	filed := st.withReports(t)
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if allowed, ok := keyed[route]; ok {
			st.walkKeyed(t, route, filed, allowed)
			continue
		}
		allowed, known := may[route]
		require.True(t, known, "%s is not in the table of rights", route)
		path = filed.fill(fill(path))
		if method == http.MethodGet && path == "/v1/stream" {
			method = http.MethodHead // it does not end
		}
		ask := func(secret string) int { return st.do(t, method, path, secret, bodyFor(route)).StatusCode }
		askAs := func(role token.Role, secret string) int {
			own := path
			if role == token.Dishub || role == token.Agency {
				own = strings.ReplaceAll(path, bapendas, dishubs)
			}
			return st.do(t, method, own, secret, bodyFor(route)).StatusCode
		}
		if allowed == nil {
			require.Less(t, ask(""), 300, route)
			for role, secret := range st.Secrets {
				require.Less(t, ask(secret), 300, "%s as %s", route, role)
			}
			continue
		}
		require.Equal(t, http.StatusUnauthorized, ask(""), route)
		require.Equal(t, http.StatusUnauthorized, ask("smp_nobody"), route)
		require.Equal(t, http.StatusUnauthorized, ask(expired), route)
		require.Equal(t, http.StatusUnauthorized, ask(secret), route)
		for role, secret := range st.Secrets {
			if method == http.MethodDelete {
				_, _, err := st.Gate.Close(t.Context(), journal.Closure{Site: "s-alun"})
				require.NoError(t, err)
			}
			if slices.Contains(allowed, role) {
				require.Less(t, askAs(role, secret), 300, "%s as %s", route, role)
			} else {
				require.Equal(t, http.StatusForbidden, ask(secret), "%s as %s", route, role)
			}
		}
		require.Equal(t, http.StatusBadRequest, st.do(t, method, path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"access_token="+st.Secrets[token.Admin], st.Secrets[token.Admin], bodyFor(route)).StatusCode, route)
	}
}

// fill puts an id of the small city into a path.
func fill(path string) string {
	for prefix, id := range map[string]string{
		"/v1/anomalies/": "in-1", "/v1/parking/": "s-alun", "/v1/traffic/": "veteran-s", "/v1/devices/": "spot-1", "/v1/quarantine/": "7", "/v1/closures/": "cl-s-alun",
		"/v1/complaints/": "SPG-2026-000001",
	} {
		if strings.HasPrefix(path, prefix) {
			path = strings.ReplaceAll(path, "{id}", id)
		}
	}
	path = strings.ReplaceAll(path, "{operator}", "op-01")
	if strings.HasSuffix(path, "nearby") {
		path += "?lat=-6.237&lon=107"
	}
	if strings.HasSuffix(path, "proof/inclusion") {
		path += "?receipt=meter-1:1:3"
	}
	if strings.HasSuffix(path, "proof/bundle") {
		path += "?receipts=meter-1:1:3"
	}
	return path
}

func bodyFor(route string) string {
	return map[string]string{
		"POST /v1/anomalies/{id}/ack":      `{"note":"seen"}`,
		"POST /v1/devices/{id}/commands":   `{"cmd":"reboot"}`,
		"POST /v1/complaints/{id}/updates": `{"text":"seen"}`,
		"POST /v1/closures":                `{"site":"s-alun","from":"2026-03-02","reason":"event"}`,
		"POST /v1/revenue/deposits": `{"reference":"d-1","kind":"STS","account":"4.1.02.01.04.0001","operator":"dishub","period_from":"2026-03-01","period_to":"2026-03-01",` +
			`"credited_on":"2026-03-02","gross":1000,"fee":0,"net":1000}`,
		"POST /v1/revenue/karcis":       `[{"reference":"k-1","state":"issued","series":"A","first":1,"last":100,"class":"car","price":2000,"date":"2026-03-01"}]`,
		"POST /v1/revenue/handovers":    `{"reference":"h-1","hop":"collector","from":"at-1","to":"co-1","collected_on":"2026-03-01","handed_on":"2026-03-02","amount":1000}`,
		"POST /v1/revenue/declarations": `{"reference":"s-1","npwpd":"P.2.1","nopd":"N","period":"2026-02","filed_on":"2026-03-02","gross":1000,"tax":100}`,
		"POST /v1/revenue/closes":       `{"period":"2026-02"}`,
	}[route]
}

func TestUnauthorizedSaysHow(t *testing.T) {
	st := newStage(t)
	a := st.do(t, http.MethodGet, "/v1/devices", "", "")
	require.Equal(t, `Bearer realm="simpang"`, a.Header.Get("Www-Authenticate"))
	a = st.do(t, http.MethodGet, "/v1/devices", "smp_x", "")
	require.Contains(t, a.Header.Get("Www-Authenticate"), `error="invalid_token"`)
	a = st.do(t, http.MethodGet, "/v1/devices", st.Secrets[token.Executive], "")
	require.Contains(t, a.Header.Get("Www-Authenticate"), `error="insufficient_scope"`)
	st.do(t, http.MethodGet, "/v1/devices", "", "", "Authorization", "Basic YTpi").problem(t, http.StatusUnauthorized)
	require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, "/v1/devices", "", "", "Authorization", "bearer "+st.Secrets[token.Admin]).StatusCode)
}
