package occupancy_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// variants are the versions between which the property test changes.
func variants() (files []map[string][]byte, models []modelVersion) {
	variant := func(spots, gates, counts, reset int64, devices map[string]map[string]int64, rows ...string) {
		files = append(files, folder(map[string]siteFile{
			"s": {"detection": "spots", "capacity": map[string]int64{"car": spots}},
			"g": {"detection": "gates", "capacity": map[string]int64{"car": gates, "motorcycle": gates}, "shared": []string{"car", "motorcycle"}, "reset_at": fmt.Sprintf("00:%02d", reset)},
			"c": {"detection": "count", "capacity": map[string]int64{"car": counts}},
		}, rows...))
		models = append(models, modelVersion{reset: reset, capacity: map[string]int64{"s": spots, "g": gates, "c": counts}, interval: devices})
	}
	variant(4, 6, 20, 25, map[string]map[string]int64{"s": {"s1": 120, "s2": 200, "s3": 60}, "c": {"c1": 150, "c2": 60}},
		"s1,spot,s,1,car,120,", "s2,spot,s,2,car,200,", "s3,spot,s,3,car,60,", "in,gate,g,,,60,", "out,gate,g,,,60,", "c1,count,c,,car,150,", "c2,count,c,,car,60,")
	variant(2, 3, 30, 50, map[string]map[string]int64{"s": {"s1": 60, "s3": 60}, "c": {"c1": 150, "c2": 300}},
		"s1,spot,s,1,car,60,", "s3,spot,s,3,car,60,", "in,gate,g,,,60,", "out,gate,g,,,60,", "c1,count,c,,car,150,", "c2,count,c,,car,300,")
	return files, models
}

// TestAgainstModel feeds random readings, many of them late, with crashes and
// flushes anywhere, and compares every answer with the slow model's.
func TestAgainstModel(t *testing.T) {
	files, models := variants()
	parsed := []*inventory.Version{parse(t, files[0]), parse(t, files[1])}
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, files[0], func(o *occupancy.Options) { o.ChunkSize = rapid.IntRange(2, 6).Draw(rt, "chunk") })
		defer func() { require.NoError(rt, w.f.Close()) }()
		m := &model{seen: map[string][]modelObs{}}
		models[0].from = begin
		m.accept(models[0])
		turn := 0
		see := func(device string, o modelObs) {
			if site := m.home(device, o.at); site != "" {
				m.seen[site+"/"+device] = append(m.seen[site+"/"+device], o)
			}
		}
		when := rapid.Custom(func(t *rapid.T) int64 {
			back := rapid.SampledFrom([]int64{30 * second, 2 * minute, 10 * minute, 60 * minute}).Draw(t, "back")
			at := w.now + 90*second - rapid.Int64Range(0, back+90*second).Draw(t, "at")
			return at - at%(10*second)
		})
		actions := map[string]func(*rapid.T){
			"spot": func(t *rapid.T) {
				device, at := rapid.SampledFrom([]string{"s1", "s2", "s3"}).Draw(t, "device"), when.Draw(t, "when")
				occupied, dwell := rapid.Bool().Draw(t, "occupied"), rapid.SampledFrom([]int64{-1, -1, 50, 400}).Draw(t, "dwell")
				if dwell < 0 {
					w.spot(device, at, occupied)
				} else {
					w.spot(device, at, occupied, dwell)
				}
				v := int64(0)
				if occupied {
					v = 1
				}
				see(device, modelObs{at: at, v: v, dwell: dwell})
			},
			"gate": func(t *rapid.T) {
				class, at := rapid.SampledFrom([]city.Class{city.Car, city.Motorcycle}).Draw(t, "class"), when.Draw(t, "when")
				n := rapid.IntRange(-2, 2).Draw(t, "n")
				w.gate(rapid.SampledFrom([]string{"in", "out"}).Draw(t, "device"), at, class, n)
				m.seen["g/"] = append(m.seen["g/"], modelObs{at: at, v: int64(n), class: class})
			},
			"count": func(t *rapid.T) {
				device, at, n := rapid.SampledFrom([]string{"c1", "c2"}).Draw(t, "device"), when.Draw(t, "when"), rapid.Int64Range(0, 15).Draw(t, "n")
				w.counted(device, at, uint32(n))
				see(device, modelObs{at: at, v: n, dwell: -1})
			},
			"tick": func(t *rapid.T) {
				w.tick(w.now + rapid.SampledFrom([]int64{minute, minute, 4 * minute, 20 * minute}).Draw(t, "forward"))
				m.clock = max(m.clock, w.now)
			},
			"apply": func(*rapid.T) { w.apply() },
			"flush": func(*rapid.T) { w.flush() },
			"crash": func(*rapid.T) { w.reopen() },
			"version": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "seldom") > 0 {
					t.Skip()
				}
				w.now += second // two versions are never accepted at once
				turn = 1 - turn
				w.timeline.Accept(w.pos+1, w.now, parsed[turn])
				w.put(journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: parsed[turn].Hash}})
				v := models[turn]
				v.from = w.now
				m.accept(v)
			},
			"smaller": func(t *rapid.T) {
				l := modelLost{site: rapid.SampledFrom([]string{"s", "g", "c"}).Draw(t, "site"), places: rapid.Int64Range(1, 3).Draw(t, "places")}
				l.from = when.Draw(t, "from")
				l.to = l.from + rapid.Int64Range(1, 30).Draw(t, "minutes")*minute
				m.lost = append(m.lost, l)
				w.put(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{
					ID: strconv.Itoa(len(m.lost)), Site: l.site, From: l.from, Until: l.to, Reason: "works", PlacesLost: city.SomeInt(l.places),
				}})
				m.clock = max(m.clock, w.now)
			},
			"compare": func(t *rapid.T) { compare(t, w, m) },
		}
		rt.Repeat(actions)
		compare(rt, w, m)
		w.flush()
		compare(rt, w, m)
		stays, err := w.f.Stays(w.t.Context(), "s", 0, w.now+hour, 10_000)
		require.NoError(rt, err)
		require.Equal(rt, m.stays("s"), stays)
		lulls, err := w.f.Lulls(w.t.Context(), "s", 0, w.now+hour)
		require.NoError(rt, err)
		require.Equal(rt, m.lulls("s"), lulls)
	})
}

// compare asks both for the present and for all of the past.
func compare(t *rapid.T, w *world, m *model) {
	for _, site := range []string{"s", "g", "c"} {
		state := w.site(site)
		free, occ, ok := m.now(site)
		c := state.Classes[0]
		capacity := m.capacity(site, m.clock)
		require.Equal(t, int(capacity), c.Capacity, site)
		if !ok {
			require.False(t, c.Free.OK || c.Occupied.OK, site)
			require.Equal(t, c.Capacity, c.Unknown, site)
			require.Equal(t, occupancy.StateUnknown, c.State, site)
		} else {
			require.Equal(t, city.SomeInt(free), c.Free, site)
			require.Equal(t, city.SomeInt(occ), c.Occupied, site)
			require.Equal(t, max(0, int(capacity-free-occ)), c.Unknown, site)
		}
		from, to := begin-2*hour, w.now-w.now%(5*minute)+10*minute
		points := w.history(site, city.Car, from, to, 5*minute)
		for i := range points {
			points[i].Drift = city.Int{}
		}
		require.Equal(t, m.history(site, from, to), points, site)
	}
}

// now is what is known at the clock by all observations, also those of devices
// whose clocks are ahead.
func (m *model) now(site string) (free, occ int64, ok bool) {
	late := *m
	late.seen = map[string][]modelObs{}
	for _, d := range append(m.devices(site), "") {
		key := site + "/" + d
		current := false
		if _, has := m.versions[len(m.versions)-1].interval[site][d]; has || site == "g" {
			current = true
		}
		list := m.sorted(key)
		if len(list) == 0 || !current {
			continue
		}
		if site != "g" { // the last one, as if it had just come
			o := list[len(list)-1]
			until := m.until(site, d, o)
			if o.at > m.clock && until > m.clock {
				o.at = m.clock
			}
			list = []modelObs{o}
		}
		late.seen[key] = list
	}
	if site != "g" {
		return late.at(site, m.clock)
	}
	t := m.clock
	if list := late.seen["g/"]; len(list) > 0 {
		t = max(t, list[len(list)-1].at)
	}
	occ, _ = m.gate(t)
	_, ok = m.gate(m.clock)
	if list := late.seen["g/"]; len(list) > 0 && list[len(list)-1].at > m.clock {
		ok = true
	}
	return max(0, m.capacity(site, m.clock)-occ), occ, ok
}
