package endtoend_test

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// forgetful is a broker that believes no acknowledgement: on each connection
// it sends all it has again, with DUP, and breaks off somewhere in the midst.
// In its last round it lets everything through and stays.
type forgetful struct {
	addr   string
	rounds int

	mu      sync.Mutex
	round   int // connections that subscribed
	acks    map[uint16]bool
	fault   error
	whole   chan struct{} // closed when the last round is acknowledged
	packets [][]byte      // of each message, by its identifier less 1
}

func newForgetful(t *testing.T, rounds int, messages [][2]string) *forgetful {
	t.Helper()
	f := &forgetful{rounds: rounds, whole: make(chan struct{}), packets: make([][]byte, len(messages))}
	for i, m := range messages {
		f.packets[i] = sourcetest.Encode(t, packets.Packet{
			FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 4,
			TopicName: m[0], Payload: []byte(m[1]), PacketID: uint16(i + 1),
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.addr = l.Addr().String()
	var tasks sync.WaitGroup
	ended := make(chan struct{})
	tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := make(chan struct{})
			tasks.Go(func() {
				select {
				case <-ended:
				case <-stop:
				}
				c.Close()
			})
			f.note(f.serve(c))
			close(stop)
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(ended)
		tasks.Wait()
	})
	return f
}

func (f *forgetful) note(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault == nil {
		f.fault = err
	}
}

// serve answers one connection. What the far end did wrong is an error; that it
// ended is none.
func (f *forgetful) serve(c net.Conn) error {
	in := bufio.NewReader(c)
	for {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		kind, id, err := nextPacket(in)
		if err != nil {
			return nil //nolint:nilerr // it went
		}
		switch kind {
		case packets.Connect:
			_, err = c.Write([]byte{packets.Connack << 4, 2, 1, 0}) // a session is here
		case packets.Subscribe:
			if _, err = c.Write([]byte{packets.Suback << 4, 3, byte(id >> 8), byte(id), 1}); err == nil {
				err = f.sendAll(c)
			}
		case packets.Puback:
			if f.acked(id) {
				return nil // it breaks off
			}
		case packets.Pingreq:
			_, err = c.Write([]byte{packets.Pingresp << 4, 0})
		case packets.Disconnect:
			return nil
		default:
			return fmt.Errorf("a client of ours sends packets of type %d", kind)
		}
		if err != nil {
			return nil //nolint:nilerr // it went
		}
	}
}

// nextPacket reads a packet, of which it returns the identifier where it begins
// with one.
func nextPacket(in *bufio.Reader) (kind byte, id uint16, err error) {
	first, err := in.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	size, _, err := packets.DecodeLength(in)
	if err != nil {
		return 0, 0, err
	}
	if size >= 2 {
		head, err := in.Peek(2)
		if err != nil {
			return 0, 0, err
		}
		id = uint16(head[0])<<8 | uint16(head[1])
	}
	_, err = in.Discard(size)
	return first >> 4, id, err
}

func (f *forgetful) sendAll(c net.Conn) error {
	f.mu.Lock()
	f.round++
	f.acks = map[uint16]bool{}
	again := f.round > 1
	f.mu.Unlock()
	var all []byte
	for _, p := range f.packets {
		from := len(all)
		all = append(all, p...)
		if again {
			all[from] |= 0x08
		}
	}
	// All of it or a part: where it breaks off, what was sent is on its way.
	_, err := c.Write(all)
	return err
}

// acked notes an acknowledgement and tells whether the broker breaks off now.
func (f *forgetful) acked(id uint16) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acks[id] = true
	if f.round < f.rounds {
		return len(f.acks) >= len(f.packets)*f.round/f.rounds
	}
	if len(f.acks) == len(f.packets) {
		close(f.whole)
	}
	return false
}

// A broker that sends everything again after each reconnect, acknowledged or
// not: each reading is there once, and the books are right to the rupiah.
func TestBrokerThatRedeliversEverything(t *testing.T) {
	const each = 200
	rounds := times(5, 8) // the waits between them double
	var messages [][2]string
	sum := int64(0)
	for seq := 1; seq <= each; seq++ {
		when := at(time.Duration(each-seq) * time.Second)
		sum += int64(1000 * seq)
		messages = append(messages,
			[2]string{"sg/v1/spot-c01/up", spotReading(1, seq, when, seq%2 == 0)},
			[2]string{"sg/v1/spot-c02/up", fmt.Sprintf(`{"kind":"spot","seq":%d,"at":%q,"occupied":%v}`, seq, when, seq%2 == 0)}, // counts no boots
			[2]string{"sg/v1/meter-s-count-1/up", fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"K-%d","amount":%d,"method":"cash","class":"car"}`, seq, when, seq, 1000*seq)},
		)
	}
	b := newForgetful(t, rounds, messages)
	g := newGateway(t, writeCity(t, ""), fmt.Sprintf(outsideSource, b.addr, "10m"))
	g.start()
	g.login()
	before := g.vitals()
	before.goroutines += 12 // of a connection
	g.patience = 2 * time.Minute
	g.until("everything was acknowledged in the last round", func() bool {
		select {
		case <-b.whole:
			return true
		default:
			return false
		}
	})
	for _, device := range []string{"spot-c01", "spot-c02", "meter-s-count-1"} {
		eachOnce(t, g.readings(device), each)
	}
	b.mu.Lock()
	require.NoError(t, b.fault)
	require.Equal(t, rounds, b.round)
	b.mu.Unlock()
	require.Equal(t, sum, g.recorded(), "rupiah")
	repeats := g.metric("simpang_duplicates_total")
	require.GreaterOrEqual(t, repeats, float64(len(messages)), "it did send again")
	t.Logf("%d messages, %d connections, %.0f repeats told apart, Rp %d", len(messages), rounds, repeats, sum)
	g.recovers(t, before, 32)
	g.verified(t)
}

// recorded is what the books have of these days, in rupiah.
func (g *gateway) recorded() (sum int64) {
	g.t.Helper()
	g.level()
	for _, day := range list[bookRow](g, "/v1/revenue/daily?"+span(time.Now().Add(-48*time.Hour), time.Now().Add(48*time.Hour))) {
		sum += day.Recorded
	}
	return sum
}

// verified stops the gateway and recomputes everything.
func (g *gateway) verified(t *testing.T) {
	t.Helper()
	g.stop()
	out, code := g.run("verify", "-config", g.config)
	require.Zero(t, code, "verify: %s", out)
}
