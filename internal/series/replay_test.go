package series_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// retiredBed has three archived days, the first two of them retired, and all
// that its journal held before.
func retiredBed(t *testing.T) (*bed, []journal.Entry) {
	t.Helper()
	b := newBed(t)
	b.fill(1, day0, 4, 400)
	b.seal()
	all, err := b.j.Read(t.Context(), 0, 1<<20)
	require.NoError(t, err)
	require.Len(t, all, int(b.j.Head()))
	retired, err := b.f.Retain(t.Context(), day0+3*day, series.Policy{Journal: 1}, b.j.Head())
	require.NoError(t, err)
	require.Equal(t, []string{"2026-03-02", "2026-03-03"}, retired)
	return b, all
}

func (b *bed) replay(after uint64) (got []journal.Entry, reached uint64) {
	b.t.Helper()
	reached, err := b.f.Replay(b.t.Context(), after, func(entries []journal.Entry) error {
		require.NotEmpty(b.t, entries)
		got = append(got, entries...)
		return nil
	})
	require.NoError(b.t, err)
	return got, reached
}

func TestReplayGivesWhatWasRetired(t *testing.T) {
	b, all := retiredBed(t)
	first := b.j.Days()[0].First
	second := b.f.Archived()[1].First
	for _, after := range []uint64{0, 1, 77, second - 2, second - 1, second, first - 2} {
		got, reached := b.replay(after)
		require.Equal(t, first-1, reached)
		require.Equal(t, all[after:first-1], got, "after %d", after)
	}
	for _, after := range []uint64{first - 1, first, b.j.Head()} {
		got, reached := b.replay(after)
		require.Empty(t, got, "the journal has it")
		require.Equal(t, after, reached)
	}
}

func TestReplayPastRetentionLeavesHoles(t *testing.T) {
	b, all := retiredBed(t)
	first := b.j.Days()[0].First
	_, err := b.f.Retain(t.Context(), day0+3*day, series.Policy{Parking: 1, Journal: 1}, b.j.Head())
	require.NoError(t, err)
	var want []journal.Entry
	for _, e := range all[:first-1] {
		if e.Type == journal.TypeReading {
			switch e.Reading.Kind {
			case city.KindSpot, city.KindGate, city.KindCount:
				continue
			default:
			}
		}
		want = append(want, e)
	}
	require.Less(t, len(want), int(first-1))
	got, reached := b.replay(0)
	require.Equal(t, want, got)
	require.Equal(t, first-1, reached, "the end is reached though nothing may lie there")
}

func TestReplayStopsWhereItFails(t *testing.T) {
	b, _ := retiredBed(t)
	second := b.f.Archived()[1].First
	failure := errors.New("no")
	reached, err := b.f.Replay(t.Context(), 3, func(entries []journal.Entry) error {
		if entries[0].Pos >= second {
			return failure
		}
		return nil
	})
	require.ErrorIs(t, err, failure)
	require.Equal(t, second-1, reached)

	ctx, cancel := context.WithCancel(t.Context())
	_, err = b.f.Replay(ctx, 0, func([]journal.Entry) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
	left, err := filepath.Glob(filepath.Join(b.dir, "archive", "entries-*"))
	require.NoError(t, err)
	require.Empty(t, left, "no file of the sorting is left")
}

func TestReplayTellsWhatIsNowhere(t *testing.T) {
	b, _ := retiredBed(t)
	b.close()
	require.NoError(t, os.Remove(filepath.Join(b.dir, "archive", "days", "2026-03-02.json")))
	b.open()
	_, err := b.f.Replay(t.Context(), 5, func([]journal.Entry) error { return errors.New("not to be called") })
	require.ErrorContains(t, err, "positions 6 to")
	require.ErrorContains(t, err, "neither in the journal nor in the archive")
	got, _ := b.replay(b.f.Archived()[0].First - 1)
	require.NotEmpty(t, got, "the day that is there still serves")
}
