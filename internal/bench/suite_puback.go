package main

import (
	"context"
	"fmt"
	"time"
)

var pubackSuite = suite{
	name: "puback", load: "10 bare publishers to each broker that together keep 5,000 messages/s, 10 s a round; a message's time is from when it was due",
	rows: []line{{key: "p99", name: "publish to PUBACK at 5,000 messages/s, p99: ms over an empty hook", bar: 5, atMost: true}},
	run:  (*bench).puback,
}

// puback measures the time from publish to PUBACK at a steady rate.
func (b *bench) puback(ctx context.Context) (err error) {
	g, empty, addr, err := b.bothBrokers(ctx)
	if err != nil {
		return err
	}
	defer stopping(&err, g)
	defer stopping(&err, empty)
	const publishers, window, rate = 10, 1000, 5000
	span := b.span(10 * time.Second)
	full, bare := newLoad(b.devices), newLoad(b.devices)
	round := func(l *load, addr string, login func(int) (string, string)) (p50, p99 float64, n int, err error) {
		l.boot++
		c, err := join(ctx, addr, publishers, window, login)
		if err != nil {
			return 0, 0, 0, err
		}
		defer func() { _ = c.leave() }()
		seen := &latencies{}
		n, err = l.paced(ctx, c, rate, span, seen)
		return seen.quantile(0.5), seen.quantile(0.99), n, err
	}
	var ours, theirs, middle []float64
	err = b.each(func() error {
		_, p99, _, err := round(bare, addr, anonymous)
		theirs = append(theirs, p99)
		return wrap("the empty hook", err)
	}, func() error {
		p50, p99, n, err := round(full, g.mqtt, g.bridge)
		if err != nil {
			return wrap("the gateway", err)
		}
		_, late, err := g.accept(ctx, n, 60*time.Second)
		ours, middle = append(ours, p99), append(middle, p50)
		b.level(late, "p99")
		return err
	})
	if err != nil {
		return err
	}
	over := make([]float64, len(ours))
	for i := range ours {
		over[i] = ours[i] - theirs[i]
	}
	b.row("p99", median(over), fmt.Sprintf("%.2f (p99 %.2f ms against %.2f ms, p50 %.2f ms)", median(over), median(ours), median(theirs), median(middle)))
	return nil
}
