// Package skew estimates on line how far a device's clock is off ours, out of
// how long after its time each reading came. It imports nothing of the city.
package skew

import (
	"encoding/binary"
	"errors"
	"math"
)

// A block of readings has so many at least, over so long, or fewer over a day.
// What waits for a link comes late, never early: the least lags of a block are
// the clock's error and the shortest way, whatever a backlog adds. The third of
// them counts (the second of a few): two with a senseless time move nothing.
const (
	blockReadings = 10
	blockS        = 30 * 60
	slowReadings  = 3
	slowS         = 24 * 60 * 60
)

// kept is of how many blocks the middle one counts.
const kept = 3

// Estimate is what is known of one device: 40 bytes. The zero value knows
// nothing.
type Estimate struct {
	least [kept]int32 // ms: of the last whole blocks, in a ring
	n     uint8       // of them there are
	next  uint8       // the oldest of them, once all are there
	anew  bool        // the clock may have been set: the next whole block stands alone
	count uint8       // of readings in the block that is being filled, at most 255
	lags  [3]int32    // ms: its least, in order
	from  uint32      // Unix s: its first
}

// Take takes a reading that was received at recv (Unix ms), lag ms after its
// own time.
func (e *Estimate) Take(lag, recv int64) {
	ms := int32(min(max(lag, math.MinInt32), math.MaxInt32))
	at := uint32(max(recv/1000, 0))
	if e.count == 0 {
		e.lags = [3]int32{math.MaxInt32, math.MaxInt32, math.MaxInt32}
		e.from = at
	}
	e.from = min(e.from, at) // what is taken up from quarantine came before
	for i, least := range e.lags {
		if ms < least {
			e.lags[i], ms = ms, least
		}
	}
	if e.count < math.MaxUint8 {
		e.count++
	}
	if long := at - e.from; e.count >= blockReadings && long >= blockS || e.count >= slowReadings && long >= slowS {
		e.whole()
	}
}

// whole ends a block.
func (e *Estimate) whole() {
	if e.anew {
		e.n, e.next, e.anew = 0, 0, false
	}
	lag := e.lags[1]
	if e.count >= blockReadings {
		lag = e.lags[2]
	}
	if e.n < kept {
		e.least[e.n] = lag
		e.n++
	} else {
		e.least[e.next] = lag
		e.next = (e.next + 1) % kept
	}
	e.count = 0
}

// Rebooted begins a block anew: a boot may have lost the time, or found it. What
// was estimated holds until the block is whole.
func (e *Estimate) Rebooted() { e.count, e.anew = 0, e.n > 0 }

// Ms returns our clock less the device's, ms: below 0 its clock is ahead. ok is
// false before the first whole block.
func (e *Estimate) Ms() (ms int64, ok bool) {
	switch e.n {
	case 0:
		return 0, false
	case kept:
		a, b, c := e.least[0], e.least[1], e.least[2]
		return int64(max(min(a, b), min(max(a, b), c))), true
	case 2:
		return int64(min(e.least[0], e.least[1])), true // the shorter way
	default:
		return int64(e.least[0]), true
	}
}

// Append appends the estimate as Decode reads it.
func (e *Estimate) Append(dst []byte) []byte {
	anew := byte(0)
	if e.anew {
		anew = 1
	}
	dst = append(dst, e.n, e.next, anew, e.count)
	dst = binary.LittleEndian.AppendUint32(dst, e.from)
	for _, v := range e.lags {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	for _, v := range e.least[:min(e.n, kept)] {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return dst
}

var errBytes = errors.New("not an estimate of a clock's error")

// Decode reads an estimate and returns what follows it.
func Decode(b []byte) (e Estimate, rest []byte, err error) {
	const head = 20
	if len(b) < head {
		return e, nil, errBytes
	}
	e.n, e.next, e.count = b[0], b[1], b[3]
	e.anew = b[2] == 1
	if e.n > kept || e.next >= kept || e.next > 0 && e.n < kept || b[2] > 1 || e.anew && e.n == 0 || len(b) < head+4*int(e.n) {
		return Estimate{}, nil, errBytes
	}
	e.from = binary.LittleEndian.Uint32(b[4:])
	for i := range e.lags {
		e.lags[i] = int32(binary.LittleEndian.Uint32(b[8+4*i:]))
	}
	for i := range int(e.n) {
		e.least[i] = int32(binary.LittleEndian.Uint32(b[head+4*i:]))
	}
	return e, b[head+4*int(e.n):], nil
}
