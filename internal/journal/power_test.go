package journal_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// openAt opens the journal of a point; it is closed by the test, not at its end.
func openAt(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{Zone: jakarta, DayStart: dayStart})
	require.NoError(t, err)
	return j
}

func dayStart(date string) journal.Day { return journal.Day{InventoryHash: "of " + date} }

// aBatch is what one append of these tests holds: readings, and now and then
// what else a journal is told.
func aBatch(i int, recv int64) []journal.Entry {
	entries := batchOf(1+i*7%23, recv)
	switch i % 5 {
	case 2:
		entries = append(entries, journal.Entry{Recv: recv + 50, Type: journal.TypeTick})
	case 4:
		entries = append(entries, journal.Entry{Recv: recv + 50, Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{
			Hash: fmt.Sprint("h", i), Files: []journal.FileHash{{Name: "sites.geojson", SHA256: strconv.Itoa(i)}},
		}})
	}
	return entries
}

// TestPowerLossTakesNothingBack cuts the power at every kind of moment of some
// days of appends: what was acknowledged is there, once and in order, nothing
// else but the append that was under way, whole; and the journal goes on.
func TestPowerLossTakesNothingBack(t *testing.T) {
	t.Parallel()
	dir := powercut.Folder(t)
	disk := powercut.New(t, dir, 0).Checkpoint(6)
	trace, acks := disk.Record(), powercut.NewAcks[uint64](disk)
	j := openAt(t, dir)
	acks.Add(0)
	for i := range 60 {
		_, err := j.Append(t.Context(), aBatch(i, day0+int64(i)*hour))
		require.NoError(t, err)
		acks.Add(j.Head())
	}
	truth := everything(t, j)
	require.NoError(t, j.Close())
	disk.Off()

	trace.Each(t, 2400, func(dir string, ops int) {
		j := openAt(t, dir)
		defer j.Close()
		head := j.Head()
		require.Contains(t, acks.All(), head, "a part of an append is there")
		at := slices.Index(acks.All(), head)
		acked := len(acks.Before(ops)) - 1 // less than 0: not even opened
		require.GreaterOrEqual(t, at, acked, "an acknowledged append is gone")
		require.LessOrEqual(t, at, acked+1, "an append is there that had not begun")
		require.Equal(t, truth[:head], append([]journal.Entry{}, everything(t, j)...))
		_, err := j.Append(t.Context(), aBatch(at, day0+int64(at)*hour))
		require.NoError(t, err)
		require.NoError(t, j.Verify(t.Context(), nil))
		versions, err := j.Versions(t.Context())
		require.NoError(t, err)
		require.Len(t, versions, (at+1)/5)
	})
}

// TestPowerLossTakesALargeAppendWhole cuts the power within the transaction of
// an append of several rows.
func TestPowerLossTakesALargeAppendWhole(t *testing.T) {
	t.Parallel()
	dir := powercut.Folder(t)
	disk := powercut.New(t, dir, 0).Checkpoint(30)
	trace, acks := disk.Record(), powercut.NewAcks[uint64](disk)
	j := openAt(t, dir)
	for i, n := range []int{3, 9000, 3, 4100, 3} {
		_, err := j.Append(t.Context(), batchOf(n, day0+int64(i)*hour))
		require.NoError(t, err)
		acks.Add(j.Head())
	}
	require.NoError(t, j.Close())
	disk.Off()
	trace.Each(t, 400, func(dir string, ops int) {
		j := openAt(t, dir)
		defer j.Close()
		if head := j.Head(); head > 0 {
			require.Contains(t, acks.All(), head)
			require.GreaterOrEqual(t, slices.Index(acks.All(), head), len(acks.Before(ops))-1)
		} else {
			require.Empty(t, acks.Before(ops))
		}
		require.NoError(t, j.Verify(t.Context(), nil))
	})
}

// TestPowerLossAgainAndAgain lives through several cuts one after the other,
// some of them while the journal recovers from the one before, with retirement
// of days between.
func TestPowerLossAgainAndAgain(t *testing.T) {
	t.Parallel()
	root := powercut.Folder(t)
	powercut.Seeds(t, 200, func(seed uint64, r *rand.Rand) {
		dir := filepath.Join(root, strconv.FormatUint(seed, 10))
		require.NoError(t, os.Mkdir(dir, 0o700))
		defer os.RemoveAll(dir)
		l := &life{dir: dir, recv: day0}
		l.live(t, seed, -1, 3) // the first files are made in peace: the tests above cut there too
		for range 4 {
			l.live(t, seed, 1+r.IntN(120), 12)
		}
		l.live(t, seed, -1, 1)
	})
}

// life is a journal through power cuts.
type life struct {
	dir   string
	recv  int64
	truth []journal.Entry // acknowledged, and not retired
	maybe []journal.Entry // of the append that the cut interrupted
	n     int
}

// live opens the journal on a new disk, checks it, and appends until the power
// is cut, or the appends are done.
func (l *life) live(t *testing.T, seed uint64, ops, appends int) {
	t.Helper()
	disk := powercut.New(t, l.dir, seed+uint64(l.n)).Checkpoint(6)
	defer disk.Off()
	if ops >= 0 {
		disk.CutAfter(ops)
	}
	j, err := journal.Open(t.Context(), filepath.Join(l.dir, "journal"), journal.Options{Zone: jakarta, DayStart: dayStart})
	if err != nil {
		require.True(t, disk.Gone(), "%v", err)
		return
	}
	defer j.Close()
	if !disk.Gone() {
		l.check(t, j, disk)
	}
	for ; appends > 0 && !disk.Gone(); appends-- {
		l.n++
		l.recv += 2 * hour
		if l.n%9 == 0 {
			l.recv += 24 * hour
		}
		entries := aBatch(l.n, l.recv)
		head := j.Head()
		if _, err := j.Append(t.Context(), entries); err != nil {
			require.True(t, disk.Gone(), "%v", err)
			l.maybe = entries
			return
		}
		for pos := head + 1; pos < entries[0].Pos; pos++ { // the day's own entry
			l.truth = append(l.truth, journal.Entry{Pos: pos})
		}
		l.truth = append(l.truth, entries...)
		if days := j.Days(); len(days) > 2 {
			if err := j.Retire(t.Context(), days[0].Date); err == nil {
				l.truth = l.truth[days[0].Last+1-l.truth[0].Pos:]
			} else {
				require.True(t, disk.Gone(), "%v", err)
			}
		}
	}
	if !disk.Gone() {
		require.NoError(t, j.Verify(t.Context(), nil))
	}
}

// check compares the journal with what was acknowledged and takes the append
// that was interrupted as done where it is there. A day whose retirement was
// interrupted may be there or not.
func (l *life) check(t *testing.T, j *journal.Journal, disk *powercut.Disk) {
	t.Helper()
	days := j.Days()
	if len(l.truth) == 0 && len(l.maybe) == 0 {
		return
	}
	require.NotEmpty(t, days)
	var got []journal.Entry
	for after := days[0].First - 1; after < j.Head(); after = got[len(got)-1].Pos {
		some, err := j.Read(t.Context(), after, 1000)
		if err != nil {
			require.True(t, disk.Gone(), "%v", err)
			return
		}
		got = append(got, some...)
	}
	if gone := got[0].Pos - min(l.truth[0].Pos, got[0].Pos); gone > 0 {
		require.Equal(t, l.truth[gone].Pos, got[0].Pos)
		l.truth = l.truth[gone:]
	}
	got = got[l.truth[0].Pos-got[0].Pos:]
	require.GreaterOrEqual(t, len(got), len(l.truth), "acknowledged entries are gone")
	if more := got[len(l.truth):]; len(more) > 0 {
		if more[0].Type == journal.TypeDay {
			more = more[1:]
		}
		require.Len(t, more, len(l.maybe), "a part of an append, or one that nobody made, is there")
		for i := range more {
			require.Equal(t, l.maybe[i].Reading, more[i].Reading)
		}
	}
	for i := range l.truth {
		require.Equal(t, l.truth[i].Pos, got[i].Pos)
		if l.truth[i].Type != 0 {
			require.Equal(t, l.truth[i], got[i])
		}
	}
	l.truth, l.maybe = got, nil
}

// TestAnUnlinkThatThePowerTookBack: files of a retired day that are back after
// the cut, in any mixture, do no harm; the day can be retired again.
func TestAnUnlinkThatThePowerTookBack(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	for i := range 4 {
		_, err := j.Append(t.Context(), aBatch(i, day0+int64(i)*24*hour))
		require.NoError(t, err)
	}
	truth := everything(t, j)
	before := map[string][]byte{} // a day that is over is closed: it may have no log any more
	for _, suffix := range []string{"", "-wal"} {
		name := filepath.Join(dir, "2026-03-02.db"+suffix)
		before[name], _ = os.ReadFile(name)
	}
	second := j.Days()[1].First
	require.NoError(t, j.Retire(t.Context(), "2026-03-02"))
	require.NoError(t, j.Close())
	for mixture := range 4 {
		bit := 1
		for _, name := range []string{filepath.Join(dir, "2026-03-02.db"), filepath.Join(dir, "2026-03-02.db-wal")} {
			if mixture&bit != 0 {
				require.NoError(t, os.WriteFile(name, before[name], 0o600))
			}
			bit <<= 1
		}
		j := open(t, dir)
		require.NoError(t, j.Verify(t.Context(), nil))
		if first := j.Days()[0].First; first == 1 {
			require.Equal(t, truth, everything(t, j))
			require.NoError(t, j.Retire(t.Context(), "2026-03-02"))
		} else {
			require.Equal(t, second, first)
		}
		require.Equal(t, truth[second-1:], everything(t, j))
		require.NoError(t, j.Close())
	}
}
