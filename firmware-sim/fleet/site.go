package fleet

import (
	"math"
	"slices"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// site is one parking place and its vehicles.
type site struct {
	f     *Fleet
	inv   *inventory.Site
	pools map[city.Class]*pool
	tills []*till
	wrong source // of what is planted here, so that it changes nothing else
}

// pool is places that one class uses, or several that share them.
type pool struct {
	capacity int
	taken    int
	places   []*place // those with a sensor, in the order of the sensors
	free     []int    // indices of free places, places without sensor included
	doors    map[city.Class]doors
	counters map[city.Class][]*counter
}

// doors are the gates that a class uses.
type doors struct{ in, out []*device }

// stay is one vehicle's.
type stay struct {
	id      uint64
	site    *site
	class   city.Class
	entered int64
	left    int64 // planned
	place   int   // index in the pool, -1 beside the places
	counter *counter
	rng     source
	over    bool
}

func (s *stay) line() truth.Line {
	l := truth.Line{What: truth.Stay, Stay: s.id, Site: s.site.inv.ID, Class: s.class, Entered: s.entered}
	if s.over {
		l.Left = s.left
	}
	return l
}

func (f *Fleet) newSite(inv *inventory.Site) {
	s := &site{f: f, inv: inv, wrong: f.random("planted", inv.ID), pools: map[city.Class]*pool{}}
	var devices []*device
	for _, d := range f.o.Version.SiteDevices(inv.ID) {
		devices = append(devices, f.devices[d.ID])
		if d.Kind == inventory.DeviceMeter {
			s.tills = append(s.tills, f.newTill(f.devices[d.ID]))
		}
	}
	for _, class := range inv.Classes {
		if len(inv.Shared) > 0 && slices.Contains(inv.Shared, class) {
			if first := s.pools[inv.Shared[0]]; first != nil {
				s.pools[class] = first
				continue
			}
		}
		s.pools[class] = &pool{
			capacity: inv.Capacity[class], doors: map[city.Class]doors{}, counters: map[city.Class][]*counter{},
		}
	}
	s.detect(devices)
	for _, class := range inv.Classes {
		p := s.pools[class]
		if p.free == nil {
			for i := range p.capacity {
				p.free = append(p.free, i)
			}
		}
	}
	for _, class := range inv.Classes {
		s.newDemand(class)
	}
}

// demand is the arrivals of one class.
type demand struct {
	s      *site
	class  city.Class
	class_ *scenario.ParkingClass
	rng    source
	day    scenario.Day
	perDay float64
	median float64 // ms
	peak   float64 // arrivals a day in the busiest hour
}

func (s *site) newDemand(class city.Class) {
	sc := s.f.o.Scenario
	c := sc.Parking.Classes.Of(class)
	d := &demand{
		s: s, class: class, class_: c, rng: s.f.random("demand", s.inv.ID+"/"+class.String()),
		day: c.Arrivals, perDay: c.Turnover * float64(s.inv.Capacity[class]), median: float64(c.Median.Milliseconds()),
	}
	change, ok := sc.Parking.Sites[s.inv.ID]
	if !ok {
		change = sc.Parking.Sites[string(s.inv.Kind)]
	}
	if change.Turnover != nil {
		d.perDay *= *change.Turnover
	}
	if change.Median != nil {
		d.median *= *change.Median
	}
	if change.Arrivals != nil {
		d.day = change.Arrivals
	}
	for _, v := range d.day {
		d.peak = math.Max(d.peak, v)
	}
	d.peak *= 24 / d.day.Sum() * d.perDay * math.Max(1, sc.Parking.Weekend) * sc.Days.MostParking() * moodMost(sc.Parking.Mood)
	if d.peak <= 0 {
		return
	}
	d.warm()
	s.f.at(s.f.o.Start+d.rng.wait(d.peak), d.arrive)
}

// rate is arrivals a day at a moment.
func (d *demand) rate(at int64) float64 {
	f := d.s.f
	hour, rest := f.cal.hour(at)
	season := f.cal.season(at)
	rate := factor(d.day, season.hour(hour)) * 24 / d.day.Sum() * d.perDay * season.Parking * f.mood("site", d.s.inv.ID, f.o.Scenario.Parking.Mood, at)
	if rest {
		rate *= f.o.Scenario.Parking.Weekend
	}
	return rate
}

// length draws the length of a stay, ms: two minutes to a day and a half.
func (d *demand) length() int64 {
	return int64(math.Min(math.Max(d.rng.logNormal(d.median, d.class_.Sigma), 120_000), 1.5*dayMs))
}

// warm puts vehicles where they would be at the start. Gates count from zero,
// so there nobody is.
func (d *demand) warm() {
	f := d.s.f
	if !f.o.Scenario.Parking.Warm || d.s.inv.Detection == inventory.DetectGates {
		return
	}
	mean := d.median * math.Exp(d.class_.Sigma*d.class_.Sigma/2)
	p := d.s.pools[d.class]
	n := int(math.Min(d.rate(f.o.Start)*mean/dayMs, 0.95*float64(p.capacity-p.taken)))
	for range n {
		length := d.length()
		gone := d.rng.Int64N(length)
		d.enter(f.o.Start-gone, f.o.Start+length-gone+1, false)
	}
}

// arrive is a candidate of the thinned Poisson process.
func (d *demand) arrive(at int64) {
	f := d.s.f
	f.at(at+d.rng.wait(d.peak), d.arrive)
	if !d.rng.chance(d.rate(at) / d.peak) {
		return
	}
	length := d.length()
	if !f.o.Version.IsOpen(d.s.inv, at) || f.closed(d.s.inv.ID, "", at) {
		return
	}
	p := d.s.pools[d.class]
	if len(p.free) == 0 {
		if d.s.inv.Detection == inventory.DetectSpots || !d.rng.chance(f.o.Scenario.Parking.Overfull) {
			f.o.Truth.Line(truth.Line{What: truth.TurnedAway, Site: d.s.inv.ID, Class: d.class, At: at})
			return
		}
	}
	d.enter(at, at+length, true)
}

func (d *demand) enter(at, left int64, seen bool) {
	f, p := d.s.f, d.s.pools[d.class]
	f.stays++
	v := &stay{id: f.stays, site: d.s, class: d.class, entered: at, left: left, place: -1, rng: d.rng}
	f.open[v.id] = v
	if n := len(p.free); n > 0 {
		i := d.rng.IntN(n)
		v.place = p.free[i]
		p.free[i] = p.free[n-1]
		p.free = p.free[:n-1]
	}
	p.taken++
	p.entered(v, seen)
	f.at(left, func(at int64) {
		v.over = true
		delete(f.open, v.id)
		p.taken--
		if v.place >= 0 {
			p.free = append(p.free, v.place)
		}
		d.s.pay(at, v)
		p.leaves(at, v)
		f.o.Truth.Line(v.line())
	})
}
