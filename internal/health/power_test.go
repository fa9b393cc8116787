package health_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// TestPowerLossLeavesWholeFlushes: the file may lose flushes, never parts of
// one, and what is lost is caught up from the journal.
func TestPowerLossLeavesWholeFlushes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "d,600", "e,60")
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 400 {
		boot, seq := r.Uint64N(3), uint64(i)
		at := begin + int64(seq*67+boot*31)%40*2*hour
		switch k := r.IntN(10); {
		case k < 6:
			w.sent(boot, seq, at)
		case k < 7:
			w.tally(0, aside(boot, seq, at, []city.Reason{city.ReasonImpossible, city.ReasonTooOld}[r.IntN(2)]))
		case k < 8:
			w.tally(2)
		default:
			w.tick(w.now + r.Int64N(30)*minute)
		}
	}
	powercut.Flushes[journal.Entry]{
		File: "health.db", Batches: powercut.InBatches(w.entries, 8),
		Open: func(tb testing.TB, path string) (powercut.Follower[journal.Entry], error) {
			tb.Helper()
			return health.Open(tb.Context(), path, health.Options{Timeline: w.timeline, Zone: zone})
		},
		Answers: func(tb testing.TB, f powercut.Follower[journal.Entry]) any {
			tb.Helper()
			h, ok := f.(*health.Follower)
			require.True(tb, ok)
			all := []any{h.Devices()}
			for at := begin - day; at < begin+6*day; at += day {
				c, err := h.Completeness(tb.Context(), "d", dateOf(at))
				require.NoError(tb, err)
				all = append(all, c)
			}
			return all
		},
	}.Run(t, 1200)
}
