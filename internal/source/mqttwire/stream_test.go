package mqttwire

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// chunks is a reader that gives one of its parts a call.
type chunks [][]byte

func (c *chunks) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	if (*c)[0] = (*c)[0][n:]; len((*c)[0]) == 0 {
		*c = (*c)[1:]
	}
	return n, nil
}

func TestTheBufferGrowsWithTheLoadAndShrinksAgain(t *testing.T) {
	burst := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
	in := chunks{burst}
	for range 10 * lightReads {
		in = append(in, []byte("ping"))
	}
	want := append([]byte{}, burst...)
	want = append(want, bytes.Repeat([]byte("ping"), 10*lightReads)...)
	s := NewStream(&in)
	require.Len(t, s.buf, smallBuffer)
	var got []byte
	largest := 0
	for {
		p := make([]byte, 100)
		n, err := s.Copy(p, len(p))
		if err != nil {
			break
		}
		got = append(got, p[:n]...)
		largest = max(largest, len(s.buf))
	}
	require.True(t, bytes.Equal(want, got))
	require.Equal(t, largeBuffer, largest)
	require.Len(t, s.buf, smallBuffer)
}
