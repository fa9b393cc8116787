package influx

import (
	"context"
	"errors"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// A request has so many points or bytes at most, about.
const (
	batchPoints = 5000
	batchBytes  = 2 << 20
)

const (
	// gather is the least time between two requests of a stream that is level:
	// few large requests cost less than many small ones.
	gather = 500 * time.Millisecond
	// backlog is how many entries behind a stream catches up, and yields to
	// intake where that is busy.
	backlog = 20_000
)

// readings sends what devices measured.
type readings struct {
	*stream

	enc  *encoder
	buf  batch
	pos  uint64 // encoded up to here
	recv int64
	sent time.Time // of the last request
	head uint64    // of the journal at that time
}

var _ Stream = (*readings)(nil)

// Run sends until ctx ends.
func (s *readings) Run(ctx context.Context) {
	s.pos = s.cursor().pos
	for n := 0; ctx.Err() == nil; {
		err := s.step(ctx)
		if err == nil || errors.Is(err, errRewound) {
			n = 0
			continue
		}
		if ctx.Err() != nil {
			return
		}
		s.waits(err.Error(), false)
		if s.rest(ctx, n, 0) != nil {
			return
		}
		n++
		s.buf.reset()
		s.pos = s.cursor().pos
	}
}

// step sends what follows, at most a request of it, or a part of the archive.
func (s *readings) step(ctx context.Context) error {
	entries, err := s.t.o.Log.Next(ctx, s.pos)
	if _, retired := errors.AsType[*journal.RetiredError](err); retired {
		return s.fromArchive(ctx)
	}
	if _, beyond := errors.AsType[*journal.BeyondHeadError](err); beyond {
		// The store was restored from before our cursor: positions are given
		// again, and what has them is sent again.
		s.pos = s.t.o.Log.Head()
		return s.save(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.take(ctx, entries); err != nil {
		return err
	}
	for len(s.buf.ends) < batchPoints && s.pos < s.t.o.Log.Head() {
		if entries, err = s.t.o.Log.Next(ctx, s.pos); err != nil {
			break // told when it is asked for again
		}
		if err := s.take(ctx, entries); err != nil {
			return err
		}
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	if s.pos >= s.t.o.Log.Head() || s.t.o.Log.Head()-s.pos < batchPoints/2 {
		return pause(ctx, gather-s.t.o.Now().Sub(s.sent))
	}
	return nil
}

// fromArchive sends what the journal has retired.
func (s *readings) fromArchive(ctx context.Context) error {
	reached, err := s.t.o.Log.Archived(ctx, s.pos, func(entries []journal.Entry) error { return s.take(ctx, entries) })
	if err != nil {
		return err
	}
	s.pos = max(s.pos, reached)
	return s.flush(ctx)
}

// take encodes entries, and sends whenever there is enough.
func (s *readings) take(ctx context.Context, entries []journal.Entry) error {
	for i := range entries {
		e := &entries[i]
		if e.Pos <= s.pos {
			continue
		}
		s.pos, s.recv = e.Pos, e.Recv
		if e.Type != journal.TypeReading || e.Reading.Kind == city.KindReceipt && !s.t.o.Books {
			continue
		}
		s.enc.reading(&s.buf, e)
		if len(s.buf.ends) >= batchPoints || len(s.buf.text) >= batchBytes {
			if err := s.flush(ctx); err != nil {
				return err
			}
			if s.pos < e.Pos {
				return errRewound
			}
		}
	}
	return nil
}

// errRewound says that entries are taken again from an earlier one on.
var errRewound = errors.New("rewound")

// flush sends what was encoded and moves the cursor. While a stream catches up
// and readings come in, it rests as long as it worked.
func (s *readings) flush(ctx context.Context) error {
	began := s.t.o.Now()
	if err := s.deliver(ctx, &s.buf); err != nil {
		return err
	}
	s.buf.reset()
	if c, ok := s.rewound(ctx, cursor{pos: s.pos}); ok {
		s.pos = min(s.pos, c.pos)
	}
	if err := s.save(ctx); err != nil {
		return err
	}
	head := s.t.o.Log.Head()
	busy := head != s.head && head-s.pos > backlog
	s.head, s.sent = head, began
	if busy {
		return pause(ctx, s.t.o.Now().Sub(began))
	}
	return nil
}

func (s *readings) save(ctx context.Context) error {
	c := cursor{pos: s.pos}
	if err := s.t.o.Store.save(ctx, s.t.o.ID, s.name, c); err != nil {
		return err
	}
	s.moved(c, s.recv)
	return s.keep(ctx)
}
