package native

import (
	"math"
	"math/bits"

	"github.com/simpang-id/simpang/internal/city"
)

// fault is why an object is refused; the zero fault is none.
type fault struct {
	reason city.Reason
	detail string
}

func (f fault) rank() int {
	for i, reason := range city.Reasons {
		if reason == f.reason {
			return i
		}
	}
	return len(city.Reasons)
}

// object is one scanned object: where its known members lie, and the worst
// fault found so far in reading them.
type object struct {
	b       []byte
	at      [numMembers]span
	has     set // present and not null
	seen    set // present
	twice   set // present more than once
	unknown int // members that the contract does not name
	fault   fault
}

// scan notes the members of the object whose brace is at i, and returns the
// index behind it.
func (o *object) scan(b []byte, i, depth int) (int, error) {
	o.b, o.has, o.seen, o.twice, o.unknown = b, 0, 0, 0, 0
	return members(b, i, depth, func(name, value span) {
		text := b[name.from+1 : name.to-1]
		m := lookup(text)
		if m == mUnknown {
			if m = lookup(unquote(b[name.from:name.to])); m == mUnknown {
				o.unknown++
				return
			}
		}
		if o.seen.has(m) {
			o.twice |= 1 << m
		}
		o.seen |= 1 << m
		if b[value.from] != 'n' {
			o.has |= 1 << m
			o.at[m] = value
		}
	})
}

// ignored counts the members that are none of these.
func (o *object) ignored(allowed set) int {
	return o.unknown + bits.OnesCount32(uint32(o.seen&^allowed))
}

// refuse notes a fault; of several the one that the checks meet first counts.
func (o *object) refuse(reason city.Reason, detail string) {
	f := fault{reason, detail}
	if o.fault.reason == "" || f.rank() < o.fault.rank() {
		o.fault = f
	}
}

func (o *object) wrongType(m member, want string) {
	o.refuse(city.ReasonWrongType, m.String()+" must be "+want)
}

func (o *object) impossible(m member, want string) {
	o.refuse(city.ReasonImpossible, m.String()+" must be "+want)
}

// check tells what is missing or there twice of a shape.
func (o *object) check(s shape) {
	if missing := s.required &^ o.has; missing != 0 {
		o.refuse(city.ReasonMissingMember, member(bits.TrailingZeros32(uint32(missing))).String()+" is missing")
	}
	if twice := o.twice & s.allowed; twice != 0 {
		o.refuse(city.ReasonWrongType, member(bits.TrailingZeros32(uint32(twice))).String()+" is there twice")
	}
}

func (o *object) raw(m member) []byte { return o.b[o.at[m].from:o.at[m].to] }

// boolean returns a member's value, false where it is absent.
func (o *object) boolean(m member) bool {
	if !o.has.has(m) {
		return false
	}
	switch raw := o.raw(m); raw[0] {
	case 't':
		return true
	case 'f':
		return false
	default:
		o.wrongType(m, "true or false")
		return false
	}
}

// text returns the content of a string member, nil where it is absent or
// none. It refers to the payload where nothing is escaped.
func (o *object) text(m member) []byte {
	if !o.has.has(m) {
		return nil
	}
	raw := o.raw(m)
	if raw[0] != '"' {
		o.wrongType(m, "a string")
		return nil
	}
	return unquote(raw)
}

// word returns a string member of 1 to most bytes.
func (o *object) word(m member, most int) string {
	text := o.text(m)
	if o.has.has(m) && (len(text) == 0 || len(text) > most) {
		o.impossible(m, "neither empty nor that long")
		return ""
	}
	return string(text)
}

func number(raw []byte) bool { return raw[0] == '-' || raw[0]-'0' <= 9 }

// unsigned returns a whole number of 0..most, 0 where the member is absent.
func (o *object) unsigned(m member, most uint64) uint64 {
	if !o.has.has(m) {
		return 0
	}
	raw := o.raw(m)
	if !number(raw) {
		o.wrongType(m, "a whole number")
		return 0
	}
	negative, v, exact, ok := scaled(raw, 0)
	switch {
	case ok && !exact:
		o.wrongType(m, "a whole number")
	case !ok || (negative && v > 0) || v > most:
		o.impossible(m, "0 or more, and not that large")
	default:
		return v
	}
	return 0
}

// whole returns an optional whole number of 0..most.
func (o *object) whole(m member, most int64) city.Int {
	if !o.has.has(m) {
		return city.Int{}
	}
	return city.SomeInt(int64(o.unsigned(m, uint64(most))))
}

// seconds returns an optional number of seconds of 0..most, rounded.
func (o *object) seconds(m member, most int64) city.Int {
	ms := o.measured(m, 0, most*1000)
	if !ms.OK {
		return city.Int{}
	}
	return city.SomeInt((ms.V + 500) / 1000)
}

// measured returns an optional number in thousandths of its unit.
func (o *object) measured(m member, least, most int64) city.Milli {
	if !o.has.has(m) {
		return city.Milli{}
	}
	raw := o.raw(m)
	if !number(raw) {
		o.wrongType(m, "a number")
		return city.Milli{}
	}
	negative, magnitude, _, ok := scaled(raw, 3)
	v := int64(min(magnitude, math.MaxInt64))
	if negative {
		v = -v
	}
	if !ok || v < least || v > most {
		o.impossible(m, "a value that can be measured")
		return city.Milli{}
	}
	return city.SomeMilli(v)
}

// instant returns a time, Unix ms.
func (o *object) instant(m member) int64 {
	if !o.has.has(m) {
		return 0
	}
	raw := o.raw(m)
	if raw[0] != '"' {
		o.wrongType(m, "a string, RFC 3339 with zone")
		return 0
	}
	ms, shaped, real := instant(unquote(raw))
	switch {
	case !shaped:
		o.wrongType(m, "RFC 3339 with zone, such as 2026-03-02T08:15:00+07:00")
	case !real:
		o.impossible(m, "a time that exists")
	default:
		return ms
	}
	return 0
}

// identity returns a part of a refused reading's identity where it can still
// be read.
func (o *object) identity(m member) city.Int {
	if !o.has.has(m) || !number(o.raw(m)) {
		return city.Int{}
	}
	negative, v, exact, ok := scaled(o.raw(m), 0)
	if !ok || !exact || v > math.MaxInt64 || (negative && v > 0) {
		return city.Int{}
	}
	return city.SomeInt(int64(v))
}
