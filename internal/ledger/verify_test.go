package ledger

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// kept is a journal of two days and the books made of it.
type kept struct {
	dir     string
	journal *journal.Journal
	tl      *inventory.Timeline
	f       *Follower
}

func (k *kept) path() string { return filepath.Join(k.dir, "ledger.db") }

func keep(t *testing.T) *kept {
	t.Helper()
	k := &kept{dir: t.TempDir(), tl: testTimeline(t)}
	var err error
	k.journal, err = journal.Open(t.Context(), filepath.Join(k.dir, "journal"), journal.Options{Zone: wib})
	require.NoError(t, err)
	t.Cleanup(func() { _ = k.journal.Close() })
	k.f, err = Open(t.Context(), k.path(), Options{Timeline: k.tl, Zone: wib})
	require.NoError(t, err)
	t.Cleanup(func() { _ = k.f.Close() })

	rng := rand.New(rand.NewPCG(1, 2))
	tills := []*till{{device: "meter-a", boot: 1}, {device: "meter-b", boot: 1}, {device: "meter-c", boot: 1}}
	for d := range int64(2) {
		entries := []journal.Entry{{Recv: day0 + d*day + hour, Type: journal.TypeTick}}
		for i := range int64(60) {
			m := tills[rng.IntN(len(tills))]
			at := day0 + d*day + i*10*minute
			r := m.paper(at, strconv.Itoa(rng.IntN(40)), 2000, city.Methods[rng.IntN(4)])
			r.Receipt.Void = rng.IntN(4) == 0
			r.Receipt.PlateHash = []byte{1, 2, 3}
			if rng.IntN(10) == 0 {
				r.At -= day // out of order: corrections
			}
			entries = append(entries, journal.Entry{Recv: day0 + d*day + 2*hour + i, Type: journal.TypeReading, Source: "broker", Reading: r})
		}
		_, err := k.journal.Append(t.Context(), entries)
		require.NoError(t, err)
	}
	entries, err := k.journal.Read(t.Context(), 0, 1000)
	require.NoError(t, err)
	apply(t, k.f, entries)
	return k
}

// keepWithActs is keep with acts of every type between the readings.
func keepWithActs(t *testing.T) *kept {
	t.Helper()
	k := keep(t)
	acts := withActs([]journal.Entry{{Recv: k.journal.LastRecv(), Type: journal.TypeTick}})
	_, err := k.journal.Append(t.Context(), acts)
	require.NoError(t, err)
	late := (&till{device: "meter-a", boot: 9}).paper(day0, "late", 7000, city.Cash)
	more := []journal.Entry{{Recv: k.journal.LastRecv(), Type: journal.TypeReading, Source: "broker", Reading: late}}
	_, err = k.journal.Append(t.Context(), more)
	require.NoError(t, err)
	entries, err := k.journal.Read(t.Context(), k.f.Cursor(), 1000)
	require.NoError(t, err)
	apply(t, k.f, entries)
	return k
}

func (k *kept) options() VerifyOptions {
	return VerifyOptions{Options: Options{Timeline: k.tl, Zone: wib}, Log: k.journal}
}

func TestVerifyFindsTheBooksWhole(t *testing.T) {
	k := keep(t)
	corrections := 0
	for _, e := range entriesOf(t, k.f) {
		if e.Kind == KindCorrection || e.Kind == KindRevoid {
			corrections++
		}
	}
	require.Positive(t, corrections, "the sample has corrections")
	v, err := k.f.Verify(t.Context(), k.options()) // while it runs
	require.NoError(t, err)
	require.Equal(t, Verified{Entries: uint64(120 + corrections), Records: 120, InJournal: 120}, v)
	v, err = Verify(t.Context(), k.path(), k.options()) // beside it
	require.NoError(t, err)
	require.EqualValues(t, 120, v.Records)

	// A day that was retired is verified from the kept records alone.
	require.NoError(t, k.journal.Retire(t.Context(), k.journal.Days()[0].Date))
	v, err = Verify(t.Context(), k.path(), k.options())
	require.NoError(t, err)
	require.EqualValues(t, 120, v.Records)
	require.EqualValues(t, 60, v.InJournal)

	o := k.options()
	o.Log = nil
	v, err = Verify(t.Context(), k.path(), o)
	require.NoError(t, err)
	require.Zero(t, v.InJournal)
	_, err = Verify(t.Context(), filepath.Join(k.dir, "none.db"), o)
	require.Error(t, err)
}

func TestVerifyComparesWithTheJournal(t *testing.T) {
	k := keep(t)
	// Books that are whole in themselves, but rest on another reading than the
	// journal's: their own making cannot tell, the journal can.
	entries, err := k.journal.Read(t.Context(), 0, 1000)
	require.NoError(t, err)
	for name, change := range map[string]func(e []journal.Entry) []journal.Entry{
		"changed": func(e []journal.Entry) []journal.Entry {
			r := *e[20].Reading
			body := *r.Receipt
			body.Amount += 1000
			r.Receipt = &body
			e[20].Reading = &r
			return e
		},
		"left out": func(e []journal.Entry) []journal.Entry { return append(e[:20:20], e[21:]...) },
		"put in": func(e []journal.Entry) []journal.Entry {
			require.NotEqual(t, journal.TypeReading, e[0].Type)
			extra := e[20]
			extra.Pos = e[0].Pos
			return append([]journal.Entry{extra}, e[1:]...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			other := testFollower(t, filepath.Join(t.TempDir(), "ledger.db"), k.tl)
			apply(t, other, change(append([]journal.Entry(nil), entries...)))
			o := k.options()
			o.Log = nil
			_, err := other.Verify(t.Context(), o)
			require.NoError(t, err)
			_, err = other.Verify(t.Context(), k.options())
			var d *DisagreementError
			require.ErrorAs(t, err, &d)
			require.Equal(t, "record", d.Table)
			want := entries[20].Pos
			if name == "put in" {
				want = entries[0].Pos
			}
			require.Equal(t, want, d.Pos, d.Error())
		})
	}
	short, err := journal.Open(t.Context(), filepath.Join(t.TempDir(), "journal"), journal.Options{Zone: wib})
	require.NoError(t, err)
	defer func() { _ = short.Close() }()
	o := k.options()
	o.Log = short
	_, err = k.f.Verify(t.Context(), o)
	var beyond *journal.BeyondHeadError
	require.ErrorAs(t, err, &beyond)
}

// One value changed in any row of any table is found, and where it is.
func TestTamperingIsFound(t *testing.T) {
	k := keepWithActs(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, table := range tables {
		columns := columnsOf(t, k.f, table.name)
		var n int
		require.NoError(t, k.f.db.R.QueryRow("SELECT count(*) FROM "+table.name).Scan(&n))
		for _, column := range columns {
			for range 2 {
				at := rng.IntN(n)
				t.Run(fmt.Sprint(table.name, ".", column, " row ", at), func(t *testing.T) {
					path := filepath.Join(t.TempDir(), "ledger.db")
					require.NoError(t, k.f.db.CopyTo(t.Context(), path))
					tamper(t, rng, path, table.name, table.key, column, at)
					o := k.options()
					if rng.IntN(3) == 0 {
						o.Memory = onDisk
					}
					_, err := Verify(t.Context(), path, o)
					var d *DisagreementError
					require.ErrorAs(t, err, &d)
					switch table.name {
					case "record", "act": // its entry is named, or its row
						require.NotZero(t, d.Entry+d.Pos, d.Error())
					case "entry":
						require.Equal(t, "entry", d.Table)
						require.EqualValues(t, at+1, d.Entry)
					default:
						require.Equal(t, table.name, d.Table, d.Error())
					}
				})
			}
		}
	}
}

func columnsOf(t *testing.T, f *Follower, table string) []string {
	t.Helper()
	rows, err := f.db.R.Query("SELECT name FROM pragma_table_info(?)", table)
	require.NoError(t, err)
	defer rows.Close()
	var columns []string
	for rows.Next() {
		var column string
		require.NoError(t, rows.Scan(&column))
		columns = append(columns, column)
	}
	require.NoError(t, rows.Err())
	return columns
}

// tamper changes one byte or number of a stored value.
func tamper(t *testing.T, rng *rand.Rand, path, table, key, column string, at int) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Sync: "OFF"})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var was any
	require.NoError(t, db.W.QueryRow(fmt.Sprintf("SELECT %s FROM %s ORDER BY %s LIMIT 1 OFFSET %d", column, table, key, at)).Scan(&was))
	var now any
	switch v := was.(type) {
	case int64:
		now = v + 1_000_000_007
	case string:
		now = v + "x"
	case []byte:
		b := append([]byte(nil), v...)
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		now = b
	default:
		now = int64(5)
	}
	res, err := db.W.Exec(fmt.Sprintf("UPDATE %[1]s SET %[2]s = ? WHERE (%[3]s) = (SELECT %[3]s FROM %[1]s ORDER BY %[3]s LIMIT 1 OFFSET %[4]d)", table, column, key, at), now)
	require.NoError(t, err)
	changed, err := res.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, changed)
}

func TestTheCursorIsChecked(t *testing.T) {
	k := keep(t)
	for name, statement := range map[string]string{
		"before a record": "UPDATE cursor SET pos = 50",
		"other rules":     "UPDATE cursor SET rules = 2",
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		require.NoError(t, k.f.db.CopyTo(t.Context(), path))
		db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.NoError(t, err)
		_, err = db.W.Exec(statement)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		_, err = Verify(t.Context(), path, k.options())
		var d *DisagreementError
		require.ErrorAs(t, err, &d, name)
	}
}
