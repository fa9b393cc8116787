package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/intake"
)

// committer takes what has queued while the last commit ran, commits it, has
// it acknowledged, and takes the next. There is no timer between.
type committer struct {
	queue *intake.Queue
	gate  *intake.Gate
	store *intake.Store
	clock func() intake.Instant
	disk  string // data_dir
	log   *slog.Logger

	imageEvery time.Duration
	wake       chan struct{} // capacity 1: the clock was accepted, try again now

	pulse pulse
	saved *atomic.Uint64 // position up to which the memory of de-duplication is durable

	mu    sync.Mutex
	fault string // why nothing is taken, "" while it is
	err   error  // the same as it came
	busy  bool   // a batch is being decided and committed
	since int64  // of it: when that began, ms on the monotonic clock
}

// status tells why nothing is taken, "" while it is.
func (c *committer) status() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// cause is the error behind status.
func (c *committer) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// running tells for how long the commit at hand has been running, 0 where
// there is none.
func (c *committer) running() time.Duration {
	now := c.clock().Mono
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.busy {
		return 0
	}
	return time.Duration(now-c.since) * time.Millisecond
}

// begin begins an attempt to decide and commit a batch.
func (c *committer) begin() {
	now := c.clock().Mono
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy, c.since = true, now
}

// ended ends it, with the error that it ended with.
func (c *committer) ended(err error) (changed bool) {
	fault := c.explain(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	changed = c.fault != fault
	c.busy, c.fault, c.err = false, fault, err
	return changed
}

// retryCommit is how long a batch waits after it could not be taken.
const retryCommit = 500 * time.Millisecond

// run works until the queue is closed and empty, or until abandon ends: then
// what is not committed is left to the sources, which send again.
func (c *committer) run(abandon context.Context) {
	var items []intake.Item
	saver := newSaver(c.store, c.gate, c.saved, c.log)
	last := c.clock().Mono
	for {
		var err error
		c.pulse.rest()
		if items, err = c.queue.Take(abandon, items); err != nil {
			break
		}
		c.pulse.work()
		if !c.take(abandon, items) {
			// What was decided and not committed is in the memory of
			// de-duplication now: that memory must not be kept.
			saver.wait()
			return
		}
		clear(items)
		if now := c.clock().Mono; now-last >= c.imageEvery.Milliseconds() && saver.start(abandon) {
			last = now
		}
	}
	saver.wait()
	saver.start(context.WithoutCancel(abandon))
	saver.wait()
}

// take decides and commits one batch and holds on to it until that worked.
func (c *committer) take(ctx context.Context, items []intake.Item) bool {
	var plan *intake.Plan
	for {
		c.pulse.work()
		var err error
		c.begin()
		if plan == nil {
			plan, err = c.gate.Decide(ctx, c.clock(), items)
		}
		if err == nil {
			err = c.gate.Commit(ctx, plan)
		}
		changed := c.ended(err)
		if err == nil {
			if changed {
				c.log.Info("readings are taken again")
			}
			return true
		}
		if ctx.Err() != nil {
			if plan != nil {
				plan.Abandon(intake.ErrClosed)
			}
			return false
		}
		if changed {
			c.log.Error("nothing is taken or acknowledged for now; it goes on by itself when it can", "error", c.status())
		}
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-time.After(retryCommit):
		}
	}
}

// explain says what is wrong and what to do, "" where nothing is.
func (c *committer) explain(err error) string {
	var clock *intake.ClockError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &clock):
		return clock.Error()
	case noRoom(err, c.disk):
		return diskFull + ": make room on the disk of " + c.disk + "; " + err.Error()
	default:
		return err.Error()
	}
}
