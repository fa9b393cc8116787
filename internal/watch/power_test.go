package watch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// TestPowerLossLeavesWholeFlushes: no flush that returned is lost, none is there
// in part, and what was under way is caught up from the journal.
func TestPowerLossLeavesWholeFlushes(t *testing.T) {
	t.Parallel()
	w := story(t, 250)
	powercut.Flushes[journal.Entry]{
		File: "watch.db", Batches: powercut.InBatches(w.entries, 24), Durable: true,
		Open: func(tb testing.TB, path string) (powercut.Follower[journal.Entry], error) {
			tb.Helper()
			return Open(tb.Context(), path, w.f.o)
		},
		Answers: func(tb testing.TB, f powercut.Follower[journal.Entry]) any {
			tb.Helper()
			own, ok := f.(*Follower)
			require.True(tb, ok)
			list, _, err := own.Incidents(tb.Context(), Query{})
			require.NoError(tb, err)
			return list
		},
	}.Run(t, 1000)
}
