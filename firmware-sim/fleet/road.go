package fleet

import (
	"math"
	"strings"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/internal/inventory"
)

// ekr is what a vehicle of SM, KR, KB, KTB takes of the road, in round numbers:
// the simulated road must fill up, not be PKJI.
var ekr = [4]float64{0.3, 1, 1.25, 0}

// road is one direction of a segment: what wants to pass, what can, and what
// waits. It has no device and draws nothing while it runs, so that everyone who
// looks sees the same.
type road struct {
	f        *Fleet
	inv      *inventory.Segment
	capacity float64    // smp/h
	peak     [4]float64 // vehicles/h of each class in its busiest hour
	tide     float64    // more before noon, less after it, or the other way
	free     float64    // km/h

	plants   []*plant
	jams     source
	jamFrom  int64
	jamUntil int64
}

func (f *Fleet) newRoad(s *inventory.Segment) *road {
	t := &f.o.Scenario.Traffic
	rng := f.random("road", s.ID)
	r := &road{f: f, inv: s, plants: f.plantsOf("", "", s.ID), jams: f.random("jam", s.ID), free: s.FreeFlowKmh}
	if r.free <= 0 {
		r.free = 45
	}
	switch {
	case strings.HasPrefix(s.RoadType, "2/2"):
		r.capacity = 1250
	default:
		r.capacity = 1500 * float64(max(1, s.Lanes))
	}
	volume := t.Volume * rng.logNormal(1, t.Spread)
	r.tide = 0.2 * (2*rng.Float64() - 1)
	var smp float64
	for i, c := range t.Classes.All() {
		smp += c.Share * ekr[i]
	}
	for i, c := range t.Classes.All() {
		if smp > 0 {
			r.peak[i] = volume * r.capacity * c.Share / smp
		}
	}
	r.jamUntil = f.o.Start
	r.nextJam()
	return r
}

func (r *road) nextJam() {
	if r.f.o.Scenario.Faults.Jam <= 0 {
		r.jamFrom, r.jamUntil = math.MaxInt64, math.MaxInt64
		return
	}
	r.jamFrom = r.jamUntil + r.jams.wait(r.f.o.Scenario.Faults.Jam)
	r.jamUntil = r.jamFrom + int64(r.jams.logNormal(float64(r.f.o.Scenario.Traffic.JamFor.Milliseconds()), 0.4))
}

// jammed tells whether something blocks the road; at never falls.
func (r *road) jammed(at int64) bool {
	for at >= r.jamUntil {
		r.nextJam()
	}
	return at >= r.jamFrom
}

// wants returns the vehicles/h of each class that want to pass.
func (r *road) wants(at int64) [4]float64 {
	hour, rest := r.f.cal.hour(at)
	season := r.f.cal.season(at)
	hour = season.hour(hour)
	scale := (1 + r.tide) * season.Traffic * r.f.mood("road", r.inv.ID, r.f.o.Scenario.Traffic.Mood, at)
	if hour >= 12 {
		scale *= (1 - r.tide) / (1 + r.tide)
	}
	if rest {
		scale *= r.f.o.Scenario.Traffic.Weekend
	}
	var out [4]float64
	for i, c := range r.f.o.Scenario.Traffic.Classes.All() {
		out[i] = r.peak[i] * scale * factor(c.Hours, hour) / most(c.Hours)
	}
	r.changed(at, &out)
	return out
}

func most(day scenario.Day) float64 {
	m := 0.0
	for _, v := range day {
		m = math.Max(m, v)
	}
	return m
}

// stream is what passes a road in one period, before chance.
type stream struct {
	mean  [4]float64 // vehicles of each class in the period
	speed float64    // km/h
	jam   bool       // vehicles wait
}

// pass moves one period of ms that ends at a moment: demand over the capacity
// waits in the queue (smp), and while anyone waits fewer pass, slowly.
func (r *road) pass(until, ms int64, queue *float64) stream {
	hours := float64(ms) / 3_600_000
	want := r.wants(until - ms/2)
	if r.f.closed("", r.inv.ID, until-ms/2) {
		*queue = 0
		return stream{speed: r.free}
	}
	var demand float64 // smp
	for i := range want {
		want[i] *= hours
		demand += want[i] * ekr[i]
	}
	capacity := r.capacity * hours
	left, jam := r.blocked(until - ms/2)
	capacity *= left
	waiting := demand + *queue
	if waiting <= capacity && !jam {
		*queue = 0
		load := 0.0
		if capacity > 0 {
			load = waiting / capacity
		}
		scale := 1.0
		if demand > 0 {
			scale = waiting / demand
		}
		for i := range want {
			want[i] *= scale
		}
		return stream{mean: want, speed: r.free / (1 + 0.15*load + 0.55*math.Pow(load, 5))}
	}
	served := math.Min(waiting, 0.85*capacity)
	*queue = math.Min(waiting-served, 0.4*r.capacity) // who sees a long queue takes another road
	for i := range want {
		if demand > 0 {
			want[i] *= served / demand
		}
	}
	return stream{mean: want, speed: r.f.o.Scenario.Traffic.JamSpeed, jam: true}
}
