package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/proof"
)

// TestASignerThatFailsIsTold: it is counted at once, and after two hours the
// gateway says that it is not ready, until a signature works.
func TestASignerThatFailsIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	open := func(ctx context.Context) (*ledger.Follower, error) {
		return ledger.Open(ctx, path, ledger.Options{Timeline: &inventory.Timeline{}, Zone: time.UTC})
	}
	books := &ledgerSeat{}
	require.NoError(t, books.take(t.Context(), open))
	key, err := proof.NewKey(proof.Name("test"))
	require.NoError(t, err)
	var mono atomic.Int64
	s := newSigner()
	s.books, s.log, s.by = books, slog.New(slog.DiscardHandler), ledger.Signer{Key: key, City: "test"}
	s.at, s.mono = func() int64 { return 1_772_000_000_000 }, mono.Load
	l := newLine(t)
	ready := &readiness{journal: l.j, committer: &committer{clock: func() intake.Instant { return intake.Instant{Mono: mono.Load()} }}, clockBad: func() string { return "" }, now: time.Now, zone: time.UTC, unsigned: s.status}
	pass := func(d time.Duration) { mono.Add(d.Milliseconds()) }

	require.NoError(t, s.sign(t.Context()))
	pass(2 * time.Hour)
	require.Empty(t, s.status(), "just in time")
	require.NoError(t, s.sign(t.Context()), "nothing came: it is signed as it is")
	require.Zero(t, s.age())

	require.NoError(t, books.now().Close())
	require.Error(t, s.sign(t.Context()))
	require.EqualValues(t, 1, s.failed.Load())
	require.Empty(t, s.status(), "it is tried again")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, s.sign(gone))
	require.EqualValues(t, 1, s.failed.Load(), "who asked has gone: that is no fault")
	pass(2*time.Hour + time.Minute)
	require.Error(t, s.sign(t.Context()))
	require.Equal(t, 2*time.Hour+time.Minute, s.age())
	answer := ready.Ready(t.Context())
	require.False(t, answer.Ready)
	require.Equal(t, "signing", answer.Reasons[0].Code)
	require.Contains(t, answer.Reasons[0].Detail, "2h1m0s: ")

	require.NoError(t, books.take(t.Context(), open))
	t.Cleanup(func() { require.NoError(t, books.now().Close()) })
	require.NoError(t, s.sign(t.Context()))
	require.Empty(t, s.status())
}
