package archive

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

var day0 = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()

// fakeDay is a day of a journal in memory.
type fakeDay []journal.Entry

func (d fakeDay) info(date string) journal.DayInfo {
	info := journal.DayInfo{Date: date, First: d[0].Pos, Last: d[len(d)-1].Pos}
	for i := range d {
		if d[i].Type == journal.TypeReading {
			info.Readings++
		}
	}
	return info
}

func (d fakeDay) read(_ context.Context, after uint64, n int) ([]journal.Entry, error) {
	from := after + 1 - d[0].Pos
	return d[from:min(int(from)+n, len(d))], nil
}

// makeDay returns a day with n readings of every kind, with late and doubled
// times, and entries that are no readings.
func makeDay(seed uint64, first uint64, n int) fakeDay {
	random := rand.New(rand.NewPCG(seed, 1))
	d := fakeDay{{Pos: first, Recv: day0, Type: journal.TypeDay, Day: &journal.Day{Date: "2026-03-02", PrevHash: "ab"}}}
	for i := range n {
		recv := day0 + int64(i)*100
		e := journal.Entry{Pos: first + uint64(len(d)), Recv: recv, Type: journal.TypeReading, Source: "broker", Flags: journal.Flags(random.IntN(2))}
		r := &city.Reading{Kind: city.Kinds[i%6], HasBoot: random.IntN(3) > 0, Seq: uint64(i), At: recv - int64(random.IntN(20))*1000}
		if r.HasBoot {
			r.Boot = uint64(random.IntN(4))
		}
		if random.IntN(50) == 0 {
			r.At -= int64(random.IntN(5*24)) * 3600_000
		}
		r.Device = fmt.Sprintf("%s-%02d", r.Kind, random.IntN(12))
		body(r, random)
		e.Reading = r
		d = append(d, e)
		if i%600 == 0 {
			d = append(d, journal.Entry{Pos: first + uint64(len(d)), Recv: recv, Type: journal.TypeTick})
		}
	}
	return d
}

func body(r *city.Reading, random *rand.Rand) {
	maybe := func(v int64) city.Int { return city.Int{V: v, OK: true} }
	some := func() city.Int {
		if random.IntN(4) == 0 {
			return city.Int{}
		}
		return maybe(int64(random.IntN(9000)) - 1000)
	}
	switch r.Kind {
	case city.KindSpot:
		r.Spot = &city.Spot{Occupied: random.IntN(2) == 0, DwellS: some(), Battery: city.Milli(some()), Temperature: city.Milli(some()), RSSI: city.Milli(some())}
	case city.KindGate:
		r.Gate = &city.Gate{Out: random.IntN(2) == 0, Class: city.Car, Count: uint32(random.IntN(5))}
	case city.KindCount:
		r.Count = &city.Count{Class: city.ClassUnknown, Occupied: uint32(random.IntN(500))}
	case city.KindTraffic:
		r.Traffic = &city.Traffic{PeriodS: 60}
		for lane := range random.IntN(4) {
			l := city.Lane{Lane: uint16(lane + 1), Backward: lane == 2, HasCounts: random.IntN(5) > 0, Speed: city.Milli(some()), Occupancy: city.Milli(some())}
			if l.HasCounts {
				l.SM, l.KR, l.Unknown = uint32(random.IntN(90)), uint32(random.IntN(50)), uint32(random.IntN(2))
			}
			r.Traffic.Lanes = append(r.Traffic.Lanes, l)
		}
	case city.KindReceipt:
		r.Receipt = &city.Receipt{Number: fmt.Sprint("R", random.IntN(1e6)), Amount: city.Rupiah(random.IntN(20) * 1000), Method: city.QRIS, EnteredAt: some(), LeftAt: some(), Void: random.IntN(9) == 0, TotalCount: some(), TotalAmount: some()}
		if random.IntN(2) == 0 {
			r.Receipt.PlateHash = []byte{1, 2, byte(random.IntN(256))}
		}
	case city.KindHealth:
		r.Health = &city.Health{Battery: city.Milli(some()), UptimeS: some(), Firmware: "2.1"}
		for range random.IntN(3) {
			r.Health.Errors = append(r.Health.Errors, fmt.Sprint("e", random.IntN(5)))
		}
	case city.KindNone:
	}
}

func openStore(tb testing.TB, dir string) *Store {
	tb.Helper()
	s, err := Open(dir)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// truth is what Read must return.
func (d fakeDay) truth(device string, kind city.Kind, from, to int64) []journal.Entry {
	var want []journal.Entry
	for _, e := range d {
		if e.Type == journal.TypeReading && e.Reading.Kind == kind && e.Reading.Device == device && e.Reading.At >= from && e.Reading.At < to {
			want = append(want, e)
		}
	}
	sort.SliceStable(want, func(i, k int) bool { return want[i].Reading.At < want[k].Reading.At })
	return want
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	for name, limit := range map[string]int{"in memory": runEntries, "in runs": 700} {
		t.Run(name, func(t *testing.T) {
			defer func(before int) { runEntries = before }(runEntries)
			runEntries = limit
			dir := t.TempDir()
			s := openStore(t, dir)
			day := makeDay(1, 100, 6000)
			a, err := s.Write(t.Context(), day.info("2026-03-02"), day.read)
			require.NoError(t, err)
			require.Equal(t, uint64(6000), a.Rows)
			require.Equal(t, []uint64{100, day[len(day)-1].Pos}, []uint64{a.First, a.Last})
			require.Len(t, a.Files, 7)
			again, err := s.Write(t.Context(), day.info("2026-03-02"), nil)
			require.NoError(t, err)
			require.Equal(t, a, again)
			left, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
			require.NoError(t, err)
			require.Empty(t, left)
			for range 2 {
				require.NoError(t, s.Verify(t.Context(), "2026-03-02"))
				for _, kind := range city.Kinds {
					for i := range 13 {
						device := fmt.Sprintf("%s-%02d", kind, i)
						for _, span := range [][2]int64{{0, 1 << 62}, {day0 + 100_000, day0 + 300_000}, {day0 - 9*24*3600_000, day0}, {1 << 60, 1 << 61}} {
							got, err := s.Read(t.Context(), "2026-03-02", kind.String(), device, span[0], span[1])
							require.NoError(t, err)
							require.Equal(t, append([]journal.Entry{}, day.truth(device, kind, span[0], span[1])...), append([]journal.Entry{}, got...))
						}
					}
				}
				var all fakeDay
				require.NoError(t, s.Entries(t.Context(), "2026-03-02", func(e []journal.Entry) error { all = append(all, e...); return nil }))
				require.Equal(t, day, all)
				require.NoError(t, s.Close())
				s = openStore(t, dir)
			}
		})
	}
}

func TestAnyReadingSurvives(t *testing.T) {
	require.NoError(t, flag.Set("rapid.checks", "12")) // each writes and syncs seven files
	n := 0
	dir := t.TempDir()
	s := openStore(t, dir)
	rapid.Check(t, func(r *rapid.T) {
		n++
		date := time.UnixMilli(day0).AddDate(0, 0, n).Format(time.DateOnly)
		day := makeDay(rapid.Uint64().Draw(r, "seed"), 1, rapid.IntRange(0, 60).Draw(r, "n"))
		for i := range day {
			if e := day[i].Reading; e != nil {
				e.Device = rapid.StringMatching(`[a-c]|[ -~é"]{1,3}`).Draw(r, "device")
				e.At = rapid.OneOf(rapid.Int64(), rapid.Int64Range(day0, day0+3)).Draw(r, "at")
				e.Seq = rapid.Uint64().Draw(r, "seq")
				if e.Gate != nil {
					e.Gate.Class = city.Class(rapid.Uint8().Draw(r, "class"))
					e.Gate.Count = rapid.Uint32().Draw(r, "count")
				}
				if e.Receipt != nil {
					e.Receipt.Number = rapid.String().Draw(r, "number")
					e.Receipt.Amount = city.Rupiah(rapid.Int64().Draw(r, "amount"))
					e.Receipt.Method = city.Method(rapid.Uint8().Draw(r, "method"))
				}
			}
		}
		_, err := s.Write(t.Context(), day.info(date), day.read)
		require.NoError(r, err)
		var all fakeDay
		require.NoError(r, s.Entries(t.Context(), date, func(e []journal.Entry) error { all = append(all, e...); return nil }))
		require.Equal(r, day, all)
	})
}

func TestDamageIsToldNeverServed(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	day := makeDay(3, 1, 1200)
	_, err := s.Write(t.Context(), day.info("2026-03-02"), day.read)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	path := filepath.Join(dir, "spot", "2026-03-02.parquet")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(5, 6))
	told := 0
	for range 120 {
		b := bytes.Clone(whole)
		b[random.IntN(len(b))] ^= 1 << random.IntN(8)
		require.NoError(t, os.WriteFile(path, b, 0o600))
		s := openStore(t, dir)
		var damage *DamageError
		require.ErrorAs(t, s.Verify(t.Context(), "2026-03-02"), &damage)
		require.Equal(t, path, damage.File)
		for i := range 12 {
			device := fmt.Sprintf("spot-%02d", i)
			got, err := s.Read(t.Context(), "2026-03-02", "spot", device, 0, 1<<62)
			if err != nil {
				require.ErrorAs(t, err, &damage)
				told++
				continue
			}
			require.Equal(t, day.truth(device, city.KindSpot, 0, 1<<62), got)
		}
		require.NoError(t, s.Close())
	}
	require.Greater(t, told, 120)

	require.NoError(t, os.Remove(path))
	s = openStore(t, dir)
	_, err = s.Read(t.Context(), "2026-03-02", "spot", "spot-01", 0, 1<<62)
	var damage *DamageError
	require.ErrorAs(t, err, &damage)
	require.ErrorAs(t, s.Verify(t.Context(), "2026-03-02"), &damage)

	manifest := filepath.Join(dir, daysDir, "2026-03-02.json")
	b, err := os.ReadFile(manifest)
	require.NoError(t, err)
	b[20] ^= 1
	require.NoError(t, os.WriteFile(manifest, b, 0o600))
	_, err = Open(dir)
	require.ErrorAs(t, err, &damage)
}

// TestKilledAnywhere copies the folder at each step of a change, as a kill
// would leave it: it holds either nothing of the day or all of it, and the
// work can be done again.
func TestKilledAnywhere(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	first, second := makeDay(3, 1, 300), makeDay(4, 1000, 300)
	_, err := s.Write(t.Context(), first.info("2026-03-02"), first.read)
	require.NoError(t, err)
	steps := 0
	s.step = func(name string) error {
		steps++
		copied := t.TempDir()
		require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
		killed := openStore(t, copied)
		_, ok := killed.Day("2026-03-03")
		require.False(t, ok, name)
		require.NoError(t, killed.Verify(t.Context(), "2026-03-02"))
		_, err := killed.Write(t.Context(), second.info("2026-03-03"), second.read)
		require.NoError(t, err, name)
		require.NoError(t, killed.Verify(t.Context(), "2026-03-03"))
		left, err := filepath.Glob(filepath.Join(copied, "*.tmp"))
		require.NoError(t, err)
		require.Empty(t, left)
		return nil
	}
	_, err = s.Write(t.Context(), second.info("2026-03-03"), second.read)
	require.NoError(t, err)
	require.Equal(t, 1+7+7+1, steps)

	s.step = func(name string) error { return fmt.Errorf("stopped at %s", name) }
	third := makeDay(5, 2000, 300)
	_, err = s.Write(t.Context(), third.info("2026-03-04"), third.read)
	require.ErrorContains(t, err, "stopped at sorted")
	_, ok := s.Day("2026-03-04")
	require.False(t, ok)
}

func TestWhatTheJournalHoldsBackIsNotArchived(t *testing.T) {
	s := openStore(t, t.TempDir())
	day := makeDay(3, 1, 300)
	info := day.info("2026-03-02")
	_, err := s.Write(t.Context(), info, func(ctx context.Context, after uint64, n int) ([]journal.Entry, error) {
		got, err := day.read(ctx, after, n)
		return append(got[:50:50], got[51:]...), err
	})
	require.ErrorContains(t, err, "gave position")
	info.Readings++
	_, err = s.Write(t.Context(), info, day.read)
	require.ErrorContains(t, err, "readings")
	require.Empty(t, s.Days())
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	day := makeDay(3, 1, 1200)
	a, err := s.Write(t.Context(), day.info("2026-03-02"), day.read)
	require.NoError(t, err)
	got, err := s.Read(t.Context(), "2026-03-02", "gate", "gate-01", 0, 1<<62)
	require.NoError(t, err)
	require.NotEmpty(t, got)
	require.NoError(t, s.Remove("2026-03-02", "gate", "spot", "no such kind"))
	for range 2 {
		for _, kind := range []string{"gate", "spot"} {
			require.NoFileExists(t, filepath.Join(dir, kind, "2026-03-02.parquet"))
			got, err = s.Read(t.Context(), "2026-03-02", kind, kind+"-01", 0, 1<<62)
			require.NoError(t, err)
			require.Empty(t, got)
		}
		got, err = s.Read(t.Context(), "2026-03-02", "receipt", "receipt-01", 0, 1<<62)
		require.NoError(t, err)
		require.NotEmpty(t, got)
		require.NoError(t, s.Verify(t.Context(), "2026-03-02"))
		d, ok := s.Day("2026-03-02")
		require.True(t, ok)
		require.Equal(t, a, d.Archive(), "the hashes stay")
		// A file that a crash left behind is swept away.
		require.NoError(t, os.WriteFile(filepath.Join(dir, "gate", "2026-03-02.parquet"), []byte("x"), 0o600))
		require.NoError(t, s.Close())
		s = openStore(t, dir)
	}
}
