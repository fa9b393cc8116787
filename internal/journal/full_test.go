package journal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// TestARealFullDisk fills a small file system: appends fail as full, nothing
// is doubled or lost, and they go on by themselves when there is room, over
// the change of a day too.
func TestARealFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("needs the right to mount a file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{Zone: jakarta})
	require.NoError(t, err)
	defer j.Close()
	var want []journal.Entry
	for round, start := range []int64{day0, day0 + hour, day0 + 30*hour, day0 + 60*hour} {
		ballast := filepath.Join(dir, "ballast")
		fill(t, ballast)
		entries := batchOf(600, start)
		var failed error
		for range 3 {
			if _, failed = j.Append(t.Context(), entries); failed == nil {
				want = append(want, entries...) // there was room in the log
				entries = batchOf(600, start)
			}
		}
		require.Error(t, failed, "round %d", round)
		require.True(t, sqlite.IsFull(failed), "round %d: %v", round, failed)
		require.NoError(t, os.Remove(ballast))
		_, err := j.Append(t.Context(), entries)
		require.NoError(t, err, "round %d", round)
		want = append(want, entries...)
	}
	var got []journal.Entry
	for _, e := range everything(t, j) {
		if e.Type != journal.TypeDay {
			got = append(got, e)
		}
	}
	require.Equal(t, want, got)
	require.NoError(t, j.Verify(t.Context(), nil))
}

// fill writes until the file system has no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	for size := 1 << 16; size > 0; size >>= 1 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NoError(t, f.Close())
}
