package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// load publishes spot readings of a fleet that toggle with every message, or
// every so many.
type load struct {
	devices []string
	hold    uint64 // messages for which a state holds
	boot    int64  // another one a run, so that nothing is a repeat
	seq     []uint64
}

func newLoad(devices []string) *load {
	return &load{devices: devices, hold: 1, boot: 1, seq: make([]uint64, len(devices))}
}

// share is what one of several publishers sends: every count-th device.
func (l *load) share(index, count int) maker {
	at := index
	stamp, until := "", time.Time{}
	return func(b []byte) (string, []byte) {
		if now := time.Now(); now.After(until) {
			stamp, until = stampOf(now), now.Add(50*time.Millisecond)
		}
		d := at
		if at += count; at >= len(l.devices) {
			at = index
		}
		return l.reading(b, d, stamp)
	}
}

func stampOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// reading is the next one of device d.
func (l *load) reading(b []byte, d int, stamp string) (string, []byte) {
	l.seq[d]++
	b = l.head(b, "spot", d, stamp)
	b = append(b, `,"occupied":`...)
	b = strconv.AppendBool(b, l.seq[d]/l.hold%2 == 0)
	b = append(b, `,"battery_v":3.6}`...)
	return l.topic(d), b
}

// head is what all kinds begin with.
func (l *load) head(b []byte, kind string, d int, stamp string) []byte {
	b = append(append(b, `{"kind":"`...), kind...)
	b = strconv.AppendInt(append(b, `","boot":`...), l.boot, 10)
	b = strconv.AppendUint(append(b, `,"seq":`...), l.seq[d], 10)
	b = append(append(b, `,"at":"`...), stamp...)
	return append(b, '"')
}

// crowd is some publishers.
type crowd []*publisher

// join connects publishers; login tells the user and password of each.
func join(ctx context.Context, addr string, connections, window int, login func(i int) (user, password string)) (crowd, error) {
	all := make(crowd, 0, connections)
	for i := range connections {
		user, password := login(i)
		p, err := connect(ctx, addr, who{id: fmt.Sprintf("load-%d", i), user: user, password: password, window: window})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connection %d: %w", i+1, err), all.leave())
		}
		all = append(all, p)
	}
	return all, nil
}

func (c crowd) leave() error {
	var errs []error
	for _, p := range c {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// every runs do for each publisher at once.
func (c crowd) every(do func(i int, p *publisher) error) error {
	errs := make([]error, len(c))
	var wait sync.WaitGroup
	for i, p := range c {
		wait.Go(func() { errs[i] = do(i, p) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// run publishes n messages over several connections and returns when all are
// acknowledged by the broker.
func (l *load) run(ctx context.Context, addr string, connections, window, n int, login func(i int) (user, password string)) (time.Duration, error) {
	l.boot++
	publishers, err := join(ctx, addr, connections, window, login)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = publishers.every(func(i int, p *publisher) error { return p.publish(n/connections, l.share(i, connections)) })
	return time.Since(start), errors.Join(err, publishers.leave())
}

// paced has publishers together keep a rate for a span, or until ctx
// ends; it returns how many messages were sent and acknowledged. seen may be
// nil.
func (l *load) paced(ctx context.Context, c crowd, rate float64, span time.Duration, seen *latencies) (int, error) {
	sent := make([]int, len(c))
	err := c.every(func(i int, p *publisher) (err error) {
		var mine []time.Duration
		note := func(d time.Duration) { mine = append(mine, d) }
		if seen == nil {
			note = nil
		}
		sent[i], err = p.paced(ctx, rate/float64(len(c)), span, l.share(i, len(c)), note)
		if seen != nil {
			seen.join(mine)
		}
		return err
	})
	sum := 0
	for _, n := range sent {
		sum += n
	}
	return sum, err
}

// background keeps a load on until end is called, which tells how many
// messages it sent.
func background(ctx context.Context, run func(ctx context.Context) (int, error)) (end func() (int, error)) {
	running, stop := context.WithCancel(ctx)
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := run(running)
		done <- result{n, err}
	}()
	return func() (int, error) {
		stop()
		r := <-done
		return r.n, r.err
	}
}

func anonymous(int) (user, password string) { return "", "" }
