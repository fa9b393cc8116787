package mqtt_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// peer is Mosquitto with a device behind it; its log tells what the gateway
// acknowledged, and its identifiers are the numbers.
type peer struct {
	t       *testing.T
	broker  *sourcetest.Mosquitto
	proxy   *sourcetest.Proxy
	publish func(topic, payload string)
}

func TestSuite(t *testing.T) {
	sourcetest.Suite(t, func(t *testing.T, sink source.Sink, window int) (source.Source, func() sourcetest.Peer) {
		t.Helper()
		m := sourcetest.NewMosquitto(t, "log_type all\nmax_inflight_messages 0")
		proxy := sourcetest.NewProxy(t, m.Addr)
		o := options(proxy.Addr, sink)
		o.Window, o.Decode = window, native.Decode
		s, err := mqtt.New(o)
		require.NoError(t, err)
		return s, func() sourcetest.Peer {
			sourcetest.Until(t, func() bool { return s.Status().Connected }, "subscribed")
			return &peer{t: t, broker: m, proxy: proxy, publish: device(t, m.Addr)}
		}
	})
}

func (p *peer) Send(seq uint64) {
	p.publish("sg/v1/d1/up", string(native.Encode(&city.Reading{Device: "d1", Kind: city.KindSpot, Seq: seq, At: 1_790_000_000_000, Spot: &city.Spot{}})))
}

func (p *peer) SendRefused(uint64) { p.publish("sg/v1/d1/up", "no JSON") }

func (p *peer) Acks() (acks []uint64) {
	for line := range strings.Lines(p.broker.Log(p.t)) {
		var id uint64
		if _, rest, ok := strings.Cut(line, "Received PUBACK from simpang-bekasi-outside "); ok {
			_, err := fmt.Sscanf(rest, "(Mid: %d,", &id)
			require.NoError(p.t, err)
			acks = append(acks, id)
		}
	}
	return acks
}

// Again: Mosquitto sends again what has no ack on the next connection.
func (p *peer) Again() { p.proxy.Cut() }
