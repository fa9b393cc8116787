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

const (
	totalWraps = 1 << 16 // most counters that we know count in 16 bits
	wideWraps  = 1 << 32 // those that have said more count in 32
	wrapWithin = 1 << 12 // a total that falls has wrapped where it grew by less; else the counter began anew
)

// take notes a total and tells what it grew by. A counter that began anew has
// counted all that it says.
func (t *total) take(v, at int64) grown {
	before := *t
	if before.known && at < before.at {
		return grown{}
	}
	*t = total{known: true, v: v, at: at}
	g := grown{known: before.known, n: v - before.v, since: at - before.at}
	if g.known && g.n < 0 {
		end := int64(totalWraps)
		if before.v >= end {
			end = wideWraps
		}
		if g.n += end; g.n >= wrapWithin || g.n < 0 {
			g.n, g.reset = v, true
		}
	}
	return g
}

// totalOf returns the running total of a reading that has one, and which of its
// device's counters it is of.
func totalOf(r *city.Reading) (key uint8, v int64, ok bool) {
	if r.Gate != nil && r.Gate.Total.OK {
		key = uint8(r.Gate.Class) << 1
		if r.Gate.Out {
			key |= 1
		}
		return key, r.Gate.Total.V, true
	}
	if r.Traffic != nil {
		for i := range r.Traffic.Lanes {
			if l := &r.Traffic.Lanes[i]; l.Total.OK {
				return anyKey - 1, l.Total.V, true
			}
		}
	}
	return 0, 0, false
}

// asSent is a reading without what we found out about it: the same message is
// the same content, whatever came before it.
func asSent(r *city.Reading) city.Reading {
	sent := *r
	if _, _, ok := totalOf(r); !ok {
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
	if _, _, ok := totalOf(r); !ok {
		return
	}
	possible := g.known && g.n <= wire.MaxVehicles
	if r.Gate != nil {
		r.Gate.Count = 0
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
		l.HasCounts = possible
		if l.Total.OK && possible {
			l.Unknown = uint32(g.n)
		}
	}
}
