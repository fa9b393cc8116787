package main

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// liveCity is readings of the whole reference city as of now, each another
// state than the device's last: of 100 readings 90 are of spots, 5 of gates, 4
// of counts and 1 of traffic.
type liveCity struct {
	spots, gates, counts, roads *load
}

// newLiveCity leaves out some devices.
func newLiveCity(without ...string) (*liveCity, error) {
	c := &liveCity{}
	for _, kind := range []struct {
		name string
		to   **load
	}{{"spot", &c.spots}, {"gate", &c.gates}, {"count", &c.counts}, {"traffic", &c.roads}} {
		ids, err := devicesOf(kind.name)
		if err != nil {
			return nil, err
		}
		*kind.to = newLoad(slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(without, id) }))
	}
	return c, nil
}

// fill publishes one reading of each device, over a connection of its own.
func (c *liveCity) fill(p *publisher) (int, error) {
	n := 0
	for _, kind := range []struct {
		of   *load
		next func(l *load, b []byte, d int, stamp string) (string, []byte)
	}{{c.spots, (*load).reading}, {c.gates, (*load).gate}, {c.counts, (*load).count}, {c.roads, (*load).traffic}} {
		d := -1
		err := p.publish(len(kind.of.devices), func(b []byte) (string, []byte) {
			d++
			return kind.next(kind.of, b, d, stampOf(time.Now()))
		})
		if err != nil {
			return n, err
		}
		n += len(kind.of.devices)
	}
	return n, nil
}

// maker makes its readings; it is for one connection.
func (c *liveCity) maker() maker {
	n := 0
	return func(b []byte) (string, []byte) {
		n++
		stamp := stampOf(time.Now())
		switch k := n % 100; {
		case k == 0:
			return c.roads.traffic(b, n/100%len(c.roads.devices), stamp)
		case k%25 == 5:
			return c.counts.count(b, n/25%len(c.counts.devices), stamp)
		case k%20 == 10:
			return c.gates.gate(b, n/20%len(c.gates.devices), stamp)
		default:
			return c.spots.reading(b, n*7%len(c.spots.devices), stamp)
		}
	}
}

func (l *load) gate(b []byte, d int, stamp string) (string, []byte) {
	l.seq[d]++
	b = l.head(b, "gate", d, stamp)
	direction := "in"
	if l.seq[d]%2 == 0 {
		direction = "out"
	}
	b = append(append(b, `,"direction":"`...), direction...)
	return l.topic(d), append(b, `","class":"car"}`...)
}

func (l *load) count(b []byte, d int, stamp string) (string, []byte) {
	l.seq[d]++
	b = l.head(b, "count", d, stamp)
	b = strconv.AppendUint(append(b, `,"class":"car","occupied":`...), l.seq[d]%30, 10)
	return l.topic(d), append(b, '}')
}

func (l *load) traffic(b []byte, d int, stamp string) (string, []byte) {
	l.seq[d]++
	b = l.head(b, "traffic", d, stamp)
	b = append(b, `,"period_s":10,"lanes":[`...)
	for lane := range uint64(2) {
		if lane > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(append(b, `{"lane":`...), lane+1, 10)
		b = strconv.AppendUint(append(b, `,"counts":{"SM":`...), 3+l.seq[d]%4, 10)
		b = strconv.AppendUint(append(b, `,"KR":`...), 2+l.seq[d]%3, 10)
		b = strconv.AppendUint(append(b, `,"KB":0,"KTB":0},"speed_kmh":`...), 30+l.seq[d]%12, 10)
		b = append(b, '}')
	}
	return l.topic(d), append(b, "]}"...)
}

func (l *load) topic(d int) string { return "sg/v1/" + l.devices[d] + "/up" }

// startLive starts a gateway of the reference city with its built-in broker,
// lets each device report, and keeps rate readings/s on until end is called,
// which checks that each was taken. Some devices stay silent and get
// credentials of their own.
func (b *bench) startLive(ctx context.Context, dir string, rate float64, devices ...string) (g *gateway, end func() error, err error) {
	g, err = b.startGateway(ctx, dir, referenceCity, builtIn, devices...)
	if err != nil {
		return nil, nil, err
	}
	c, err := newLiveCity(devices...)
	if err != nil {
		return g, nil, err
	}
	const window = 1000
	p, err := connect(ctx, g.mqtt, who{id: "live", user: "load", password: g.secret, window: window})
	if err != nil {
		return g, nil, err
	}
	n, err := c.fill(p)
	if err != nil {
		return g, nil, err
	}
	if _, _, err := g.accept(ctx, n, time.Minute); err != nil {
		return g, nil, err
	}
	stop := background(ctx, func(ctx context.Context) (int, error) { return p.paced(ctx, rate, 0, c.maker(), nil) })
	return g, func() error {
		defer func() { _ = p.close() }()
		n, err := stop()
		if err != nil {
			return wrap("the live city", err)
		}
		_, _, err = g.accept(ctx, n, time.Minute)
		return err
	}, nil
}
