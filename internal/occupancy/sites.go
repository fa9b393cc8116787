package occupancy

import (
	"math"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

const (
	dayMs = 24 * 60 * 60 * 1000

	// DefaultIntervalS is the interval_s of a device for which the inventory
	// gives none: its state expires after three hours.
	DefaultIntervalS = 3600

	// An observation of a sensor or counter holds for this many intervals.
	expireIntervals = 3

	// Gates speak when a vehicle passes, so their silence says little: their
	// count expires after a day without a passage or a health reading, or
	// after three intervals if that is longer.
	gateSilenceMs = dayMs
)

// place is a site of one version of the inventory with its spaces.
type place struct {
	inv     *inventory.Site
	spaces  []*space
	byClass [7]*space
}

// site is a place of the newest version, and its present.
type site struct {
	place
	spots []*device // devices of kind spot, sorted by place and id
	count []*device
	state SiteState
	dirty bool
}

// device is where a device's readings go, by one version of the inventory.
type device struct {
	inv   *inventory.Device
	place *place
	spot  *series
	count *[7]*series // of a counter; else nil
}

// detectionOf returns how a site is measured.
func detectionOf(s *inventory.Site, devices []*inventory.Device) inventory.Detection {
	if s.Detection != "" {
		return s.Detection
	}
	for _, kind := range []inventory.DeviceKind{inventory.DeviceSpot, inventory.DeviceGate, inventory.DeviceCount} {
		for _, d := range devices {
			if d.Kind == kind {
				return map[inventory.DeviceKind]inventory.Detection{inventory.DeviceSpot: spots, inventory.DeviceGate: gates, inventory.DeviceCount: count}[kind]
			}
		}
	}
	return spots
}

// placeOf returns a site's spaces, which are made where they are new. From is
// the time from which the version holds; 0 for versions of the past, which
// change nothing of what is known.
func (f *Follower) placeOf(v *inventory.Version, s *inventory.Site, from int64) place {
	p := place{inv: s}
	devices := v.SiteDevices(s.ID)
	detection := detectionOf(s, devices)
	reset := resetMinute(s.ResetAt)
	var total int64
	for _, class := range s.Classes {
		if p.byClass[class] != nil {
			continue
		}
		first := class
		if slices.Contains(s.Shared, class) {
			first = s.Shared[0]
		}
		sp := f.spaceFor(spaceKey{site: s.ID, class: first, detection: detection})
		capacity := int64(s.Capacity[first])
		seen := capacity
		if share, ok := s.Observed[first]; ok && detection != spots {
			seen = int64(math.Round(share * float64(capacity)))
		}
		c := config{Capacity: capacity, Seen: seen, Before: total, Reset: reset}
		if detection == count {
			c.Counters = counters(s, devices, first)
		}
		if from >= 0 || len(sp.configs) == 0 {
			if sp.configs.set(from, c) {
				sp.fresh = true
				sp.cur = gateCur{stale: true} // its resets may be others
			}
		}
		total += capacity
		p.spaces = append(p.spaces, sp)
		p.byClass[class] = sp
		if first != class {
			for _, other := range s.Shared {
				p.byClass[other] = sp
			}
		} else if slices.Contains(s.Shared, class) {
			for _, other := range s.Shared {
				p.byClass[other] = sp
			}
		}
	}
	if detection == gates {
		ttl := int64(gateSilenceMs)
		for _, d := range devices {
			if d.Kind == inventory.DeviceGate {
				ttl = max(ttl, expireIntervals*1000*int64(d.IntervalS))
			}
		}
		for _, sp := range p.spaces {
			if sp.gate == nil {
				f.addSeries(&series{seriesKey: seriesKey{sp: sp}})
			}
			if from >= 0 || len(sp.gate.ttls) == 0 {
				f.setTTL(sp.gate, max(0, from), ttl)
			}
		}
	}
	return p
}

// counters returns how many devices count the vehicles of a class, and of those
// that share its places. Where a site has several spaces, one whose class is not
// told tells by what it sends.
func counters(s *inventory.Site, devices []*inventory.Device, first city.Class) (n int64) {
	here := func(class city.Class) bool {
		return class == first || slices.Contains(s.Shared, first) && slices.Contains(s.Shared, class)
	}
	only := !slices.ContainsFunc(s.Classes, func(class city.Class) bool { return !here(class) })
	for _, d := range devices {
		if d.Kind == inventory.DeviceCount && (here(d.Class) || only && d.Class == city.ClassNone) {
			n++
		}
	}
	return n
}

// resetMinute returns the minute of the day of HH:MM, -1 for "".
func resetMinute(text string) int64 {
	if len(text) != len("00:00") {
		return -1
	}
	digit := func(i int) int64 { return int64(text[i] - '0') }
	return (digit(0)*10+digit(1))*60 + digit(3)*10 + digit(4)
}

// space returns the space of a class and the class to count as: a class that
// the site lacks counts as the device's own, else as the site's first, since
// the vehicle stands somewhere. Mapped tells that it is not the class named.
func (p *place) space(class, own city.Class) (sp *space, as city.Class, mapped bool) {
	if sp := p.byClass[class]; sp != nil {
		return sp, class, false
	}
	if sp := p.byClass[own]; sp != nil {
		return sp, own, true
	}
	if len(p.spaces) == 0 {
		return nil, class, true
	}
	return p.spaces[0], p.inv.Classes[0], true
}

func (f *Follower) spaceFor(key spaceKey) *space {
	if sp := f.byKey[key]; sp != nil {
		return sp
	}
	f.nextSpace++
	sp := &space{id: f.nextSpace, key: key, fresh: true, blocks: map[int64]*block{}, settled: f.clock}
	f.addSpace(sp)
	return sp
}

func (f *Follower) addSpace(sp *space) {
	f.byKey[sp.key] = sp
	f.spaces = append(f.spaces, sp)
}

func (f *Follower) addSeries(s *series) {
	f.many++
	if f.index != nil {
		f.index[s.seriesKey] = s
	}
	s.sp.series = append(s.sp.series, s)
	if s.sp.key.detection == gates {
		s.sp.gate = s
		s.sp.cur.stale = true
	}
}

// find returns a series, nil where there is none.
func (f *Follower) find(key seriesKey) *series {
	if f.index != nil {
		return f.index[key]
	}
	for _, s := range key.sp.series {
		if s.seriesKey == key {
			return s
		}
	}
	return nil
}

// deviceOf returns where a device's readings go by a version; nil where they
// do not tell how full a place is. From is as in placeOf.
func (f *Follower) deviceOf(d *inventory.Device, p *place, from int64) *device {
	if p == nil || len(p.spaces) == 0 {
		return nil
	}
	x := &device{inv: d, place: p}
	if d.Kind == inventory.DeviceCount {
		x.count = new([7]*series)
	}
	if d.Kind == inventory.DeviceSpot && p.spaces[0].key.detection == spots {
		sp, _, _ := p.space(d.Class, city.ClassNone)
		x.spot = f.seriesFor(d, sp, city.ClassNone, from)
	}
	return x
}

func (f *Follower) seriesFor(d *inventory.Device, sp *space, class city.Class, from int64) *series {
	key := seriesKey{device: d.ID, sp: sp, class: class}
	s := f.find(key)
	if s == nil {
		s = &series{seriesKey: key}
		f.addSeries(s)
		for _, a := range f.accepted {
			if then := a.version.Device(d.ID); then != nil && then.Site == sp.key.site {
				f.setTTL(s, a.at, ttlOf(then))
			}
		}
	}
	if from >= 0 || len(s.ttls) == 0 {
		f.setTTL(s, max(0, from), ttlOf(d))
	}
	return s
}

// ttlOf returns how long an observation of a sensor or counter holds, ms.
func ttlOf(d *inventory.Device) int64 {
	if d.IntervalS <= 0 {
		return expireIntervals * 1000 * DefaultIntervalS
	}
	return expireIntervals * 1000 * int64(d.IntervalS)
}

// version makes a version of the inventory the present one, from a time on.
func (f *Follower) version(pos uint64, at int64) error {
	v := f.timeline.Newest(pos)
	if v == nil || v == f.inv {
		return nil
	}
	f.inv = v
	f.accepted = nil
	for _, at := range f.timeline.Accepted(pos) {
		f.accepted = append(f.accepted, accepted{at, f.timeline.At(pos, at)})
		f.versionAt = at
	}
	was := f.sites
	f.sites, f.devices, f.past = map[string]*site{}, map[string]*device{}, map[pastKey]*device{}
	left := map[*series]bool{}
	f.index = make(map[seriesKey]*series, f.many)
	defer func() { f.index = nil }()
	for _, s := range f.allSeries() {
		f.index[s.seriesKey] = s
		if s.current {
			left[s] = true
			s.current = false
		}
	}
	for _, sp := range f.spaces {
		sp.site, sp.states = nil, [4]int{}
	}
	f.order = f.order[:0]
	for _, s := range v.Sites {
		x := &site{place: f.placeOf(v, s, at), dirty: true}
		if old := was[s.ID]; old != nil {
			x.state.Rev = old.state.Rev
		}
		f.sites[s.ID] = x
		f.order = append(f.order, x)
		for _, sp := range x.spaces {
			sp.site = x
		}
		for _, d := range v.SiteDevices(s.ID) {
			f.adopt(x, d, at)
		}
		sort.SliceStable(x.spots, func(i, j int) bool { return spotName(x.spots[i].inv) < spotName(x.spots[j].inv) })
	}
	for s := range left {
		if o, ok := s.last(); !s.current && (!ok || o.v != s.endMark()) {
			if err := f.observe(s, obs{at: at, v: s.endMark()}); err != nil {
				return err
			}
		}
	}
	f.sweep = true
	return nil
}

// endMark is the observation that ends what a series says.
func (s *series) endMark() uint64 {
	if s.sp.key.detection == gates {
		return gateEnded
	}
	return vEnded
}

// adopt gives a site of the newest version one of its devices.
func (f *Follower) adopt(x *site, d *inventory.Device, at int64) {
	dev := f.deviceOf(d, &x.place, at)
	if dev == nil {
		return
	}
	f.devices[d.ID] = dev
	switch detection := x.spaces[0].key.detection; {
	case dev.spot != nil:
		x.spots = append(x.spots, dev)
		f.makeCurrent(dev.spot)
	case d.Kind == inventory.DeviceCount && detection == count:
		x.count = append(x.count, dev)
		for class := range dev.count {
			for _, sp := range x.spaces {
				if s := f.find(seriesKey{device: d.ID, sp: sp, class: city.Class(class)}); s != nil {
					dev.count[class] = f.seriesFor(d, sp, city.Class(class), at)
					f.makeCurrent(s)
				}
			}
		}
	case d.Kind == inventory.DeviceGate && detection == gates:
		for _, sp := range x.spaces {
			sp.gate.current = true
		}
	}
}

// makeCurrent counts a series of the newest version.
func (f *Follower) makeCurrent(s *series) {
	s.current = true
	s.present = f.sayNow(s)
	s.sp.states[s.present]++
}

// sayNow returns what a spot or count series says at the clock.
func (f *Follower) sayNow(s *series) uint8 {
	o, ok := s.last()
	if !ok || o.state() == vEnded {
		return sayNever
	}
	until := s.until(o)
	if until <= f.clock {
		return sayExpired
	}
	f.due = min(f.due, until)
	if o.state() == vOccupied || s.sp.key.detection == count {
		return sayOccupied
	}
	return sayFree
}

func spotName(d *inventory.Device) string {
	if d.Spot != "" {
		return d.Spot
	}
	return d.ID
}
