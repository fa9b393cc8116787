package broker_test

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// A client floods with the largest messages while nothing is committed: it has
// its share of the memory in flight, and another's message gets through.
func TestAFloodLeavesMemoryToOthers(t *testing.T) {
	const most = 8 << 20
	sink := sourcetest.NewSink(1024)
	f := start(t, func(o *broker.Options) { o.Sink, o.MaxInFlight = sink, most })
	greedy := f.client(t, "d1")
	large := make([]byte, source.MaxPayload)
	sent := make(chan struct{})
	go func() { // until its connection ends: it is not read
		defer close(sent)
		for n := range uint16(1000) {
			if greedy.Write(sourcetest.Encode(t, packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
				TopicName: "sg/v1/d1/up", Payload: large, PacketID: n + 1,
			})) != nil {
				return
			}
		}
	}()
	const share = 512 << 10
	for held := len(large); held < share; held += len(large) {
		require.Equal(t, "d1", sink.Take(t).Device)
	}
	sink.None(t)
	f.client(t, "d2").Publish("sg/v1/d2/up", []byte("{}"), 1, 1)
	require.Equal(t, "d2", sink.Take(t).Device)
	greedy.Close()
	<-sent
}
