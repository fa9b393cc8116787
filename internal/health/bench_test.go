package health_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// BenchmarkReadings lets 3,000 devices send 50,000 readings a second, one of
// fifty lost, with a flush a second of the simulated clock.
func BenchmarkReadings(b *testing.B) {
	var rows, devices []string
	for i := range 3000 {
		devices = append(devices, fmt.Sprintf("spot-%04d", i))
		rows = append(rows, devices[i]+",600")
	}
	w := newWorld(b, rows...)
	w.flush()
	const perSecond, batch = 50_000, 1000
	pos, n := w.pos, 0
	spot := &city.Spot{Battery: city.SomeMilli(3600)}
	var apply, flush time.Duration
	b.ResetTimer()
	for b.Loop() {
		entries := make([]journal.Entry, batch)
		for i := range entries {
			pos++
			now := begin + int64(n)*1000/perSecond
			seq := uint64(n / len(devices))
			seq += seq / 50
			entries[i] = journal.Entry{Pos: pos, Recv: now, Type: journal.TypeReading, Reading: &city.Reading{
				Device: devices[n%len(devices)], Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: seq, At: now, Spot: spot,
			}}
			n++
		}
		start := time.Now()
		require.NoError(b, w.f.Apply(entries))
		apply += time.Since(start)
		if n%perSecond == 0 {
			start = time.Now()
			require.NoError(b, w.f.Flush())
			flush += time.Since(start)
		}
	}
	b.ReportMetric(float64(apply.Nanoseconds())/float64(n), "apply-ns/reading")
	b.ReportMetric(float64(flush.Nanoseconds())/float64(n), "flush-ns/reading")
	b.ReportMetric(0, "ns/op")
}
