package ledger

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Books of a year of millions of receipts, for measurements by hand:
//
//	SIMPANG_LEDGER=/big/ledger.db SIMPANG_RECEIPTS=10000000 go test -run - -bench '^BenchmarkYear$' -timeout 1h ./internal/ledger
//
// makes them where they are not there, and asks them.
const (
	ledgerVar   = "SIMPANG_LEDGER"
	receiptsVar = "SIMPANG_RECEIPTS"
)

// yearOfReceipts calls each with n receipts of meters over 365 days from a time on, in
// batches; one in 20 is a void, one in 50 comes three days late.
func yearOfReceipts(n, meters int, from int64, each func([]journal.Entry)) {
	step := 365 * day / int64(n)
	entries := make([]journal.Entry, 0, most)
	for k := range n {
		seq := uint64(k/meters) + 1
		r := &city.Reading{
			Device: fmt.Sprintf("meter-%03d", k%meters), Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: seq, At: from + int64(k)*step,
			Receipt: &city.Receipt{
				Number: strconv.FormatUint(seq, 10), Amount: city.Rupiah(2000 + 1000*(k%4)), Method: city.Methods[k/meters%4], Class: city.Classes[k/meters%3],
				TotalCount: city.SomeInt(int64(seq)), TotalAmount: city.SomeInt(int64(seq) * 3000),
			},
		}
		recv := r.At
		switch {
		case seq%20 == 0:
			r.Receipt.Void, r.Receipt.Number = true, strconv.FormatUint(seq-1, 10)
			r.Receipt.Amount = city.Rupiah(2000 + 1000*((k-meters)%4))
		case seq%50 == 7:
			r.At -= 3 * day
		}
		entries = append(entries, journal.Entry{Pos: uint64(k) + 1, Recv: recv, Type: journal.TypeReading, Source: "broker", Reading: r})
		if len(entries) == cap(entries) || k == n-1 {
			each(entries)
			entries = make([]journal.Entry, 0, most)
		}
	}
}

func BenchmarkYear(b *testing.B) {
	const meters = 200
	path, n := os.Getenv(ledgerVar), 100_000
	if path == "" {
		path = b.TempDir() + "/ledger.db"
	}
	if v, err := strconv.Atoi(os.Getenv(receiptsVar)); err == nil {
		n = v
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, wib).UnixMilli()
	f, err := open(b.Context(), path, Options{Timeline: bigTimeline(b), Zone: wib}, sqlite.Normal)
	require.NoError(b, err)
	defer f.Close()
	if f.Cursor() == 0 {
		yearOfReceipts(n, meters, from, func(entries []journal.Entry) {
			require.NoError(b, f.Apply(entries))
			require.NoError(b, f.Flush())
		})
	}
	info, err := os.Stat(path)
	require.NoError(b, err)
	for _, group := range Groups {
		b.Run(group, func(b *testing.B) {
			b.ReportAllocs()
			var receipts int64
			for b.Loop() {
				rows, err := f.Daily(b.Context(), DailyQuery{FromDate: "2026-01-01", ToDate: "2027-01-01", Group: group})
				require.NoError(b, err)
				receipts = 0
				for i := range rows {
					receipts += rows[i].Receipts
				}
			}
			b.ReportMetric(float64(receipts), "receipts")
			b.ReportMetric(float64(info.Size())/float64(f.Cursor()), "disk-bytes/receipt")
		})
	}
}
