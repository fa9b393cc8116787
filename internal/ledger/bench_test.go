package ledger

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// bigFiles is a city of n sites with a meter each.
func bigFiles(n int) map[string][]byte {
	files := testFiles()
	sites := make([]string, n)
	var devices strings.Builder
	devices.WriteString("id,kind,site,interval_s\n")
	for i := range sites {
		levy, operator := "street", "city"
		if i%3 == 0 {
			levy, operator = "pbjt", fmt.Sprintf("op-%d", i%9/3+1)
		}
		sites[i] = fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{"id":"site-%03d","name":"Site %d","kind":"on_street","address":"Jl. Contoh",
"kecamatan":"Kecamatan %d","operator":%q,"nopd":"NOPD-%03d","levy":%q,"tariff":"street","detection":"count","capacity":{"car":20,"motorcycle":20}}}`, i, i, i%12, operator, i, levy)
		fmt.Fprintf(&devices, "meter-%03d,meter,site-%03d,300\n", i, i)
	}
	files["sites.geojson"] = []byte(`{"type":"FeatureCollection","features":[` + strings.Join(sites, ",\n") + `]}`)
	files["devices.csv"] = []byte(devices.String())
	delete(files, "attendants.csv")
	return files
}

func bigTimeline(tb testing.TB) *inventory.Timeline {
	tb.Helper()
	tl := &inventory.Timeline{}
	tl.Accept(1, day0-1000*day, parseVersion(tb, bigFiles(200)))
	return tl
}

// traffic returns n receipts of 200 meters from a time on, ten a second, one in
// 20 a void.
func traffic(n int, first uint64, from int64) []journal.Entry {
	entries := make([]journal.Entry, n)
	for i := range entries {
		k := int(first) + i
		seq := uint64(k/200) + 1
		r := &city.Reading{
			Device: fmt.Sprintf("meter-%03d", k%200), Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: seq, At: from + int64(i)*100,
			Receipt: &city.Receipt{
				Number: fmt.Sprintf("%08d", seq), Amount: city.Rupiah(2000 + 1000*(k%4)), Method: city.Methods[k%4], Class: city.Classes[k%3],
				TotalCount: city.SomeInt(int64(seq)), TotalAmount: city.SomeInt(int64(seq) * 3000),
			},
		}
		if seq%20 == 0 {
			r.Receipt.Void, r.Receipt.Number = true, fmt.Sprintf("%08d", seq-1)
			r.Receipt.Amount = city.Rupiah(2000 + 1000*((k-200)%4))
		}
		entries[i] = journal.Entry{Pos: first + uint64(i) + 1, Recv: r.At, Type: journal.TypeReading, Source: "broker", Reading: r}
	}
	return entries
}

func BenchmarkApply(b *testing.B) {
	for _, batch := range []int{64, 1024, 16384} {
		b.Run(fmt.Sprint("flush of ", batch), func(b *testing.B) {
			f := testFollower(b, filepath.Join(b.TempDir(), "ledger.db"), bigTimeline(b))
			apply(b, f, traffic(100_000, 1, day0)) // not the first
			at, from := uint64(100_001), day0+100_000*100
			entries := traffic(b.N, at, from)
			b.ResetTimer()
			for len(entries) > 0 {
				n := min(batch, len(entries))
				apply(b, f, entries[:n])
				entries = entries[n:]
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "receipts/s")
		})
	}
}

// What is not ours must cost next to nothing.
func BenchmarkApplyOthers(b *testing.B) {
	f := newFollower(b)
	entries := make([]journal.Entry, 4096)
	for i := range entries {
		entries[i] = journal.Entry{Type: journal.TypeReading, Reading: &city.Reading{Kind: city.KindSpot, Device: "s", Spot: &city.Spot{}}}
	}
	b.ResetTimer()
	for n := 0; n < b.N; n += len(entries) {
		for i := range entries {
			entries[i].Pos = uint64(n+i) + 1
		}
		require.NoError(b, f.Apply(entries))
	}
}

// A year of 200 sites, each class and method of each on each day.
func BenchmarkDailyYear(b *testing.B) {
	f := testFollower(b, filepath.Join(b.TempDir(), "ledger.db"), bigTimeline(b))
	var readings []*city.Reading
	seq := uint64(0)
	for d := range 365 {
		for s := range 200 {
			for k := range 12 {
				seq++
				readings = append(readings, &city.Reading{
					Device: fmt.Sprintf("meter-%03d", s), Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: seq, At: day0 - 60*day + int64(d)*day + 8*hour,
					Receipt: &city.Receipt{Number: strconv.FormatUint(seq, 10), Amount: 2000, Method: city.Methods[k%4], Class: city.Classes[k%3]},
				})
			}
		}
	}
	apply(b, f, log(readings...))
	for _, group := range Groups {
		b.Run(group, func(b *testing.B) {
			for b.Loop() {
				rows, err := f.Daily(b.Context(), DailyQuery{FromDate: "2026-01-01", ToDate: "2027-01-01", Group: group})
				require.NoError(b, err)
				require.NotEmpty(b, rows)
			}
		})
	}
	b.Run("summary", func(b *testing.B) {
		for b.Loop() {
			_, err := f.Summary(b.Context(), 2026, false)
			require.NoError(b, err)
		}
	})
	b.Run("receipts of all sites", func(b *testing.B) {
		for b.Loop() {
			rs, _, err := f.Receipts(b.Context(), ReceiptQuery{From: day0, To: day0 + 30*day, Limit: 100})
			require.NoError(b, err)
			require.Len(b, rs, 100)
		}
	})
	b.Run("receipts of a site", func(b *testing.B) {
		for b.Loop() {
			_, _, err := f.Receipts(b.Context(), ReceiptQuery{Site: "site-007", From: day0, To: day0 + 30*day, Limit: 100})
			require.NoError(b, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	const n = 100_000
	f := testFollower(b, filepath.Join(b.TempDir(), "ledger.db"), bigTimeline(b))
	apply(b, f, traffic(n, 1, day0))
	b.ResetTimer()
	for b.Loop() {
		v, err := Verify(b.Context(), f.db.Path(), VerifyOptions{Options: f.o})
		require.NoError(b, err)
		require.EqualValues(b, n, v.Entries)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
