package broker

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sync/semaphore"

	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

// packetTimeout is the longest that one packet may take to come in.
const packetTimeout = 2 * time.Minute

// conn is the connection of one client. mochi is given every packet but the
// publishes of readings, which take their own way to the sink, one by one: it
// has done with a packet before the next one is looked at. Everything but Close
// and the acknowledgements happens on the one goroutine that serves the
// connection, or on one that it waits for.
type conn struct {
	raw    net.Conn
	src    *Source
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine that serves it has ended

	in       *mqttwire.Stream
	pass     int       // bytes of the current packet that still go to mochi
	deadline time.Time // of reading; zero: none
	pending  bool      // holds one of the places for those not logged in

	cred   *credential   // from CONNECT on
	client *mqtt.Client  // from CONNECT on
	sess   *session      // from CONNECT on
	expire bool          // the session ends with the connection, else:
	keep   time.Duration // how long it lives after it
	lower  uint32        // the client asked for more, s; 0: it did not
	loop   bool          // what mochi publishes to the client is written
	will   *mqtt.Will    // to be published at willAt; nil: none
	willAt time.Time
	login  atomic.Pointer[login]
	last   *topic            // what was published to last
	topics map[string]*topic // what was published to
	other  topic             // last, where it is not among the topics

	share *semaphore.Weighted // of the broker's memory, this client's; nil until it publishes
	acks  mqttwire.Acks
	wmu   sync.Mutex
	wrote time.Time // when the write deadline was set
	once  sync.Once
}

// login is what is known of a client once its session is established.
type login struct {
	client *mqtt.Client
	v5     bool
	wait   time.Duration // longest silence, 0: any
}

type topic struct {
	name    string
	device  string // of the topic
	verdict verdict
}

func newConn(ctx context.Context, s *Source, raw net.Conn) *conn {
	c := &conn{raw: raw, src: s, done: make(chan struct{}), in: mqttwire.NewStream(raw)}
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.acks.Init(s.o.Window, c.startWriter)
	return c
}

// Read gives mochi the bytes of the packet that is its own.
func (c *conn) Read(p []byte) (int, error) {
	if c.pass == 0 {
		return 0, io.EOF
	}
	n, err := c.in.Copy(p, c.pass)
	c.pass -= n
	return n, err
}

// next looks at the next packet: it is taken, or left to mochi and c.pass set.
func (c *conn) next() error {
	l := c.login.Load()
	if c.src.stopping.Load() { // what came so far is still acknowledged
		<-c.ctx.Done()
		return c.ctx.Err()
	}
	if c.in.Len() == 0 {
		c.arm(l, true)
	}
	h, err := c.in.Header()
	if err != nil {
		return err
	}
	if c.in.Len() < h.Total() {
		c.arm(l, false)
	}
	switch {
	case l == nil && (h.Kind() != mqttwire.Connect || h.Remaining > maxConnect):
		return packets.ErrProtocolViolationRequireFirstConnect // [MQTT-3.1.0-1]
	case l == nil:
	case h.Kind() == mqttwire.Publish:
		return c.takePublish(l, h)
	case h.Remaining > maxControl:
		return c.cut(packets.ErrPacketTooLarge)
	case h.Kind() == mqttwire.Pubrel && h.First == 0x62 && h.Remaining >= 2:
		return c.takePubrel(h)
	}
	c.pass = h.Total()
	return nil
}

// arm sets the read deadline: before a packet begins the longest silence, in
// the middle of one no more than packetTimeout, for what it holds meanwhile. A
// deadline that is right to a second is good enough. Before the log-in the
// deadline of the accept holds.
func (c *conn) arm(l *login, idle bool) {
	if l == nil {
		return
	}
	wait := l.wait
	if !idle && (wait == 0 || wait > packetTimeout) {
		wait = packetTimeout
	}
	if wait == 0 {
		if !c.deadline.IsZero() {
			c.deadline = time.Time{}
			_ = c.raw.SetReadDeadline(c.deadline)
		}
		return
	}
	deadline := time.Now().Add(wait + time.Second)
	if off := deadline.Sub(c.deadline); off < 0 || off > time.Second {
		c.deadline = deadline
		_ = c.raw.SetReadDeadline(deadline)
	}
}

// Write writes whole packets, of mochi and of ours, one write after the other.
func (c *conn) Write(p []byte) (int, error) {
	if l := c.login.Load(); l != nil && !l.v5 && len(p) == 2 && p[0] == 0xe0 {
		return len(p), nil // a server sends no DISCONNECT before MQTT 5
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if now := time.Now(); now.Sub(c.wrote) > time.Second {
		c.wrote = now
		_ = c.raw.SetWriteDeadline(now.Add(c.src.o.WriteTimeout + time.Second))
	}
	return c.raw.Write(p)
}

// writeAcks writes what has gathered until nothing is left.
func (c *conn) writeAcks() {
	defer c.src.tasks.Done()
	var packets []byte
	for packets = c.acks.Take(nil); packets != nil; packets = c.acks.Take(packets) {
		if _, err := c.Write(packets); err != nil {
			_ = c.Close()
			return
		}
	}
}

func (c *conn) startWriter() {
	c.src.tasks.Add(1)
	go c.writeAcks()
}

// cut ends the connection with a word to the client, and returns the reason.
func (c *conn) cut(code packets.Code) error {
	c.src.kick(c, code)
	return code
}

// Close ends the connection; what waits for it wakes.
func (c *conn) Close() error {
	var err error
	c.once.Do(func() {
		c.cancel()
		c.acks.Close()
		err = c.raw.Close()
	})
	return err
}

// LocalAddr and RemoteAddr are those of the network.
func (c *conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr is the address of the client.
func (c *conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline does nothing: mochi's deadlines do not know of the packets that
// it does not see; arm and Write set them.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, as SetDeadline.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, as SetDeadline.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

var _ net.Conn = (*conn)(nil)
