package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

var memorySuite = suite{
	name: "memory", load: "one bare publisher to the built-in broker that keeps 2,000 readings/s, 20 s",
	rows: []line{{key: "most", name: "resident memory, reference city, 2,000 readings/s, one connection: MB", bar: 120, atMost: true}},
	run:  (*bench).memory,
}

// memory measures resident memory with the reference city.
func (b *bench) memory(ctx context.Context) (err error) {
	dir, err := b.scratch("memory")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g, err := b.startGateway(ctx, dir, referenceCity, builtIn)
	if err != nil {
		return err
	}
	defer stopping(&err, g)
	const connections, window, rate = 1, 1000, 2000
	c, err := join(ctx, g.mqtt, connections, window, g.bridge)
	if err != nil {
		return err
	}
	defer func() { _ = c.leave() }()
	l := newLoad(b.devices)
	// Not scaled: the memory of a shorter time is another one.
	seen, n, err := residentWhile(ctx, g, 20*time.Second, func(ctx context.Context, span time.Duration) (int, error) {
		return l.paced(ctx, c, rate, span, nil)
	})
	if err != nil {
		return err
	}
	_, late, err := g.accept(ctx, n, time.Minute)
	if err != nil {
		return err
	}
	b.level(late, "most")
	b.row("most", mb(seen.most(0, 1)), fmt.Sprintf("%.0f", mb(seen.most(0, 1))))
	return nil
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }

// residents is resident memory, in even steps of a time.
type residents []int64

// most returns the largest of a part of the time, both ends as shares of it.
func (r residents) most(from, to float64) int64 {
	most := int64(0)
	for i, v := range r {
		if at := float64(i) / float64(len(r)); at >= from && at < to {
			most = max(most, v)
		}
	}
	return most
}

// residentWhile samples the gateway's resident memory while a load runs for a
// span.
func residentWhile(ctx context.Context, g *gateway, span time.Duration, run func(ctx context.Context, span time.Duration) (int, error)) (residents, int, error) {
	every := min(time.Second, span/40)
	end := background(ctx, func(ctx context.Context) (int, error) { return run(context.WithoutCancel(ctx), span) })
	var seen residents
	tick := time.NewTicker(every)
	defer tick.Stop()
	var failed error
	for begin := time.Now(); time.Since(begin) < span && failed == nil; {
		select {
		case <-ctx.Done():
			failed = ctx.Err()
		case <-tick.C:
			var bytes int64
			bytes, failed = g.resident()
			seen = append(seen, bytes)
		}
	}
	n, err := end()
	if failed != nil {
		err = failed
	}
	return seen, n, err
}
