package endtoend_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// refuses requires a problem (RFC 9457) and returns it.
func (g *gateway) refuses(t *testing.T, status int, path string) object {
	t.Helper()
	return g.ask(t, http.MethodGet, path, "").problem(t, status)
}

func (r reply) problem(t *testing.T, status int) object {
	t.Helper()
	require.Equal(t, status, r.StatusCode, "%s: %s", r.path, r.body)
	require.True(t, strings.HasPrefix(r.Header.Get("Content-Type"), "application/problem+json"), r.path)
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"), r.path)
	var o object
	require.NoError(t, json.Unmarshal(r.body, &o))
	o.has(t, "type title detail").shows(t, object{"status": status})
	return o
}

func (c *tour) gateway(t *testing.T) {
	g := c.g
	g.fetch(t, "/healthz")
	ready := g.fetch(t, "/readyz").decode(t).has(t, "ready reasons sources followers")
	require.Empty(t, ready["reasons"])
	for _, s := range ready.items(t, "sources") {
		s.has(t, "id lag_s last_message").shows(t, object{"connected": true})
		require.NotNil(t, s["last_message"])
	}
	names := []any{}
	for _, f := range ready.items(t, "followers") {
		f.has(t, "name lag last_message").shows(t, object{"lag": 0})
		names = append(names, f["name"])
	}
	require.Subset(t, names, []any{"series", "occupancy", "traffic", "ledger", "health"})
	api := g.fetch(t, "/openapi.json").decode(t)
	require.True(t, strings.HasPrefix(api["openapi"].(string), "3.1"))
	paths := api["paths"].(map[string]any)
	for _, path := range []string{
		"/v1/parking/sites", "/v1/parking/sites/{id}", "/v1/parking/nearby", "/v1/parking/sites/{id}/history", "/v1/traffic/segments",
		"/v1/traffic/segments/{id}", "/v1/traffic/segments/{id}/history", "/v1/traffic/congestion", "/v1/stream", "/v1/closures",
		"/v1/revenue/summary", "/v1/agencies", "/healthz", "/readyz", "/v1/devices", "/v1/quarantine", "/v1/revenue/daily", "/v1/revenue/receipts",
	} {
		require.Contains(t, paths, path)
	}
	for _, page := range []string{"/docs", "/status", "/"} {
		r := g.fetch(t, page)
		require.Contains(t, r.Header.Get("Content-Type"), "text/html", page)
	}
	require.NotEqual(t, http.StatusOK, g.ask(t, http.MethodGet, "/metrics", "").StatusCode, "metrics are on the admin listener only")
	require.NotEqual(t, http.StatusOK, g.ask(t, http.MethodGet, "/debug/pprof/", "").StatusCode)
	require.Positive(t, g.metric("process_open_fds"))
}

func (c *tour) pages(t *testing.T) {
	g, v := c.g, c.v
	for path, all := range map[string]int{"/v1/parking/sites": len(v.Sites), "/v1/traffic/segments": len(v.Segments), "/v1/agencies": len(v.Agencies)} {
		limit := all/3 + 1
		var ids []string
		next := ""
		for page := 0; page == 0 || next != ""; page++ {
			require.Less(t, page, 4)
			o := g.fetch(t, fmt.Sprintf("%s?limit=%d%s", path, limit, next)).decode(t)
			for _, item := range o.items(t, "items") {
				ids = append(ids, item["id"].(string))
			}
			next = ""
			if cursor, ok := o["next"].(string); ok {
				next = "&cursor=" + cursor
				require.Len(t, o["items"], limit)
			}
		}
		require.Len(t, ids, all, path)
		require.IsIncreasing(t, ids, "each once")
	}
	require.Len(t, g.fetch(t, "/v1/traffic/segments").decode(t).items(t, "items"), min(100, len(v.Segments)), "100 unless told")
}

func (c *tour) formats(t *testing.T) {
	g, v := c.g, c.v
	span := "from=" + when(time.Now().Add(-time.Hour)) + "&to=" + when(time.Now())
	for path, columns := range map[string]string{
		"/v1/parking/sites?limit=1000":                         "id name kind lat lon class capacity free occupied unknown state quality",
		"/v1/parking/nearby?lat=-6.238&lon=106.994":            "id distance_m walk_min price_1h",
		"/v1/parking/sites/" + alunAlun + "/history?" + span:   parkingMembers,
		"/v1/traffic/segments?limit=1000":                      segmentMembers,
		"/v1/traffic/segments/" + flowing + "/history?" + span: trafficMembers,
		"/v1/closures?limit=1000":                              "site segment from to reason",
		"/v1/revenue/summary?year=2026":                        "year " + accountMembers,
		"/v1/agencies?limit=1000":                              "id name duties services",
	} {
		r := g.fetch(t, path+"&format=csv")
		require.Contains(t, r.Header.Get("Content-Type"), "text/csv", path)
		rows, err := csv.NewReader(strings.NewReader(string(r.body))).ReadAll()
		require.NoError(t, err, path)
		require.Subset(t, rows[0], strings.Fields(columns), path)
		require.Equal(t, "PK", string(g.fetch(t, path+"&format=xlsx").body[:2]), path)
		if path == "/v1/traffic/segments?limit=1000" {
			require.Len(t, rows, 1+len(v.Segments))
		}
	}
	for path, n := range map[string]int{"/v1/parking/sites?limit=1000": len(v.Sites), "/v1/traffic/segments?limit=1000": len(v.Segments), "/v1/parking/nearby?lat=-6.238&lon=106.994": 0} {
		r := g.fetch(t, path+"&format=geojson")
		require.Contains(t, r.Header.Get("Content-Type"), "application/geo+json")
		var c struct {
			Type     string
			Features []struct {
				Type     string
				Geometry struct {
					Type        string
					Coordinates json.RawMessage
				}
				Properties object
			}
		}
		require.NoError(t, json.Unmarshal(r.body, &c))
		require.Equal(t, "FeatureCollection", c.Type)
		if n > 0 {
			require.Len(t, c.Features, n)
		}
		for _, f := range c.Features {
			require.Equal(t, "Feature", f.Type)
			require.Contains(t, []string{"Point", "LineString", "Polygon"}, f.Geometry.Type)
			require.Regexp(t, `^\[+1(06|07)\.\d+,-6\.`, string(f.Geometry.Coordinates), "lon, lat")
			f.Properties.has(t, "id name quality")
		}
	}
}

func (c *tour) tags(t *testing.T) {
	g, p := c.g, c.p
	for _, path := range []string{
		"/v1/parking/sites", "/v1/parking/sites?class=car", "/v1/parking/sites/" + alunAlun, "/v1/parking/nearby?lat=-6.238&lon=106.994",
		"/v1/parking/sites/" + alunAlun + "/history?from=2026-01-01&to=2026-01-02", "/v1/traffic/segments", "/v1/traffic/segments/" + unheard,
		"/v1/traffic/segments/" + unheard + "/history?from=2026-01-01&to=2026-01-02", "/v1/traffic/congestion", "/v1/closures",
		"/v1/revenue/summary", "/v1/agencies", "/openapi.json",
	} {
		r := g.fetch(t, path)
		tag := r.Header.Get("ETag")
		require.Regexp(t, `^W/"[^"]+"$`, tag, path)
		require.Contains(t, r.Header.Get("Cache-Control"), "max-age=", path)
		require.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"), path)
		again := g.ask(t, http.MethodGet, path, "", "If-None-Match", tag)
		require.Equal(t, http.StatusNotModified, again.StatusCode, path)
		require.Equal(t, tag, again.Header.Get("ETag"))
		require.Empty(t, again.body)
		head := g.ask(t, http.MethodHead, path, "")
		require.Equal(t, http.StatusOK, head.StatusCode, path)
		require.Equal(t, tag, head.Header.Get("ETag"))
	}
	require.Equal(t, "*", g.ask(t, http.MethodGet, "/v1/parking/sites?nothing=1", "").Header.Get("Access-Control-Allow-Origin"), "errors too")
	// A change of age_s alone keeps the tag; another reading does not.
	path := "/v1/parking/sites/" + alunAlun
	before := g.fetch(t, path)
	g.until("age_s has grown", func() bool { return g.fetch(t, path).decode(t)["age_s"] != before.decode(t)["age_s"] })
	require.Equal(t, before.Header.Get("ETag"), g.fetch(t, path).Header.Get("ETag"))
	p.up("spot-alun-alun-1-c004", spotReading(1, 2, at(0), true))
	g.until("the tag changes", func() bool {
		return g.ask(t, http.MethodGet, path, "", "If-None-Match", before.Header.Get("ETag")).StatusCode == http.StatusOK
	})
	require.InDelta(t, 4, g.fetch(t, path).decode(t).items(t, "classes")[0]["occupied"], 0)
}
