package fleet

import (
	"math"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// place is a parking place with a sensor.
type place struct {
	d        *device
	occupied bool
	since    int64 // simulated time of the last change; 0: never
}

// counter is a device that tells how many vehicles there are.
type counter struct {
	d *device
	n map[city.Class]uint32
}

// detect ties the sensors of a site to what they see.
func (s *site) detect(devices []*device) {
	for _, d := range devices {
		switch d.inv.Kind {
		case inventory.DeviceSpot:
			s.spot(d)
		case inventory.DeviceCount:
			s.count(d)
		case inventory.DeviceGate, inventory.DeviceMeter, inventory.DeviceTraffic:
		}
	}
	for _, class := range s.inv.Classes {
		p := s.pools[class]
		p.doors[class] = doorsOf(devices, class)
	}
}

// spot gives a sensor the next place of its class.
func (s *site) spot(d *device) {
	p := s.pools[d.inv.Class]
	if p == nil && len(s.inv.Classes) > 0 {
		p = s.pools[s.inv.Classes[0]]
	}
	if p == nil {
		return
	}
	pl := &place{d: d}
	p.places = append(p.places, pl)
	pl.starts(p, len(p.places)-1)
	interval := d.interval(10 * time.Minute)
	s.f.every(s.f.o.Start+d.rng.Int64N(interval), interval, func(at int64) { pl.say(at, city.Int{}) })
}

// say sends the state of a place.
func (p *place) say(at int64, dwell city.Int) { p.send(at, p.seen(at), dwell) }

func (p *place) send(at int64, occupied bool, dwell city.Int) {
	hour, _ := p.d.f.cal.hour(at)
	p.d.send(at, &city.Reading{Kind: city.KindSpot, Spot: &city.Spot{
		Occupied: occupied, DwellS: dwell, Battery: p.d.battery(at),
		Temperature: city.SomeMilli(int64(math.Round(28+5*math.Cos((hour-13)/12*math.Pi)+p.d.rng.NormFloat64())) * 1000),
		RSSI:        city.SomeMilli((-95 + int64(6*p.d.rng.NormFloat64())) * 1000),
	}})
}

func (p *place) turn(at int64, occupied, seen bool) {
	dwell := city.Int{}
	if p.since > 0 {
		dwell = city.SomeInt((at - p.since) / 1000)
	}
	p.occupied, p.since = occupied, at
	if seen && !p.d.is(scenario.StuckTaken, at) && !p.d.is(scenario.StuckFree, at) {
		p.say(at, dwell)
	}
}

// count makes a device tell its numbers each interval, a reading a class.
func (s *site) count(d *device) {
	c := &counter{d: d, n: map[city.Class]uint32{}}
	var classes []city.Class
	for _, class := range s.inv.Classes {
		if d.inv.Class == city.ClassNone || d.inv.Class == class {
			p := s.pools[class]
			p.counters[class] = append(p.counters[class], c)
			classes = append(classes, class)
		}
	}
	interval := d.interval(time.Minute)
	s.f.every(s.f.o.Start+d.rng.Int64N(interval), interval, func(at int64) {
		for _, class := range classes {
			d.send(at, &city.Reading{Kind: city.KindCount, Count: &city.Count{Class: class, Occupied: c.n[class]}})
		}
	})
}

// doorsOf finds the gates of a class: those of the class, else those of none.
// In the order of their ids the first half are entrances; a single one is both.
func doorsOf(devices []*device, class city.Class) doors {
	var own, any []*device
	for _, d := range devices {
		if d.inv.Kind != inventory.DeviceGate {
			continue
		}
		switch d.inv.Class {
		case class:
			own = append(own, d)
		case city.ClassNone:
			any = append(any, d)
		default:
		}
	}
	if len(own) == 0 {
		own = any
	}
	switch n := len(own); n {
	case 0:
		return doors{}
	case 1:
		return doors{own, own}
	default:
		return doors{own[:(n+1)/2], own[(n+1)/2:]}
	}
}

// entered lets the sensors see a vehicle come; those before the start they
// only know of.
func (p *pool) entered(v *stay, seen bool) {
	if v.place >= 0 && v.place < len(p.places) {
		p.places[v.place].turn(v.entered, true, seen)
	}
	if counters := p.counters[v.class]; len(counters) > 0 {
		v.counter = counters[v.rng.IntN(len(counters))]
		v.counter.n[v.class]++
	}
	if in := p.doors[v.class].in; seen && len(in) > 0 {
		pass(v.entered, in[v.rng.IntN(len(in))], false, v.class)
	}
}

// leaves lets the sensors see a vehicle go.
func (p *pool) leaves(at int64, v *stay) {
	if v.place >= 0 && v.place < len(p.places) {
		p.places[v.place].turn(at, false, true)
	}
	if v.counter != nil {
		v.counter.n[v.class]--
	}
	if out := p.doors[v.class].out; len(out) > 0 {
		pass(at, out[v.rng.IntN(len(out))], true, v.class)
	}
}

func pass(at int64, d *device, out bool, class city.Class) {
	misses := scenario.MissesIn
	if out {
		misses = scenario.MissesOut
	}
	if d.happens(misses, at) || d.is(scenario.CountsNothing, at) {
		return
	}
	d.send(at, &city.Reading{Kind: city.KindGate, Gate: &city.Gate{Out: out, Class: class, Count: 1}})
}
