package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

var mosquittoSuite = suite{
	name: "mosquitto", load: "4 publishers to Mosquitto, 250 in flight each, as fast as it acknowledges; 200,000 messages a round",
	rows: []line{
		{key: "rate 20", name: "through Mosquitto, window 20: messages/s against ack-and-discard", bar: 0.95},
		{key: "cpu 20", name: "through Mosquitto, window 20: CPU a message against ack-and-discard", bar: 1.25, atMost: true},
		{key: "rate 0", name: "through Mosquitto, no window: messages/s against ack-and-discard", bar: 0.95},
		{key: "cpu 0", name: "through Mosquitto, no window: CPU a message against ack-and-discard", bar: 1.25, atMost: true},
	},
	run: (*bench).mosquitto,
}

// mosquitto measures durable intake through a real Mosquitto against a paho
// subscriber that acknowledges and throws away, with the broker's window at
// its default of 20 and without a limit.
func (b *bench) mosquitto(ctx context.Context) error {
	for _, window := range []int{20, 0} {
		if err := b.mosquittoWindow(ctx, window); err != nil {
			return err
		}
	}
	return nil
}

// mosquittoRound is how many messages a round has.
func (b *bench) mosquittoRound() int { return 2 * b.count }

func (b *bench) mosquittoWindow(ctx context.Context, window int) error {
	rate, cpu := fmt.Sprintf("rate %d", window), fmt.Sprintf("cpu %d", window)
	var base, ours []measured
	err := b.each(func() error {
		m, err := b.behindMosquitto(ctx, window, b.discardRound)
		base = append(base, m)
		return wrap("the discarding subscriber", err)
	}, func() error {
		m, err := b.behindMosquitto(ctx, window, b.gatewayRound)
		b.level(m.late, rate, cpu)
		ours = append(ours, m)
		return wrap("the gateway", err)
	})
	if err != nil {
		return err
	}
	var rates, ratios, cpus, us, them []float64
	for i := range ours {
		rates, ratios = append(rates, ours[i].rate), append(ratios, ours[i].rate/base[i].rate)
		us, them = append(us, ours[i].cpu), append(them, base[i].cpu)
		cpus = append(cpus, ours[i].cpu/base[i].cpu)
	}
	if window == 0 {
		b.keep[noWindow] = median(rates)
	}
	b.row(rate, median(ratios), fmt.Sprintf("%.2f (%.0f/s)", median(ratios), median(rates)))
	b.row(cpu, median(cpus), fmt.Sprintf("%.2f (%.1f us against %.1f us)", median(cpus), median(us), median(them)))
	return nil
}

// noWindow is the rate that the catch-up is compared with.
const noWindow = "messages/s through Mosquitto, no window"

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// measured is one round: messages/s, CPU a message in microseconds, and how
// long after it the followers were level.
type measured struct {
	rate, cpu float64
	late      time.Duration
}

// startMosquitto starts a Mosquitto of its own in dir; it holds what nobody
// has taken yet in memory, without a limit.
func startMosquitto(ctx context.Context, dir string, window int) (server *process, addr string, err error) {
	if addr, err = freeAddress(ctx); err != nil {
		return nil, "", err
	}
	host, port := addr[:len("127.0.0.1")], addr[len("127.0.0.1:"):]
	conf := fmt.Sprintf("listener %s %s\nallow_anonymous true\nmax_inflight_messages %d\nmax_queued_messages 0\nmax_queued_bytes 0\nlog_dest none\n", port, host, window)
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return nil, "", err
	}
	if server, err = start(ctx, "/usr/sbin/mosquitto", "-c", file); err != nil {
		return nil, "", err
	}
	err = waitFor(ctx, "Mosquitto listens", 10*time.Second, 20*time.Millisecond, dials(ctx, addr))
	if err != nil {
		stopping(&err, server)
	}
	return server, addr, err
}

// behindMosquitto gives a round a Mosquitto of its own.
func (b *bench) behindMosquitto(ctx context.Context, window int, round func(ctx context.Context, dir, addr string) (measured, error)) (m measured, err error) {
	dir, err := b.scratch("round")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	server, addr, err := startMosquitto(ctx, dir, window)
	if err != nil {
		return m, err
	}
	defer stopping(&err, server)
	return round(ctx, dir, addr)
}

// publishers of the Mosquitto rows: four, 250 messages in flight each.
const mosquittoPublishers, mosquittoInFlight = 4, 250

func (b *bench) discardRound(ctx context.Context, _, addr string) (m measured, err error) {
	n := b.mosquittoRound()
	child, err := start(ctx, b.self, "-child", "discard", "-addr", addr, "-n", strconv.Itoa(n))
	if err != nil {
		return m, err
	}
	defer stopping(&err, child)
	if _, err := child.line(10 * time.Second); err != nil {
		return m, err
	}
	cpu, err := child.cpu()
	if err != nil {
		return m, err
	}
	begin := time.Now()
	if _, err := newLoad(b.devices).run(ctx, addr, mosquittoPublishers, mosquittoInFlight, n, anonymous); err != nil {
		return m, err
	}
	if _, err := child.line(60 * time.Second); err != nil {
		return m, err
	}
	return finish(n, begin, time.Now(), cpu, child)
}

func (b *bench) gatewayRound(ctx context.Context, dir, addr string) (m measured, err error) {
	n := b.mosquittoRound()
	g, err := b.startGateway(ctx, dir, referenceCity, outside(addr))
	if err != nil {
		return m, err
	}
	defer stopping(&err, g)
	cpu, err := g.cpu()
	if err != nil {
		return m, err
	}
	begin := time.Now()
	if _, err := newLoad(b.devices).run(ctx, addr, mosquittoPublishers, mosquittoInFlight, n, anonymous); err != nil {
		return m, err
	}
	end, late, err := g.accept(ctx, n, 60*time.Second)
	if err != nil {
		return m, err
	}
	m, err = finish(n, begin, end, cpu, g.process)
	m.late = late
	return m, err
}

func finish(n int, begin, end time.Time, before time.Duration, p *process) (measured, error) {
	after, err := p.cpu()
	if err != nil {
		return measured{}, err
	}
	return measured{
		rate: float64(n) / end.Sub(begin).Seconds(),
		cpu:  float64((after - before).Microseconds()) / float64(n),
	}, nil
}
