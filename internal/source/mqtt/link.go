package mqtt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqttwire"
	"github.com/simpang-id/simpang/internal/wire"
)

// messageCost is what a message in flight costs beside its payload, bytes.
const messageCost = 512

// errNotTaken ends a connection, because brokers send again only then.
var errNotTaken = errors.New("a message was not taken; the broker sends it again on the next connection")

// link wraps one connection to the broker. paho reads from it and sees every
// packet but the publishes, which go to the sink; Read waits for room there, and
// answers paho's pings meanwhile, since the broker's own answer stands behind
// the publish that has no room yet.
type link struct {
	net.Conn
	src    *Source
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	closed chan struct{}
	fail   context.CancelCauseFunc // ends the session
	queue  chan source.Message     // has room for the window

	// Only the goroutine that reads.
	in     *mqttwire.Stream
	pass   int    // bytes of the current packet that still go to paho
	answer []byte // to paho's ping
	held   *held  // has no room yet
	one    held   // that which held points to
	topics *topics

	acks     mqttwire.Acks
	tasks    sync.WaitGroup
	messages atomic.Int64  // in flight
	bytes    atomic.Int64  // in flight
	room     chan struct{} // some of it ended
	pings    chan struct{} // paho asks
	wmu      sync.Mutex
	once     sync.Once
	stopping atomic.Bool
	unhook   func() bool // from the context, which ends the reading of the CONNACK
}

// held is a publish that was read.
type held struct {
	message source.Message
	slot    mqttwire.Slot
	cost    int64
}

func newLink(ctx context.Context, fail context.CancelCauseFunc, s *Source, conn net.Conn) *link {
	l := &link{
		Conn: conn, src: s, fail: fail, closed: make(chan struct{}), in: mqttwire.NewStream(conn), topics: newTopics(s.o.Topics),
		queue: make(chan source.Message, s.o.Window), room: make(chan struct{}, 1), pings: make(chan struct{}, 1),
	}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx)) // Close ends it
	l.acks.Init(s.o.Window, func() { l.tasks.Go(l.writeAcks) })
	l.tasks.Go(l.offer)
	l.unhook = context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	return l
}

// Read gives paho the bytes of the packets that are its own.
func (l *link) Read(p []byte) (int, error) {
	for l.pass == 0 && len(l.answer) == 0 {
		var err error
		if l.held == nil {
			err = l.next()
		} else {
			err = l.push()
		}
		if err != nil {
			return 0, l.ended(err)
		}
	}
	if n := copy(p, l.answer); n > 0 {
		l.answer = l.answer[n:]
		return n, nil
	}
	n, err := l.in.Copy(p, l.pass)
	l.pass -= n
	return n, l.ended(err)
}

// ended ends the session too where reading ended.
func (l *link) ended(err error) error {
	if err != nil {
		l.fail(fmt.Errorf("read from the broker: %w", err))
	}
	return err
}

// next looks at the next packet: a publish becomes held, else pass is set.
func (l *link) next() error {
	if l.stopping.Load() { // what came so far is still acknowledged
		<-l.closed
		return net.ErrClosed
	}
	h, err := l.in.Header()
	if err != nil {
		return err
	}
	if h.Kind() != mqttwire.Publish {
		l.pass = h.Total()
		return nil
	}
	p, err := l.in.Publish(h, false)
	if errors.Is(err, mqttwire.ErrOdd) {
		return l.odd(h)
	}
	if err != nil {
		return err
	}
	t := l.topics.find(p.Topic)
	return l.take(h, t, mqttwire.Slot{ID: p.ID, QoS: h.QoS()}, p.Body)
}

// odd takes a publish whose topic is too long for a device's; anything else
// that cannot be taken is a fault of the broker and ends the connection.
func (l *link) odd(h mqttwire.Header) error {
	b := l.in.Bytes()[h.Size:]
	length := int(b[0])<<8 | int(b[1])
	if length <= mqttwire.MaxTopic || h.QoS() == 3 || 2+length+2 > h.Remaining {
		return errors.New("the broker sent a publish that breaks the protocol")
	}
	l.in.Discard(h.Size + 2)
	name := make([]byte, length)
	if err := l.in.ReadFull(name); err != nil {
		return err
	}
	slot := mqttwire.Slot{QoS: h.QoS()}
	body := 0
	if slot.QoS > 0 {
		if err := l.in.Fill(2); err != nil {
			return err
		}
		slot.ID, body = binary.BigEndian.Uint16(l.in.Bytes()), 2
	}
	h.Size, h.Remaining = 0, h.Remaining-2-length
	return l.take(h, topic{name: string(name[:mqttwire.MaxTopic])}, slot, body)
}

// take reads the payload of a publish. Of one that is too large only the
// beginning is kept.
func (l *link) take(h mqttwire.Header, t topic, slot mqttwire.Slot, body int) error {
	if h.First&0x08 != 0 {
		l.src.stats.Redelivered.Add(1)
	}
	size := h.Total() - body
	payload := make([]byte, min(size, source.MaxRead))
	l.in.Discard(body)
	if err := l.in.ReadFull(payload); err != nil {
		return err
	}
	if err := l.in.Skip(size - len(payload)); err != nil {
		return err
	}
	l.one = held{slot: slot, cost: int64(len(payload) + messageCost), message: source.Message{
		Source: l.src.o.ID, Device: t.device, Topic: t.name, Payload: payload, Decoded: l.decode(t, payload, size),
	}}
	if l.src.o.SelfNamed {
		l.one.message.Device = l.one.message.Decoded.Device
	}
	l.held = &l.one
	return l.push()
}

// push hands the held publish on when there is room for it; it returns earlier
// when paho's ping was answered.
func (l *link) push() error {
	h := l.held
	for l.messages.Load() >= int64(l.src.o.Window) || l.messages.Load() > 0 && l.bytes.Load()+h.cost > l.src.o.MaxInFlight {
		select {
		case <-l.room:
		case <-l.pings:
			l.answer = []byte{mqttwire.Pingresp << 4, 0}
			return nil
		case <-l.closed:
			return net.ErrClosed
		}
	}
	l.messages.Add(1)
	l.bytes.Add(h.cost)
	seq, ok := l.acks.Reserve(h.slot)
	if !ok {
		return net.ErrClosed
	}
	l.src.stats.Unacked.Add(1)
	cost := h.cost
	h.message.Done = func(committed bool) { l.finish(seq, cost, committed) }
	l.held = nil
	l.src.stats.Received.Add(1)
	l.src.lastMessage.Now()
	l.queue <- h.message // has room for the window
	l.one = held{}
	return nil
}

// finish is Done of one message.
func (l *link) finish(seq uint64, cost int64, committed bool) {
	acked, failed, ok := l.acks.Finish(seq, committed)
	if !ok {
		return
	}
	l.src.stats.Unacked.Add(-1)
	l.messages.Add(-1)
	l.bytes.Add(-cost)
	select {
	case l.room <- struct{}{}:
	default:
	}
	l.src.stats.Acked.Add(uint64(acked))
	if failed {
		l.src.stats.NotTaken.Add(1)
		l.fail(errNotTaken)
	}
}

// offer hands the queue to the sink; what the sink does not take ends the
// session.
func (l *link) offer() {
	for {
		select {
		case m := <-l.queue:
			if err := l.src.o.Sink.Offer(l.ctx, m); err != nil {
				m.Done(false)
				return
			}
		case <-l.ctx.Done():
			return
		}
	}
}

// decode makes readings of the payload, or says why it does not; size is that
// of the payload as it was sent.
func (l *link) decode(t topic, payload []byte, size int) wire.Decoded {
	reason, detail := city.ReasonBadTopic, "no device in the topic; give topics with a + where the device stands"
	switch {
	case (t.device != "" || l.src.o.SelfNamed) && size <= source.MaxPayload:
		return wire.Contain(payload, func() wire.Decoded { return l.src.o.Decode(t.device, payload) })
	case size > source.MaxPayload:
		l.src.stats.TooLarge.Add(1)
		reason = city.ReasonTooLarge
		detail = fmt.Sprintf("%d bytes; %d at most: send fewer readings a message", size, source.MaxPayload)
	}
	raw := payload[:min(len(payload), source.MaxPayload)]
	return wire.Decoded{Refused: []city.Refusal{{Reason: reason, Detail: detail, Raw: raw}}}
}

// Write writes whole packets, of paho and of ours, one write after the other.
func (l *link) Write(p []byte) (int, error) {
	if len(p) == 2 && p[0] == mqttwire.Pingreq<<4 {
		select {
		case l.pings <- struct{}{}:
		default:
		}
	}
	l.wmu.Lock()
	defer l.wmu.Unlock()
	_ = l.Conn.SetWriteDeadline(time.Now().Add(l.src.o.WriteTimeout))
	return l.Conn.Write(p)
}

// writeAcks writes what has gathered until nothing is left.
func (l *link) writeAcks() {
	var packets []byte
	for packets = l.acks.Take(nil); packets != nil; packets = l.acks.Take(packets) {
		if _, err := l.Write(packets); err != nil {
			l.fail(fmt.Errorf("write to the broker: %w", err))
			return
		}
	}
}

// Close ends the connection; what waits for it wakes.
func (l *link) Close() error {
	var err error
	l.once.Do(func() {
		l.unhook()
		l.cancel()
		close(l.closed)
		l.acks.Close()
		err = l.Conn.Close()
	})
	return err
}

// SetWriteDeadline does nothing: Write sets its own.
func (l *link) SetWriteDeadline(time.Time) error { return nil }
