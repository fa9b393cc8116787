package native

import (
	"errors"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// Decode makes readings of one payload from the topic of device. It never
// fails: what is no reading is in Refused, by name, and for a payload that is
// JSON Readings and Refused together are its elements. Raw is a slice of
// payload; nothing else of the result refers to it.
func Decode(device string, payload []byte) wire.Decoded {
	if len(payload) > wire.MaxPayload {
		return refused(payload, city.ReasonTooLarge, "over 64 KiB: send smaller arrays")
	}
	if !utf8.Valid(payload) {
		return refused(payload, city.ReasonNotJSON, "no UTF-8")
	}
	d := decoder{b: payload, device: device}
	end, err := d.payload()
	switch {
	case errors.Is(err, errDepth):
		return refused(payload, city.ReasonNotJSON, err.Error())
	case err != nil || space(payload, end) != len(payload):
		return refused(payload, city.ReasonNotJSON, "no JSON object or array, or cut off: send one whole")
	case len(d.out.Readings)+len(d.out.Refused)+len(d.out.Acks) == 0:
		return refused(payload, city.ReasonNotJSON, "an empty array: send at least one reading")
	}
	return d.out
}

func refused(payload []byte, reason city.Reason, detail string) wire.Decoded {
	return wire.Decoded{Refused: []city.Refusal{{Reason: reason, Detail: detail, Raw: payload}}}
}

// decoder is the state of one payload.
type decoder struct {
	b      []byte
	device string
	out    wire.Decoded
	index  int // of the element at hand
	acks   int // answers so far
	e      object
}

// payload decodes the object or array that begins the payload and returns the
// index behind it.
func (d *decoder) payload() (int, error) {
	i := space(d.b, 0)
	if i >= len(d.b) {
		return i, errSyntax
	}
	switch d.b[i] {
	case '{':
		return d.object(i, 0)
	case '[':
		return d.array(i)
	default:
		return i, errSyntax
	}
}

func (d *decoder) array(i int) (int, error) {
	i = space(d.b, i+1)
	if i < len(d.b) && d.b[i] == ']' {
		return i + 1, nil
	}
	for ; ; d.index++ {
		var end int
		var err error
		if i < len(d.b) && d.b[i] == '{' {
			end, err = d.object(i, 1)
		} else if end, err = skip(d.b, i, 1); err == nil {
			d.refuse(span{int32(i), int32(end)}, fault{city.ReasonWrongType, "the element is no object"})
		}
		if err != nil {
			return end, err
		}
		i = space(d.b, end)
		switch {
		case i < len(d.b) && d.b[i] == ',':
			i = space(d.b, i+1)
		case i < len(d.b) && d.b[i] == ']':
			return i + 1, nil
		default:
			return i, errSyntax
		}
	}
}

// object decodes the reading whose brace is at i.
func (d *decoder) object(i, depth int) (int, error) {
	end, err := d.e.scan(d.b, i, depth)
	if err != nil {
		return end, err
	}
	d.e.fault = fault{}
	if d.e.isAck() {
		d.ack(span{int32(i), int32(end)})
		return end, nil
	}
	r := city.Reading{Device: d.device}
	allowed := d.e.reading(&r)
	if d.e.fault.reason != "" {
		d.refuse(span{int32(i), int32(end)}, d.e.fault)
		return end, nil
	}
	d.out.Ignored += d.e.ignored(allowed)
	d.out.Readings = append(d.out.Readings, r)
	if depth > 0 {
		d.out.Elements = append(d.out.Elements, d.b[i:end])
	}
	return end, nil
}

func (d *decoder) refuse(raw span, f fault) {
	refusal := city.Refusal{Index: d.index, Reason: f.reason, Detail: f.detail, Raw: d.b[raw.from:raw.to]}
	if d.b[raw.from] == '{' {
		d.e.fault = fault{}
		refusal.Seq = d.e.identity(mSeq)
		refusal.Boot = d.e.identity(mBoot)
		if at := d.e.instant(mAt); d.e.has.has(mAt) && d.e.fault.reason == "" {
			refusal.At = city.SomeInt(at)
		}
	}
	d.out.Refused = append(d.out.Refused, refusal)
}
