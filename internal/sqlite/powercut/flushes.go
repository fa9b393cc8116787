package powercut

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Follower is a store that takes entries and makes them durable together with
// its cursor, as far as Flushes needs it.
type Follower[E any] interface {
	Cursor() uint64
	Apply(entries []E) error
	Flush() error
	Close() error
}

// Flushes cuts the power while a follower makes batches of entries durable, one
// flush a batch. What is left must be exactly what the file holds after one of
// the flushes in a run without a cut: whole flushes, with the cursor that
// belongs to them. From there the follower catches up to the same answers.
type Flushes[E any] struct {
	File    string // name of the follower's file
	Open    func(tb testing.TB, path string) (Follower[E], error)
	Batches [][]E
	Durable bool                                   // a flush that returned is never lost (synchronous=FULL)
	Answers func(tb testing.TB, f Follower[E]) any // what the follower tells after the last batch
	Pages   int                                    // of a checkpoint; default 12
	Every   int                                    // one point in so many is caught up from; default 1
}

// Run tries so many points.
func (s Flushes[E]) Run(tb testing.TB, points int) {
	tb.Helper()
	if s.Pages == 0 {
		s.Pages = 12
	}
	s.Every = max(s.Every, 1)
	dumps, answers := s.reference(tb)
	trace, acks := s.record(tb)
	point, last := 0, len(s.Batches)
	trace.Each(tb, points, func(dir string, ops int) {
		path := filepath.Join(dir, s.File)
		f, err := s.Open(tb, path)
		require.NoError(tb, err, "what a power cut leaves can be opened")
		defer func() { require.NoError(tb, f.Close()) }()
		held, ok := dumps[f.Cursor()]
		require.True(tb, ok, "the cursor %d is of no flush", f.Cursor())
		require.Equal(tb, held.text, Dump(tb, path), "at cursor %d the file does not hold what belongs to it", f.Cursor())
		acked := len(acks.Before(ops)) - 1
		require.LessOrEqual(tb, held.flush, acked+1, "a flush is there that had not begun")
		if s.Durable {
			require.GreaterOrEqual(tb, held.flush, acked, "a flush that returned is gone")
		}
		if point++; point%s.Every != 0 && os.Getenv(pointEnv) == "" {
			return
		}
		if point/s.Every%8 == 0 { // flush by flush: the very same file
			for _, b := range s.Batches[held.flush:] {
				require.NoError(tb, f.Apply(b))
				require.NoError(tb, f.Flush())
			}
			require.Equal(tb, dumps[f.Cursor()].text, Dump(tb, path))
		} else {
			for _, b := range s.Batches { // the journal from its begin: what is known already changes nothing
				require.NoError(tb, f.Apply(b))
			}
			require.NoError(tb, f.Flush())
		}
		require.Equal(tb, last, dumps[f.Cursor()].flush)
		require.Equal(tb, answers, s.Answers(tb, f), "caught up from cursor %d", held.flush)
	})
}

// held is what a file holds after so many flushes.
type held struct {
	flush int
	text  string
}

// reference runs without a disk of ours.
func (s Flushes[E]) reference(tb testing.TB) (dumps map[uint64]held, answers any) {
	tb.Helper()
	path := filepath.Join(Folder(tb), s.File)
	f, err := s.Open(tb, path)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, f.Close()) }()
	dumps = map[uint64]held{f.Cursor(): {0, Dump(tb, path)}}
	for i, b := range s.Batches {
		require.NoError(tb, f.Apply(b))
		require.NoError(tb, f.Flush())
		require.NotContains(tb, dumps, f.Cursor(), "a batch moves the cursor")
		dumps[f.Cursor()] = held{i + 1, Dump(tb, path)}
	}
	return dumps, s.Answers(tb, f)
}

// record runs on a disk.
func (s Flushes[E]) record(tb testing.TB) (*Trace, *Acks[uint64]) {
	tb.Helper()
	dir := Folder(tb)
	disk := New(tb, dir, 0).Checkpoint(s.Pages)
	defer disk.Off()
	trace, acks := disk.Record(), NewAcks[uint64](disk)
	f, err := s.Open(tb, filepath.Join(dir, s.File))
	require.NoError(tb, err)
	acks.Add(f.Cursor())
	for _, b := range s.Batches {
		require.NoError(tb, f.Apply(b))
		require.NoError(tb, f.Flush())
		acks.Add(f.Cursor())
	}
	require.NoError(tb, f.Close())
	return trace, acks
}

// InBatches cuts entries into batches of n and then n+1, n+2, n, ... entries.
func InBatches[E any](entries []E, n int) (batches [][]E) {
	for i := 0; len(entries) > 0; i++ {
		k := min(n+i%3, len(entries))
		batches = append(batches, entries[:k])
		entries = entries[k:]
	}
	return batches
}
