package sandbox

import (
	"bufio"
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/wire/codec"
)

// FuzzRequest: bytes are refused, or are those of a request that says itself
// again.
func FuzzRequest(f *testing.F) {
	for _, r := range []request{
		{op: opLoad, script: 3, limit: 50 * time.Millisecond, source: "x"},
		{op: opDecode, script: 1, call: codec.Call{Payload: []byte{1, 2}, Port: 7, At: -1}},
	} {
		f.Add(r.append(nil)[4:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err != nil {
			require.ErrorIs(t, err, errRequest)
			return
		}
		framed := r.append(nil)
		again, err := readFrame(bufio.NewReader(bytes.NewReader(framed)), nil, maxRequest)
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}

func TestAFrameIsBounded(t *testing.T) {
	_, err := readFrame(bufio.NewReader(bytes.NewReader([]byte{255, 255, 255, 127, 1})), nil, maxRequest)
	require.ErrorIs(t, err, errRequest)
}
