// Package keys makes and reads the gateway's secret files. A key that is
// missing is made; keys belong to the backup.
package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Size is the length of a key in bytes.
const Size = 32

// Load reads the key at path.
func Load(path string) ([Size]byte, error) {
	var key [Size]byte
	data, err := os.ReadFile(path)
	switch {
	case err != nil:
		return key, fmt.Errorf("read key: %w", err)
	case len(data) != Size:
		return key, fmt.Errorf("key %s has %d bytes, not %d: put the right file back from the backup", path, len(data), Size)
	}
	copy(key[:], data)
	return key, nil
}

// LoadOrMake reads the key at path, or makes one of random bytes there (mode
// 0600, synced) where there is none. A file of another length is an error:
// it is never replaced.
func LoadOrMake(path string) ([Size]byte, error) {
	key, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := rand.Read(key[:]); err != nil {
		return key, fmt.Errorf("make key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return key, fmt.Errorf("make key: %w", err)
	}
	if err := WriteFile(path, key[:]); err != nil {
		return key, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

// WriteFile replaces the file at path whole or not at all: a new file of mode
// 0600, synced, then renamed over it, then the folder synced.
func WriteFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncDir(filepath.Dir(path))
}

// WriteNew makes the file at path whole or not at all, as WriteFile does; one
// that is there is never replaced, and is fs.ErrExist.
func WriteNew(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	return errors.Join(err, os.Remove(f.Name()), SyncDir(filepath.Dir(path)))
}

// SyncDir makes renames, new files and removals in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
