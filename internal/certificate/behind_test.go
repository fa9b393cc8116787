package certificate_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// TestHealthIsRebuilt: while health replays the journal it does not know a
// device of a later version yet, which is no reason to certify that nothing of
// it came; the same for a revision that is due.
func TestHealthIsRebuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "d,b,,600")
	w.tick(begin)
	w.accept(version(t, "d,b,,600", "e,a,,600"))
	for seq := uint64(1); seq <= 5; seq++ {
		w.sent("e", 1, seq, begin)
	}
	w.tick(begin + 12*hour + window)
	w.flush()
	rebuild := func() {
		require.NoError(t, w.health.Close())
		w.dir = t.TempDir()
		var err error
		w.health, err = health.Open(t.Context(), filepath.Join(w.dir, "health.db"), health.Options{Timeline: w.timeline, Zone: zone})
		require.NoError(t, err)
		require.NoError(t, w.health.Apply(w.entries[:2])) // up to before e
	}
	dir := w.dir
	reopen := func() {
		require.NoError(t, w.f.Close())
		w.f = w.open(dir)
	}
	tryAll := func() {
		for more := true; more; {
			var err error
			more, err = w.f.Work(t.Context())
			require.NoError(t, err)
		}
	}
	rebuild()
	reopen()
	tryAll()
	require.False(t, w.f.State(monday).Closed, "health has not come that far")
	w.work()
	x, _ := w.device("e", monday, 0)
	require.EqualValues(t, 5, x.Received)

	w.sent("e", 1, 6, begin)
	w.tick(w.now + day)
	w.flush()
	rebuild()
	reopen()
	tryAll()
	x, _ = w.device("e", monday, 0)
	require.EqualValues(t, 1, x.Revision)
	w.work()
	x, _ = w.device("e", monday, 0)
	require.EqualValues(t, 2, x.Revision, "what was to be revised was not forgotten")
	require.EqualValues(t, 6, x.Received)
}

// TestDaysThatHealthHasForgotten get no certificate, neither where this follower
// has come far already nor where it replays behind health; the days that are
// known do.
func TestDaysThatHealthHasForgotten(t *testing.T) {
	t.Parallel()
	for name, applied := range map[string]int{"at the head": -1, "in a replay": 40} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "d,a,,600")
			for _, from := range []int64{0, 630} {
				for n := from; n < from+30; n++ {
					w.tick(begin + n*day)
					w.sent("d", 1, uint64(n), w.now)
				}
			}
			w.tick(begin + 1000*day)
			require.NoError(t, w.health.Apply(w.entries))
			require.NoError(t, w.health.Flush())
			if applied >= 0 {
				require.NoError(t, w.f.Apply(w.entries[:applied]))
				require.NoError(t, w.f.Flush())
				for range 40 {
					_, err := w.f.Work(t.Context())
					require.NoError(t, err)
				}
			}
			w.flush()
			for range 40 { // two a day
				_, err := w.f.Work(t.Context())
				require.NoError(t, err)
			}
			oldest := dateOf(w.now - 365*day)
			for n := range int64(1000 - 365 + 10) { // the first few of those that are known
				date := dateOf(begin + n*day)
				kept, err := w.f.Device(t.Context(), "d", date, 0)
				if date < oldest {
					require.Error(t, err, date)
					require.False(t, w.f.State(date).Known)
					_, err = w.f.Draft(t.Context(), certificate.SiteKey("a"), date)
					require.Error(t, err, "unknown, not 0")
					continue
				}
				require.NoError(t, err, date)
				require.EqualValues(t, 1, decode[certificate.DeviceDay](t, kept.Bytes).Received, date)
			}
		})
	}
}

// TestNobodyWaitsForTheFile: while a change is written, what is asked of memory
// is answered.
func TestNobodyWaitsForTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "d,a,,600")
	w.tick(begin)
	w.tick(begin + 12*hour + window)
	w.flush()
	other, err := sqlite.Open(t.Context(), filepath.Join(w.dir, "certificates.db"), sqlite.Options{Sync: sqlite.Full})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	begun, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		done <- other.Tx(t.Context(), func(*sql.Tx) error {
			close(begun)
			<-release
			return nil
		})
	}()
	<-begun
	go func() {
		_, err := w.f.Work(t.Context())
		done <- err
	}()
	longest := time.Duration(0)
	for start := time.Now(); time.Since(start) < 300*time.Millisecond; {
		asked := time.Now()
		require.True(t, w.f.State(monday).Known)
		longest = max(longest, time.Since(asked))
	}
	close(release)
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.Less(t, longest, 200*time.Millisecond)
}
