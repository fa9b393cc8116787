package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Store keeps the files of every accepted version by their hash, so that the
// journal can name a version and any later run can read it again. It never
// deletes. Its methods may be called from any goroutine.
type Store struct{ dir string }

// OpenStore opens the store in a folder and makes the folder where it lacks.
func OpenStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("inventory store: %w", err)
	}
	return &Store{dir}, nil
}

// Save keeps the version's files. When it returns nil they are on disk
// (fsync) and whole.
func (s *Store) Save(v *Version) error {
	made := false
	for _, h := range v.FileHashes() {
		if _, err := s.read(h); err == nil {
			continue // there, and whole
		}
		if err := writeFile(s.path(h.SHA256), v.Files[h.Name]); err != nil {
			return fmt.Errorf("inventory store: keep %s: %w", h.Name, err)
		}
		made = true
	}
	if !made {
		return nil
	}
	if err := syncDir(s.dir); err != nil {
		return fmt.Errorf("inventory store: %w", err)
	}
	return nil
}

// Load reads the version with these files and checks their hashes. What was
// accepted once is accepted again: where a newer program finds faults in an
// old version, that version is returned as far as it could be read.
func (s *Store) Load(files []NamedHash, zone *time.Location) (*Version, error) {
	content := make(map[string][]byte, len(files))
	for _, h := range files {
		data, err := s.read(h)
		if err != nil {
			return nil, err
		}
		content[h.Name] = data
	}
	v, _ := parse(content, zone)
	return v, nil
}

// Check reads every file of a version and compares its hash.
func (s *Store) Check(files []NamedHash) error {
	for _, h := range files {
		if _, err := s.read(h); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) path(sum string) string { return filepath.Join(s.dir, filepath.Base(sum)) }

func (s *Store) read(h NamedHash) ([]byte, error) {
	if len(h.SHA256) != 2*sha256.Size {
		return nil, fmt.Errorf("inventory store: %s has no SHA-256 but %q", h.Name, short(h.SHA256))
	}
	data, err := os.ReadFile(s.path(h.SHA256))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("inventory store: %s with hash %s is not kept in %s, restore it from a backup: %w", h.Name, h.SHA256, s.dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("inventory store: %w", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != h.SHA256 {
		return nil, fmt.Errorf("inventory store: %s is damaged: %s has another hash than its name, restore it from a backup", h.Name, s.path(h.SHA256))
	}
	return data, nil
}

// writeFile writes through a temporary file, so that a file is whole or absent.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
