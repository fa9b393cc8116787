package endtoend_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func (c *tour) refused(t *testing.T) {
	g := c.g
	for path, field := range map[string]string{
		"/v1/parking/sites?colour=blue":                                              "colour",
		"/v1/parking/sites?limit=0":                                                  "limit",
		"/v1/parking/sites?limit=1001":                                               "limit",
		"/v1/parking/sites?limit=ten":                                                "limit",
		"/v1/parking/sites?class=boat":                                               "class",
		"/v1/parking/sites?kind=air":                                                 "kind",
		"/v1/parking/sites?bbox=1,2,3":                                               "bbox",
		"/v1/parking/sites?cursor=!":                                                 "cursor",
		"/v1/parking/sites?format=pdf":                                               "format",
		"/v1/parking/nearby?lat=-6.2":                                                "lon",
		"/v1/parking/nearby?lat=x&lon=107":                                           "lat",
		"/v1/parking/nearby?lat=-6.2&lon=107&radius_m=-1":                            "radius_m",
		"/v1/parking/sites/" + alunAlun + "/history?step=7s":                         "step",
		"/v1/parking/sites/" + alunAlun + "/history?from=now":                        "from",
		"/v1/parking/sites/" + alunAlun + "/history?from=2026-01-01T00:00:00":        "from",
		"/v1/parking/sites/" + alunAlun + "/history?class=truck":                     "class",
		"/v1/traffic/segments/" + flowing + "/history?from=2026-02-02&to=2026-02-01": "from",
		"/v1/traffic/congestion?x=1":                                                 "x",
		"/v1/stream?topics=weather":                                                  "topics",
		"/v1/closures?limit=-1":                                                      "limit",
		"/v1/revenue/summary?year=last":                                              "year",
		"/v1/agencies?x=":                                                            "x",
	} {
		faults := g.refuses(t, http.StatusBadRequest, path).items(t, "errors")
		one(t, faults, "field", field).has(t, "detail")
	}
	require.Len(t, g.refuses(t, http.StatusBadRequest, "/v1/parking/nearby?lat=91&lon=x&limit=0&y=1").items(t, "errors"), 4, "every fault at once")
	for _, path := range []string{
		"/v1/parking/sites/NONE", "/v1/parking/sites/NONE/history", "/v1/traffic/segments/none", "/v1/traffic/segments/none/history", "/v1/nothing", "/v2/",
	} {
		g.refuses(t, http.StatusNotFound, path)
	}
	for _, path := range []string{"/v1/devices", "/v1/quarantine", "/v1/revenue/daily", "/v1/revenue/receipts", "/v1/devices/" + "meter-alun-alun-1-1"} {
		g.refuses(t, http.StatusUnauthorized, path)
		r := g.ask(t, http.MethodGet, path, "", "Authorization", "Bearer smp_0123456789")
		r.problem(t, http.StatusUnauthorized)
		require.Contains(t, r.Header.Get("WWW-Authenticate"), "Bearer")
		require.Empty(t, r.Header.Get("Access-Control-Allow-Origin"))
	}
	r := g.ask(t, http.MethodPost, "/v1/parking/sites", "{}", "Content-Type", "application/json")
	r.problem(t, http.StatusMethodNotAllowed)
	require.Contains(t, r.Header.Get("Allow"), "GET")
	g.ask(t, http.MethodDelete, "/v1/stream", "").problem(t, http.StatusMethodNotAllowed)
}

// made makes a token; it stands alone on stdout.
func (g *gateway) made(t *testing.T, args ...string) string {
	t.Helper()
	out, code := g.run(append([]string{"token", "-config", g.config}, args...)...)
	require.Zero(t, code)
	require.Regexp(t, `^\S+\n$`, out)
	return strings.TrimSpace(out)
}

func (c *tour) tokens(t *testing.T) {
	g := c.g
	bearer := func(token string) []string {
		return []string{"Authorization", "Bearer " + token, "Content-Type", "application/json"}
	}
	dishub := g.made(t, "-role", "dishub", "-name", "Meja Dishub", "-expires", "720h")
	bapenda := g.made(t, "-role", "bapenda", "-name", "Meja Bapenda")
	get := func(path, token string) reply { return g.ask(t, http.MethodGet, path, "", bearer(token)...) }
	g.until("a new token is in effect", func() bool { return get("/v1/devices", dishub).StatusCode == http.StatusOK })
	require.Equal(t, "no-store", get("/v1/devices", dishub).Header.Get("Cache-Control"))
	get("/v1/devices", bapenda).problem(t, http.StatusForbidden)
	get("/v1/revenue/receipts", dishub).problem(t, http.StatusForbidden)
	get("/v1/quarantine", bapenda).problem(t, http.StatusForbidden)
	get("/v1/devices/none", dishub).problem(t, http.StatusNotFound)
	get("/v1/devices/meter-alun-alun-1-1/readings?kind=receipt", dishub).problem(t, http.StatusForbidden)
	money := get("/v1/revenue/receipts?from="+when(time.Now().Add(-time.Hour))+"&to="+when(time.Now().Add(time.Minute)), bapenda).decode(t)
	require.Equal(t, "meter-alun-alun-1-1:1:1", money.items(t, "items")[0]["id"])
	require.Empty(t, get("/v1/devices/meter-alun-alun-1-1/readings", dishub).decode(t).items(t, "items"), "money is hidden")

	post := func(body, kind string) reply {
		return g.ask(t, http.MethodPost, "/v1/closures", body, "Authorization", "Bearer "+dishub, "Content-Type", kind)
	}
	good := fmt.Sprintf(`{"site":%q,"from":%q,"reason":"works","note":"galian"}`, silent, when(time.Now().Add(-time.Minute)))
	post(good, "text/plain").problem(t, http.StatusUnsupportedMediaType)
	post(`{"note":"`+strings.Repeat("x", 70_000)+`"}`, "application/json").problem(t, http.StatusRequestEntityTooLarge)
	post(`{"site":`, "application/json").problem(t, http.StatusBadRequest)
	post(`{"where":"here"}`, "application/json").problem(t, http.StatusBadRequest)
	post(strings.Replace(good, silent, "NONE", 1), "application/json").problem(t, http.StatusUnprocessableEntity)
	post(strings.Replace(good, "works", "party", 1), "application/json").problem(t, http.StatusUnprocessableEntity)
	g.ask(t, http.MethodPost, "/v1/closures", good, bearer(bapenda)...).problem(t, http.StatusForbidden)
	first := post(good, "application/json")
	require.Equal(t, http.StatusCreated, first.StatusCode, "%s", first.body)
	closure := first.decode(t).has(t, "id site segment from to reason")
	require.Equal(t, "/v1/closures/"+closure["id"].(string), first.Header.Get("Location"))
	require.Equal(t, http.StatusOK, post(good, "application/json").StatusCode, "twice is once")
	state := func(want string) {
		t.Helper()
		g.until("the site is "+want, func() bool {
			return g.fetch(t, "/v1/parking/sites/"+silent).decode(t).items(t, "classes")[0]["state"] == want
		})
	}
	state("closed")
	one(t, g.fetch(t, "/v1/closures?limit=1000").decode(t).has(t, "items next").items(t, "items"), "id", closure["id"].(string)).
		has(t, "site segment from to reason").shows(t, object{"site": silent, "segment": nil, "to": nil, "reason": "works"})
	gone := g.ask(t, http.MethodDelete, first.Header.Get("Location"), "", bearer(dishub)...)
	require.Equal(t, http.StatusNoContent, gone.StatusCode)
	g.ask(t, http.MethodDelete, "/v1/closures/none", "", bearer(dishub)...).problem(t, http.StatusNotFound)
	state("unknown")

	list, code := g.run("token", "-config", g.config, "-list")
	require.Zero(t, code)
	require.NotContains(t, list, dishub)
	var id string
	for line := range strings.Lines(list) {
		if strings.Contains(line, "Meja Dishub") {
			id = strings.Fields(line)[0]
			require.Contains(t, line, "valid")
		}
	}
	_, code = g.run("token", "-config", g.config, "-revoke", id)
	require.Zero(t, code)
	begin := time.Now()
	g.until("the token is revoked", func() bool { return get("/v1/devices", dishub).StatusCode == http.StatusUnauthorized })
	require.Less(t, time.Since(begin), 5*time.Second)
	require.Equal(t, http.StatusOK, get("/v1/revenue/receipts", bapenda).StatusCode, "the other holds on")
	for _, wrong := range [][]string{{"-role", "king", "-name", "x"}, {"-role", "admin"}, {"-role", "operator", "-name", "x"}, {"-what"}} {
		_, code = g.run(append([]string{"token", "-config", g.config}, wrong...)...)
		require.Equal(t, 2, code, "%v", wrong)
	}
}

// What the commands print, and how they end.
func TestCommands(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource)
	out, code := g.run("version")
	require.Zero(t, code)
	require.Regexp(t, `(?s)simpang \S+.*commit \S+.*go1\.`, out)
	_, code = g.run("check", "-config", g.config)
	require.Zero(t, code)
	for _, wrong := range [][]string{{}, {"fly"}, {"check"}, {"serve"}, {"check", "-config", g.config, "-colour", "blue"}, {"version", "x"}} {
		_, code = g.run(wrong...)
		require.Equal(t, 2, code, "%v", wrong)
	}
}

// simpang check tells the faults of the configuration and of the inventory in
// one go, each with its file and line.
func TestCheckTellsEveryFault(t *testing.T) {
	dir := writeCity(t, "")
	g := newGateway(t, dir, brokerSource)
	edit(t, dir, "devices.csv", "spot-c01,spot,S-SPOT", "spot-c01,spot,S-NOWHERE")
	edit(t, dir, "accounts.csv", "0.1", "1.1")
	g.reconfigure(t, "data_dir: data", "data_dir: data\ncolour: blue")
	text, err := os.ReadFile(g.config)
	require.NoError(t, err)
	require.Contains(t, string(text), "colour")
	cmd := exec.Command(simpang, "check", "-config", g.config)
	var said buffer
	cmd.Stderr = &said
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &exit)
	require.Equal(t, 2, exit.ExitCode())
	for _, part := range []string{filepath.Base(g.config) + ":4: ", "colour", "devices.csv:2: ", "S-NOWHERE", "accounts.csv:2: "} {
		require.Contains(t, said.String(), part)
	}
	require.NoDirExists(t, filepath.Join(g.dir, "data"), "it writes nothing")
}
