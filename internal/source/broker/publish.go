package broker

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sync/semaphore"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqttwire"
	"github.com/simpang-id/simpang/internal/wire"
)

// codeNotAuthorized is the reason code of a publish that rights forbid (MQTT 5
// only; MQTT 3.1.1 has no word for it and acknowledges).
const codeNotAuthorized = 0x87

// flagDup in the first byte of a PUBLISH says that it was sent before.
const flagDup = 0x08

const (
	maxTopics   = 4096 // topics remembered a connection
	messageCost = 512  // bytes that a message in flight costs beside its payload
)

// takePublish takes the PUBLISH at the front of the buffer, or leaves it to
// mochi: status topics, and what breaks the protocol (mochi names the fault; its
// rights end at status topics).
func (c *conn) takePublish(l *login, h mqttwire.Header) error {
	if h.Remaining > source.MaxRead+mqttwire.MaxOverhead {
		return c.cut(packets.ErrPacketTooLarge)
	}
	p, err := c.in.Publish(h, l.v5)
	if errors.Is(err, mqttwire.ErrOdd) {
		c.pass = h.Total()
		return nil
	}
	if err != nil {
		return err
	}
	size := h.Total() - p.Body
	if size > source.MaxRead {
		return c.cut(packets.ErrPacketTooLarge)
	}
	t := c.topic(p.Topic)
	if t.verdict == verdictStatus && size <= maxStatus {
		return c.passStatus(h, t)
	}
	// Sent again: once is enough [MQTT-4.3.3-10]. What is not called so is another
	// message [MQTT-3.3.1-1], of a device that lost its memory; were it the same,
	// the gate knows.
	if h.QoS() == 2 && h.First&flagDup != 0 && c.sess.received.Has(p.ID) {
		c.src.stats.Redelivered.Add(1)
		c.acks.Pubrec(p.ID)
		return c.in.Skip(h.Total())
	}
	return c.take(l, mqttwire.Slot{ID: p.ID, QoS: h.QoS()}, t, p.Body, size)
}

// passStatus gives a status to mochi, which retains and delivers it.
func (c *conn) passStatus(h mqttwire.Header, t *topic) error {
	c.src.stats.Statuses.Add(1)
	retained := c.src.server.Topics.Retained
	if h.First&1 != 0 && retained.Len() >= c.src.o.MaxRetained {
		if _, known := retained.Get(t.name); !known {
			c.in.Bytes()[0] &^= 1
		}
	}
	c.pass = h.Total()
	return nil
}

// take reads the payload and hands the message to the sink. It waits for room
// in the client's window, in its share of the broker's memory, in that memory
// and in the sink: that is the back-pressure to the client.
func (c *conn) take(l *login, s mqttwire.Slot, t *topic, body, size int) error {
	cost := int64(size + messageCost)
	if err := c.hold(cost); err != nil {
		return err
	}
	payload := make([]byte, size)
	c.in.Discard(body)
	if err := c.in.ReadFull(payload); err != nil {
		c.release(cost)
		return err
	}
	decoded := c.decode(t, payload)
	device := t.device
	switch t.verdict {
	case verdictUp:
	case verdictNetwork:
		if c.src.o.SelfNamed {
			device = cmp.Or(decoded.Device, c.cred.device)
		}
	default:
		c.src.stats.Denied.Add(1)
		device = c.cred.device
		if l.v5 {
			s.Reason = codeNotAuthorized
		}
	}
	seq, ok := c.acks.Reserve(s)
	if !ok {
		c.release(cost)
		return c.ctx.Err()
	}
	c.src.stats.Received.Add(1)
	c.src.stats.Unacked.Add(1)
	c.src.lastMessage.Now()
	err := c.src.o.Sink.Offer(c.ctx, source.Message{
		Source: c.src.o.ID, Device: device, Topic: t.name, Payload: payload, Decoded: decoded,
		Done: func(committed bool) { c.finish(seq, cost, committed) },
	})
	if err != nil {
		c.finish(seq, cost, false)
		return fmt.Errorf("not taken: %w", err)
	}
	return nil
}

// hold takes memory for one message, release gives it back.
func (c *conn) hold(cost int64) error {
	if c.share == nil {
		c.share = semaphore.NewWeighted(c.src.o.share())
	}
	if err := c.share.Acquire(c.ctx, cost); err != nil {
		return err
	}
	if err := c.src.memory.Acquire(c.ctx, cost); err != nil {
		c.share.Release(cost)
		return err
	}
	return nil
}

func (c *conn) release(cost int64) {
	c.src.memory.Release(cost)
	c.share.Release(cost)
}

// finish is Done of one message.
func (c *conn) finish(seq uint64, cost int64, committed bool) {
	acked, failed, ok := c.acks.Finish(seq, committed)
	if !ok {
		return
	}
	c.release(cost)
	c.src.stats.Unacked.Add(-1)
	c.src.stats.Acked.Add(uint64(acked))
	if failed {
		c.src.stats.NotTaken.Add(1)
		c.src.spawnKick(c, packets.ErrServerBusy)
	}
}

// takePubrel answers the PUBREL of a publish that was taken here; those of
// status topics are mochi's.
func (c *conn) takePubrel(h mqttwire.Header) error {
	if err := c.in.Fill(h.Size + 2); err != nil {
		return err
	}
	b := c.in.Bytes()[h.Size:]
	id := uint16(b[0])<<8 | uint16(b[1])
	if !c.sess.received.Remove(id) {
		c.pass = h.Total()
		return nil
	}
	c.acks.Pubcomp(id)
	return c.in.Skip(h.Total())
}

// topic looks up what the client may do with a topic. Those that come first
// are remembered; of a bridge for very many devices the others are worked out
// each time, which is cheaper than to forget and remember them in turn. What is
// returned holds until the next call.
func (c *conn) topic(name []byte) *topic {
	if c.last != nil && c.last.name == string(name) {
		return c.last
	}
	t, ok := c.topics[string(name)]
	if !ok {
		if t = &c.other; len(c.topics) < maxTopics {
			t = &topic{}
		}
		t.name = string(name)
		if c.src.o.Network != nil {
			t.verdict, t.device = c.cred.mayFeed(t.name)
		} else {
			t.verdict, t.device = c.cred.mayPublish(t.name)
		}
		if c.topics == nil && c.last != nil { // most devices have one topic, and no map
			c.topics = map[string]*topic{c.last.name: c.last}
		}
		if c.topics != nil && t != &c.other {
			c.topics[t.name] = t
		}
	}
	c.last = t
	return t
}

// decode makes readings of the payload, or says why it does not.
func (c *conn) decode(t *topic, payload []byte) wire.Decoded {
	switch {
	case t.verdict == verdictForeign:
		return refuse(payload, city.ReasonDeviceMismatch,
			fmt.Sprintf("%q may not publish to %s; log in as the device of the topic, or give the bridge a filter that covers it", c.cred.device, t.name))
	case t.verdict == verdictBadTopic:
		return refuse(payload, city.ReasonBadTopic,
			fmt.Sprintf("nothing is published to %s; readings go to %s", t.name, topicOf(c.cred.device, leafUp)))
	case t.verdict == verdictStatus:
		return refuse(payload, city.ReasonTooLarge, fmt.Sprintf("a status has %d bytes at most, this one %d", maxStatus, len(payload)))
	case len(payload) > source.MaxPayload:
		c.src.stats.TooLarge.Add(1)
		return refuse(payload, city.ReasonTooLarge,
			fmt.Sprintf("%d bytes; %d at most: send fewer readings a message", len(payload), source.MaxPayload))
	}
	decode := c.src.o.Decode
	if t.verdict == verdictNetwork {
		decode = c.src.o.Network
	}
	return wire.Contain(payload, func() wire.Decoded { return decode(t.device, payload) })
}

func refuse(payload []byte, reason city.Reason, detail string) wire.Decoded {
	raw := payload[:min(len(payload), source.MaxPayload)]
	return wire.Decoded{Refused: []city.Refusal{{Reason: reason, Detail: detail, Raw: raw}}}
}
