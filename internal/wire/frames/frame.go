package frames

import (
	"bytes"

	"github.com/simpang-id/simpang/internal/city"
)

// fault is why a line is refused; the zero fault is none.
type fault struct {
	reason city.Reason
	detail string
}

// body returns what lies between $ and * of a line whose checksum is right.
func body(line []byte) ([]byte, fault) {
	if len(line) > MaxLine {
		return nil, fault{city.ReasonLineTooLong, "over 255 bytes with its line end"}
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) < 4 || line[0] != '$' || line[len(line)-3] != '*' {
		return nil, fault{city.ReasonNotFrame, "no sentence $...*hh"}
	}
	high, highOK := nibble(line[len(line)-2])
	low, lowOK := nibble(line[len(line)-1])
	if !highOK || !lowOK {
		return nil, fault{city.ReasonNotFrame, "no sentence $...*hh"}
	}
	text := line[1 : len(line)-3]
	if high<<4|low != checksum(text) {
		return nil, fault{city.ReasonChecksum, "the checksum is not that of the sentence"}
	}
	for _, c := range text {
		if c < 0x20 || c == 0x7f || c == '$' || c == '*' {
			return nil, fault{city.ReasonNotFrame, "a control character, $ or * inside the sentence"}
		}
	}
	return text, fault{}
}

// checksum is the XOR of all bytes.
func checksum(text []byte) byte {
	var sum byte
	for _, c := range text {
		sum ^= c
	}
	return sum
}

// seal makes a sentence of $ and body: it appends * checksum CR LF.
func seal(dst []byte) []byte {
	const hex = "0123456789ABCDEF"
	sum := checksum(dst[1:])
	return append(dst, '*', hex[sum>>4], hex[sum&15], '\r', '\n')
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	default:
		return 0, false
	}
}

// Seal makes a sentence of a body: $ before it, * checksum CR LF behind it. It
// is for senders that must be able to be wrong; readings are for Encode.
func Seal(body string) []byte { return seal(append([]byte{'$'}, body...)) }
