package broker

import (
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

// hook is how mochi asks for rights.
type hook struct {
	mqtt.HookBase
	src *Source
}

// ID names the hook in mochi's log.
func (h *hook) ID() string { return "simpang" }

// Provides tells mochi which calls are answered.
func (h *hook) Provides(b byte) bool {
	switch b {
	case mqtt.OnACLCheck, mqtt.OnPacketRead, mqtt.OnPacketEncode:
		return true
	}
	return false
}

// OnACLCheck tells what a client may do with a topic as far as mochi is
// concerned: readings never come so far.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return false
	}
	if !write {
		return c.cred.mayRead(topic)
	}
	v, _ := c.cred.mayPublish(topic)
	return v == verdictStatus
}

// OnPacketRead looks at DISCONNECT, with which MQTT 5 can change how long the
// session lives.
func (h *hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if c, ok := cl.Net.Conn.(*conn); ok && pk.FixedHeader.Type == packets.Disconnect && pk.Properties.SessionExpiryIntervalFlag {
		pk.Properties.SessionExpiryInterval = c.keepFor(pk.Properties.SessionExpiryInterval)
	}
	return pk, nil
}

// OnPacketEncode tells MQTT 5 clients the limits that mochi does not tell.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type == packets.Connack {
		if c, ok := cl.Net.Conn.(*conn); ok && c.lower > 0 {
			pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = c.lower, true
		}
		pk.Properties.MaximumPacketSize = source.MaxRead + mqttwire.MaxOverhead
		pk.Properties.SharedSubAvailable, pk.Properties.SharedSubAvailableFlag = 0, true
	}
	return pk
}
