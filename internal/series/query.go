package series

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Cursor is a place in the order of readings: time, then position.
type Cursor struct {
	At  int64 // Unix ms
	Pos uint64
}

func (c Cursor) compare(d Cursor) int {
	return cmp.Or(cmp.Compare(c.At, d.At), cmp.Compare(c.Pos, d.Pos))
}

// String writes the cursor for ParseCursor.
func (c Cursor) String() string { return fmt.Sprintf("%d.%d", c.At, c.Pos) }

// ParseCursor reads what String wrote.
func ParseCursor(text string) (Cursor, error) {
	at, pos, _ := strings.Cut(text, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return Cursor{}, err
	}
	p, err := strconv.ParseUint(pos, 10, 64)
	return Cursor{At: ms, Pos: p}, err
}

func cursorOf(e *journal.Entry) Cursor { return Cursor{At: e.Reading.At, Pos: e.Pos} }

// Query selects a device's readings by their own time.
type Query struct {
	Device string
	From   int64       // Unix ms, inclusive
	To     int64       // Unix ms, exclusive
	Kinds  []city.Kind // empty: all
	After  *Cursor     // nil: from the begin
	Limit  int         // entries at most; 1 or more
}

// Page is a part of an answer.
type Page struct {
	Entries []journal.Entry // shared: nobody changes them
	Next    *Cursor         // to be given as After for what follows; nil at the end
}

// retries is how often a query begins anew because a day went over to the
// archive meanwhile; many may do so one after the other when a backup ends.
const retries = 32

// Readings returns a device's readings in the order of their time, those of
// one time by position, from archive and journal. Damage in either is an
// error, never a shorter answer.
func (f *Follower) Readings(ctx context.Context, q Query) (Page, error) {
	if q.Limit < 1 {
		return Page{}, errors.New("series: a limit of 1 or more is required")
	}
	p, err := f.readings(ctx, q)
	for range retries {
		if _, ok := errors.AsType[*journal.RetiredError](err); !ok {
			break
		}
		// A day went over to the archive between the look-up and the reading.
		p, err = f.readings(ctx, q)
	}
	if err != nil {
		return Page{}, fmt.Errorf("series: %w", err)
	}
	return p, nil
}

func (f *Follower) readings(ctx context.Context, q Query) (Page, error) {
	s := &scan{f: f, q: q, mask: kindsMask(q.Kinds), from: q.From, missing: q.Limit}
	if q.After != nil {
		s.from = max(s.from, q.After.At)
		s.left = f.left.take(&q, s.mask)
	}
	if err := s.find(ctx); err != nil {
		return Page{}, err
	}
	var p Page
	for {
		e, err := s.next(ctx)
		if err != nil {
			return Page{}, err
		}
		if e == nil {
			return p, nil
		}
		if s.missing == 0 {
			last := cursorOf(&p.Entries[len(p.Entries)-1])
			p.Next = &last
			f.left.keep(s.leaves(last, e))
			return p, nil
		}
		p.Entries = append(p.Entries, *e)
		s.missing--
	}
}

// part is a chunk of the journal or a kind's file of the archive that may hold
// what is asked for. It is read when the answer comes to its first time, or
// shortly before.
type part struct {
	minAt int64
	chunk *chunk // of the journal, or
	file  file   // of the archive
	found bool   // minAt is the device's, not the whole file's
	n     int64  // readings, about; of the archive once found
	ahead *ahead // what was read, nil: nothing yet
}

// scan merges parts.
type scan struct {
	f       *Follower
	q       Query
	mask    uint8
	from    int64
	missing int    // entries until the page is full
	parts   []part // by minAt, the first last
	open    []opened
	left    map[file][]journal.Entry // what the page before has read already
	took    file                     // where the last entry came from
}

// opened is what is not shown yet of a part that was read.
type opened struct {
	file    file            // the zero one for a part of the journal
	entries []journal.Entry // sorted, not empty
}

func (s *scan) touches(minAt, maxAt int64) bool { return maxAt >= s.from && minAt < s.q.To }

// find lists the parts whose times touch the range.
func (s *scan) find(ctx context.Context) error {
	s.f.sweeps.RLock() // what the list of days says stays in the index meanwhile
	defer s.f.sweeps.RUnlock()
	s.f.mu.RLock()
	stored := s.f.stored
	inJournal := make(map[string]bool, len(s.f.days))
	first := stored + 1
	device, known := s.f.byName[s.q.Device]
	var chunks []chunk
	for i, day := range s.f.days {
		if i == 0 {
			first = day.first
		}
		inJournal[day.date] = true
		if known {
			chunks = append(chunks, day.fresh.chunks(device, s.mask, s.touches)...)
		}
	}
	archived := s.f.store.Days()
	s.f.mu.RUnlock()
	if s.f.index != nil && first <= stored {
		old, err := s.f.index.chunks(ctx, s.q.Device, first, stored, s.from, s.q.To, s.mask)
		if err != nil {
			return err
		}
		chunks = append(chunks, old...)
	}
	for i := range chunks {
		if c := &chunks[i]; c.kinds&s.mask != 0 && s.touches(c.minAt, c.maxAt) {
			s.parts = append(s.parts, part{minAt: c.minAt, chunk: c, found: true, n: int64(c.n)})
		}
	}
	for i := range archived {
		if inJournal[archived[i].Date] {
			continue
		}
		for k := range archived[i].Files {
			meta := &archived[i].Files[k]
			kind, ok := city.ParseKind(meta.Kind)
			if ok && !meta.Removed && s.mask&(1<<kind) != 0 && s.touches(meta.MinAt, meta.MaxAt) {
				s.parts = append(s.parts, part{minAt: meta.MinAt, file: file{archived[i].Date, meta.Kind}})
			}
		}
	}
	s.sort()
	return nil
}

func (s *scan) sort() {
	slices.SortFunc(s.parts, func(a, b part) int { return cmp.Compare(b.minAt, a.minAt) })
}

// next returns the next entry in order, nil at the end.
func (s *scan) next(ctx context.Context) (*journal.Entry, error) {
	best := s.least()
	for len(s.parts) > 0 {
		p := s.parts[len(s.parts)-1]
		if best >= 0 && p.minAt > s.open[best].entries[0].Reading.At {
			break
		}
		s.parts = s.parts[:len(s.parts)-1]
		if err := s.read(ctx, p); err != nil {
			return nil, err
		}
		best = s.least()
	}
	if best < 0 {
		return nil, nil //nolint:nilnil // the end is no error
	}
	from := &s.open[best]
	e := &from.entries[0]
	s.took = from.file
	if from.entries = from.entries[1:]; len(from.entries) == 0 {
		s.open = slices.Delete(s.open, best, best+1)
	}
	return e, nil
}

func (s *scan) least() int {
	best := -1
	for i := range s.open {
		if best < 0 || cursorOf(&s.open[i].entries[0]).compare(cursorOf(&s.open[best].entries[0])) < 0 {
			best = i
		}
	}
	return best
}

// read reads a part; one of the archive is first looked up in its file's map
// of devices, and put back with the device's own time.
func (s *scan) read(ctx context.Context, p part) error {
	if !p.found {
		ok, err := s.look(&p)
		if err != nil || !ok {
			return err
		}
		at, _ := slices.BinarySearchFunc(s.parts, p, func(a, b part) int { return cmp.Compare(b.minAt, a.minAt) })
		s.parts = slices.Insert(s.parts, at, p)
		return nil
	}
	if p.chunk != nil {
		return s.readChunk(ctx, p.chunk)
	}
	if p.ahead == nil {
		s.readAhead(ctx, &p)
	}
	if p.ahead.err != nil || len(p.ahead.entries) == 0 {
		return p.ahead.err
	}
	s.open = append(s.open, opened{p.file, p.ahead.entries})
	return nil
}

// readChunk opens a chunk of the journal.
func (s *scan) readChunk(ctx context.Context, c *chunk) error {
	entries, err := s.f.o.Journal.At(ctx, c.positions(make([]uint64, 0, c.n)))
	if err != nil {
		return err
	}
	wanted := make([]journal.Entry, 0, len(entries)) // what was read is shared
	for i := range entries {
		r := entries[i].Reading
		if r.At < s.from || r.At >= s.q.To || s.mask&(1<<r.Kind) == 0 || (s.q.After != nil && cursorOf(&entries[i]).compare(*s.q.After) <= 0) {
			continue
		}
		wanted = append(wanted, entries[i])
	}
	if len(wanted) == 0 {
		return nil
	}
	slices.SortFunc(wanted, func(a, b journal.Entry) int { return cursorOf(&a).compare(cursorOf(&b)) })
	s.open = append(s.open, opened{file{}, wanted})
	return nil
}

// leaves returns what was read of the archive when a page has ended, with the
// entry that was taken and has no place in it.
func (s *scan) leaves(after Cursor, e *journal.Entry) leftover {
	x := leftover{device: s.q.Device, after: after, to: s.q.To, mask: s.mask, of: map[file][]journal.Entry{}}
	for _, o := range s.open {
		if o.file != (file{}) {
			x.of[o.file] = o.entries
		}
	}
	for i := range s.parts {
		if p := &s.parts[i]; p.ahead != nil && p.ahead.err == nil && len(p.ahead.entries) > 0 {
			x.of[p.file] = p.ahead.entries
		}
	}
	if s.took != (file{}) {
		x.of[s.took] = append([]journal.Entry{*e}, x.of[s.took]...)
	}
	return x
}
