// Package message is what a simulated device sends: bytes, and what they are
// expected to become.
package message

import (
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire/frames"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// Format is how a payload is written.
type Format uint8

// The formats: JSON over MQTT, sentences over a serial line.
const (
	Native Format = iota
	Frames
)

// Expect is what the gateway should make of a message.
type Expect string

// The expectations.
const (
	Accepted  Expect = "delivered" // a reading, new
	Duplicate Expect = "duplicate" // the same identity and content again
	Refused   Expect = "refused"   // quarantine, with the Reason
)

// Message is one message of one device. Only one of Reading and Reason is set.
type Message struct {
	SendAt  int64 // Unix ms of the simulated or replayed time
	Device  string
	Kind    city.Kind
	HasBoot bool
	Boot    uint64
	Seq     uint64
	At      int64 // the device's clock, Unix ms
	Expect  Expect
	Reason  city.Reason   // of Refused
	Reading *city.Reading // of Accepted and Duplicate
	Payload []byte        // in the device's format; a sentence with CR LF
}

// New returns the message of a good reading. Errors: frames.ErrCannotSay.
func New(sendAt int64, r *city.Reading, f Format) (Message, error) {
	m := Message{
		SendAt: sendAt, Device: r.Device, Kind: r.Kind, HasBoot: r.HasBoot, Boot: r.Boot, Seq: r.Seq, At: r.At,
		Expect: Accepted, Reading: r,
	}
	var err error
	m.Payload, err = Encode(r, f)
	return m, err
}

// Encode writes a reading in a format.
func Encode(r *city.Reading, f Format) ([]byte, error) {
	if f == Native {
		return native.Encode(r), nil
	}
	line, err := frames.Encode(r)
	if err != nil {
		return nil, fmt.Errorf("device %s: %w", r.Device, err)
	}
	return line, nil
}

// ID names the reading as the API does: device:boot:seq, the boot empty where
// the device counts none.
func (m *Message) ID() string {
	if m.HasBoot {
		return fmt.Sprintf("%s:%d:%d", m.Device, m.Boot, m.Seq)
	}
	return fmt.Sprintf("%s::%d", m.Device, m.Seq)
}
