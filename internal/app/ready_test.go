package app

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
)

func TestARetryDoesNotMakeAFollowerLookDaysBehind(t *testing.T) {
	l := newLine(t)
	l.append(1)
	first := l.j.Head()
	now := time.UnixMilli(l.recv)
	old := l.recv - 20*24*3600*1000
	_, err := l.j.Append(t.Context(), []journal.Entry{{
		Type: journal.TypeReading, Flags: journal.FlagRetried, Recv: old, Source: "b",
		Reading: &city.Reading{Device: "d", Kind: city.KindSpot, At: old, Spot: &city.Spot{}},
	}})
	require.NoError(t, err)
	r := &readiness{journal: l.j}
	require.Zero(t, r.behind(t.Context(), first, 1, now))
	l.append(1)
	require.Equal(t, 9*time.Second, r.behind(t.Context(), first, 2, time.UnixMilli(l.recv).Add(9*time.Second)))
}

func TestWhoNeedsARetiredDayIsAsFarBehindAsWhatIsLeft(t *testing.T) {
	l := newLine(t)
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, age := range []int{9, 4, 0} {
		_, err := l.j.Append(t.Context(), []journal.Entry{{Type: journal.TypeTick, Recv: now.Add(-time.Duration(age) * day).UnixMilli()}})
		require.NoError(t, err)
	}
	r := &readiness{journal: l.j}
	require.Equal(t, 9*day, r.behind(t.Context(), 0, 3, now))
	require.NoError(t, l.j.Retire(t.Context(), l.j.Days()[0].Date))
	require.Equal(t, 4*day, r.behind(t.Context(), 0, 3, now))
}

func TestAReloadThatWasSentTwiceIsInForceWhereTheJournalSaysSo(t *testing.T) {
	store, err := inventory.OpenStore(t.TempDir())
	require.NoError(t, err)
	v := &inventories{zone: time.UTC, store: store, timeline: &inventory.Timeline{}, waiting: map[string]*inventory.Version{}, onTheWay: map[string]int{}}
	entry := func(pos uint64, devices string) journal.Entry {
		version, faults := inventory.Parse(map[string][]byte{"sites.geojson": []byte(`{"type":"FeatureCollection","features":[]}`), "devices.csv": []byte("id,kind,site,spot\n" + devices)}, time.UTC)
		require.Empty(t, faults)
		e, err := v.prepare(version)
		require.NoError(t, err)
		e.Pos = pos
		return e
	}
	b, c, again := entry(1, ""), entry(2, "\n\n"), entry(3, "")
	require.NotEqual(t, b.Inventory.Hash, c.Inventory.Hash)
	v.committed([]journal.Entry{b})
	v.committed([]journal.Entry{c})
	v.committed([]journal.Entry{again})
	require.Equal(t, b.Inventory.Hash, v.Current().Hash)
	require.Empty(t, v.waiting)
	require.Empty(t, v.onTheWay)
}

// quietSource heard its last message at a time.
type quietSource struct{ last time.Time }

func (quietSource) Run(context.Context) error { return nil }
func (q quietSource) Status() source.Status   { return source.Status{ID: "q", LastMessage: q.last} }

// Our own clock is set back by a year: how long a source has been silent is
// told as before.
func TestSilenceIsNotMeasuredOnTheWall(t *testing.T) {
	for name, q := range map[string]quietSource{"after a message": {time.Now().Add(-2 * time.Hour)}, "never a message": {}} {
		s := startedSource{Source: q, maxSilence: time.Hour, since: time.Now().Add(-2 * time.Hour), fault: func() string { return "" }}
		back := time.Now().Add(-365 * 24 * time.Hour)
		ready, problem := describe(s, back, time.UTC)
		require.True(t, ready.Silent, name)
		require.Contains(t, problem, "silent for 2h", name)
		if !q.last.IsZero() {
			require.GreaterOrEqual(t, ready.AgeS.V, int64(7200))
			require.Equal(t, api.FormatTime(back.Add(-2*time.Hour).UnixMilli(), time.UTC)[:16], ready.LastMessage[:16], "by the clock as it is now")
		}
	}
}
