package broker

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrInvalid says that an id or a filter cannot be what was asked for.
var ErrInvalid = errors.New("not valid")

// Issued is a credential that was just made; Secret is kept nowhere else.
type Issued struct {
	Device string
	Secret string
}

// Issue makes a new secret for each device and writes the hashes into the
// credentials file at path, which is made where it is missing. A device that
// is there keeps its filters, its old secret ends; all other lines stay as they
// are. The file is replaced atomically, fsynced, mode 0600; two calls at once
// wait for each other. A running broker takes it up within seconds.
func Issue(path string, devices ...string) ([]Issued, error) {
	for _, device := range devices {
		if !validDevice(device) {
			return nil, fmt.Errorf("%w: %q cannot be a device id: it is 1 to %d bytes without blanks and none of / + # : ,", ErrInvalid, device, maxDevice)
		}
	}
	unlock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	issued := make([]Issued, 0, len(devices))
	err = editFile(path, func(lines []string) []string {
		for _, device := range devices {
			secret := NewSecret()
			issued = append(issued, Issued{Device: device, Secret: secret})
			lines = replaceLine(lines, device, HashSecret(secret))
		}
		return lines
	})
	if err != nil {
		return nil, err
	}
	return issued, nil
}

// Revoke removes devices from the credentials file at path, written as Issue
// does. It returns those that were in it.
func Revoke(path string, devices ...string) (removed []string, err error) {
	unlock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	err = editFile(path, func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool {
			device, _, found := strings.Cut(strings.TrimSpace(line), ":")
			gone := found && slices.Contains(devices, device)
			if gone {
				removed = append(removed, device)
			}
			return gone
		})
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

func replaceLine(lines []string, device, hash string) []string {
	for i, line := range lines {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if parts[0] != device || len(parts) < 2 {
			continue
		}
		parts[1] = hash
		lines[i] = strings.Join(parts, ":")
		return lines
	}
	return append(lines, device+":"+hash)
}

func editFile(path string, edit func(lines []string) []string) error {
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the credentials: %w", err)
	}
	var lines []string
	if text := strings.TrimRight(string(data), "\n"); text != "" {
		lines = strings.Split(text, "\n")
	}
	var out bytes.Buffer
	for _, line := range edit(lines) {
		out.WriteString(strings.TrimRight(line, "\r"))
		out.WriteByte('\n')
	}
	return replaceFile(path, out.Bytes())
}

// replaceFile puts data in place of path in one step that survives power loss.
func replaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the credentials: %w", err)
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
			err = fmt.Errorf("write the credentials: %w", err)
		}
	}()
	keepOwner(temp, path)
	if _, err = temp.Write(data); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// keepOwner gives temp the owner of what it replaces (of the folder, where
// there is nothing yet), so that a gateway under its own user can still read
// what root wrote. Only root can; for others the owner is right already.
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

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// lockFile holds an advisory lock beside path until unlock is called.
func lockFile(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the credentials: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the credentials: %w", err)
	}
	for {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("lock the credentials: %w", err)
	}
	return func() { _ = lock.Close() }, nil
}
