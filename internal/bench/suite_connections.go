package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

var connectionsSuite = suite{
	name: "connections", load: "20,000 messages/s of the same 50,000 sensors to the built-in broker, 60 s over 4 connections of a bridge, then 60 s over 15,000 connections of devices from 127.0.0.2 to 127.0.0.9; one round",
	rows: []line{{key: "each", name: "resident memory, 15,000 connections to the built-in broker (one round): kB a connection over the same load without them", bar: 30, atMost: true}},
	run:  (*bench).manyConnections,
}

// manyConnections measures what a connection costs.
func (b *bench) manyConnections(ctx context.Context) (err error) {
	dir, err := b.scratch("connections")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	inventory, spots, err := b.bigCity(dir)
	if err != nil {
		return err
	}
	const most, least = 15_000, 5_000 // fewer do not stand out of the heap's ups and downs
	n := min(max(b.sized(most), least), most)
	g, err := b.startGateway(ctx, dir, inventory, builtIn, spots[:n]...)
	if err != nil {
		return err
	}
	defer stopping(&err, g)
	span := b.span(time.Minute)
	without, err := b.fewConnections(ctx, g, spots, span)
	if err != nil {
		return err
	}
	all, err := connectAll(ctx, g, spots[:n])
	defer func() { _ = all.leave() }()
	if err != nil {
		return err
	}
	l := newLoad(spots[:n])
	l.boot = 2
	seen, sent, err := residentWhile(ctx, g, span, func(ctx context.Context, span time.Duration) (int, error) {
		return l.spread(ctx, all, cityRate, span)
	})
	if err != nil {
		return err
	}
	_, late, err := g.accept(ctx, sent, time.Minute)
	if err != nil {
		return err
	}
	b.level(late, "each")
	with := seen.most(0.5, 1)
	each := float64(with-without) / float64(n) / 1000
	b.row("each", each, fmt.Sprintf("%.1f (%d connections, %.0f MB against %.0f MB)", each, n, mb(with), mb(without)))
	return nil
}

// fewConnections returns the most resident memory of the second half of a
// time in which a bridge sends all.
func (b *bench) fewConnections(ctx context.Context, g *gateway, spots []string, span time.Duration) (int64, error) {
	const connections, window = 4, 1000
	c, err := join(ctx, g.mqtt, connections, window, g.bridge)
	if err != nil {
		return 0, err
	}
	l := newLoad(spots)
	seen, n, err := residentWhile(ctx, g, span, func(ctx context.Context, span time.Duration) (int, error) {
		return l.paced(ctx, c, cityRate, span, nil)
	})
	if err = errors.Join(err, c.leave()); err != nil {
		return 0, err
	}
	_, _, err = g.accept(ctx, n, time.Minute)
	return seen.most(0.5, 1), err
}

// connectAll logs each device in on a connection of its own.
func connectAll(ctx context.Context, g *gateway, devices []string) (crowd, error) {
	const workers, addresses = 16, 8
	all := make(crowd, len(devices))
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(devices) && errs[w] == nil; i += workers {
				d := devices[i]
				all[i], errs[w] = connect(ctx, g.mqtt, who{id: d, user: d, password: g.secrets[d], window: 1, local: fmt.Sprintf("127.0.0.%d", 2+i%addresses)})
				if errs[w] != nil {
					errs[w] = fmt.Errorf("connection %d: %w", i+1, errs[w])
				}
			}
		})
	}
	wait.Wait()
	made := all[:0]
	for _, p := range all {
		if p != nil {
			made = append(made, p)
		}
	}
	return made, errors.Join(errs...)
}

// spread sends rate messages a second over many connections in turn, one
// message in flight on each: the acknowledgement is read before a connection's
// next message.
func (l *load) spread(ctx context.Context, c crowd, rate float64, span time.Duration) (int, error) {
	const workers = 4
	sent := make([]int, workers)
	errs := make([]error, workers)
	begin := time.Now()
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() { sent[w], errs[w] = l.spreadPart(ctx, c, w, workers, rate/workers, begin, span) })
	}
	wait.Wait()
	sum := 0
	for _, n := range sent {
		sum += n
	}
	return sum, errors.Join(errs...)
}

func (l *load) spreadPart(ctx context.Context, c crowd, index, workers int, rate float64, begin time.Time, span time.Duration) (int, error) {
	waits := map[int]bool{}
	n := 0
	var payload []byte
	var err error
	for i := index; ctx.Err() == nil; {
		target := int(min(time.Since(begin), span).Seconds() * rate)
		for ; n < target; n++ {
			p := c[i]
			if waits[i] {
				if err := p.await(); err != nil {
					return n, fmt.Errorf("connection %d: %w", i+1, err)
				}
			}
			stamp := stampOf(time.Now())
			if _, payload, err = p.put(func(b []byte) (string, []byte) { return l.reading(b, i, stamp) }, payload); err != nil {
				return n, err
			}
			if err := p.out.Flush(); err != nil {
				return n, err
			}
			waits[i] = true
			if i += workers; i >= len(c) {
				i = index
			}
		}
		if time.Since(begin) >= span {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for i := range waits {
		if err := c[i].await(); err != nil {
			return n, fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	return n, ctx.Err()
}

// await reads one acknowledgement.
func (p *publisher) await() error {
	if err := p.conn.SetReadDeadline(time.Now().Add(ioPatience)); err != nil {
		return err
	}
	_, err := p.acked()
	if errors.Is(err, io.EOF) {
		err = errors.New("the broker ended it")
	}
	return err
}
