package frames

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// ErrCannotSay is the error of Encode for a reading that no sentence can say:
// health, several lanes, several vehicles, counts of the class unknown, text
// with a comma, an asterisk, a $ or a control character, over 255 bytes.
var ErrCannotSay = errors.New("no sentence can say this")

// Encode returns a reading as one sentence with CR LF. What the sentence has
// no field for is left out.
func Encode(r *city.Reading) ([]byte, error) {
	w := writer{}
	switch {
	case r.Spot != nil:
		w.head("PSGSP", r)
		w.either(r.Spot.Occupied, "1", "0")
	case r.Gate != nil && r.Gate.Count != 1:
		return nil, fmt.Errorf("%d vehicles at once: %w", r.Gate.Count, ErrCannotSay)
	case r.Gate != nil:
		w.head("PSGGT", r)
		w.either(r.Gate.Out, "out", "in")
		w.text(r.Gate.Class.String())
	case r.Count != nil:
		w.head("PSGCT", r)
		w.text(r.Count.Class.String())
		w.whole(city.SomeInt(int64(r.Count.Occupied)))
	case r.Traffic != nil && (len(r.Traffic.Lanes) != 1 || r.Traffic.Lanes[0].Unknown > 0):
		return nil, fmt.Errorf("%d lanes, or vehicles of no class: %w", len(r.Traffic.Lanes), ErrCannotSay)
	case r.Traffic != nil:
		w.head("PSGTC", r)
		w.traffic(r.Traffic)
	case r.Receipt != nil:
		w.head("PSGTM", r)
		w.receipt(r.Receipt)
	default:
		return nil, fmt.Errorf("kind %s: %w", r.Kind, ErrCannotSay)
	}
	if w.err != nil {
		return nil, w.err
	}
	line := seal(w.b)
	if len(line) > MaxLine {
		return nil, fmt.Errorf("%d bytes: %w", len(line), ErrCannotSay)
	}
	return line, nil
}

type writer struct {
	b   []byte
	err error
}

func (w *writer) head(name string, r *city.Reading) {
	w.b = append(make([]byte, 0, 96), '$')
	w.b = append(w.b, name...)
	w.text(r.Device)
	w.b = append(w.b, ',')
	if r.HasBoot {
		w.b = strconv.AppendUint(w.b, r.Boot, 10)
	}
	w.b = append(w.b, ',')
	w.b = strconv.AppendUint(w.b, r.Seq, 10)
	w.whole(city.SomeInt(r.At))
}

func (w *writer) traffic(t *city.Traffic) {
	l := t.Lanes[0]
	w.whole(city.SomeInt(int64(t.PeriodS)))
	w.whole(city.SomeInt(int64(l.Lane)))
	w.either(l.Backward, "backward", "forward")
	for _, n := range [...]uint32{l.SM, l.KR, l.KB, l.KTB} {
		w.whole(city.Int{V: int64(n), OK: l.HasCounts})
	}
	w.measured(l.Speed)
	w.measured(l.Occupancy)
}

func (w *writer) receipt(r *city.Receipt) {
	w.text(r.Number)
	w.text(r.Class.String())
	w.whole(city.SomeInt(int64(r.Amount)))
	w.text(r.Method.String())
	w.either(r.Void, "1", "0")
	w.whole(r.TotalCount)
	w.whole(r.TotalAmount)
}

func (w *writer) text(s string) {
	if err := sayable(s); err != nil {
		w.err = err
	}
	w.b = append(append(w.b, ','), s...)
}

func sayable(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f || r == ',' || r == '*' || r == '$' }) {
		return fmt.Errorf("a comma, an asterisk, a $, a control character or no UTF-8 in a field: %w", ErrCannotSay)
	}
	return nil
}

func (w *writer) either(v bool, yes, no string) {
	if !v {
		yes = no
	}
	w.text(yes)
}

func (w *writer) whole(v city.Int) {
	w.b = append(w.b, ',')
	if v.OK {
		w.b = strconv.AppendInt(w.b, v.V, 10)
	}
}

func (w *writer) measured(v city.Milli) {
	w.b = append(w.b, ',')
	if v.OK {
		w.b = wire.AppendMilli(w.b, v.V)
	}
}
