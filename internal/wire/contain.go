package wire

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// Contain runs a decoder on a payload of at most MaxPayload bytes. A decoder
// that panics is a fault of ours: the payload is refused as decoder_failed and
// kept, and whoever sent it harms nobody else.
func Contain(payload []byte, decode func() Decoded) (d Decoded) {
	defer func() {
		if p := recover(); p != nil {
			d = Decoded{Refused: []city.Refusal{{
				Reason: city.ReasonDecoderFailed, Raw: payload,
				Detail: fmt.Sprintf("the decoder failed on it (%s): send us the payload, and retry this item with a mended version", blame(p)),
			}}}
		}
	}()
	return decode()
}

// blame says where it failed and how. A message of the runtime holds no part
// of a payload; any other might.
func blame(panicked any) string {
	how := fmt.Sprintf("%T", panicked)
	if err, ok := panicked.(runtime.Error); ok {
		how = err.Error()
	}
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s:%d: %s", frame.Function[strings.LastIndexByte(frame.Function, '/')+1:], frame.Line, how)
		}
		if !more {
			return how
		}
	}
}
