package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Replace puts data in place of the file at path whole or not at all, as
// WriteFile does. The file keeps its owner, or has that of its folder, so that
// a program under its own user can still read what root wrote. Its mode is 0600
// and those bits of extra that the file had before: 0o040 keeps a group's right
// to read.
func Replace(path string, data []byte, extra fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	keepOwner(temp, path)
	if info, serr := os.Stat(path); serr == nil && info.Mode()&extra != 0 {
		err = temp.Chmod(0o600 | info.Mode()&extra)
	}
	if err == nil {
		_, err = temp.Write(data)
	}
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}

// keepOwner gives temp the owner of what it replaces. Only root can; for others
// the owner is right already.
func keepOwner(temp *os.File, path string) {
	info, err := os.Stat(path)
	if err != nil {
		info, err = os.Stat(filepath.Dir(path))
	}
	if err != nil {
		return
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = temp.Chown(int(stat.Uid), int(stat.Gid))
	}
}

// Lock holds an advisory lock beside path until unlock is called; its folder is
// made where it is missing.
func Lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of %s: %w", path, err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	for {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = lock.Close() }, nil
}
