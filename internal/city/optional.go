package city

import (
	"math"
	"strconv"
)

// Int is a whole number that a message may leave out. Unknown is not zero.
type Int struct {
	V  int64
	OK bool
}

// SomeInt returns a known Int.
func SomeInt(v int64) Int { return Int{V: v, OK: true} }

// Uint is an unsigned number that may be unknown: a boot or sequence number uses
// all 64 bits.
type Uint struct {
	V  uint64
	OK bool
}

// BitsOf returns the number whose bits i has.
func BitsOf(i Int) Uint { return Uint{V: uint64(i.V), OK: i.OK} }

// Milli is a measured number in thousandths of its unit (battery: millivolt;
// speed: thousandths of km/h) that a message may leave out. Fixed point keeps
// equal readings equal, and packs better than a float.
type Milli struct {
	V  int64
	OK bool
}

// SomeMilli returns a known Milli of v thousandths.
func SomeMilli(v int64) Milli { return Milli{V: v, OK: true} }

// MilliOf rounds f units to the nearest thousandth.
func MilliOf(f float64) Milli { return Milli{V: int64(math.Round(f * 1000)), OK: true} }

// Float returns the value in its unit; ok tells whether it is known.
func (m Milli) Float() (f float64, ok bool) { return float64(m.V) / 1000, m.OK }

// MarshalJSON writes the value in its unit, or null where it is unknown.
func (m Milli) MarshalJSON() ([]byte, error) {
	if !m.OK {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(m.V)/1000, 'f', -1, 64), nil
}

// MarshalJSON writes the number, or null where it is unknown.
func (i Int) MarshalJSON() ([]byte, error) {
	if !i.OK {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, i.V, 10), nil
}

// MarshalJSON writes the number, or null where it is unknown.
func (u Uint) MarshalJSON() ([]byte, error) {
	if !u.OK {
		return []byte("null"), nil
	}
	return strconv.AppendUint(nil, u.V, 10), nil
}
