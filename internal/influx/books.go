package influx

import (
	"context"

	"github.com/simpang-id/simpang/internal/ledger"
)

// Ledger is the books as a target reads them.
type Ledger interface {
	// Entries returns entries after a number in order and without holes, and
	// the number of the last there is.
	Entries(ctx context.Context, after uint64, limit int) ([]*ledger.Entry, uint64, error)
	// Cursor is the position of the journal up to which the books are written.
	Cursor() uint64
}

// books sends the entries of the books.
type books struct {
	*stream

	buf batch
}

var _ Stream = (*books)(nil)

// Run sends until ctx ends.
func (s *books) Run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; {
		seen := min(s.t.o.Log.Head(), s.t.o.Ledger.Cursor())
		err := s.all(ctx)
		if err == nil {
			n = 0
			// What the journal brings next may make entries; a tick comes each minute.
			if _, err = s.t.o.Log.Next(ctx, seen); err == nil || ctx.Err() == nil {
				err = pause(ctx, gather)
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue
		}
		s.waits(err.Error(), false)
		if s.rest(ctx, n, 0) != nil {
			return
		}
		n++
	}
}

// all sends what there is.
func (s *books) all(ctx context.Context) error {
	for {
		c := s.cursor()
		entries, last, err := s.t.o.Ledger.Entries(ctx, c.pos, batchPoints)
		if err != nil {
			return err
		}
		s.behind(last, entries)
		if len(entries) == 0 {
			return nil
		}
		s.buf.reset()
		for _, e := range entries {
			bookEntry(&s.buf, s.t.o.Origin, e)
			c.pos = e.N
		}
		if err := s.deliver(ctx, &s.buf); err != nil {
			return err
		}
		if back, ok := s.rewound(ctx, c); ok {
			c.pos = min(c.pos, back.pos)
		}
		if err := s.t.o.Store.save(ctx, s.t.o.ID, s.name, c); err != nil {
			return err
		}
		s.moved(c, 0)
		if err := s.keep(ctx); err != nil {
			return err
		}
	}
}

// behind notes the number of the last entry there is, and those that are to be
// sent next.
func (s *books) behind(last uint64, next []*ledger.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag, s.owes = func(n uint64) uint64 { return last - min(n, last) }, 0
	if len(next) > 0 {
		s.owes = next[0].Pos
	}
}
