package main

import (
	"context"
	"fmt"
	"time"
)

const manyPublishers = 2000

var brokerSuite = suite{
	name: "broker", load: "bare publishers to both brokers, as fast as they acknowledge: 4 with 500 in flight and 1,000,000 messages a round, 2,000 with 1 and 200,000, 1 with 500 and 500,000",
	rows: []line{
		{key: "four", name: "built-in broker, 4 publishers, 500 in flight: messages/s against an empty hook", bar: 0.7},
		{key: "many", name: "built-in broker, 2,000 publishers, 1 in flight: messages/s against an empty hook", bar: 0.7},
		{key: "one", name: "built-in broker, 1 busy publisher, 500 in flight: messages/s against an empty hook", bar: 0.7},
	},
	run: (*bench).broker,
}

// broker measures durable intake through the built-in broker against the same
// broker with an empty hook.
func (b *bench) broker(ctx context.Context) (err error) {
	devices := b.devices[:min(manyPublishers, len(b.devices))]
	g, empty, addr, err := b.bothBrokers(ctx, devices...)
	if err != nil {
		return err
	}
	defer stopping(&err, g)
	defer stopping(&err, empty)
	own := func(i int) (user, password string) { return devices[i], g.secrets[devices[i]] }
	full, bare := newLoad(b.devices), newLoad(b.devices)
	mineFull, mineBare := newLoad(devices), newLoad(devices)
	mineFull.boot, mineBare.boot = 1_000_000, 1_000_000 // other boots than those of the rows before
	for _, row := range []struct {
		key               string
		publishers, total int
		inFlight          int
		full, bare        *load
		login             func(int) (string, string)
	}{
		{"four", 4, 10 * b.count, 500, full, bare, g.bridge},
		{"many", len(devices), 2 * b.count, 1, mineFull, mineBare, own},
		{"one", 1, 5 * b.count, 500, full, bare, g.bridge},
	} {
		total := row.total / row.publishers * row.publishers
		var ours, theirs []float64
		err := b.each(func() error {
			took, err := row.bare.run(ctx, addr, row.publishers, row.inFlight, total, anonymous)
			theirs = append(theirs, took.Seconds())
			return wrap("the empty hook", err)
		}, func() error {
			took, err := row.full.run(ctx, g.mqtt, row.publishers, row.inFlight, total, row.login)
			if err != nil {
				return wrap("the gateway", err)
			}
			_, late, err := g.accept(ctx, total, 60*time.Second)
			ours = append(ours, took.Seconds())
			b.level(late, row.key)
			return err
		})
		if err != nil {
			return err
		}
		var ratios []float64
		for i := range ours {
			ratios = append(ratios, theirs[i]/ours[i])
		}
		b.row(row.key, median(ratios), fmt.Sprintf("%.2f (%.0f/s against %.0f/s)", median(ratios), float64(total)/median(ours), float64(total)/median(theirs)))
	}
	return nil
}

// bothBrokers starts a gateway with its built-in broker, and the broker's
// library with an empty hook.
func (b *bench) bothBrokers(ctx context.Context, devices ...string) (g *gateway, empty *process, addr string, err error) {
	dir, err := b.scratch("broker")
	if err != nil {
		return nil, nil, "", err
	}
	if g, err = b.startGateway(ctx, dir, referenceCity, builtIn, devices...); err != nil {
		return nil, nil, "", err
	}
	if empty, addr, err = b.startEmpty(ctx); err != nil {
		stopping(&err, g)
	}
	return g, empty, addr, err
}

func (b *bench) startEmpty(ctx context.Context) (empty *process, addr string, err error) {
	if addr, err = freeAddress(ctx); err != nil {
		return nil, "", err
	}
	if empty, err = start(ctx, b.self, "-child", "empty-broker", "-addr", addr); err != nil {
		return nil, "", err
	}
	if _, err = empty.line(10 * time.Second); err != nil {
		stopping(&err, empty)
	}
	return empty, addr, err
}
