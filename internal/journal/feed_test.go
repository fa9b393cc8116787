package journal_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
)

// TestFollowersSeeEverythingOnce: one writer, fast and slow followers and
// readers of the disk, over a change of day and a ring that is far too small.
func TestFollowersSeeEverythingOnce(t *testing.T) {
	j := open(t, folder(t))
	_, err := j.Append(t.Context(), batchOf(10, day0))
	require.NoError(t, err)
	f := journal.NewFeed(j, 300)
	const batches, size = 120, 37
	end := j.Head() + batches*size + 2 // two more days begin

	var all sync.WaitGroup
	for _, start := range []uint64{0, 5, j.Head(), j.Head()} {
		all.Go(func() {
			after := start
			for after < end {
				got, err := f.Next(t.Context(), after)
				if err != nil || len(got) == 0 {
					t.Errorf("after %d: %v", after, err)
					return
				}
				for i := range got {
					if got[i].Pos != after+1 {
						t.Errorf("position %d after %d", got[i].Pos, after)
						return
					}
					after++
				}
			}
		})
	}
	all.Go(func() {
		for j.Head() < end {
			head := j.Head()
			at, err := j.At(t.Context(), []uint64{1, head/2 + 1, head})
			if err != nil || len(at) != 3 {
				t.Errorf("at: %v", err)
				return
			}
		}
	})
	for i := range int64(batches) {
		entries := batchOf(size, day0+i*hour/2)
		_, err := j.Append(t.Context(), entries)
		require.NoError(t, err)
		f.Publish(entries)
	}
	all.Wait()
	require.Equal(t, end, j.Head())
	require.Equal(t, end, f.Head())
}

func TestFollowersShareOneCopy(t *testing.T) {
	j := open(t, folder(t))
	f := journal.NewFeed(j, 0)
	entries := batchOf(10, day0)
	_, err := j.Append(t.Context(), entries)
	require.NoError(t, err)
	f.Publish(entries)
	got, err := f.Next(t.Context(), 4)
	require.NoError(t, err)
	require.Same(t, &entries[3], &got[0])
	require.Len(t, got, 7)
	got, err = f.Next(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, journal.TypeDay, got[0].Type, "the day's own entry comes from the disk")
}

func TestNextWaits(t *testing.T) {
	j := open(t, folder(t))
	_, err := j.Append(t.Context(), batchOf(10, day0))
	require.NoError(t, err)
	f := journal.NewFeed(j, 0)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := f.Next(ctx, j.Head())
		failed <- err
	}()
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)

	_, err = f.Next(t.Context(), j.Head()+1)
	var beyond *journal.BeyondHeadError
	require.ErrorAs(t, err, &beyond)

	// Committed but not published yet: one who has read it from the disk waits.
	entries := batchOf(5, day0+hour)
	_, err = j.Append(t.Context(), entries)
	require.NoError(t, err)
	more := batchOf(5, day0+hour)
	head := j.Head()
	got := make(chan []journal.Entry)
	go func() {
		next, err := f.Next(t.Context(), head)
		if err != nil {
			t.Error(err)
		}
		got <- next
	}()
	f.Publish(entries)
	_, err = j.Append(t.Context(), more)
	require.NoError(t, err)
	f.Publish(more)
	require.Equal(t, more, <-got)
}
