package modbus

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// Map is what is read from a line, compiled. It is never changed.
type Map struct {
	Timeout time.Duration // of one answer
	Retries int
	Units   []Unit
}

// Unit is one unit on the line.
type Unit struct {
	Number byte
	Device string
	Kind   city.Kind
	Every  time.Duration // between two polls

	registers []register
	spans     []Span
}

// Spans are the questions of one poll. The registers of one value are in one
// question, so that no value is half old.
func (u *Unit) Spans() []Span { return u.spans }

// Span is one question: Count bits or registers from Start on.
type Span struct {
	Function     byte
	Start, Count uint16
}

// slot is what a register says, which one register of a unit may.
type slot struct {
	means    string
	class    city.Class
	lane     int
	backward bool
}

type register struct {
	slot
	function byte
	start    uint16
	size     int // registers, or 1 bit
	kind     string
	hasBit   bool
	bit      int
	low      bool // the low word comes first
	scale    float64
	unknown  []int64
	counter  bool
	span     int // which of the questions
}

// spansOf puts neighbours into one question, and notes in each register which.
func spansOf(registers []register) []Span {
	order := make([]int, len(registers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &registers[a], &registers[b]
		if x.function != y.function {
			return int(x.function) - int(y.function)
		}
		return int(x.start) - int(y.start)
	})
	var spans []Span
	for _, i := range order {
		r := &registers[i]
		end := int(r.start) + r.size
		if n := len(spans); n > 0 {
			s := &spans[n-1]
			most := maxWords
			if s.Function == Coils || s.Function == Discretes {
				most = maxBits
			}
			last := int(s.Start) + int(s.Count)
			if s.Function == r.function && int(r.start) <= last && max(end, last)-int(s.Start) <= most {
				s.Count = uint16(max(end, last) - int(s.Start))
				r.span = n - 1
				continue
			}
		}
		spans = append(spans, Span{Function: r.function, Start: r.start, Count: uint16(r.size)})
		r.span = len(spans) - 1
	}
	return spans
}

// value is what a register held: whole for integers and bools, real for all.
type value struct {
	whole int64
	real  float64
	ok    bool // false: it stands for no measurement
}

// read returns the value of a register out of the answers to a unit's
// questions.
func (r *register) read(u *Unit, answers [][]byte) value {
	s, data := u.spans[r.span], answers[r.span]
	at := int(r.start - s.Start)
	if s.Function == Coils || s.Function == Discretes {
		bit := int64(data[at/8] >> (at % 8) & 1)
		return value{bit, float64(bit), true}
	}
	raw := make([]uint16, r.size)
	for i := range raw {
		raw[i] = binary.BigEndian.Uint16(data[2*(at+i):])
	}
	if r.low {
		slices.Reverse(raw)
	}
	var bits uint64
	for _, w := range raw {
		bits = bits<<16 | uint64(w)
	}
	v := value{whole: int64(bits), ok: true}
	switch r.kind {
	case "bool":
		if r.hasBit {
			v.whole = v.whole >> r.bit & 1
		}
	case "int16":
		v.whole = int64(int16(bits))
	case "int32":
		v.whole = int64(int32(bits))
	case "float32":
		f := float64(math.Float32frombits(uint32(bits)))
		return value{real: f, ok: !math.IsNaN(f) && !math.IsInf(f, 0) && !slices.Contains(r.unknown, int64(bits))}
	}
	v.real = float64(v.whole)
	v.ok = !slices.Contains(r.unknown, v.whole)
	return v
}

// bitsOf is the width of a counter.
func (r *register) bitsOf() int {
	if r.kind == "int16" || r.kind == "int32" {
		return 16*r.size - 1
	}
	return 16 * r.size
}
