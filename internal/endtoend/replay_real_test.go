package endtoend_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// oldData opens sources for what was observed up to 20 years ago.
const oldData = `  - {id: outside, type: mqtt, url: "tcp://{mosquitto}", topics: [sg/v1/+/up], client_id: gateway, max_age: 175200h}
  - {id: line-1, type: serial, port: "{tty1}", baud: 115200, max_age: 175200h}
  - {id: line-2, type: serial, port: "{tty2}", baud: 115200, max_age: 175200h}
`

// realCity is a gateway whose inventory is what real files speak of.
type realCity struct {
	g         *gateway
	mosquitto *sourcetest.Mosquitto
	ttys      []string
	places    []*place
}

func newRealCity(t *testing.T, places []*place) *realCity {
	t.Helper()
	dir := t.TempDir()
	c := &realCity{
		places: places,
		// It is not restarted, and need not write its whole queue after each message.
		mosquitto: sourcetest.NewMosquitto(t, "set_tcp_nodelay true\nautosave_on_changes false\nautosave_interval 1800\n"),
		ttys:      []string{filepath.Join(dir, "tty1"), filepath.Join(dir, "tty2")},
	}
	sources := strings.NewReplacer("{mosquitto}", c.mosquitto.Addr, "{tty1}", c.ttys[0], "{tty2}", c.ttys[1]).Replace(oldData)
	c.g = newGateway(t, writePlaces(t, places), sources)
	c.g.start()
	c.g.login()
	c.g.until("it is connected to Mosquitto", func() bool { return strings.Contains(c.g.body("/readyz"), `"connected":true`) })
	return c
}

// writePlaces writes an inventory of a site for each car park and a segment for
// each road.
func writePlaces(t *testing.T, places []*place) string {
	t.Helper()
	dir := writeCity(t, "")
	var sites, segments []any
	devices := strings.Builder{}
	devices.WriteString("id,kind,site,segment,class,interval_s\n")
	feature := func(n int, kind string, properties map[string]any) map[string]any {
		lon := 107 + float64(n)/1000
		coordinates := any([]float64{lon, -6.24})
		if kind == "LineString" {
			coordinates = [][]float64{{lon, -6.24}, {lon, -6.25}}
		}
		return map[string]any{"type": "Feature", "properties": properties, "geometry": map[string]any{"type": kind, "coordinates": coordinates}}
	}
	for i, p := range places {
		if p.file.kind == "traffic" {
			fmt.Fprintf(&devices, "%s,traffic,,%s,,300\n", p.id, p.at)
			segments = append(segments, feature(i, "LineString", map[string]any{
				"id": p.at, "name": p.id, "direction": "selatan", "road_type": "one_way", "lanes": 1, "lane_width_m": 3.5, "side_friction": "S",
				"edge": "kerb", "edge_width_m": 1.0, "free_flow_kmh": 60, "road_class": "arteri",
			}))
			continue
		}
		fmt.Fprintf(&devices, "%s,count,%s,,car,%d\n", p.id, p.at, intervalS)
		sites = append(sites, feature(i, "Point", map[string]any{
			"id": p.at, "name": p.id, "kind": "off_street", "address": "Jl. Contoh", "kecamatan": "Bekasi Timur", "kelurahan": "Margahayu",
			"operator": "dishub", "levy": "special", "tariff": "hourly", "opening_hours": "24/7", "detection": "count",
			"capacity": map[string]int64{"car": p.capacity}, "payment": []string{"cash"}, "official": true,
		}))
	}
	put := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	collection := func(features []any) string {
		text, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": append([]any{}, features...)})
		require.NoError(t, err)
		return string(text)
	}
	put("sites.geojson", collection(sites))
	put("segments.geojson", collection(segments))
	put("devices.csv", devices.String())
	put("closures.csv", "site,segment,from,to,rrule,except,reason,places_lost\n")
	return dir
}

// replay plays a file over Mosquitto, or over a line where tty is not empty.
func (c *realCity) replay(t *testing.T, csv string, file realFile, tty string, args ...string) *fleet {
	t.Helper()
	args = append([]string{"replay", "-csv", csv, "-map", filepath.Join(root(), "configs/replay", file.mapping+".yaml")}, args...)
	if tty != "" {
		return simulate(t, append(args, "-serial", "pty:"+tty)...)
	}
	return simulate(t, append(args, "-broker", "tcp://"+c.mosquitto.Addr)...)
}

// arrive waits until every reading has come, and every follower is level.
func (c *realCity) arrive(readings, duplicates, refused int) {
	c.g.t.Helper()
	c.g.until("every row has arrived", func() bool {
		n, again, aside := 0, 0, 0
		for _, d := range list[struct{ Readings, Duplicates, Quarantined int }](c.g, "/v1/devices") {
			n += d.Readings
			again += d.Duplicates
			aside += d.Quarantined
		}
		return n >= readings && again >= duplicates && aside >= refused
	})
	c.g.level()
}

// Real observations of car parks and roads, years old, are replayed as they
// were through a real Mosquitto and through ptys. What the API says then is
// what the files say.
func TestReplayRealData(t *testing.T) {
	if testing.Short() {
		t.Skip("94,000 real readings")
	}
	dir := sharedData(t)
	files := []realFile{
		birmingham,
		aarhusGarage("BRUUNS", false), aarhusGarage("KALKVAERKSVEJ", false), aarhusGarage("SCANDCENTER", false), aarhusGarage("NORREPORT", true),
		aarhusRoad("158324", false), aarhusRoad("158505", false), aarhusRoad("172329", true),
	}
	var places []*place
	var readings, doubled, negative int
	for _, f := range files {
		for _, p := range readReal(t, dir, f) {
			places = append(places, p)
			readings += len(p.good)
			doubled += p.doubled
			negative += p.negative
		}
	}
	require.Len(t, places, 15+4+3)
	require.Greater(t, readings, 90_000)
	require.Greater(t, doubled, 90, "the files have doubled rows")
	require.Equal(t, 12, negative, "the files have negative rows")

	c := newRealCity(t, places)
	c.g.patience = 90 * time.Second
	begin := time.Now()
	lines := 0
	var fleets []*fleet
	for _, f := range files {
		tty := ""
		if f.overLine {
			tty = c.ttys[lines]
			lines++
		}
		fleets = append(fleets, c.replay(t, filepath.Join(dir, f.csv), f, tty))
	}
	resent := map[string]int{}
	for _, f := range fleets {
		f.done(90 * time.Second)
		for id, d := range readTruth(t, f.truth).devices {
			require.Zero(t, d.unacked, id)
			resent[id] += d.resent
		}
	}
	c.arrive(readings, doubled, negative)
	t.Logf("%d readings, %d doubled and %d negative ones replayed in %v", readings, doubled, negative, time.Since(begin).Round(time.Millisecond))

	begin = time.Now()
	aside := map[string][]quarantined{}
	for _, q := range list[quarantined](c.g, "/v1/quarantine") {
		aside[q.Device] = append(aside[q.Device], q)
	}
	for _, p := range places {
		f := p.fate()
		f.resent = resent[p.id]
		compareReadings(t, c.g, p.id, f, p.good[0].at.Add(-time.Hour), p.good[len(p.good)-1].at.Add(time.Hour))
		compareCounters(t, c.g, p.id, f, aside[p.id])
	}
	t.Logf("readings compared in %v", time.Since(begin).Round(time.Millisecond))
	require.InDelta(t, negative, c.g.refused("impossible_value"), 0, "counted by name")
	require.Equal(t, http.StatusBadRequest, c.g.status("/v1/parking/sites/"+places[0].at+"/history?step=5m&"+span(places[0].good[0].at, places[0].good[0].at.Add(5001*5*time.Minute))))

	begin = time.Now()
	for _, p := range places {
		first, last := p.good[0].at.Add(-24*time.Hour), p.good[len(p.good)-1].at.Add(24*time.Hour)
		middle := first.Add(last.Sub(first) / 2)
		if p.file.kind == "traffic" {
			comparePassed(t, c.g, p, 5*time.Minute, first, last)
			comparePassed(t, c.g, p, time.Hour, first, last)
			comparePassed(t, c.g, p, 24*time.Hour, first, last)
			continue
		}
		compareStates(t, c.g, p, 24*time.Hour, first, last)
		compareStates(t, c.g, p, time.Hour, first, last)
		compareStates(t, c.g, p, 5*time.Minute, middle, middle.Add(4*24*time.Hour))
	}
	t.Logf("history compared in %v", time.Since(begin).Round(time.Millisecond))
	comparePresent(t, c.g, places)
	c.g.stop()
	out, code := c.g.run("verify", "-config", c.g.config)
	require.Zero(t, code, "verify: %s", out)
	c.g.start()
	comparePresent(t, c.g, places)
}

// steps are the begins of the steps of some time; more than 5,000 are asked for
// in several requests.
func steps(from, to time.Time, step time.Duration, do func(query string, from, to time.Time)) {
	_, offset := from.In(zone).Zone()
	shift := time.Duration(offset) * time.Second
	from = from.Add(shift).Truncate(step).Add(-shift)
	for from.Before(to) {
		end := from.Add(4999 * step)
		if end.After(to) {
			end = to.Add(shift + step - 1).Truncate(step).Add(-shift)
		}
		do(fmt.Sprintf("step=%s&%s", map[time.Duration]string{5 * time.Minute: "5m", time.Hour: "1h", 24 * time.Hour: "1d"}[step], span(from, end)), from, end)
		from = end
	}
}

// near tells whether two numbers, or the lack of them, are the same but for
// rounding to thousandths.
func near(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return math.Abs(*a-*b) <= 0.0011
}

// compareStates: each step of a site's history.
func compareStates(t *testing.T, g *gateway, p *place, step time.Duration, from, to time.Time) {
	t.Helper()
	known := 0
	steps(from, to, step, func(query string, from, to time.Time) {
		var history struct{ Points []parkingPoint }
		g.get("/v1/parking/sites/"+p.at+"/history?"+query, &history)
		require.Len(t, history.Points, int(to.Sub(from)/step))
		for i, have := range history.Points {
			begin := from.Add(time.Duration(i) * step)
			want := p.during(begin, begin.Add(step))
			same := have.T.Equal(begin) && near(want.FreeAvg, have.FreeAvg) && near(want.OccupiedAvg, have.OccupiedAvg) && near(&want.Coverage, &have.Coverage) &&
				(want.FreeMin == nil) == (have.FreeMin == nil) && (want.FreeMin == nil || *want.FreeMin == *have.FreeMin) && have.Arrivals == nil && have.Departures == nil
			require.True(t, same, "%s step %v: %s instead of %s", p.id, step, text(have), text(want))
			if have.FreeAvg != nil {
				known++
			}
		}
	})
	require.Positive(t, known, "%s: something of the history must be known", p.id)
}

// comparePassed: each step of a segment's history, and all vehicles together.
func comparePassed(t *testing.T, g *gateway, p *place, step time.Duration, from, to time.Time) {
	t.Helper()
	var vehicles, want float64
	for _, o := range p.good {
		want += float64(o.n)
	}
	steps(from, to, step, func(query string, from, to time.Time) {
		var history struct{ Points []trafficPoint }
		g.get("/v1/traffic/segments/"+p.at+"/history?"+query, &history)
		require.Len(t, history.Points, int(to.Sub(from)/step))
		for i, have := range history.Points {
			begin := from.Add(time.Duration(i) * step)
			want := p.passed(begin, begin.Add(step))
			same := have.T.Equal(begin) && near(want.FlowVPH, have.FlowVPH) && near(want.SpeedKmh, have.SpeedKmh) && near(&want.Coverage, &have.Coverage)
			require.True(t, same, "%s step %v: %s instead of %s", p.id, step, text(have), text(want))
			if have.FlowVPH != nil {
				vehicles += *have.FlowVPH * have.Coverage * step.Hours()
			}
		}
	})
	if step == 5*time.Minute { // there it is exact
		require.InDelta(t, want, vehicles, 0.01, "%s: vehicles", p.id)
	}
}

func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// comparePresent: what each site and segment is said to be now, by the last
// row of each. What is shown may be a moment behind what is known.
func comparePresent(t *testing.T, g *gateway, places []*place) {
	t.Helper()
	for _, p := range places {
		path := "/v1/parking/sites/" + p.at
		if p.file.kind == "traffic" {
			path = "/v1/traffic/segments/" + p.at
		}
		var want, have string
		shown := func() bool {
			var s present
			g.get(path, &s)
			want, have = text(p.present(time.Now())), text(s)
			return want == have
		}
		for end := time.Now().Add(2 * time.Second); !shown() && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		require.Equal(t, want, have, p.id)
	}
}

// The same shifted to now, up to a moment at which a garage has more cars than
// places: the present is what the last rows say.
func TestReplayRealDataNow(t *testing.T) {
	if testing.Short() {
		t.Skip("25,000 real readings")
	}
	dir := sharedData(t)
	garage := aarhusGarage("NORREPORT", false)
	full := readReal(t, dir, garage)[0]
	for last := len(full.good) - 1; full.good[last].n <= full.capacity; last-- {
		require.Positive(t, last, "the garage is overfull at times")
		full.good = full.good[:last]
	}
	places := append(readReal(t, dir, birmingham), full)
	c := newRealCity(t, places)
	text, err := os.ReadFile(filepath.Join(dir, garage.csv))
	require.NoError(t, err)
	cut := filepath.Join(t.TempDir(), "until-full.csv")
	require.NoError(t, os.WriteFile(cut, []byte(strings.Join(strings.SplitAfter(string(text), "\n")[:len(full.good)+1], "")), 0o600))
	begin := time.Now()
	for _, f := range []*fleet{
		c.replay(t, cut, garage, "", "-shift", "now"),
		c.replay(t, filepath.Join(dir, birmingham.csv), birmingham, c.ttys[0], "-shift", "now"),
	} {
		f.done(time.Minute)
	}
	readings, newest := 0, map[string]time.Time{}
	for _, p := range places {
		readings += len(p.good)
		if at := p.good[len(p.good)-1].at; at.After(newest[p.file.csv]) {
			newest[p.file.csv] = at
		}
	}
	c.arrive(readings, 0, 0)
	t.Logf("%d readings replayed in %v", readings, time.Since(begin).Round(time.Millisecond))
	for _, p := range places {
		var d struct {
			LastAt time.Time `json:"last_at"`
		}
		c.g.get("/v1/devices/"+p.id, &d)
		shift := d.LastAt.Sub(p.good[len(p.good)-1].at)
		require.Zero(t, shift%time.Minute, "moved by whole minutes")
		end := newest[p.file.csv].Add(shift)
		require.False(t, end.After(time.Now()), "not into the future")
		require.WithinDuration(t, begin, end, 90*time.Second, "the last row is of now")
		for i := range p.good {
			p.good[i].at = p.good[i].at.Add(shift)
		}
	}
	comparePresent(t, c.g, places)
	require.Greater(t, full.good[len(full.good)-1].n, full.capacity)
	compareStates(t, c.g, full, 5*time.Minute, begin.Add(-48*time.Hour), begin.Add(-5*time.Minute))
}
