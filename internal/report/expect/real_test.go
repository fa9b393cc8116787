package expect_test

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report/expect"
)

// realSensors is the follower as the gateway asks it.
type realSensors struct{ *occupancy.Follower }

func (s realSensors) History(ctx context.Context, site string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error) {
	return s.Follower.History(ctx, site, class, from, to, step.Milliseconds())
}

// TestTheIntervalOnRealOccupancy sends what a town's sensors say through the
// real follower: a word at each change and every ten minutes, and nothing while
// they are dead. A sensor that died is believed for a quarter of an hour.
func TestTheIntervalOnRealOccupancy(t *testing.T) {
	if underRace {
		t.Skip("one goroutine computes: run without -race")
	}
	const first, until = 28, 56
	v := townVersion(t)
	var all tally
	for i, kind := range []blindness{deadSpots, siteOutages, everything} {
		w := newTown(t, v, uint64(90+i), kind)
		site := []string{"flat", "hourly"}[i%2]
		sensors := w.follow(t, v, site, until+1, speech{interval: func(int) int64 { return 10 * minute }})
		e := expect.New(sensors, zone)
		var y tally
		for day := first; day < until; day++ {
			q := w.question(day)
			q.Now = w.begin(until + 1)
			a, err := e.Day(t.Context(), q)
			require.NoError(t, err)
			require.True(t, a.Known, "%v day %d: %s", kind, day, a.Why)
			if a.Coverage < 0.995 {
				y.add(a, w.truth[day])
				all.add(a, w.truth[day])
			} else {
				require.InEpsilon(t, w.truth[day], float64(a.Expected.Mid), 0.02)
			}
		}
		t.Logf("%-12s %v", kind, &y)
	}
	t.Logf("%-12s %v", "all", &all)
	require.Greater(t, all.days, 50)
	require.GreaterOrEqual(t, all.share(), 0.78, "85 % less three standard deviations of so few days")
	require.InDelta(t, 0, all.bias/float64(all.days), 0.05)
}

// speech is how sensors speak: each interval (ms), at each change or not, with
// how long the state before lasted or without.
type speech struct {
	interval func(place int) int64
	samples  bool
	dwell    bool
}

// follow lets the real follower read some days of a town.
func (w *town) follow(t *testing.T, v *inventory.Version, site string, days int, how speech) realSensors {
	t.Helper()
	timeline := &inventory.Timeline{}
	timeline.Accept(1, w.begin(0)-hour, v)
	f, err := occupancy.Open(t.Context(), filepath.Join(t.TempDir(), "occupancy.db"), occupancy.Options{Timeline: timeline, Zone: zone, ObservationDays: 400})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	entries := []journal.Entry{{Pos: 1, Recv: w.begin(0) - hour, Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}}}
	pos := uint64(1)
	of := make([][]stay, len(w.places))
	for _, s := range w.stays {
		of[s.place] = append(of[s.place], s)
	}
	occupied, next, since := make([]bool, len(w.places)), make([]int, len(w.places)), make([]int64, len(w.places))
	type word struct {
		at    int64
		place int
		spot  city.Spot
	}
	for day := range days {
		var words []word
		for p := range w.places {
			say := func(at int64, dwell city.Int) {
				if !blindAt(w.places[p].blind, at) {
					words = append(words, word{at, p, city.Spot{Occupied: occupied[p], DwellS: dwell}})
				}
			}
			beat := w.begin(day) + int64(p)*how.interval(p)/int64(len(w.places)) // each at a time of its own
			for beat < w.begin(day+1) {
				change := int64(1) << 62
				if next[p] < len(of[p]) {
					change = of[p][next[p]].from
					if occupied[p] {
						change = of[p][next[p]].until
					}
				}
				if change > beat {
					say(beat, city.Int{})
					beat += how.interval(p)
					continue
				}
				if occupied[p] = !occupied[p]; !occupied[p] {
					next[p]++
				}
				var dwell city.Int
				if how.dwell && since[p] > 0 {
					dwell = city.SomeInt((change - since[p]) / 1000)
				}
				if since[p] = change; !how.samples {
					say(change, dwell)
				}
			}
		}
		slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(a.at, b.at) })
		for i := range words {
			x := &words[i]
			pos++
			entries = append(entries, journal.Entry{Pos: pos, Recv: x.at, Type: journal.TypeReading, Reading: &city.Reading{
				Device: fmt.Sprintf("%s-%02d", site, x.place), Kind: city.KindSpot, Seq: pos, At: x.at, Spot: &x.spot,
			}})
		}
		pos++
		entries = append(entries, journal.Entry{Pos: pos, Recv: w.begin(day + 1), Type: journal.TypeTick})
		require.NoError(t, f.Apply(entries))
		entries = entries[:0:0]
	}
	require.NoError(t, f.Flush())
	return realSensors{f}
}
