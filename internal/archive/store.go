package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
)

// DamageError says that a file of the archive is not as it was written.
type DamageError struct {
	File   string
	Device string // whose entries disagree, "" where it is the file as a whole
	Detail string
	Err    error
}

// Error says where the damage is and what to do.
func (e *DamageError) Error() string {
	text := "archive damaged: " + e.File + ": "
	if e.Device != "" {
		text += "device " + e.Device + ": "
	}
	text += e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; bring the file back from a backup, then run simpang verify"
}

// Unwrap returns the cause.
func (e *DamageError) Unwrap() error { return e.Err }

// Store is the archive's folder. Any number of goroutines may read while one
// writes or removes.
type Store struct {
	dir  string
	step func(name string) error // told between the steps of a change; tests copy the folder there

	mu    sync.RWMutex
	days  []*Day // sorted by date; a *Day is never changed, only replaced
	files []*file
}

// Open opens the archive in dir and makes the folders where there are none.
// What a run that was cut off left behind is removed.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, step: func(string) error { return nil }}
	folders := []string{daysDir}
	for _, t := range tables {
		folders = append(folders, t.name())
	}
	for _, name := range folders {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return nil, fmt.Errorf("archive: %w", err)
		}
	}
	// The folders' names must be as durable as the days in them.
	if err := errors.Join(fsyncDir(dir), fsyncDir(filepath.Dir(filepath.Clean(dir)))); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	if err := s.loadDays(); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	sort.Slice(s.days, func(i, k int) bool { return s.days[i].Date < s.days[k].Date })
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return s, nil
}

// sweep removes files that no day names (any more) and temporary ones.
func (s *Store) sweep() error {
	for _, t := range append([]string{"", daysDir}, tableNames()...) {
		entries, err := os.ReadDir(filepath.Join(s.dir, t))
		if err != nil {
			return err
		}
		for _, e := range entries {
			date, parquet := strings.CutSuffix(e.Name(), ".parquet")
			orphan := false
			if parquet && t != "" {
				d, ok := s.Day(date)
				orphan = !ok || d.File(t) == nil
			}
			if orphan || strings.HasSuffix(e.Name(), tempSuffix) {
				if err := os.RemoveAll(filepath.Join(s.dir, t, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func tableNames() []string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.name()
	}
	return names
}

// Days returns the archived days, sorted by date.
func (s *Store) Days() []Day {
	s.mu.RLock()
	defer s.mu.RUnlock()
	days := make([]Day, len(s.days))
	for i, d := range s.days {
		days[i] = *d
	}
	return days
}

// Day returns one archived day.
func (s *Store) Day(date string) (Day, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := sort.Search(len(s.days), func(i int) bool { return s.days[i].Date >= date })
	if i == len(s.days) || s.days[i].Date != date {
		return Day{}, false
	}
	return *s.days[i], true
}

// put replaces or adds a day.
func (s *Store) put(d *Day) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := sort.Search(len(s.days), func(i int) bool { return s.days[i].Date >= d.Date })
	if i < len(s.days) && s.days[i].Date == d.Date {
		s.days = slices.Clone(s.days)
		s.days[i] = d
		return
	}
	s.days = slices.Insert(slices.Clone(s.days), i, d)
}

// Verify recomputes the hash of each file of an archived day. The error names
// the first one that is not as it was written (*DamageError).
func (s *Store) Verify(ctx context.Context, date string) error {
	d, ok := s.Day(date)
	if !ok {
		return fmt.Errorf("archive: day %s is not archived", date)
	}
	for i := range d.Files {
		if d.Files[i].Removed {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(s.dir, d.Files[i].path(date))
		sum, size, err := hashFile(path)
		if err != nil {
			return &DamageError{File: path, Detail: "it cannot be read", Err: err}
		}
		if sum != d.Files[i].SHA256 || size != d.Files[i].Bytes {
			return &DamageError{File: path, Detail: fmt.Sprintf("it has %d bytes and the hash %s, which were %d and %s", size, sum, d.Files[i].Bytes, d.Files[i].SHA256)}
		}
	}
	return nil
}

func hashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// Remove unlinks the files of some kinds of a day; their hashes stay in the
// day's manifest. Kinds that the day does not have (any more) are left out.
func (s *Store) Remove(date string, kinds ...string) error {
	d, ok := s.Day(date)
	if !ok {
		return fmt.Errorf("archive: day %s is not archived", date)
	}
	d.Files = slices.Clone(d.Files)
	var paths []string
	for _, kind := range kinds {
		if f := d.File(kind); f != nil {
			f.Removed = true
			paths = append(paths, filepath.Join(s.dir, f.path(date)))
		}
	}
	if len(paths) == 0 {
		return nil
	}
	// First the word, then the deed: what is left of the files after a crash is
	// swept away at the next start.
	if err := s.saveDay(&d); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	s.put(&d)
	var errs []error
	for _, path := range paths {
		errs = append(errs, s.forget(path))
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// Close closes the files that are open for reading.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.release())
	}
	s.files = nil
	return errors.Join(errs...)
}
