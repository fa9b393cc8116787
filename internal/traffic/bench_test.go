package traffic_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// BenchmarkApply is entries of other kinds, and traffic readings of two lanes
// with a flush every 70,000.
func BenchmarkApply(b *testing.B) {
	const devices = 64
	csv, segments := many(devices)
	v := parse(b, files(b, csv, "", segments...))
	for _, own := range []bool{false, true} {
		b.Run(fmt.Sprintf("own=%v", own), func(b *testing.B) {
			r := newRig(b, v)
			batch := make([]journal.Entry, 1000)
			spot := &city.Reading{Device: "x", Kind: city.KindSpot, Spot: &city.Spot{}}
			n := 0
			for b.Loop() {
				k := n % len(batch)
				if k == 0 {
					for i := range batch {
						r.pos++
						e := journal.Entry{Pos: r.pos, Recv: r.now, Type: journal.TypeReading, Reading: spot}
						if own {
							j := n + i
							e.Reading = &city.Reading{Device: fmt.Sprintf("ds%02d", j%devices), Kind: city.KindTraffic, At: noon + int64(j/devices)*minute, Traffic: &city.Traffic{
								PeriodS: 60, Lanes: []city.Lane{speed(ln(1, 5, 5, 1), 40), speed(ln(2, 5, 5, 1), 40)},
							}}
						}
						batch[i] = e
					}
					require.NoError(b, r.f.Apply(batch))
				}
				if n%70_000 == 69_999 {
					require.NoError(b, r.f.Flush())
				}
				n++
			}
		})
	}
}

// BenchmarkSegments evaluates 64 busy segments.
func BenchmarkSegments(b *testing.B) {
	csv, segments := many(64)
	r := newRig(b, parse(b, files(b, csv, "", segments...)))
	for m := range int64(45) {
		for i := range 64 {
			r.reading(fmt.Sprintf("ds%02d", i), noon+m*minute, 60, speed(ln(1, 5, 5, 1), 40), speed(ln(2, 5, 5, 1), 40))
		}
	}
	at := r.now
	for b.Loop() {
		at += minute
		r.tick(at)
		r.f.Segments()
		at -= minute
		b.StopTimer()
		for i := range 64 {
			r.reading(fmt.Sprintf("ds%02d", i), at, 60, speed(ln(1, 5, 5, 1), 40), speed(ln(2, 5, 5, 1), 40))
		}
		b.StartTimer()
	}
}
