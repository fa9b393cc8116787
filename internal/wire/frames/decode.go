package frames

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// sentence is one kind of sentence: how many fields it has behind its name,
// and how the body of a reading is made of those from the fifth on.
type sentence struct {
	kind   city.Kind
	fields int
	fill   func(*fields, *city.Reading)
}

// The first four fields of every sentence.
const (
	fieldDevice = iota
	fieldBoot
	fieldSeq
	fieldAt
	fieldBody
)

var sentences = map[string]sentence{
	"PSGSP": {city.KindSpot, 5, func(f *fields, r *city.Reading) {
		r.Spot = &city.Spot{Occupied: f.either(fieldBody, "occupied", "1", "0", false)}
	}},
	"PSGGT": {city.KindGate, 6, func(f *fields, r *city.Reading) {
		r.Gate = &city.Gate{Out: f.either(fieldBody, "direction", "out", "in", false), Class: f.class(fieldBody+1, false), Count: 1}
	}},
	"PSGCT": {city.KindCount, 6, func(f *fields, r *city.Reading) {
		r.Count = &city.Count{Class: f.class(fieldBody, false), Occupied: uint32(f.whole(fieldBody+1, "occupied", 0, wire.MaxVehicles))}
	}},
	"PSGTC": {city.KindTraffic, 13, traffic},
	"PSGTM": {city.KindReceipt, 11, receipt},
}

// Decode makes a reading of one line, with or without its line end, and tells
// the device that the sentence names, "" where that could not be read. It
// never fails: a line that is no reading is in Refused, by name; a device,
// boot and seq that could be read are told all the same, so that it can be
// answered. Raw is line; nothing else of the result refers to it.
func Decode(line []byte) (d wire.Decoded, device string) {
	text, f := body(line)
	if f.reason != "" {
		return wire.Decoded{Refused: []city.Refusal{{Reason: f.reason, Detail: f.detail, Raw: line}}}, ""
	}
	if !utf8.Valid(text) {
		return wire.Decoded{Refused: []city.Refusal{{Reason: city.ReasonNotFrame, Detail: "no UTF-8", Raw: line}}}, ""
	}
	parts := strings.Split(string(text), ",")
	s, known := sentences[parts[0]]
	switch {
	case known:
	case strings.HasPrefix(parts[0], "PSG"):
		f = fault{city.ReasonUnknownKind, "the sentence must be PSGSP, PSGGT, PSGCT, PSGTC or PSGTM"}
	default:
		refusal := city.Refusal{Reason: city.ReasonNotFrame, Detail: "a sentence of somebody else", Raw: line}
		return wire.Decoded{Refused: []city.Refusal{refusal}}, ""
	}
	all := &fields{text: parts[1:], fault: f}
	r := all.head()
	refusal := city.Refusal{Raw: line}
	if all.has(fieldSeq) {
		refusal.Seq = repeated(all.text[fieldSeq])
	}
	if r.HasBoot {
		refusal.Boot = repeated(all.text[fieldBoot])
	}
	if all.has(fieldAt) {
		refusal.At = identity(all.text[fieldAt])
	}
	if known {
		r.Kind = s.kind
		s.fill(all, &r)
	}
	if all.fault.reason != "" {
		refusal.Reason, refusal.Detail = all.fault.reason, all.fault.detail
		return wire.Decoded{Refused: []city.Refusal{refusal}}, r.Device
	}
	return wire.Decoded{Readings: []city.Reading{r}, Ignored: max(0, len(all.text)-s.fields)}, r.Device
}

// head reads what every sentence begins with.
func (f *fields) head() city.Reading {
	var r city.Reading
	r.Device, _ = f.need(fieldDevice, "device")
	if r.HasBoot = f.has(fieldBoot); r.HasBoot {
		r.Boot = f.unsigned(fieldBoot, "boot")
	}
	if _, ok := f.need(fieldSeq, "seq"); ok {
		r.Seq = f.unsigned(fieldSeq, "seq")
	}
	r.At = f.whole(fieldAt, "unix_ms", 0, maxAt)
	return r
}

// maxAt is the last millisecond of the year 9999.
const maxAt = 253_402_300_799_999

// identity returns a part of a refused sentence's identity where it could be
// read.
func identity(text string) city.Int {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 {
		return city.Int{}
	}
	return city.SomeInt(v)
}

// repeated returns a number that the answer repeats, the bits of a uint64: also
// one that is too large to be taken is not to come for ever.
func repeated(text string) city.Int {
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return city.Int{}
	}
	return city.SomeInt(int64(v))
}

func traffic(f *fields, r *city.Reading) {
	t := &city.Traffic{PeriodS: uint32(f.whole(fieldBody, "period_s", 1, wire.MaxPeriodS))}
	l := city.Lane{
		Lane:      uint16(f.whole(fieldBody+1, "lane", 1, wire.MaxLane)),
		Backward:  f.either(fieldBody+2, "direction", "backward", "forward", true),
		Speed:     f.measured(fieldBody+7, "speed_kmh", wire.MaxSpeed),
		Occupancy: f.measured(fieldBody+8, "occupancy_pct", wire.MaxOccupancy),
	}
	for i, into := range []*uint32{&l.SM, &l.KR, &l.KB, &l.KTB} {
		if n := f.some(fieldBody+3+i, "a count", wire.MaxVehicles); n.OK {
			*into, l.HasCounts = uint32(n.V), true
		}
	}
	t.Lanes = []city.Lane{l}
	r.Traffic = t
}

func receipt(f *fields, r *city.Reading) {
	t := &city.Receipt{
		Class:       f.class(fieldBody+1, true),
		Amount:      city.Rupiah(f.whole(fieldBody+2, "amount", 0, wire.MaxAmount)),
		Void:        f.either(fieldBody+4, "void", "1", "0", true),
		TotalCount:  f.some(fieldBody+5, "total_count", wire.MaxTotalCount),
		TotalAmount: f.some(fieldBody+6, "total_amount", wire.MaxTotalAmount),
	}
	var ok bool
	if t.Number, ok = f.need(fieldBody, "receipt"); ok && len(t.Number) > wire.MaxReceiptBytes {
		f.refuse(city.ReasonImpossible, "receipt is too long")
	}
	if method, ok := f.need(fieldBody+3, "method"); ok {
		if t.Method, ok = city.ParseMethod(method); !ok {
			f.refuse(city.ReasonImpossible, "method must be cash, qris, emoney, card, subscription or free")
		}
	}
	r.Receipt = t
}
