package message

import (
	"bytes"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// Spoil is a way in which a payload is broken on its way.
type Spoil uint8

// The ways. Cut exists in the native format only: a sentence that is cut has a
// bad checksum, is never answered, and is therefore sent again.
const (
	Cut        Spoil = iota // the end is missing: not_json
	Word                    // the kind is no word of ours: unknown_kind
	Missing                 // the main member is missing: missing_member
	Type                    // the main member has another type: wrong_type
	Impossible              // the main member has a value that cannot be: impossible_value
)

var reasons = [...]city.Reason{
	city.ReasonNotJSON, city.ReasonUnknownKind, city.ReasonMissingMember, city.ReasonWrongType, city.ReasonImpossible,
}

// main is the member that is broken, an impossible value of it, and its place
// in a sentence; health has none, and a bool cannot be impossible.
var main = map[city.Kind]struct {
	member     string
	impossible string
	field      int
}{
	city.KindSpot:    {`"occupied":`, "", 5},
	city.KindGate:    {`"direction":`, "up", 5},
	city.KindCount:   {`"occupied":`, "-3", 6},
	city.KindTraffic: {`"period_s":`, "0", 5},
	city.KindReceipt: {`"amount":`, "-2000", 7},
}

// Spoils returns the ways in which a reading of the kind can be broken.
func Spoils(kind city.Kind, f Format) []Spoil {
	var all []Spoil
	if f == Native {
		all = append(all, Cut)
	}
	all = append(all, Word)
	part, ok := main[kind]
	if !ok {
		return all
	}
	all = append(all, Missing, Type)
	if part.impossible != "" {
		all = append(all, Impossible)
	}
	return all
}

// Broken returns the message with its payload broken in a way that Spoils
// names, and the refusal that is expected of it.
func (m Message) Broken(how Spoil, f Format) Message {
	m.Expect, m.Reason, m.Reading = Refused, reasons[how], nil
	if f == Frames {
		m.Payload = brokenFrame(m.Payload, m.Kind, how)
	} else {
		m.Payload = brokenNative(m.Payload, m.Kind, how)
	}
	return m
}

func brokenNative(payload []byte, kind city.Kind, how Spoil) []byte {
	switch how {
	case Cut:
		return bytes.Clone(payload[:len(payload)*2/3])
	case Word:
		return bytes.Replace(payload, []byte(`{"kind":"`), []byte(`{"kind":"x-`), 1)
	case Missing, Type, Impossible:
	}
	part := main[kind]
	from := bytes.Index(payload, []byte(part.member))
	value := from + len(part.member)
	to := value + bytes.IndexAny(payload[value:], ",}")
	text := ""
	switch how {
	case Type:
		text = part.member + "{}"
	case Impossible:
		text = part.member + part.impossible
		if kind == city.KindGate {
			text = part.member + `"` + part.impossible + `"`
		}
	case Cut, Word, Missing:
		from-- // the comma before it goes too
	}
	return bytes.Join([][]byte{payload[:from], []byte(text), payload[to:]}, nil)
}

func brokenFrame(line []byte, kind city.Kind, how Spoil) []byte {
	body, _, _ := strings.Cut(string(line[1:]), "*")
	fields := strings.Split(body, ",")
	part := main[kind]
	switch how {
	case Word, Cut:
		fields[0] = "PSGXX"
	case Missing:
		fields[part.field] = ""
	case Type:
		fields[part.field] = "?"
		if kind == city.KindGate { // a direction is a word: any other is impossible, so the time is broken
			fields[4] = "?"
		}
	case Impossible:
		fields[part.field] = part.impossible
	}
	return frames.Seal(strings.Join(fields, ","))
}
