// Package modbus is the format `modbus`: registers of Modbus RTU units, read by
// a map of the configuration, as readings. Frames are those of facts/devices.md,
// section 5.6: unit, function, data, CRC-16 low byte first. Only the four
// functions that read are spoken; nothing is ever written to a unit.
package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The functions that read.
const (
	Coils     byte = 1
	Discretes byte = 2
	Holding   byte = 3
	Input     byte = 4
)

// The most that one request may ask for.
const (
	maxBits  = 2000
	maxWords = 125
)

// MaxFrame is the longest frame, bytes.
const MaxFrame = 256

// RequestSize is the length of a request, bytes.
const RequestSize = 8

// Errors of Answer. After ErrCRC and ErrForeign the line is out of step: what
// comes is to be thrown away until it is silent.
var (
	ErrCRC     = errors.New("the CRC of the answer is wrong: check the cable, its ends and the baud rate")
	ErrForeign = errors.New("the answer is not that of the question: two units with one number, or an answer later than the time-out")
)

// ExceptionError is what a unit says instead of an answer.
type ExceptionError struct{ Code byte }

var exceptions = map[byte]string{
	1: "it does not know the function", 2: "it has no such register", 3: "it refuses the number of registers", 4: "it failed",
	5: "it needs more time", 6: "it is busy", 8: "its memory is damaged", 10: "the gateway before it has no path", 11: "the unit behind the gateway does not answer",
}

// Error says what the code means.
func (e *ExceptionError) Error() string {
	what := exceptions[e.Code]
	if what == "" {
		what = "it gives no reason that is known"
	}
	return fmt.Sprintf("the unit answers with exception %d: %s", e.Code, what)
}

// CRC is the checksum of a frame: polynomial 0xA001, from 0xFFFF on.
func CRC(frame []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range frame {
		crc ^= uint16(b)
		for range 8 {
			odd := crc & 1
			crc >>= 1
			if odd != 0 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

// Request asks a unit for count bits or registers from start on.
func Request(unit, function byte, start, count uint16) []byte {
	f := []byte{unit, function, byte(start >> 8), byte(start), byte(count >> 8), byte(count)}
	return binary.LittleEndian.AppendUint16(f, CRC(f))
}

// Size tells how long the answer to a request is, from what has come of it;
// ok is false where that cannot be told yet.
func Size(answer []byte) (n int, ok bool) {
	switch {
	case len(answer) < 2:
		return 0, false
	case answer[1]&0x80 != 0:
		return 5, true
	case len(answer) < 3:
		return 0, false
	}
	return min(3+int(answer[2])+2, MaxFrame), true
}

// Answer returns the data of an answer to a request: two bytes a register, the
// high one first; a bit each, the lowest first. What is no answer to it is
// ErrCRC, ErrForeign or an ExceptionError.
func Answer(request, frame []byte) ([]byte, error) {
	if len(frame) < 5 || len(request) != RequestSize {
		return nil, ErrForeign
	}
	body, crc := frame[:len(frame)-2], frame[len(frame)-2:]
	if binary.LittleEndian.Uint16(crc) != CRC(body) {
		return nil, ErrCRC
	}
	if body[0] != request[0] || body[1]&0x7f != request[1] {
		return nil, ErrForeign
	}
	if body[1]&0x80 != 0 {
		if len(body) != 3 {
			return nil, ErrForeign
		}
		return nil, &ExceptionError{body[2]}
	}
	count := int(binary.BigEndian.Uint16(request[4:]))
	size := 2 * count
	if request[1] == Coils || request[1] == Discretes {
		size = (count + 7) / 8
	}
	if int(body[2]) != size || len(body) != 3+size {
		return nil, ErrForeign
	}
	return body[3:], nil
}
