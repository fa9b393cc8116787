package ledger

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Each try of a property opens files: fewer tries than rapid's 100 keep the
// suite short, also under the race detector. -rapid.checks sets another number.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	flag.Parse()
	goleak.VerifyTestMain(m) // when all tests have ended, no goroutine is left
}

// The slow and obvious books: all readings at once, in the order of their
// time, with the rules as the contract says them.
type modelKey struct {
	date, site, class, method string
}

type modelSums struct{ receipts, voids, amount int64 }

func model(entries []journal.Entry) (counted map[uint64]bool, sums map[modelKey]modelSums, totals map[uint64]Flags) {
	counted, sums, totals = map[uint64]bool{}, map[modelKey]modelSums{}, map[uint64]Flags{}
	when := func(e *journal.Entry) int64 {
		if e.Reading.Receipt.Void {
			return e.Reading.At + 5*minute
		}
		return e.Reading.At
	}
	sorted := append([]journal.Entry(nil), entries...)
	sort.Slice(sorted, func(i, j int) bool {
		a, b := &sorted[i], &sorted[j]
		if when(a) != when(b) {
			return when(a) < when(b)
		}
		if a.Reading.Boot != b.Reading.Boot {
			return a.Reading.Boot < b.Reading.Boot
		}
		return a.Reading.Seq < b.Reading.Seq
	})
	add := func(at int64, of *city.Reading, receipts, voids, amount int64) {
		key := modelKey{
			time.UnixMilli(at).In(wib).Format(time.DateOnly), "site-" + of.Device[6:],
			of.Receipt.Class.String(), of.Receipt.Method.String(),
		}
		s := sums[key]
		sums[key] = modelSums{s.receipts + receipts, s.voids + voids, s.amount + amount}
	}
	effect := map[uint64]int64{} // on the meter's own count: 1, 0, -1
	type head struct {
		r    *city.Reading
		void bool
	}
	heads := map[string]*head{}
	for i := range sorted {
		e := &sorted[i]
		r := e.Reading
		paper := fmt.Sprint(r.Device, "/", r.Receipt.Number, "/", r.Receipt.Amount)
		h := heads[paper]
		switch amount := int64(r.Receipt.Amount); {
		case r.Receipt.Void && h == nil:
			effect[e.Pos] = -1
		case r.Receipt.Void && h.void:
		case r.Receipt.Void:
			h.void, counted[e.Pos], effect[e.Pos] = true, true, -1
			add(r.At, h.r, -1, 1, -amount)
		case h != nil && r.At-h.r.At <= 30*day:
		default:
			heads[paper] = &head{r: r}
			counted[e.Pos], effect[e.Pos] = true, 1
			add(r.At, r, 1, 0, amount)
		}
	}
	for key, s := range sums {
		if s == (modelSums{}) {
			delete(sums, key)
		}
	}
	byDevice := append([]journal.Entry(nil), entries...)
	sort.Slice(byDevice, func(i, j int) bool {
		a, b := byDevice[i].Reading, byDevice[j].Reading
		if a.Device != b.Device {
			return a.Device < b.Device
		}
		if a.Boot != b.Boot {
			return a.Boot < b.Boot
		}
		return a.Seq < b.Seq
	})
	for i := 1; i < len(byDevice); i++ {
		p, e := byDevice[i-1].Reading, byDevice[i].Reading
		if p.Device != e.Device || !p.Receipt.TotalCount.OK || !e.Receipt.TotalCount.OK {
			continue
		}
		want, is := p.Receipt.TotalCount.V+effect[byDevice[i].Pos], e.Receipt.TotalCount.V
		switch {
		case is > want:
			totals[byDevice[i].Pos] = FlagTotalGap
		case is < want && (is <= 1 || is <= p.Receipt.TotalCount.V/10):
			totals[byDevice[i].Pos] = FlagTotalReset
		case is < want:
			totals[byDevice[i].Pos] = FlagTotalRollback
		}
	}
	return counted, sums, totals
}

func drawEntries(t *rapid.T) []journal.Entry {
	n := rapid.IntRange(1, 40).Draw(t, "n")
	tills := []*till{{device: "meter-a", boot: 1}, {device: "meter-c", boot: 1}}
	var readings []*city.Reading
	for range n {
		m := tills[rapid.IntRange(0, len(tills)-1).Draw(t, "till")]
		at := day0 + rapid.Int64Range(0, 400).Draw(t, "at")*6*hour + rapid.Int64Range(0, 3).Draw(t, "minutes")*2*minute
		r := m.paper(at, rapid.SampledFrom([]string{"1", "2"}).Draw(t, "number"), rapid.SampledFrom([]int64{2000, 3000}).Draw(t, "amount"),
			rapid.SampledFrom(city.Methods).Draw(t, "method"))
		r.Receipt.Class = rapid.SampledFrom([]city.Class{city.Car, city.Motorcycle, city.ClassNone}).Draw(t, "class")
		r.Receipt.Void = rapid.IntRange(0, 2).Draw(t, "void") == 0
		if rapid.Bool().Draw(t, "totals") {
			r.Receipt.TotalCount = city.SomeInt(rapid.Int64Range(0, 30).Draw(t, "count"))
		}
		readings = append(readings, r)
	}
	return log(rapid.Permutation(readings).Draw(t, "arrival")...)
}

// tempFile is a path for one try of a property.
func tempFile(t interface {
	require.TestingT
	Cleanup(func())
},
) string {
	dir, err := os.MkdirTemp("", "ledger")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "ledger.db")
}

// timelineOfAll is shared by the tries of a property.
var timelineOfAll = testTimeline(panics{})

// panics fails where there is no test yet.
type panics struct{}

func (panics) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panics) FailNow()                          { panic("failed") }

// openIn opens books that need not survive a power cut.
func openIn(t require.TestingT, path string) *Follower {
	f, err := open(context.Background(), path, Options{Timeline: timelineOfAll, Zone: wib}, "OFF")
	require.NoError(t, err)
	return f
}

func TestBooksEqualTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		entries := drawEntries(rt)
		path := tempFile(rt)
		f := openIn(rt, path)
		defer func() { _ = f.Close() }()
		for rest := entries; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "batch")
			require.NoError(rt, f.Apply(rest[:n]))
			switch rapid.IntRange(0, 3).Draw(rt, "then") {
			case 0: // a crash: what was not flushed comes again
				require.NoError(rt, f.Close())
				f = openIn(rt, path)
				rest = entries[max(f.Cursor(), 1)-1:]
				continue
			case 1:
				require.NoError(rt, f.Flush())
			}
			rest = rest[n:]
		}
		require.NoError(rt, f.Flush())
		require.Equal(rt, entries[len(entries)-1].Pos, f.Cursor())

		counted, sums, totals := model(entries)
		rs, _, err := f.Receipts(t.Context(), ReceiptQuery{From: -1 << 60, To: 1 << 60, Limit: 1000})
		require.NoError(rt, err)
		require.Len(rt, rs, len(entries))
		for _, r := range rs {
			require.Equal(rt, counted[r.Pos], r.Counted, "position %d %v", r.Pos, r.Flags)
			var flags Flags
			require.NoError(rt, f.db.R.QueryRow("SELECT flags FROM record WHERE pos = ?", r.Pos).Scan(&flags))
			require.Equal(rt, totals[r.Pos], flags&totalFlags, "totals of position %d", r.Pos)
		}

		// The sums, and the entries added up, say the same as the model.
		fromEntries := map[modelKey]modelSums{}
		for _, e := range entriesOf(rt, f) {
			key := modelKey{dateOf(e.Day), e.Site, e.Class.String(), e.Method.String()}
			s := fromEntries[key]
			s.receipts += e.Count
			s.amount += int64(e.Amount)
			if e.Kind == KindVoid || e.Kind == KindRevoid {
				s.voids -= e.Count
			}
			fromEntries[key] = s
			if s == (modelSums{}) {
				delete(fromEntries, key)
			}
		}
		require.Equal(rt, sums, fromEntries)
		fromBook := map[modelKey]modelSums{}
		m, err := f.snapshot(t.Context())
		require.NoError(rt, err)
		defer m.end()
		require.NoError(rt, m.cells(t.Context(), -1<<30, 1<<30, false, func(day int32, cells []cell) error {
			for _, c := range cells {
				fromBook[modelKey{dateOf(day), f.parties[c.party].Site, c.class.String(), c.method.String()}] = modelSums(c.sums)
			}
			return nil
		}))
		require.Equal(rt, sums, fromBook)
		for _, group := range Groups {
			rows, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-01-01", ToDate: "2027-01-01", Group: group})
			require.NoError(rt, err)
			got := map[string]modelSums{}
			for _, r := range rows {
				s := got[r.Key]
				got[r.Key] = modelSums{s.receipts + r.Receipts, s.voids + r.Voids, s.amount + int64(r.Recorded)}
			}
			want := map[string]modelSums{}
			for key, s := range sums {
				k := map[string]string{
					"site": key.site, "class": key.class, "method": key.method,
					"operator":  map[string]string{"site-a": "city", "site-c": "op-1"}[key.site],
					"kecamatan": map[string]string{"site-a": "Bekasi Timur", "site-c": "Bekasi Barat"}[key.site],
					"account":   map[string]string{"site-a": accountStreet, "site-c": accountPBJT}[key.site],
				}[group]
				w := want[k]
				want[k] = modelSums{w.receipts + s.receipts, w.voids + s.voids, w.amount + s.amount}
			}
			require.Equal(rt, want, got, group)
		}
	})
}

// In one batch, one by one, or with crashes in between: the files are equal,
// byte for byte.
func TestAnyBatchesMakeTheSameBooks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		entries := drawEntries(rt)
		whole := openIn(rt, tempFile(rt))
		defer func() { _ = whole.Close() }()
		apply(rt, whole, entries)
		want := dump(rt, whole)

		single := openIn(rt, tempFile(rt))
		defer func() { _ = single.Close() }()
		for i := range entries {
			apply(rt, single, entries[i:i+1])
		}
		require.Equal(rt, want, dump(rt, single))

		path := tempFile(rt)
		crashed := openIn(rt, path)
		defer func() { _ = crashed.Close() }()
		for done := uint64(1); done < entries[len(entries)-1].Pos; {
			n := rapid.IntRange(1, len(entries)).Draw(rt, "batch")
			require.NoError(rt, crashed.Apply(entries[done-1:min(int(done)-1+n, len(entries))]))
			if rapid.Bool().Draw(rt, "flush") {
				require.NoError(rt, crashed.Flush())
			}
			require.NoError(rt, crashed.Close())
			crashed = openIn(rt, path)
			done = max(done, crashed.Cursor())
		}
		require.Equal(rt, want, dump(rt, crashed))
	})
}
