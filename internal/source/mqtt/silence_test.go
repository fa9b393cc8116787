package mqtt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// A connection that looks alive and brings nothing is made anew; what the
// broker has sent into it, and what it holds for us, comes again.
func TestAConnectionThatDiedQuietlyIsMadeAnewAndLosesNothing(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "log_type all\nmax_inflight_messages 5")
	proxy := sourcetest.NewProxy(t, m.Addr)
	sink := sourcetest.NewSink(64)
	s, _ := start(t, proxy.Addr, sink, func(o *mqtt.Options) { o.MaxSilence = 700 * time.Millisecond })
	publish := device(t, m.Addr)
	publish("sg/v1/d1/up", `{"n":0}`)
	sink.TakeDone(t)
	sourcetest.Until(t, func() bool { return strings.Contains(m.Log(t), "Received PUBACK from simpang") }, "acknowledged")
	proxy.Deaden()
	for n := 1; n <= 20; n++ { // five are sent and lost, the others wait in the broker
		publish("sg/v1/d1/up", fmt.Sprintf(`{"n":%d}`, n))
	}
	for n := 1; n <= 20; n++ {
		require.JSONEq(t, fmt.Sprintf(`{"n":%d}`, n), string(sink.TakeDone(t).Payload))
	}
	sourcetest.Until(t, func() bool { return s.Status().Connects == 2 }, "subscribed again: messages may come before")
	require.Equal(t, uint64(1), s.Stats().Silences.Load())
	require.Equal(t, uint64(5), s.Stats().Redelivered.Load())
	status := s.Status()
	require.Equal(t, uint64(1), status.Restarts)
	require.Equal(t, uint64(21), status.Received)
	sourcetest.Until(t, func() bool { return s.Status().Unacked == 0 }, "all were finished")
}

// While we are the ones who hold messages back nothing is restarted, and each
// restart that brought nothing doubles the wait for the next.
func TestRestartsAreFewAndNotForOurOwnDelay(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "")
	sink := sourcetest.NewSink(64)
	s, _ := start(t, m.Addr, sink, func(o *mqtt.Options) { o.MaxSilence = 200 * time.Millisecond })
	device(t, m.Addr)("sg/v1/d1/up", "{}")
	taken := sink.Take(t)
	before := s.Stats().Silences.Load()
	time.Sleep(time.Second)
	require.Equal(t, before, s.Stats().Silences.Load(), "a message waits for its commit")
	require.Equal(t, 1, s.Status().Unacked)
	taken.Done(true)
	began := time.Now()
	sourcetest.Until(t, func() bool { return s.Stats().Silences.Load() == before+4 }, "silence")
	require.Greater(t, time.Since(began), (400+800+1600)*time.Millisecond) // the first wait began earlier
}
