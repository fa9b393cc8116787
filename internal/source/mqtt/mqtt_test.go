package mqtt_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/mqtt"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func decode(device string, payload []byte) wire.Decoded {
	if !bytes.HasPrefix(payload, []byte("{")) {
		return wire.Decoded{Refused: []city.Refusal{{Reason: city.ReasonNotJSON, Raw: payload}}}
	}
	return wire.Decoded{Readings: []city.Reading{{Device: device, Kind: city.KindSpot, Spot: &city.Spot{}}}}
}

func options(addr string, sink source.Sink) mqtt.Options {
	return mqtt.Options{
		ID: "outside", City: "bekasi", URL: "tcp://" + addr, Topics: []string{"sg/v1/+/up"}, Decode: decode, Sink: sink,
		MinBackoff: 5 * time.Millisecond, MaxBackoff: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
}

func start(t *testing.T, addr string, sink source.Sink, change ...func(*mqtt.Options)) (*mqtt.Source, func()) {
	t.Helper()
	o := options(addr, sink)
	for _, c := range change {
		c(&o)
	}
	s, err := mqtt.New(o)
	require.NoError(t, err)
	return s, sourcetest.Run(t, s, true)
}

// device publishes at QoS 1 and waits for the broker's ack of each.
func device(t *testing.T, addr string) func(topic, payload string) {
	t.Helper()
	c := sourcetest.Dial(t, addr, nil)
	require.Zero(t, c.Hello(sourcetest.Hello{ID: fmt.Sprintf("device-%d", time.Now().UnixNano())}).ReasonCode)
	var id uint16
	return func(topic, payload string) {
		t.Helper()
		id++
		c.Publish(topic, []byte(payload), 1, id)
		require.Equal(t, id, c.Expect(packets.Puback).PacketID)
	}
}

func TestAckComesOnlyAfterDone(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "log_type all")
	sink := sourcetest.NewSink(16)
	s, _ := start(t, m.Addr, sink)
	device(t, m.Addr)("sg/v1/d1/up", `{"n":1}`)
	got := sink.Take(t)
	require.Equal(t, "outside", got.Source)
	require.Equal(t, "d1", got.Device)
	require.Equal(t, "sg/v1/d1/up", got.Topic)
	require.JSONEq(t, `{"n":1}`, string(got.Payload))
	require.Len(t, got.Decoded.Readings, 1)
	const ack = "Received PUBACK from simpang-bekasi-outside"
	time.Sleep(sourcetest.Quiet)
	require.NotContains(t, m.Log(t), ack)
	got.Done(true)
	sourcetest.Until(t, func() bool { return strings.Contains(m.Log(t), ack) }, "no PUBACK came")
	got.Done(true)
	require.Equal(t, uint64(1), s.Stats().Acked.Load())
	require.False(t, s.Status().LastMessage.IsZero())
}

func TestAcksComeInOrder(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "log_type all")
	sink := sourcetest.NewSink(16)
	start(t, m.Addr, sink)
	publish := device(t, m.Addr)
	var taken []source.Message
	for range 10 {
		publish("sg/v1/d1/up", "{}")
		taken = append(taken, sink.Take(t))
	}
	for _, got := range slices.Backward(taken) {
		got.Done(true)
	}
	ack := "Received PUBACK from simpang-bekasi-outside (Mid: "
	sourcetest.Until(t, func() bool { return strings.Count(m.Log(t), ack) == 10 }, "acks are missing")
	var order []string
	for line := range strings.Lines(m.Log(t)) {
		if _, mid, ok := strings.Cut(line, ack); ok {
			id, _, _ := strings.Cut(mid, ",")
			order = append(order, id)
		}
	}
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}, order)
}

func TestWhatWasNotAckedComesAgain(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "log_type all")
	sink := sourcetest.NewSink(64)
	_, stop := start(t, m.Addr, sink)
	publish := device(t, m.Addr)
	for n := range 20 {
		publish("sg/v1/d1/up", fmt.Sprintf(`{"n":%d}`, n))
	}
	for range 10 {
		sink.TakeDone(t)
	}
	var last source.Message
	for range 10 {
		last = sink.Take(t) // never done
	}
	require.JSONEq(t, `{"n":19}`, string(last.Payload))
	stop() // the last acks go out first
	sourcetest.Until(t, func() bool { return strings.Contains(m.Log(t), "Received DISCONNECT from simpang") }, "no DISCONNECT")
	require.Equal(t, 10, strings.Count(m.Log(t), "Received PUBACK from simpang"))
	last.Done(true) // too late
	for n := 20; n < 25; n++ {
		publish("sg/v1/d1/up", fmt.Sprintf(`{"n":%d}`, n)) // while nobody is there
	}
	s, _ := start(t, m.Addr, sink)
	for n := 10; n < 25; n++ {
		require.JSONEq(t, fmt.Sprintf(`{"n":%d}`, n), string(sink.TakeDone(t).Payload))
	}
	require.Equal(t, uint64(10), s.Stats().Redelivered.Load())
	sink.None(t)
}

func TestNotTakenComesAgainOnANewConnection(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "")
	sink := sourcetest.NewSink(64)
	s, _ := start(t, m.Addr, sink)
	publish := device(t, m.Addr)
	publish("sg/v1/d1/up", `{"n":1}`)
	publish("sg/v1/d1/up", `{"n":2}`)
	first, second := sink.Take(t), sink.Take(t)
	second.Done(true)
	first.Done(false)
	require.JSONEq(t, `{"n":1}`, string(sink.TakeDone(t).Payload))
	require.JSONEq(t, `{"n":2}`, string(sink.TakeDone(t).Payload))
	require.Equal(t, uint64(1), s.Stats().NotTaken.Load())
	sourcetest.Until(t, func() bool { return s.Stats().Connects.Load() == 2 }, "a new connection")
}

func TestBrokerRestartsMidStream(t *testing.T) {
	for name, end := range map[string]func(*sourcetest.Mosquitto, testing.TB){
		"stop": (*sourcetest.Mosquitto).Stop, "kill": (*sourcetest.Mosquitto).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			m := sourcetest.NewMosquitto(t, "")
			sink := sourcetest.NewSink(64)
			s, _ := start(t, m.Addr, sink)
			seen := map[string]bool{}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			messages := make(chan string, 1000)
			go func() {
				for ctx.Err() == nil {
					select {
					case msg := <-sink.Messages():
						msg.Done(true)
						messages <- string(msg.Payload)
					case <-ctx.Done():
					}
				}
			}()
			publish := device(t, m.Addr)
			for n := range 100 {
				publish("sg/v1/d1/up", fmt.Sprintf(`{"n":%d}`, n))
			}
			time.Sleep(1100 * time.Millisecond) // autosave of the sessions
			end(m, t)
			sourcetest.Until(t, func() bool { return !s.Status().Connected }, "the loss was not seen")
			require.Contains(t, s.Status().Detail, "connect")
			m.Start(t)
			sourcetest.Until(t, func() bool { return s.Status().Connected }, "it did not come back")
			publish = device(t, m.Addr)
			for n := 100; n < 200; n++ {
				publish("sg/v1/d1/up", fmt.Sprintf(`{"n":%d}`, n))
			}
			for len(seen) < 200 {
				select {
				case p := <-messages:
					seen[p] = true
				case <-time.After(sourcetest.Wait):
					require.FailNow(t, "lost", "only %d of 200", len(seen))
				}
			}
		})
	}
}

func TestBrokerAbsentAtTheStart(t *testing.T) {
	addr := fmt.Sprintf("127.0.0.1:%d", sourcetest.FreePort(t))
	s, err := mqtt.New(options(addr, sourcetest.NewSink(1)))
	require.NoError(t, err)
	stop := sourcetest.Run(t, s, false)
	sourcetest.Until(t, func() bool { return s.Stats().Failures.Load() > 2 }, "it did not try again")
	require.Contains(t, s.Status().Detail, "connection refused")
	require.False(t, s.Status().Connected)
	stop()
}

func TestAFullSinkHoldsTheBrokerBackAndTheLinkLives(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "max_inflight_messages 0")
	sink := sourcetest.NewSink(0)
	s, _ := start(t, m.Addr, sink, func(o *mqtt.Options) { o.Window, o.KeepAlive = 8, time.Second })
	publish := device(t, m.Addr)
	const all = 300
	body := strings.Repeat("x", 10_000)
	for n := range all {
		publish("sg/v1/d1/up", fmt.Sprintf(`{"n":%d,"x":%q}`, n, body))
	}
	sourcetest.Until(t, func() bool { return s.Stats().Received.Load() == 8 }, "the window")
	time.Sleep(4 * time.Second) // four keep-alives
	require.Equal(t, uint64(8), s.Stats().Received.Load())
	require.Equal(t, uint64(1), s.Stats().Connects.Load(), "%+v", s.Status())
	for n := range all {
		require.Contains(t, string(sink.TakeDone(t).Payload[:20]), fmt.Sprintf(`{"n":%d,`, n))
	}
	require.Equal(t, uint64(1), s.Stats().Connects.Load())
}

func TestSilence(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "")
	sink := sourcetest.NewSink(64)
	s, _ := start(t, m.Addr, sink, func(o *mqtt.Options) { o.MaxSilence = 2 * time.Second })
	publish := device(t, m.Addr)
	for range 12 { // no silence yet
		publish("sg/v1/d1/up", "{}")
		sink.TakeDone(t)
		time.Sleep(250 * time.Millisecond)
	}
	require.Equal(t, uint64(1), s.Stats().Connects.Load())
	sourcetest.Until(t, func() bool { return s.Stats().Connects.Load() > 2 }, "silence did not bring a new connection")
	require.Contains(t, s.Status().Detail, "no message")
	sourcetest.Until(t, func() bool {
		publish("sg/v1/d1/up", "{}")
		sink.TakeDone(t)
		return s.Status().Detail == ""
	}, "a message ends the silence")
}

func TestPayloadsThatAreSetAside(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "")
	sink := sourcetest.NewSink(64)
	s, _ := start(t, m.Addr, sink, func(o *mqtt.Options) { o.Topics = []string{"sg/v1/+/up", "plain", "deep/#"} })
	publish := device(t, m.Addr)
	tests := []struct {
		name, topic string
		size        int
		reason      city.Reason
		kept, raw   int
	}{
		{"not JSON", "sg/v1/d1/up", 10, city.ReasonNotJSON, 10, 10},
		{"too large", "sg/v1/d1/up", source.MaxPayload + 1, city.ReasonTooLarge, source.MaxPayload + 1, source.MaxPayload},
		{"far too large", "sg/v1/d1/up", 1 << 20, city.ReasonTooLarge, source.MaxRead, source.MaxPayload},
		{"no device", "plain", 10, city.ReasonBadTopic, 10, 10},
		{"long topic", "deep/" + strings.Repeat("x", 5000), 10, city.ReasonBadTopic, 10, 10},
		{"empty", "sg/v1/d1/up", 0, city.ReasonNotJSON, 0, 0},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			publish(tt.topic, strings.Repeat("x", tt.size))
			got := sink.TakeDone(t)
			require.Equal(t, tt.reason, got.Decoded.Refused[0].Reason)
			require.Len(t, got.Payload, tt.kept)
			require.Len(t, got.Decoded.Refused[0].Raw, tt.raw)
			sourcetest.Until(t, func() bool { return s.Stats().Acked.Load() == uint64(i+1) }, "it is acked")
		})
	}
	publish("sg/v1/d1/up", "{}")
	require.Len(t, sink.TakeDone(t).Decoded.Readings, 1)
	require.Equal(t, uint64(1), s.Stats().Connects.Load())
}

func TestTopicsThatLeftAreUnsubscribed(t *testing.T) {
	m := sourcetest.NewMosquitto(t, "")
	sink := sourcetest.NewSink(64)
	file := filepath.Join(t.TempDir(), "sources", "outside.topics")
	_, stop := start(t, m.Addr, sink, func(o *mqtt.Options) {
		o.TopicsFile, o.Topics = file, []string{"sg/v1/+/up", "old/+"}
	})
	publish := device(t, m.Addr)
	publish("old/d1", "{}")
	require.Equal(t, "d1", sink.TakeDone(t).Device)
	stop()
	start(t, m.Addr, sink, func(o *mqtt.Options) { o.TopicsFile = file })
	publish("old/d1", "{}")
	publish("sg/v1/d2/up", "{}")
	require.Equal(t, "d2", sink.TakeDone(t).Device)
	sink.None(t)
}

func TestLogIn(t *testing.T) {
	dir := t.TempDir()
	passwords, rules, file := filepath.Join(dir, "passwd"), filepath.Join(dir, "acl"), filepath.Join(dir, "secret")
	sourcetest.MosquittoPassword(t, passwords, "gateway", "right")
	require.NoError(t, os.WriteFile(rules, []byte("user gateway\ntopic read sg/v1/+/up\n"), 0o600))
	m := sourcetest.NewMosquitto(t, "allow_anonymous false\npassword_file "+passwords+"\nacl_file "+rules)
	require.NoError(t, os.WriteFile(file, []byte("wrong\n"), 0o600))
	o := options(m.Addr, sourcetest.NewSink(1))
	var log bytes.Buffer
	o.Username, o.PasswordFile, o.Log = "gateway", file, slog.New(slog.NewTextHandler(&log, nil))
	o.Topics = append(o.Topics, "elsewhere/+")
	s, err := mqtt.New(o)
	require.NoError(t, err)
	stop := sourcetest.Run(t, s, false)
	sourcetest.Until(t, func() bool { return strings.Contains(s.Status().Detail, "check username and password_file") }, "%+v", s)
	require.False(t, s.Status().Connected)

	// The file is set right: no restart is needed.
	require.NoError(t, os.WriteFile(file, []byte("right\r\n"), 0o600))
	sourcetest.Until(t, func() bool { return s.Status().Connected }, "the right password")
	stop()
	require.NotContains(t, log.String(), "wrong")
	require.NotContains(t, log.String(), "right\n")
}

// Mosquitto grants everything and then delivers nothing; ours says no.
func TestTopicsThatAreNotGranted(t *testing.T) {
	credentials := filepath.Join(t.TempDir(), "credentials")
	issued, err := broker.IssueBridge(credentials, "b1", []string{"sg/v1/x/#"})
	require.NoError(t, err)
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte(issued.Secret), 0o600))
	local, err := broker.New(broker.Options{
		ID: "local", Listen: "127.0.0.1:0", CredentialsFile: credentials, Decode: decode, Sink: sourcetest.NewSink(1),
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	sourcetest.Run(t, local, true)
	logIn := func(topics ...string) func(*mqtt.Options) {
		return func(o *mqtt.Options) { o.Username, o.PasswordFile, o.Topics = "b1", password, topics }
	}

	sink := sourcetest.NewSink(4)
	s, stop := start(t, local.Addr(), sink, logIn("sg/v1/x/down", "sg/v1/+/up"))
	require.Contains(t, s.Status().Detail, "does not grant sg/v1/+/up")
	require.NoError(t, local.Publish("x", []byte("{}")))
	require.Equal(t, "x", sink.TakeDone(t).Device)
	stop()

	o := options(local.Addr(), sink)
	logIn("sg/v1/+/up")(&o)
	s, err = mqtt.New(o)
	require.NoError(t, err)
	sourcetest.Run(t, s, false)
	sourcetest.Until(t, func() bool { return strings.Contains(s.Status().Detail, "none of the topics") }, "%+v", s)
}

func TestTLSAndWebSockets(t *testing.T) {
	pki, other := sourcetest.NewPKI(t), sourcetest.NewPKI(t)
	cert, key := pki.Issue(t, "broker")
	clientCert, clientKey := pki.Issue(t, "gateway")
	tlsPort, wsPort, wssPort := sourcetest.FreePort(t), sourcetest.FreePort(t), sourcetest.FreePort(t)
	secure := fmt.Sprintf("cafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nallow_anonymous true\n", pki.CAFile, cert, key)
	m := sourcetest.NewMosquitto(t, fmt.Sprintf("listener %d 127.0.0.1\n%slistener %d 127.0.0.1\nprotocol websockets\nlistener %d 127.0.0.1\nprotocol websockets\n%s",
		tlsPort, secure, wsPort, wssPort, secure))
	publish := device(t, m.Addr)
	withTLS := func(o *mqtt.Options) { o.CAFile, o.CertFile, o.KeyFile = pki.CAFile, clientCert, clientKey }
	for url, change := range map[string]func(*mqtt.Options){
		fmt.Sprintf("ssl://127.0.0.1:%d", tlsPort):      withTLS,
		fmt.Sprintf("ws://127.0.0.1:%d/mqtt", wsPort):   func(*mqtt.Options) {},
		fmt.Sprintf("wss://127.0.0.1:%d/mqtt", wssPort): withTLS,
	} {
		t.Run(url[:3], func(t *testing.T) {
			sink := sourcetest.NewSink(64)
			_, stop := start(t, "", sink, change, func(o *mqtt.Options) { o.URL, o.ClientID = url, "x"+url[:3] })
			publish("sg/v1/d1/up", strings.Repeat("{", 3000))
			require.Len(t, sink.TakeDone(t).Payload, 3000)
			stop()
		})
	}
	for name, tt := range map[string]struct {
		change func(*mqtt.Options)
		says   string
	}{
		"unknown authority": {func(o *mqtt.Options) { o.CAFile = other.CAFile }, "ca_file"},
		"no certificate":    {func(o *mqtt.Options) { o.CAFile = pki.CAFile }, "certificate"},
		"other name":        {func(o *mqtt.Options) { withTLS(o); o.URL = strings.Replace(o.URL, "127.0.0.1", "localhost", 1) }, "url must name the broker"},
		"no such file":      {func(o *mqtt.Options) { o.CAFile = "/nowhere" }, "ca_file"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options("", sourcetest.NewSink(1))
			o.URL = fmt.Sprintf("ssl://127.0.0.1:%d", tlsPort)
			tt.change(&o)
			s, err := mqtt.New(o)
			require.NoError(t, err)
			sourcetest.Run(t, s, false)
			sourcetest.Until(t, func() bool { return strings.Contains(s.Status().Detail, tt.says) }, "%s", name)
			require.False(t, s.Status().Connected)
		})
	}
}

func TestStopWhileConnecting(t *testing.T) {
	addr := sourcetest.BlackHole(t)
	for _, scheme := range []string{"tcp", "ssl", "ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			o := options("", sourcetest.NewSink(1))
			o.URL = scheme + "://" + addr
			s, err := mqtt.New(o)
			require.NoError(t, err)
			stop := sourcetest.Run(t, s, false)
			time.Sleep(50 * time.Millisecond) // it is waiting for an answer
			began := time.Now()
			stop()
			require.Less(t, time.Since(began), 5*time.Second)
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	o := mqtt.Options{URL: "http://u:p4ss@x", CertFile: "c", PasswordFile: "p", Topics: []string{"a/#/b"}, KeepAlive: time.Millisecond}
	_, err := mqtt.New(o)
	for _, what := range []string{"id", "url must be", "key_file", "username", "topic filter", "decoder", "sink", "whole seconds"} {
		require.ErrorContains(t, err, what)
	}
	require.NotContains(t, err.Error(), "p4ss")
	o.URL = "tcp://u:p4ss@x"
	_, err = mqtt.New(o)
	require.ErrorContains(t, err, "no user in the url")
	require.NotContains(t, err.Error(), "p4ss")
}
