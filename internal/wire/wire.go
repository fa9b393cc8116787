// Package wire holds what the formats share. Each format is a package below
// it: pure functions from bytes to readings, fuzzed, without state or clock.
package wire

import "github.com/simpang-id/simpang/internal/city"

// Decoded is what one message said, in its own order. The elements of an
// array stand alone: one that is refused harms no other.
type Decoded struct {
	Readings []city.Reading
	Elements [][]byte // of an array: what each of Readings was made of, in their order; nil for a single object
	Refused  []city.Refusal
	Acks     []Ack
	Ignored  int    // unknown members, ignored and counted
	Device   string // that the message itself names; "" where its topic or sentence does
}

// Ack is what a device says of a command that it was told; it is no reading and
// has no number of its own.
type Ack struct {
	Device string
	ID     string // of the command
	OK     bool   // false: the device did not do it
	Detail string // its own words, MaxWordBytes at most
	Index  int    // place in the message's array; 0 for a single object
	Raw    []byte // the element as sent
}

// RefusedError is why something is no reading.
type RefusedError struct {
	Reason city.Reason
	Detail string // what is wrong and what to do, for a person
}

// Error returns the detail.
func (e *RefusedError) Error() string { return e.Detail }

// MaxPayload is the largest payload that is decoded, bytes; larger ones are
// refused as too_large (contract, section 2).
const MaxPayload = 64 << 10
