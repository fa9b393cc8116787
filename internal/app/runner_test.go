package app

import (
	"context"
	"errors"
	"log/slog"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
)

// tape is a follower that notes what it is given.
type tape struct {
	mu      sync.Mutex
	seen    []uint64
	flushed uint64
	flushes int
	bad     uint64 // position at which Apply panics
	fails   int    // flushes that fail
	breaks  int    // flushes that panic
	reopens int
	broken  int // reopens that fail
}

// Reopen forgets what was not flushed.
func (f *tape) Reopen(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reopens++
	if f.reopens <= f.broken {
		return errors.New("the file is locked")
	}
	f.seen = f.seen[:sort.Search(len(f.seen), func(i int) bool { return f.seen[i] > f.flushed })]
	return nil
}

func (f *tape) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bad = 0
}

func (f *tape) reopened() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reopens
}

func (*tape) Name() string { return "tape" }
func (*tape) Close() error { return nil }

func (f *tape) Cursor() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.flushed
}

func (f *tape) Apply(entries []journal.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		if e.Pos == f.bad {
			panic("a bad entry")
		}
		f.seen = append(f.seen, e.Pos)
	}
	return nil
}

func (f *tape) Flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.breaks > 0 {
		f.breaks--
		f.seen = append(f.seen, 0) // half done
		panic("a bad flush")
	}
	if f.fails > 0 {
		f.fails--
		return errors.New("disk full")
	}
	f.flushes++
	if n := len(f.seen); n > 0 {
		f.flushed = f.seen[n-1]
	}
	return nil
}

type line struct {
	t    *testing.T
	j    *journal.Journal
	feed *journal.Feed
	recv int64
}

func newLine(t *testing.T) *line {
	t.Helper()
	j, err := journal.Open(t.Context(), t.TempDir(), journal.Options{Zone: time.UTC})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	return &line{t: t, j: j, feed: journal.NewFeed(j, 8), recv: 1_790_000_000_000}
}

func (l *line) append(n int) {
	l.t.Helper()
	for range n {
		l.recv++
		entries := []journal.Entry{{Type: journal.TypeTick, Recv: l.recv}}
		_, err := l.j.Append(l.t.Context(), entries)
		require.NoError(l.t, err)
		l.feed.Publish(entries)
	}
}

// follow runs f until stop is called, which returns once the runner has ended.
func (l *line) follow(f *tape, from archived) (r *runner, stop func()) {
	r = &runner{
		f: f, reopen: f.Reopen, backoff: func(int) time.Duration { return time.Millisecond }, feed: l.feed, archive: from,
		flushEvery: time.Millisecond, flushMost: 1000, log: slog.New(slog.DiscardHandler), now: time.Now,
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run(ctx, l.t.Context())
	}()
	return r, func() {
		cancel()
		<-done
	}
}

func (l *line) wantAll(f *tape) {
	l.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Len(l.t, f.seen, int(l.j.Head()))
	for i, pos := range f.seen {
		require.Equal(l.t, uint64(i+1), pos, "in order, each once")
	}
	require.Equal(l.t, l.j.Head(), f.flushed)
}

func TestARunnerAppliesEverythingBeforeItStops(t *testing.T) {
	l := newLine(t)
	l.append(100) // more than the feed's ring holds: the disk serves the rest
	f := &tape{}
	_, stop := l.follow(f, nil)
	l.append(50)
	stop()
	l.wantAll(f)
}

// What queries see only once it is flushed is lag until then.
func TestNoLagMeansThatQueriesSeeIt(t *testing.T) {
	l := newLine(t)
	f := &tape{}
	waits := true
	r := &runner{f: f, feed: l.feed, flushEvery: time.Hour, soon: func() bool { return waits }, flushMost: 1000, log: slog.New(slog.DiscardHandler), now: time.Now}
	l.append(3)
	entries, err := l.feed.Next(t.Context(), 0)
	require.NoError(t, err)
	p := &place{flushedAt: time.Now(), wait: time.Hour}
	require.NoError(t, r.take(p, entries))
	require.Zero(t, r.status().Applied, "applied, and not yet seen")
	require.Equal(t, entries[len(entries)-1].Recv, r.status().Recv)
	p.wait = 0
	require.NoError(t, r.take(p, nil))
	require.EqualValues(t, len(entries), r.status().Applied)
	waits = false
	p.wait = time.Hour
	l.append(1)
	entries, err = l.feed.Next(t.Context(), 3)
	require.NoError(t, err)
	require.NoError(t, r.take(p, entries))
	require.EqualValues(t, 4, r.status().Applied, "nothing waits: it is seen at once")
}

func TestAFlushThatFailsIsTriedAgain(t *testing.T) {
	l := newLine(t)
	f := &tape{fails: 1}
	r, stop := l.follow(f, nil)
	l.append(10)
	require.Eventually(t, func() bool { return r.status().Fault != "" }, 30*time.Second, time.Millisecond, "the fault is told")
	require.Eventually(t, func() bool { s := r.status(); return s.Fault == "" && s.Flushed == s.Applied }, 30*time.Second, time.Millisecond)
	stop()
	l.wantAll(f)
}

// However often it flushes when all is well, it holds nothing back then.
func TestAFollowerThatCatchesUpWaitsForNothing(t *testing.T) {
	for _, every := range []time.Duration{flushSoon, retryFlush, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			r := &runner{f: &tape{}, flushEvery: every, flushMost: 40, log: slog.New(slog.DiscardHandler), now: time.Now}
			p := &place{flushedAt: time.Now(), wait: every}
			began := time.Now()
			for pos := uint64(1); pos <= 400; pos++ {
				require.NoError(t, r.takeOrHold(t.Context(), t.Context(), p, []journal.Entry{{Pos: pos, Type: journal.TypeTick}}))
			}
			require.Zero(t, time.Since(began))
		})
	}
}

// A flush that panics leaves a memory that is not to be trusted.
func TestAFollowerWhoseFlushPanicsIsOpenedAnew(t *testing.T) {
	l := newLine(t)
	f := &tape{breaks: 2}
	r, stop := l.follow(f, nil)
	l.append(10)
	require.Eventually(t, func() bool { s := r.status(); return s.Fault == "" && s.Flushed == l.j.Head() }, 30*time.Second, time.Millisecond)
	require.Equal(t, 2, f.reopened())
	stop()
	l.wantAll(f)
}

// A disk that is full while a follower catches up must not fill the memory:
// it takes no more until its flush works again.
func TestAFollowerWhoseFlushFailsTakesNoMoreThanItMay(t *testing.T) {
	l := newLine(t)
	f := &tape{fails: 1 << 30}
	applied := func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.seen)
	}
	r := &runner{f: f, feed: l.feed, flushEvery: time.Millisecond, flushMost: 40, log: slog.New(slog.DiscardHandler), now: time.Now}
	r.archive = func(_ context.Context, after uint64, each func([]journal.Entry) error) (uint64, error) {
		for ; after < 400; after++ {
			if err := each([]journal.Entry{{Pos: after + 1, Type: journal.TypeTick, Recv: l.recv}}); err != nil {
				return after, err
			}
		}
		return after, nil
	}
	done := make(chan error, 1)
	go func() {
		_, err := r.fromArchive(t.Context(), t.Context(), &place{flushedAt: time.Now(), wait: r.flushEvery})
		done <- err
	}()
	require.Eventually(t, func() bool { return r.status().Fault != "" }, 30*time.Second, time.Millisecond, "the fault is told")
	time.Sleep(200 * time.Millisecond)
	require.LessOrEqual(t, applied(), 40)
	f.mu.Lock()
	f.fails = 0
	f.mu.Unlock()
	require.NoError(t, <-done)
	require.Equal(t, 400, applied(), "and goes on by itself")
}

// A follower that fails harms no other, and goes on by itself once what was
// wrong is right again: nothing is left out, nothing is there twice.
func TestAFollowerThatFailsIsOpenedAnewUntilItGetsOn(t *testing.T) {
	l := newLine(t)
	bad, good := &tape{bad: 5, broken: 3}, &tape{}
	r, stopBad := l.follow(bad, nil)
	_, stopGood := l.follow(good, nil)
	l.append(20)
	require.Eventually(t, func() bool { return bad.reopened() > bad.broken+2 }, 30*time.Second, time.Millisecond)
	require.Contains(t, r.status().Fault, "a bad entry", "told as long as it is not over it")
	require.Less(t, bad.Cursor(), uint64(5), "the cursor stays before what was not applied")
	l.append(5)
	require.Eventually(t, func() bool { return good.Cursor() == l.j.Head() }, 30*time.Second, time.Millisecond, "the others go on")
	bad.mend()
	require.Eventually(t, func() bool { s := r.status(); return s.Fault == "" && s.Flushed == l.j.Head() }, 30*time.Second, time.Millisecond)
	l.append(5)
	stopBad()
	stopGood()
	l.wantAll(good)
	l.wantAll(bad)
}

// An entry that no attempt gets over is told without a break, tried with
// longer and longer waits, and holds up no stop.
func TestAnEntryThatAFollowerNeverGetsOver(t *testing.T) {
	l := newLine(t)
	f := &tape{bad: 5}
	var mu sync.Mutex
	var waits []int
	r, stop := l.follow(f, nil)
	stop()
	r.backoff = func(n int) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		waits = append(waits, n)
		return time.Millisecond
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run(ctx, t.Context())
	}()
	l.append(10)
	require.Eventually(t, func() bool { return r.status().Fault != "" }, 30*time.Second, time.Millisecond)
	for n := f.reopened() + 10; f.reopened() < n; {
		require.Contains(t, r.status().Fault, "a bad entry")
		l.append(1) // what is tried reaches further each time
	}
	cancel()
	<-done
	require.Subset(t, waits, []int{0, 1, 2, 3, 4, 5, 6, 7})
	require.Equal(t, time.Second, reopenBackoff(0))
	require.Equal(t, 8*time.Second, reopenBackoff(3))
	require.Equal(t, time.Minute, reopenBackoff(1000))
}

// retire lets the journal's first day go and returns an archive of it, without
// the entry at a position.
func (l *line) retire(without uint64) archived {
	l.t.Helper()
	days := l.j.Days()
	require.Len(l.t, days, 2)
	all, err := l.j.Read(l.t.Context(), 0, 1<<20)
	require.NoError(l.t, err)
	require.NoError(l.t, l.j.Retire(l.t.Context(), days[0].Date))
	return func(_ context.Context, after uint64, each func([]journal.Entry) error) (uint64, error) {
		for _, e := range all[after:days[0].Last] {
			if e.Pos == without {
				continue
			}
			if err := each([]journal.Entry{e}); err != nil {
				return after, err
			}
		}
		return days[0].Last, nil
	}
}

func TestARunnerTakesFromTheArchiveWhatTheJournalHasRetired(t *testing.T) {
	l := newLine(t)
	l.append(20)
	l.recv += 24 * 3600 * 1000
	l.append(20)
	last := l.j.Days()[0].Last
	archive := l.retire(last) // past its retention
	f := &tape{flushed: 7}
	r := &runner{f: f, reopen: f.Reopen, feed: l.feed, archive: archive, flushEvery: time.Millisecond, flushMost: 1000, log: slog.New(slog.DiscardHandler), now: time.Now}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	r.run(over, t.Context())
	require.Empty(t, r.status().Fault)
	require.Empty(t, f.seen, "a stop does not wait for an archive")

	_, stop := l.follow(f, archive)
	require.Eventually(t, func() bool { return f.Cursor() == l.j.Head() }, 30*time.Second, time.Millisecond)
	stop()
	var want []uint64
	for pos := uint64(8); pos <= l.j.Head(); pos++ {
		if pos != last {
			want = append(want, pos)
		}
	}
	require.Equal(t, want, f.seen, "in order, each once")

	r, stop = l.follow(&tape{}, nil)
	require.Eventually(t, func() bool { return r.status().Fault != "" }, 30*time.Second, time.Millisecond, "without an archive it is a fault")
	stop()
}
