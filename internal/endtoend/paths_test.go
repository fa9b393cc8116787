package endtoend_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

// Members by name, from the contract, section 4. Others may be there too.
const (
	siteMembers = "id name kind location address kecamatan segment classes accessible quality confidence observed_at age_s " +
		"tariff payment restrictions official opening_hours"
	classMembers   = "class capacity free occupied unknown state quality"
	nearbyMembers  = siteMembers + " distance_m walk_min p_free_on_arrival price_1h"
	parkingMembers = "t free_avg free_min occupied_avg arrivals departures coverage"
	segmentMembers = "id name direction status flow_vph flow_smp_h capacity_smp_h dj dj_counted regime speed_kmh free_flow_kmh " +
		"tti index los los_pm96 trend quality observed_at age_s source"
	trafficMembers = "t flow_vph flow_smp_h speed_kmh dj coverage"
	accountMembers = "account name target recorded due in_settlement realized percent remaining"
)

// tour is what the parts of TestEveryPublicPath look at.
type tour struct {
	g *gateway
	v *inventory.Version
	p *publisher
}

// Every public path of this step, on the reference city with some readings,
// answers as the contract says.
func TestEveryPublicPath(t *testing.T) {
	g, v, p := referenceCity(t)
	c := &tour{g, v, p}
	beats := listen(t, g, "?topics=traffic", "")
	speak(t, v, p)
	g.level()
	g.until("the answers show it", func() bool {
		return strings.Contains(string(g.fetch(t, "/v1/parking/sites/"+mall).body), `"state":"free"`) &&
			strings.Contains(string(g.fetch(t, "/v1/traffic/segments/"+empty).body), `"flow_vph":0`)
	})
	t.Run("sites", c.sites)
	t.Run("one site", c.site)
	t.Run("nearby", c.nearby)
	t.Run("parking history", c.parkingHistory)
	t.Run("segments", c.segments)
	t.Run("traffic history", c.trafficHistory)
	t.Run("congestion", c.congestion)
	t.Run("summary", c.summary)
	t.Run("agencies", c.agencies)
	t.Run("the gateway itself", c.gateway)
	t.Run("pages of lists", c.pages)
	t.Run("formats", c.formats)
	t.Run("tags", c.tags)
	t.Run("refused", c.refused)
	t.Run("stream", c.stream)
	t.Run("tokens and closures", c.tokens)
	t.Run("a silent stream has comments", func(*testing.T) {
		beats.until("a comment within 15 s", func(e event) bool { return e.comment })
	})
}

func (c *tour) sites(t *testing.T) {
	g, v := c.g, c.v
	sites := g.fetch(t, "/v1/parking/sites").decode(t).has(t, "items next")
	items := sites.items(t, "items")
	require.Len(t, items, len(v.Sites))
	require.Nil(t, sites["next"])
	for _, item := range items {
		item.has(t, siteMembers)
		require.Contains(t, []any{"on_street", "off_street"}, item["kind"])
		at := object(item["location"].(map[string]any)).has(t, "lat lon")
		require.InDelta(t, -6.28, at["lat"], 0.15)
		require.InDelta(t, 106.98, at["lon"], 0.15)
		object(item["accessible"].(map[string]any)).has(t, "capacity free")
		for _, class := range item.items(t, "classes") {
			class.has(t, classMembers)
			if class["free"] != nil && class["occupied"].(float64) <= class["capacity"].(float64) {
				require.InDelta(t, class["capacity"], class["free"].(float64)+class["occupied"].(float64)+class["unknown"].(float64), 0)
			}
		}
	}
	spots := one(t, items, "id", alunAlun)
	spots.shows(t, object{"kind": "on_street", "quality": "live", "confidence": 1, "segment": "veteran-1-s", "tariff": "street-zone"})
	require.LessOrEqual(t, spots["age_s"], 700.0)
	spots.items(t, "classes")[0].shows(t, object{"class": "car", "capacity": 40, "free": 37, "occupied": 3, "unknown": 0, "state": "open", "quality": "live"})
	spots.items(t, "classes")[1].shows(t, object{"class": "motorcycle", "capacity": 30, "free": 30, "occupied": 0, "unknown": 0, "state": "open"})
	counters := one(t, items, "id", veteran).items(t, "classes")
	counters[0].shows(t, object{"class": "car", "capacity": 30, "free": 0, "occupied": 35, "unknown": 0, "state": "full"})
	counters[1].shows(t, object{"class": "motorcycle", "capacity": 40, "free": 2, "occupied": 38, "state": "almost_full"})
	gates := one(t, items, "id", pasar).items(t, "classes")
	gates[0].shows(t, object{"class": "car", "capacity": 140, "free": 138, "occupied": 2, "state": "open", "quality": "estimated"})
	none := one(t, items, "id", silent)
	none.shows(t, object{"quality": "none", "confidence": 0})
	none.nulls(t, "observed_at age_s")
	none.items(t, "classes")[0].shows(t, object{"free": nil, "occupied": nil, "unknown": 56, "state": "unknown", "quality": "none"})
	one(t, items, "id", mall).items(t, "classes")[0].shows(t, object{"free": 1, "occupied": 0, "unknown": 179 - 20, "quality": "partial"})

	for _, item := range g.fetch(t, "/v1/parking/sites?class=motorcycle&kind=on_street&kecamatan=Bekasi+Selatan").decode(t).items(t, "items") {
		item.shows(t, object{"kind": "on_street", "kecamatan": "Bekasi Selatan"})
		require.Len(t, item["classes"], 1)
		require.Equal(t, "motorcycle", item.items(t, "classes")[0]["class"])
	}
	at := v.Site(alunAlun).Location
	box := fmt.Sprintf("%f,%f,%f,%f", at.Lon-0.0001, at.Lat-0.0001, at.Lon+0.0001, at.Lat+0.0001)
	one(t, g.fetch(t, "/v1/parking/sites?bbox="+box).decode(t).items(t, "items"), "id", alunAlun)
	require.Less(t, len(g.fetch(t, "/v1/parking/sites?bbox="+box).decode(t).items(t, "items")), 10)
}

func (c *tour) site(t *testing.T) {
	g := c.g
	site := g.fetch(t, "/v1/parking/sites/"+alunAlun).decode(t).has(t, siteMembers)
	spots := site.items(t, "spots")
	require.Len(t, spots, 70)
	n := map[any]int{}
	for _, spot := range spots {
		spot.has(t, "id state")
		require.NotContains(t, spot, "device", "state only")
		n[spot["state"]]++
	}
	require.Equal(t, map[any]int{"occupied": 3, "free": 67}, n)
}

func (c *tour) nearby(t *testing.T) {
	g, v := c.g, c.v
	at := v.Site(alunAlun).Location
	near := g.fetch(t, fmt.Sprintf("/v1/parking/nearby?lat=%f&lon=%f&radius_m=900", at.Lat, at.Lon)).decode(t)
	require.Nil(t, near["next"])
	items := near.items(t, "items")
	require.Greater(t, len(items), 3)
	rank := map[any]int{"open": 0, "almost_full": 0, "unknown": 1, "full": 2, "closed": 3}
	lastRank, lastWalk := -1, 0.0
	for _, item := range items {
		item.has(t, nearbyMembers)
		require.LessOrEqual(t, item["distance_m"], 900.0)
		require.InDelta(t, item["distance_m"].(float64)*1.3/80, item["walk_min"], 0.06)
		item.nulls(t, "p_free_on_arrival")
		best := 3
		for _, class := range item.items(t, "classes") {
			best = min(best, rank[class["state"]])
		}
		require.GreaterOrEqual(t, best, lastRank, "the best first")
		if best > lastRank {
			lastWalk = 0
		}
		require.GreaterOrEqual(t, item["walk_min"], lastWalk)
		lastRank, lastWalk = best, item["walk_min"].(float64)
	}
	items[0].shows(t, object{"id": alunAlun, "distance_m": 0})
	require.Contains(t, items[0], "price_1h")
	if hour := time.Now().In(zone).Hour(); hour >= 7 && hour < 21 { // at night this street is free
		require.Positive(t, items[0]["price_1h"])
	}
	full := g.fetch(t, fmt.Sprintf("/v1/parking/nearby?lat=%f&lon=%f&radius_m=5000&class=car&limit=1000", at.Lat, at.Lon)).decode(t).items(t, "items")
	require.Equal(t, veteran, full[len(full)-1]["id"], "what is full comes last")
	limited := g.fetch(t, fmt.Sprintf("/v1/parking/nearby?lat=%f&lon=%f&limit=2&accessible=true&arrive_in_min=15", at.Lat, at.Lon)).decode(t).items(t, "items")
	require.LessOrEqual(t, len(limited), 2)
}

// when writes a time as a hurried client does: the + becomes a space.
func when(at time.Time) string { return at.In(zone).Format(time.RFC3339) }

func (c *tour) parkingHistory(t *testing.T) {
	g := c.g
	now := time.Now()
	query := "/history?from=" + when(now.Add(-time.Hour)) + "&to=" + when(now) + "&step=5m"
	h := g.fetch(t, "/v1/parking/sites/"+alunAlun+query+"&class=car").decode(t)
	points := h.items(t, "points")
	require.InDelta(t, 12, len(points), 1)
	for i, p := range points {
		p.has(t, parkingMembers)
		begin, err := time.Parse(time.RFC3339, p["t"].(string))
		require.NoError(t, err)
		require.Zero(t, begin.Unix()%300)
		if i < 8 {
			p.shows(t, object{"coverage": 0})
			p.nulls(t, "free_avg free_min occupied_avg")
		}
	}
	known := points[len(points)-2]
	known.shows(t, object{"coverage": 1, "free_avg": 37, "free_min": 37, "occupied_avg": 3})
	sum := func(path, member, token string) (sum float64, nulls int) {
		headers := []string{}
		if token != "" {
			headers = []string{"Authorization", "Bearer " + token}
		}
		for _, p := range g.ask(t, http.MethodGet, path, "", headers...).decode(t).items(t, "points") {
			if p[member] == nil {
				nulls++
			} else {
				sum += p[member].(float64)
			}
		}
		return sum, nulls
	}
	_, nulls := sum("/v1/parking/sites/"+mall+query, "departures", "")
	require.InDelta(t, 12, nulls, 1, "a taxpayer's turnover is not told")
	g.login()
	left, _ := sum("/v1/parking/sites/"+mall+query, "departures", g.token)
	require.InDelta(t, 1, left, 0, "but to staff")
	day := g.fetch(t, "/v1/parking/sites/"+alunAlun+"/history").decode(t)
	require.InDelta(t, 288, len(day.items(t, "points")), 1, "a day by five minutes")
	far := url.QueryEscape(when(now.Add(-5000 * 5 * time.Minute)))
	g.refuses(t, http.StatusBadRequest, "/v1/parking/sites/"+alunAlun+"/history?from="+far+"&to="+url.QueryEscape(when(now.Add(5*time.Minute))))
	g.refuses(t, http.StatusBadRequest, "/v1/traffic/segments/"+flowing+"/history?from="+far+"&to="+url.QueryEscape(when(now.Add(5*time.Minute))))
}

func (c *tour) segments(t *testing.T) {
	g, v := c.g, c.v
	items := g.fetch(t, "/v1/traffic/segments?limit=1000").decode(t).has(t, "items next").items(t, "items")
	require.Len(t, items, len(v.Segments))
	for _, item := range items {
		item.has(t, segmentMembers)
	}
	s := one(t, items, "id", flowing)
	s.shows(t, object{"flow_vph": 2700, "speed_kmh": 40, "free_flow_kmh": 55, "tti": 1.375, "index": 2.727, "quality": "live"})
	require.InDelta(t, s["flow_smp_h"].(float64)/s["capacity_smp_h"].(float64), s["dj_counted"], 0.01)
	require.Less(t, s["flow_smp_h"], 2700.0, "a motorcycle is less than a car")
	require.Contains(t, []any{"A", "B", "C", "D", "E", "F"}, s["los"])
	require.Contains(t, []any{"open", "closed", "limited"}, s["status"])
	require.NotEmpty(t, s["source"])
	zero := one(t, items, "id", empty)
	zero.shows(t, object{"flow_vph": 0, "flow_smp_h": 0, "quality": "live"})
	zero.nulls(t, "speed_kmh")
	none := one(t, items, "id", unheard)
	none.nulls(t, "flow_vph flow_smp_h dj dj_counted regime speed_kmh tti index los los_pm96 trend observed_at age_s")
	none.shows(t, object{"quality": "none"})
	g.fetch(t, "/v1/traffic/segments/"+flowing).decode(t).has(t, segmentMembers).shows(t, object{"id": flowing, "flow_vph": 2700})
}

func (c *tour) trafficHistory(t *testing.T) {
	g := c.g
	now := time.Now()
	h := g.fetch(t, "/v1/traffic/segments/"+flowing+"/history?from="+when(now.Add(-time.Hour))+"&to="+when(now)+"&step=15m").decode(t)
	points := h.items(t, "points")
	measured := 0
	for _, p := range points {
		p.has(t, trafficMembers)
		if p["coverage"] == 0.0 {
			p.nulls(t, "flow_vph flow_smp_h speed_kmh dj")
			continue
		}
		measured++
		p.shows(t, object{"flow_vph": 2700, "speed_kmh": 40})
		require.LessOrEqual(t, p["coverage"], 0.1)
	}
	require.Equal(t, 1, measured)
	require.InDelta(t, 4.5, len(points), 0.5)
}

func (c *tour) congestion(t *testing.T) {
	g, v := c.g, c.v
	all := g.fetch(t, "/v1/traffic/congestion").decode(t).has(t, "index levels worst")
	require.InDelta(t, 2.727, all["index"], 0.001, "only one road has a speed")
	n := 0.0
	for _, of := range all["levels"].(map[string]any) {
		n += of.(float64)
	}
	require.InDelta(t, len(v.Segments), n, 0)
	worst := all.items(t, "worst")
	require.LessOrEqual(t, len(worst), 10)
	worst[0].has(t, segmentMembers).shows(t, object{"id": flowing})
}

func (c *tour) summary(t *testing.T) {
	g := c.g
	now := time.Now().In(zone)
	s := g.fetch(t, fmt.Sprintf("/v1/revenue/summary?year=%d", now.Year())).decode(t)
	s.shows(t, object{"year": now.Year()})
	for _, a := range s.items(t, "accounts") {
		a.has(t, accountMembers)
	}
	street := one(t, s.items(t, "accounts"), "account", "4.1.02.01.04.0001")
	street.shows(t, object{"recorded": 7000, "due": 7000, "in_settlement": 5000, "realized": 0})
	pbjt := one(t, g.fetch(t, "/v1/revenue/summary?year=2026").decode(t).items(t, "accounts"), "account", "4.1.01.19.04.0001")
	pbjt.shows(t, object{"target": 33_000_000_000, "suppressed": true})
	pbjt.nulls(t, "recorded due in_settlement realized")
}

func (c *tour) agencies(t *testing.T) {
	g := c.g
	items := g.fetch(t, "/v1/agencies").decode(t).has(t, "items next").items(t, "items")
	for _, a := range items {
		a.has(t, "id name duties services")
		require.NotEmpty(t, a["duties"])
	}
	one(t, items, "id", "bapenda")
}
