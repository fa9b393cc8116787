package watch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// BenchmarkReceipts lets 200 meters sell, with a tick a minute and a flush every
// five seconds of the simulated clock.
func BenchmarkReceipts(b *testing.B) {
	var meters []string
	for i := range 200 {
		meters = append(meters, fmt.Sprintf("m%d@b", i))
	}
	w := newWorld(b, Options{}, town(b, "", meters...))
	w.flush()
	dice := rand.New(rand.NewPCG(1, 2))
	seq := make([]int64, len(meters))
	pos, now := w.pos, w.now
	n := 0
	var apply, flush time.Duration
	for b.Loop() {
		var entries []journal.Entry
		for range 10 {
			i := dice.IntN(len(meters))
			seq[i]++
			now += 500
			pos++
			entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeReading, Reading: &city.Reading{
				Device: fmt.Sprint("m", i), Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: uint64(seq[i]), At: now, Receipt: &city.Receipt{
					Number: fmt.Sprintf("A%07d", seq[i]), Amount: 4000, Class: city.Car, Method: city.Cash,
					EnteredAt: city.SomeInt(now - hourMs/2), LeftAt: city.SomeInt(now), TotalCount: city.SomeInt(seq[i]), TotalAmount: city.SomeInt(4000 * seq[i]),
				},
			}})
		}
		n += len(entries)
		if n%120 == 0 {
			pos++
			entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeTick})
		}
		start := time.Now()
		require.NoError(b, w.f.Apply(entries))
		apply += time.Since(start)
		start = time.Now()
		require.NoError(b, w.f.Flush())
		flush += time.Since(start)
	}
	b.ReportMetric(float64(apply.Nanoseconds())/float64(n), "apply-ns/receipt")
	b.ReportMetric(float64(flush.Nanoseconds())/float64(n), "flush-ns/receipt")
	b.ReportMetric(0, "ns/op")
}
