package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

var devicesSuite = suite{
	name: "devices", load: "4 bare publishers to Mosquitto (window 20) that together keep 20,000 messages/s of 50,000 spot sensors, 5 minutes; each changes its state every 100 messages (250 s); one round",
	rows: []line{
		{key: "most", name: "resident memory, 50,000 devices through Mosquitto, 20,000 messages/s, 5 minutes (one round): MB", bar: 200, atMost: true},
		{key: "flat", name: "resident memory there, the last minute's most against the second minute's (one round)", bar: 1.05, atMost: true},
	},
	run: (*bench).manyDevices,
}

const citySensors, cityRate = 50_000, 20_000

// manyDevices measures resident memory with a city of 50,000 spot sensors.
func (b *bench) manyDevices(ctx context.Context) (err error) {
	dir, err := b.scratch("devices")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	inventory, spots, err := b.bigCity(dir)
	if err != nil {
		return err
	}
	const window = 20
	server, addr, err := startMosquitto(ctx, dir, window)
	if err != nil {
		return err
	}
	defer stopping(&err, server)
	g, err := b.startGateway(ctx, dir, inventory, outside(addr))
	if err != nil {
		return err
	}
	defer stopping(&err, g)
	const connections, inFlight = 4, 4000
	c, err := join(ctx, addr, connections, inFlight, anonymous)
	if err != nil {
		return err
	}
	defer func() { _ = c.leave() }()
	l := newLoad(spots)
	l.hold = 100 // a place that changes each 2.5 s is flapping, and 50,000 anomalies would stand
	seen, n, err := residentWhile(ctx, g, b.span(5*time.Minute), func(ctx context.Context, span time.Duration) (int, error) {
		return l.paced(ctx, c, cityRate, span, nil)
	})
	if err != nil {
		return err
	}
	_, late, err := g.accept(ctx, n, time.Minute)
	if err != nil {
		return err
	}
	b.level(late, "most", "flat")
	const minute = 0.2 // of the time
	second, last := seen.most(minute, 2*minute), seen.most(1-minute, 1)
	flat := float64(last) / float64(second)
	b.row("most", mb(seen.most(0, 1)), fmt.Sprintf("%.0f (%d messages)", mb(seen.most(0, 1)), n))
	b.row("flat", flat, fmt.Sprintf("%.3f (%.0f MB against %.0f MB)", flat, mb(last), mb(second)))
	return nil
}

// bigCity writes an inventory: the reference city, and so many sites of 200
// places that it has 50,000 spot sensors. It returns them.
func (b *bench) bigCity(dir string) (inventory string, spots []string, err error) {
	inventory, more, err := grownCity(dir, grown{levy: "special", operator: "upt-parkir", places: 200, sensors: citySensors - len(b.devices), intervalS: 300})
	return inventory, append(slices.Clone(b.devices), more...), err
}
