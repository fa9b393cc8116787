package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
)

var startSuite = suite{
	name: "start", load: "50,000,000 spot readings of today, taken by the gateway's own code beforehand; nothing is archived yet",
	rows: []line{{key: "ready", name: "ready after a start, 50 million readings stored, all of them today's: s", bar: 2, atMost: true}},
	run:  (*bench).coldStart,
}

// coldStart measures the start where it is hardest: the day is not over, so
// that nothing of it lies in the archive yet.
func (b *bench) coldStart(ctx context.Context) (err error) {
	dir, err := b.scratch("start")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g, err := b.layGateway(ctx, dir, referenceCity, builtIn)
	if err != nil {
		return err
	}
	cfg, err := g.load()
	if err != nil {
		return err
	}
	const readings = 50_000_000
	n := b.sized(readings)
	now := time.Now()
	from := midnight(now, cfg.City.Zone)
	if half := now.Add(-12 * time.Hour); half.After(from) {
		from = half
	}
	if err := prepare(ctx, g, entriesACommit, from, now, func(_ *app.Replay, give func(received) error) error {
		return spotReadings(b.devices, from, now, n, give)
	}); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d readings prepared in %v\n", n, time.Since(now).Round(time.Second))
	if err := g.serve(ctx, b.bin); err != nil {
		return err
	}
	defer stopping(&err, g)
	warm, cold, err := b.starts(ctx, g)
	if err != nil {
		return err
	}
	b.row("ready", max(warm, cold), fmt.Sprintf("%.2f with a cold cache, %.2f warm (%d readings)", cold, warm, n))
	return nil
}

// spotReadings makes n readings of spots in turn, at even times.
func spotReadings(spots []string, from, until time.Time, n int, give func(received) error) error {
	span := until.Sub(from)
	for i := range n {
		at := from.Add(time.Duration(float64(span) * float64(i) / float64(n)))
		seq := uint64(i/len(spots)) + 1
		reading := city.Reading{
			Device: spots[i%len(spots)], Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: seq, At: at.UnixMilli(),
			Spot: &city.Spot{Occupied: (seq+uint64(i))%2 == 0, Battery: city.SomeMilli(3600)},
		}
		err := give(received{at, source.Message{Source: "devices", Device: reading.Device, Decoded: wire.Decoded{Readings: []city.Reading{reading}}}})
		if err != nil {
			return err
		}
	}
	return nil
}
