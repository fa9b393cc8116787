package app

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// closer is a tape that notes its end.
type closer struct {
	tape
	closed bool
	fault  error
}

func (f *closer) Close() error {
	f.closed = true
	return f.fault
}

func TestWhoAsksASeatFindsTheFollowerThatSitsThere(t *testing.T) {
	var opened []*closer
	var fault error
	open := func(context.Context) (*closer, error) {
		if fault != nil {
			return nil, fault
		}
		f := &closer{tape: tape{flushed: uint64(len(opened) + 1)}}
		opened = append(opened, f)
		return f, nil
	}
	var s seat[*closer]
	require.NoError(t, s.take(t.Context(), open))
	require.EqualValues(t, 1, s.Cursor())

	fault = errors.New("locked")
	require.ErrorIs(t, s.Reopen(t.Context()), fault)
	require.EqualValues(t, 1, s.Cursor(), "the one before goes on answering")
	require.False(t, opened[0].closed)

	fault = nil
	opened[0].fault = errors.New("its disk is gone")
	var stale *staleError
	require.ErrorAs(t, s.Reopen(t.Context()), &stale, "told, and replaced all the same")
	require.EqualValues(t, 2, s.Cursor())
	require.True(t, opened[0].closed)
	require.NoError(t, s.Close())
	require.True(t, opened[1].closed)
}

// Who asks while the follower is replaced may find its file closed.
func TestAQuestionIsAskedAgainWhereTheSeatWasGivenMeanwhile(t *testing.T) {
	var s seat[*closer]
	n := uint64(0)
	require.NoError(t, s.take(t.Context(), func(context.Context) (*closer, error) {
		n++
		return &closer{tape: tape{flushed: n}}, nil
	}))
	shut := errors.New("the file is closed")
	question := func(f *closer) (uint64, error) {
		if f.Cursor() == 1 {
			require.NoError(t, s.Reopen(t.Context()))
		}
		if f.closed {
			return 0, shut
		}
		return f.Cursor(), nil
	}
	answer, err := ask(&s, question)
	require.NoError(t, err)
	require.EqualValues(t, 2, answer)
	_, err = ask(&s, func(*closer) (uint64, error) { return 0, shut })
	require.ErrorIs(t, err, shut, "an error of its own is told")
}
