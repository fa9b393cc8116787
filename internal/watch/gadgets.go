package watch

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// gadgets are the devices of a follower.
type gadgets struct {
	byID   map[string]*gadget
	all    []*gadget         // by place in the file
	free   []int             // places that are free
	soiled []bool            // packs that are to be written
	usuals map[string]*usual // by place and kind of device
	places []string          // their keys, sorted
	of     map[string][]*gadget
}

func newGadgets() gadgets {
	return gadgets{byID: map[string]*gadget{}, usuals: map[string]*usual{}, of: map[string][]*gadget{}}
}

// running is the journal's clock less the time in which the gateway was off.
func (f *Follower) running() int64 { return f.clock - f.still }

// hear gives a reading to its device.
func (f *Follower) hear(e *journal.Entry) {
	if e.Flags&journal.FlagRetried != 0 {
		return
	}
	if g := f.gadgets.byID[e.Reading.Device]; g != nil {
		g.hear(e, f.running())
		f.gadgets.soil(g)
	}
}

// equip makes the devices of the newest version the present ones.
func (f *Follower) equip() {
	s := &f.gadgets
	clear(s.of)
	for _, g := range s.all {
		if g != nil {
			g.d, g.site, g.usual = nil, nil, nil
		}
	}
	for _, d := range f.inv.Devices {
		g := s.byID[d.ID]
		if g == nil {
			g = s.add(d.ID)
			g.Heard, g.At = f.running(), f.running()
		}
		g.id = d.ID // one copy of the text
		g.d, g.site, g.zone = d, f.inv.Site(d.Site), f.inv.Zone
		if place := placeOf(d); place != "" {
			if s.usuals[place] == nil {
				s.usuals[place] = new(usual)
			}
			g.usual = s.usuals[place]
			s.of[place] = append(s.of[place], g)
		}
	}
	for i, g := range s.all {
		if g != nil && g.d == nil {
			delete(s.byID, g.id)
			s.all[i], s.free = nil, append(s.free, i)
			s.soiled[i/packed] = true
		}
	}
	s.places = s.places[:0]
	for place := range s.usuals {
		if len(s.of[place]) > 0 {
			s.places = append(s.places, place)
		}
	}
	slices.Sort(s.places)
}

// placeOf names the devices that are alike: of one kind at one site or segment.
func placeOf(d *inventory.Device) string {
	switch {
	case d.Kind == inventory.DeviceMeter: // it has detectors of its own
		return ""
	case d.Kind == inventory.DeviceTraffic:
		return d.Segment + "|traffic"
	case d.Site != "":
		return d.Site + "|" + string(d.Kind)
	}
	return ""
}

func (s *gadgets) add(id string) *gadget {
	g := &gadget{id: id}
	s.byID[id] = g
	if n := len(s.free); n > 0 {
		i := slices.Min(s.free)
		s.free = slices.DeleteFunc(s.free, func(k int) bool { return k == i })
		s.put(i, g)
		return g
	}
	s.put(len(s.all), g)
	return g
}

func (s *gadgets) put(i int, g *gadget) {
	for len(s.all) <= i {
		s.all = append(s.all, nil)
	}
	for len(s.soiled) <= i/packed {
		s.soiled = append(s.soiled, false)
	}
	s.all[i], g.place = g, i
	s.soiled[i/packed] = true
}

func (s *gadgets) soil(g *gadget) { s.soiled[g.place/packed] = true }

// site is how a site stands in a tick.
type siteNow struct {
	open  bool // customers may come, and no closure touches it
	muted bool // work is done there
}

// tickGadgets judges every device.
func (f *Follower) tickGadgets(pos uint64) {
	s := &f.gadgets
	now := f.running()
	passed := max(0, min(now-f.judgedAt, stillMs))
	f.judgedAt, f.back = now, min(f.back, now)
	sites := map[string]siteNow{}
	for _, place := range s.places {
		f.tickUsual(place, sites, float64(passed)/hourMs)
	}
	out := f.outages(now, sites)
	f.out = &out
	f.tickGates(pos, &out, sites)
	f.reportOutages(pos, &out, sites)
	for i, g := range s.all {
		if i%packed == 0 {
			s.soiled[i/packed] = true
		}
		if g == nil {
			continue
		}
		f.tickGadget(pos, g, passed, &out, sites)
	}
}

// tickGates judges the gates of each site.
func (f *Follower) tickGates(pos uint64, out *outages, sites map[string]siteNow) {
	for _, key := range f.gadgets.places {
		u, first := f.gadgets.usuals[key], f.gadgets.of[key][0]
		if u.Gates == nil || first.site == nil || f.siteNow(sites, first.d).muted {
			continue
		}
		x := &moment{now: f.clock, pos: pos, rules: f.inv.Rules, place: place{version: f.inv, site: first.site, closures: f.closures}}
		x.out = &subjectOf{i: &f.incidents, kind: ofSite, id: first.site.ID, site: first.site.ID, now: f.clock, pos: pos}
		for _, g := range f.gadgets.of[key] {
			if g.says(saysSilent) || g.says(saysDead) || out.hides(g) {
				u.soiled = u.Gates.hole(x.place.date(f.clock)) || u.soiled
			}
		}
		u.soiled = u.Gates.tick(x) || u.soiled
	}
}

// whereOf is the site or segment of a device.
func whereOf(d *inventory.Device) string {
	if d.Site != "" {
		return d.Site
	}
	return d.Segment
}

// siteNow tells how a device's place stands, once a tick and place.
func (f *Follower) siteNow(sites map[string]siteNow, d *inventory.Device) siteNow {
	where := whereOf(d)
	if n, ok := sites[where]; ok {
		return n
	}
	n := siteNow{open: true}
	road := d.Segment
	if site := f.inv.Site(d.Site); site != nil {
		p := place{version: f.inv, site: site, closures: f.closures}
		n.open, road = p.open(f.clock), p.road()
	}
	for _, c := range f.closures.Spans(f.inv, d.Site, road, f.clock, f.clock+1) {
		n.open = false
		n.muted = n.muted || c.Reason == "works"
	}
	n.muted = n.muted || f.inv.Rules.Maintained(where, f.clock)
	sites[where] = n
	return n
}

func (f *Follower) tickUsual(key string, sites map[string]siteNow, hours float64) {
	list := f.gadgets.of[key]
	u := f.gadgets.usuals[key]
	if n := f.siteNow(sites, list[0].d); !n.open || hours <= 0 {
		u.New = 0
		return
	}
	speak := 0
	for _, g := range list {
		if g.Seen && !g.says(saysSilent) && !g.says(saysStuck) && !g.says(saysDead) {
			speak++
		}
	}
	if speak == 0 {
		u.New = 0
		return
	}
	kind, hour := place{version: f.inv}.slot(f.clock)
	u.tick(kind, hour, hours, speak)
}

func (g *gadget) says(what int) bool { return g.Said&(1<<what) != 0 }

// tickGadget judges one device.
func (f *Follower) tickGadget(pos uint64, g *gadget, passed int64, out *outages, sites map[string]siteNow) {
	now := f.running()
	g.Heard, g.Event, g.LagFrom = min(g.Heard, now), min(g.Event, now), min(g.LagFrom, now) // our clock may have run ahead
	n := f.siteNow(sites, g.d)
	if n.muted || out.unheard(g) {
		return
	}
	r := f.inv.Rules
	x := &judged{f: f, g: g, pos: pos, now: now}
	g.age(now)
	silence := now - g.Heard
	if limit := g.lossy(silentMs(&r.DeviceSilent, g.d)); limit > 0 {
		switch {
		case silence < limit || r.DeviceSilent.Off:
			x.calm(saysSilent)
		case min(silence, now-f.back) < out.patience(g, limit): // its cause may be told instead, or it has yet to find the gateway
		case out.hides(g):
		case f.causeStands(g): // it recovers: the device has its limit to come back
			g.Heard = now
		default:
			x.stands(saysSilent, r.DeviceSilent.RecoverMin, Sum{"silent_s", silence / 1000}, Sum{"interval_s", int64(g.d.IntervalS)})
		}
	}
	x.limit(saysFlapping, !r.DeviceFlapping.Off, float64(g.Flaps), float64(r.DeviceFlapping.Changes), r.DeviceFlapping.RecoverMin, Sum{"changes_an_hour", int64(math.Round(float64(g.Flaps)))})
	x.limit(saysReboots, !r.DeviceFlapping.Off, float64(g.Boots), float64(r.DeviceFlapping.Boots), r.DeviceFlapping.RecoverMin, Sum{"boots_a_day", int64(math.Round(float64(g.Boots)))})
	f.judgeBattery(x)
	f.judgeSkew(x)
	f.judgeGaps(x)
	if silence >= 3*hourMs || silence > silentMs(&r.DeviceSilent, g.d)*2/3 && out.hides(g) {
		return // what it does not say, it does not say
	}
	f.judgeStill(x, n, passed)
	f.judgeOverstay(x, n)
}

// lossy is how long a device may say nothing where a share of its readings is
// lost on the way: so many in a row have a chance of one in a million at most,
// were each lost by itself.
func (g *gadget) lossy(limit int64) int64 {
	const chance = 1e-6
	share := min(float64(g.Lost/max(1, g.Lost+g.Got)), 0.9)
	if limit == 0 || share <= 0 {
		return limit
	}
	return max(limit, int64((1+math.Log(chance)/math.Log(share))*float64(g.d.IntervalS)*1000))
}

// silentMs is how long a device may say nothing; 0: nobody said how often it
// should.
func silentMs(r *inventory.DeviceSilentRules, d *inventory.Device) int64 {
	if d.IntervalS <= 0 {
		return 0
	}
	return silentAfter(r, int64(d.IntervalS)*1000)
}

func silentAfter(r *inventory.DeviceSilentRules, interval int64) int64 {
	return max(int64(r.Intervals*float64(interval)), int64(r.LeastMin)*minuteMs)
}

// judgeBattery: the mean of the last voltages is under low_mv; it is well again
// 100 mV above. Source: facts/devices.md 5.3 (nwave calls 3.0 V low).
func (f *Follower) judgeBattery(x *judged) {
	p := &f.inv.Rules.DeviceBattery
	v := float64(x.g.Battery)
	switch {
	case p.Off:
		x.calm(saysBattery)
	case v == 0:
	case v < float64(p.LowMV):
		x.stands(saysBattery, p.RecoverMin, Sum{"battery_mv", int64(math.Round(v))})
	case v > float64(p.LowMV)+100:
		x.calm(saysBattery)
	}
}

// judgeSkew: the least of recv - at in two hours and ten readings at least is
// how far the device's clock is off, for a reading that waited for a link is
// behind others that did not. It is well again at half of the bound.
func (f *Follower) judgeSkew(x *judged) {
	p := &f.inv.Rules.DeviceSkew
	ahead, behind := int64(p.AheadS)*1000, int64(p.BehindS)*1000
	switch skew := x.g.Skew; {
	case p.Off:
		x.calm(saysSkew)
	case skew < -ahead || skew > behind:
		x.stands(saysSkew, p.RecoverMin, Sum{"behind_s", skew / 1000})
	case skew > -ahead/2 && skew < behind/2:
		x.calm(saysSkew)
	}
}

// judgeGaps: of the last 100 numbers or so a share did not come, for longer than
// a late reading takes.
func (f *Follower) judgeGaps(x *judged) {
	p, g := &f.inv.Rules.DeviceGaps, x.g
	share := float64(g.Lost) / max(1, float64(g.Lost+g.Got))
	switch {
	case p.Off:
		x.calm(saysGaps)
	case g.Lost >= float32(p.Least) && share >= p.Share:
		if g.Holed == 0 {
			g.Holed = x.now
		}
		if x.now-g.Holed >= int64(p.GraceMin)*minuteMs {
			x.stands(saysGaps, p.RecoverMin, Sum{"lost", int64(math.Round(float64(g.Lost)))}, Sum{"lost_permille", int64(math.Round(share * 1000))})
		}
	case share < p.Share/2:
		g.Holed = 0
		x.calm(saysGaps)
	default:
		g.Holed = 0
	}
}

// judgeStill: a device speaks and what it measures never changes, while what
// devices like it at its place notice at these hours would give it `expected`
// events. Were they a Poisson process, none has the chance exp(-expected). A
// traffic counter that says the same numbers and speeds again and again is
// stuck; one that says zero, or a gate through which nobody goes, is dead. What
// has said nothing at all since its last event is silent, and no more is known.
func (f *Follower) judgeStill(x *judged, n siteNow, passed int64) {
	g, p := x.g, &f.inv.Rules.DeviceStuck
	if p.Off {
		x.calm(saysStuck)
		x.calm(saysDead)
	}
	if p.Off || g.usual == nil || g.Event == 0 {
		return
	}
	what, least := saysStuck, int64(p.LeastH)*hourMs
	if g.d.Kind == inventory.DeviceGate || g.d.Kind == inventory.DeviceTraffic {
		what, least = saysDead, int64(p.DeadMin)*minuteMs
	}
	kind, hour := place{version: f.inv}.slot(f.clock)
	if n.open && (what == saysStuck || hour >= 6 && hour < 21) {
		share := (g.Events + levelWeight) / (g.Due + levelWeight)
		due := float32(g.usual.rate(kind, hour) * float64(passed) / hourMs)
		g.Expected += due * min(share, 1) * g.usual.level()
		forget := keep(passed, 28*dayMs)
		if g.Said&(1<<saysStuck|1<<saysDead) == 0 {
			g.Due, g.Events = g.Due*forget+due, g.Events*forget
		}
	}
	quiet := x.now - g.Event
	switch {
	case float64(g.Expected) >= p.Expected && quiet >= least && (g.Heard > g.Event || g.d.IntervalS <= 0):
		x.stands(what, p.RecoverMin, Sum{"unchanged_s", quiet / 1000}, Sum{"expected", int64(g.Expected)})
	case what == saysDead && g.Same >= uint16(p.Same):
		x.stands(saysStuck, p.RecoverMin, Sum{"same_readings", int64(g.Same)})
	case what == saysDead && g.Expected == 0:
		x.calm(saysDead)
		if g.Same == 0 {
			x.calm(saysStuck)
		}
	case g.Expected == 0:
		x.calm(what)
	}
}

// judgeOverstay: a place is taken for longer than the site's restrictions allow
// ("paling lama 3 jam"), else than hours.
func (f *Follower) judgeOverstay(x *judged, n siteNow) {
	g, p := x.g, &f.inv.Rules.Overstay
	if p.Off || g.d.Kind != inventory.DeviceSpot || g.site == nil {
		x.calm(saysOverstay)
		return
	}
	longest := int64(p.Hours) * hourMs
	if ms, ok := longestStay(g.site.Restrictions); ok {
		longest = ms + int64(p.SlackMin)*minuteMs
	}
	switch {
	case f.clock-g.LastAt > g.unknown(): // it may have been left meanwhile
	case g.Occupied == 0 || g.says(saysStuck):
		x.calm(saysOverstay)
	case n.open && longest > 0 && f.clock-g.Occupied > longest:
		x.stands(saysOverstay, p.RecoverMin, Sum{"taken_s", (f.clock - g.Occupied) / 1000}, Sum{"longest_s", longest / 1000})
	}
}

// longestStay reads how long a vehicle may stay, ms, out of restrictions as a
// person writes them.
func longestStay(restrictions []string) (ms int64, ok bool) {
	for _, text := range restrictions {
		words := strings.Fields(strings.ToLower(text))
		for i := 1; i+1 < len(words); i++ {
			before := words[i-1]
			if before == "lama" && (i < 2 || words[i-2] != "paling") || !slices.Contains([]string{"lama", "maksimal", "maks.", "max"}, before) {
				continue
			}
			n, err := strconv.ParseInt(words[i], 10, 32)
			if err != nil || n <= 0 {
				continue
			}
			switch words[i+1] {
			case "jam", "h", "hours", "hour":
				return n * hourMs, true
			case "menit", "min", "minutes":
				return n * minuteMs, true
			}
		}
	}
	return 0, false
}

// judged is a device that is judged at a tick.
type judged struct {
	f   *Follower
	g   *gadget
	pos uint64
	now int64
}

func (x *judged) out() *subjectOf {
	out := &subjectOf{i: &x.f.incidents, kind: ofDevice, id: x.g.id, now: x.f.clock, pos: x.pos}
	if x.g.site != nil {
		out.site = x.g.site.ID
	}
	out.segment = x.g.d.Segment
	return out
}

// stands raises a rule, once: what it shows is of then.
func (x *judged) stands(what, recoverMin int, sums ...Sum) {
	if x.g.says(what) {
		return
	}
	x.g.Said |= 1 << what
	x.out().raise(gadgetRules[what], finding{at: x.f.clock, count: 1, recover: int64(recoverMin) * minuteMs, sums: sums})
}

func (x *judged) calm(what int) {
	if x.g.says(what) {
		x.g.Said &^= 1 << what
		x.out().calm(gadgetRules[what])
	}
}

// limit raises a rule at a bound and calms it under half of it.
func (x *judged) limit(what int, on bool, v, bound float64, recoverMin int, sums ...Sum) {
	switch {
	case on && v >= bound:
		x.stands(what, recoverMin, sums...)
	case !on || v < bound/2:
		x.calm(what)
	}
}
