package app

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
)

// staff takes what people decide over the API: each decision goes through the
// gate's queue into the journal before it is answered.
type staff struct {
	queue      *intake.Queue
	quarantine *journal.Quarantine
	clock      *intake.ClockGuard
	instant    func() intake.Instant
	accepted   func(ctx context.Context) error // told before a clock is taken as it is
	wake       chan<- struct{}
	inventory  *inventories
	books      books
	lag        func(ctx context.Context) time.Duration // of the books behind the journal
	now        func() time.Time
	reads      accessLog
	log        *slog.Logger

	mu       sync.RWMutex
	closures []journal.Closure
	changing map[string]int // changes of a closure that are queued and not committed, by its id
}

var _ api.Gate = (*staff)(nil)

// answerWithin is how long a decision may wait for its commit.
const answerWithin = 5 * time.Second

// errNotQueued says that a command found no room in the queue: it will not be
// committed later either, as one may be that waited too long for its commit.
var errNotQueued = errors.New("not queued")

// do sends a command through the gate and waits for its commit.
func (s *staff) do(ctx context.Context, c intake.Command) (uint64, intake.Verdict, error) {
	type answer struct {
		pos     uint64
		verdict intake.Verdict
		err     error
	}
	done := make(chan answer, 1)
	c.Done = func(pos uint64, v intake.Verdict, err error) { done <- answer{pos, v, err} }
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := s.queue.Do(ctx, &c); err != nil {
		return 0, intake.Verdict{}, busy(fmt.Errorf("%w: %w", errNotQueued, err))
	}
	select {
	case a := <-done:
		if a.err != nil {
			return 0, a.verdict, busy(a.err)
		}
		return a.pos, a.verdict, nil
	case <-ctx.Done():
		return 0, intake.Verdict{}, busy(ctx.Err())
	}
}

func busy(err error) error {
	return &city.Error{Kind: city.KindUnavailable, Message: "the gateway cannot commit right now; sending the same again later is safe (see /readyz)", Err: err}
}

// Retry offers a quarantined item again with its first receive time.
func (s *staff) Retry(ctx context.Context, id int64, by string) (api.RetryResult, error) {
	item, err := s.quarantine.Get(ctx, id)
	if err != nil {
		return api.RetryResult{}, err
	}
	_, v, err := s.do(ctx, intake.Command{Retry: &item})
	if err != nil {
		return api.RetryResult{}, err
	}
	result := api.RetryResult{Verdict: "refused", Reason: v.Reason, Detail: v.Detail}
	switch {
	case v.Accepted:
		result = api.RetryResult{Verdict: "accepted"}
	case v.Duplicate:
		result = api.RetryResult{Verdict: "duplicate"}
	}
	s.log.InfoContext(ctx, "a quarantined item was retried", "id", id, "verdict", result.Verdict, "reason", string(result.Reason), "by", by)
	return result, nil
}

// Close sets a closure. Its id is made of its content, so that the same
// content sent again is the same closure.
func (s *staff) Close(ctx context.Context, c journal.Closure) (journal.Closure, bool, error) {
	by := c.By
	c.ID, c.By = "", ""
	content, err := json.Marshal(c)
	if err != nil {
		return c, false, fmt.Errorf("closure: %w", err)
	}
	sum := sha256.Sum256(content)
	c.ID = "cl-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
	c.By = by
	if open, settled := s.closure(c.ID); open != nil && settled {
		return *open, false, nil
	}
	err = s.change(ctx, journal.Entry{Type: journal.TypeClosure, Closure: &c})
	return c, err == nil, err
}

// Reopen takes a closure back.
func (s *staff) Reopen(ctx context.Context, id, by string) error {
	if open, settled := s.closure(id); open == nil && settled {
		return &city.Error{Kind: city.KindNotFound, Message: "no closure that was set over the API has this id; those of closures.csv are changed there"}
	}
	return s.change(ctx, journal.Entry{Type: journal.TypeReopen, Closure: &journal.Closure{ID: id, By: by}})
}

// closure returns an open closure, nil where it is not open. It is settled
// where no change of it is on its way: one that was answered with 503 may be
// committed later, and who decides after it must win.
func (s *staff) closure(id string) (open *journal.Closure, settled bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	settled = s.changing[id] == 0
	for _, c := range s.closures {
		if c.ID == id {
			return &c, settled
		}
	}
	return nil, settled
}

// change sends a change of a closure through the gate.
func (s *staff) change(ctx context.Context, e journal.Entry) error {
	s.mu.Lock()
	if s.changing == nil {
		s.changing = map[string]int{}
	}
	s.changing[e.Closure.ID]++
	s.mu.Unlock()
	_, _, err := s.do(ctx, intake.Command{Entries: []journal.Entry{e}})
	if errors.Is(err, errNotQueued) {
		s.mu.Lock()
		s.changed(e.Closure.ID)
		s.mu.Unlock()
	}
	return err
}

// changed says that a change is on its way no more; called under mu.
func (s *staff) changed(id string) {
	if s.changing[id] > 1 {
		s.changing[id]--
		return
	}
	delete(s.changing, id)
}

// Closures returns the closures that are set over the API.
func (s *staff) Closures() []journal.Closure {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.closures)
}

// committed follows the closures; it is called with every committed batch.
func (s *staff) committed(entries []journal.Entry) {
	for i := range entries {
		if t := entries[i].Type; t == journal.TypeClosure || t == journal.TypeReopen {
			s.mu.Lock()
			s.closures = journal.FoldClosures(s.closures, &entries[i])
			s.changed(entries[i].Closure.ID)
			s.mu.Unlock()
		}
	}
}

// Reload reads the inventory anew, all or nothing.
func (s *staff) Reload(ctx context.Context, by string) (api.ReloadResult, error) {
	result, err := s.inventory.reload(ctx, s.do)
	if err != nil {
		faults := 0
		if e, ok := errors.AsType[*city.Error](err); ok {
			faults = len(e.Fields)
		}
		s.log.ErrorContext(ctx, "the reload was refused; what held before still holds", "by", by, "faults", faults, "error", err)
		return result, err
	}
	s.log.InfoContext(ctx, "reloaded", "by", by, "changed", result.Changed, "inventory", result.Hash, "restart", result.Restart)
	return result, nil
}

// AcceptClock takes the machine's clock as it is.
func (s *staff) AcceptClock(ctx context.Context, by string) error {
	if s.clock.Fault(s.instant()) != "" {
		if err := s.accepted(ctx); err != nil {
			s.log.ErrorContext(ctx, "that the clock is doubtful could not be written down; a restart would forget it", "error", err)
		}
	}
	s.clock.Accept(s.instant())
	s.log.WarnContext(ctx, "the clock was accepted as it is", "by", by)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}
