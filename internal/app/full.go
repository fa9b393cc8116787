package app

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// diskFull begins what is said while the disk has no room.
const diskFull = "disk full"

// noRoom tells whether err says that the disk of a folder has no room. SQLite
// has other words for it where it cannot make the files beside its own: then
// the disk itself is asked.
func noRoom(err error, dir string) bool {
	return sqlite.IsFull(err) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || sqlite.IsIO(err) && isFull(dir)
}

// leastRoom is the room without which SQLite can open nothing, bytes.
const leastRoom = 64 << 10

func isFull(dir string) bool {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return false
	}
	return s.Blocks > 0 && s.Bavail*uint64(s.Bsize) < leastRoom
}

// notStarted says which step of the start failed, and what to do where the
// disk is full.
func (g *gateway) notStarted(step string, err error) error {
	if noRoom(err, g.cfg.DataDir) {
		return fmt.Errorf("%s: make room on the disk of %s and start again; %s: %w", diskFull, g.cfg.DataDir, step, err)
	}
	return fmt.Errorf("%s: %w", step, err)
}
