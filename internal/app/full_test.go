package app_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/app"
)

// smallDisk mounts a small file system as the gateway's data_dir.
func smallDisk(t *testing.T, dir string) (data string) {
	t.Helper()
	data = filepath.Join(dir, "data")
	require.NoError(t, os.Mkdir(data, 0o700))
	if err := unix.Mount("tmpfs", data, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("needs the right to mount a file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(data, unix.MNT_DETACH)) })
	return data
}

// fill writes until the file system has no room.
func fill(t *testing.T, dir string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	f, err := os.Create(ballast)
	require.NoError(t, err)
	for size := 1 << 16; size > 0; size >>= 1 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NoError(t, f.Close())
	return ballast
}

// A start on a full disk names the disk and what to do, wherever it failed.
func TestAStartOnAFullDiskNamesTheDisk(t *testing.T) {
	dir := newDir(t)
	data := smallDisk(t, dir)
	begin := func() error {
		return app.Run(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler)})
	}
	ballast := fill(t, data)
	err := begin()
	require.ErrorContains(t, err, "disk full: make room on the disk of "+data)

	require.NoError(t, os.Remove(ballast))
	r := start(t, dir)
	r.publish("d1", reading(1, true))
	require.NoError(t, r.stop())
	writeFiles(t, dir, map[string]string{"inventory/devices.csv": devices + "d3,spot,s1,3,60\n"})
	fill(t, data)
	err = begin()
	require.ErrorContains(t, err, "disk full: make room on the disk of "+data)
}
