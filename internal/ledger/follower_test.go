package ledger

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func TestOpenSaysWhatIsMissing(t *testing.T) {
	_, err := Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), Options{})
	require.ErrorContains(t, err, "timeline")
	_, err = Open(t.Context(), filepath.Join(t.TempDir(), "no", "folder", "l.db"), Options{Timeline: timelineOfAll, Zone: wib})
	require.Error(t, err)
	path := filepath.Join(t.TempDir(), "l.db")
	f := testFollower(t, path, timelineOfAll)
	require.Equal(t, "ledger", f.Name())
	require.Zero(t, f.Cursor())
	_, err = f.db.W.Exec("UPDATE cursor SET rules = 99")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = Open(t.Context(), path, Options{Timeline: timelineOfAll, Zone: wib})
	require.ErrorContains(t, err, "rules 99")
}

func TestOtherEntriesMoveTheCursorOnly(t *testing.T) {
	f := newFollower(t)
	entries := []journal.Entry{
		{Pos: 2, Type: journal.TypeTick},
		{Pos: 3, Type: journal.TypeReading, Reading: &city.Reading{Device: "s", Kind: city.KindSpot, Spot: &city.Spot{}}},
	}
	require.NoError(t, f.Apply(entries))
	require.Zero(t, f.Pending())
	require.Zero(t, f.Cursor(), "not yet durable")
	require.NoError(t, f.Flush())
	require.EqualValues(t, 3, f.Cursor())
	require.Empty(t, entriesOf(t, f))
	// What was applied already is ignored.
	a := &till{device: "meter-a"}
	again := log(a.paper(day0, "1", 2000, city.Cash), a.paper(day0, "2", 2000, city.Cash), a.paper(day0, "3", 2000, city.Cash))
	require.NoError(t, f.Apply(again))
	require.Equal(t, 1, f.Pending())
	require.NoError(t, f.Flush())
	require.Len(t, entriesOf(t, f), 1)
}

// A flush that fails writes nothing, and the next one writes everything.
func TestAFailedFlushIsTriedAgain(t *testing.T) {
	readings := func() []journal.Entry {
		a, c := &till{device: "meter-a"}, &till{device: "meter-c"}
		return log(a.paper(day0, "1", 2000, city.Cash), a.void(day0+hour, "1", 2000), c.paper(day0, "1", 3000, city.QRIS), c.paper(day0+hour, "2", 3000, city.Cash))
	}
	want := newFollower(t)
	apply(t, want, readings())

	f := newFollower(t)
	apply(t, f, readings()[:1])
	_, err := f.db.W.Exec("CREATE TRIGGER full BEFORE INSERT ON book WHEN new.day > 0 BEGIN SELECT RAISE(ABORT, 'no room'); END")
	require.NoError(t, err)
	require.NoError(t, f.Apply(readings()[1:]))
	for range 2 {
		require.ErrorContains(t, f.Flush(), "no room")
		require.EqualValues(t, 2, f.Cursor())
		require.Len(t, entriesOf(t, f), 1, "nothing is written")
		require.Equal(t, 3, f.Pending())
	}
	_, err = f.db.W.Exec("DROP TRIGGER full")
	require.NoError(t, err)
	require.NoError(t, f.Flush())
	require.EqualValues(t, 5, f.Cursor())
	require.Equal(t, dump(t, want), dump(t, f))
}

func TestQueriesFromAnyGoroutine(t *testing.T) {
	f := newFollower(t)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				rs, _, err := f.Receipts(t.Context(), ReceiptQuery{From: day0, To: day0 + day, Limit: 1000})
				if err != nil {
					t.Error(err)
					return
				}
				if len(rs)%10 != 0 {
					t.Error("a half flush was seen")
					return
				}
				if _, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-03-01", ToDate: "2026-03-05", Group: "site"}); err != nil {
					t.Error(err)
					return
				}
				if _, err := f.Summary(t.Context(), 2026, false); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var readings []*city.Reading
	for i := range 200 {
		m := &till{device: "meter-" + string(rune('a'+i%6)), seq: uint64(i)}
		readings = append(readings, m.paper(day0+int64(i), strconv.Itoa(i), 2000, city.Cash))
	}
	entries := log(readings...)
	for i := 0; i < len(entries); i += 10 {
		apply(t, f, entries[i:i+10])
	}
	stop()
	wg.Wait()
	rows, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-03-02", ToDate: "2026-03-03", Group: "class"})
	require.NoError(t, err)
	require.EqualValues(t, 200, rows[0].Receipts)
}

// A device that sends one number for ever costs no more than another.
func TestOneNumberForEver(t *testing.T) {
	f := openIn(t, filepath.Join(t.TempDir(), "ledger.db"))
	defer func() { _ = f.Close() }()
	const n = 2000
	var readings []*city.Reading
	for i := range n {
		m := &till{device: "meter-a", seq: uint64(3 * i)}
		at := day0 + int64(i)*minute
		readings = append(readings, m.paper(at, "1", 2000, city.Cash), m.paper(at, "2", int64(i), city.Cash), m.void(at, "3", int64(i)))
	}
	apply(t, f, log(readings...))
	rows, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-03-01", ToDate: "2026-03-31", Group: "class"})
	require.NoError(t, err)
	var receipts int64
	for _, r := range rows {
		receipts += r.Receipts
	}
	require.EqualValues(t, 1+n, receipts, "one of number 1, each of number 2")
}

// The plate's hash is in the record, as the journal has it, and in no entry.
func TestNoPersonalDataInEntries(t *testing.T) {
	f := newFollower(t)
	a := &till{device: "meter-a"}
	r := a.paper(day0, "1", 2000, city.Cash)
	r.Receipt.PlateHash = []byte("hash-of-the-plate")
	other := *r.Receipt
	other.PlateHash = []byte("under-another-key")
	again := *r
	again.Receipt = &other
	apply(t, f, log(r))
	var data, record []byte
	require.NoError(t, f.db.R.QueryRow("SELECT e.data, r.data FROM entry e, record r").Scan(&data, &record))
	require.NotContains(t, string(data), "hash-of-the-plate")
	require.Contains(t, string(record), "hash-of-the-plate")
	e, err := DecodeEntry(data)
	require.NoError(t, err)
	require.Equal(t, journal.ContentHash(&again), e.Content, "the content's hash does not depend on the plate")
}

// An entry with its record and every index costs at most 400 bytes of disk, so
// that 100 are left for its proof.
func TestDiskForAnEntry(t *testing.T) {
	const n = 20_000
	path := filepath.Join(t.TempDir(), "ledger.db")
	f := testFollower(t, path, bigTimeline(t))
	apply(t, f, traffic(n, 1, day0))
	require.NoError(t, f.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size()/n, int64(400))
	t.Logf("%d bytes an entry", info.Size()/n)
}
