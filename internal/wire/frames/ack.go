package frames

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const ackName = "PSGAK"

// ErrNoAck is the error of ParseAck for a line that is no acknowledgement.
var ErrNoAck = errors.New("no acknowledgement")

// Ack returns the sentence that acknowledges a reading, with CR LF. The device
// is as Decode told it.
func Ack(device string, hasBoot bool, boot, seq uint64) []byte {
	dst := append(make([]byte, 0, 64), '$')
	dst = append(dst, ackName...)
	dst = append(append(dst, ','), device...)
	dst = append(dst, ',')
	if hasBoot {
		dst = strconv.AppendUint(dst, boot, 10)
	}
	dst = append(dst, ',')
	return seal(strconv.AppendUint(dst, seq, 10))
}

// Acked is whose reading was acknowledged.
type Acked struct {
	Device  string
	HasBoot bool
	Boot    uint64
	Seq     uint64
}

// ParseAck reads an acknowledgement, with or without its line end.
func ParseAck(line []byte) (Acked, error) {
	text, f := body(line)
	if f.reason != "" {
		return Acked{}, fmt.Errorf("%s: %w", f.detail, ErrNoAck)
	}
	parts := strings.Split(string(text), ",")
	if len(parts) != 4 || parts[0] != ackName || parts[1] == "" {
		return Acked{}, ErrNoAck
	}
	a := Acked{Device: parts[1], HasBoot: parts[2] != ""}
	var err error
	if a.HasBoot {
		if a.Boot, err = strconv.ParseUint(parts[2], 10, 64); err != nil {
			return Acked{}, fmt.Errorf("boot: %w", ErrNoAck)
		}
	}
	if a.Seq, err = strconv.ParseUint(parts[3], 10, 64); err != nil {
		return Acked{}, fmt.Errorf("seq: %w", ErrNoAck)
	}
	return a, nil
}
