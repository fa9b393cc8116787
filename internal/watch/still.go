package watch

import (
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
)

// judgeStill: a device speaks and what it measures never changes, while what
// devices like it at its place notice at these hours would give it `expected`
// events. Were they a Poisson process, none has the chance exp(-expected). A
// traffic counter that says the same numbers and speeds again and again is
// stuck; one that says zero, or a gate through which nobody goes, is dead. A place
// that is taken all the time has time until that would be an overstay: stays are
// no Poisson process, and one in some thousands lasts for days. What
// has said nothing at all since its last event is silent, and no more is known. Of a
// gate as many are expected as usually go its way at that hour.
func (f *Follower) judgeStill(x *judged, n siteNow) {
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
	} else if g.Occupied != 0 && g.site != nil { // it may be one vehicle
		least = max(least, f.longest(g))
	}
	kind, hour := place{version: f.inv}.slot(f.clock)
	if n.open && (what == saysStuck || hour >= 6 && hour < 21) {
		share := (g.Events + levelWeight) / (g.Due + levelWeight)
		due := float32(g.usual.rate(kind, hour) * float64(n.opened) / hourMs)
		if g.d.Kind == inventory.DeviceGate && g.Events > 0 {
			due *= float32(g.usual.bound(kind, hour, float64(g.Outs/g.Events)))
		}
		g.Expected += due * min(share, 1) * g.usual.level()
		forget := keep(f.lately, 28*dayMs)
		if g.Said&(1<<saysStuck|1<<saysDead) == 0 {
			g.Due, g.Events = g.Due*forget+due, g.Events*forget
			g.Outs *= forget
		}
	}
	quiet := x.now - g.Event
	switch {
	case float64(g.Expected) >= p.Expected && quiet >= least && (g.Heard > g.Event || g.d.IntervalS <= 0) && (x.g.says(what) || f.openFor(g, what, least)):
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

// openFor tells whether a device's place was open for so long since its last
// event; for a gate or traffic counter in one piece until now, by day: in the
// hours before it closed perhaps nobody goes its way.
func (f *Follower) openFor(g *gadget, what int, least int64) bool {
	p := place{version: f.inv, site: f.inv.Site(g.d.Site), closures: f.closures}
	open := func(at int64) bool { return !p.known() || p.open(at) }
	from, to, step := g.Event+f.still, f.clock, least/12
	if what == saysStuck {
		return openTime(from, to, least, step, open) >= least
	}
	by := func(at int64) bool {
		hour := time.UnixMilli(at).In(f.inv.Zone).Hour()
		return open(at) && hour >= 6 && hour < 21
	}
	return openTime(max(from, to-least), to, least, step, by) >= least
}

// mostLooks bounds how often openTime looks.
const mostLooks = 500

// openTime is for how long something was open between two times, looked at each
// step from the end backwards until it is enough, ms.
func openTime(from, to, enough, step int64, open func(at int64) bool) (sum int64) {
	for looks := 0; to > from && sum < enough && looks < mostLooks; looks++ {
		part := min(step, to-from)
		if to -= part; open(to) {
			sum += part
		}
	}
	return sum
}
