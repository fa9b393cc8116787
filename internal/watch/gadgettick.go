package watch

import (
	"math"

	"github.com/simpang-id/simpang/internal/inventory"
)

// siteNow is how a site stands in a tick.
type siteNow struct {
	open   bool  // customers may come, and no closure touches it
	opened int64 // so much of the time since the tick before it was, ms
	muted  bool  // work is done there
}

// tickGadgets judges every device.
func (f *Follower) tickGadgets(pos uint64) {
	s := &f.gadgets
	now := f.running()
	passed := max(0, min(now-f.judgedAt, stillMs))
	f.judgedAt, f.back = now, min(f.back, now)
	f.lately = passed
	sites := map[string]siteNow{}
	for _, place := range s.places {
		f.tickUsual(place, sites)
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
		f.tickGadget(pos, g, &out, sites)
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
	n := siteNow{open: true, opened: f.lately}
	road := d.Segment
	if site := f.inv.Site(d.Site); site != nil {
		p := place{version: f.inv, site: site, closures: f.closures}
		n.open, road = p.open(f.clock), p.road()
		n.opened = openTime(f.clock-f.lately, f.clock, f.lately, minuteMs, p.open)
	}
	for _, c := range f.closures.Spans(f.inv, d.Site, road, f.clock, f.clock+1) {
		n.open = false
		n.muted = n.muted || c.Reason == "works"
	}
	n.muted = n.muted || f.inv.Rules.Maintained(where, f.clock)
	sites[where] = n
	return n
}

func (f *Follower) tickUsual(key string, sites map[string]siteNow) {
	list := f.gadgets.of[key]
	u := f.gadgets.usuals[key]
	n := f.siteNow(sites, list[0].d)
	if !n.open || n.opened <= 0 {
		u.New, u.NewOut = 0, 0
		return
	}
	speak := 0
	for _, g := range list {
		if g.Seen && !g.says(saysSilent) && !g.says(saysStuck) && !g.says(saysDead) {
			speak++
		}
	}
	if speak == 0 {
		u.New, u.NewOut = 0, 0
		return
	}
	kind, hour := place{version: f.inv}.slot(f.clock)
	u.tick(kind, hour, float64(n.opened)/hourMs, speak)
}

// tickGadget judges one device.
func (f *Follower) tickGadget(pos uint64, g *gadget, out *outages, sites map[string]siteNow) {
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
		case f.causeStands(g) && !g.says(saysSilent): // it recovers: the device has its limit to come back
			if g.Heard <= g.Event {
				g.Event = now // it has said nothing since
			}
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
	f.judgeStill(x, n)
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
