package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// batch takes what is queued, once something is.
func batch(t *testing.T, q *intake.Queue) []*intake.Command {
	t.Helper()
	items, err := q.Take(t.Context(), nil)
	require.NoError(t, err)
	var commands []*intake.Command
	for i := range items {
		commands = append(commands, items[i].Command)
	}
	return commands
}

// gathered waits until n reads wait for the batch after the one being written.
func (s *staff) gathered(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.reads.mu.Lock()
		defer s.reads.mu.Unlock()
		return s.reads.next != nil && len(s.reads.next.lines) == n
	}, 30*time.Second, time.Millisecond)
}

func TestReadsThatComeDuringACommitGoTogether(t *testing.T) {
	s := &staff{queue: intake.NewQueue(16, 1<<20)}
	var asking sync.WaitGroup
	answers := make(chan error, 100)
	ask := func(token string) {
		asking.Go(func() { answers <- s.Access(t.Context(), journal.Access{Token: token}) })
	}
	ask("first")
	first := batch(t, s.queue)
	require.Len(t, first, 1)
	require.Len(t, first[0].Entries[0].Act.Lines, 1)
	for i := range 10 {
		ask(fmt.Sprint("t-", i))
	}
	s.gathered(t, 10)
	select {
	case <-answers:
		require.Fail(t, "nothing is durable yet")
	default:
	}
	first[0].Done(1, intake.Verdict{}, nil)
	require.NoError(t, <-answers)
	second := batch(t, s.queue)
	require.Len(t, second, 1, "ten reads, one entry")
	require.Equal(t, journal.TypeAccess, second[0].Entries[0].Type)
	require.Len(t, second[0].Entries[0].Act.Lines, 10)
	second[0].Done(0, intake.Verdict{}, errors.New("the disk is full"))
	for range 10 {
		require.Equal(t, city.KindUnavailable, city.KindOf(<-answers), "an unlogged read may not happen")
	}
	ask("later")
	third := batch(t, s.queue)
	third[0].Done(2, intake.Verdict{}, nil)
	require.NoError(t, <-answers)
	asking.Wait()
}

func TestReadsOfMoneyAreBounded(t *testing.T) {
	l := &accessLog{busy: true, next: &readBatch{lines: make([]journal.Line, mostReads)}}
	_, _, err := l.join(&journal.Access{})
	require.ErrorIs(t, err, errManyReads)
}

// slowBooks say what they are told to.
type slowBooks struct {
	tried   ledger.Verdict
	said    ledger.Verdict
	reached error
}

func (b *slowBooks) Try(context.Context, *journal.Entry) (ledger.Verdict, error) { return b.tried, nil }

func (b *slowBooks) Reached(context.Context, uint64) error { return b.reached }

func (b *slowBooks) VerdictAt(context.Context, uint64) (ledger.Verdict, error) { return b.said, nil }

func TestAnActIsAnsweredWithTheBooksVerdict(t *testing.T) {
	books, lag := &slowBooks{tried: ledger.Verdict{Outcome: ledger.Booked}}, time.Duration(0)
	s := &staff{
		queue: intake.NewQueue(16, 1<<20), books: books, now: time.Now, log: slog.New(slog.DiscardHandler),
		lag: func(context.Context) time.Duration { return lag },
	}
	act := journal.Entry{Type: journal.TypeClose, Act: &journal.Act{By: "t", Lines: []journal.Line{&journal.Close{Period: "2026-03"}}}}
	done := make(chan error)
	var v ledger.Verdict
	book := func() {
		go func() {
			var err error
			v, err = s.Book(t.Context(), act)
			done <- err
		}()
	}
	commit := func() {
		c := batch(t, s.queue)
		require.Equal(t, []journal.Line{&journal.Close{Period: "2026-03"}}, c[0].Entries[0].Act.Lines)
		c[0].Done(7, intake.Verdict{}, nil)
	}
	// Another one came first: the verdict on the position counts.
	books.said = ledger.Verdict{Outcome: ledger.Known, Entry: 9}
	book()
	commit()
	require.NoError(t, <-done)
	require.Equal(t, books.said, v)

	books.reached = context.DeadlineExceeded
	book()
	commit()
	require.Equal(t, city.KindUnavailable, city.KindOf(<-done), "appended, and not known in time")

	// What would not be booked is not appended, nor anything while they are behind.
	books.tried = ledger.Verdict{Outcome: ledger.Refused}
	book()
	require.NoError(t, <-done)
	require.Equal(t, ledger.Refused, v.Outcome)
	lag = 6 * time.Second
	book()
	require.Equal(t, city.KindUnavailable, city.KindOf(<-done))
	require.Zero(t, s.queue.Len())
}
