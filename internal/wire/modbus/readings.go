package modbus

import (
	"cmp"
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

// State is what a unit's counters were at the last good poll. The zero State
// knows of none: the first poll then makes no reading of them.
type State struct {
	at     int64 // of the last good poll, Unix ms
	before map[slot]int64
	said   map[slot]told // of a gate
}

// told is what was said of a counter last.
type told struct{ value, at int64 }

// Change is what was noticed of counters.
type Change struct{ Wrapped, Reset int }

// maxPeriod is the longest period of a traffic reading, s; over it the poll
// before counts as none.
const maxPeriod = 3600

// Readings makes readings of the answers to a unit's questions, in their order,
// that came at a time, Unix ms. Boot and Seq are not set. Those of a gate carry
// the counter as it stands. Other counters become what was added since the last good poll: where one has fallen from near its end to
// near 0 it wrapped, else it was reset, and what it shows was counted since.
// What passed between the last poll and a reset is not known, and not guessed.
func (u *Unit) Readings(answers [][]byte, at int64, s *State) ([]city.Reading, Change) {
	values := make([]value, len(u.registers))
	for i := range u.registers {
		values[i] = u.registers[i].read(u, answers)
	}
	var change Change
	var out []city.Reading
	switch u.Kind {
	case city.KindSpot:
		if spot := u.spot(values); spot != nil {
			out = append(out, city.Reading{Spot: spot})
		}
	case city.KindCount:
		for i, r := range u.registers {
			if n, ok := values[i].count(r.scale); ok {
				out = append(out, city.Reading{Count: &city.Count{Class: r.class, Occupied: n}})
			}
		}
	case city.KindHealth:
		out = append(out, city.Reading{Health: u.health(values)})
	default:
		out = u.counted(values, at, s, &change)
	}
	for i := range out {
		out[i].Device, out[i].Kind, out[i].At = u.Device, u.Kind, at
	}
	return out, change
}

// count is a whole number of vehicles; one below zero or beyond 32 bits is the
// largest there is, which the decoder refuses by name.
func (v value) count(scale float64) (uint32, bool) {
	n := math.Round(v.real * scale)
	if n < 0 || n > math.MaxUint32 {
		return math.MaxUint32, v.ok
	}
	return uint32(n), v.ok
}

func (v value) milli(scale float64) city.Milli {
	f := v.real * scale * 1000
	if !v.ok {
		return city.Milli{}
	}
	return city.SomeMilli(int64(math.Round(max(min(f, 1e15), -1e15))))
}

// spot is nil where occupied is not known.
func (u *Unit) spot(values []value) *city.Spot {
	spot, known := &city.Spot{}, false
	for i, r := range u.registers {
		switch r.means {
		case "occupied":
			spot.Occupied, known = (values[i].whole != 0) == (r.scale > 0), values[i].ok
		case "battery_v":
			spot.Battery = values[i].milli(r.scale)
		case "temperature_c":
			spot.Temperature = values[i].milli(r.scale)
		}
	}
	if !known {
		return nil
	}
	return spot
}

func (u *Unit) health(values []value) *city.Health {
	h := &city.Health{}
	for i, r := range u.registers {
		switch r.means {
		case "battery_v":
			h.Battery = values[i].milli(r.scale)
		case "uptime_s":
			if n, ok := values[i].count(r.scale); ok {
				h.UptimeS = city.SomeInt(int64(n))
			}
		}
	}
	return h
}

// counted makes readings of a unit whose counters only grow.
func (u *Unit) counted(values []value, at int64, s *State, change *Change) []city.Reading {
	period := (at - s.at + 500) / 1000
	periodic := u.Kind == city.KindTraffic
	first := s.before == nil || periodic && (period > maxPeriod || at < s.at)
	if !first && periodic && period < 1 {
		return nil // too soon to be a period: the next poll tells
	}
	added := make([]int64, len(values))
	known := make([]bool, len(values))
	before := make(map[slot]int64, len(values))
	for i := range u.registers {
		r := &u.registers[i]
		if !r.counter || !values[i].ok {
			continue
		}
		before[r.slot] = values[i].whole
		if last, ok := s.before[r.slot]; ok && !first {
			added[i], known[i] = r.difference(last, values[i].whole, change), true
		}
	}
	s.at, s.before = at, before
	if u.Kind == city.KindGate {
		return u.gates(values, at, s)
	}
	if first {
		return nil
	}
	return []city.Reading{{Traffic: u.traffic(values, added, known, uint32(period))}}
}

// difference is what was added to a counter since it was last, times its scale.
func (r *register) difference(last, now int64, change *Change) int64 {
	n := now - last
	if n < 0 {
		n = now
		change.Reset++
		// Near its end and near 0 is within a sixteenth of the whole.
		if bits := r.bitsOf(); bits < 63 {
			end := int64(1) << bits
			if last >= end-end/16 && now < end/16 {
				n = now + end - last
				change.Reset--
				change.Wrapped++
			}
		}
	}
	if n > math.MaxUint32 || n < 0 {
		return math.MaxUint32
	}
	return n * int64(r.scale)
}

// end is where the counter begins at 0 again, times its scale; 0: where nothing
// ever counts to.
func (r *register) end() int64 {
	if bits := r.bitsOf(); bits <= 32 {
		return int64(1) << bits * int64(r.scale)
	}
	return 0
}

// heartbeat is how long a counter that stands still says nothing, ms.
const heartbeat = 60_000

// gates tells the counters as they stand, where they moved or said nothing for
// a while: what passed is the difference from what was committed last, which
// the gate of the journal takes, so that nothing is lost while we are off.
func (u *Unit) gates(values []value, at int64, s *State) []city.Reading {
	var out []city.Reading
	for i := range u.registers {
		r := &u.registers[i]
		if !r.counter || !values[i].ok {
			continue
		}
		said, again := s.said[r.slot]
		if again && said.value == values[i].whole && at-said.at < heartbeat && at >= said.at {
			continue
		}
		if s.said == nil {
			s.said = map[slot]told{}
		}
		s.said[r.slot] = told{values[i].whole, at}
		out = append(out, city.Reading{Gate: &city.Gate{Out: r.means == "out", Class: r.class, Total: city.SomeInt(values[i].whole * int64(r.scale)), End: r.end()}})
	}
	return out
}

func vehicles(n int64) uint32 { return uint32(min(n, math.MaxUint32)) }

func (u *Unit) traffic(values []value, added []int64, known []bool, period uint32) *city.Traffic {
	type key struct {
		lane     int
		backward bool
	}
	lanes, part := map[key]*city.Lane{}, map[key]bool{}
	for i, r := range u.registers {
		k := key{r.lane, r.backward}
		l := lanes[k]
		if l == nil {
			l = &city.Lane{Lane: uint16(r.lane), Backward: r.backward}
			lanes[k] = l
		}
		into := map[string]*uint32{"SM": &l.SM, "KR": &l.KR, "KB": &l.KB, "KTB": &l.KTB, "unknown": &l.Unknown}[r.means]
		switch {
		case into != nil && known[i]:
			*into, l.HasCounts = vehicles(added[i]), true
		case into != nil:
			part[k] = true
		case r.means == "speed_kmh":
			l.Speed = values[i].milli(r.scale)
		case r.means == "occupancy_pct":
			l.Occupancy = values[i].milli(r.scale)
		}
	}
	t := &city.Traffic{PeriodS: period}
	for k, l := range lanes {
		if part[k] { // a counter that is not known is no 0: the lane has no counts
			l.HasCounts, l.SM, l.KR, l.KB, l.KTB, l.Unknown = false, 0, 0, 0, 0, 0
		}
		t.Lanes = append(t.Lanes, *l)
	}
	slices.SortFunc(t.Lanes, func(a, b city.Lane) int {
		if n := cmp.Compare(a.Lane, b.Lane); n != 0 {
			return n
		}
		return cmp.Compare(lastIf(a.Backward), lastIf(b.Backward))
	})
	return t
}

func lastIf(v bool) int {
	if v {
		return 1
	}
	return 0
}
