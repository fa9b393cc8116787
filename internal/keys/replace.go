package keys

import (
	"errors"
	"fmt"
	"io"
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
// to read. What is there and is no regular file is ErrIrregular.
func Replace(path string, data []byte, extra fs.FileMode) (err error) {
	before, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		before = nil
	case err != nil:
		return err
	case !before.Mode().IsRegular():
		return irregular(path)
	}
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
	keepOwner(temp, before, dir)
	if before != nil && before.Mode()&extra != 0 {
		err = temp.Chmod(0o600 | before.Mode()&extra)
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

// ErrIrregular says that a link or another thing stands where a file should,
// which whoever may write the folder could have put there to have the file of
// someone else read, or written, by root.
var ErrIrregular = errors.New("is a symbolic link or another thing that is no regular file: move it away, and name the file itself")

func irregular(path string) error { return fmt.Errorf("%s %w", path, ErrIrregular) }

// Read reads the file at path; what is there and is no regular file is
// ErrIrregular.
func Read(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, irregular(path)
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, irregular(path)
	}
	return io.ReadAll(file)
}

// keepOwner gives temp the owner of what it replaces, else of the folder. Only
// root can; for others the owner is right already.
func keepOwner(temp *os.File, before fs.FileInfo, dir string) {
	if before == nil {
		var err error
		if before, err = os.Stat(dir); err != nil {
			return
		}
	}
	if stat, ok := before.Sys().(*syscall.Stat_t); ok {
		_ = temp.Chown(int(stat.Uid), int(stat.Gid))
	}
}

// Lock holds an advisory lock beside path until unlock is called; its folder is
// made where it is missing. A link in the lock's place is ErrIrregular.
func Lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of %s: %w", path, err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, unix.ELOOP) {
		err = irregular(path + ".lock")
	}
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
