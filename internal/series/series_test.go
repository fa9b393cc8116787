package series_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

const (
	second = int64(1000)
	hour   = 3600 * second
	day    = 24 * hour
	ever   = int64(1) << 60
)

var (
	jakarta = time.FixedZone("WIB", 7*3600)
	day0    = time.Date(2026, 3, 2, 0, 0, 0, 0, jakarta).UnixMilli()
)

// bed is a journal with a follower on it, and the truth.
type bed struct {
	t     testing.TB
	dir   string
	j     *journal.Journal
	f     *series.Follower
	truth []journal.Entry // every reading that was appended
	small int             // segment of the index
}

func newBed(tb testing.TB) *bed {
	tb.Helper()
	b := &bed{t: tb, dir: tb.TempDir(), small: 70}
	b.open()
	tb.Cleanup(b.close)
	return b
}

func (b *bed) open() {
	b.t.Helper()
	var err error
	b.j, err = journal.Open(b.t.Context(), filepath.Join(b.dir, "journal"), journal.Options{Zone: jakarta})
	require.NoError(b.t, err)
	b.f, err = series.Open(b.t.Context(), filepath.Join(b.dir, "archive"), series.Options{Journal: b.j, Zone: jakarta, Index: b.index(), Segment: b.small})
	require.NoError(b.t, err)
	b.follow()
}

func (b *bed) index() string { return filepath.Join(b.dir, "series.db") }

// follow applies what the journal has, as the runner does.
func (b *bed) follow() {
	b.t.Helper()
	for after := max(b.f.Applied(), b.f.Cursor()); after < b.j.Head(); {
		entries, err := b.j.Read(b.t.Context(), after, 500)
		require.NoError(b.t, err)
		require.NoError(b.t, b.f.Apply(entries))
		after = entries[len(entries)-1].Pos
		require.NoError(b.t, b.f.Apply(entries), "twice is once")
		require.NoError(b.t, b.f.Flush())
	}
	require.Equal(b.t, b.j.Head(), b.f.Applied())
}

func (b *bed) close() {
	_ = b.f.Close()
	_ = b.j.Close()
}

func (b *bed) reopen() {
	b.t.Helper()
	b.close()
	b.open()
}

func (b *bed) append(entries ...journal.Entry) {
	b.t.Helper()
	_, err := b.j.Append(b.t.Context(), entries)
	require.NoError(b.t, err)
	for _, e := range entries {
		if e.Type == journal.TypeReading {
			b.truth = append(b.truth, e)
		}
	}
	b.follow()
}

// seal archives every day that is due, and records it.
func (b *bed) seal() {
	b.t.Helper()
	for _, date := range b.f.Due() {
		_, err := b.f.Seal(b.t.Context(), date)
		require.NoError(b.t, err)
		b.record()
	}
}

func (b *bed) record() {
	b.t.Helper()
	if a := b.f.Unrecorded(); a != nil {
		b.append(journal.Entry{Recv: b.j.LastRecv(), Type: journal.TypeArchive, Archive: a})
	}
	require.Nil(b.t, b.f.Unrecorded())
}

// fill appends days of readings of some devices of every kind, with late and
// doubled times, in commits of many sizes.
func (b *bed) fill(seed uint64, from int64, days, perDay int) {
	b.t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	for d := range days {
		for i := 0; i < perDay; {
			var batch []journal.Entry
			for range min(1+random.IntN(60), perDay-i) {
				recv := from + int64(d)*day + int64(i)*(day/int64(perDay))
				at := recv - int64(random.IntN(30))*second
				switch random.IntN(40) {
				case 0:
					at -= int64(random.IntN(int(6 * day)))
				case 1:
					at = from + int64(d)*day
				}
				batch = append(batch, journal.Entry{Recv: recv, Type: journal.TypeReading, Source: "s", Reading: reading(random, i, at)})
				i++
			}
			b.append(batch...)
		}
	}
}

func reading(random *rand.Rand, i int, at int64) *city.Reading {
	r := &city.Reading{Device: fmt.Sprintf("d%d", random.IntN(6)), Kind: city.Kinds[random.IntN(6)], Seq: uint64(i), At: at}
	switch r.Kind {
	case city.KindSpot:
		r.Spot = &city.Spot{Occupied: i%2 == 0, Battery: city.SomeMilli(3600)}
	case city.KindGate:
		r.Gate = &city.Gate{Class: city.Car, Count: 1}
	case city.KindCount:
		r.Count = &city.Count{Class: city.Car, Occupied: uint32(i)}
	case city.KindTraffic:
		r.Traffic = &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1, HasCounts: true, SM: uint32(i)}, {Lane: 2}}}
	case city.KindReceipt:
		r.Receipt = &city.Receipt{Number: strconv.Itoa(i), Amount: 2000, Method: city.Cash}
	case city.KindHealth:
		r.Health = &city.Health{Firmware: "1"}
	case city.KindNone:
	}
	return r
}

// want is the answer that the truth gives.
func (b *bed) want(q series.Query) []journal.Entry {
	want := []journal.Entry{}
	for _, e := range b.truth {
		kind := len(q.Kinds) == 0
		for _, k := range q.Kinds {
			kind = kind || k == e.Reading.Kind
		}
		if kind && e.Reading.Device == q.Device && e.Reading.At >= q.From && e.Reading.At < q.To {
			want = append(want, e)
		}
	}
	sort.SliceStable(want, func(i, k int) bool { return want[i].Reading.At < want[k].Reading.At })
	return want
}

// ask pages through the whole answer.
func (b *bed) ask(t require.TestingT, q series.Query) []journal.Entry {
	got := []journal.Entry{}
	for {
		page, err := b.f.Readings(b.t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Entries), q.Limit)
		got = append(got, page.Entries...)
		if page.Next == nil {
			return got
		}
		require.Len(t, page.Entries, q.Limit)
		q.After = page.Next
	}
}

func (b *bed) checkAll() {
	b.t.Helper()
	for i := range 7 {
		for _, span := range [][2]int64{{-ever, ever}, {day0 + day, day0 + 2*day}, {day0 + 20*hour, day0 + 28*hour}, {day0 + 30*hour, day0 + 30*hour}} {
			q := series.Query{Device: fmt.Sprintf("d%d", i), From: span[0], To: span[1], Limit: 100}
			require.Equal(b.t, b.want(q), b.ask(b.t, q))
		}
	}
}

func TestAnswersEqualTheTruthAcrossJournalAndArchive(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 4, 900)
	b.checkAll()
	require.Equal(t, []string{"2026-03-02", "2026-03-03", "2026-03-04"}, b.f.Due())
	for _, date := range b.f.Due() {
		_, err := b.f.Seal(t.Context(), date)
		require.NoError(t, err)
		b.checkAll()
		b.record()
	}
	require.Empty(t, b.f.Due())
	b.fill(2, day0+4*day, 1, 300)
	b.checkAll()
	b.reopen()
	b.checkAll()
	retired, err := b.f.Retain(t.Context(), day0+5*day, series.Policy{}, b.f.Cursor())
	require.NoError(t, err)
	require.Equal(t, []string{"2026-03-02", "2026-03-03", "2026-03-04"}, retired)
	b.checkAll()
	b.reopen()
	b.checkAll()
	require.NoError(t, b.f.Verify(t.Context(), nil))
	require.NoError(t, b.j.Verify(t.Context(), nil))

	rapid.Check(t, func(r *rapid.T) {
		q := series.Query{
			Device: rapid.SampledFrom([]string{"d0", "d1", "d2", "nobody"}).Draw(r, "device"), Limit: rapid.IntRange(1, 300).Draw(r, "limit"),
			From: rapid.Int64Range(day0-7*day, day0+5*day).Draw(r, "from"), Kinds: rapid.SliceOfN(rapid.SampledFrom(city.Kinds), 0, 3).Draw(r, "kinds"),
		}
		q.To = q.From + rapid.Int64Range(0, 12*day).Draw(r, "length")
		require.Equal(r, b.want(q), b.ask(r, q))
	})
	_, err = b.f.Readings(t.Context(), series.Query{Device: "d0", To: ever})
	require.Error(t, err, "a limit is required")
}

func TestAppliedOneByOneOrInBulk(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 2, 400)
	one, err := series.Open(t.Context(), filepath.Join(t.TempDir(), "archive"), series.Options{Journal: b.j, Zone: jakarta, Index: filepath.Join(t.TempDir(), "series.db")})
	require.NoError(t, err)
	defer one.Close()
	all, err := b.j.Read(t.Context(), 0, 1<<20)
	require.NoError(t, err)
	for i := range all {
		require.NoError(t, one.Apply(all[i:i+1]))
		if i%100 == 0 {
			require.NoError(t, one.Flush())
		}
	}
	require.ErrorContains(t, one.Apply([]journal.Entry{{Pos: one.Applied() + 2}}), "after")
	bulk := b.f
	for i := range 6 {
		q := series.Query{Device: fmt.Sprintf("d%d", i), From: -ever, To: ever, Limit: 1000}
		b.f = one
		got := b.ask(t, q)
		b.f = bulk
		require.Equal(t, b.ask(t, q), got)
		require.NotEmpty(t, got)
	}
}

func TestSealKeepsItsOrder(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 3, 200)
	_, err := b.f.Seal(t.Context(), "2026-03-03")
	require.ErrorContains(t, err, "oldest")
	_, err = b.f.Seal(t.Context(), "2026-03-04")
	require.Error(t, err, "the newest day is not over")
	a, err := b.f.Seal(t.Context(), "2026-03-02")
	require.NoError(t, err)
	require.Equal(t, a, *b.f.Unrecorded())
	_, err = b.f.Seal(t.Context(), "2026-03-03")
	require.ErrorContains(t, err, "does not say so yet")

	// Not recorded yet: the journal keeps the day, over a restart too.
	b.reopen()
	require.Equal(t, a, *b.f.Unrecorded())
	require.GreaterOrEqual(t, b.f.Cursor(), a.Last)
	retired, err := b.f.Retain(t.Context(), day0+9*day, series.Policy{}, b.j.Head())
	require.NoError(t, err)
	require.Empty(t, retired)
	b.record()
	b.reopen()
	require.Nil(t, b.f.Unrecorded())

	// A cursor that lags holds the day, and so does the policy.
	for _, try := range []struct {
		now     int64
		journal int
		passed  uint64
	}{{day0 + 9*day, 0, a.Last - 1}, {day0 + 2*day, 2, a.Last}} {
		retired, err = b.f.Retain(t.Context(), try.now, series.Policy{Journal: try.journal}, try.passed)
		require.NoError(t, err)
		require.Empty(t, retired)
	}
	retired, err = b.f.Retain(t.Context(), day0+3*day, series.Policy{Journal: 2}, a.Last)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-03-02"}, retired)
	b.checkAll()
}

func TestADamagedArchiveKeepsTheJournal(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 2, 300)
	b.seal()
	path := filepath.Join(b.dir, "archive", "gate", "2026-03-02.parquet")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	bad := append([]byte{}, whole...)
	bad[len(bad)/3] ^= 1
	require.NoError(t, os.WriteFile(path, bad, 0o600))
	retired, err := b.f.Retain(t.Context(), day0+9*day, series.Policy{}, b.j.Head())
	var damage *archive.DamageError
	require.ErrorAs(t, err, &damage)
	require.Empty(t, retired)
	require.Len(t, b.j.Days(), 2)
	require.ErrorAs(t, b.f.Verify(t.Context(), nil), &damage)
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	require.NoError(t, b.f.Verify(t.Context(), nil))
	retired, err = b.f.Retain(t.Context(), day0+9*day, series.Policy{}, b.j.Head())
	require.NoError(t, err)
	require.Equal(t, []string{"2026-03-02"}, retired)
}

func TestRetentionByGroup(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 4, 300)
	b.seal()
	_, err := b.f.Retain(t.Context(), day0+3*day, series.Policy{Parking: 2, Traffic: 1, Health: 0, Money: 1000}, 0)
	require.NoError(t, err)
	left := func(kind string) (dates []string) {
		names, err := filepath.Glob(filepath.Join(b.dir, "archive", kind, "*"))
		require.NoError(t, err)
		for _, name := range names {
			dates = append(dates, filepath.Base(name)[:10])
		}
		return dates
	}
	for range 2 {
		for kind, want := range map[string][]string{
			"spot": {"2026-03-03", "2026-03-04"}, "gate": {"2026-03-03", "2026-03-04"}, "count": {"2026-03-03", "2026-03-04"}, "traffic": {"2026-03-04"},
			"health": {"2026-03-02", "2026-03-03", "2026-03-04"}, "receipt": {"2026-03-02", "2026-03-03", "2026-03-04"}, "other": {"2026-03-02", "2026-03-03", "2026-03-04"},
		} {
			require.Equal(t, want, left(kind), kind)
		}
		require.NoError(t, b.f.Verify(t.Context(), nil))
		b.reopen()
	}
	q := series.Query{Device: "d1", From: -ever, To: ever, Limit: 1000, Kinds: []city.Kind{city.KindReceipt, city.KindHealth}}
	require.Equal(t, b.want(q), b.ask(t, q))
}

// TestCutOffWhileSealing: a run that is stopped, and the leftovers of one that
// was killed, change no answer; the next start goes on.
func TestCutOffWhileSealing(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 2, 600)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.f.Seal(ctx, "2026-03-02")
	require.ErrorIs(t, err, context.Canceled)
	b.checkAll()

	_, err = b.f.Seal(t.Context(), "2026-03-02")
	require.NoError(t, err)
	manifest := filepath.Join(b.dir, "archive", "days", "2026-03-02.json")
	b.close()
	require.NoError(t, os.Rename(manifest, manifest+".tmp")) // killed just before the last step
	b.open()
	b.checkAll()
	require.NoFileExists(t, filepath.Join(b.dir, "archive", "spot", "2026-03-02.parquet"))
	require.Equal(t, []string{"2026-03-02"}, b.f.Due())
	b.seal()
	b.checkAll()
	require.NoError(t, b.f.Verify(t.Context(), nil))
}

func TestMissingDaysStopTheStart(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 4, 100)
	b.seal()
	_, err := b.f.Retain(t.Context(), day0+9*day, series.Policy{}, b.j.Head())
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(b.dir, "archive", "days", "2026-03-03.json")))
	require.NoError(t, b.f.Close())
	_, err = series.Open(t.Context(), filepath.Join(b.dir, "archive"), series.Options{Journal: b.j, Zone: jakarta, Index: b.index()})
	require.ErrorContains(t, err, "must follow")
}

// TestQueriesWhileDaysGoOver asks all the time while days are sealed and
// retired.
func TestQueriesWhileDaysGoOver(t *testing.T) {
	b := newBed(t)
	b.fill(1, day0, 5, 300)
	q := series.Query{Device: "d2", From: -ever, To: ever, Limit: 1000}
	want := b.want(q)
	done, asked := make(chan struct{}), make(chan int)
	for range 3 {
		go func() {
			n := 0
			for {
				select {
				case <-done:
					asked <- n
					return
				default:
				}
				page, err := b.f.Readings(t.Context(), q)
				if err != nil || len(page.Entries) != len(want) {
					t.Errorf("%d entries of %d: %v", len(page.Entries), len(want), err)
				}
				n++
			}
		}()
	}
	for range 4 {
		_, err := b.f.Seal(t.Context(), b.f.Due()[0])
		require.NoError(t, err)
		b.record()
		_, err = b.f.Retain(t.Context(), day0+9*day, series.Policy{}, b.f.Cursor())
		require.NoError(t, err)
	}
	close(done)
	for range 3 {
		require.Positive(t, <-asked)
	}
	require.Len(t, b.j.Days(), 1)
}

func BenchmarkApply(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	entries := make([]journal.Entry, 1000)
	bed := newBed(b)
	bed.append(journal.Entry{Recv: day0, Type: journal.TypeTick})
	pos := bed.j.Head()
	for i := range entries {
		entries[i] = journal.Entry{Type: journal.TypeReading, Reading: reading(random, i, day0+int64(i))}
		entries[i].Reading.Device = fmt.Sprintf("spot-%04d", random.IntN(3000))
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range entries {
			pos++
			entries[i].Pos = pos
		}
		require.NoError(b, bed.f.Apply(entries))
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "entries/s")
}
