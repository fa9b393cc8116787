package followertest

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// inPieces cuts the history one by one, and into random pieces.
func (s *suite[F]) inPieces(t *testing.T) {
	t.Helper()
	for _, most := range []int{1, len(s.Entries) / 6} {
		r, chance := s.run(t), random(most)
		for _, mark := range s.marks() {
			for r.at < mark {
				r.apply(min(1+chance.IntN(most), mark-r.at))
				if chance.IntN(16) == 0 {
					r.flush()
				}
			}
			r.same("in pieces of up to ", most)
			r.flush()
			r.same("flushed, in pieces of up to ", most)
		}
	}
}

// twice gives again what was given, alone, and before what is new.
func (s *suite[F]) twice(t *testing.T) {
	t.Helper()
	r := s.run(t)
	for i, mark := range s.marks() {
		r.apply(mark - r.at)
		require.NoError(t, r.f.Apply(s.Entries[:mark]))
		require.NoError(t, r.f.Apply(s.Entries[mark/2:mark]))
		r.same("given twice")
		if i%2 == 0 {
			r.flush()
			require.NoError(t, r.f.Apply(s.Entries[:mark]))
			r.same("given twice after a flush")
		}
		more := min(mark+5, len(s.Entries))
		require.NoError(t, r.f.Apply(s.Entries[mark/2:more]))
		r.at = more
	}
	r.flush()
	r.same()
}

// goesOn reopens after each flush: without the journal the answers are as they
// were, and the rest of the journal makes the same of them as if there had
// been no stop.
func (s *suite[F]) goesOn(t *testing.T) {
	t.Helper()
	r := s.run(t)
	for _, mark := range s.marks() {
		r.apply(mark - r.at)
		r.flush()
		r.reopen()
		r.same("reopened")
		require.NoError(t, r.f.Apply(s.Entries[:r.at]), "at or before the cursor")
		r.same("given again what lies before the cursor")
		r.flush()
		r.reopen()
	}
	r.apply(len(s.Entries))
	r.same()
}

// crash reopens without a flush, and gives the tail again; once from the
// cursor, once from the journal's begin.
func (s *suite[F]) crash(t *testing.T) {
	t.Helper()
	for _, begin := range []bool{false, true} {
		r := s.run(t)
		flushed := 0
		for i, mark := range s.marks() {
			r.apply(mark - r.at)
			r.reopen()
			if !r.Partly {
				require.Equal(t, flushed, r.at)
			}
			if begin {
				r.at = 0
			}
			r.apply(mark - r.at)
			r.same("after a crash")
			if i%2 == 1 {
				r.flush()
				flushed = mark
			}
		}
	}
}

func (s *suite[F]) nothing(t *testing.T) {
	t.Helper()
	r := s.run(t)
	require.NoError(t, r.f.Flush())
	require.Zero(t, r.f.Cursor())
	require.NoError(t, r.f.Apply(nil))
	r.same()
	r.apply(s.marks()[0])
	r.flush()
	cursor := r.f.Cursor()
	require.NoError(t, r.f.Apply(nil))
	require.NoError(t, r.f.Flush())
	require.NoError(t, r.f.Flush())
	require.Equal(t, cursor, r.f.Cursor())
	r.same()
}

// flushFails lets the flush fail at each table of the file in turn, as a full
// disk would in its middle. What it did before is undone, what was applied
// stays, more may be applied, and a flush that works makes up for all; or the
// gateway stops, and the journal's tail does.
func (s *suite[F]) flushFails(t *testing.T) {
	t.Helper()
	r := s.run(t)
	file, err := sqlite.Open(t.Context(), filepath.Join(r.dir, s.File), sqlite.Options{})
	require.NoError(t, err)
	defer file.Close()
	do := func(query string, args ...any) {
		_, err := file.W.ExecContext(t.Context(), fmt.Sprintf(query, args...))
		require.NoError(t, err)
	}
	rows, err := file.R.QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'goose*' AND name NOT GLOB 'sqlite*'")
	require.NoError(t, err)
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	require.NoError(t, rows.Err())
	failed := 0
	piece := len(s.Entries) / (2*len(tables) + 1)
	r.apply(len(s.Entries) - 2*len(tables)*piece)
	for i, table := range tables {
		for _, on := range []string{"INSERT", "UPDATE", "DELETE"} {
			do("CREATE TRIGGER full_%s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'full'); END", on, on, table)
		}
		before := r.f.Cursor()
		r.apply(piece)
		err := r.f.Flush()
		if err != nil {
			failed++
			if !s.Partly {
				require.Equal(t, before, r.f.Cursor(), "nothing is durable: %v", err)
			}
			r.same("a failed flush of ", table)
			require.Error(t, r.f.Flush())
		}
		r.apply(piece)
		for _, on := range []string{"INSERT", "UPDATE", "DELETE"} {
			do("DROP TRIGGER full_%s", on)
		}
		if err != nil && i%2 == 1 {
			again := r.at
			r.reopen()
			r.apply(again - r.at)
			r.same("a crash after a failed flush of ", table)
		}
		r.flush()
		r.same("after a failed flush of ", table)
		if err != nil {
			r.reopen()
			r.same("reopened after a failed flush of ", table)
		}
	}
	require.Positive(t, failed)
}

func (s *suite[F]) closedTwice(t *testing.T) {
	t.Helper()
	r := s.run(t)
	r.apply(s.marks()[0])
	r.flush()
	require.NoError(t, r.f.Close())
	require.NotPanics(t, func() { _ = r.f.Close() })
	r.f = s.Open(t, r.dir)
	r.at = int(r.f.Cursor())
	r.apply(s.marks()[0] - r.at)
	r.same()
}

// unknownType gives what a newer program wrote: it is passed over, and the
// cursor with it.
func (s *suite[F]) unknownType(t *testing.T) {
	t.Helper()
	n := len(s.Entries)
	r := s.run(t)
	r.apply(n)
	r.flush()
	next := journal.Entry{Pos: uint64(n + 1), Recv: s.lastClock(), Type: 250}
	require.NoError(t, r.f.Apply([]journal.Entry{next}))
	for name, got := range r.answers(t, r.f) {
		require.Equal(t, s.answersAt(t, n)[name], got, name)
	}
	require.NoError(t, r.f.Flush())
	if !r.Partly {
		require.Equal(t, next.Pos, r.f.Cursor())
	}
}

// lastClock is the receive time of the last entry that is no reading: the
// followers' clock.
func (s *suite[F]) lastClock() (ms int64) {
	for i := range s.Entries {
		if e := &s.Entries[i]; e.Type != journal.TypeReading {
			ms = e.Recv
		}
	}
	return ms
}

// anything does what can be done in any order.
func (s *suite[F]) anything(t *testing.T) {
	t.Helper()
	for seed := range 2 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r, chance := s.run(t), random(seed)
			for r.at < len(s.Entries) {
				switch chance.IntN(12) {
				case 0:
					r.reopen()
				case 1:
					r.flush()
				case 2:
					from := chance.IntN(r.at + 1)
					require.NoError(t, r.f.Apply(s.Entries[from:r.at]))
				case 3:
					s.answers(t, r.f) // to be asked changes nothing
				default:
					r.apply(1 + chance.IntN(len(s.Entries)/8))
				}
			}
			r.same()
			r.flush()
			r.same()
			r.reopen()
			r.apply(len(s.Entries))
			r.same()
		})
	}
}
