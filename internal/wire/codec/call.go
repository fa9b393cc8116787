package codec

import (
	"strings"
	"time"
)

// The bounds of a codec.
const (
	MaxScript  = 512 << 10 // bytes of JavaScript
	MaxPayload = 1 << 10   // bytes of an uplink; LoRaWAN has 242
	maxOutput  = 64 << 10  // bytes of a result
	maxDepth   = 8         // objects within objects
	maxText    = 4 << 10   // bytes of one text
	maxNotes   = 16        // warnings, errors
)

// Call is one uplink: the input of decodeUplink.
type Call struct {
	Payload []byte
	Port    uint8
	At      int64 // when the network received it, Unix ms: recvTime, and all that Date knows of the time
}

// Failure is in which way a codec failed.
type Failure uint8

// The ways to fail. Their numbers go between two processes of one version only.
const (
	OK       Failure = iota
	Syntax           // the script cannot be compiled
	NoDecode         // it has no function decodeUplink
	Threw            // an exception
	Slow             // it took longer than it may
	Big              // what it returned is too large, too deep or endless
	Shape            // what it returned is no output of TS013
	Crashed          // it broke its process: memory, the stack of Go
	Unserved         // no process ran it, which is not its doing; never sent
)

// Result is what came of a call.
type Result struct {
	Failure  Failure
	Line     int    // of the script, 1..; 0: not known
	Text     string // of a failure: what the interpreter or the script says; it may hold what the payload held
	Data     map[string]any
	Warnings []string
	Errors   []string      // the codec refuses the payload
	Used     time.Duration // of the processor, by the call; 0: not known
}

// Told returns the part of a text that stands in the script word for word: a
// text that was made of the payload is no text for logs and answers.
func Told(script, text string) string {
	const least, most = 4, 120
	text = strings.ToValidUTF8(text, "?")
	low, high := 0, min(len(text), most)
	for low < high { // the longest beginning that is in the script
		mid := (low + high + 1) / 2
		if strings.Contains(script, text[:mid]) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	told := strings.ToValidUTF8(text[:low], "")
	switch {
	case len(told) < least:
		return ""
	case low < len(text):
		return told + "..."
	}
	return told
}
