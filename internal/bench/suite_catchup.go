package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

var catchUpSuite = suite{
	name: "catchup", load: "4 publishers fill Mosquitto (no window, no limit of its queue) with 3,600,000 messages, an hour's of 1,000 a second, while the gateway is stopped; then nobody publishes; one round",
	rows: []line{{key: "ratio", name: "catch-up after an hour without the gateway at 1,000 messages/s (one round): messages/s against durable intake through Mosquitto, no window", bar: 1}},
	run:  (*bench).catchUp,
}

// catchUp measures how fast a gateway that was away takes what Mosquitto kept
// for it, from the start of its process.
func (b *bench) catchUp(ctx context.Context) (err error) {
	intake, err := b.intakeRate(ctx)
	if err != nil {
		return err
	}
	dir, err := b.scratch("catchup")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, addr, err := startMosquitto(ctx, dir, 0)
	if err != nil {
		return err
	}
	defer stopping(&err, server)
	g, err := b.startGateway(ctx, dir, referenceCity, outside(addr))
	if err != nil {
		return err
	}
	l := newLoad(b.devices)
	err = b.subscribed(ctx, g, l, addr)
	if e := g.stop(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	const hour = 3_600_000
	n := b.sized(hour) / mosquittoPublishers * mosquittoPublishers
	if err := l.backlog(ctx, addr, n); err != nil {
		return err
	}
	begin := time.Now()
	if err := g.serve(ctx, b.bin); err != nil {
		return err
	}
	defer stopping(&err, g)
	ready := time.Since(begin)
	end, late, err := g.accept(ctx, n, 10*time.Minute)
	if err != nil {
		return err
	}
	b.level(late, "ratio")
	rate := float64(n) / end.Sub(begin).Seconds()
	b.row("ratio", rate/intake, fmt.Sprintf("%.2f (%.0f/s against %.0f/s; %d messages in %.1f s, ready after %.1f s)",
		rate/intake, rate, intake, n, end.Sub(begin).Seconds(), ready.Seconds()))
	return nil
}

// intakeRate is the median of this run's rounds, or of three of its own.
func (b *bench) intakeRate(ctx context.Context) (float64, error) {
	if rate := b.keep[noWindow]; rate > 0 {
		return rate, nil
	}
	var rates []float64
	for range 3 {
		m, err := b.behindMosquitto(ctx, 0, b.gatewayRound)
		if err != nil {
			return 0, err
		}
		rates = append(rates, m.rate)
	}
	return median(rates), nil
}

// subscribed makes sure that the gateway's session is there.
func (b *bench) subscribed(ctx context.Context, g *gateway, l *load, addr string) error {
	n := mosquittoPublishers
	if _, err := l.run(ctx, addr, mosquittoPublishers, 1, n, anonymous); err != nil {
		return err
	}
	_, _, err := g.accept(ctx, n, 10*time.Second)
	return err
}

// backlog publishes n messages whose device times spread over the last hour.
func (l *load) backlog(ctx context.Context, addr string, n int) error {
	l.boot++
	c, err := join(ctx, addr, mosquittoPublishers, mosquittoInFlight, anonymous)
	if err != nil {
		return err
	}
	defer func() { _ = c.leave() }()
	each := n / len(c)
	begin := time.Now().Add(-time.Hour)
	return c.every(func(i int, p *publisher) error {
		d, k, stamp := i, 0, ""
		return p.publish(each, func(b []byte) (string, []byte) {
			const together = 16 // messages of one time
			if k%together == 0 {
				stamp = stampOf(begin.Add(time.Hour * time.Duration(k) / time.Duration(each)))
			}
			k++
			of := d
			if d += len(c); d >= len(l.devices) {
				d = i
			}
			return l.reading(b, of, stamp)
		})
	})
}
