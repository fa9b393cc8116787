package occupancy

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// Until a follower that panicked is replaced it goes on answering.
func TestAFlushThatPanicsHoldsNobodyUp(t *testing.T) {
	f, err := Open(t.Context(), filepath.Join(t.TempDir(), "occupancy.db"), Options{Timeline: &inventory.Timeline{}, Zone: time.UTC})
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	require.NoError(t, f.Apply([]journal.Entry{{Pos: 1, Type: journal.TypeTick, Recv: 1_790_000_000_000}}))
	f.spaces = append(f.spaces, nil)
	require.Panics(t, func() { _ = f.Flush() })
	require.True(t, f.mu.TryLock(), "nobody waits for good")
	f.mu.Unlock()
}
