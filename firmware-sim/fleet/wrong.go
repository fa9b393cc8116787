package fleet

import (
	"path"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
)

// plant is one thing that is planted, with its times in ms. The truth is told
// when it first makes a difference.
type plant struct {
	*scenario.Plant

	from, until int64
	told        bool
}

// tell says in the truth that a plant has made a difference.
func (f *Fleet) tell(p *plant, device string, at int64) {
	if p.told {
		return
	}
	p.told = true
	f.o.Truth.Line(truth.Line{What: truth.Fault, Fault: string(p.Kind), Device: device, Site: p.Site, Segment: p.Segment, At: at, Until: p.until})
}

func (f *Fleet) newPlants() {
	for i := range f.o.Scenario.Planted {
		p := &f.o.Scenario.Planted[i]
		f.plants = append(f.plants, &plant{Plant: p, from: p.From.UnixMilli(), until: p.Until.UnixMilli()})
	}
}

// plantsOf are what is planted of a device, its site or its segment.
func (f *Fleet) plantsOf(device, site, segment string) (list []*plant) {
	for _, p := range f.plants {
		matches := func(id string) bool {
			if id == "" {
				return false
			}
			ok, err := path.Match(p.Site, id)
			return ok && err == nil
		}
		switch {
		case p.Kind == scenario.LinkAway:
			if matches(site) || matches(segment) {
				list = append(list, p)
			}
		case p.Device != "" && p.Device == device, p.Site != "" && p.Site == site, p.Segment != "" && p.Segment == segment:
			list = append(list, p)
		}
	}
	return list
}

// planted returns what of a kind holds for a device now, nil for nothing.
func (d *device) planted(kind scenario.PlantedKind, at int64) *plant {
	for _, p := range d.plants {
		if p.Kind == kind && at >= p.from && at < p.until {
			return p
		}
	}
	return nil
}

// is tells whether something of a kind holds for a device, and says in the truth
// that it made a difference.
func (d *device) is(kind scenario.PlantedKind, at int64) bool {
	p := d.planted(kind, at)
	if p != nil {
		d.f.tell(p, d.inv.ID, at)
	}
	return p != nil
}

// happens is as is, for what happens to a share.
func (d *device) happens(kind scenario.PlantedKind, at int64) bool {
	p := d.planted(kind, at)
	if p == nil || !d.wrong.chance(p.Share) {
		return false
	}
	d.f.tell(p, d.inv.ID, at)
	return true
}

// off is how far a clock is off by what was planted, ms.
func (d *device) off(at int64) (ms float64) {
	for _, p := range d.plants {
		if at < p.from || at >= p.until {
			continue
		}
		switch p.Kind {
		case scenario.ClockOff:
			ms += p.By * 1000
		case scenario.ClockDrift:
			ms += p.By * 1000 * float64(at-p.from) / dayMs
		default:
			continue
		}
		d.f.tell(p, d.inv.ID, at)
	}
	return ms
}

// volts is the voltage that was planted, given the one that it would be.
func (d *device) volts(at int64, mv float64) float64 {
	for _, p := range d.plants {
		if at < p.from || at >= p.until {
			continue
		}
		switch p.Kind {
		case scenario.BatteryLow:
			mv = p.By * 1000
		case scenario.BatterySinking:
			mv += (p.By*1000 - mv) * float64(at-p.from) / float64(p.until-p.from)
		default:
			continue
		}
		d.f.tell(p, d.inv.ID, at)
	}
	return mv
}

// away is when what is said now is sent: at once, or when the link is back, in
// the order in which it was said.
func (d *device) away(at int64) int64 {
	const burst = 200 // times as fast as it was said
	if p := d.planted(scenario.LinkAway, at); p != nil {
		d.f.tell(p, "", at)
		return p.until + (at-p.from)/burst
	}
	return at
}

// startsPlanted sets up what happens to a device by itself.
func (d *device) startsPlanted() {
	for _, p := range d.plants {
		if p.Kind == scenario.Rebooting {
			every := int64(p.By * 60_000)
			var again func(at int64)
			again = func(at int64) {
				if at < p.until {
					d.f.tell(p, d.inv.ID, at)
					d.boots(at)
					d.f.at(at+every, again)
				}
			}
			d.f.at(p.from, again)
		}
	}
}

// seen is what a sensor says of its place.
func (p *place) seen(at int64) bool {
	switch {
	case p.d.is(scenario.StuckTaken, at):
		return true
	case p.d.is(scenario.StuckFree, at):
		return false
	}
	return p.occupied
}

// starts sets up what happens to a place by itself.
func (p *place) starts(of *pool, index int) {
	f := p.d.f
	for _, x := range p.d.plants {
		switch x.Kind {
		case scenario.Flapping:
			state := false
			var again func(at int64)
			again = func(at int64) {
				if at >= x.until {
					p.say(at, city.Int{})
					return
				}
				f.tell(x, p.d.inv.ID, at)
				state = !state
				p.send(at, state, city.SomeInt(60))
				f.at(at+60_000, again)
			}
			f.at(x.from, again)
		case scenario.Overstay:
			p.overstay(x, of, index)
		default:
		}
	}
}

// overstay has a vehicle take the place as soon as it is free, and stay.
func (p *place) overstay(x *plant, of *pool, index int) {
	const again = 60_000
	f := p.d.f
	var try func(at int64)
	try = func(at int64) {
		for i, free := range of.free {
			if free != index || at >= x.until {
				continue
			}
			of.free[i] = of.free[len(of.free)-1]
			of.free = of.free[:len(of.free)-1]
			of.taken++
			f.tell(x, p.d.inv.ID, at)
			p.turn(at, true, true)
			f.at(x.until, func(at int64) {
				of.free = append(of.free, index)
				of.taken--
				p.turn(at, false, true)
			})
			return
		}
		if at < x.until {
			f.at(at+again, try)
		}
	}
	f.at(x.from, try)
}

// said is what a traffic counter says of what it counted.
func (d *device) said(at int64, lanes []city.Lane) []city.Lane {
	if d.is(scenario.CountsNothing, at) {
		dead := make([]city.Lane, len(lanes))
		for i := range lanes {
			dead[i] = city.Lane{Lane: lanes[i].Lane, Backward: lanes[i].Backward, HasCounts: true, Occupancy: city.SomeMilli(0)}
		}
		return dead
	}
	if d.is(scenario.CountsSame, at) {
		if d.same == nil {
			d.same = lanes
		}
		return d.same
	}
	d.same = nil
	return lanes
}

// planted returns what of a kind holds for a road, nil for nothing.
func (r *road) planted(kind scenario.PlantedKind, at int64) *plant {
	for _, p := range r.plants {
		if p.Kind == kind && at >= p.from && at < p.until {
			r.f.tell(p, "", at)
			return p
		}
	}
	return nil
}

// changed is what wants to pass after what was planted.
func (r *road) changed(at int64, want *[4]float64) {
	scale := 1.0
	if p := r.planted(scenario.Emptied, at); p != nil {
		scale = p.Share
	}
	if p := r.planted(scenario.Loaded, at); p != nil {
		smp := 0.0
		for i := range want {
			smp += want[i] * ekr[i]
		}
		if smp > 0 {
			scale = p.By / smp
		}
	}
	for i := range want {
		want[i] *= scale
	}
}

// blocked is what is left of a road's capacity, and whether vehicles wait.
func (r *road) blocked(at int64) (share float64, jam bool) {
	if p := r.planted(scenario.Blocked, at); p != nil {
		return p.Share, true
	}
	if r.jammed(at) {
		return r.f.o.Scenario.Traffic.JamShare, true
	}
	return 1, false
}
