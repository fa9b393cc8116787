package app

import (
	"context"
	"errors"
	"sync"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
)

// accessLog gathers reads of money: while one batch is being committed, those
// that come go with the next. No read waits longer than for two commits, and a
// burst of them costs few.
type accessLog struct {
	mu   sync.Mutex
	next *readBatch // gathers; nil: none does
	busy bool       // a batch is being committed
}

// readBatch is reads that are written down together.
type readBatch struct {
	lines []journal.Line
	done  chan struct{} // closed when they are, or cannot be
	err   error
}

// mostReads is how many reads one batch takes; more are refused until it is
// written.
const mostReads = 2048

var errManyReads = errors.New("too many reads of money at once")

// Access returns once a read of money is durable in the journal.
func (s *staff) Access(ctx context.Context, read journal.Access) error {
	b, lead, err := s.reads.join(&read)
	if err != nil {
		return unlogged(err)
	}
	if lead {
		go s.writeReads(context.WithoutCancel(ctx)) // others wait for it too
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return ctx.Err() // who asked has gone: logged or not, nothing was read
	}
	if b.err != nil {
		return unlogged(b.err)
	}
	return nil
}

func unlogged(err error) error {
	return &city.Error{Kind: city.KindUnavailable, Message: "reads of money are logged, and this one cannot be written down now: try it again later (see /readyz)", Err: err}
}

// join puts a read into the batch that gathers; lead tells who must write it.
func (l *accessLog) join(read *journal.Access) (b *readBatch, lead bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = &readBatch{done: make(chan struct{})}
	}
	if len(l.next.lines) >= mostReads {
		return nil, false, errManyReads
	}
	l.next.lines = append(l.next.lines, read)
	lead, l.busy = !l.busy, true
	return l.next, lead, nil
}

// take returns the batch to be written, nil where none gathers: then the next
// who comes leads.
func (l *accessLog) take() *readBatch {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.next
	l.next = nil
	l.busy = b != nil
	return b
}

// writeReads commits batch after batch until none gathers.
func (s *staff) writeReads(ctx context.Context) {
	for b := s.reads.take(); b != nil; b = s.reads.take() {
		_, _, b.err = s.do(ctx, intake.Command{Entries: []journal.Entry{{Type: journal.TypeAccess, Act: &journal.Act{Lines: b.lines}}}})
		close(b.done)
	}
}
