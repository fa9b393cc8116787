package send_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/send"
	"github.com/simpang-id/simpang/firmware-sim/sendtest"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
)

// reports keeps what a sender told.
type reports struct {
	mu   sync.Mutex
	what map[string]int
	ids  map[string]bool
}

func (r *reports) report(what string, m *message.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.what == nil {
		r.what, r.ids = map[string]int{}, map[string]bool{}
	}
	r.what[what]++
	if what == truth.Delivered {
		r.ids[m.ID()] = true
	}
}

func (r *reports) count(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.what[what]
}

func spot(t *testing.T, device string, seq uint64, f message.Format) message.Message {
	t.Helper()
	m, err := message.New(0, &city.Reading{
		Device: device, Kind: city.KindSpot, HasBoot: true, Boot: 1, Seq: seq, At: 1772414100000 + int64(seq), Spot: &city.Spot{Occupied: seq%2 == 0},
	}, f)
	require.NoError(t, err)
	return m
}

func isDevice(name string) bool { return strings.HasPrefix(name, "dev-") }

func newMQTT(t *testing.T, url string, c send.Credentials, r *reports) *send.MQTT {
	t.Helper()
	m, err := send.NewMQTT(send.MQTTOptions{
		URL: url, Credentials: c, Devices: isDevice, Report: r.report, Log: slog.New(slog.DiscardHandler), RefusedFor: 300 * time.Millisecond,
	})
	require.NoError(t, err)
	return m
}

// inOrder requires that each device's messages came in their order, repeats
// aside, and that none is missing.
func inOrder(t *testing.T, got []sendtest.Got, devices, each int) {
	t.Helper()
	next := map[string]int{}
	for _, g := range got {
		device := strings.TrimSuffix(strings.TrimPrefix(g.Topic, "sg/v1/"), "/up")
		var seq int
		_, err := fmt.Sscanf(g.Payload, `{"kind":"spot","boot":1,"seq":%d,`, &seq)
		require.NoError(t, err, g.Payload)
		require.LessOrEqual(t, seq, next[device], "%s out of order", device)
		if seq == next[device] {
			next[device]++
		}
	}
	require.Len(t, next, devices)
	for device, n := range next {
		require.Equal(t, each, n, device)
	}
}

// Devices with secrets have connections of their own, the others share the
// bridge; nothing is lost and nothing overtakes while the broker restarts.
func TestMQTTThroughARestart(t *testing.T) {
	const devices, each = 12, 150
	users := map[string]string{"bridge-1": "b", "reader": "r"}
	secrets := send.Credentials{"bridge-1": "b"}
	for i := range devices / 2 {
		name := fmt.Sprintf("dev-%d", i)
		users[name], secrets[name] = "s", "s"
	}
	broker := sendtest.NewMosquitto(t, users)
	up := broker.Subscribe(t, "sg/v1/+/up", "reader", "r")
	var r reports
	s := newMQTT(t, broker.URL, secrets, &r)
	for seq := range uint64(each) {
		if seq == each/2 {
			require.Eventually(t, func() bool { return r.count(truth.Delivered) > devices }, 20*time.Second, 5*time.Millisecond)
			broker.Stop(t)
		}
		if seq == each/2+20 {
			broker.Start(t)
		}
		for i := range devices {
			require.NoError(t, s.Send(t.Context(), spot(t, fmt.Sprintf("dev-%d", i), seq, message.Native)))
		}
	}
	require.NoError(t, s.Idle(t.Context()))
	require.NoError(t, s.Close())
	require.Equal(t, devices*each, r.count(truth.Delivered))
	require.Zero(t, r.count(truth.Unacked))
	require.Len(t, r.ids, devices*each)
	require.Eventually(t, func() bool {
		seen := map[sendtest.Got]bool{} // some came twice
		for _, g := range up.Got() {
			seen[g] = true
		}
		return len(seen) == devices*each
	}, 20*time.Second, 10*time.Millisecond)
	inOrder(t, up.Got(), devices, each)
}

// Two processes use a broker at once, and neither takes over the other's
// connection: nothing has to be sent again.
func TestMQTTTwoBridges(t *testing.T) {
	const each = 2000
	broker := sendtest.NewMosquitto(t, nil)
	var all [2]reports
	senders := []*send.MQTT{newMQTT(t, broker.URL, nil, &all[0]), newMQTT(t, broker.URL, nil, &all[1])}
	for seq := range uint64(each) {
		for i, s := range senders {
			require.NoError(t, s.Send(t.Context(), spot(t, fmt.Sprintf("dev-%d", i), seq, message.Native)))
		}
	}
	for _, s := range senders {
		require.NoError(t, s.Idle(t.Context()))
		require.NoError(t, s.Close())
	}
	for i := range all {
		require.Equal(t, each, all[i].count(truth.Delivered))
		require.Zero(t, all[i].count(truth.Resent))
	}
}

// A device says that it is online, and its will or its farewell that it is not.
func TestMQTTStatus(t *testing.T) {
	broker := sendtest.NewMosquitto(t, nil)
	status := broker.Subscribe(t, "sg/v1/+/status", "", "")
	var r reports
	s := newMQTT(t, broker.URL, send.Credentials{"dev-1": "x"}, &r)
	require.NoError(t, s.Send(t.Context(), spot(t, "dev-1", 0, message.Native)))
	require.NoError(t, s.Idle(t.Context()))
	require.NoError(t, s.Close())
	want := []sendtest.Got{{Topic: "sg/v1/dev-1/status", Payload: `{"online":true}`}, {Topic: "sg/v1/dev-1/status", Payload: `{"online":false}`}}
	require.Eventually(t, func() bool { return len(status.Got()) == 2 }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, want, status.Got())
}

func TestMQTTRefusedLogInEnds(t *testing.T) {
	broker := sendtest.NewMosquitto(t, map[string]string{"dev-1": "right"})
	var r reports
	s := newMQTT(t, broker.URL, send.Credentials{"dev-1": "wrong"}, &r)
	require.NoError(t, s.Send(t.Context(), spot(t, "dev-1", 0, message.Native)))
	err := s.Idle(t.Context())
	require.ErrorIs(t, err, send.ErrFatal)
	require.ErrorContains(t, err, "dev-1")
	require.NoError(t, s.Close())
	require.Equal(t, 1, r.count(truth.Unacked))

	require.ErrorContains(t, s.Send(t.Context(), spot(t, "dev-2", 0, message.Native)), "dev-2 has no secret")
}

// What a broker never acknowledged is told when the sender is closed, and Send
// blocks instead of growing without bound.
func TestMQTTWithoutBroker(t *testing.T) {
	var r reports
	s := newMQTT(t, "tcp://127.0.0.1:1", nil, &r)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	n := 0
	for s.Send(ctx, spot(t, "dev-1", uint64(n), message.Native)) == nil {
		n++
	}
	require.Equal(t, send.MaxWaiting, n)
	require.NoError(t, s.Close())
	require.Equal(t, send.MaxWaiting, r.count(truth.Unacked))
}

func TestReadCredentials(t *testing.T) {
	c, err := send.ReadCredentials(strings.NewReader("# made by simpang\n\ndev-1:a:b\r\nbridge:c\n"))
	require.NoError(t, err)
	require.Equal(t, send.Credentials{"dev-1": "a:b", "bridge": "c"}, c)
	for text, want := range map[string]string{"dev-1": "line 1", "a:b\n:c": "line 2", "a:b\na:c": "line 2: a is there twice"} {
		_, err := send.ReadCredentials(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}
