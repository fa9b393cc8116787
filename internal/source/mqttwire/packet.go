// Package mqttwire is what both MQTT sources share: it reads publishes out of
// the stream of packets of a connection, and writes their acknowledgements in
// order, many in one write. The rest of the protocol is left to the libraries
// that own the connection.
package mqttwire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"
)

// The types of MQTT control packets that are looked at (MQTT 5, section 2.1.2).
const (
	Connect  = 1
	Publish  = 3
	Pubrel   = 6
	Pingreq  = 12
	Pingresp = 13
)

const (
	// MaxTopic is the longest topic that is taken, bytes.
	MaxTopic = 1024
	// MaxOverhead is the most that a PUBLISH that is taken has beside its
	// payload, bytes.
	MaxOverhead = 8 << 10
)

var (
	// ErrShort means that more bytes are needed to tell.
	ErrShort = errors.New("more bytes are needed")
	// ErrOdd means that a PUBLISH cannot be taken: it breaks the protocol or
	// uses what is not served; who owns the connection names the fault.
	ErrOdd = errors.New("not a publish that can be taken")
	// ErrLength means that the length of a packet is malformed.
	ErrLength = errors.New("malformed length of a packet")
)

// Header is a fixed header (MQTT 5, section 2.1.1).
type Header struct {
	First     byte
	Size      int // bytes of the header itself
	Remaining int // bytes after it
}

// Kind is the type of the packet.
func (h Header) Kind() byte { return h.First >> 4 }

// QoS is that of a PUBLISH.
func (h Header) QoS() byte { return h.First >> 1 & 3 }

// Total is the size of the whole packet, bytes.
func (h Header) Total() int { return h.Size + h.Remaining }

// ParseHeader reads the fixed header at the beginning of b: ErrShort if it is
// not whole yet, ErrLength if it never will be.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < 2 {
		return Header{}, ErrShort
	}
	h := Header{First: b[0]}
	for i := 1; i <= 4; i++ {
		if i >= len(b) {
			return Header{}, ErrShort
		}
		h.Remaining |= int(b[i]&0x7f) << (7 * (i - 1))
		if b[i]&0x80 == 0 {
			h.Size = i + 1
			return h, nil
		}
	}
	return Header{}, ErrLength
}

// Head is what stands before the payload of a PUBLISH (MQTT 5, section 3.3.2).
type Head struct {
	Topic []byte // in the buffer that was parsed
	ID    uint16 // 0 at QoS 0
	Body  int    // offset of the payload from the beginning of the packet
}

// ParsePublish reads what stands before the payload of the PUBLISH that begins
// b; h is its fixed header. It returns ErrShort with the number of bytes that
// it needs, and ErrOdd.
func ParsePublish(b []byte, h Header, v5 bool) (p Head, need int, err error) {
	end := h.Total()
	at := h.Size + 2
	if at > end || h.QoS() == 3 || h.QoS() == 0 && h.First&0x08 != 0 {
		return p, 0, ErrOdd
	}
	if at > len(b) {
		return p, at, ErrShort
	}
	topicEnd := at + int(binary.BigEndian.Uint16(b[at-2:]))
	next := topicEnd
	if h.QoS() > 0 {
		next += 2
	}
	fixed := next
	if v5 {
		next++
	}
	if next > end || topicEnd-at > MaxTopic {
		return p, 0, ErrOdd
	}
	if next > len(b) {
		return p, next, ErrShort
	}
	p.Topic, p.Body = b[at:topicEnd], next
	if h.QoS() > 0 {
		p.ID = binary.BigEndian.Uint16(b[topicEnd:])
	}
	if len(p.Topic) == 0 || h.QoS() > 0 && p.ID == 0 || bytes.ContainsAny(p.Topic, "+#\x00") || !utf8.Valid(p.Topic) {
		return p, 0, ErrOdd
	}
	if !v5 || b[fixed] == 0 {
		return p, 0, nil
	}
	return parseProperties(b, p, fixed, end)
}

// varint reads a variable byte integer at offset at of the packet b that ends
// at end (MQTT 5, section 1.5.5).
func varint(b []byte, at, end int) (v, size int, err error) {
	for size < 4 {
		switch {
		case at+size >= end:
			return 0, 0, ErrOdd
		case at+size >= len(b):
			return 0, size, ErrShort
		}
		c := b[at+size]
		v |= int(c&0x7f) << (7 * size)
		size++
		if c&0x80 == 0 {
			return v, size, nil
		}
	}
	return 0, 0, ErrOdd
}

// parseProperties checks the properties at offset at.
func parseProperties(b []byte, p Head, at, end int) (Head, int, error) {
	length, size, err := varint(b, at, end)
	switch {
	case err == ErrShort: //nolint:errorlint // returned bare
		return p, at + size + 1, ErrShort
	case err != nil:
		return p, 0, err
	}
	body := at + size + length
	switch {
	case body > end || body-at > MaxOverhead-MaxTopic:
		return p, 0, ErrOdd
	case body > len(b):
		return p, body, ErrShort
	case !validProperties(b[at+size : body]):
		return p, 0, ErrOdd
	}
	p.Body = body
	return p, 0, nil
}

// The properties that a client may send with a PUBLISH (MQTT 5, section
// 3.3.2.3), but for the topic alias, which is not served.
const (
	propertyFormat      = 0x01
	propertyExpiry      = 0x02
	propertyContentType = 0x03
	propertyResponse    = 0x08
	propertyCorrelation = 0x09
	propertyUser        = 0x26
)

// validProperties tells whether b is properties of a PUBLISH that can be taken.
func validProperties(b []byte) bool {
	for len(b) > 0 {
		id := b[0]
		b = b[1:]
		var ok bool
		switch id {
		case propertyFormat:
			b, ok = cut(b, 1)
		case propertyExpiry:
			b, ok = cut(b, 4)
		case propertyContentType, propertyResponse:
			b, ok = cutString(b)
		case propertyCorrelation:
			b, _, ok = cutBinary(b)
		case propertyUser:
			if b, ok = cutString(b); ok {
				b, ok = cutString(b)
			}
		default:
			return false
		}
		if !ok {
			return false
		}
	}
	return true
}

func cut(b []byte, n int) ([]byte, bool) {
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
}

func cutBinary(b []byte) (rest, value []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < n {
		return nil, nil, false
	}
	return b[n:], b[2:n], true
}

func cutString(b []byte) ([]byte, bool) {
	rest, value, ok := cutBinary(b)
	return rest, ok && utf8.Valid(value) && bytes.IndexByte(value, 0) < 0
}
