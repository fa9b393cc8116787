package broker_test

import (
	"strings"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/wire"
)

// A payload that breaks the decoder is set aside and acknowledged, and the
// client goes on.
func TestAPayloadThatBreaksTheDecoder(t *testing.T) {
	f := start(t, func(o *broker.Options) {
		o.Decode = func(device string, payload []byte) wire.Decoded {
			if strings.HasPrefix(string(payload), "poison") {
				panic("broken")
			}
			return decode(device, payload)
		}
	})
	c := f.client(t, "d1")
	c.Publish("sg/v1/d1/up", []byte("poison"), 1, 1)
	m := f.sink.TakeDone(t)
	require.Equal(t, city.ReasonDecoderFailed, m.Decoded.Refused[0].Reason)
	require.Equal(t, []byte("poison"), m.Decoded.Refused[0].Raw)
	require.EqualValues(t, 1, c.Expect(packets.Puback).PacketID)
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 2)
	require.Len(t, f.sink.TakeDone(t).Decoded.Readings, 1)
	require.EqualValues(t, 2, c.Expect(packets.Puback).PacketID)
}
