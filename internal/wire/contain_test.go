package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
)

func TestADecoderThatPanicsRefusesThePayload(t *testing.T) {
	payload := []byte("B 1234 XYZ")
	for _, fails := range []func() wire.Decoded{
		func() wire.Decoded { return wire.Decoded{Ignored: int(payload[len(payload)+1])} },
		func() wire.Decoded { panic("plate " + string(payload)) },
	} {
		d := wire.Contain(payload, fails)
		require.Empty(t, d.Readings)
		require.Len(t, d.Refused, 1)
		require.Equal(t, city.ReasonDecoderFailed, d.Refused[0].Reason)
		require.Equal(t, payload, d.Refused[0].Raw)
		require.Contains(t, d.Refused[0].Detail, "wire_test.TestADecoder", "it says where")
		require.NotContains(t, d.Refused[0].Detail, "1234", "nothing of the payload")
	}
	require.Equal(t, 3, wire.Contain(payload, func() wire.Decoded { return wire.Decoded{Ignored: 3} }).Ignored)
}
