package occupancy

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

// obs is one observation of a series in event time. What v says depends on the
// space's detection:
//
//	spots: 0 free, 1 occupied; from bit 2 on dwell_s + 1 where it was sent
//	count: from bit 2 on the vehicles counted
//	gates: bit 0 out, bits 1..3 the class, from bit 4 on the vehicles
//
// Of two observations at the same time the one inserted last holds, which is
// the later journal position, and the other is not kept; gate passages add up
// (see addUp).
type obs struct {
	at int64 // Unix ms
	v  uint64
}

const (
	vFree     = 0
	vOccupied = 1
	vEnded    = 2 // spots and count: the device left the site

	gateHeard = 0      // a gate spoke, and no vehicle passed
	gateEnded = 7 << 1 // the site has no gate any more

	// With a number of vehicles class 7 is those that came and left in the same
	// moment.
	gateThrough = 7
)

func spotObs(at int64, s *city.Spot) obs {
	o := obs{at: at, v: vFree}
	if s.Occupied {
		o.v = vOccupied
	}
	if s.DwellS.OK && s.DwellS.V >= 0 && s.DwellS.V <= math.MaxInt32 {
		o.v |= uint64(s.DwellS.V+1) << 2
	}
	return o
}

func countObs(at int64, occupied uint32) obs { return obs{at: at, v: uint64(occupied) << 2} }

func gateObs(at int64, class city.Class, g *city.Gate) obs {
	o := obs{at: at, v: uint64(g.Count)<<4 | uint64(class)<<1}
	if g.Out {
		o.v |= 1
	}
	return o
}

// state returns vFree, vOccupied or vEnded of a spot or count observation.
func (o obs) state() uint64 { return o.v & 3 }

// dwell returns how long the state before lasted, ms.
func (o obs) dwell() (ms int64, ok bool) {
	if o.v>>2 == 0 {
		return 0, false
	}
	return int64(o.v>>2-1) * 1000, true
}

func (o obs) counted() int64 { return int64(o.v >> 2) }

// passed returns what passed a gate; n is negative for vehicles that left, and
// both ways for class gateThrough.
func (o obs) passed() (class city.Class, n int64) {
	n = int64(o.v >> 4)
	if o.v&1 == 1 {
		n = -n
	}
	return city.Class(o.v >> 1 & 7), n
}

// passages are the passages of one class at one time: out vehicles left, then
// in came.
type passages struct{ out, in uint64 }

// addUp adds a gate's observation to those of the same time, of which there
// are two a class and one at most, however many came. What they come to is the same,
// whatever was there before: the levels, the arrivals and the departures. (But
// for levels past what could be true, see levels.pass.)
func addUp(list []obs, o obs) []obs {
	if o.v == gateEnded {
		if list[len(list)-1].v == gateEnded {
			return list
		}
		return append(slices.Clone(list), o)
	}
	var sums [gateThrough]passages
	var through uint64
	for _, x := range append(slices.Clone(list), o) {
		class, n := x.v>>1&7, x.v>>4
		switch {
		case class == gateThrough:
			through += n // 0 of a gate that had ended, and is here again
		case x.v&1 == 0:
			sums[class].in += n
		default:
			p := &sums[class]
			back := min(p.in, n) // came in this moment, too
			p.in -= back
			p.out += n - back
			through += back
		}
	}
	kept := make([]obs, 0, 4)
	add := func(class int, n, out uint64) {
		if n > 0 {
			kept = append(kept, obs{at: o.at, v: n<<4 | uint64(class)<<1 | out})
		}
	}
	for class, p := range sums {
		add(class, p.out, 1)
		add(class, p.in, 0)
	}
	add(gateThrough, through, 0)
	if len(kept) == 0 {
		kept = append(kept, obs{at: o.at, v: gateHeard})
	}
	return kept
}

const chunkVersion = 1

var errChunk = errors.New("a chunk of observations is damaged: delete occupancy.db, it is rebuilt from the journal")

// encodeObs appends the canonical bytes of observations in order of time.
func encodeObs(dst []byte, list []obs) []byte {
	dst = append(dst, chunkVersion)
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	var before int64
	for _, o := range list {
		dst = binary.AppendUvarint(dst, uint64(o.at-before))
		dst = binary.AppendUvarint(dst, o.v)
		before = o.at
	}
	return dst
}

// decodeObs is encodeObs's reverse. It takes nothing that encodeObs does not
// write but varints that are longer than they need be.
func decodeObs(data []byte) ([]obs, error) {
	if len(data) == 0 || data[0] != chunkVersion {
		return nil, errChunk
	}
	r := varints{data: data[1:]}
	n := r.next()
	if n > uint64(len(data)) {
		return nil, errChunk
	}
	list := make([]obs, 0, n)
	var at int64
	for range n {
		delta := r.next()
		if delta > uint64(maxAt-at) {
			return nil, errChunk
		}
		at += int64(delta)
		list = append(list, obs{at: at, v: r.next()})
	}
	if r.bad || len(r.data) != 0 {
		return nil, errChunk
	}
	return list, nil
}

// varints reads one number after the other; bad is set once one is missing.
type varints struct {
	data []byte
	bad  bool
}

func (r *varints) next() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.bad = true
		r.data = nil
		return 0
	}
	r.data = r.data[n:]
	return v
}
