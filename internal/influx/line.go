package influx

import (
	"strconv"

	"github.com/simpang-id/simpang/internal/city"
)

// appendTag appends ",key=value" of line protocol, nothing where value is "".
// Tag values know no control characters and no backslash: those become "_".
func appendTag(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, ','), key...), '=')
	for i := range len(value) {
		switch c := value[i]; {
		case c < ' ' || c == '\\' || c == 0x7f:
			dst = append(dst, '_')
		case c == ',' || c == '=' || c == ' ':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// fields writes the fields of a point, a comma before each but the first.
type fields struct {
	b    []byte
	some bool
}

func (f *fields) key(key string) {
	if f.some {
		f.b = append(f.b, ',')
	}
	f.some = true
	f.b = append(append(f.b, key...), '=')
}

func (f *fields) int(key string, v int64) {
	f.key(key)
	f.b = append(strconv.AppendInt(f.b, v, 10), 'i')
}

func (f *fields) bool(key string, v bool) {
	n := int64(0)
	if v {
		n = 1
	}
	f.int(key, n)
}

func (f *fields) maybe(key string, v city.Int) {
	if v.OK {
		f.int(key, v.V)
	}
}

// milli writes a number in its unit, as a float that is exact to the
// thousandth.
func (f *fields) milli(key string, v city.Milli) {
	if v.OK {
		f.key(key)
		f.b = strconv.AppendFloat(f.b, float64(v.V)/1000, 'f', -1, 64)
	}
}

// text writes a string; line protocol escapes quotes and backslashes in it.
func (f *fields) text(key, v string) {
	if v == "" {
		return
	}
	f.key(key)
	f.b = append(f.b, '"')
	for i := range len(v) {
		switch c := v[i]; c {
		case '"', '\\':
			f.b = append(f.b, '\\', c)
		case 0, '\r', '\n': // not every server takes a line break in a string
			f.b = append(f.b, ' ')
		default:
			f.b = append(f.b, c)
		}
	}
	f.b = append(f.b, '"')
}

// end writes the time and ends the line. Times beyond what nanoseconds can say
// are held at the bounds; the server refuses them, and the point is set aside.
func (f *fields) end(ns int64) []byte {
	return append(strconv.AppendInt(append(f.b, ' '), ns, 10), '\n')
}

const (
	nsPerMs = 1_000_000
	mostMs  = 1<<63/nsPerMs - 1
)

// nanos is a time in ms with a tie-break below it, ns.
func nanos(ms int64, tie uint64) int64 {
	return min(max(ms, -mostMs), mostMs)*nsPerMs + int64(tie%nsPerMs)
}

// tieOf tells readings of one device and millisecond apart. It is made of their
// identity alone: a reading that got another position of the journal by a
// restore is still the same point.
func tieOf(boot, seq uint64) uint64 {
	const spread = 611_953 // prime: few boots do not meet few sequence numbers
	return (seq%nsPerMs + boot%nsPerMs*spread) % nsPerMs
}
