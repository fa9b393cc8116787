package watch

import (
	"encoding/binary"
	"math"
)

// stateSize is how many bytes append writes.
const stateSize = 142

// append appends the state as it is in the file: little endian, one field after
// the other. Fields are only ever added, at the end.
func (s *gadgetState) append(b []byte) []byte {
	b = appendInts(b, uint64(s.Heard), s.Boot, s.Seq)
	b = append(b, byteOf(s.Booted), byteOf(s.Seen))
	b = appendInts(b, uint64(s.Event))
	b = appendFloats(b, s.Expected, s.Events, s.Due)
	b = appendInts(b, s.Value)
	b = binary.LittleEndian.AppendUint16(b, s.Same)
	b = appendInts(b, uint64(s.Occupied))
	b = appendFloats(b, s.Flaps, s.Boots)
	b = appendInts(b, uint64(s.At))
	b = appendFloats(b, s.Got, s.Lost)
	b = appendInts(b, uint64(s.Holed), uint64(s.Lag))
	b = binary.LittleEndian.AppendUint16(b, s.LagN)
	b = appendInts(b, uint64(s.LagFrom), uint64(s.Skew))
	b = appendFloats(b, s.Battery)
	b = binary.LittleEndian.AppendUint32(b, s.Said)
	b = appendInts(b, uint64(s.LastAt))
	return appendFloats(b, s.Outs)
}

func appendInts(b []byte, values ...uint64) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func appendFloats(b []byte, values ...float32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func byteOf(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// read is append's reverse. What an older program did not write is zero, what a
// later one wrote behind it is left out.
func (s *gadgetState) read(data []byte) {
	var whole [stateSize]byte
	copy(whole[:], data)
	r := fields{whole[:]}
	s.Heard, s.Boot, s.Seq = int64(r.u64()), r.u64(), r.u64()
	s.Booted, s.Seen = r.u8() != 0, r.u8() != 0
	s.Event = int64(r.u64())
	s.Expected, s.Events, s.Due = r.f32(), r.f32(), r.f32()
	s.Value = r.u64()
	s.Same = r.u16()
	s.Occupied = int64(r.u64())
	s.Flaps, s.Boots = r.f32(), r.f32()
	s.At = int64(r.u64())
	s.Got, s.Lost = r.f32(), r.f32()
	s.Holed, s.Lag = int64(r.u64()), int64(r.u64())
	s.LagN = r.u16()
	s.LagFrom, s.Skew = int64(r.u64()), int64(r.u64())
	s.Battery = r.f32()
	s.Said = r.u32()
	s.LastAt = int64(r.u64())
	s.Outs = r.f32()
}

// fields takes one field after the other.
type fields struct{ b []byte }

func (r *fields) take(n int) []byte {
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *fields) u8() byte     { return r.take(1)[0] }
func (r *fields) u16() uint16  { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *fields) u32() uint32  { return binary.LittleEndian.Uint32(r.take(4)) }
func (r *fields) u64() uint64  { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *fields) f32() float32 { return math.Float32frombits(r.u32()) }
