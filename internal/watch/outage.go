package watch

import (
	"maps"
	"slices"

	"github.com/simpang-id/simpang/internal/inventory"
)

// outages are causes for which many devices say nothing at once: what hangs on
// one of them is told by it, and not device by device. Method: at a tick, a
// source (the sites, then) is out where more than `share` of its devices, and
// `least` of them, have been silent for longer than two of their intervals. The
// first of them passes its own limit, three intervals, no sooner than the last
// of them has passed two, for the last reading of each lies within one interval
// before the cause. A site's cabinet, a gateway and a broker look like that;
// devices that die one by one do not, unless most have died. Devices of unequal
// intervals pass their limits one after the other: those that are quick wait
// until the cause would be seen. A source of many devices is seen sooner: where
// nothing comes of it in a time in which leastDue readings were to be expected
// (exp(-20), were they a Poisson process), and `least` of its devices have
// missed one, for they may all send at the same second.
type outages struct {
	source map[string]*outage
	site   map[string]*outage
}

// outage is how many devices of a source or site are silent.
type outage struct {
	silent, all int
	due         int             // silent ones that have had time to speak since the gateway was off
	sites       map[string]bool // of a source
	since       int64           // the running clock at the newest reading
	rate        float64         // readings to be expected, per second
	intervals   []int64         // of its devices, ms
	wait        int64           // after so long it is seen, ms; 0: it never is
	is          bool
	mute        bool // nothing at all comes
}

const leastDue = 20 // readings

// hides tells whether a device's silence is told by its source or site.
func (o *outages) hides(g *gadget) bool {
	return o.source[g.source] != nil && g.source != "" && o.source[g.source].is || g.site != nil && o.site[g.site.ID] != nil && o.site[g.site.ID].is
}

// unheard tells whether nothing at all comes of a device's source.
func (o *outages) unheard(g *gadget) bool {
	return o.source[g.source] != nil && o.source[g.source].mute
}

// patience is how long a device is to be silent, ms, before that is told of it:
// its limit, or longer where its source or site may be the cause: their time,
// and one interval in which it said nothing yet.
func (o *outages) patience(g *gadget, limit int64) int64 {
	ms := int64(0)
	if x := o.source[g.source]; x != nil {
		ms = x.wait
	}
	if g.site != nil && o.site[g.site.ID] != nil {
		ms = max(ms, o.site[g.site.ID].wait)
	}
	return max(limit, ms+int64(g.d.IntervalS)*1000)
}

// outages counts.
func (f *Follower) outages(now int64, sites map[string]siteNow) outages {
	o := outages{source: map[string]*outage{}, site: map[string]*outage{}}
	p := &f.inv.Rules.DeviceSilent
	heard := false
	for _, g := range f.gadgets.all {
		heard = heard || g != nil && g.Seen
		if g == nil || g.d.IntervalS <= 0 || f.siteNow(sites, g.d).muted {
			continue
		}
		silent := now-g.Heard > silentMs(p, g.d)*2/3
		due := now-f.back > silentMs(p, g.d)*2/3
		if g.site != nil {
			o.add(o.site, g.site.ID, g, silent, due)
		}
		if g.source != "" {
			o.add(o.source, g.source, g, silent, due)
		}
	}
	if !heard { // the gateway is still being set up: devices find it from now on
		f.back = now
		return o
	}
	for _, x := range o.source {
		if len(x.sites) > 1 && !p.Off {
			x.judge(p)
			x.quiet(p, now)
		}
	}
	for _, x := range o.site {
		x.judge(p)
	}
	return o
}

// judge tells whether most devices are silent.
func (x *outage) judge(p *inventory.DeviceSilentRules) {
	slices.Sort(x.intervals)
	if most := max(int(p.Share*float64(x.all)), p.Least-1); most < x.all {
		x.wait = silentAfter(p, x.intervals[most]) * 2 / 3
	}
	x.is = x.out(p, x.silent)
}

// quiet tells whether nothing comes of a source.
func (x *outage) quiet(p *inventory.DeviceSilentRules, now int64) {
	if x.rate == 0 || x.all < p.Least {
		return
	}
	long := max(2*minuteMs, x.intervals[p.Least-1]*3/2, int64(leastDue*1000/x.rate))
	if x.wait == 0 || long < x.wait {
		x.wait = long
	}
	if x.mute = now-x.since > long; x.mute {
		x.is, x.silent = true, x.all
	}
}

func (o *outages) add(to map[string]*outage, id string, g *gadget, silent, due bool) {
	x := to[id]
	if x == nil {
		x = &outage{sites: map[string]bool{}}
		to[id] = x
	}
	x.sites[whereOf(g.d)] = true
	x.all++
	if silent {
		x.silent++
	}
	if silent && due {
		x.due++
	}
	x.since = max(x.since, g.Heard)
	interval := int64(g.d.IntervalS) * 1000
	x.intervals = append(x.intervals, interval)
	if !g.says(saysSilent) {
		x.rate += 1000 / float64(interval)
	}
}

func (x *outage) out(p *inventory.DeviceSilentRules, silent int) bool {
	return !p.Off && silent >= p.Least && float64(silent) > p.Share*float64(x.all)
}

// causeStands tells whether an incident of a device's source or site still
// stands: while that recovers, not all devices have come back.
func (f *Follower) causeStands(g *gadget) bool {
	return f.standing[key{RuleSourceSilent, g.source}] != nil || g.site != nil && f.standing[key{RuleSiteSilent, g.site.ID}] != nil
}

// cause is what the silence of a meter hangs on.
type cause uint8

const (
	noCause  cause = iota
	mayCause       // its site or source has been as silent as it is, and may yet be told
	hasCause       // its site or source is told
)

// causeOf tells what the silence of a meter hangs on.
func (f *Follower) causeOf(s *subject) cause {
	g := f.gadgets.byID[s.id]
	if s.kind != ofMeter || g == nil || g.d == nil || f.out == nil {
		return noCause
	}
	if f.out.hides(g) || f.causeStands(g) {
		return hasCause
	}
	now := f.running()
	silence := now - g.Heard
	may := func(x *outage) bool {
		return x != nil && x.wait > 0 && x.all >= f.inv.Rules.DeviceSilent.Least && 2*(now-x.since) >= silence && silence < x.wait+int64(g.d.IntervalS)*1000
	}
	if g.source != "" && may(f.out.source[g.source]) || g.site != nil && may(f.out.site[g.site.ID]) {
		return mayCause
	}
	return noCause
}

// blind tells whether a counter that sees a segment is known to count wrong:
// what it says is nothing to judge the road by.
func (f *Follower) blind(s *inventory.Segment) bool {
	if s == nil {
		return false
	}
	for _, id := range []string{s.ID, s.Opposite} {
		if id == s.Opposite && len(f.inv.SegmentDevices(s.ID)) > 0 {
			break // the other direction's see only their own
		}
		for _, d := range f.inv.SegmentDevices(id) {
			if g := f.gadgets.byID[d.ID]; g != nil && (g.says(saysStuck) || g.says(saysDead)) {
				return true
			}
		}
	}
	return false
}

// reportOutages raises and calms. What stands of a source or site that is no
// longer counted (its devices were moved, or speak over another) is calmed; a
// site at which work is done is not counted for now.
func (f *Follower) reportOutages(pos uint64, o *outages, sites map[string]siteNow) {
	p := &f.inv.Rules.DeviceSilent
	say := func(list map[string]*outage, kind subjectKind, rule Rule, hidden func(id string) bool) {
		for _, id := range slices.Sorted(maps.Keys(list)) {
			x := list[id]
			out := &subjectOf{i: &f.incidents, kind: kind, id: id, now: f.clock, pos: pos}
			if kind == ofSite {
				out.site = id
			}
			switch {
			case !x.is:
				out.calm(rule)
			case !x.out(p, x.due) && (!x.mute || f.running()-f.back < int64(p.LeastMin)*minuteMs): // the gateway was off
			case !hidden(id) && f.standing[key{rule, id}] == nil || f.recovers(rule, id):
				out.raise(rule, finding{at: f.clock, count: int64(x.silent), recover: int64(p.RecoverMin) * minuteMs, sums: []Sum{{"silent_devices", int64(x.silent)}, {"devices", int64(x.all)}}})
			}
		}
	}
	say(o.source, ofSource, RuleSourceSilent, func(string) bool { return false })
	say(o.site, ofSite, RuleSiteSilent, func(id string) bool {
		for _, g := range f.inv.SiteDevices(id) {
			if x := f.gadgets.byID[g.ID]; x != nil && o.source[x.source] != nil && o.source[x.source].is {
				return true
			}
		}
		return false
	})
	for _, k := range slices.SortedFunc(maps.Keys(f.standing), compareKeys) {
		out := &subjectOf{i: &f.incidents, id: k.subject, now: f.clock, pos: pos}
		switch {
		case k.rule == RuleSourceSilent && o.source[k.subject] == nil:
			out.calm(k.rule)
		case k.rule == RuleSiteSilent && o.site[k.subject] == nil && !f.siteNow(sites, &inventory.Device{Site: k.subject}).muted:
			out.calm(k.rule)
		}
	}
}

// recovers tells whether an incident stands that is recovering.
func (i *incidents) recovers(rule Rule, subject string) bool {
	r := i.standing[key{rule, subject}]
	return r != nil && r.State == StateRecovering
}
