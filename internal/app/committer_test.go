package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
)

// hanging is a journal whose fsync comes back only when it is let go.
type hanging struct{ began, letGo chan struct{} }

func (h *hanging) Append(context.Context, []journal.Entry) (uint64, error) {
	h.began <- struct{}{}
	<-h.letGo
	return 1, nil
}

// unused is a quarantine that nothing comes to.
type unused struct{ intake.Quarantine }

// A disk that hangs fails no commit: readyz looks at how long one takes.
func TestReadyzTellsACommitThatHangs(t *testing.T) {
	l := newLine(t)
	var mono atomic.Int64
	wall := time.UnixMilli(l.recv)
	clock := func() intake.Instant {
		return intake.Instant{Wall: wall.UnixMilli() + mono.Load(), Mono: mono.Load()}
	}
	h := &hanging{began: make(chan struct{}), letGo: make(chan struct{})}
	gate, err := intake.New(intake.Options{
		Journal: h, Quarantine: unused{}, Dedupe: intake.NewDedupe(0), Clock: intake.NewClockGuard(0, 0), Plates: intake.NewPlates(t.TempDir()),
		Metrics: intake.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
		Inventory: func() *inventory.Version { return nil }, Limits: func(string) source.Limits { return source.Limits{} },
		Decode: func(string, string, []byte) wire.Decoded { return wire.Decoded{} },
	}, 0, 0)
	require.NoError(t, err)
	store, err := intake.OpenStore(t.Context(), filepath.Join(t.TempDir(), "dedupe.db"))
	require.NoError(t, err)
	defer store.Close()
	queue := intake.NewQueue(8, 1<<20)
	c := &committer{queue: queue, gate: gate, store: store, clock: clock, disk: "/data", log: slog.New(slog.DiscardHandler), imageEvery: time.Hour, wake: make(chan struct{}, 1), saved: &atomic.Uint64{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.run(t.Context())
	}()
	ready := &readiness{journal: l.j, committer: c, clockBad: func() string { return "" }, now: func() time.Time { return wall }, zone: time.UTC}

	committed := make(chan struct{})
	require.NoError(t, queue.Do(t.Context(), &intake.Command{
		Entries: []journal.Entry{{Type: journal.TypeTick}},
		Done:    func(uint64, intake.Verdict, error) { close(committed) },
	}))
	<-h.began
	mono.Add(4000)
	require.True(t, ready.Ready(t.Context()).Ready, "slow is not hung")
	mono.Add(8000)
	answer := ready.Ready(t.Context())
	require.False(t, answer.Ready)
	require.Equal(t, "commit", answer.Reasons[0].Code)
	require.Contains(t, answer.Reasons[0].Detail, "running for 12s")
	require.Contains(t, answer.Reasons[0].Detail, "/data")

	close(h.letGo)
	<-committed
	require.Eventually(t, func() bool { return ready.Ready(t.Context()).Ready }, 30*time.Second, time.Millisecond)
	queue.Close()
	<-ended
}
