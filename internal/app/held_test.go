package app

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/influx"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// A target that is behind holds the journal's days, but not for longer than its
// hold_days; before something is lost to it, and after, readyz names the days.
func TestAJournalIsHeldForATargetForSoLong(t *testing.T) {
	l := newLine(t)
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, age := range []int{40, 29, 10, 0} {
		_, err := l.j.Append(t.Context(), []journal.Entry{{Type: journal.TypeTick, Recv: now.Add(-time.Duration(age) * day).UnixMilli()}})
		require.NoError(t, err)
	}
	days := l.j.Days()
	require.Len(t, days, 4)
	g := &gateway{cfg: &config.Config{}, log: slog.New(slog.DiscardHandler), now: func() time.Time { return now }, journal: l.j, feed: l.feed, inventory: &inventories{timeline: &inventory.Timeline{}}}
	require.Equal(t, uint64(1<<64-1), g.held(now), "without targets nothing is held")
	g.cfg.City.Zone, g.cfg.Retention.Readings.Duration, g.cfg.Retention.Journal.Duration = time.UTC, 7*day, 7*day
	dir := t.TempDir()
	require.NoError(t, g.series.take(t.Context(), func(ctx context.Context) (*series.Follower, error) {
		return series.Open(ctx, filepath.Join(dir, "archive"), series.Options{Journal: l.j, Zone: time.UTC, Index: filepath.Join(dir, "series.db")})
	}))
	t.Cleanup(func() { require.NoError(t, g.series.Close()) })
	store, err := influx.OpenStore(t.Context(), filepath.Join(dir, "influx.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	target, err := influx.New(t.Context(), influx.Options{
		ID: "away", Server: influx.Server{URL: "http://127.0.0.1:1", Bucket: "x", Timeout: time.Second}, Readings: true, Rollups: true, Dir: dir, Store: store, Log: influxLog{g},
		Timeline: g.inventory.timeline, Metrics: influx.NewMetrics(prometheus.NewRegistry()), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, target.Close()) })
	g.servers = &servers{targets: []*influx.Target{target}, hold: map[string]int{"away": 30}}
	free := uint64(50)
	g.servers.room = func(string) (uint64, uint64) { return free, 100 }

	there, err := l.j.Read(t.Context(), 0, 100)
	require.NoError(t, err)
	l.feed.Publish(there)
	list, _ := g.servers.ready(t.Context(), &readiness{journal: l.j, zone: time.UTC}, now, func(*influx.Target, *influx.Status) string { return "" })
	require.Len(t, list, 2)
	for _, stream := range list {
		require.Equal(t, (40 * day).Milliseconds(), stream.LagS.V, stream.Name)
	}
	require.Equal(t, days[0].Last, g.held(now), "the day of 40 days ago was held for long enough, the next is held")
	g.servers.hold["away"] = 60
	require.Zero(t, g.held(now), "it needs everything")
	st := target.Status()[0]
	require.Empty(t, g.misses(target, &st))
	g.servers.hold["away"] = 41
	require.Contains(t, g.misses(target, &st), "behind since "+days[0].Date)
	require.Contains(t, g.misses(target, &st), "raise hold_days")
	st.Cursor = days[2].Last
	require.Empty(t, g.misses(target, &st), "it has those days")

	free = 9
	g.servers.hold["away"] = 60
	require.Equal(t, uint64(1<<64-1), g.held(now), "the disk runs short: intake needs the room")
	st.Cursor = 0
	require.Contains(t, g.misses(target, &st), "less than a tenth free")
	free = 50

	// What the archive keeps need not be held in the journal as well.
	entries, err := l.j.Read(t.Context(), 0, 100)
	require.NoError(t, err)
	require.NoError(t, g.series.now().Apply(entries))
	require.Equal(t, days[0].Date, g.series.now().Due()[0])
	_, err = g.series.now().Seal(t.Context(), days[0].Date)
	require.NoError(t, err)
	require.Zero(t, g.held(now), "the archive will not keep a day of 40 days ago")
	g.cfg.Retention.Readings.Duration = 50 * day
	require.Zero(t, g.held(now), "the archive keeps it, but not for the 60 days that are promised")
	g.cfg.Retention.Readings.Duration = 60 * day
	require.Equal(t, days[0].Last, g.held(now))

	// What is let go for want of room is told, by the log and by readyz; so is what
	// only the archive has, before that lets it go.
	var log bytes.Buffer
	g.log = slog.New(slog.NewTextHandler(&log, nil))
	g.tellLost(t.Context(), days, []string{days[0].Date}, days[0].Last)
	require.Empty(t, log.String(), "the archive has it for as long as was promised")
	g.tellLost(t.Context(), days, []string{days[0].Date}, 0)
	require.Contains(t, log.String(), "date="+days[0].Date)
	require.NoError(t, l.j.Retire(t.Context(), days[0].Date))
	require.Empty(t, g.misses(target, &st))
	g.cfg.Retention.Readings.Duration = 41 * day
	require.Contains(t, g.misses(target, &st), "older than 41 days")
}
