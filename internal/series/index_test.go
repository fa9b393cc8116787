package series_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// onIndex changes the index's file beside the follower, which is closed.
func (b *bed) onIndex(statement string, into ...any) {
	b.t.Helper()
	db, err := sqlite.Open(b.t.Context(), b.index(), sqlite.Options{})
	require.NoError(b.t, err)
	if len(into) > 0 {
		require.NoError(b.t, db.R.QueryRowContext(b.t.Context(), statement).Scan(into...))
	} else {
		var res sql.Result
		res, err = db.W.ExecContext(b.t.Context(), statement)
		require.NoError(b.t, err)
		n, err := res.RowsAffected()
		require.NoError(b.t, err)
		require.Positive(b.t, n)
	}
	require.NoError(b.t, db.Close())
}

func TestAStartReadsNoMoreThanASegmentOfTheJournal(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 3, 1000)
	const most = 70 + 60 // a segment and a batch
	for range 3 {
		b.close()
		j, err := journal.Open(t.Context(), filepath.Join(b.dir, "journal"), journal.Options{Zone: jakarta})
		require.NoError(t, err)
		f, err := series.Open(t.Context(), filepath.Join(b.dir, "archive"), series.Options{Journal: j, Zone: jakarta, Index: b.index()})
		require.NoError(t, err)
		require.Less(t, j.Head()-f.Cursor(), uint64(most))
		require.Equal(t, f.Cursor(), f.Applied())
		require.NoError(t, f.Close())
		require.NoError(t, j.Close())
		b.open()
		b.checkAll()
		b.fill(2, day0+3*day, 1, 50)
	}
}

func TestTheIndexIsCutOffAnywhere(t *testing.T) {
	b := newBed(t)
	for d := range int64(3) {
		b.fill(uint64(d), day0+d*day, 1, 400)
		b.reopen() // without a last flush
		b.checkAll()
	}
	old, err := os.ReadFile(b.index())
	require.NoError(t, err)
	b.close()
	whole, err := os.ReadFile(b.index())
	require.NoError(t, err)
	b.open()
	b.fill(9, day0+3*day, 2, 400)
	b.seal()
	for _, left := range [][]byte{nil, whole, old} { // removed, or an older one beside a newer archive
		b.close()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			require.NoError(t, os.RemoveAll(b.index()+suffix))
		}
		if left != nil {
			require.NoError(t, os.WriteFile(b.index(), left, 0o600))
		}
		b.open()
		b.checkAll()
	}
}

func TestADayThatTheArchiveLostIsIndexedAgain(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 4, 400)
	b.seal()
	for range 10 {
		require.NoError(t, b.f.Flush()) // removes what is archived, some at a time
	}
	b.close()
	var segments int
	b.onIndex("SELECT count(*) FROM segment WHERE first < (SELECT since FROM cursor)", &segments)
	require.Zero(t, segments)
	require.NoError(t, os.RemoveAll(filepath.Join(b.dir, "archive")))
	b.open()
	b.checkAll()
	require.Len(t, b.f.Due(), 3)
	b.reopen()
	b.checkAll()
}

func TestADamagedIndexIsNoShorterAnswer(t *testing.T) {
	for _, change := range []string{
		"UPDATE place SET data = substr(data, 1, length(data)-1) WHERE device = 'd2' AND segment = (SELECT min(first) FROM segment)",
		"UPDATE place SET sum = sum + 1 WHERE device = 'd2'",
		"UPDATE place SET device = 'd2' WHERE device = 'd3' AND segment NOT IN (SELECT segment FROM place WHERE device = 'd2')",
	} {
		b := newBed(t)
		b.fill(1, day0, 1, 300)
		b.append(journal.Entry{Recv: day0 + day - 1, Type: journal.TypeReading, Source: "s", Reading: only("d3", day0+day-1)})
		b.small = 1
		b.reopen()
		require.NoError(t, b.f.Flush())
		b.close()
		b.onIndex(change)
		b.open()
		_, err := b.f.Readings(t.Context(), series.Query{Device: "d2", From: -ever, To: ever, Limit: 1000})
		require.ErrorContains(t, err, "remove series.db", change)
	}
}

func only(device string, at int64) *city.Reading {
	return &city.Reading{Device: device, Kind: city.KindSpot, Seq: uint64(at), At: at, Spot: &city.Spot{Occupied: true}}
}
