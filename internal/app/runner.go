package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/journal"
)

// Follower reads the journal in order and keeps what it concludes. Apply,
// Flush and Close are called from one goroutine; what a follower answers may
// be asked from any.
type Follower interface {
	Name() string
	// Cursor is the last position whose effect is durable.
	Cursor() uint64
	// Apply takes the next entries. Those at or before what was applied already
	// are ignored. After an error the follower is not called again, but closed.
	Apply(entries []journal.Entry) error
	// Flush makes everything applied durable together with the cursor, in one
	// transaction. After an error it is called again, but not after a panic.
	Flush() error
	Close() error
}

// replaceable is a follower behind which a fresh one can be put.
type replaceable interface {
	Follower
	// Reopen opens the follower anew at its durable cursor and closes the one
	// before. After an error the one before still answers, and Reopen is called
	// again.
	Reopen(ctx context.Context) error
}

// runner carries one follower along the journal.
type runner struct {
	f          Follower
	reopen     func(context.Context) error // puts a fresh follower behind f
	backoff    func(n int) time.Duration   // wait before attempt n (from 0 on) to get over an entry
	feed       *journal.Feed
	archive    archived // where the journal has retired what comes next; nil: nowhere
	flushEvery time.Duration
	soon       func() bool // whether something waits that people ask for right away; nil: never
	flushMost  uint64      // entries applied between two flushes
	log        *slog.Logger
	now        func() time.Time
	metrics    followerMetrics
	pulse      pulse
	reached    atomic.Uint64 // position up to which everything was applied
	rebuilding atomic.Bool   // from the archive: a day is sorted for as long as it takes

	trying uint64 // last entry that Apply was given, or that could not be read

	mu    sync.Mutex
	at    followerStatus
	stuck uint64 // the follower failed on the way to this entry
	why   string // and this was said
}

// followerStatus is what /readyz tells of a follower.
type followerStatus struct {
	Name    string
	Applied uint64 // as far as queries see
	Flushed uint64
	Recv    int64 // receive time of the last entry applied, Unix ms, 0 none since the start
	Fault   string
}

func (r *runner) status() followerStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	status := r.at
	status.Name = r.f.Name()
	return status
}

func (r *runner) set(applied, flushed uint64, fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if fault == "" && flushed < r.stuck {
		fault = r.why // what it failed on may still be ahead
	}
	r.at.Applied, r.at.Flushed, r.at.Fault = applied, flushed, fault
}

// applied tells how far queries see. Where something waits for its flush
// before they do (soon), that is no further than before: who waits for no lag
// finds what was taken.
func (r *runner) applied(last *journal.Entry) {
	waits := r.soon != nil && r.soon()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Recv = last.Recv
	if !waits {
		r.at.Applied = last.Pos
	}
}

// flushSoon is how long what people ask for right away waits for its flush.
const flushSoon = 50 * time.Millisecond

// retryFlush is how long a follower waits after a flush that failed.
const retryFlush = time.Second

// run applies and flushes. When stop ends it goes on to the feed's end and
// flushes a last time; when kill ends it stops where it is. A follower that
// fails harms no other: readyz names it, and it is opened anew at its durable
// cursor, again and again with longer waits, until it gets over what it failed
// on. No entry is ever left out.
func (r *runner) run(stop, kill context.Context) {
	defer r.pulse.rest()
	for n := 0; ; n++ {
		from := r.f.Cursor()
		err := r.loop(stop, kill)
		if err == nil {
			break
		}
		// While it waits to be opened anew it is at rest.
		r.pulse.rest()
		if r.f.Cursor() > from { // it got on
			n = 0
		}
		if !r.renew(stop, n, err) {
			return
		}
	}
	if err := r.guard(r.f.Flush); err != nil {
		r.log.Error("the last flush failed; the journal's tail is applied again at the next start", "follower", r.f.Name(), "error", err)
		return
	}
	cursor := r.f.Cursor()
	r.set(cursor, cursor, "")
}

// reopenBackoff is how long a follower that failed waits before it is opened
// anew: 1 s, and twice as long each time, up to a minute.
func reopenBackoff(n int) time.Duration {
	const first, most = time.Second, time.Minute
	return min(first<<min(n, 10), most)
}

// renew opens the follower anew after it failed, and does not give up before
// stop ends.
func (r *runner) renew(stop context.Context, n int, err error) bool {
	for ; ; n++ {
		wait := r.backoff(n)
		r.log.Error("a follower failed; the others go on, and it is opened anew at its durable cursor: send us this line if it fails again",
			"follower", r.f.Name(), "in", wait, "error", err)
		r.fail("it is opened anew and tries again until it gets on: " + err.Error())
		timer := time.NewTimer(wait)
		select {
		case <-stop.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
		reopened := r.guard(func() error { return r.reopen(stop) })
		if _, stale := errors.AsType[*staleError](reopened); reopened == nil || stale {
			r.log.Info("a follower was opened anew", "follower", r.f.Name(), "cursor", r.f.Cursor(), "stale", reopened)
			return true
		}
		err = fmt.Errorf("open anew: %w (it failed before: %w)", reopened, err)
	}
}

// fail tells of a fault until the follower is durably past what it was trying.
func (r *runner) fail(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stuck, r.why = r.trying, why
	r.at.Fault = why
}

// place is how far a follower is.
type place struct {
	applied   uint64
	flushed   uint64
	flushedAt time.Time
	wait      time.Duration // between a first entry that is not flushed and its flush
	failing   bool          // the last flush failed
}

func (r *runner) loop(stop, kill context.Context) error {
	p := &place{applied: r.f.Cursor(), flushed: r.f.Cursor(), flushedAt: r.now(), wait: r.flushEvery}
	r.set(p.applied, p.flushed, "")
	for {
		if kill.Err() != nil || (stop.Err() != nil && p.applied >= r.feed.Head()) {
			return nil //nolint:nilerr // to be stopped is no fault
		}
		patience := time.Duration(-1)
		if p.applied > p.flushed {
			if p.wait == r.flushEvery && r.soon != nil && r.soon() {
				p.wait = flushSoon
			}
			patience = max(p.wait-r.now().Sub(p.flushedAt), 0)
		}
		r.reached.Store(p.applied)
		r.pulse.rest()
		entries, err := r.next(stop, kill, p.applied, patience)
		r.pulse.work()
		if _, ok := errors.AsType[*journal.RetiredError](err); ok && r.archive != nil {
			stopped, err := r.fromArchive(stop, kill, p)
			if err != nil {
				r.trying = max(r.trying, p.applied+1)
			}
			if stopped || err != nil {
				return err
			}
			continue
		}
		if err != nil {
			r.trying = max(r.trying, p.applied+1)
			return err
		}
		if err := r.takeOrHold(stop, kill, p, entries); err != nil {
			return err
		}
	}
}

// takeOrHold takes entries, and then waits while much is applied and the flush
// fails: a disk that is full is no reason to fill the memory too, and a
// follower that catches up could.
func (r *runner) takeOrHold(stop, kill context.Context, p *place, entries []journal.Entry) error {
	if err := r.take(p, entries); err != nil {
		return err
	}
	for p.failing && p.applied-p.flushed >= r.flushMost/4 {
		again := time.NewTimer(retryFlush)
		select {
		case <-stop.Done():
		case <-kill.Done():
		case <-again.C:
		}
		again.Stop()
		if stop.Err() != nil || kill.Err() != nil {
			return nil //nolint:nilerr // to be stopped is no fault
		}
		if err := r.take(p, nil); err != nil {
			return err
		}
	}
	return nil
}

// take applies entries, if any, and flushes when it is time to.
func (r *runner) take(p *place, entries []journal.Entry) error {
	r.pulse.work()
	if len(entries) > 0 {
		r.trying = max(r.trying, entries[len(entries)-1].Pos)
		if err := r.guard(func() error { return r.f.Apply(entries) }); err != nil {
			return err
		}
		if p.applied == p.flushed {
			p.flushedAt = r.now()
		}
		p.applied = entries[len(entries)-1].Pos
		r.applied(&entries[len(entries)-1])
	}
	if p.applied == p.flushed || (r.now().Sub(p.flushedAt) < p.wait && p.applied-p.flushed < r.flushMost) {
		return nil
	}
	p.flushedAt = r.now()
	err := r.guard(r.flush)
	if broken, ok := errors.AsType[*panicError](err); ok {
		return broken // what memory says is not to be trusted: it is opened anew
	}
	if err != nil {
		r.log.Error("a flush failed and is tried again", "follower", r.f.Name(), "error", err)
		r.set(r.status().Applied, p.flushed, "flush: "+err.Error())
		p.wait, p.failing = retryFlush, true
		return nil
	}
	p.flushed, p.wait, p.failing = p.applied, r.flushEvery, false
	r.set(p.applied, p.flushed, "")
	return nil
}

// flush flushes and measures it.
func (r *runner) flush() error {
	began := r.now()
	err := r.f.Flush()
	if m := r.metrics; m.seconds != nil {
		m.seconds.Observe(r.now().Sub(began).Seconds())
		if err != nil {
			m.failed.Inc()
		}
	}
	return err
}

// next returns what follows after, or nothing when its patience (negative: no
// bound) or stop ended first.
func (r *runner) next(stop, kill context.Context, after uint64, patience time.Duration) ([]journal.Entry, error) {
	ctx := stop
	if stop.Err() != nil {
		ctx = kill
	}
	if patience >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	entries, err := r.feed.Next(ctx, after)
	if err != nil && ctx.Err() != nil {
		return nil, nil
	}
	return entries, err
}

// guard turns a panic into an error: one bad follower harms no other.
func (r *runner) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p, debug.Stack()}
		}
	}()
	return f()
}

// panicError is a panic of a follower.
type panicError struct {
	value any
	stack []byte
}

// Error says what it was and where.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }
