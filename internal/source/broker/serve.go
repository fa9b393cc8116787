package broker

import (
	"errors"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// serve serves the connection from its CONNECT to its end. There may be very
// many, and nearly all of each is its stack: what waits for the client is this
// goroutine, which goes no deeper than a reading needs. mochi's packets go by
// value through frames of 3 KB, and a stack does not shrink while much of it is
// in use; so what is mochi's runs aside.
func (c *conn) serve(listener string) error {
	if err := c.next(); err != nil {
		return err
	}
	if err := aside(func() error { return c.logIn(listener) }); err != nil {
		return err
	}
	err := c.packets()
	_ = aside(func() error {
		c.end(err)
		return nil
	})
	return err
}

// packets takes one packet after the other until the connection ends.
func (c *conn) packets() error {
	for {
		err := c.next()
		if err == nil && c.pass > 0 {
			err = aside(c.handOn)
		}
		if err != nil {
			return err
		}
	}
}

// aside runs f on a goroutine of its own and waits for it.
func aside(f func() error) error {
	done := make(chan error)
	go func() { done <- f() }()
	return <-done
}

// errLeft is the end of a connection by a DISCONNECT: the will is void.
var errLeft = errors.New("the client left")

// handOn lets mochi answer the packet that comes next.
func (c *conn) handOn() error {
	cl := c.client
	pk, err := readPacket(cl)
	if err != nil {
		return err
	}
	if pk.FixedHeader.Type == packets.Subscribe {
		c.startWriteLoop(cl)
	}
	err = c.src.server.InjectPacket(cl, pk)
	if code, ok := errors.AsType[packets.Code](err); ok && cl.Properties.ProtocolVersion == 5 && code.Code >= packets.ErrUnspecifiedError.Code {
		_ = c.src.server.DisconnectClient(cl, code)
	}
	if err == nil && pk.FixedHeader.Type == packets.Disconnect {
		err = errLeft
	}
	return err
}

// readPacket reads the packet that comes next for mochi.
func readPacket(cl *mqtt.Client) (packets.Packet, error) {
	var h packets.FixedHeader
	if err := cl.ReadFixedHeader(&h); err != nil {
		return packets.Packet{}, err
	}
	return cl.ReadPacket(&h)
}

// startWriteLoop begins to write what is published to the client, once: most
// devices subscribe to nothing.
func (c *conn) startWriteLoop(cl *mqtt.Client) {
	if !c.loop {
		c.loop = true
		c.src.tasks.Go(cl.WriteLoop)
	}
}

// end is what follows once the connection of a client that was logged in has
// ended.
func (c *conn) end(why error) {
	cl := c.client
	cl.Stop(why)
	p := &cl.Properties
	c.expire = p.ProtocolVersion == 5 && p.Props.SessionExpiryInterval == 0 || p.ProtocolVersion < 5 && p.Clean
	if errors.Is(why, errLeft) || p.Will.Flag == 0 {
		return
	}
	will := p.Will
	atomic.StoreUint32(&p.Will.Flag, 0) // [MQTT-3.1.2-10]
	if delay := time.Duration(will.WillDelayInterval) * time.Second; delay > 0 && !c.expire {
		c.will, c.willAt = &will, time.Now().Add(delay) // [MQTT-3.1.3-9]
		return
	}
	c.src.sendWill(&will)
}

// sendWill publishes a will [MQTT-3.1.2-8].
func (s *Source) sendWill(will *mqtt.Will) {
	if err := s.server.Publish(will.TopicName, will.Payload, will.Retain, will.Qos); err != nil {
		s.o.Log.Warn("a will could not be published", "topic", will.TopicName, "error", err)
	}
}
