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
// devices that die one by one do not, unless most have died.
type outages struct {
	source map[string]*outage
	site   map[string]*outage
}

// outage is how many devices of a source or site are silent.
type outage struct {
	silent, all int
	due         int             // silent ones that have had time to speak since the gateway was off
	sites       map[string]bool // of a source
	since       int64           // the journal's clock at the newest reading
	is          bool
}

// hides tells whether a device's silence is told by its source or site.
func (o *outages) hides(g *gadget) bool {
	return o.source[g.source] != nil && g.source != "" && o.source[g.source].is || g.site != nil && o.site[g.site.ID] != nil && o.site[g.site.ID].is
}

// outages counts.
func (f *Follower) outages(now int64, sites map[string]siteNow) outages {
	o := outages{source: map[string]*outage{}, site: map[string]*outage{}}
	p := &f.inv.Rules.DeviceSilent
	for _, g := range f.gadgets.all {
		if g == nil || g.d.IntervalS <= 0 || !g.Seen || f.siteNow(sites, g.d).muted {
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
	for _, x := range o.source {
		x.is = len(x.sites) > 1 && x.out(p, x.silent)
	}
	for _, x := range o.site {
		x.is = x.out(p, x.silent)
	}
	return o
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
}

func (x *outage) out(p *inventory.DeviceSilentRules, silent int) bool {
	return !p.Off && silent >= p.Least && float64(silent) > p.Share*float64(x.all)
}

// reportOutages raises and calms.
func (f *Follower) reportOutages(pos uint64, o *outages) {
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
			case !x.out(p, x.due): // the gateway was off
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
}

// recovers tells whether an incident stands that is recovering.
func (i *incidents) recovers(rule Rule, subject string) bool {
	r := i.standing[key{rule, subject}]
	return r != nil && r.State == StateRecovering
}
