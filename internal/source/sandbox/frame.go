package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/simpang-id/simpang/internal/wire/codec"
)

// A request is a length (4 bytes, little endian) and as many bytes: what to do,
// the number of the script, and what belongs to it. An answer is a length and a
// codec.Result.
const (
	opLoad   = 'L' // the limit in ms (4 bytes), the script
	opDecode = 'D' // the time (8 bytes), the port (1), the payload

	maxRequest = codec.MaxScript + 16
	maxAnswer  = 256 << 10
)

var errRequest = errors.New("sandbox: these are no bytes of a request")

type request struct {
	op     byte
	script uint32
	limit  time.Duration // of a load
	source string
	call   codec.Call
}

// append appends the bytes of a request, with their length.
func (r *request) append(b []byte) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0, r.op)
	b = binary.LittleEndian.AppendUint32(b, r.script)
	if r.op == opLoad {
		b = binary.LittleEndian.AppendUint32(b, uint32(r.limit.Milliseconds()))
		b = append(b, r.source...)
	} else {
		b = binary.LittleEndian.AppendUint64(b, uint64(r.call.At))
		b = append(append(b, r.call.Port), r.call.Payload...)
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func parseRequest(b []byte) (r request, err error) {
	if len(b) < 9 {
		return r, errRequest
	}
	r.op, r.script = b[0], binary.LittleEndian.Uint32(b[1:])
	switch {
	case r.op == opLoad:
		r.limit, r.source = time.Duration(binary.LittleEndian.Uint32(b[5:]))*time.Millisecond, string(b[9:])
	case r.op == opDecode && len(b) >= 14:
		r.call = codec.Call{At: int64(binary.LittleEndian.Uint64(b[5:])), Port: b[13], Payload: b[14:]}
	default:
		return r, errRequest
	}
	return r, nil
}

// readFrame reads a length and as many bytes; the bytes hold until the next.
func readFrame(r *bufio.Reader, into []byte, most int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return into, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n > most {
		return into, fmt.Errorf("%w: %d bytes", errRequest, n)
	}
	if cap(into) < n {
		into = make([]byte, n)
	}
	into = into[:n]
	_, err := io.ReadFull(r, into)
	return into, err
}
