package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

func TestNothingIsLetGoWhileTheClockIsNotTrusted(t *testing.T) {
	l := newLine(t)
	g := &gateway{cfg: &config.Config{}, log: slog.New(slog.DiscardHandler), now: time.Now, began: time.Now(), journal: l.j, feed: l.feed, committer: &committer{saved: &atomic.Uint64{}}}
	g.cfg.Retention.Quarantine.Duration = 24 * time.Hour
	g.cfg.DataDir, g.kept = t.TempDir(), newKeepMetrics(prometheus.NewRegistry())
	require.NoError(t, os.Mkdir(filepath.Join(g.cfg.DataDir, "journal"), 0o700))
	var err error
	g.quarantine, err = journal.OpenQuarantine(t.Context(), filepath.Join(t.TempDir(), "quarantine.db"), [32]byte{}, journal.Limits{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.quarantine.Close()) })
	require.NoError(t, g.series.take(t.Context(), func(ctx context.Context) (*series.Follower, error) {
		return series.Open(ctx, t.TempDir(), series.Options{Journal: l.j, Zone: time.UTC, Index: filepath.Join(t.TempDir(), "series.db")})
	}))
	t.Cleanup(func() { require.NoError(t, g.series.Close()) })
	_, err = g.quarantine.Put(t.Context(), []journal.Item{{Recv: 1, Reason: "not_json", Raw: []byte("{")}})
	require.NoError(t, err)

	g.doubt = &doubt{path: g.path(doubtFile), log: g.log}
	g.clock = intake.NewClockGuard(time.Now().Add(time.Hour).UnixMilli(), 0)
	require.NoError(t, g.putAway(t.Context()))
	require.Equal(t, 1, g.quarantine.Counts().Items, "kept: our clock is wrong")
	g.clock = intake.NewClockGuard(0, 0)
	require.NoError(t, g.putAway(t.Context()))
	require.Zero(t, g.quarantine.Counts().Items, "past its retention")

	_, err = g.quarantine.Put(t.Context(), []journal.Item{{Recv: 1, Reason: "not_json", Raw: []byte("{")}})
	require.NoError(t, err)
	release, err := holdToCopy(t.Context(), g.cfg.DataDir, time.Second)
	require.NoError(t, err)
	require.NoError(t, g.putAway(t.Context()))
	require.Equal(t, 1, g.quarantine.Counts().Items, "kept: a backup runs")
	release()
	require.NoError(t, g.putAway(t.Context()))
	require.Zero(t, g.quarantine.Counts().Items)
}

// A machine that starts years ahead looks like one that was off for years.
func TestNothingIsLetGoWhileTheClockIsDoubtful(t *testing.T) {
	const hour, day = int64(3_600_000), int64(24 * 3_600_000)
	path := filepath.Join(t.TempDir(), doubtFile)
	start := func(now intake.Instant, newest int64) *doubt {
		d := &doubt{path: path, log: slog.New(slog.DiscardHandler)}
		require.True(t, d.over(intake.Instant{}))
		require.NoError(t, d.started(t.Context(), now, newest))
		return d
	}
	require.True(t, start(intake.Instant{Wall: 1000 * day}, 0).over(intake.Instant{}), "a first start")
	require.True(t, start(intake.Instant{Wall: 1000 * day}, 998*day).over(intake.Instant{}), "off for two days")
	d := start(intake.Instant{Wall: 1000 * day, Mono: hour}, 3*day)
	require.False(t, d.over(intake.Instant{Mono: 24 * hour}))
	require.True(t, d.over(intake.Instant{Mono: 25 * hour}))
	require.NoError(t, d.begin(t.Context(), intake.Instant{Mono: 30 * hour}, "accepted"))
	require.False(t, d.over(intake.Instant{Mono: 53 * hour}))
	require.True(t, d.over(intake.Instant{Mono: 54 * hour}))
	require.NoError(t, d.keep(intake.Instant{Mono: 36 * hour}))

	// After a restart the newest commit is of the doubtful clock itself.
	d = start(intake.Instant{Wall: 1001 * day, Mono: 0}, 1001*day)
	left, why := d.left(intake.Instant{})
	require.Equal(t, 18*time.Hour, left, "only the time in which it ran counts")
	require.Equal(t, "accepted", why)
	require.NoError(t, d.keep(intake.Instant{Mono: 18 * hour}))
	require.True(t, d.over(intake.Instant{Mono: 18 * hour}))
	require.NoFileExists(t, path)
	require.True(t, start(intake.Instant{Wall: 1002 * day}, 1002*day).over(intake.Instant{}))

	require.NoError(t, os.WriteFile(path, []byte("{\"left"), 0o600))
	require.False(t, start(intake.Instant{Wall: 1002 * day}, 1002*day).over(intake.Instant{Mono: 23 * hour}), "one that cannot be read is a whole one")
}

func TestTheCommittersStopHasOnlyWhatIsLeftOfTheTime(t *testing.T) {
	g := &gateway{}
	require.Equal(t, stopWithin, g.stopLeft())
	g.stopping = time.Now().Add(-5 * time.Second)
	require.Less(t, g.stopLeft(), stopWithin-4*time.Second)
	g.stopping = time.Now().Add(-time.Minute)
	require.Positive(t, g.stopLeft())
}

// On a full disk nothing can be written, and what goes must first be written
// down: the room in reserve is for that.
func TestAFullDiskDoesNotKeepWhatIsPastItsRetention(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	l := newLine(t)
	g := &gateway{cfg: &config.Config{}, log: slog.New(slog.DiscardHandler), now: time.Now, began: time.Now(), journal: l.j, feed: l.feed, committer: &committer{saved: &atomic.Uint64{}}}
	g.cfg.Retention.Quarantine.Duration = 24 * time.Hour
	g.cfg.DataDir, g.kept = disk, newKeepMetrics(prometheus.NewRegistry())
	require.NoError(t, os.Mkdir(filepath.Join(disk, "journal"), 0o700))
	var err error
	g.quarantine, err = journal.OpenQuarantine(t.Context(), filepath.Join(disk, "quarantine.db"), [32]byte{}, journal.Limits{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.quarantine.Close()) })
	require.NoError(t, g.series.take(t.Context(), func(ctx context.Context) (*series.Follower, error) {
		return series.Open(ctx, t.TempDir(), series.Options{Journal: l.j, Zone: time.UTC, Index: filepath.Join(t.TempDir(), "series.db")})
	}))
	t.Cleanup(func() { require.NoError(t, g.series.Close()) })
	g.doubt = &doubt{path: g.path(doubtFile), log: g.log}
	g.clock = intake.NewClockGuard(0, 0)
	require.NoError(t, g.putAway(t.Context()))
	require.FileExists(t, g.path(reserveFile), "room is taken while there is some")

	for i := range 200 {
		_, err = g.quarantine.Put(t.Context(), []journal.Item{{Recv: int64(i), Reason: "not_json", Raw: make([]byte, 4<<10)}})
		require.NoError(t, err)
	}
	for n := 0; ; n++ {
		err := os.WriteFile(filepath.Join(disk, fmt.Sprintf("filler-%d", n)), make([]byte, 4<<10), 0o600)
		if errors.Is(err, unix.ENOSPC) {
			break
		}
		require.NoError(t, err)
	}
	require.NoError(t, g.putAway(t.Context()))
	require.Zero(t, g.quarantine.Counts().Items)
	require.NoFileExists(t, g.path(reserveFile), "the disk has no room for it yet")

	for n := range 1000 {
		_ = os.Remove(filepath.Join(disk, fmt.Sprintf("filler-%d", n)))
	}
	require.NoError(t, g.putAway(t.Context()))
	require.FileExists(t, g.path(reserveFile))
}
