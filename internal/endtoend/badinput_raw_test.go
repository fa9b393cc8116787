package endtoend_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// What no client library sends: every QoS, payloads at and over the limits,
// numbers that no machine holds, noise on every port. Each is acknowledged
// where MQTT has a word for it, and the next good reading is taken.
func TestBadInputByRawMQTT(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource)
	secret := g.bridgeSecret()
	g.start()
	g.login()
	c := sourcetest.Dial(t, g.mqtt, nil)
	require.Zero(t, c.Hello(sourcetest.Hello{User: "bridge", Secret: secret}).ReasonCode)
	var id uint16
	send := func(topic, payload string, qos byte) {
		t.Helper()
		id++
		c.Publish(topic, []byte(payload), qos, id)
		switch qos {
		case 1:
			require.Equal(t, id, c.Expect(packets.Puback).PacketID)
		case 2:
			require.Equal(t, id, c.Expect(packets.Pubrec).PacketID)
			c.Ack(packets.Pubrel, id)
			require.Equal(t, id, c.Expect(packets.Pubcomp).PacketID)
		}
	}
	good := 0
	taken := func() {
		t.Helper()
		good++
		send("sg/v1/spot-c01/up", spotReading(1, good, at(0), good%2 == 0), byte(1+good%2))
	}
	spot := func(seq, members string) string {
		return fmt.Sprintf(`{"kind":"spot","boot":1,"seq":%s,"at":%q,%s}`, seq, at(0), members)
	}
	limit := 64 << 10
	padded := func(size int) string {
		text := spot("700", `"occupied":true,"x":""`)
		return strings.Replace(text, `"x":""`, `"x":"`+strings.Repeat("x", size-len(text))+`"`, 1)
	}
	for _, c := range []struct{ name, payload, reason string }{
		{"a byte too large", padded(limit + 1), "too_large"},
		{"the largest that is read", padded(256 << 10), "too_large"},
		{"empty", "", "not_json"},
		{"null", "null", "not_json"},
		{"a text", `"spot"`, "not_json"},
		{"two objects", spot("1", `"occupied":true`) + spot("2", `"occupied":true`), "not_json"},
		{"deep", strings.Repeat("[", 60_000), "not_json"},
		{"deep and whole", strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000), "not_json"},
		{"half a character", "{\"kind\":\"sp\xc3", "not_json"},
		{"negative number", spot("-1", `"occupied":true`), "impossible_value"},
		{"number of 30 digits", spot("123456789012345678901234567890", `"occupied":true`), "impossible_value"},
		{"number with a part", spot("1.5", `"occupied":true`), "wrong_type"},
		{"time without zone", `{"kind":"spot","boot":1,"seq":5,"at":"2026-01-01T00:00:00","occupied":true}`, "wrong_type"},
		{"time as a number", `{"kind":"spot","boot":1,"seq":6,"at":1767225600,"occupied":true}`, "wrong_type"},
		{"endless number", spot("7", `"occupied":true,"battery_v":1e999`), "impossible_value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, qos := range []byte{1, 2, 0} {
				refused := g.refused(c.reason)
				send("sg/v1/spot-c02/up", c.payload, qos)
				taken()
				require.InDelta(t, refused+1, g.refused(c.reason), 0, "QoS %d", qos)
			}
		})
	}
	t.Run("exactly 64 KiB", func(t *testing.T) {
		send("sg/v1/spot-c03/up", padded(limit), 1)
		require.Len(t, g.readings("spot-c03"), 1)
	})
	t.Run("over what is read", func(t *testing.T) {
		big := sourcetest.Dial(t, g.mqtt, nil)
		big.Hello(sourcetest.Hello{ID: "big", User: "bridge", Secret: secret})
		_ = big.Write(sourcetest.Encode(t, packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
			TopicName: "sg/v1/spot-c02/up", PacketID: 1, Payload: make([]byte, 1<<20),
		}))
		big.Ended()
		taken()
	})
	t.Run("topics", func(*testing.T) {
		for _, topic := range []string{"sg/v1/spot-c02/up/more", "sg/v1//up", "sg/v2/spot-c02/up", "elsewhere", "$SYS/broker/version"} {
			send(topic, spotReading(1, 1, at(0), true), 1)
			taken()
		}
	})
	t.Run("noise on every port", func(t *testing.T) {
		noise := make([]byte, 100_000)
		random := rand.New(rand.NewPCG(3, 4))
		for i := range noise {
			noise[i] = byte(random.IntN(256))
		}
		for _, address := range []string{g.mqtt, g.http, g.admin} {
			for part := range 20 {
				conn, err := net.Dial("tcp", address)
				require.NoError(t, err)
				_, _ = conn.Write(noise[part*5000 : (part+1)*5000])
				require.NoError(t, conn.Close())
			}
			taken()
			require.Equal(t, http.StatusOK, g.status("/readyz"))
		}
	})
	require.Empty(t, g.readings("spot-c02"))
	require.Len(t, g.readings("spot-c01"), good, "nothing else suffered")
	require.NotContains(t, g.log.String(), "panic")
}

// A serial line that was never quiet: sentences within noise, without an end,
// two on one line, small letters, and a flood of beginnings.
func TestNoiseOnTheLine(t *testing.T) {
	tty := filepath.Join(t.TempDir(), "tty")
	w := openWire(t, tty)
	g := newGateway(t, writeCity(t, ""), `  - {id: line, type: serial, port: "`+tty+`"}
`)
	g.start()
	g.login()
	body := func(device string, seq int) string {
		return fmt.Sprintf("PSGSP,%s,1,%d,%d,1", device, seq, time.Now().UnixMilli())
	}
	random := rand.New(rand.NewPCG(5, 6))
	for seq := range 60 {
		noise := make([]byte, random.IntN(700))
		for i := range noise {
			noise[i] = byte(random.IntN(256))
		}
		switch seq % 4 {
		case 1:
			noise = []byte(strings.Repeat("$", 1+random.IntN(600)))
		case 2: // a sentence whose end was lost
			noise = frames.Seal(body("spot-c02", seq+1))
			noise = noise[:len(noise)-random.IntN(8)-3]
		case 3:
			noise = []byte(strings.Repeat("\r\n", random.IntN(300)))
		}
		w.write(string(noise))
		// A sentence after noise that has no end may be lost with it: the
		// device sends again, as it does on every line.
		answered := false
		for try := 0; try < 3 && !answered; try++ {
			w.write(string(frames.Seal(body("spot-c01", seq+1))))
			select {
			case a := <-w.acks:
				require.Equal(t, "spot-c01", a.Device)
				require.EqualValues(t, seq+1, a.Seq)
				answered = true
			case <-time.After(time.Second):
			}
		}
		require.True(t, answered, "%d", seq)
	}
	require.Len(t, g.readings("spot-c01"), 60)
	require.Empty(t, g.readings("spot-c02"))
	require.Equal(t, http.StatusOK, g.status("/readyz"))
}
