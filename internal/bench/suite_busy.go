package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

var busySuite = suite{
	name: "busy", load: "8 bare publishers to the built-in broker that together keep 10,000 messages/s, and 32 kept connections that together ask 2,000 times a second (sites, one site, segments, nearby in turn), 10 s a round; a request's time is from when it was due",
	rows: []line{{key: "p99", name: "API at 2,000 requests/s while 10,000 messages/s come in, p99: ms", bar: 15, atMost: true}},
	run:  (*bench).busy,
}

// busy measures the API's time while much comes in.
func (b *bench) busy(ctx context.Context) (err error) {
	dir, err := b.scratch("busy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const live = 100
	g, end, err := b.startLive(ctx, dir, live)
	if g != nil {
		defer stopping(&err, g)
	}
	if err != nil {
		return err
	}
	hot, err := hotPaths(ctx, g)
	if err != nil {
		return err
	}
	var paths []string
	for _, p := range hot {
		paths = append(paths, p.path)
	}
	if err := end(); err != nil {
		return err
	}
	const publishers, window, messages = 8, 1000, 10_000
	const connections, requests = 32, 2000
	c, err := join(ctx, g.mqtt, publishers, window, g.bridge)
	if err != nil {
		return err
	}
	defer func() { _ = c.leave() }()
	l := newLoad(b.devices)
	span := b.span(10 * time.Second)
	var p50, p99, puback []float64
	for range b.rounds {
		l.boot++
		acks := &latencies{}
		stop := background(ctx, func(ctx context.Context) (int, error) { return l.paced(ctx, c, messages, 0, acks) })
		time.Sleep(min(span, time.Second)) // until the load is steady
		seen, err := requestTimes(ctx, g.http, paths, connections, requests, span)
		n, failed := stop()
		if err != nil || failed != nil {
			return fmt.Errorf("requests: %w, messages: %w", err, failed)
		}
		_, late, err := g.accept(ctx, n, time.Minute)
		if err != nil {
			return err
		}
		b.level(late, "p99")
		p50, p99, puback = append(p50, seen.quantile(0.5)), append(p99, seen.quantile(0.99)), append(puback, acks.quantile(0.99))
	}
	b.row("p99", median(p99), fmt.Sprintf("%.2f (p50 %.2f ms; PUBACK p99 meanwhile %.1f ms)", median(p99), median(p50), median(puback)))
	return nil
}
