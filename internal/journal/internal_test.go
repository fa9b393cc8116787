package journal

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

func FuzzDecodeBatch(f *testing.F) {
	var enc encoder
	enc.reset()
	for i, source := range []string{"a", "", "b", "a"} {
		e := Entry{Recv: int64(1000 * i), Source: source, Type: TypeReading, Reading: &city.Reading{Device: "d", Kind: city.KindCount, Seq: 1, Count: &city.Count{}}}
		require.NoError(f, enc.add(&e))
	}
	require.NoError(f, enc.add(&Entry{Recv: 5, Type: TypeTick}))
	require.NoError(f, enc.add(&Entry{Recv: 5, Type: TypeTally, Tally: &Tally{Device: "d", Quarantined: []Quarantined{{HasSeq: true}}}}))
	require.NoError(f, enc.add(&Entry{Recv: 5, Type: TypeDay, Day: &Day{Date: "x", Closures: []Closure{{ID: "1"}}}}))
	require.NoError(f, enc.add(&Entry{Recv: 5, Type: TypeArchive, Archive: &Archive{Date: "x", Files: []FileHash{{Name: "a"}}}}))
	f.Add(append([]byte(nil), enc.buf...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var dec decoder
		entries, n, err := dec.entries(nil, 7, b, nil)
		if err != nil {
			return
		}
		require.Len(t, entries, n)
		var enc encoder
		enc.reset()
		for i := range entries {
			require.Equal(t, uint64(7+i), entries[i].Pos)
			require.NoError(t, enc.add(&entries[i]))
		}
		require.Equal(t, b, enc.buf, "one batch, one encoding")
	})
}

func tick(recv int64) []Entry { return []Entry{{Recv: recv, Type: TypeTick}} }

// TestACommitThatWasReportedAsFailedIsTakenBack: SQLite may report an error of
// a commit that has reached the file all the same.
func TestACommitThatWasReportedAsFailedIsTakenBack(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), Options{Zone: time.UTC})
	require.NoError(t, err)
	defer j.Close()
	_, err = j.Append(t.Context(), tick(1000))
	require.NoError(t, err)
	d := j.list()[0]
	w := j.writer(d, j.Head(), d.hash, 0)
	require.NoError(t, w.commit(t.Context(), nil, tick(2000)))
	j.torn = true

	entries := append(tick(2000), tick(3000)...)
	first, err := j.Append(t.Context(), entries)
	require.NoError(t, err)
	require.Equal(t, uint64(3), first)
	got, err := j.Read(t.Context(), 2, 10)
	require.NoError(t, err)
	require.Equal(t, entries, got)
	require.NoError(t, j.Verify(t.Context(), nil))
}

func TestAFullDiskStopsNothingForGood(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir(), Options{Zone: time.UTC})
	require.NoError(t, err)
	defer j.Close()
	_, err = j.Append(t.Context(), tick(1000))
	require.NoError(t, err)
	d := j.list()[0]
	limit := func() {
		_, err := d.db.W.ExecContext(t.Context(), "PRAGMA max_page_count = 1")
		require.NoError(t, err)
	}
	limit()
	big := make([]Entry, 3*batchLimit)
	for i := range big {
		big[i] = tick(2000)[0]
	}
	_, err = j.Append(t.Context(), big)
	require.Error(t, err)
	require.True(t, sqlite.IsFull(err), err)
	require.Equal(t, uint64(2), j.Head())
	require.Zero(t, big[0].Pos)
	got, err := j.Read(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, got, 2)

	// The limit ends with the connection, as if there were room again.
	first, err := j.Append(t.Context(), big)
	require.NoError(t, err)
	require.Equal(t, uint64(3), first)
	require.NoError(t, j.Verify(t.Context(), nil))
}
