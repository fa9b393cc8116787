package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
)

// Replay is a gateway without sources and faces whose clock its caller steps:
// what comes at a time that is told goes through the same gate, journal,
// followers and archive as if it had come then, with a tick a minute, each day
// put away after its end. It is how tests and `make bench` come by a store of
// months in minutes. It holds data_dir as a gateway does. Not for use from
// several goroutines.
type Replay struct {
	g    *gateway
	undo stack

	most    int             // entries a commit
	pending []journal.Entry // decided and not committed
	through bool            // commit at once

	now   int64 // Unix ms
	began int64
	tick  int64 // when the next is due
	date  string

	carried []*carried
}

// OpenReplay opens the store of o.Config, and makes it where there is none.
// What is taken is committed when there are so many entries of it, and before
// each end of a day. A gateway commits whatever has come during its last
// commit.
func OpenReplay(ctx context.Context, o Options, entries int) (r *Replay, err error) {
	g := &gateway{o: o, cfg: o.Config, log: o.Log, now: time.Now, began: time.Now(), registry: prometheus.NewRegistry(), signer: newSigner()}
	r = &Replay{g: g, most: max(entries, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.undo.unwind(o.Log))
		}
	}()
	g.adapt = func(o *intake.Options) {
		o.Journal, o.Committed = (*gathered)(r), nil
		o.Clock = intake.NewClockGuard(0, g.journal.LastRecv()) // no date of the program's bounds a past that is played
	}
	for _, step := range []func(context.Context, *stack) error{
		g.openDir, g.openJournal, g.openInventory, g.openQuarantine, g.openFollowers, g.openIntake,
	} {
		if err := step(ctx, &r.undo); err != nil {
			return nil, err
		}
	}
	r.carry()
	if err := r.catchUp(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// Inventory is the folder's version, by which readings are judged.
func (r *Replay) Inventory() *inventory.Version { return r.g.loaded }

// Take takes a message that is received at a time, none before the last one's.
func (r *Replay) Take(ctx context.Context, at time.Time, m source.Message) error {
	if err := r.Step(ctx, at); err != nil {
		return err
	}
	if m.Done == nil {
		m.Done = func(bool) {}
	}
	return r.decide(ctx, intake.Item{Message: m})
}

// Book books what staff write, all of it of one type, as received at a time.
func (r *Replay) Book(ctx context.Context, at time.Time, lines ...journal.Line) error {
	if err := r.Step(ctx, at); err != nil {
		return err
	}
	return r.commitOne(ctx, journal.Entry{Type: lines[0].Type(), Act: &journal.Act{By: "replay", Lines: lines}})
}

// Step brings the clock to a time: ticks that are due are appended, and days
// that are over put away.
func (r *Replay) Step(ctx context.Context, at time.Time) error {
	ms := at.UnixMilli()
	if ms < r.now {
		return fmt.Errorf("the clock of a replay cannot go back by %d ms", r.now-ms)
	}
	if r.now == 0 {
		if err := r.begin(ctx, ms); err != nil {
			return err
		}
	}
	for r.tick <= ms {
		r.now = r.tick
		r.tick += tickEvery.Milliseconds()
		if err := r.minute(ctx); err != nil {
			return err
		}
	}
	r.now = ms
	return nil
}

// Attend has the register of complaints look at what was concluded of all that
// was taken, now.
func (r *Replay) Attend(ctx context.Context) error {
	if r.g.office == nil {
		if err := r.g.openComplaints(ctx, &r.undo); err != nil {
			return err
		}
	}
	if err := r.commit(ctx); err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	return r.g.office.register.Work(ctx, r.now)
}

// Close commits what was taken, makes all that was concluded of it durable,
// and closes the store.
func (r *Replay) Close(ctx context.Context) error {
	var err error
	if r.now != 0 {
		err = r.settle(ctx)
	}
	return errors.Join(err, r.undo.unwind(r.g.log))
}

// begin is the start of a gateway at a time.
func (r *Replay) begin(ctx context.Context, ms int64) error {
	r.now, r.began = ms, ms
	r.date = r.dateOf(ms)
	r.tick = time.UnixMilli(ms).Truncate(tickEvery).Add(tickEvery).UnixMilli()
	if current := r.g.inventory.Current(); current != nil && current.Hash == r.g.loaded.Hash {
		return nil
	}
	entry, err := r.g.inventory.prepare(r.g.loaded)
	if err != nil {
		return err
	}
	return r.commitOne(ctx, entry)
}

func (r *Replay) minute(ctx context.Context) error {
	tick := journal.Entry{Type: journal.TypeTick}
	date := r.dateOf(r.now)
	if date == r.date {
		return r.decide(ctx, intake.Item{Command: commandOf(tick)})
	}
	r.date = date
	if err := r.settle(ctx); err != nil { // its tick is the first of the new day
		return err
	}
	return r.putAway(ctx)
}

// putAway does what a gateway does each minute (gateway.putAway), in this
// goroutine.
func (r *Replay) putAway(ctx context.Context) error {
	g := r.g
	for _, date := range g.series.Due() {
		a, err := g.series.Seal(ctx, date)
		if err != nil {
			return err
		}
		if err := r.commitOne(ctx, journal.Entry{Type: journal.TypeArchive, Archive: &a}); err != nil {
			return err
		}
		if err := r.flush(); err != nil {
			return err
		}
	}
	_, retained := g.series.Retain(ctx, r.now, g.policy(), g.passed(true))
	_, expired := g.quarantine.Expire(ctx, time.UnixMilli(r.now).Add(-g.cfg.Retention.Quarantine.Duration).UnixMilli())
	return errors.Join(retained, expired)
}

// settle commits with a tick and makes everything durable up to it.
func (r *Replay) settle(ctx context.Context) error {
	if err := r.commitOne(ctx, journal.Entry{Type: journal.TypeTick}); err != nil {
		return err
	}
	if err := r.flush(); err != nil {
		return err
	}
	image := r.g.gate.Image()
	if err := r.g.dedupe.Save(ctx, image); err != nil {
		return err
	}
	r.g.committer.saved.Store(image.Pos())
	return nil
}

// commitOne commits what waits, and then one entry.
func (r *Replay) commitOne(ctx context.Context, e journal.Entry) error {
	if err := r.commit(ctx); err != nil {
		return err
	}
	r.through = true
	defer func() { r.through = false }()
	return r.decide(ctx, intake.Item{Command: commandOf(e)})
}

func commandOf(e journal.Entry) *intake.Command {
	return &intake.Command{Entries: []journal.Entry{e}, Done: func(uint64, intake.Verdict, error) {}}
}

func (r *Replay) decide(ctx context.Context, item intake.Item) error {
	plan, err := r.g.gate.Decide(ctx, intake.Instant{Wall: r.now, Mono: r.now - r.began}, []intake.Item{item})
	if err != nil {
		return err
	}
	if err := r.g.gate.Commit(ctx, plan); err != nil {
		return err
	}
	if len(r.pending) < r.most {
		return nil
	}
	return r.commit(ctx)
}

func (r *Replay) commit(ctx context.Context) error {
	if len(r.pending) == 0 {
		return nil
	}
	entries := r.pending
	r.pending = make([]journal.Entry, 0, cap(entries))
	_, err := r.append(ctx, entries)
	return err
}

// append commits entries and hands them on.
func (r *Replay) append(ctx context.Context, entries []journal.Entry) (uint64, error) {
	head := r.g.journal.Head()
	first, err := r.g.journal.Append(ctx, entries)
	if err != nil {
		return 0, err
	}
	r.g.inventory.committed(entries)
	r.g.staff.committed(entries)
	if first != head+1 { // the day's own entry lies between
		all, err := r.g.journal.Read(ctx, head, 1)
		if err != nil {
			return 0, err
		}
		r.give(all[:first-head-1])
	}
	r.give(entries)
	return first, nil
}

// gathered is the gate's journal: what it appends waits until it is enough.
type gathered Replay

var _ intake.Journal = (*gathered)(nil)

// Append keeps entries for the next commit; their positions come with it.
func (r *gathered) Append(ctx context.Context, entries []journal.Entry) (uint64, error) {
	if r.through {
		return (*Replay)(r).append(ctx, entries)
	}
	r.pending = append(r.pending, entries...)
	return 0, nil
}

func (r *Replay) dateOf(ms int64) string {
	return time.UnixMilli(ms).In(r.g.cfg.City.Zone).Format(time.DateOnly)
}

// carried is a follower in a goroutine of its own.
type carried struct {
	f     Follower
	often bool // what it concludes is asked for while it goes on
	in    chan step
	since int // entries applied and not flushed

	flushedAt int64 // receive time, Unix ms
	err       error
}

type step struct {
	entries []journal.Entry
	flushed chan<- error // not nil: flush, and tell
}

// carryAhead is how many commits a follower may be behind.
const carryAhead = 16

// carry starts the followers.
func (r *Replay) carry() {
	var done sync.WaitGroup
	for _, x := range r.g.runners {
		c := &carried{f: x.f, often: x.f == &r.g.traffic, in: make(chan step, carryAhead)}
		r.carried = append(r.carried, c)
		done.Go(c.run)
	}
	r.undo.push("followers", func() error {
		for _, c := range r.carried {
			close(c.in)
		}
		done.Wait()
		return nil
	})
}

func (c *carried) run() {
	for s := range c.in {
		if c.err == nil && len(s.entries) > 0 {
			c.err = c.f.Apply(s.entries)
			c.since += len(s.entries)
		}
		if c.err == nil && (s.flushed != nil || c.since >= flushMost || c.often && c.passed(s.entries)) {
			c.err = c.f.Flush()
			c.since = 0
		}
		if s.flushed != nil {
			s.flushed <- c.err
		}
	}
}

// oftenMs is how often what the watch asks for on line is flushed.
const oftenMs = 5 * 60 * 1000

// passed tells whether so much time has passed since the last flush.
func (c *carried) passed(entries []journal.Entry) bool {
	if n := len(entries); n > 0 && entries[n-1].Recv-c.flushedAt >= oftenMs {
		c.flushedAt = entries[n-1].Recv
		return true
	}
	return false
}

func (r *Replay) give(entries []journal.Entry) {
	for _, c := range r.carried {
		c.in <- step{entries: entries}
	}
}

// flush waits until every follower has applied what it was given, durably.
func (r *Replay) flush() error {
	flushed := make(chan error, len(r.carried))
	for _, c := range r.carried {
		c.in <- step{flushed: flushed}
	}
	var errs []error
	for range r.carried {
		errs = append(errs, <-flushed)
	}
	return errors.Join(errs...)
}

// catchUp gives the followers what the journal has and they do not.
func (r *Replay) catchUp(ctx context.Context) error {
	for _, c := range r.carried {
		after := c.f.Cursor()
		for after < r.g.journal.Head() {
			const portion = 4096
			entries, err := r.g.journal.Read(ctx, after, portion)
			if err != nil {
				return err
			}
			c.in <- step{entries: entries}
			after = entries[len(entries)-1].Pos
		}
	}
	return r.flush()
}
