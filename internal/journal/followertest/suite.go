// Package followertest holds the behaviour that every follower of the journal
// has: one suite, which each of them passes with a history of its own.
package followertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Follower is what the gateway drives; app.Follower says what each call means.
type Follower interface {
	Name() string
	Cursor() uint64
	Apply(entries []journal.Entry) error
	Flush() error
	Close() error
}

// Subject is a follower with a history and the questions that it answers.
type Subject[F Follower] struct {
	// Open opens the follower on what an earlier one left in dir.
	Open func(tb testing.TB, dir string) F
	// Entries are the history: positions from 1 on, without holes.
	Entries []journal.Entry
	// Questions have the same answers, whatever way the follower came to a
	// position, and may be asked from any goroutine.
	Questions map[string]Question[F]

	File   string // in dir, the SQLite file that Flush writes
	Partly bool   // Flush makes durable what it can, not all that was applied
}

// Question is something that a follower answers.
type Question[F Follower] struct {
	// Ask returns what can be compared with reflect.DeepEqual. A city.Error of
	// KindNotFound is an answer too.
	Ask     func(ctx context.Context, f F) (any, error)
	Flushed bool // the answer is as of the last flush
}

func (q Question[F]) answer(ctx context.Context, f F) (any, error) {
	answer, err := q.Ask(ctx, f)
	if fault, ok := errors.AsType[*city.Error](err); ok && fault.Kind == city.KindNotFound {
		return fault.Kind, nil
	}
	return answer, err
}

// Suite runs every behaviour.
func Suite[F Follower](t *testing.T, subject Subject[F]) {
	t.Helper()
	require.GreaterOrEqual(t, len(subject.Entries), 60, "too short a history")
	require.NotEmpty(t, subject.Questions)
	for i := range subject.Entries {
		require.Equal(t, uint64(i+1), subject.Entries[i].Pos)
	}
	s := &suite[F]{Subject: subject, truth: map[int]map[string]any{}}
	empty, whole := s.answersAt(t, 0), s.answersAt(t, len(s.Entries))
	for name := range s.Questions {
		require.NotEqual(t, empty[name], whole[name], "%s: the history does not change the answer", name)
	}
	for name, behaviour := range map[string]func(t *testing.T){
		"in any pieces":                        s.inPieces,
		"applied twice is once":                s.twice,
		"goes on at its cursor":                s.goesOn,
		"a crash costs the journal's tail":     s.crash,
		"nothing to do":                        s.nothing,
		"a flush that fails loses nothing":     s.flushFails,
		"asked meanwhile":                      s.askedMeanwhile,
		"closed twice":                         s.closedTwice,
		"a changed value is never served":      s.damaged,
		"an entry of a type it does not know":  s.unknownType,
		"anything anywhere in the whole story": s.anything,
	} {
		t.Run(name, behaviour)
	}
}

type suite[F Follower] struct {
	Subject[F]

	mu    sync.Mutex
	truth map[int]map[string]any // answers by how many entries were applied
}

// run is one follower on its way.
type run[F Follower] struct {
	*suite[F]
	t   *testing.T
	dir string
	f   F
	at  int // entries that are applied
}

func (s *suite[F]) run(t *testing.T) *run[F] {
	t.Helper()
	r := &run[F]{suite: s, t: t, dir: t.TempDir()}
	r.f = s.Open(t, r.dir)
	t.Cleanup(func() { _ = r.f.Close() })
	require.NotEmpty(t, r.f.Name())
	return r
}

// apply applies the next n entries at once.
func (r *run[F]) apply(n int) {
	r.t.Helper()
	n = min(n, len(r.Entries)-r.at)
	require.NoError(r.t, r.f.Apply(r.Entries[r.at:r.at+n]))
	r.at += n
}

func (r *run[F]) flush() {
	r.t.Helper()
	before := r.f.Cursor()
	require.NoError(r.t, r.f.Flush())
	switch cursor := r.f.Cursor(); {
	case r.Partly:
		require.GreaterOrEqual(r.t, cursor, before)
		require.LessOrEqual(r.t, cursor, uint64(r.at))
	default:
		require.Equal(r.t, uint64(r.at), cursor)
	}
}

// reopen closes the follower, flushed or not, and opens it again.
func (r *run[F]) reopen() {
	r.t.Helper()
	cursor := r.f.Cursor()
	require.NoError(r.t, r.f.Close())
	r.f = r.Open(r.t, r.dir)
	require.Equal(r.t, cursor, r.f.Cursor(), "only a flush moves the cursor")
	r.at = int(cursor)
}

// same compares every answer with those of a follower that took all entries
// so far at once; those as of the last flush only where that is now.
func (r *run[F]) same(why ...any) {
	r.t.Helper()
	for name, got := range r.answers(r.t, r.f) {
		if r.Questions[name].Flushed && r.f.Cursor() != uint64(r.at) {
			continue
		}
		require.Equal(r.t, r.answersAt(r.t, r.at)[name], got, "%s after %d entries %s", name, r.at, fmt.Sprint(why...))
	}
}

func (s *suite[F]) answers(t *testing.T, f F) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.Questions)) {
		answer, err := s.Questions[name].answer(t.Context(), f)
		require.NoError(t, err, name)
		all[name] = answer
	}
	return all
}

// answersAt returns what a follower answers that took the first n entries in
// one call and was asked only then.
func (s *suite[F]) answersAt(t *testing.T, n int) map[string]any {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.truth[n] == nil {
		f := s.Open(t, t.TempDir())
		defer func() { require.NoError(t, f.Close()) }()
		require.NoError(t, f.Apply(s.Entries[:n]))
		s.truth[n] = s.answers(t, f)
		require.NoError(t, f.Flush())
		for name, answer := range s.answers(t, f) {
			if s.Questions[name].Flushed {
				s.truth[n][name] = answer
			}
		}
	}
	return s.truth[n]
}

// marks are the places of the history at which answers are compared: few, so
// that what was found once serves all behaviours.
func (s *suite[F]) marks() []int {
	n := len(s.Entries)
	return []int{n / 4, n / 2, 4 * n / 5, n}
}

func random(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 0x51)) }
