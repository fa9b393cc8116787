package native

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

// maxAckID is how long the id of a command may be, bytes.
const maxAckID = 64

// maxAcks is how many answers of a message are read: a device remembers no more
// commands.
const maxAcks = 16

// isAck tells whether the object is an answer to a command, not a reading.
func (o *object) isAck() bool {
	return o.has.has(mKind) && !o.twice.has(mKind) && string(o.raw(mKind)) == `"ack"`
}

// ack decodes the answer to a command: id and ok, and perhaps a detail. They
// are rare: encoding/json is fast enough.
func (d *decoder) ack(at span) {
	if d.acks++; d.acks > maxAcks {
		if d.acks == maxAcks+1 {
			d.refuse(at, fault{city.ReasonTooLarge, "ack: over 16 in one message: this one and those behind it are passed over"})
		}
		return
	}
	raw := d.b[at.from:at.to]
	var said struct {
		ID     *string `json:"id"`
		OK     *bool   `json:"ok"`
		Detail string  `json:"detail"`
		Device string  `json:"device"`
	}
	var wrong *json.UnmarshalTypeError
	err := json.Unmarshal(raw, &said)
	switch {
	case errors.As(err, &wrong):
		d.refuse(at, fault{city.ReasonWrongType, "ack: " + clipped(wrong.Field) + " has a wrong type: id and detail are strings, ok is true or false"})
	case err != nil:
		d.refuse(at, fault{city.ReasonNotJSON, "ack: no JSON object"})
	case said.ID == nil:
		d.refuse(at, fault{city.ReasonMissingMember, "ack: id is missing: send that of the command"})
	case said.OK == nil:
		d.refuse(at, fault{city.ReasonMissingMember, "ack: ok is missing: true once it is done, false where it cannot be"})
	case *said.ID == "" || len(*said.ID) > maxAckID:
		d.refuse(at, fault{city.ReasonImpossible, "ack: id is none of ours: send that of the command"})
	case said.Device != "" && said.Device != d.device:
		d.refuse(at, fault{city.ReasonDeviceMismatch, "device names another one than the topic"})
	default:
		d.out.Acks = append(d.out.Acks, wire.Ack{
			Device: d.device, ID: *said.ID, OK: *said.OK, Detail: clipped(said.Detail), Index: d.index, Raw: raw,
		})
	}
}

// clipped bounds a device's own words.
func clipped(s string) string {
	if len(s) > wire.MaxWordBytes {
		s = s[:wire.MaxWordBytes]
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' {
			return -1
		}
		return r
	}, s)
}

// EncodeAck returns what a device says of a command. Decode of it gives the ack
// back.
func EncodeAck(a *wire.Ack) []byte {
	w := writer{append([]byte(nil), `{"kind":"ack","id":`...)}
	w.quote(a.ID)
	w.b = append(w.b, `,"ok":`...)
	if a.OK {
		w.b = append(w.b, "true"...)
	} else {
		w.b = append(w.b, "false"...)
	}
	if a.Detail != "" {
		w.b = append(w.b, `,"detail":`...)
		w.quote(a.Detail)
	}
	return append(w.b, '}')
}
