package broker_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a-secret-of-the-tests"

// fixture is a running broker with device d1, device d2 and bridge b1.
type fixture struct {
	*broker.Source
	sink *sourcetest.Sink
	file string
	log  *bytes.Buffer
	stop func()
}

func decode(device string, payload []byte) wire.Decoded {
	if !bytes.HasPrefix(payload, []byte("{")) {
		return wire.Decoded{Refused: []city.Refusal{{Reason: city.ReasonNotJSON, Raw: payload}}}
	}
	return wire.Decoded{Readings: []city.Reading{{Device: device, Kind: city.KindSpot, Spot: &city.Spot{}}}}
}

func options(tb testing.TB, sink source.Sink) broker.Options {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "credentials")
	require.NoError(tb, os.WriteFile(file, []byte(
		"d1:"+broker.HashSecret(secret)+"\n"+
			"d2:"+broker.HashSecret(secret)+"\n"+
			"b1:"+broker.HashSecret(secret)+":sg/v1/a/up,sg/v1/+/up,sg/v1/+/status,sg/v1/x/#\n"), 0o600))
	return broker.Options{
		ID: "local", Listen: "127.0.0.1:0", CredentialsFile: file, Decode: decode, Sink: sink,
		CheckEvery: 20 * time.Millisecond,
	}
}

func start(t *testing.T, change ...func(*broker.Options)) *fixture {
	t.Helper()
	f := &fixture{sink: sourcetest.NewSink(64), log: &bytes.Buffer{}}
	o := options(t, f.sink)
	for _, c := range change {
		c(&o)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f.file = o.CredentialsFile
	var err error
	f.Source, err = broker.New(o)
	require.NoError(t, err)
	f.stop = sourcetest.Run(t, f.Source, true)
	return f
}

// client is logged in as user.
func (f *fixture) client(t *testing.T, user string, change ...func(*sourcetest.Hello)) *sourcetest.Client {
	t.Helper()
	h := sourcetest.Hello{User: user, Secret: secret}
	for _, c := range change {
		c(&h)
	}
	c := sourcetest.Dial(t, f.Addr(), nil)
	require.Zero(t, c.Hello(h).ReasonCode)
	return c
}

func v5(h *sourcetest.Hello)   { h.V5 = true }
func keep(h *sourcetest.Hello) { h.Keep = true }

func TestAckComesOnlyAfterDone(t *testing.T) {
	for _, version := range []func(*sourcetest.Hello){func(*sourcetest.Hello) {}, v5} {
		f := start(t)
		c := f.client(t, "d1", version)
		c.Publish("sg/v1/d1/up", []byte(`{"n":1}`), 1, 7)
		m := f.sink.Take(t)
		require.Equal(t, "d1", m.Device)
		require.Equal(t, "sg/v1/d1/up", m.Topic)
		require.Equal(t, "local", m.Source)
		require.JSONEq(t, `{"n":1}`, string(m.Payload))
		require.Len(t, m.Decoded.Readings, 1)
		c.Silent()
		m.Done(true)
		ack := c.Expect(packets.Puback)
		require.Equal(t, uint16(7), ack.PacketID)
		require.Zero(t, ack.ReasonCode)
		m.Done(true) // a second call is nothing
		c.Silent()
		require.Equal(t, uint64(1), f.Stats().Acked.Load())
	}
}

func TestAcksComeInTheOrderOfThePublishes(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1")
	var taken []source.Message
	for id := range 40 {
		c.Publish("sg/v1/d1/up", []byte("{}"), byte(1+id%2), uint16(100+id))
		taken = append(taken, f.sink.Take(t))
	}
	for i := len(taken) - 1; i > 0; i-- {
		taken[i].Done(true)
	}
	c.Silent()
	taken[0].Done(true)
	for id := range 40 {
		kind := packets.Puback
		if id%2 == 1 {
			kind = packets.Pubrec
		}
		require.Equal(t, uint16(100+id), c.Expect(kind).PacketID)
	}
}

func TestQoS0IsTakenWithoutAck(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1")
	c.Publish("sg/v1/d1/up", []byte("{}"), 0, 0)
	f.sink.TakeDone(t)
	c.Silent()
}

func TestQoS2(t *testing.T) {
	for _, version := range []func(*sourcetest.Hello){func(*sourcetest.Hello) {}, v5} {
		f := start(t)
		c := f.client(t, "d1", version, keep)
		c.Publish("sg/v1/d1/up", []byte("{}"), 2, 9)
		m := f.sink.Take(t)
		c.Silent()
		m.Done(true)
		require.Equal(t, uint16(9), c.Expect(packets.Pubrec).PacketID)
		c.Close()

		// The PUBREC was lost: the client sends again in the same session.
		c = f.client(t, "d1", version, keep)
		c.Publish("sg/v1/d1/up", []byte("{}"), 2, 9, func(pk *packets.Packet) { pk.FixedHeader.Dup = true })
		ack := c.Expect(packets.Pubrec)
		require.Equal(t, uint16(9), ack.PacketID)
		require.Zero(t, ack.ReasonCode)
		f.sink.None(t)
		c.Ack(packets.Pubrel, 9)
		require.Equal(t, uint16(9), c.Expect(packets.Pubcomp).PacketID)

		// The identifier is free again.
		c.Publish("sg/v1/d1/up", []byte("{}"), 2, 9)
		f.sink.TakeDone(t)
		c.Expect(packets.Pubrec)
		c.Ack(packets.Pubrel, 9)
		c.Expect(packets.Pubcomp)

		// A PUBREL of which nothing is known is answered too.
		c.Ack(packets.Pubrel, 77)
		require.Equal(t, uint16(77), c.Expect(packets.Pubcomp).PacketID)

		// A clean start forgets what awaited PUBREL.
		c.Publish("sg/v1/d1/up", []byte("{}"), 2, 10)
		f.sink.TakeDone(t)
		c.Expect(packets.Pubrec)
		c.Close()
		c = f.client(t, "d1", version)
		c.Publish("sg/v1/d1/up", []byte("{}"), 2, 10)
		f.sink.TakeDone(t)
		c.Expect(packets.Pubrec)
	}
}

// A device that lost its memory counts its identifiers anew in the session that
// it still has: what it does not call sent again is another message.
func TestQoS2OfADeviceThatLostItsMemory(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1", keep)
	c.Publish("sg/v1/d1/up", []byte(`{"seq":1}`), 2, 1)
	f.sink.TakeDone(t)
	c.Expect(packets.Pubrec)
	c.Close() // no PUBREL: it reboots

	c = f.client(t, "d1", keep)
	c.Publish("sg/v1/d1/up", []byte(`{"seq":2}`), 2, 1)
	m := f.sink.Take(t)
	require.JSONEq(t, `{"seq":2}`, string(m.Payload))
	c.Silent()
	m.Done(true)
	c.Expect(packets.Pubrec)
	c.Ack(packets.Pubrel, 1)
	c.Expect(packets.Pubcomp)
}

func TestNotTakenEndsTheConnection(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1", v5)
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 2)
	first, second := f.sink.Take(t), f.sink.Take(t)
	first.Done(false)
	second.Done(true)
	require.Equal(t, packets.ErrServerBusy.Code, c.Ended())
	require.Zero(t, f.Stats().Acked.Load())

	old := f.client(t, "d1")
	old.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	f.sink.Take(t).Done(false)
	require.Zero(t, old.Ended(), "MQTT 3.1.1 knows no DISCONNECT from a server")
}

func TestAckOfAClientThatWentIsDropped(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1")
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	m := f.sink.Take(t)
	c.Close()
	sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "the connection did not end")
	m.Done(true)
	c = f.client(t, "d1")
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 5)
	f.sink.TakeDone(t)
	require.Equal(t, uint16(5), c.Expect(packets.Puback).PacketID)
}

func TestAFullSinkHoldsTheClientBack(t *testing.T) {
	const window, queue, all = 8, 4, 100
	sink := sourcetest.NewSink(queue)
	f := start(t, func(o *broker.Options) { o.Sink, o.Window = sink, window })
	c := f.client(t, "d1")
	for id := range all {
		c.Publish("sg/v1/d1/up", []byte("{}"), 1, uint16(id+1))
	}
	sourcetest.Until(t, func() bool { return sink.Len() == queue }, "the queue did not fill")
	var taken []source.Message
	for range window {
		taken = append(taken, sink.Take(t))
	}
	sink.None(t) // the window is full
	for i := range all {
		taken[0].Done(true)
		require.Equal(t, uint16(i+1), c.Expect(packets.Puback).PacketID)
		taken = taken[1:]
		if i+window < all {
			taken = append(taken, sink.Take(t))
		}
	}
}

func TestMemoryInFlightIsBounded(t *testing.T) {
	sink := sourcetest.NewSink(64)
	f := start(t, func(o *broker.Options) { o.Sink, o.MaxInFlight = sink, 300<<10 })
	a, b := f.client(t, "d1"), f.client(t, "d2")
	body := bytes.Repeat([]byte(" "), 60<<10)
	body[0] = '{'
	for id := range uint16(4) {
		a.Publish("sg/v1/d1/up", body, 1, id+1)
	}
	b.Publish("sg/v1/d2/up", body, 1, 1)
	sourcetest.Until(t, func() bool { return sink.Len() == 4 }, "four fit")
	m := sink.Take(t)
	time.Sleep(sourcetest.Quiet)
	require.Equal(t, 3, sink.Len(), "the fifth does not fit until one is done")
	m.Done(true)
	for range 4 {
		sink.TakeDone(t)
	}
	for id := range uint16(4) {
		require.Equal(t, id+1, a.Expect(packets.Puback).PacketID)
	}
	b.Expect(packets.Puback)
}

func TestLargePayloads(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1", v5)
	fits := append([]byte("{"), bytes.Repeat([]byte("x"), source.MaxPayload-1)...)
	c.Publish("sg/v1/d1/up", fits, 1, 1)
	m := f.sink.TakeDone(t)
	require.Len(t, m.Decoded.Readings, 1)
	require.True(t, bytes.Equal(fits, m.Payload))
	c.Expect(packets.Puback)

	for id, size := range []int{source.MaxPayload + 1, source.MaxRead} {
		c.Publish("sg/v1/d1/up", bytes.Repeat([]byte("{"), size), 1, uint16(id+2))
		m = f.sink.TakeDone(t)
		require.Equal(t, city.ReasonTooLarge, m.Decoded.Refused[0].Reason)
		require.Len(t, m.Decoded.Refused[0].Raw, source.MaxPayload)
		require.Zero(t, c.Expect(packets.Puback).ReasonCode)
	}
	_ = c.Write(sourcetest.Encode(t, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 5,
		TopicName: "sg/v1/d1/up", PacketID: 9, Payload: make([]byte, source.MaxRead+1),
	}))
	require.Equal(t, packets.ErrPacketTooLarge.Code, c.Ended())
	f.sink.None(t)
	require.Equal(t, uint64(2), f.Stats().TooLarge.Load())
}

func TestUnreadablePayloadIsAcked(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1", v5)
	c.Publish("sg/v1/d1/up", []byte("no json"), 1, 1)
	m := f.sink.TakeDone(t)
	require.Equal(t, city.ReasonNotJSON, m.Decoded.Refused[0].Reason)
	require.Zero(t, c.Expect(packets.Puback).ReasonCode)
}

func TestAMessageInPieces(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1", v5)
	whole := sourcetest.Encode(t, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 5,
		TopicName: "sg/v1/d1/up", PacketID: 9, Payload: []byte(strings.Repeat("{", 300)),
		Properties: packets.Properties{User: []packets.UserProperty{{Key: "k", Val: "v"}}, ContentType: "application/json"},
	})
	for _, b := range whole {
		require.NoError(t, c.Write([]byte{b}))
	}
	require.Len(t, f.sink.TakeDone(t).Payload, 300)
	c.Expect(packets.Puback)

	many := bytes.Repeat(whole, 50)
	require.NoError(t, c.Write(many))
	for range 50 {
		f.sink.TakeDone(t)
	}
	for range 50 {
		c.Expect(packets.Puback)
	}
	c.Send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	c.Expect(packets.Pingresp)
}

func TestPublishBeforeTheConnack(t *testing.T) {
	f := start(t)
	c := sourcetest.Dial(t, f.Addr(), nil)
	connect := sourcetest.Encode(t, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 4,
		Connect: packets.ConnectParams{
			ProtocolName: []byte("MQTT"), ClientIdentifier: "x", Clean: true, Keepalive: 60,
			UsernameFlag: true, Username: []byte("d1"), PasswordFlag: true, Password: []byte(secret),
		},
	})
	publish := sourcetest.Encode(t, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
		TopicName: "sg/v1/d1/up", PacketID: 9, Payload: []byte("{}"),
	})
	require.NoError(t, c.Write(append(connect, publish...)))
	require.Zero(t, c.Expect(packets.Connack).ReasonCode)
	f.sink.TakeDone(t)
	c.Expect(packets.Puback)
}

func TestCloseEndsEverything(t *testing.T) {
	f := start(t)
	c := f.client(t, "d1", v5)
	waiting := sourcetest.Dial(t, f.Addr(), nil) // never says a word
	c.Publish("sg/v1/d1/up", []byte("{}"), 1, 1)
	m := f.sink.Take(t)
	f.stop()
	require.Equal(t, packets.ErrServerShuttingDown.Code, c.Ended())
	require.Zero(t, waiting.Ended())
	m.Done(true)
	require.False(t, f.Status().Connected)
	require.Error(t, f.Publish("d1", nil))
}

func TestStopWhileTheSinkIsFull(t *testing.T) {
	sink := sourcetest.NewSink(0)
	f := start(t, func(o *broker.Options) { o.Sink = sink })
	c := f.client(t, "d1")
	for id := range uint16(5) {
		c.Publish("sg/v1/d1/up", []byte("{}"), 1, id+1)
	}
	f.stop()
	c.Ended()
}

func TestLimits(t *testing.T) {
	t.Run("connect timeout", func(t *testing.T) {
		f := start(t, func(o *broker.Options) { o.ConnectTimeout = 50 * time.Millisecond })
		sourcetest.Dial(t, f.Addr(), nil).Ended()
	})
	t.Run("clients", func(t *testing.T) {
		f := start(t, func(o *broker.Options) { o.MaxClients = 1 })
		f.client(t, "d1")
		c := sourcetest.Dial(t, f.Addr(), nil)
		require.NotZero(t, c.Hello(sourcetest.Hello{User: "d2", Secret: secret}).ReasonCode)
		c.Ended()
	})
	t.Run("a client that comes back to a full broker", func(t *testing.T) {
		f := start(t, func(o *broker.Options) { o.MaxClients = 1 })
		before := f.client(t, "d1") // its link may be half open: nobody can tell
		f.client(t, "d1")
		before.Ended()
		c := sourcetest.Dial(t, f.Addr(), nil)
		require.Equal(t, packets.ErrServerBusy.Code, c.Hello(sourcetest.Hello{V5: true, User: "d2", Secret: secret}).ReasonCode)
		require.Equal(t, 1, f.Status().Connections)
	})
	t.Run("pending", func(t *testing.T) {
		f := start(t, func(o *broker.Options) { o.MaxPending, o.ConnectTimeout = 1, 200*time.Millisecond })
		silent := sourcetest.Dial(t, f.Addr(), nil)
		f.client(t, "d1") // served once the silent one is cut
		silent.Ended()
	})
	t.Run("sessions of one user", func(t *testing.T) {
		f := start(t, func(o *broker.Options) { o.MaxPerUser = 2 })
		id := func(id string) func(*sourcetest.Hello) {
			return func(h *sourcetest.Hello) { h.ID, h.Keep = id, true }
		}
		f.client(t, "d1", id("a"))
		f.client(t, "d1", id("b")).Close()
		sourcetest.Until(t, func() bool { return f.Status().Connections == 1 }, "b is still there")
		f.client(t, "d1", id("c")) // in place of b, which is away
		require.Equal(t, uint64(1), f.Stats().Evicted.Load())
		c := sourcetest.Dial(t, f.Addr(), nil)
		require.Equal(t, packets.ErrQuotaExceeded.Code, c.Hello(sourcetest.Hello{V5: true, ID: "e", User: "d1", Secret: secret}).ReasonCode)
	})
	t.Run("sessions in all", func(t *testing.T) {
		f := start(t, func(o *broker.Options) { o.MaxSessions = 1 })
		f.client(t, "d1", keep).Close()
		sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "d1 is still there")
		f.client(t, "d2", keep)
		c := sourcetest.Dial(t, f.Addr(), nil)
		require.Equal(t, byte(3), c.Hello(sourcetest.Hello{User: "d1", Secret: secret}).ReasonCode)
	})
	t.Run("keep-alive", func(t *testing.T) {
		f := start(t)
		c := f.client(t, "d1", func(h *sourcetest.Hello) { h.KeepAlive = 1 })
		began := time.Now()
		c.Ended()
		require.Greater(t, time.Since(began), 1500*time.Millisecond)
	})
	t.Run("garbage", func(t *testing.T) {
		f := start(t)
		c := sourcetest.Dial(t, f.Addr(), nil)
		require.NoError(t, c.Write([]byte("GET / HTTP/1.1\r\n\r\n")))
		c.Ended()
		c = f.client(t, "d1")
		require.NoError(t, c.Write([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 0xff}))
		c.Ended()
	})
}

func TestASessionExpires(t *testing.T) {
	f := start(t, func(o *broker.Options) { o.SessionExpiry = time.Second })
	for _, version := range []func(*sourcetest.Hello){func(*sourcetest.Hello) {}, v5} {
		c := f.client(t, "d1", keep, version)
		require.Equal(t, byte(1), c.Subscribe("sg/v1/d1/down")[0])
		require.NoError(t, f.Publish("d1", []byte("x")))
		c.Close()
		sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "still there")
		require.NoError(t, f.Publish("d1", []byte("while away")))
		sourcetest.Until(t, func() bool { return f.Publish("d1", nil) != nil }, "the session did not end")
		require.ErrorIs(t, f.Publish("d1", nil), broker.ErrNotSubscribed)
		again := sourcetest.Dial(t, f.Addr(), nil)
		require.False(t, again.Hello(sourcetest.Hello{User: "d1", Secret: secret, Keep: true}).SessionPresent)
		again.Close()
		sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "still there")
	}
}

func TestHowLongASessionLives(t *testing.T) {
	f := start(t, func(o *broker.Options) { o.SessionExpiry = 90 * time.Second })
	c := sourcetest.Dial(t, f.Addr(), nil)
	ack := c.Hello(sourcetest.Hello{V5: true, User: "d1", Secret: secret, Keep: true}) // asks for an hour
	require.Equal(t, uint32(90), ack.Properties.SessionExpiryInterval)
	require.Equal(t, byte(1), c.Subscribe("sg/v1/d1/down")[0])
	bye := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}}
	bye.Properties.SessionExpiryInterval, bye.Properties.SessionExpiryIntervalFlag = 1, true
	c.Send(bye)
	c.Ended()
	require.NoError(t, f.Publish("d1", nil), "it still lives")
	sourcetest.Until(t, func() bool { return f.Publish("d1", nil) != nil }, "the DISCONNECT made it shorter")

	c = f.client(t, "d1", keep, v5)
	require.Equal(t, byte(1), c.Subscribe("sg/v1/d1/down")[0])
	bye.Properties.SessionExpiryInterval = 0
	c.Send(bye)
	c.Ended()
	sourcetest.Until(t, func() bool { return f.Publish("d1", nil) != nil }, "ended at once")

	c = f.client(t, "d1", v5)
	require.Equal(t, byte(1), c.Subscribe("sg/v1/d1/down")[0])
	bye.Properties.SessionExpiryInterval = 1
	c.Send(bye)
	require.Equal(t, packets.ErrProtocolViolation.Code, c.Ended(), "a session without expiry gets none later")
}

func TestStatusesKeptAreBounded(t *testing.T) {
	f := start(t, func(o *broker.Options) { o.MaxRetained = 25 }) // mochi's own 20 are among them
	c := f.client(t, "b1")
	retain := func(pk *packets.Packet) { pk.FixedHeader.Retain = true }
	for n := range uint16(10) {
		c.Publish("sg/v1/d"+strconv.Itoa(int(n))+"/status", []byte("on"), 1, n+1, retain)
		require.Equal(t, n+1, c.Expect(packets.Puback).PacketID)
	}
	require.Equal(t, "on", f.Retained("d4"))
	require.Empty(t, f.Retained("d5"), "no room: delivered, not kept")
	c.Publish("sg/v1/d4/status", []byte("off"), 1, 20, retain)
	c.Expect(packets.Puback)
	require.Equal(t, "off", f.Retained("d4"), "what is known is kept up")
}

func TestPublishesKeepAConnectionAlive(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go f.sink.Drain(ctx)
	c := f.client(t, "d1", func(h *sourcetest.Hello) { h.KeepAlive = 2 })
	for id := range uint16(12) {
		c.Publish("sg/v1/d1/up", []byte("{}"), 1, id+1)
		c.Expect(packets.Puback)
		time.Sleep(400 * time.Millisecond)
	}
}

func TestASlowReaderIsCut(t *testing.T) {
	f := start(t, func(o *broker.Options) { o.WriteTimeout = 50 * time.Millisecond })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go f.sink.Drain(ctx)
	c := f.client(t, "d1")
	publish := sourcetest.Encode(t, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
		TopicName: "sg/v1/d1/up", PacketID: 9, Payload: []byte("{}"),
	})
	block := bytes.Repeat(publish, 1000)
	var err error
	for i := 0; err == nil && i < 20_000; i++ { // acks fill the buffers of the network and then block
		err = c.Write(block)
	}
	require.Error(t, err)
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := broker.New(broker.Options{TLSListen: "127.0.0.1:0", Window: -1})
	for _, what := range []string{"id", "cert_file", "credentials_file", "decoder", "sink", "window"} {
		require.ErrorContains(t, err, what)
	}
}

func TestPortInUse(t *testing.T) {
	f := start(t)
	o := options(t, f.sink)
	o.Listen = f.Addr()
	other, err := broker.New(o)
	require.NoError(t, err)
	require.ErrorContains(t, other.Run(t.Context()), "another program uses it")
	require.ErrorContains(t, other.Listen(t.Context()), "cannot listen on "+f.Addr())
}
