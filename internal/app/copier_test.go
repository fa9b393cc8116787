package app

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/backup"
	"github.com/simpang-id/simpang/internal/journal"
)

// TestAJournalIsCopiedWholeWhileDaysBegin: midnight during a backup, again and
// again.
func TestAJournalIsCopiedWholeWhileDaysBegin(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{Zone: time.UTC})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close()) }()
	recv := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	tick := func() {
		recv = recv.Add(9 * time.Hour)
		_, err := j.Append(t.Context(), []journal.Entry{{Type: journal.TypeTick, Recv: recv.UnixMilli()}})
		require.NoError(t, err)
	}
	tick()
	stop := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				tick()
			}
		}
	})
	defer ticking.Wait()
	defer close(stop)
	for range 8 {
		to := filepath.Join(t.TempDir(), "b")
		w, err := backup.Create(to)
		require.NoError(t, err)
		before := j.Head()
		c := &copier{w: w, dir: dir}
		c.journal(t.Context())
		require.NoError(t, c.err)
		copied, err := journal.Open(t.Context(), w.Path("data/journal"), journal.Options{Zone: time.UTC, ReadOnly: true})
		require.NoError(t, err)
		require.GreaterOrEqual(t, copied.Head(), before)
		require.NoError(t, copied.Verify(t.Context(), nil))
		require.NoError(t, copied.Close())
		require.NoError(t, os.RemoveAll(to))
	}
}
