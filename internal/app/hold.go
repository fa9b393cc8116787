package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The hold keeps the days of journal and archive as they are while a backup
// copies them. A backup is another process: the hold is a lock on the
// journal's folder, shared by backups, which the kernel takes back from a
// process that dies.

// errHeld says that somebody else has the hold.
var errHeld = errors.New("held")

func takeHold(dataDir string, how int) (release func(), err error) {
	dir, err := os.Open(filepath.Join(dataDir, "journal"))
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(dir.Fd()), how|unix.LOCK_NB); err != nil {
		_ = dir.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errHeld
		}
		return nil, fmt.Errorf("lock %s: %w", dir.Name(), err)
	}
	return func() { _ = dir.Close() }, nil
}

// holdToChange is for who archives, retires and removes days; errHeld while a
// backup runs.
func holdToChange(dataDir string) (release func(), err error) {
	return takeHold(dataDir, unix.LOCK_EX)
}

// holdToCopy is for backups. It waits until the gateway has put away the day
// that it is at, which takes seconds.
func holdToCopy(ctx context.Context, dataDir string, patience time.Duration) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		release, err := takeHold(dataDir, unix.LOCK_SH)
		if !errors.Is(err, errHeld) {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the gateway has been putting days away for over %s: look at its log, and try again", patience)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
