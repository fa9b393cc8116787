package occupancy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// city3000 is a city of 60 sites with 50 spots each.
func city3000() (files map[string][]byte, devices []string) {
	sites := map[string]siteFile{}
	var rows []string
	for s := range 60 {
		id := fmt.Sprintf("site-%02d", s)
		sites[id] = siteFile{"detection": "spots", "capacity": map[string]int{"car": 50}}
		for i := range 50 {
			device := fmt.Sprintf("spot-%02d-%02d", s, i)
			devices = append(devices, device)
			rows = append(rows, fmt.Sprintf("%s,spot,%s,%d,car,600,", device, id, i))
		}
	}
	return folder(sites, rows...), devices
}

// BenchmarkToggle lets 3,000 spots toggle 50,000 times a second of the
// simulated clock: a flush a second, a tick a minute.
func BenchmarkToggle(b *testing.B) {
	files, devices := city3000()
	for _, late := range []bool{false, true} {
		b.Run(fmt.Sprintf("late=%v", late), func(b *testing.B) {
			w := newWorld(b, files)
			w.flush()
			const perSecond, batch = 50_000, 1000
			now, pos, n := begin, w.pos, 0
			spot := [2]*city.Spot{{}, {Occupied: true}}
			var apply, flush, worst time.Duration
			b.ResetTimer()
			for b.Loop() {
				entries := make([]journal.Entry, 0, batch+1)
				for range batch {
					now = begin + int64(n)*1000/perSecond
					pos++
					r := &city.Reading{Device: devices[n%len(devices)], Kind: city.KindSpot, Seq: pos, At: now, Spot: spot[n/len(devices)%2]}
					if late && n%100 == 0 {
						r.At -= 2 * minute
					}
					entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeReading, Reading: r})
					n++
				}
				if before := now - batch*1000/perSecond; before/minute != now/minute {
					pos++
					entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeTick})
				}
				start := time.Now()
				require.NoError(b, w.f.Apply(entries))
				apply += time.Since(start)
				if n%perSecond == 0 {
					start = time.Now()
					require.NoError(b, w.f.Flush())
					flush += time.Since(start)
					worst = max(worst, time.Since(start))
				}
			}
			b.ReportMetric(float64(apply.Nanoseconds())/float64(n), "apply-ns/reading")
			b.ReportMetric(float64(flush.Nanoseconds())/float64(n), "flush-ns/reading")
			b.ReportMetric(float64(worst.Milliseconds()), "worst-flush-ms")
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "readings/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkGates lets 20,000 vehicles a second pass the gates of 20 sites, one
// in ten of them told late by up to a second.
func BenchmarkGates(b *testing.B) {
	sites, rows := map[string]siteFile{}, []string{}
	var devices []string
	for s := range 20 {
		id := fmt.Sprintf("site-%02d", s)
		sites[id] = siteFile{"detection": "gates", "capacity": map[string]int{"car": 500, "motorcycle": 900}, "reset_at": "03:00"}
		for _, gate := range []string{"in", "out"} {
			devices = append(devices, id+"-"+gate)
			rows = append(rows, id+"-"+gate+",gate,"+id+",,,60,")
		}
	}
	w := newWorld(b, folder(sites, rows...))
	w.flush()
	const perSecond, batch = 20_000, 1000
	pos, n := w.pos, 0
	passed := [2]*city.Gate{{Class: city.Car, Count: 1}, {Class: city.Car, Count: 1, Out: true}}
	var apply, flush time.Duration
	b.ResetTimer()
	for b.Loop() {
		entries := make([]journal.Entry, 0, batch+1)
		now := begin
		for range batch {
			now = begin + int64(n)*1000/perSecond
			pos++
			r := &city.Reading{Device: devices[n%len(devices)], Kind: city.KindGate, Seq: pos, At: now, Gate: passed[n%2]}
			if n%10 == 0 {
				r.At -= int64(n*7919) % 1000
			}
			entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeReading, Reading: r})
			n++
		}
		if before := now - batch*1000/perSecond; before/minute != now/minute {
			pos++
			entries = append(entries, journal.Entry{Pos: pos, Recv: now, Type: journal.TypeTick})
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
