package broker_test

import (
	"bytes"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

func TestLogIn(t *testing.T) {
	var log bytes.Buffer
	f := start(t, func(o *broker.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	for name, h := range map[string]sourcetest.Hello{
		"wrong secret":   {User: "d1", Secret: "not-the-secret-of-d1"},
		"other's secret": {User: "nobody", Secret: secret},
		"no secret":      {User: "d1"},
		"no user":        {ID: "d1"},
	} {
		t.Run(name, func(t *testing.T) {
			c := sourcetest.Dial(t, f.Addr(), nil)
			require.Equal(t, byte(5), c.Hello(h).ReasonCode)
			c.Ended()
			h.V5 = true
			c = sourcetest.Dial(t, f.Addr(), nil)
			require.Equal(t, packets.ErrBadUsernameOrPassword.Code, c.Hello(h).ReasonCode)
			c.Ended()
		})
	}
	c := sourcetest.Dial(t, f.Addr(), nil)
	require.Equal(t, byte(5), c.Hello(sourcetest.Hello{User: secret, Secret: "d2"}).ReasonCode)
	c.Ended()
	away := map[string]source.TurnedAway{}
	for _, a := range f.TurnedAway() {
		require.Equal(t, "127.0.0.1", a.Remote)
		require.Equal(t, "local", a.Source)
		require.LessOrEqual(t, a.First, a.Last)
		away[a.User] = a
	}
	require.Len(t, away, 4)
	require.Equal(t, uint64(4), away["d1"].Times)
	require.True(t, away["d1"].Known)
	require.False(t, away["nobody"].Known)
	require.Contains(t, away, "")
	require.True(t, away["d2"].Swapped, "its secret came as user")
	f.client(t, "d1").Close()
	for _, a := range f.TurnedAway() {
		require.NotEqual(t, "d1", a.User, "it has logged in")
	}
	require.Equal(t, uint64(9), f.Stats().LoginsRefused.Load())
	f.stop()
	require.NotContains(t, log.String(), secret)
	require.NotContains(t, log.String(), "not-the-secret")
}

func TestWhatMayBePublished(t *testing.T) {
	tests := []struct {
		user, topic string
		taken       bool
		reason      city.Reason // of those that are not
	}{
		{"d1", "sg/v1/d1/up", true, ""},
		{"d1", "sg/v1/d2/up", false, city.ReasonDeviceMismatch},
		{"d1", "sg/v1/d2/status", false, city.ReasonDeviceMismatch},
		{"d1", "sg/v1/d1/down", false, city.ReasonBadTopic},
		{"d1", "sg/v1/d1/other", false, city.ReasonBadTopic},
		{"d1", "sg/v1/d1/up/more", false, city.ReasonBadTopic},
		{"d1", "sg/v2/d1/up", false, city.ReasonBadTopic},
		{"d1", "d1", false, city.ReasonBadTopic},
		{"d1", "$SYS/x", false, city.ReasonBadTopic},
		{"d1", "sg/v1//up", false, city.ReasonBadTopic},
		{"b1", "sg/v1/d1/up", true, ""},
		{"b1", "sg/v1/unheard-of/up", true, ""},
		{"b1", "sg/v1/d1/down", false, city.ReasonBadTopic},
		{"b1", "sg/v1/x/down", false, city.ReasonBadTopic},
	}
	f := start(t)
	for _, tt := range tests {
		t.Run(tt.user+" "+tt.topic, func(t *testing.T) {
			old, new5 := f.client(t, tt.user), f.client(t, tt.user, v5, func(h *sourcetest.Hello) { h.ID = "five" })
			defer old.Close()
			defer new5.Close()
			for i, c := range []*sourcetest.Client{old, new5} {
				for qos := byte(1); qos <= 2; qos++ {
					c.Publish(tt.topic, []byte("{}"), qos, uint16(qos))
					m := f.sink.TakeDone(t)
					kind := packets.Puback
					if qos == 2 {
						kind = packets.Pubrec
					}
					ack := c.Expect(kind)
					require.Equal(t, uint16(qos), ack.PacketID)
					if tt.taken {
						require.Len(t, m.Decoded.Readings, 1)
						require.Zero(t, ack.ReasonCode)
						continue
					}
					require.Empty(t, m.Decoded.Readings)
					require.Equal(t, tt.reason, m.Decoded.Refused[0].Reason)
					require.Equal(t, tt.user, m.Device, "kept under the one who sent it")
					want := byte(0)
					if i == 1 {
						want = packets.ErrNotAuthorized.Code
					}
					require.Equal(t, want, ack.ReasonCode)
				}
			}
		})
	}
}

func TestWhatMayBeRead(t *testing.T) {
	tests := []struct {
		user, filter string
		granted      bool
	}{
		{"d1", "sg/v1/d1/down", true},
		{"d1", "sg/v1/d2/down", false},
		{"d1", "sg/v1/+/down", false},
		{"d1", "sg/v1/d1/#", false},
		{"d1", "sg/v1/d1/up", false},
		{"d1", "sg/v1/d1/status", false},
		{"d1", "#", false},
		{"d1", "$SYS/#", false},
		{"d1", "$share/g/sg/v1/d1/down", false},
		{"b1", "sg/v1/x/down", true},
		{"b1", "sg/v1/d1/down", false},
		{"b1", "sg/v1/+/down", false},
		{"b1", "sg/v1/x/#", false},
		{"b1", "sg/v1/x/up", false},
	}
	f := start(t)
	for _, tt := range tests {
		t.Run(tt.user+" "+tt.filter, func(t *testing.T) {
			c := f.client(t, tt.user, v5)
			defer c.Close()
			code := c.Subscribe(tt.filter)[0]
			if tt.granted {
				require.Equal(t, byte(1), code)
			} else {
				require.GreaterOrEqual(t, code, byte(0x80))
			}
		})
	}
}

func TestAnotherUsersClientIDIsAnotherSession(t *testing.T) {
	f := start(t)
	same := func(h *sourcetest.Hello) { h.ID, h.Keep = "same", true }
	first := f.client(t, "d1", same)
	require.Equal(t, byte(1), first.Subscribe("sg/v1/d1/down")[0])
	second := sourcetest.Dial(t, f.Addr(), nil)
	require.False(t, second.Hello(sourcetest.Hello{ID: "same", User: "d2", Secret: secret, Keep: true}).SessionPresent)
	require.NoError(t, f.Publish("d1", []byte("for d1")))
	require.Equal(t, "for d1", string(first.Expect(packets.Publish).Payload))
	second.Silent()
}

func TestDown(t *testing.T) {
	f := start(t)
	require.ErrorIs(t, f.Publish("d1", []byte("x")), broker.ErrNotSubscribed)
	c := f.client(t, "d1", keep)
	require.Equal(t, byte(1), c.Subscribe("sg/v1/d1/down")[0])
	require.NoError(t, f.Publish("d1", []byte("one")))
	pk := c.Expect(packets.Publish)
	require.Equal(t, "sg/v1/d1/down", pk.TopicName)
	c.Ack(packets.Puback, pk.PacketID)
	c.Close()
	sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "d1 is still there")
	require.NoError(t, f.Publish("d1", []byte("while away")))
	c = sourcetest.Dial(t, f.Addr(), nil)
	require.True(t, c.Hello(sourcetest.Hello{User: "d1", Secret: secret, Keep: true}).SessionPresent)
	require.Equal(t, "while away", string(c.Expect(packets.Publish).Payload))
}

func TestStatusAndWill(t *testing.T) {
	f := start(t, func(o *broker.Options) {
		data, err := os.ReadFile(o.CredentialsFile)
		require.NoError(t, err)
		data = append(data, []byte("all:"+broker.HashSecret(secret)+":sg/v1/#\n")...)
		require.NoError(t, os.WriteFile(o.CredentialsFile, data, 0o600))
	})
	will := func(topic string) func(*sourcetest.Hello) {
		return func(h *sourcetest.Hello) { h.WillTopic, h.Will = topic, `{"online":false}` }
	}
	c := f.client(t, "d1", will("sg/v1/d1/status"))
	c.Publish("sg/v1/d1/status", []byte(`{"online":true}`), 1, 1, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
	c.Expect(packets.Puback)
	require.JSONEq(t, `{"online":true}`, f.Retained("d1"))
	c.Publish("sg/v1/d1/status", []byte(`{"online":true}`), 2, 2, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
	c.Expect(packets.Pubrec)
	c.Ack(packets.Pubrel, 2)
	c.Expect(packets.Pubcomp)

	// A new connection of the same client: its own word is the last.
	again := f.client(t, "d1", will("sg/v1/d1/status"))
	again.Publish("sg/v1/d1/status", []byte(`{"online":true}`), 1, 1, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
	again.Expect(packets.Puback)
	c.Ended()
	require.JSONEq(t, `{"online":true}`, f.Retained("d1"))
	again.Close()
	sourcetest.Until(t, func() bool { return f.Retained("d1") == `{"online":false}` }, "the will did not come")
	require.Zero(t, f.Stats().WillsRefused.Load())

	for _, topic := range []string{"sg/v1/d1/up", "sg/v1/d2/status", "sg/v1/d2/up", "elsewhere"} {
		f.client(t, "d1", will(topic)).Close()
	}
	sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "d1 is still there")
	require.Equal(t, uint64(4), f.Stats().WillsRefused.Load())
	require.Empty(t, f.Retained("d2"))
	f.sink.None(t)

	// Too large to be kept.
	c = f.client(t, "d2", v5)
	c.Publish("sg/v1/d2/status", bytes.Repeat([]byte("x"), 2000), 1, 1, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
	require.Equal(t, city.ReasonTooLarge, f.sink.TakeDone(t).Decoded.Refused[0].Reason)
	require.Equal(t, packets.ErrNotAuthorized.Code, c.Expect(packets.Puback).ReasonCode)
	require.Empty(t, f.Retained("d2"))
}

func TestAliasAndOddPublishesAreRefused(t *testing.T) {
	f := start(t)
	odd := map[string]func(*packets.Packet){
		"alias":    func(pk *packets.Packet) { pk.Properties.TopicAlias, pk.Properties.TopicAliasFlag = 1, true },
		"wildcard": func(pk *packets.Packet) { pk.TopicName = "sg/v1/+/up" },
	}
	for name, change := range odd {
		t.Run(name, func(t *testing.T) {
			c := f.client(t, "d1", v5)
			c.Publish("sg/v1/d1/up", []byte("{}"), 1, 1, change)
			require.GreaterOrEqual(t, c.Ended(), byte(0x80))
			f.sink.None(t)
		})
	}
}

func TestAWillMayWait(t *testing.T) {
	f := start(t)
	will := func(h *sourcetest.Hello) {
		v5(h)
		keep(h)
		h.WillTopic, h.Will, h.WillDelay = "sg/v1/d1/status", "gone", 1
	}
	away := func(c *sourcetest.Client) {
		c.Close()
		sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "d1 is still there")
	}
	away(f.client(t, "d1", will))
	require.Empty(t, f.Retained("d1"), "not at once")
	sourcetest.Until(t, func() bool { return f.Retained("d1") == "gone" }, "the will did not come")

	on := func(c *sourcetest.Client) {
		c.Publish("sg/v1/d1/status", []byte("on"), 1, 1, func(pk *packets.Packet) { pk.FixedHeader.Retain = true })
		c.Expect(packets.Puback)
	}
	c := f.client(t, "d1", will)
	on(c)
	away(c)
	c = f.client(t, "d1", v5, keep) // in time, and without a will of its own
	time.Sleep(1500 * time.Millisecond)
	require.Equal(t, "on", f.Retained("d1"), "a client that is back is not gone")
	away(c)

	// A session that ends with its connection waits for nobody.
	c = f.client(t, "d1", will, func(h *sourcetest.Hello) { h.Keep = false })
	on(c)
	away(c)
	sourcetest.Until(t, func() bool { return f.Retained("d1") == "gone" }, "the will did not come")

	// A DISCONNECT voids it.
	c = f.client(t, "d1", will, func(h *sourcetest.Hello) { h.Keep = false })
	on(c)
	c.Send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
	c.Ended()
	sourcetest.Until(t, func() bool { return f.Status().Connections == 0 }, "d1 is still there")
	require.Equal(t, "on", f.Retained("d1"))
}
