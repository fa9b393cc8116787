package app

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
)

// commit commits all that staff has queued, in its order.
func (s *staff) commit(t *testing.T) {
	t.Helper()
	items, err := s.queue.Take(t.Context(), nil)
	require.NoError(t, err)
	for i := range items {
		s.committed(items[i].Command.Entries)
	}
}

// A change of a closure that was answered with 503 may be committed later; what
// is decided after it must win all the same.
func TestAClosureIsNotOvertakenByAChangeThatWasAnsweredWith503(t *testing.T) {
	busy, cancel := context.WithCancel(t.Context())
	cancel() // nobody waits for the commit
	flood := journal.Closure{Segment: "a", Reason: "flood"}
	s := &staff{queue: intake.NewQueue(16, 1<<20)}
	shut := func() string {
		t.Helper()
		c, _, err := s.Close(busy, flood)
		require.Error(t, err)
		return c.ID
	}
	id := shut()
	s.commit(t)
	require.Len(t, s.Closures(), 1)
	_, made, err := s.Close(busy, flood)
	require.NoError(t, err, "the same again is the same")
	require.False(t, made)

	require.Error(t, s.Reopen(busy, id, "x"))
	shut() // after it
	s.commit(t)
	require.Len(t, s.Closures(), 1, "it was closed last")

	require.Error(t, s.Reopen(busy, id, "x"))
	s.commit(t)
	require.Empty(t, s.Closures())
	shut()
	require.Error(t, s.Reopen(busy, id, "x"))
	s.commit(t)
	require.Empty(t, s.Closures(), "it was taken back last")

	var refused *city.Error
	require.ErrorAs(t, s.Reopen(busy, id, "x"), &refused)
	require.Equal(t, city.KindNotFound, refused.Kind, "nothing is on its way any more")
	s.queue.Close()
	_, _, err = s.Close(busy, flood)
	require.ErrorIs(t, err, errNotQueued)
	require.Empty(t, s.changing)
}
