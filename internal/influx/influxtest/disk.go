package influxtest

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// OnDisk starts a server on a disk of its own that holds so much ("48m"). A test
// that may not mount one is skipped.
func OnDisk(tb testing.TB, size string) (s *Server, disk string) {
	tb.Helper()
	disk = tb.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size="+size); err != nil {
		if errors.Is(err, unix.EPERM) {
			tb.Skip("a disk of its own needs the right to mount one")
		}
		require.NoError(tb, err)
	}
	tb.Cleanup(func() { require.NoError(tb, unix.Unmount(disk, unix.MNT_DETACH)) })
	s, err := New(tb.Context(), disk)
	require.NoError(tb, err)
	s.Again(tb)
	tb.Cleanup(func() { s.Stop(syscall.SIGKILL) })
	return s, disk
}

// Again starts a server that was made or stopped.
func (s *Server) Again(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 2*time.Minute)
	defer cancel()
	require.NoError(tb, s.Start(ctx))
}

// Fill writes a file until the disk is full, and tells its path.
func Fill(tb testing.TB, path string) {
	tb.Helper()
	f, err := os.Create(path)
	require.NoError(tb, err)
	block := make([]byte, 64<<10)
	for {
		if _, err = f.Write(block); err != nil {
			break
		}
	}
	require.ErrorIs(tb, err, unix.ENOSPC)
	require.NoError(tb, f.Close())
}
