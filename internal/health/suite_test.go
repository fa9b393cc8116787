package health_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/journal/followertest"
)

// TestSuite: three days of a device that speaks out of order, with readings
// set aside, duplicates and a change of the inventory.
func TestSuite(t *testing.T) {
	w := newWorld(t, "d,600", "e,")
	chance := rand.New(rand.NewPCG(3, 3))
	for seq := range uint64(240) {
		boot, at := seq/80, w.now-chance.Int64N(20)*hour/4
		switch chance.IntN(12) {
		case 0:
			w.tally(uint32(chance.IntN(3)), aside(boot, seq, at, city.ReasonImpossible), journal.Quarantined{Reason: city.ReasonImpossible})
		case 1: // lost
		case 2:
			w.reading(city.Reading{Seq: seq, At: at, Kind: city.KindHealth, Health: &city.Health{Firmware: "2", Errors: []string{"e1"}}}, journal.FlagNewRun)
		default:
			w.sent(boot, seq, at)
		}
		if seq == 150 {
			w.accept(version(t, "d,3600", "f,60"))
		}
		w.tick(w.now + chance.Int64N(40)*minute)
	}
	questions := map[string]followertest.Question[*health.Follower]{
		"devices": {Ask: func(_ context.Context, f *health.Follower) (any, error) { return f.Devices(), nil }},
		"device": {Ask: func(_ context.Context, f *health.Follower) (any, error) {
			state, ok := f.Device("d")
			return []any{state, ok}, nil
		}},
	}
	for at := begin; at < w.now; at += day {
		date := dateOf(at)
		questions["completeness of "+date] = followertest.Question[*health.Follower]{Ask: func(ctx context.Context, f *health.Follower) (any, error) {
			return f.Completeness(ctx, "d", date)
		}}
	}
	followertest.Suite(t, followertest.Subject[*health.Follower]{
		File: "health.db", Entries: w.entries, Questions: questions,
		Open: func(tb testing.TB, dir string) *health.Follower {
			tb.Helper()
			f, err := health.Open(tb.Context(), filepath.Join(dir, "health.db"), health.Options{Timeline: w.timeline, Zone: zone})
			require.NoError(tb, err)
			return f
		},
	})
}
