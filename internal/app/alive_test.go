package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
)

func TestWhoHangs(t *testing.T) {
	now := time.Unix(1000, 0)
	p, waits := &pulse{}, false
	l := &liveness{limit: 10 * time.Second, workers: []*worker{{name: "w", pulse: p, waits: func() bool { return waits }}}}
	after := func(d time.Duration) string {
		now = now.Add(d)
		return l.hangs(now)
	}
	require.Empty(t, after(0))
	require.Empty(t, after(time.Hour), "there is nothing to do")
	waits = true
	require.Empty(t, after(time.Second), "not for long yet")
	require.Equal(t, "w", after(20*time.Second), "there is work, and it is not taken up")
	p.work()
	require.Empty(t, after(time.Second))
	require.Empty(t, after(9*time.Second))
	require.Equal(t, "w", after(2*time.Second), "it is at one step for too long")
	for range 5 { // slow, and it goes on
		p.work()
		require.Empty(t, after(9*time.Second))
	}
	waits = false
	p.rest()
	require.Empty(t, after(time.Hour))
	require.Empty(t, after(time.Hour))
}

// stuck is a follower whose Apply waits.
type stuck struct {
	tape
	wait chan struct{}
}

func (f *stuck) Apply(entries []journal.Entry) error {
	<-f.wait
	return f.tape.Apply(entries)
}

func TestAFollowerThatHangsEndsTheSignsOfLife(t *testing.T) {
	l := newLine(t)
	f := &stuck{wait: make(chan struct{})}
	r := &runner{f: f, feed: l.feed, flushEvery: time.Millisecond, flushMost: 1000, log: slog.New(slog.DiscardHandler), now: time.Now}
	queue := intake.NewQueue(1, 1)
	g := &gateway{
		o: Options{Watchdog: 400 * time.Millisecond}, log: slog.New(slog.DiscardHandler), now: time.Now, journal: l.j, feed: l.feed,
		queue: queue, committer: &committer{queue: queue, clock: func() intake.Instant { return intake.Instant{} }}, runners: []*runner{r},
	}
	g.ready = &readiness{journal: l.j, committer: g.committer, clockBad: func() string { return "" }, runners: g.runners, now: time.Now, zone: time.UTC}
	ctx, cancel := context.WithCancel(t.Context())
	var ran sync.WaitGroup
	ran.Go(func() { r.run(ctx, t.Context()) })
	var signs atomic.Int64
	var mu sync.Mutex
	var said []string
	stop := g.watchOver(t.Context(), &notifier{send: func(state string) {
		if state == "WATCHDOG=1" {
			signs.Add(1)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		said = append(said, state)
	}})
	grow := func(why string) {
		before := signs.Load()
		require.Eventually(t, func() bool { return signs.Load() > before+3 }, 30*time.Second, 10*time.Millisecond, why)
	}
	grow("at rest")
	l.append(1)
	require.Eventually(t, func() bool {
		before := signs.Load()
		time.Sleep(300 * time.Millisecond)
		return signs.Load() == before
	}, 10*time.Second, time.Millisecond, "it hangs")
	close(f.wait)
	grow("it goes on")
	require.NoError(t, queue.Offer(t.Context(), source.Message{}))
	require.Eventually(t, func() bool {
		before := signs.Load()
		time.Sleep(300 * time.Millisecond)
		return signs.Load() == before
	}, 10*time.Second, time.Millisecond, "nobody takes from the queue")
	stop()
	cancel()
	ran.Wait()
	mu.Lock()
	defer mu.Unlock()
	text := strings.Join(said, "\n")
	require.Contains(t, text, "STATUS=the follower tape hangs")
	require.Contains(t, text, "STATUS=the committer hangs")
}

// full is a follower whose disk has no room.
type full struct{ tape }

func (*full) Flush() error { return errors.New("disk full") }

// TestWhoHoldsOnWhileTheDiskIsFullDoesNotHang: a restart would not help.
func TestWhoHoldsOnWhileTheDiskIsFullDoesNotHang(t *testing.T) {
	l := newLine(t)
	r := &runner{f: &full{}, feed: l.feed, flushEvery: time.Millisecond, flushMost: 4, log: slog.New(slog.DiscardHandler), now: time.Now}
	ctx, cancel := context.WithCancel(t.Context())
	var ran sync.WaitGroup
	ran.Go(func() { r.run(ctx, ctx) })
	defer ran.Wait()
	defer cancel()
	l.append(1)
	require.Eventually(t, func() bool { return r.pulse.busy.Load() && r.status().Fault != "" }, 30*time.Second, time.Millisecond)
	steps := r.pulse.steps.Load()
	require.Eventually(t, func() bool { return r.pulse.steps.Load() >= steps+3 }, 30*time.Second, 10*time.Millisecond, "each try is a step")
}
