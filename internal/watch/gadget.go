package watch

import (
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// gadget is what is remembered of one device, whatever it measures: 208 bytes,
// for there are many. Its times are of the running clock, which stands still
// while the gateway is off, but where said otherwise.
type gadget struct {
	gadgetState
	id     string
	source string // over which it was heard last
	place  int32  // in the file

	d     *inventory.Device // nil: no longer in the inventory
	site  *inventory.Site   // nil: none
	usual *usual            // of devices like it at its place; nil: it has no place
}

// gadgetState is what is in the file, in the order of append. Here fields of one
// size stand together, so that nothing is left empty between them.
type gadgetState struct {
	Heard int64 // last reading
	Boot  uint64
	Seq   uint64 // the highest of its boot

	Event    int64  // last change of state, or passing vehicle
	Value    uint64 // the state, number, or a hash of what it said
	Occupied int64  // event time since which its place is taken; 0: it is free, or not known

	At    int64 // up to which Flaps and Boots have been forgotten
	Holed int64 // since when too many are lost; 0: they are not

	Lag     int64 // least recv - at of the present window, ms
	LagFrom int64
	Skew    int64 // of the last whole window, ms; ahead is negative
	LastAt  int64 // event time of the newest reading that said something

	Expected float32 // events that were to be expected since Event
	Events   float32 // that came, forgetting
	Outs     float32 // of a gate: of them, vehicles leaving
	Due      float32 // that devices like it had meanwhile, forgetting
	Flaps    float32 // changes of state, forgetting
	Boots    float32 // forgetting
	Got      float32 // readings, forgetting
	Lost     float32 // numbers left out, forgetting
	Battery  float32 // mV, smoothed; 0 unknown
	Said     uint32  // which rules are raised, by place in gadgetRules

	Same uint16 // traffic: how often it said the same
	LagN uint16 // readings in the present window

	Booted bool // the device counts its boots
	Seen   bool // it was ever heard
}

// gadgetRules are what a device's incidents may be about; their places are in
// the file: append only.
var gadgetRules = [...]Rule{RuleDeviceSilent, RuleDeviceFlapping, RuleDeviceStuck, RuleDeviceBattery, RuleDeviceSkew, RuleDeviceGaps, RuleOverstay, RuleCounterDead, RuleDeviceReboots}

const (
	saysSilent = iota
	saysFlapping
	saysStuck
	saysBattery
	saysSkew
	saysGaps
	saysOverstay
	saysDead
	saysReboots
)

// timelyMs is how far a reading's time may be from ours where it counts as of
// now: a backlog that was stored brings hours of changes and boots at once.
const timelyMs = 10 * minuteMs

// hear takes a reading: now is of the running clock.
func (g *gadget) hear(e *journal.Entry, now int64) {
	r := e.Reading
	fresh := !g.Seen || r.HasBoot && !r.Beside() && r.Boot > g.Boot || r.HasBoot == g.Booted && r.Boot == g.Boot && r.Seq > g.Seq || (!r.HasBoot || r.Beside()) && e.Recv-r.At < freshMs
	timely := max(e.Recv-r.At, r.At-e.Recv) < timelyMs
	g.Heard = now
	if e.Source != "" {
		g.source = e.Source
	}
	g.number(r, now, timely)
	g.lag(e.Recv-r.At, now)
	if v, ok := batteryOf(r); ok {
		if g.Battery == 0 {
			g.Battery = float32(v)
		}
		g.Battery += 0.2 * (float32(v) - g.Battery)
	}
	if fresh {
		g.say(r, now, timely)
	}
	g.Seen = g.Seen || !r.Beside()
}

// number counts what the sequence numbers leave out. A number that comes late
// was not lost.
func (g *gadget) number(r *city.Reading, now int64, timely bool) {
	switch {
	case r.Beside():
		return
	case !g.Seen || r.HasBoot != g.Booted:
		g.Boot, g.Seq, g.Booted = r.Boot, r.Seq, r.HasBoot
	case r.Boot > g.Boot:
		if timely {
			g.age(now)
			g.Boots++
		}
		g.Boot, g.Seq = r.Boot, r.Seq
	case r.Boot < g.Boot:
	case r.Seq > g.Seq:
		if left := r.Seq - g.Seq - 1; left < 10_000 {
			g.Lost += float32(left)
		}
		g.Seq = r.Seq
	case !r.HasBoot && g.Seq-r.Seq > 1000: // a run anew
		g.Seq = r.Seq
	default:
		g.Lost = max(0, g.Lost-1)
	}
	const memory = 1 - 1.0/100 // readings
	g.Got, g.Lost = g.Got*memory+1, g.Lost*memory
}

// skewMs and skewReadings are what a window of lags needs at least: what waited
// for a link is behind readings that did not.
const (
	skewMs       = 2 * hourMs
	skewReadings = 10
)

// lag takes how long after its time a reading came; the least of a window is
// how far the device's clock is off.
func (g *gadget) lag(ms, now int64) {
	if g.LagN == 0 {
		g.Lag, g.LagFrom = ms, now
	}
	g.Lag = min(g.Lag, ms)
	g.LagN = min(g.LagN+1, 60_000)
	if g.LagN >= skewReadings && now-g.LagFrom >= skewMs {
		g.Skew, g.LagN = g.Lag, 0
	}
}

func batteryOf(r *city.Reading) (mv int64, ok bool) {
	switch {
	case r.Spot != nil:
		return r.Spot.Battery.V, r.Spot.Battery.OK
	case r.Health != nil:
		return r.Health.Battery.V, r.Health.Battery.OK
	}
	return 0, false
}

// say takes what the device measured.
func (g *gadget) say(r *city.Reading, now int64, timely bool) {
	events := float32(0)
	switch {
	case r.Spot != nil:
		events = g.spot(r, now, timely)
	case r.Gate != nil:
		events = float32(r.Gate.Count)
		g.passed(r)
	case r.Count != nil:
		v := uint64(r.Count.Class)<<32 | uint64(r.Count.Occupied)
		if g.Seen && v != g.Value && v>>32 == g.Value>>32 {
			events = 1
		}
		g.Value = v
	case r.Traffic != nil:
		events = g.traffic(r.Traffic)
	default:
		return
	}
	if events > 0 {
		g.Event, g.Expected = now, 0
	}
	if events > 0 && timely {
		// A busy period counts no more than its hour is worth of evidence.
		if g.Flaps >= mostFlaps {
			return // it teaches nothing
		}
		events, out := min(events, mostEvents), r.Gate != nil && r.Gate.Out
		g.Events += events
		if out {
			g.Outs += events
		}
		if g.usual != nil {
			g.usual.came(events, out)
		}
	}
	if g.Event == 0 {
		g.Event = now
	}
}

// passed counts vehicles for the site's gates; what comes too late is left out.
func (g *gadget) passed(r *city.Reading) {
	if g.usual == nil || g.site == nil || g.usual.zone == nil {
		return
	}
	if g.usual.Gates == nil {
		g.usual.Gates = new(drift)
	}
	g.usual.Gates.pass(time.UnixMilli(r.At).In(g.usual.zone).Format(time.DateOnly), r.Gate.Out, int64(r.Gate.Count))
	g.usual.soiled = true
}

// mostFlaps is how often a place may change in an hour before its changes are
// taken for no vehicles.
const mostFlaps = 10

// mostEvents bounds what one reading counts: platoons are no independent
// vehicles.
const mostEvents = 3

func (g *gadget) spot(r *city.Reading, now int64, timely bool) (events float32) {
	v := uint64(1)
	if r.Spot.Occupied {
		v = 2
	}
	if g.Value != 0 && v != g.Value {
		if timely {
			g.age(now)
			g.Flaps++
		}
		events = 1
	}
	switch {
	case !r.Spot.Occupied:
		g.Occupied = 0
	case g.Value != v || g.Occupied == 0 || r.At-g.LastAt > g.unknown():
		g.Occupied = r.At
	}
	g.LastAt = r.At
	g.Value = v
	return events
}

// unknown is how long after a reading a place is no longer known, ms.
func (g *gadget) unknown() int64 {
	if g.d == nil || g.d.IntervalS <= 0 {
		return 3 * hourMs
	}
	return 3 * int64(g.d.IntervalS) * 1000
}

func (g *gadget) traffic(t *city.Traffic) (events float32) {
	h, all := uint64(14695981039346656037), uint64(0)
	mix := func(v uint64) { h = (h ^ v) * 1099511628211 }
	covered := false
	for i := range t.Lanes {
		l := &t.Lanes[i]
		mix(uint64(l.SM))
		mix(uint64(l.KR))
		mix(uint64(l.KB))
		mix(uint64(l.Unknown))
		mix(uint64(l.Speed.V))
		all += uint64(l.SM) + uint64(l.KR) + uint64(l.KB) + uint64(l.Unknown)
		covered = covered || l.Occupancy.OK && l.Occupancy.V >= 50_000
	}
	switch {
	case h == g.Value && all >= 5:
		g.Same = min(g.Same+1, 60_000)
	default:
		g.Same = 0
	}
	g.Value = h
	if covered && all == 0 { // a queue that stands is no dead counter
		return 1
	}
	return float32(all)
}

// age forgets changes of state and boots.
func (g *gadget) age(now int64) {
	if past := now - g.At; past > 0 {
		g.Flaps *= keep(past, hourMs)
		g.Boots *= keep(past, dayMs)
	}
	g.At = now
}
