package archive

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/journal"
)

// runEntries is how many entries are sorted in memory at once; a day with more
// is sorted in runs on the disk, so that memory does not grow with the day.
var runEntries = 1 << 16 // tests make it small

// order compares two entries.
type order func(a, b *sortKey) int

// sortKey is what entries are ordered by.
type sortKey struct {
	kind   uint8
	device string
	at     int64
	pos    uint64

	from, to int // bytes in the arena
}

func keyOf(e *journal.Entry) sortKey {
	k := sortKey{kind: uint8(kindOf(e)), pos: e.Pos}
	if e.Reading != nil {
		k.device, k.at = e.Reading.Device, e.Reading.At
	}
	return k
}

// byDevice is the order of the archive: kind, device, time, position.
func byDevice(a, b *sortKey) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.device, b.device), cmp.Compare(a.at, b.at), cmp.Compare(a.pos, b.pos))
}

// byPosition is the order of the journal.
func byPosition(a, b *sortKey) int { return cmp.Compare(a.pos, b.pos) }

// sorter sorts any number of entries in bounded memory.
type sorter struct {
	dir   string // of the runs' files
	order order
	limit int
	arena []byte
	keys  []sortKey
	files []string

	sequence []int32 // places in keys, sorted
}

func newSorter(dir string, o order) *sorter {
	return &sorter{dir: dir, order: o, limit: runEntries}
}

func (s *sorter) add(e *journal.Entry) error {
	if len(s.keys) == s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	from := len(s.arena)
	arena, err := journal.EncodeEntry(s.arena, e)
	if err != nil {
		return fmt.Errorf("position %d: %w", e.Pos, err)
	}
	s.arena = arena
	key := keyOf(e)
	key.from, key.to = from, len(arena)
	s.keys = append(s.keys, key)
	return nil
}

func (s *sorter) sort() {
	s.sequence = slices.Grow(s.sequence[:0], len(s.keys))[:len(s.keys)]
	for i := range s.sequence {
		s.sequence[i] = int32(i)
	}
	slices.SortFunc(s.sequence, func(a, b int32) int { return s.order(&s.keys[a], &s.keys[b]) })
}

// spill writes what is in memory as a sorted run.
func (s *sorter) spill() error {
	s.sort()
	path := filepath.Join(s.dir, fmt.Sprintf("run-%05d%s", len(s.files), tempSuffix))
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	s.files = append(s.files, path)
	w := bufio.NewWriterSize(f, 1<<18)
	var size [binary.MaxVarintLen64]byte
	for _, i := range s.sequence {
		b := s.arena[s.keys[i].from:s.keys[i].to]
		_, _ = w.Write(size[:binary.PutUvarint(size[:], uint64(len(b)))]) // Flush tells of a failure
		_, _ = w.Write(b)
	}
	clear(s.keys)
	s.arena, s.keys = s.arena[:0], s.keys[:0]
	return errors.Join(w.Flush(), f.Close())
}

// sorted calls f with every entry in order, with its canonical bytes; the
// bytes hold only during the call. The runs' files are removed.
func (s *sorter) sorted(f func(e *journal.Entry, canonical []byte) error) (err error) {
	defer func() { err = errors.Join(err, s.remove()) }()
	s.sort()
	var dec journal.EntryDecoder
	if len(s.files) == 0 {
		for _, i := range s.sequence {
			b := s.arena[s.keys[i].from:s.keys[i].to]
			e, err := dec.Decode(b)
			if err != nil {
				return err
			}
			if err := f(&e, b); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	s.arena, s.keys, s.sequence = nil, nil, nil
	m := &merge{order: s.order}
	defer func() { err = errors.Join(err, m.close()) }()
	for _, path := range s.files {
		if err := m.open(path, len(s.files)); err != nil {
			return err
		}
	}
	heap.Init(m)
	for len(m.runs) > 0 {
		r := m.runs[0]
		if err := f(&r.entry, r.buf); err != nil {
			return err
		}
		ok, err := r.next()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
	return nil
}

func (s *sorter) remove() error {
	var errs []error
	for _, path := range s.files {
		errs = append(errs, os.Remove(path))
	}
	s.files = nil
	return errors.Join(errs...)
}

// merge is a heap of runs, the one with the least entry first.
type merge struct {
	order order
	runs  []*run
	files []*os.File
}

// run is one sorted file that is being read.
type run struct {
	r     *bufio.Reader
	dec   journal.EntryDecoder
	buf   []byte
	entry journal.Entry
	key   sortKey
}

func (m *merge) open(path string, of int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	m.files = append(m.files, f)
	r := &run{r: bufio.NewReaderSize(f, max(4<<10, (4<<20)/of))}
	ok, err := r.next()
	if ok {
		m.runs = append(m.runs, r)
	}
	return err
}

func (r *run) next() (bool, error) {
	size, err := binary.ReadUvarint(r.r)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.buf = slices.Grow(r.buf[:0], int(size))[:size]
	if _, err := io.ReadFull(r.r, r.buf); err != nil {
		return false, err
	}
	if r.entry, err = r.dec.Decode(r.buf); err != nil {
		return false, err
	}
	r.key = keyOf(&r.entry)
	return true, nil
}

func (m *merge) close() error {
	var errs []error
	for _, f := range m.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Len, Less, Swap, Push and Pop make it a heap.
func (m *merge) Len() int           { return len(m.runs) }
func (m *merge) Less(i, k int) bool { return m.order(&m.runs[i].key, &m.runs[k].key) < 0 }
func (m *merge) Swap(i, k int)      { m.runs[i], m.runs[k] = m.runs[k], m.runs[i] }

// Push is never called: runs only leave the heap.
func (m *merge) Push(any) {}

// Pop removes the last run.
func (m *merge) Pop() any {
	last := m.runs[len(m.runs)-1]
	m.runs = m.runs[:len(m.runs)-1]
	return last
}
