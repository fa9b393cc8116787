package watch

import (
	"math"
	"time"
)

// usual is how often what devices of one kind at one place notice something, by
// hour and kind of day: each alone is too rare to tell.
type usual struct {
	Rates  [dayKinds][24]rate     // N events in H device-hours
	Outs   *[dayKinds][24]float64 `json:",omitempty"` // of gates: events that were vehicles leaving
	Came   float32                // in the last day or so
	Due    float32                // in it, by the rates
	New    float32                // since the last tick
	NewOut float32                `json:",omitempty"`
	Gates  *drift                 `json:",omitempty"`
	zone   *time.Location         // the city's
	n      int                    // devices
	soiled bool
}

// level is how busy the place is now against what it usually is, 0.1..1; one
// device alone cannot tell a calm day from its own fault.
func (u *usual) level() float32 {
	if u.n < 3 {
		return 1
	}
	return min(1, max(lowestLevel, (u.Came+levelWeight)/(u.Due+levelWeight)))
}

func (u *usual) came(events float32, out bool) {
	if out {
		u.NewOut += events
	}
	u.Came += events
	u.New += events
	u.soiled = true
}

// tick lets a time pass for the devices of the place that speak.
func (u *usual) tick(kind, hour int, hours float64, devices int) {
	u.n, u.soiled = devices, true
	events := float64(u.New)
	u.New = 0
	r := &u.Rates[kind][hour]
	forget := math.Exp(-hours / 28) // an hour of a slot is its day: 28 of them
	r.N, r.H = r.N*forget+events, r.H*forget+hours*float64(devices)
	if u.NewOut > 0 && u.Outs == nil {
		u.Outs = new([dayKinds][24]float64)
	}
	if u.Outs != nil {
		u.Outs[kind][hour] = u.Outs[kind][hour]*forget + float64(u.NewOut)
		u.NewOut = 0
	}
	keep := float32(math.Exp(-hours / 24))
	u.Came *= keep
	u.Due = u.Due*keep + float32(u.rate(kind, hour)*hours*float64(devices))
}

// rate is events in an hour of one device, its low end; 0 where the hour was
// hardly seen.
func (u *usual) rate(kind, hour int) float64 {
	r := &u.Rates[kind][hour]
	if r.H < leastHours || r.N < 1 {
		return 0
	}
	return max(0, r.N-math.Sqrt(r.N)) / r.H
}

// bound is by how much more, or less, than all gates together one has to do in an
// hour of which a share of the vehicles leaves (outs, of its own): nobody leaves
// before the first has come. 1 where nothing is known of directions.
func (u *usual) bound(kind, hour int, outs float64) float64 {
	if u.Outs == nil {
		return 1
	}
	var all, out float64
	for k := range u.Rates {
		for h := range u.Rates[k] {
			all, out = all+u.Rates[k][h].N, out+u.Outs[k][h]
		}
	}
	here := u.Rates[kind][hour].N
	if all <= 0 || here <= 0 {
		return 1
	}
	usually, now, by := min(1, out/all), min(1, u.Outs[kind][hour]/here), 0.0
	if usually > 0 {
		by += outs * now / usually
	}
	if usually < 1 {
		by += (1 - outs) * (1 - now) / (1 - usually)
	}
	return by
}

// keep is what is left of something after a time, forgetting with a memory.
func keep(past, memory int64) float32 { return float32(math.Exp(-float64(past) / float64(memory))) }
