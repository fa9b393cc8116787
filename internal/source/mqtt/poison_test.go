package mqtt_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// A payload that breaks the decoder is set aside, and the connection goes on.
func TestAPayloadThatBreaksTheDecoder(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "")
	sink := sourcetest.NewSink(8)
	o := options(m.Addr, sink)
	o.Decode = func(device string, payload []byte) wire.Decoded {
		if strings.HasPrefix(string(payload), "poison") {
			panic("broken")
		}
		return native.Decode(device, payload)
	}
	s, err := mqtt.New(o)
	require.NoError(t, err)
	sourcetest.Run(t, s, true)
	publish := device(t, m.Addr)
	publish("sg/v1/d1/up", "poison")
	require.Equal(t, city.ReasonDecoderFailed, sink.TakeDone(t).Decoded.Refused[0].Reason)
	publish("sg/v1/d1/up", `{"kind":"spot","seq":1,"at":"2026-11-26T00:00:00Z","occupied":true}`)
	require.Len(t, sink.TakeDone(t).Decoded.Readings, 1)
	require.EqualValues(t, 1, s.Stats().Connects.Load(), "the connection goes on")
}
