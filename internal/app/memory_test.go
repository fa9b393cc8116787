package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheHeapGrowsByWhatIsThereUpToABound(t *testing.T) {
	for used, want := range map[uint64]int{0: 100, 4 << 20: 100, 32 << 20: 100, 64 << 20: 50, 128 << 20: 25, 2 << 30: 15} {
		require.Equal(t, want, percentOf(used, 32<<20), "%d bytes", used)
	}
}

func TestTheRoomIsWhatIsAllocatedBetweenCollections(t *testing.T) {
	for rate, want := range map[uint64]uint64{0: 12 << 20, 10 << 20: 12 << 20, 40 << 20: 20 << 20, 64 << 20: 32 << 20, 1 << 30: 32 << 20} {
		require.Equal(t, want, roomFor(rate), "%d bytes a second", rate)
	}
}

func TestTheLimitOfTheContainer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.max")
	require.Zero(t, cgroupLimit(path))
	for text, want := range map[string]int64{"max\n": 0, "536870912\n": 512 << 20, "": 0} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.Equal(t, want, cgroupLimit(path))
	}
}

func TestThePaceIsTakenBackAtTheEnd(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	t.Setenv("GOGC", "")
	var undo stack
	require.NoError(t, (&gateway{}).paceMemory(t.Context(), &undo))
	require.NoError(t, undo.unwind(slog.New(slog.DiscardHandler)))
	require.Equal(t, 77, debug.SetGCPercent(77))
	t.Setenv("GOGC", "50")
	require.NoError(t, (&gateway{}).paceMemory(t.Context(), &undo))
	require.Equal(t, 77, debug.SetGCPercent(77), "the variable wins")
}
