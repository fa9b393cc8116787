package mqttwire_test

import (
	"bytes"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

// FuzzParsePublish holds our reading of a PUBLISH against mochi's: what we take
// it takes too, with the same topic, identifier and payload.
func FuzzParsePublish(f *testing.F) {
	encode := func(version, qos byte, p packets.Properties) []byte {
		pk := packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, ProtocolVersion: version,
			TopicName: "sg/v1/d1/up", PacketID: 7 * uint16(min(1, qos)), Payload: []byte(`{"kind":"spot"}`), Properties: p,
		}
		var buf bytes.Buffer
		require.NoError(f, pk.PublishEncode(&buf))
		return buf.Bytes()
	}
	for qos := range byte(3) {
		f.Add(encode(4, qos, packets.Properties{}), false)
		f.Add(encode(5, qos, packets.Properties{ContentType: "x", User: []packets.UserProperty{{Key: "a", Val: "b"}}}), true)
		f.Add(encode(5, qos, packets.Properties{TopicAlias: 3, TopicAliasFlag: true}), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, v5 bool) {
		h, err := mqttwire.ParseHeader(b)
		if err != nil || h.Kind() != mqttwire.Publish || len(b) < h.Total() {
			return
		}
		b = b[:h.Total()]
		p, _, err := mqttwire.ParsePublish(b, h, v5)
		require.NotEqual(t, mqttwire.ErrShort, err, "the packet is whole")
		checkPieces(t, b, h, v5, p, err)
		if err != nil {
			return
		}
		pk := packets.Packet{ProtocolVersion: 4}
		if v5 {
			pk.ProtocolVersion = 5
		}
		require.NoError(t, pk.FixedHeader.Decode(b[0]))
		require.NoError(t, pk.PublishDecode(bytes.Clone(b[h.Size:])))
		require.Equal(t, packets.CodeSuccess, pk.PublishValidate(0))
		require.Equal(t, pk.TopicName, string(p.Topic))
		require.Equal(t, pk.PacketID, p.ID)
		require.True(t, bytes.Equal(pk.Payload, b[p.Body:]))
	})
}

// checkPieces parses b as it grows: only what is asked for is ever needed.
func checkPieces(t *testing.T, b []byte, h mqttwire.Header, v5 bool, want mqttwire.Head, wantErr error) {
	t.Helper()
	for have := h.Size; ; {
		p, need, err := mqttwire.ParsePublish(b[:have], h, v5)
		if err != mqttwire.ErrShort { //nolint:errorlint // returned bare
			require.Equal(t, wantErr, err)
			require.Equal(t, want, p)
			return
		}
		require.Greater(t, need, have)
		require.LessOrEqual(t, need, len(b))
		have = need
	}
}

func TestIDSet(t *testing.T) {
	var s mqttwire.IDSet
	require.False(t, s.Has(5))
	require.False(t, s.Remove(5))
	s.Add(5)
	s.Add(65535)
	s.Add(5)
	require.True(t, s.Has(5))
	require.True(t, s.Remove(5))
	require.False(t, s.Remove(5))
	require.True(t, s.Has(65535))
	s.Clear()
	require.False(t, s.Has(65535))
}
