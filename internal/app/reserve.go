package app

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reserve is room on the disk that is given up when there is no other: to let
// go of a day, it must first be written down that it goes.
type reserve struct {
	path string
	most int64 // bytes
}

const (
	reserveFile  = "reserve"
	mostReserve  = 16 << 20
	reserveShare = 100 // a disk's hundredth at most
)

// fill takes the room again where the disk has four times as much.
func (r reserve) fill() error {
	var disk unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(r.path), &disk); err != nil {
		return err
	}
	block := uint64(disk.Bsize)
	size := int64(min(uint64(r.most), disk.Blocks*block/reserveShare))
	if size == 0 || disk.Bavail*block < 4*uint64(size) {
		return nil
	}
	if have, err := os.Stat(r.path); err == nil && have.Size() > 0 {
		return nil
	}
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// Where a file system cannot promise room there is none in reserve.
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		return errors.Join(f.Close(), os.Remove(r.path))
	}
	return f.Close()
}

// release gives the room up; false where there was none.
func (r reserve) release() bool { return os.Remove(r.path) == nil }
