package archive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Source reads the journal after a position: (*journal.Journal).Read.
type Source func(ctx context.Context, after uint64, max int) ([]journal.Entry, error)

const readAtOnce = 4096

// Write archives a day of the journal that is over: its files are written
// beside, synced, read back and compared entry by entry, and named; the day
// counts as archived once its manifest is there. Cut off anywhere it leaves
// either nothing or the whole day, and may be called again. A day that is
// archived already is not written again.
func (s *Store) Write(ctx context.Context, day journal.DayInfo, read Source) (journal.Archive, error) {
	if d, ok := s.Day(day.Date); ok {
		return d.Archive(), nil
	}
	d, err := s.write(ctx, day, read)
	if err != nil {
		return journal.Archive{}, fmt.Errorf("archive: day %s: %w", day.Date, err)
	}
	s.put(d)
	return d.Archive(), nil
}

func (s *Store) write(ctx context.Context, day journal.DayInfo, read Source) (_ *Day, err error) {
	dir, err := os.MkdirTemp(s.dir, "write-*"+tempSuffix)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sort := newSorter(dir, byDevice)
	readings, err := gather(ctx, day, read, sort)
	if err != nil {
		return nil, err
	}
	if err := s.step("sorted"); err != nil {
		return nil, err
	}
	w := &dayWriter{s: s, dir: dir, day: &Day{Date: day.Date, First: day.First, Last: day.Last, Readings: readings}}
	defer func() { err = errors.Join(err, w.abandon()) }()
	err = sort.sorted(func(e *journal.Entry, canonical []byte) error {
		if w.count++; w.count%readAtOnce == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return w.add(e, canonical)
	})
	if err != nil {
		return nil, err
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	if want := day.Last + 1 - day.First; w.count != want {
		return nil, fmt.Errorf("%d entries were written of %d", w.count, want)
	}
	for i := range w.day.Files {
		if err := s.place(dir, &w.day.Files[i], day.Date); err != nil {
			return nil, err
		}
	}
	return w.day, s.saveDay(w.day)
}

// gather reads the whole day into the sorter.
func gather(ctx context.Context, day journal.DayInfo, read Source, sort *sorter) (readings uint64, err error) {
	for after := day.First - 1; after < day.Last; {
		entries, err := read(ctx, after, readAtOnce)
		if err != nil {
			return 0, err
		}
		if len(entries) == 0 {
			return 0, fmt.Errorf("the journal has nothing after position %d", after)
		}
		for i := range entries {
			e := &entries[i]
			if e.Pos > day.Last {
				break
			}
			if e.Pos != after+1 {
				return 0, fmt.Errorf("the journal gave position %d after %d", e.Pos, after)
			}
			after = e.Pos
			if e.Type == journal.TypeReading {
				readings++
			}
			if err := sort.add(e); err != nil {
				return 0, err
			}
		}
	}
	if readings != uint64(day.Readings) {
		return 0, fmt.Errorf("the journal gave %d readings of %d", readings, day.Readings)
	}
	return readings, nil
}

// place gives a checked file its name.
func (s *Store) place(dir string, f *File, date string) error {
	to := filepath.Join(s.dir, f.path(date))
	if err := os.Rename(filepath.Join(dir, f.Kind), to); err != nil {
		return err
	}
	if err := fsyncDir(filepath.Dir(to)); err != nil {
		return err
	}
	return s.step("placed " + f.Kind)
}

// dayWriter writes the files of a day one after the other.
type dayWriter struct {
	s     *Store
	dir   string
	day   *Day
	count uint64 // entries

	f     *os.File
	table table
	w     tableWriter
	index *index
}

func (w *dayWriter) add(e *journal.Entry, canonical []byte) error {
	if kind := kindOf(e); w.f == nil || w.table.kind() != kind {
		if err := w.next(kind); err != nil {
			return err
		}
	}
	rows, err := w.w.add(e)
	if err != nil {
		return fmt.Errorf("position %d: %w", e.Pos, err)
	}
	device, at := "", e.Recv
	if e.Reading != nil {
		device, at = e.Reading.Device, e.Reading.At
	}
	w.index.add(device, at, rows, canonical)
	return nil
}

func (w *dayWriter) next(kind city.Kind) error {
	if err := w.finish(); err != nil {
		return err
	}
	for _, t := range tables {
		if t.kind() != kind {
			continue
		}
		f, err := os.Create(filepath.Join(w.dir, t.name()))
		if err != nil {
			return err
		}
		w.f, w.table, w.w, w.index = f, t, t.writer(f), &index{}
		return nil
	}
	return fmt.Errorf("kind %s has no file in the archive", kind)
}

// finish completes the file that is being written, syncs it, reads it back and
// compares it with what was to be written.
func (w *dayWriter) finish() error {
	if w.f == nil {
		return nil
	}
	devices, err := w.index.encode()
	if err != nil {
		return err
	}
	err = w.w.close(map[string]string{keyVersion: formatVersion, keyDate: w.day.Date, keyKind: w.table.name(), keyDevices: devices})
	if err = errors.Join(err, w.f.Sync()); err != nil {
		return err
	}
	f := w.f
	w.f = nil
	if err := f.Close(); err != nil {
		return err
	}
	if err := w.s.step("written " + w.table.name()); err != nil {
		return err
	}
	meta, err := w.check(f.Name())
	if err != nil {
		return fmt.Errorf("%s as read back: %w", w.table.name(), err)
	}
	w.day.Files = append(w.day.Files, *meta)
	return nil
}

// check reads a finished file back: as many entries as were written, each
// device's with the checksum of what was written.
func (w *dayWriter) check(path string) (*File, error) {
	meta := &File{Kind: w.table.name(), Rows: w.index.rows()}
	for i := range w.index.Device {
		meta.Entries += w.index.Entries[i]
		if i == 0 {
			meta.MinAt, meta.MaxAt = w.index.MinAt[0], w.index.MaxAt[0]
		}
		meta.MinAt, meta.MaxAt = min(meta.MinAt, w.index.MinAt[i]), max(meta.MaxAt, w.index.MaxAt[i])
	}
	var err error
	if meta.SHA256, meta.Bytes, err = hashFile(path); err != nil {
		return nil, err
	}
	fd, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	meta.Footer, err = footerCRC(fd, meta.Bytes)
	if err = errors.Join(err, fd.Close()); err != nil {
		return nil, err
	}
	f, err := openFile(path, w.table, meta)
	if err != nil {
		return nil, err
	}
	f.users.Store(1)
	written, err := f.whole()
	if err != nil {
		return nil, errors.Join(err, f.release())
	}
	entries := int64(0)
	err = f.scan(written, func(got []journal.Entry) error {
		entries += int64(len(got))
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, f.release())
	}
	if entries != meta.Entries {
		return nil, errors.Join(fmt.Errorf("%d entries of %d", entries, meta.Entries), f.release())
	}
	return meta, f.release()
}

// abandon closes a file that was not finished.
func (w *dayWriter) abandon() error {
	if w.f == nil {
		return nil
	}
	return w.f.Close()
}
