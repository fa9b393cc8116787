package broker_test

import (
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// peer is a device with QoS 1; the packet identifiers are the numbers.
type peer struct {
	t      *testing.T
	dial   func() *sourcetest.Client
	client *sourcetest.Client

	mu     sync.Mutex
	sent   map[uint64][]byte
	acks   []uint64
	reader sync.WaitGroup
}

func TestSuite(t *testing.T) {
	sourcetest.Suite(t, func(t *testing.T, sink source.Sink, window int) (source.Source, func() sourcetest.Peer) {
		t.Helper()
		o := options(t, sink)
		o.Window, o.Decode, o.Log = window, native.Decode, slog.New(slog.DiscardHandler)
		s, err := broker.New(o)
		require.NoError(t, err)
		require.NoError(t, s.Listen(t.Context()))
		return s, func() sourcetest.Peer {
			p := &peer{t: t, sent: map[uint64][]byte{}, dial: func() *sourcetest.Client {
				c := sourcetest.Dial(t, s.Addr(), nil)
				require.Zero(t, c.Hello(sourcetest.Hello{User: "d1", Secret: secret}).ReasonCode)
				return c
			}}
			p.connect()
			t.Cleanup(func() { p.client.Close(); p.reader.Wait() })
			return p
		}
	})
}

func (p *peer) connect() {
	p.client = p.dial()
	p.reader.Go(func() {
		for {
			pk, err := p.client.Read(sourcetest.Wait)
			if err != nil {
				return
			}
			if pk.FixedHeader.Type == packets.Puback {
				p.mu.Lock()
				p.acks = append(p.acks, uint64(pk.PacketID))
				p.mu.Unlock()
			}
		}
	})
}

func (p *peer) publish(seq uint64, payload []byte) {
	p.mu.Lock()
	p.sent[seq] = payload
	p.mu.Unlock()
	_ = p.client.Write(sourcetest.Encode(p.t, packets.Packet{ // the gateway may stop meanwhile
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
		TopicName: "sg/v1/d1/up", PacketID: uint16(seq), Payload: payload,
	}))
}

func (p *peer) Send(seq uint64) {
	p.publish(seq, native.Encode(&city.Reading{Device: "d1", Kind: city.KindSpot, Seq: seq, At: 1_790_000_000_000, Spot: &city.Spot{}}))
}

func (p *peer) SendRefused(seq uint64) { p.publish(seq, []byte("no JSON")) }

func (p *peer) Acks() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.acks)
}

func (p *peer) Again() {
	p.client.Close()
	p.reader.Wait()
	p.connect()
	for seq := uint64(1); seq <= uint64(len(p.sent)); seq++ {
		if !slices.Contains(p.Acks(), seq) {
			p.publish(seq, p.sent[seq])
		}
	}
}
