package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/journal"
)

const (
	daysDir    = "days"
	tempSuffix = ".tmp"
)

// Day is one archived day.
type Day struct {
	Date     string `json:"date"` // YYYY-MM-DD in the city's zone: the day on which its entries were received
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	Readings uint64 `json:"readings"`
	Files    []File `json:"files"`
}

// File is one file of a day.
type File struct {
	Kind    string `json:"kind"` // spot, gate, count, traffic, receipt, health, other
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
	Rows    int64  `json:"rows"`
	Entries int64  `json:"entries"`
	MinAt   int64  `json:"min_at"` // Unix ms; of other entries the receive time
	MaxAt   int64  `json:"max_at"`
	Footer  uint32 `json:"footer_crc32c"`     // of the file's footer, which says what lies where
	Removed bool   `json:"removed,omitempty"` // past its retention: the file is gone, its hash stays
}

// path returns the file's path below the archive's folder.
func (f *File) path(date string) string { return filepath.Join(f.Kind, date+".parquet") }

// File returns the file of a kind, nil where the day has none, or no more.
func (d *Day) File(kind string) *File {
	for i := range d.Files {
		if d.Files[i].Kind == kind && !d.Files[i].Removed {
			return &d.Files[i]
		}
	}
	return nil
}

// Archive returns what the journal keeps of the day.
func (d *Day) Archive() journal.Archive {
	a := journal.Archive{Date: d.Date, Rows: d.Readings, First: d.First, Last: d.Last}
	for i := range d.Files {
		a.Files = append(a.Files, journal.FileHash{Name: filepath.ToSlash(d.Files[i].path(d.Date)), SHA256: d.Files[i].SHA256})
	}
	return a
}

// A manifest is one line of JSON, and a line with its SHA-256.
func (d *Day) encode() ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return fmt.Appendf(b, "\n%x\n", sum), nil
}

func decodeDay(b []byte) (*Day, error) {
	line, sum, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return nil, errors.New("it ends too early")
	}
	want := sha256.Sum256(line)
	if text := string(bytes.TrimSuffix(sum, []byte{'\n'})); text != hex.EncodeToString(want[:]) {
		return nil, fmt.Errorf("its hash is %x, stored is %q", want, text)
	}
	d := &Day{}
	if err := json.Unmarshal(line, d); err != nil {
		return nil, err
	}
	return d, nil
}

// saveDay writes a manifest: either the old one is there or the new one.
func (s *Store) saveDay(d *Day) error {
	b, err := d.encode()
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, daysDir, d.Date+".json")
	f, err := os.Create(path + tempSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+tempSuffix))
	}
	if err := s.step("manifest written"); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+tempSuffix, path), fsyncDir(filepath.Dir(path)))
}

// loadDays reads every manifest.
func (s *Store) loadDays() error {
	names, err := filepath.Glob(filepath.Join(s.dir, daysDir, "*.json"))
	if err != nil {
		return err
	}
	for _, name := range names {
		date := strings.TrimSuffix(filepath.Base(name), ".json")
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		d, err := decodeDay(b)
		if err != nil || d.Date != date {
			return &DamageError{File: name, Detail: "it is not as it was written", Err: err}
		}
		s.days = append(s.days, d)
	}
	return nil
}

// fsyncDir makes the folder's list of files durable.
func fsyncDir(dir string) error {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
