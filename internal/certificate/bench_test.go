package certificate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/certificate"
)

// BenchmarkCloseADay closes a day of a large city: 50,000 devices at 250 sites,
// a reading each two hours. It tells what the longest portion of work takes, for
// nothing else of the goroutine goes on meanwhile.
func BenchmarkCloseADay(b *testing.B) {
	for b.Loop() {
		devices := make([]string, 0, 50_000)
		for i := range 50_000 {
			devices = append(devices, fmt.Sprintf("d%05d,s%03d,,7200", i, i/200))
		}
		b.StopTimer()
		w := newWorld(b, devices...)
		w.tick(begin - 12*hour)
		for turn := range int64(12) {
			for i := range devices {
				w.sent(fmt.Sprintf("d%05d", i), 1, uint64(turn), begin-12*hour+turn*2*hour)
			}
			w.tick(begin - 10*hour + turn*2*hour)
			w.flush()
			w.entries = w.entries[:0]
		}
		w.tick(begin + 12*hour + window + hour)
		w.flush()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		longest := time.Duration(0)
		for more := true; more; {
			began := time.Now()
			var err error
			more, err = w.f.Work(b.Context())
			require.NoError(b, err)
			longest = max(longest, time.Since(began))
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		info, err := os.Stat(filepath.Join(w.dir, "certificates.db"))
		require.NoError(b, err)
		began := time.Now()
		_, kept := w.place(certificate.SiteKey("s100"), dateOf(begin), 0)
		b.ReportMetric(float64(longest.Milliseconds()), "ms/longest")
		b.ReportMetric(float64(time.Since(began).Microseconds()), "us/read")
		b.ReportMetric(float64(info.Size())/(1<<20), "MB-disk")
		b.ReportMetric((float64(after.HeapInuse)-float64(before.HeapInuse))/(1<<20), "MB-more")
		require.NotEmpty(b, kept.Bytes)
		b.StartTimer()
	}
}
