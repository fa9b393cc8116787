package occupancy_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// drawDay makes some hours of a journal: late readings, two versions of the
// inventory, closures.
func drawDay(t *testing.T, r *rand.Rand, n int) *world {
	t.Helper()
	files, _ := variants()
	w := newWorld(t, files[0], func(o *occupancy.Options) { o.ChunkSize = 4 })
	parsed := []*inventory.Version{parse(t, files[0]), parse(t, files[1])}
	for i := range n {
		at := w.now + 90*second - r.Int64N([]int64{3 * minute, 10 * minute, 40 * minute}[r.IntN(3)])
		switch k := r.IntN(12); {
		case k < 5:
			w.spot("s"+strconv.Itoa(1+r.IntN(3)), at, r.IntN(2) == 0)
		case k < 7:
			w.gate([]string{"in", "out"}[r.IntN(2)], at, []city.Class{city.Car, city.Motorcycle}[r.IntN(2)], r.IntN(5)-2)
		case k < 9:
			w.counted("c"+strconv.Itoa(1+r.IntN(2)), at, r.Uint32N(15))
		case k < 11:
			w.tick(w.now + (1+r.Int64N(9))*minute)
		case r.IntN(3) == 0:
			w.now += second
			v := parsed[i%2]
			w.timeline.Accept(w.pos+1, w.now, v)
			w.put(journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}})
		default:
			w.put(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{
				ID: strconv.Itoa(i), Site: []string{"s", "g", "c"}[r.IntN(3)], From: at, Until: at + 20*minute, Reason: "works", PlacesLost: city.SomeInt(1 + r.Int64N(2)),
			}})
		}
	}
	return w
}

// TestPowerLossLeavesWholeFlushes: the file may lose flushes, never parts of
// one, and what is lost is caught up from the journal.
func TestPowerLossLeavesWholeFlushes(t *testing.T) {
	t.Parallel()
	w := drawDay(t, rand.New(rand.NewPCG(1, 2)), 400)
	powercut.Flushes[journal.Entry]{
		File: "occupancy.db", Batches: powercut.InBatches(w.entries, 9),
		Open: func(tb testing.TB, path string) (powercut.Follower[journal.Entry], error) {
			tb.Helper()
			return occupancy.Open(tb.Context(), path, w.options)
		},
		Answers: func(tb testing.TB, f powercut.Follower[journal.Entry]) any {
			tb.Helper()
			o, ok := f.(*occupancy.Follower)
			require.True(tb, ok)
			var all []any
			for _, s := range o.Sites() {
				s.Rev = 0
				all = append(all, s)
			}
			for _, site := range []string{"s", "g", "c"} {
				points, err := o.History(tb.Context(), site, city.Car, begin-2*hour, w.now-w.now%(5*minute), 5*minute)
				require.NoError(tb, err)
				all = append(all, points)
			}
			stays, err := o.Stays(tb.Context(), "s", 0, w.now+hour, 10_000)
			require.NoError(tb, err)
			return append(all, stays)
		},
	}.Run(t, 1200)
}
