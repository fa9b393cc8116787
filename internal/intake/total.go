package intake

import (
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// frameMs is how long a network's frame counter is not given to another frame:
// copies that came over other gateways are no further apart.
const frameMs = 60_000

// total is the running total that a counter sent last. It is of accepted
// readings alone, so a replay of the journal finds it again.
type total struct {
	known bool
	v     int64
	at    int64 // Unix ms
}

// keyedTotal is the total of one of a device's counters: a gate may have one a
// direction and class.
type keyedTotal struct {
	key uint8
	total
}

// anyKey is of a total that was stored before a device could have several: it
// is of the counter that is heard next.
const anyKey = 255

// total returns the total of a counter, to be changed.
func (m *memory) total(key uint8) *total {
	for i := range m.totals {
		if k := &m.totals[i]; k.key == key || k.key == anyKey {
			k.key = key
			return &k.total
		}
	}
	m.totals = append(m.totals, keyedTotal{key: key})
	return &m.totals[len(m.totals)-1].total
}

// grown is what a running total grew by since the one before.
type grown struct {
	known bool // false: nothing was before it, or it came late and was counted by a later one
	n     int64
	since int64 // ms
	reset bool
}

// wrapWithin is by how much a counter that began at 0 again at its end may have
// grown; by more, it began anew for another reason.
const wrapWithin = 1 << 12

// What may pass at most, so that a board that was swapped, or that answered 0
// while it started, does not become vehicles. At a gate cars are seconds apart:
// one a second leaves room for a counter of several lanes. On a road motorcycles
// pass beside each other. The slack is for counters that tell their vehicles
// late, in lumps.
const (
	mostAtGate = 1 // a second
	mostOnLane = 2
	lump       = 100
)

// counter is a running total as a reading has it.
type counter struct {
	key  uint8 // which of its device's
	v    int64
	end  int64 // where it begins at 0 again; 0: it does not, or that is not known
	most int64 // vehicles a second that may pass
}

// take notes a total and tells what it grew by. A counter that began anew has
// counted all that it says. What cannot have passed since the total before is
// not known, and the counter began anew there. What is noted is the total alone,
// so that a replay, which knows no end, notes the same.
func (t *total) take(c *counter, at int64) grown {
	before := *t
	if before.known && at < before.at {
		return grown{}
	}
	*t = total{known: true, v: c.v, at: at}
	g := grown{known: before.known, n: c.v - before.v, since: at - before.at}
	if !g.known {
		return g
	}
	possible := lump + c.most*(g.since/1000)
	if g.n < 0 {
		if g.n += c.end; before.v >= c.end || g.n >= wrapWithin || g.n > possible {
			g.n, g.reset = c.v, true
		}
	}
	if g.n > possible {
		return grown{reset: true}
	}
	return g
}

// totalOf returns the running total of a reading that has one.
func totalOf(r *city.Reading) (c counter, ok bool) {
	if r.Gate != nil && r.Gate.Total.OK {
		key := uint8(r.Gate.Class) << 1
		if r.Gate.Out {
			key |= 1
		}
		return counter{key, r.Gate.Total.V, r.Gate.End, mostAtGate}, true
	}
	if r.Traffic != nil {
		for i := range r.Traffic.Lanes {
			if l := &r.Traffic.Lanes[i]; l.Total.OK {
				return counter{anyKey - 1, l.Total.V, l.End, mostOnLane * int64(len(r.Traffic.Lanes))}, true
			}
		}
	}
	return counter{}, false
}

// asSent is a reading without what we found out about it: the same message is
// the same content, whatever came before it.
func asSent(r *city.Reading) city.Reading {
	sent := *r
	if _, ok := totalOf(r); !ok {
		return sent
	}
	if r.Gate != nil {
		gate := *r.Gate
		gate.Count = 0
		sent.Gate = &gate
		return sent
	}
	traffic := city.Traffic{Lanes: append([]city.Lane(nil), r.Traffic.Lanes...)} // its period is ours too
	for i := range traffic.Lanes {
		if l := &traffic.Lanes[i]; l.Total.OK {
			l.HasCounts, l.Unknown = false, 0
		}
	}
	sent.Traffic = &traffic
	return sent
}

// fill puts what a total grew by into its reading. What cannot be told stays
// unknown: a gate then only says that it lives, and a lane has no counts.
func (g *grown) fill(r *city.Reading) {
	if _, ok := totalOf(r); !ok {
		return
	}
	possible := g.known && g.n <= wire.MaxVehicles
	if r.Gate != nil {
		r.Gate.Count, r.Gate.End = 0, 0
		if possible {
			r.Gate.Count = uint32(g.n)
		}
		return
	}
	seconds := (g.since + 500) / 1000
	possible = possible && seconds >= 1 && seconds <= wire.MaxPeriodS
	if possible {
		r.Traffic.PeriodS = uint32(seconds)
	}
	for i := range r.Traffic.Lanes {
		l := &r.Traffic.Lanes[i]
		l.HasCounts, l.End = possible, 0
		if l.Total.OK && possible {
			l.Unknown = uint32(g.n)
		}
	}
}
