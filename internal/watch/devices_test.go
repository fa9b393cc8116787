package watch

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// streets is an inventory with sites of eight spots each, with a gate, and a
// road with a counter; nothing is sold.
func streets(tb testing.TB, rules, closures string, sites int) *inventory.Version {
	tb.Helper()
	var features []any
	rows := []string{"id,kind,site,spot,segment,class,interval_s"}
	for i := range sites {
		id := fmt.Sprint("p", i)
		features = append(features, map[string]any{
			"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": []float64{107.0, -6.24}},
			"properties": map[string]any{
				"id": id, "name": id, "kind": "on_street", "kecamatan": "Bekasi Timur", "levy": "street", "tariff": "t", "segment": "r",
				"detection": "spots", "capacity": map[string]int{"car": 8}, "restrictions": []string{"paling lama 3 jam"},
			},
		})
		for k := range 8 {
			rows = append(rows, fmt.Sprintf("%s-%d,spot,%s,%d,,car,%d", id, k, id, k, intervalOf(k)/1000))
		}
	}
	rows = append(rows, "c,traffic,,,r,,60")
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	require.NoError(tb, err)
	road := `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[107.0,-6.24],[107.01,-6.24]]},` +
		`"properties":{"id":"r","name":"r","direction":"E","road_type":"4/2-T","lanes":2,"lane_width_m":3.5,"side_friction":"S","edge":"kerb","edge_width_m":1,"free_flow_kmh":50,"road_class":"arteri_sekunder"}}]}`
	files := map[string][]byte{
		"sites.geojson": geo, "segments.geojson": []byte(road), "devices.csv": []byte(strings.Join(rows, "\n") + "\n"), "tariffs.yaml": []byte(tariffs),
		"closures.csv": []byte("site,segment,from,to,reason\n" + closures),
	}
	if rules != "" {
		files["rules.yaml"] = []byte("detectors:\n  " + strings.ReplaceAll(rules, "\n", "\n  "))
	}
	v, faults := inventory.Parse(files, zone)
	require.Empty(tb, faults)
	return v
}

// intervalOf is how often a spot sends, ms: the last of a site each minute.
func intervalOf(k int) int64 {
	if k == 7 {
		return minuteMs
	}
	return 5 * minuteMs
}

// spots are simulated places that send each interval and when they change.
type spots struct {
	w    *world
	dice *rand.Rand
	list []*spotSim
	road spotSim // its counter, which sends each minute
	over string  // the source
}

type spotSim struct {
	id       string
	seq      uint64
	taken    bool
	next     int64 // it changes
	fault    string
	from     int64
	battery  int64
	lastSent int64
}

func newSpots(w *world, seed uint64, sites int) *spots {
	s := &spots{w: w, dice: rand.New(rand.NewPCG(seed, 5)), road: spotSim{id: "c"}, over: "mqtt"}
	for i := range sites {
		for k := range 8 {
			s.list = append(s.list, &spotSim{id: fmt.Sprintf("p%d-%d", i, k), battery: 3500, next: w.now + s.stay()})
		}
	}
	return s
}

// stay is how long a state lasts: half an hour in the mean, an hour and a half
// at most.
func (s *spots) stay() int64 {
	return min(2*minuteMs+int64(s.dice.ExpFloat64()*30*float64(minuteMs)), 90*minuteMs)
}

// run lets time pass, minute by minute; by night nothing moves.
func (s *spots) run(until int64) {
	w := s.w
	for w.now < until {
		w.now += minuteMs
		w.put(journal.Entry{Type: journal.TypeTick})
		hour := (w.now - monday) % dayMs / hourMs
		if s.road.fault == "" || w.now < s.road.from {
			s.count(hour)
		}
		for i, x := range s.list {
			if x.fault != "" && w.now >= x.from {
				s.faulty(x, i)
				continue
			}
			if w.now >= x.next {
				if hour >= 6 && hour < 22 || x.taken {
					x.taken = !x.taken
					s.send(x, w.now)
				}
				x.next = w.now + s.stay()
			}
			if w.now-x.lastSent >= intervalOf(i%8) {
				s.send(x, w.now)
			}
		}
	}
}

// count lets the counter of the road send a minute.
func (s *spots) count(hour int64) {
	s.road.seq++
	n := 0
	if hour >= 5 && hour < 23 {
		n = 5 + s.dice.IntN(20)
	}
	s.w.put(journal.Entry{Type: journal.TypeReading, Source: s.over, Reading: &city.Reading{
		Device: "c", Kind: city.KindTraffic, HasBoot: true, Boot: 1, Seq: s.road.seq, At: s.w.now, Traffic: &city.Traffic{Lanes: []city.Lane{{Lane: 1, HasCounts: true, SM: uint32(n)}}},
	}})
}

func (s *spots) send(x *spotSim, at int64) {
	x.seq++
	x.lastSent = s.w.now
	s.w.put(journal.Entry{Type: journal.TypeReading, Source: s.over, Reading: &city.Reading{
		Device: x.id, Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: x.seq, At: at, Spot: &city.Spot{Occupied: x.taken, Battery: city.Milli{V: x.battery, OK: true}},
	}})
}

// faulty lets a spot do what its fault is.
func (s *spots) faulty(x *spotSim, i int) {
	five := (s.w.now/minuteMs+int64(i))%5 == 0
	switch x.fault {
	case "dead":
	case "slow": // after 24 minutes at most it finds the gateway
		if s.w.now-x.from > (14+min(int64(i), 9))*minuteMs {
			x.fault = ""
		}
	case "stuck":
		if five {
			s.send(x, s.w.now)
		}
	case "flapping":
		x.taken = !x.taken
		s.send(x, s.w.now)
	case "battery":
		x.battery = 2900
		if five {
			x.taken = s.dice.IntN(6) == 0 != x.taken
			s.send(x, s.w.now)
		}
	case "ahead", "behind":
		off := int64(-20)
		if x.fault == "ahead" {
			off = 3
		}
		if five {
			x.taken = s.dice.IntN(6) == 0 != x.taken
			s.send(x, s.w.now+off*minuteMs)
		}
	case "gaps":
		if five {
			x.taken = s.dice.IntN(6) == 0 != x.taken
			if s.dice.IntN(3) == 0 {
				x.seq++
			}
			s.send(x, s.w.now)
		}
	case "overstay":
		x.taken = true
		if five {
			s.send(x, s.w.now)
		}
	}
}

// TestHonestSpotsRaiseNothing over three weeks.
func TestHonestSpotsRaiseNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		w := newWorld(t, Options{}, streets(t, "", "", 3))
		s := newSpots(w, seed, 3)
		s.run(monday + 14*dayMs)
		require.Empty(t, summary(w.all()))
	}
}

// summary is short.
func summary(list []Incident) (all []string) {
	for _, i := range list {
		all = append(all, fmt.Sprintf("%s %s +%dh %s", i.Rule, i.Subject, (i.OpenedAt-monday)/hourMs, i.State))
	}
	return all
}

// TestEachDeviceFaultIsFound, in time, and nothing beside it.
func TestEachDeviceFaultIsFound(t *testing.T) {
	t.Parallel()
	from := monday + 9*dayMs + 9*hourMs
	for fault, c := range map[string]struct {
		rule   Rule
		within int64
		also   []Rule
	}{
		"dead":     {RuleDeviceSilent, 25 * minuteMs, nil},
		"stuck":    {RuleDeviceStuck, 36 * hourMs, []Rule{RuleOverstay}},
		"flapping": {RuleDeviceFlapping, hourMs, nil},
		"battery":  {RuleDeviceBattery, 2 * hourMs, nil},
		"ahead":    {RuleDeviceSkew, 5 * hourMs, nil},
		"behind":   {RuleDeviceSkew, 5 * hourMs, nil},
		"gaps":     {RuleDeviceGaps, 12 * hourMs, nil},
		"overstay": {RuleOverstay, 4 * hourMs, []Rule{RuleDeviceStuck}},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{}, streets(t, "", "", 2))
			s := newSpots(w, 7, 2)
			s.list[3].fault, s.list[3].from = fault, from
			s.run(from + 2*dayMs)
			found := false
			for _, i := range w.all() {
				require.Equal(t, s.list[3].id, i.Subject, "%v", i)
				require.Contains(t, append(c.also, c.rule), i.Rule)
				require.Equal(t, "p0", i.Site)
				require.Equal(t, i.Subject, i.Device)
				if i.Rule == c.rule {
					found = true
					require.GreaterOrEqual(t, i.OpenedAt, from)
					require.LessOrEqual(t, i.OpenedAt, from+c.within, "after %d min", (i.OpenedAt-from)/minuteMs)
				}
			}
			require.True(t, found, "%v", summary(w.all()))
		})
	}
}

// TestACauseIsOneIncident: a cabinet that is out is told by its site, a broker
// that is out by its source, and not device by device; the gateway that was off
// is no device's silence.
func TestACauseIsOneIncident(t *testing.T) {
	t.Parallel()
	start := monday + 2*dayMs + 9*hourMs
	t.Run("site", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "", 4))
		s := newSpots(w, 3, 4)
		for _, x := range s.list[8:16] {
			x.fault, x.from = "dead", start
		}
		s.run(start + 5*hourMs)
		require.Equal(t, []string{"site_silent p1 +57h open"}, summary(w.all()))
		require.Equal(t, int64(8), w.all()[0].Count)
		for _, x := range s.list[8:16] {
			x.fault = ""
		}
		s.run(start + 7*hourMs)
		require.Equal(t, []string{"site_silent p1 +57h closed"}, summary(w.all()))
	})
	t.Run("site, and one that speaks", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "", 4))
		s := newSpots(w, 3, 4)
		for _, x := range s.list[9:16] {
			x.fault, x.from = "dead", start
		}
		s.list[8].fault, s.list[8].from = "overstay", start
		s.run(start + 5*hourMs)
		require.ElementsMatch(t, []string{"site_silent p1 +57h open", "spot_overstay p1-0 +60h open"}, summary(w.all()))
	})
	t.Run("source", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "", 4))
		s := newSpots(w, 3, 4)
		s.road.fault, s.road.from = "dead", start
		for _, x := range s.list {
			x.fault, x.from = "dead", start
		}
		s.run(start + 3*hourMs)
		require.Equal(t, []string{"source_silent mqtt +57h open"}, summary(w.all()))
		require.LessOrEqual(t, w.all()[0].OpenedAt, start+10*minuteMs)
		require.Equal(t, int64(33), w.all()[0].Count)
		s.road.fault = ""
		for i, x := range s.list { // a quarter comes back after the others
			x.fault = ""
			if i%4 == 0 {
				x.fault, x.from = "slow", w.now-(6+min(int64(i), 9))*minuteMs
			}
		}
		s.run(start + 5*hourMs)
		require.Equal(t, []string{"source_silent mqtt +57h closed"}, summary(w.all()))
	})
	t.Run("source that is renamed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "", 2))
		s := newSpots(w, 3, 2)
		for _, x := range append([]*spotSim{&s.road}, s.list...) {
			x.fault, x.from = "dead", start
		}
		s.run(start + hourMs)
		for _, x := range append([]*spotSim{&s.road}, s.list...) {
			x.fault = ""
		}
		s.over = "broker"
		s.run(start + 2*hourMs)
		require.Equal(t, []string{"source_silent mqtt +57h closed"}, summary(w.all()))
	})
	t.Run("site whose devices are moved", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "", 3))
		s := newSpots(w, 3, 3)
		for _, x := range s.list[8:16] {
			x.fault, x.from = "dead", start
		}
		s.run(start + hourMs)
		require.Equal(t, []string{"site_silent p1 +57h open"}, summary(w.all()))
		v := streets(t, "", "", 3)
		for _, d := range v.Devices {
			if d.Site == "p1" {
				d.Site = "p0"
			}
		}
		w.accept(v)
		for _, x := range s.list[8:16] {
			x.fault = ""
		}
		s.run(start + 2*hourMs)
		require.Equal(t, []string{"site_silent p1 +57h closed"}, summary(w.all()))
	})
	t.Run("gateway", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "", 2))
		s := newSpots(w, 3, 2)
		s.run(start)
		for _, off := range []int64{3 * minuteMs, 14 * minuteMs, 10 * hourMs} {
			w.now += off
			s.run(w.now + 2*hourMs)
		}
		require.Empty(t, summary(w.all()))
	})
	t.Run("gateway, and slow to be found again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "", 2))
		s := newSpots(w, 3, 2)
		for i, x := range s.list { // two die just before; the others find the gateway one after the other
			x.fault, x.from = "slow", start
			if i < 2 {
				x.fault, x.from = "dead", start-6*minuteMs
			}
		}
		s.run(start)
		w.now += 14 * minuteMs
		s.run(w.now + 2*hourMs)
		require.ElementsMatch(t, []string{"device_silent p0-0 +57h open", "device_silent p0-1 +57h open"}, summary(w.all()))
		for _, i := range w.all() {
			require.GreaterOrEqual(t, i.OpenedAt, start+29*minuteMs, "%v", i)
		}
		s.run(w.now + 2*minuteMs)
		w.now += 3 * minuteMs
		s.run(w.now + 2*hourMs)
		for _, i := range w.all() {
			require.Len(t, i.Changes, 1, "a restart calms nothing")
		}
	})
	t.Run("works", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, Options{}, streets(t, "", "p1,,2026-03-04T08:00:00+07:00,2026-03-05T08:00:00+07:00,works\n", 4))
		s := newSpots(w, 3, 4)
		for _, x := range s.list[8:16] {
			x.fault, x.from = "dead", start
		}
		s.run(start + 5*hourMs)
		require.Empty(t, summary(w.all()))
		s.run(start + 24*hourMs)
		require.Equal(t, []string{"site_silent p1 +80h open"}, summary(w.all()), "once the work should be done")
	})
}

// TestDevicesThatWereNeverHeard are silent once any was heard, and then they are
// counted with their site.
func TestDevicesThatWereNeverHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, streets(t, "", "", 3))
	w.until(monday + dayMs)
	require.Empty(t, summary(w.all()), "nothing was installed yet")
	s := newSpots(w, 3, 3)
	s.list[2].fault = "dead"
	for _, x := range s.list[8:16] {
		x.fault = "dead"
	}
	for i, x := range s.list[16:] { // they come one by one
		x.fault, x.from = "slow", w.now-21*minuteMs+int64(i)*minuteMs
	}
	s.run(w.now + hourMs)
	require.ElementsMatch(t, []string{"device_silent p0-2 +24h open", "site_silent p1 +24h open"}, summary(w.all()))
}

// TestNothingOfASource: many devices are missed soon, but not those that all
// send at the same second, nor a few.
func TestNothingOfASource(t *testing.T) {
	t.Parallel()
	p := &streets(t, "", "", 1).Rules.DeviceSilent
	for name, c := range map[string]struct {
		quick, slow int   // devices with a minute, with five
		mute        int64 // after so long, s
	}{
		"a city":        {119, 3000, 121},
		"all at once":   {0, 3000, 451},
		"a few quick":   {5, 0, 241},
		"too few":       {2, 0, 0},
		"most are slow": {2, 3000, 451},
	} {
		x := &outage{all: c.quick + c.slow, rate: float64(c.quick)/60 + float64(c.slow)/300}
		for i := range x.all {
			x.intervals = append(x.intervals, 60_000)
			if i >= c.quick {
				x.intervals[i] = 300_000
			}
		}
		x.quiet(p, (c.mute-1)*1000)
		require.False(t, x.mute, name)
		x.quiet(p, max(c.mute, 86_400*(1-min(c.mute, 1)))*1000)
		require.Equal(t, c.mute > 0, x.mute, name)
	}
}

// TestAStoredBacklogIsNotOfNow: a spot that kept a day of changes and boots
// while its link was down sends them at once.
func TestAStoredBacklogIsNotOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, streets(t, "", "", 1))
	s := newSpots(w, 3, 1)
	start := monday + dayMs + 9*hourMs
	s.run(start)
	w.apply()
	x := s.list[0]
	before := *w.f.gadgets.byID[x.id]
	busy := before.usual.Came
	for i := range int64(40) {
		x.seq++
		x.taken = !x.taken
		w.put(journal.Entry{Type: journal.TypeReading, Source: "mqtt", Reading: &city.Reading{
			Device: x.id, Kind: city.KindSpot, HasBoot: true, Boot: 2 + uint64(i/5), Seq: x.seq, At: w.now - 20*hourMs + i*20*minuteMs, Spot: &city.Spot{Occupied: x.taken},
		}})
	}
	w.apply()
	g := w.f.gadgets.byID[x.id]
	require.Equal(t, uint64(9), g.Boot)
	require.InDelta(t, before.Events, g.Events, 1e-9)
	require.InDelta(t, busy, g.usual.Came, 1e-6)
	w.until(w.now + tickMs)
	require.Empty(t, summary(w.all()))
}

// TestDevicesSurviveARestart: whatever the cuts, the same incidents.
func TestDevicesSurviveARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, streets(t, "", "", 2))
	s := newSpots(w, 9, 2)
	from := monday + 2*dayMs
	for i, fault := range []string{"dead", "flapping", "battery", "ahead", "gaps"} {
		s.list[i].fault, s.list[i].from = fault, from
	}
	s.run(from + dayMs)
	want := w.all()
	require.Greater(t, len(want), 4)
	dir := t.TempDir()
	for at := 0; at < len(w.entries); at += 997 {
		f, err := Open(t.Context(), dir+"/watch.db", w.f.o)
		require.NoError(t, err)
		require.NoError(t, f.Apply(w.entries[:min(at+997, len(w.entries))]))
		require.NoError(t, f.Flush())
		got, _, err := f.Incidents(t.Context(), Query{})
		require.NoError(t, err)
		if at+997 >= len(w.entries) {
			require.Equal(t, want, got)
		}
		require.NoError(t, f.Close())
	}
}

func TestLongestStay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"paling lama 3 jam": 3 * hourMs, "Paling lama 90 menit": 90 * minuteMs, "maksimal 2 jam": 2 * hourMs, "parkir paling lama 1 jam di hari kerja": hourMs,
		"truk saja": 0, "tinggi kendaraan paling tinggi 2,1 m": 0, "paling lama": 0, "paling lama x jam": 0, "": 0,
	} {
		got, ok := longestStay([]string{text})
		require.Equal(t, want, got, text)
		require.Equal(t, want > 0, ok, text)
	}
}
