package archive

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"

	"github.com/simpang-id/simpang/internal/journal"
)

// file is an open file of the archive. It is closed when the last one who
// uses it, the store's list among them, has released it.
type file struct {
	path  string
	table table
	f     *os.File
	p     *parquet.File
	users atomic.Int32

	text  string // the map of devices as it is written
	rows  int64  // of the file
	mu    sync.Mutex
	index *index // of text, once somebody needs all of it
	asked string // the device that was looked for last
	found *index // its map
}

// whole returns the map of all devices.
func (f *file) whole() (*index, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index != nil {
		return f.index, nil
	}
	x, err := decodeIndex(f.text)
	if err != nil {
		return nil, &DamageError{File: f.path, Detail: "it cannot be read", Err: err}
	}
	if x.rows() != f.rows {
		return nil, &DamageError{File: f.path, Detail: fmt.Sprintf("its map has %d rows, which were %d", x.rows(), f.rows)}
	}
	f.index = x
	return x, nil
}

// find returns the map of one device, nil where the file has nothing of it.
// It reads no more of a map of thousands than it must.
func (f *file) find(device string) (*index, error) {
	f.mu.Lock()
	asked, x := f.asked, f.found
	f.mu.Unlock()
	if asked == device && device != "" {
		return x, nil
	}
	if x, ok := pick(f.text, device); ok {
		f.mu.Lock()
		f.asked, f.found = strings.Clone(device), x
		f.mu.Unlock()
		return x, nil
	}
	x, err := f.whole()
	if err != nil {
		return nil, err
	}
	return x.only(x.find(device)), nil
}

func (f *file) release() error {
	if f.users.Add(-1) > 0 {
		return nil
	}
	return f.f.Close()
}

// openFiles is how many files the store keeps open: a month of every kind.
const openFiles = 192

// use returns the open file of a kind; release it afterwards. It is nil where
// the day has no such file.
func (s *Store) use(date, kind string) (*file, error) {
	d, ok := s.Day(date)
	if !ok {
		return nil, fmt.Errorf("archive: day %s is not archived", date)
	}
	meta := d.File(kind)
	if meta == nil {
		return nil, nil //nolint:nilnil // no file is an answer, not an error
	}
	path := filepath.Join(s.dir, meta.path(date))
	s.mu.Lock()
	if i := slices.IndexFunc(s.files, func(f *file) bool { return f.path == path }); i >= 0 {
		f := s.files[i]
		f.users.Add(1)
		s.files = append(slices.Delete(s.files, i, i+1), f)
		s.mu.Unlock()
		return f, nil
	}
	s.mu.Unlock()
	f, err := openFile(path, tableOf(kind), meta)
	if errors.Is(err, os.ErrNotExist) {
		if d, _ := s.Day(date); d.File(kind) == nil {
			return nil, nil //nolint:nilnil // removed meanwhile
		}
	}
	if err != nil {
		return nil, err
	}
	f.users.Store(2)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, f)
	if len(s.files) > openFiles {
		old := s.files[0]
		s.files = slices.Delete(s.files, 0, 1)
		err = old.release()
	}
	return f, err
}

// forget closes a file that was removed.
func (s *Store) forget(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.files, func(f *file) bool { return f.path == path })
	if i < 0 {
		return nil
	}
	f := s.files[i]
	s.files = slices.Delete(s.files, i, i+1)
	return f.release()
}

// openFile opens a file and checks its footer, which says what lies where.
func openFile(path string, t table, meta *File) (f *file, err error) {
	fd, err := os.Open(path)
	if err != nil {
		return nil, &DamageError{File: path, Detail: "it cannot be read", Err: err}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, fd.Close())
		}
	}()
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, &DamageError{File: path, Detail: fmt.Sprintf("it cannot be read: %v", r)}
		}
	}()
	info, err := fd.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != meta.Bytes {
		return nil, &DamageError{File: path, Detail: fmt.Sprintf("it has %d bytes, which were %d", info.Size(), meta.Bytes)}
	}
	sum, err := footerCRC(fd, info.Size())
	if err != nil {
		return nil, &DamageError{File: path, Detail: "its footer cannot be read", Err: err}
	}
	if sum != meta.Footer {
		return nil, &DamageError{File: path, Detail: fmt.Sprintf("the CRC32C of its footer is %08x, stored is %08x", sum, meta.Footer)}
	}
	f, err = parseFile(fd, path, t, info.Size())
	if err != nil {
		return nil, &DamageError{File: path, Detail: "it cannot be read", Err: err}
	}
	if f.p.NumRows() != meta.Rows {
		return nil, &DamageError{File: path, Detail: fmt.Sprintf("it has %d rows, which were %d", f.p.NumRows(), meta.Rows)}
	}
	f.rows = meta.Rows
	return f, nil
}

func parseFile(fd *os.File, path string, t table, size int64) (*file, error) {
	p, err := parquet.OpenFile(fd, size, parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	if v, _ := p.Lookup(keyVersion); v != formatVersion {
		return nil, fmt.Errorf("format version %q is not known: written by a newer version of the program", v)
	}
	text, _ := p.Lookup(keyDevices)
	return &file{path: path, table: t, f: fd, p: p, text: text}, nil
}

// footerCRC computes the CRC32C of a Parquet file's footer: the metadata, its
// length (4 bytes) and the magic word.
func footerCRC(r io.ReaderAt, size int64) (uint32, error) {
	var tail [8]byte
	if size < int64(len(tail)) {
		return 0, io.ErrUnexpectedEOF
	}
	if _, err := r.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return 0, err
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4])) + int64(len(tail))
	if n > size {
		return 0, io.ErrUnexpectedEOF
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, size-n); err != nil {
		return 0, err
	}
	return crc32.Checksum(b, castagnoli), nil
}

// device returns the entries of the one device of a map, compared with their
// checksum.
func (f *file) device(x *index) (entries []journal.Entry, err error) {
	err = f.scan(x, func(e []journal.Entry) error {
		entries = e
		return nil
	})
	return entries, err
}

// scan calls each with the entries of each of the devices of a map, which lie
// one after the other, after they were compared with their checksum.
func (f *file) scan(x *index, each func([]journal.Entry) error) (err error) {
	to := len(x.Device)
	if to == 0 {
		return nil
	}
	c := &checker{file: f, index: x, each: each}
	defer func() {
		if r := recover(); r != nil {
			err = c.damaged(fmt.Sprintf("it cannot be read: %v", r), nil)
		}
	}()
	rows := x.First[to-1] + x.Rows[to-1] - x.First[0]
	err = f.table.read(f.p, x.First[0], rows, c.add)
	switch {
	case c.failed != nil:
		return c.failed
	case err != nil:
		return c.damaged("it cannot be read", err)
	case c.i != to:
		return c.damaged(fmt.Sprintf("%d entries, which were %d", len(c.entries), x.Entries[c.i]), nil)
	}
	return nil
}

// checker gathers the entries of one device after the other.
type checker struct {
	file    *file
	index   *index
	i       int // place in the index
	each    func([]journal.Entry) error
	entries []journal.Entry
	crc     uint32
	buf     []byte
	failed  error // what to tell as it is
}

func (c *checker) damaged(detail string, err error) error {
	device := ""
	if c.i < len(c.index.Device) {
		device = c.index.Device[c.i]
	}
	return &DamageError{File: c.file.path, Device: device, Detail: detail, Err: err}
}

func (c *checker) add(e *journal.Entry) error {
	x := c.index
	if e.Reading != nil {
		if e.Reading.Device != x.Device[c.i] {
			return fmt.Errorf("an entry of %q", e.Reading.Device)
		}
		e.Reading.Device = x.Device[c.i] // one copy of the name in memory
	}
	b, err := journal.EncodeEntry(c.buf[:0], e)
	if err != nil {
		return err
	}
	c.buf, c.crc = b, crc32.Update(c.crc, castagnoli, b)
	if c.entries == nil {
		c.entries = make([]journal.Entry, 0, min(x.Entries[c.i], 1<<20))
	}
	c.entries = append(c.entries, *e)
	if int64(len(c.entries)) < x.Entries[c.i] {
		return nil
	}
	if c.crc != x.CRC32C[c.i] {
		return fmt.Errorf("the CRC32C of its entries is %08x, stored is %08x", c.crc, x.CRC32C[c.i])
	}
	c.failed = c.each(c.entries)
	c.i, c.entries, c.crc = c.i+1, nil, 0
	return c.failed
}

// Extent is what an archived day has of a device and kind.
type Extent struct {
	From, To int64 // times of its readings, Unix ms, both inclusive
	Readings int64
}

// Extent tells what an archived day has of a device's readings of a kind; ok is
// false where there are none. It reads none of them.
func (s *Store) Extent(date, kind, device string) (e Extent, ok bool, err error) {
	f, err := s.use(date, kind)
	if err != nil || f == nil {
		return Extent{}, false, err
	}
	x, err := f.find(device)
	if x != nil {
		e, ok = Extent{x.MinAt[0], x.MaxAt[0], x.Entries[0]}, true
	}
	return e, ok, errors.Join(err, f.release())
}

// Read returns a device's readings of a kind that an archived day has, with
// from <= at < to (Unix ms), in the order of their time, then position. All
// that the day has of the device is compared with its checksum; damage is a
// *DamageError.
func (s *Store) Read(ctx context.Context, date, kind, device string, from, to int64) ([]journal.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.use(date, kind)
	if err != nil || f == nil {
		return nil, err
	}
	x, err := f.find(device)
	if err != nil || x == nil || x.MaxAt[0] < from || x.MinAt[0] >= to {
		return nil, errors.Join(err, f.release())
	}
	entries, err := f.device(x)
	if err = errors.Join(err, f.release()); err != nil {
		return nil, err
	}
	at := func(t int64) int {
		return sort.Search(len(entries), func(i int) bool { return entries[i].Reading.At >= t })
	}
	return entries[at(from):at(to)], nil
}

// Entries calls f with all entries of an archived day, in the order of the
// journal, some at a time, so that followers can be rebuilt from the archive.
// A kind whose retention is over is missing.
func (s *Store) Entries(ctx context.Context, date string, f func([]journal.Entry) error) (err error) {
	dir, err := os.MkdirTemp(s.dir, "entries-*"+tempSuffix)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sort := newSorter(dir, byPosition)
	for _, t := range tables {
		if err := s.each(ctx, date, t.name(), sort.add); err != nil {
			return err
		}
	}
	batch := make([]journal.Entry, 0, bufferedRows)
	err = sort.sorted(func(e *journal.Entry, _ []byte) error {
		if batch = append(batch, *e); len(batch) < bufferedRows {
			return nil
		}
		err := f(batch)
		batch = make([]journal.Entry, 0, bufferedRows)
		return err
	})
	if err == nil && len(batch) > 0 {
		err = f(batch)
	}
	return err
}

// each calls f with the entries of one file, device by device.
func (s *Store) each(ctx context.Context, date, kind string, f func(*journal.Entry) error) (err error) {
	file, err := s.use(date, kind)
	if err != nil || file == nil {
		return err
	}
	defer func() { err = errors.Join(err, file.release()) }()
	x, err := file.whole()
	if err != nil {
		return err
	}
	return file.scan(x, func(entries []journal.Entry) error {
		for i := range entries {
			if err := f(&entries[i]); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// Others calls f with the entries of an archived day that are no readings, in
// the order of the journal.
func (s *Store) Others(ctx context.Context, date string, f func(*journal.Entry) error) error {
	return s.each(ctx, date, Other, f)
}
