package journal_test

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/journal"
)

func TestAppendReadAcrossDaysAndRestarts(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	require.Zero(t, j.Head())
	got, err := j.Read(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Empty(t, got)

	var want []journal.Entry
	appendAll := func(entries []journal.Entry) uint64 {
		t.Helper()
		first, err := j.Append(t.Context(), entries)
		require.NoError(t, err)
		require.Equal(t, entries[0].Pos, first)
		want = append(want, entries...)
		return first
	}
	require.Equal(t, uint64(2), appendAll(batchOf(5, day0+8*hour)), "position 1 is the day's entry")
	appendAll(batchOf(9000, day0+9*hour)) // three rows, one transaction
	require.Equal(t, uint64(9008), appendAll(batchOf(3, day0+24*hour)), "a new day takes a position")
	appendAll(batchOf(3, day0+23*hour)) // the clock went back
	require.NoError(t, j.Close())
	j = open(t, dir)
	appendAll(batchOf(3, day0+50*hour))

	days := j.Days()
	require.Len(t, days, 3)
	require.Equal(t, []string{"2026-03-02", "2026-03-03", "2026-03-04"}, []string{days[0].Date, days[1].Date, days[2].Date})
	require.Equal(t, []int64{9005, 6, 3}, []int64{days[0].Readings, days[1].Readings, days[2].Readings})
	require.Equal(t, day0+50*hour+2, j.LastRecv())

	all := everything(t, j)
	require.Len(t, all, len(want)+3)
	var readings []journal.Entry
	for _, e := range all {
		if e.Type == journal.TypeDay {
			require.Contains(t, []uint64{1, 9007, 9014}, e.Pos)
			continue
		}
		readings = append(readings, e)
	}
	require.Equal(t, want, readings)
	require.NoError(t, j.Verify(t.Context(), nil))

	for _, after := range []uint64{0, 1, 4096, 4097, 9005, 9006, 9010, 9015} {
		got, err := j.Read(t.Context(), after, 7)
		require.NoError(t, err)
		require.Equal(t, all[after:after+uint64(len(got))], got, "after %d", after)
		require.NotEmpty(t, got)
	}
	_, err = j.Read(t.Context(), j.Head()+1, 1)
	var beyond *journal.BeyondHeadError
	require.ErrorAs(t, err, &beyond)
	require.Equal(t, journal.BeyondHeadError{Cursor: 9018, Head: 9017}, *beyond)

	positions := []uint64{1, 2, 3, 4100, 9006, 9007, 9008, 9016, 9017}
	at, err := j.At(t.Context(), positions)
	require.NoError(t, err)
	require.Len(t, at, len(positions))
	for i, pos := range positions {
		require.Equal(t, all[pos-1], at[i])
	}
	_, err = j.At(t.Context(), []uint64{9018})
	require.ErrorAs(t, err, &beyond)
}

func TestEveryEntryComesBack(t *testing.T) {
	j := open(t, folder(t))
	rapid.Check(t, func(r *rapid.T) {
		entries := rapid.SliceOfN(rapid.Custom(genEntry), 1, 30).Draw(r, "entries")
		head := j.Head()
		_, err := j.Append(t.Context(), entries)
		require.NoError(r, err)
		got, err := j.Read(t.Context(), head, 100)
		require.NoError(r, err)
		if got[0].Type == journal.TypeDay {
			got = got[1:]
		}
		require.Equal(r, entries, got)
		var dec journal.EntryDecoder
		for i := range entries {
			b, err := journal.EncodeEntry(nil, &entries[i])
			require.NoError(r, err)
			e, err := dec.Decode(b)
			require.NoError(r, err)
			require.Equal(r, entries[i], e)
		}
	})
	require.NoError(t, j.Verify(t.Context(), nil))
}

func TestANewDayCarriesWhatHoldsOver(t *testing.T) {
	dir := folder(t)
	closures := []journal.Closure{{ID: "c1", Site: "alun-alun", From: 1, Reason: "event"}}
	j, err := journal.Open(t.Context(), dir, journal.Options{Zone: jakarta, DayStart: func(date string) journal.Day {
		return journal.Day{InventoryHash: "inventory of " + date, Closures: closures}
	}})
	require.NoError(t, err)
	defer j.Close()
	for day := range int64(2) {
		_, err = j.Append(t.Context(), batchOf(2, day0+day*24*hour))
		require.NoError(t, err)
	}
	all := everything(t, j)
	require.Equal(t, &journal.Day{Date: "2026-03-02", InventoryHash: "inventory of 2026-03-02", Closures: closures}, all[0].Day)
	second := all[3].Day
	require.Equal(t, "inventory of 2026-03-03", second.InventoryHash)
	require.Len(t, second.PrevHash, 2*len(journal.Hash{}))
	require.NotEqual(t, hex.EncodeToString(make([]byte, 32)), second.PrevHash)
}

func TestVersionsOutliveTheirDays(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	var want []journal.Entry
	for day := range int64(4) {
		entries := append(batchOf(3, day0+day*24*hour), journal.Entry{Recv: day0 + day*24*hour + 5, Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{
			Hash: "h", Files: []journal.FileHash{{Name: "sites.geojson", SHA256: string(rune('a' + day))}},
		}})
		_, err := j.Append(t.Context(), entries)
		require.NoError(t, err)
		want = append(want, entries[3])
	}
	require.Error(t, j.Retire(t.Context(), "2026-03-03"), "only the oldest")
	for _, date := range []string{"2026-03-02", "2026-03-03"} {
		require.NoError(t, j.Retire(t.Context(), date))
	}
	for range 2 {
		got, err := j.Versions(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, j.Verify(t.Context(), nil))
		_, err = j.Read(t.Context(), 4, 10)
		var retired *journal.RetiredError
		require.ErrorAs(t, err, &retired)
		require.Equal(t, journal.RetiredError{After: 4, First: 11}, *retired)
		_, err = j.At(t.Context(), []uint64{4, 12})
		require.ErrorAs(t, err, &retired)
		require.Len(t, everything(t, j), 10)
		require.NoError(t, j.Close())
		j = open(t, dir)
	}
	require.NoError(t, j.Retire(t.Context(), "2026-03-04"))
	require.Error(t, j.Retire(t.Context(), "2026-03-05"), "the newest day stays")
	require.NoError(t, j.Verify(t.Context(), nil))
	require.NoError(t, j.Close())
	require.NoError(t, os.Rename(filepath.Join(dir, "kept.db"), filepath.Join(t.TempDir(), "kept.db")))
	_, err := journal.Open(t.Context(), dir, journal.Options{Zone: jakarta})
	var damage *journal.DamageError
	require.ErrorAs(t, err, &damage, "nothing ties the oldest day to what was retired")
	left, err := filepath.Glob(filepath.Join(dir, "2026*"))
	require.NoError(t, err)
	for _, name := range left {
		require.Contains(t, name, "2026-03-05")
	}
}

func TestDaysGoneAfterRetirementAreDamage(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	for day := range int64(2) {
		_, err := j.Append(t.Context(), batchOf(2, day0+day*24*hour))
		require.NoError(t, err)
	}
	require.NoError(t, j.Retire(t.Context(), "2026-03-02"))
	require.NoError(t, j.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, "2026-03-03.db")))
	_, err := journal.Open(t.Context(), dir, journal.Options{Zone: jakarta})
	var damage *journal.DamageError
	require.ErrorAs(t, err, &damage)
}

func TestAppendRefusesWhatHasNoBody(t *testing.T) {
	j := open(t, folder(t))
	_, err := j.Append(t.Context(), nil)
	require.Error(t, err)
	good := batchOf(3, day0)
	_, err = j.Append(t.Context(), good)
	require.NoError(t, err)
	bad := batchOf(9000, day0)
	bad[8000].Reading = nil
	_, err = j.Append(t.Context(), bad)
	require.ErrorContains(t, err, "no body")
	require.Zero(t, bad[0].Pos)
	require.Equal(t, uint64(4), j.Head())
	bad = slices.Delete(bad, 8000, 8001)
	first, err := j.Append(t.Context(), bad)
	require.NoError(t, err)
	require.Equal(t, uint64(5), first)
	require.Len(t, everything(t, j), 4+8999)
	require.NoError(t, j.Verify(t.Context(), nil))
}

func TestReadOnlyBesideAWriter(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	_, err := j.Append(t.Context(), batchOf(10, day0))
	require.NoError(t, err)
	r, err := journal.Open(t.Context(), dir, journal.Options{Zone: jakarta, ReadOnly: true})
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Verify(t.Context(), nil))
	require.Equal(t, j.Head(), r.Head())
	_, err = r.Append(t.Context(), batchOf(1, day0))
	require.Error(t, err)
	_, err = j.Append(t.Context(), batchOf(10, day0+hour))
	require.NoError(t, err)
	require.NoError(t, r.Verify(t.Context(), nil), "it sees what was there when it was opened")
}

// What was taken up from quarantine keeps its first receive time, which is not
// when the newest commit was: our clock is judged by that after a start.
func TestLastRecvIsNotThatOfARetry(t *testing.T) {
	dir := folder(t)
	j := open(t, dir)
	_, err := j.Append(t.Context(), batchOf(1, day0+hour))
	require.NoError(t, err)
	for seq := range uint64(30) {
		late := journal.Entry{Recv: day0 - 40*hour, Type: journal.TypeReading, Flags: journal.FlagRetried, Reading: spot("late", seq, day0-40*hour)}
		_, err := j.Append(t.Context(), []journal.Entry{late})
		require.NoError(t, err)
	}
	require.Equal(t, day0+hour, j.LastRecv())
	require.NoError(t, j.Close())
	require.Equal(t, day0+hour, open(t, dir).LastRecv())
}
