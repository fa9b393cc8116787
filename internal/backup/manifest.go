// Package backup keeps files as a set that is either whole or refused: a
// manifest with the hash of each is written last, and whoever brings the set
// back compares every byte with it. It knows nothing of what the files are.
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/simpang-id/simpang/internal/keys"
)

// ManifestName is the file that makes a folder a backup; it is written last.
const ManifestName = "MANIFEST.json"

// format is the version of the manifest and of what lies where.
const format = 1

// Manifest is what a backup says of itself.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of the program that made it
	City    string    `json:"city"`    // its id
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	Head    uint64    `json:"head"`           // position of the journal up to which everything is there
	Note    string    `json:"note,omitempty"` // for a person
	Files   []File    `json:"files"`
}

// File is one file of a backup.
type File struct {
	Path   string `json:"path"` // below the backup's folder, with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Origin string `json:"origin,omitempty"` // where it lay, of what lies outside data_dir
}

// Bytes is the size of all files.
func (m *Manifest) Bytes() (n int64) {
	for i := range m.Files {
		n += m.Files[i].Bytes
	}
	return n
}

// UnfinishedError is a folder without a manifest: a backup that was cut off, or
// none at all.
type UnfinishedError struct{ Dir string }

// Error says what is wrong and what to do.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("%s has no %s: it is a backup that was cut off, or none; take another one, and remove this folder", e.Dir, ManifestName)
}

// DamageError is a file of a backup that is not as it was written.
type DamageError struct {
	File   string
	Detail string
	Err    error
}

// Error says where the damage is and what to do.
func (e *DamageError) Error() string {
	text := "backup damaged: " + e.File + ": " + e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; nothing was restored: take another backup"
}

// Unwrap returns the cause.
func (e *DamageError) Unwrap() error { return e.Err }

// A manifest is JSON, and a line with its SHA-256.
func (m *Manifest) encode() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(b, "\n%x\n", sha256.Sum256(b)), nil
}

// Read reads the manifest of a backup and checks it; the files are not looked
// at. An *UnfinishedError says that there is none.
func Read(dir string) (*Manifest, error) {
	path := filepath.Join(dir, ManifestName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("there is no backup: %w", err)
		}
		return nil, &UnfinishedError{dir}
	}
	if err != nil {
		return nil, err
	}
	return parse(path, b)
}

// parse reads the text of a manifest, which lies at path.
func parse(path string, b []byte) (*Manifest, error) {
	end := bytes.LastIndexByte(bytes.TrimSuffix(b, []byte{'\n'}), '\n')
	if end < 0 {
		return nil, &DamageError{File: path, Detail: "it ends too early"}
	}
	want := sha256.Sum256(b[:end])
	if string(b[end+1:]) != hex.EncodeToString(want[:])+"\n" {
		return nil, &DamageError{File: path, Detail: "its hash is not the one that it ends with"}
	}
	m := &Manifest{}
	if err := json.Unmarshal(b[:end], m); err != nil {
		return nil, &DamageError{File: path, Detail: "it cannot be read", Err: err}
	}
	if m.Format != format {
		return nil, fmt.Errorf("%s is of format %d, and this program knows %d: restore with the version that made it (%s)", path, m.Format, format, m.Version)
	}
	for i := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(m.Files[i].Path)) {
			return nil, &DamageError{File: path, Detail: fmt.Sprintf("it names %q, which lies outside", m.Files[i].Path)}
		}
	}
	return m, nil
}

// save writes the manifest of a backup whose files are all durable.
func (m *Manifest) save(dir string) error {
	b, err := m.encode()
	if err != nil {
		return err
	}
	return keys.WriteFile(filepath.Join(dir, ManifestName), b)
}
