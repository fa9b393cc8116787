package world

import (
	"slices"
	"sort"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// parking says how full the places are and were: for every question it looks
// at every reading of the place.
type parking struct {
	m     *model
	clock int64                      // receive time of the newest entry that is no reading
	seen  map[string]map[string][]ob // by site and device ("" for all gates of a site), by time
	shut  []closed
}

// ob is one observation.
type ob struct{ at, v int64 }

// closed is one closure.
type closed struct {
	id, site    string
	from, until int64
	places      int64 // -1: the whole site
}

func newParking(m *model) *parking {
	p := &parking{m: m, seen: map[string]map[string][]ob{}}
	for i := range m.entries {
		e := &m.entries[i]
		if e.Type != journal.TypeReading {
			p.clock = max(p.clock, e.Recv)
			p.closure(e)
			continue
		}
		p.reading(e.Reading)
	}
	for _, series := range p.seen {
		for _, list := range series {
			sort.SliceStable(list, func(i, j int) bool { return list[i].at < list[j].at })
		}
	}
	return p
}

func (p *parking) reading(r *city.Reading) {
	x := p.m.w.plan.device(r.Device)
	if x.site == "" || x.sends == city.KindReceipt {
		return
	}
	series, o := x.id, ob{at: r.At}
	switch {
	case r.Spot != nil && r.Spot.Occupied:
		o.v = 1
	case r.Spot != nil:
	case r.Count != nil:
		o.v = int64(r.Count.Occupied)
	case r.Gate != nil && r.Gate.Out:
		series, o.v = "", -int64(r.Gate.Count)
	case r.Gate != nil:
		series, o.v = "", int64(r.Gate.Count)
	case x.sends == city.KindGate: // health: a gate that lives would have counted
		series = ""
	default:
		return
	}
	if p.seen[x.site] == nil {
		p.seen[x.site] = map[string][]ob{}
	}
	p.seen[x.site][series] = append(p.seen[x.site][series], o)
}

func (p *parking) closure(e *journal.Entry) {
	i := -1
	if e.Closure != nil {
		i = slices.IndexFunc(p.shut, func(c closed) bool { return c.id == e.Closure.ID })
	}
	switch {
	case e.Type == journal.TypeClosure:
		c := closed{id: e.Closure.ID, site: e.Closure.Site, from: e.Closure.From, until: e.Closure.Until, places: -1}
		if c.until == 0 {
			c.until = never
		}
		if e.Closure.PlacesLost.OK {
			c.places = e.Closure.PlacesLost.V
		}
		p.shut = append(p.shut, c)
	case e.Type == journal.TypeReopen && i >= 0 && p.shut[i].until > e.Recv:
		p.shut[i].until = max(e.Recv, p.shut[i].from)
	}
}

// step returns the value that holds at a time: that of the last version that
// has one and began by then, the first that has one also for all earlier times.
func (m *model) step(at int64, value func(*edition) (int, bool)) int64 {
	found, first := 0, true
	for _, v := range m.versions {
		if x, ok := value(v.e); ok && (first || v.at <= at) {
			found, first = x, false
		}
	}
	return int64(found)
}

// places returns a site's capacity in a version.
func places(site string) func(*edition) (int, bool) {
	return func(e *edition) (int, bool) { return e.capacity[site], true }
}

// spaced returns a device's interval in a version, where that has the device.
func spaced(device string) func(*edition) (int, bool) {
	return func(e *edition) (int, bool) { return e.interval[device], e.kinds[device] != "" }
}

func (p *parking) capacity(site string, at int64) int64 {
	c := p.m.step(at, places(site))
	for _, x := range p.shut {
		if x.site == site && x.places >= 0 && x.from <= at && at < x.until {
			c -= x.places
		}
	}
	return max(0, c)
}

// until is how long an observation holds.
func (p *parking) until(series string, o ob) int64 {
	if series == "" {
		return o.at + day
	}
	return o.at + 3*second*p.m.step(o.at, spaced(series))
}

// lasting is a series of which of those at one time the last holds.
func lasting(list []ob) (out []ob) {
	for i := range list {
		if i+1 == len(list) || list[i+1].at != list[i].at {
			out = append(out, list[i])
		}
	}
	return out
}

// at returns what is known of a site at a time.
func (p *parking) at(s *site, t int64) (free, occ int64, ok bool) {
	return p.by(s, t, t, p.capacity(s.id, t))
}

// by returns what is known of a site at a time by what was observed up to
// another: the present knows what a clock that runs ahead has said already.
func (p *parking) by(s *site, observed, t, capacity int64) (free, occ int64, ok bool) {
	if s.detection == "gates" {
		level, known := p.level(s, observed, t)
		return max(0, capacity-level), level, known
	}
	var frees, known, heard int64
	for id, list := range p.seen[s.id] {
		i := sort.Search(len(list), func(i int) bool { return list[i].at > observed }) - 1
		if i < 0 {
			continue
		}
		heard++
		if p.until(id, list[i]) <= t {
			continue
		}
		known++
		switch {
		case s.detection == "count":
			occ += list[i].v
		case list[i].v == 1:
			occ++
		default:
			frees++
		}
	}
	left := max(0, capacity-occ)
	if s.detection == "count" && heard > 0 {
		counters := p.m.step(t, func(e *edition) (n int, ok bool) {
			for i := range p.m.w.plan.devices {
				if x := &p.m.w.plan.devices[i]; x.site == s.id && e.kinds[x.id] == "count" {
					n++
				}
			}
			return n, true
		})
		return left * known / max(heard, counters), occ, known > 0
	}
	return min(frees, left), occ, known > 0
}

// resets returns the times at which a site's count begins anew, in (from, to].
func resets(s *site, from, to int64) (list []int64) {
	if s.reset == "" {
		return nil
	}
	clock, err := time.Parse("15:04", s.reset)
	must(err, "read reset_at")
	begin := time.UnixMilli(from).In(zone)
	for n := -1; ; n++ {
		at := time.Date(begin.Year(), begin.Month(), begin.Day()+n, clock.Hour(), clock.Minute(), 0, 0, zone).UnixMilli()
		if at > to {
			return list
		}
		if at > from {
			list = append(list, at)
		}
	}
}

// level counts a site's gates from the last reset on, in event time, never
// under 0.
func (p *parking) level(s *site, observed, t int64) (level int64, known bool) {
	before, until := int64(0), int64(0)
	for _, o := range p.seen[s.id][""] {
		if o.at > observed {
			break
		}
		if before > 0 && len(resets(s, before, o.at)) > 0 {
			level = 0
		}
		level = max(0, level+o.v)
		before, until = o.at, p.until("", o)
	}
	if before > 0 && len(resets(s, before, t)) > 0 {
		level = 0
	}
	return level, t < until
}

// present is the state of a site at the clock.
func (p *parking) present(s *site) (occupancy.ClassState, bool) {
	shut := false
	for _, x := range p.shut {
		shut = shut || x.site == s.id && x.places < 0 && x.from <= p.clock && p.clock < x.until
	}
	capacity := p.capacity(s.id, p.clock)
	if shut { // what a part has lost is not told where all is closed
		capacity = p.m.step(p.clock, places(s.id))
	}
	c := occupancy.ClassState{Class: city.Car, Capacity: int(capacity), Quality: p.quality(s)}
	free, occ, ok := p.by(s, never, p.clock, capacity)
	switch {
	case !ok:
		c.Unknown, c.State = c.Capacity, occupancy.StateUnknown
	default:
		c.Free, c.Occupied = city.SomeInt(free), city.SomeInt(occ)
		c.Unknown = max(0, c.Capacity-int(free+occ))
		switch {
		case free == 0 && c.Unknown == 0:
			c.State = occupancy.StateFull
		case free*10 <= int64(c.Capacity):
			c.State = occupancy.StateAlmostFull
		default:
			c.State = occupancy.StateOpen
		}
	}
	if shut {
		c.State = occupancy.StateClosed
	}
	return c, shut
}

func (p *parking) quality(s *site) occupancy.Quality {
	speak, expired, silent := 0, 0, 0
	kind := map[string]string{"spots": "spot", "count": "count"}[s.detection]
	for i := range p.m.w.plan.devices {
		x := &p.m.w.plan.devices[i]
		if x.site != s.id || s.detection == "gates" || p.m.newest().kinds[x.id] != kind {
			continue
		}
		list := p.seen[s.id][x.id]
		switch {
		case len(list) == 0:
			silent++
		case p.until(x.id, list[len(list)-1]) <= p.clock:
			expired++
		default:
			speak++
		}
	}
	if list := p.seen[s.id][""]; s.detection == "gates" && len(list) > 0 {
		if p.until("", list[len(list)-1]) <= p.clock {
			return occupancy.QualityStale
		}
		return occupancy.QualityEstimated
	}
	switch {
	case speak == 0 && expired == 0:
		return occupancy.QualityNone
	case speak == 0:
		return occupancy.QualityStale
	case expired+silent > 0:
		return occupancy.QualityPartial
	}
	return occupancy.QualityLive
}
