package broker

import (
	"log/slog"
	"math"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

const maxClientID = 256

// hook is how mochi asks for log-ins and rights.
type hook struct {
	mqtt.HookBase
	src *Source
}

// ID names the hook in mochi's log.
func (h *hook) ID() string { return "simpang" }

// Provides tells mochi which calls are answered.
func (h *hook) Provides(b byte) bool {
	switch b {
	case mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnSessionEstablish, mqtt.OnSessionEstablished,
		mqtt.OnDisconnect, mqtt.OnPacketRead, mqtt.OnPacketEncode:
		return true
	}
	return false
}

// OnConnect logs the client in; an error ends the connection.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return packets.ErrServerUnavailable
	}
	code := h.admit(c, cl, &pk)
	if code == packets.CodeSuccess {
		return nil
	}
	if cl.Properties.ProtocolVersion < 5 && code != packets.ErrBadUsernameOrPassword && code != packets.ErrClientIdentifierNotValid {
		code = packets.ErrServerUnavailable // all that MQTT 3.1.1 has a word for
	}
	if err := h.src.server.SendConnack(cl, code, false, nil); err != nil {
		return err
	}
	return code
}

func (h *hook) admit(c *conn, cl *mqtt.Client, pk *packets.Packet) packets.Code {
	s := h.src
	user := string(pk.Connect.Username)
	cred := s.credentials.Load().users[user]
	if cred == nil {
		nobody.verify(pk.Connect.Password)
	} else if !cred.verify(pk.Connect.Password) {
		cred = nil
	}
	if cred == nil {
		s.stats.LoginsRefused.Add(1)
		s.sometimes(&s.lastRefused, "log-in refused", slog.String("user", clip(user)), slog.String("remote", cl.Net.Remote))
		return packets.ErrBadUsernameOrPassword
	}
	if len(cl.ID) > maxClientID {
		return packets.ErrClientIdentifierNotValid
	}
	c.cred, c.client = cred, cl
	cl.ID = cred.device + "/" + cl.ID // a client id of another user is another session
	c.expire, c.keep = pk.Connect.Clean, s.o.SessionExpiry
	if cl.Properties.ProtocolVersion == 5 {
		asked := cl.Properties.Props.SessionExpiryInterval
		c.expire, cl.Properties.Props.SessionExpiryInterval = asked == 0, c.keepFor(asked)
		if asked > seconds(s.o.SessionExpiry) {
			c.lower = seconds(s.o.SessionExpiry)
		}
	}
	h.checkWill(c, cl)
	code := s.enter(c, cl.ID, pk.Connect.Clean)
	if code != packets.CodeSuccess {
		s.sometimes(&s.lastFull, "no room for a session", slog.String("user", user), slog.String("why", code.Reason))
	}
	return code
}

// checkWill drops a will that the client has no right to, and any will on a
// topic of readings: it was written before the fact, so it measures nothing.
func (h *hook) checkWill(c *conn, cl *mqtt.Client) {
	will := &cl.Properties.Will
	if will.Flag == 0 {
		return
	}
	if v, _ := c.cred.mayPublish(will.TopicName); v == verdictStatus && len(will.Payload) <= maxStatus {
		return
	}
	h.src.stats.WillsRefused.Add(1)
	h.src.o.Log.Info("will refused: only a status topic may have one", "user", c.cred.device, "topic", clip(will.TopicName))
	cl.Properties.Will = mqtt.Will{}
}

// OnConnectAuthenticate accepts: OnConnect has looked already.
func (h *hook) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }

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

// OnSessionEstablish comes just before the CONNACK.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, _ packets.Packet) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		h.src.loggedIn(c)
	}
}

// OnSessionEstablished begins to take the client's publishes.
func (h *hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	c, ok := cl.Net.Conn.(*conn)
	if !ok {
		return
	}
	c.acks.Received = &c.sess.received
	wait := time.Duration(cl.State.Keepalive) * time.Second
	c.login.Store(&login{client: cl, v5: cl.Properties.ProtocolVersion == 5, wait: wait + wait/2}) // [MQTT-3.1.2-22]
	if c.src.o.Log.Enabled(c.ctx, slog.LevelDebug) {
		c.src.o.Log.Debug("client connected", "client", cl.ID, "remote", cl.Net.Remote)
	}
	_ = c.raw.SetReadDeadline(time.Time{})
}

// OnDisconnect learns whether the session ends too; a DISCONNECT of MQTT 5 can
// change it.
func (h *hook) OnDisconnect(cl *mqtt.Client, _ error, expire bool) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		c.expire = expire
	}
}

// forever is what mochi believes of each session that outlives its connection.
// expire ends them: mochi would leave their subscriptions, and drop a client
// that comes back in that moment.
const forever = math.MaxUint32

func seconds(d time.Duration) uint32 { return uint32(min(d/time.Second, forever-1)) }

// keepFor notes for how many seconds the client wants its session kept, and
// returns what mochi is to believe.
func (c *conn) keepFor(asked uint32) uint32 {
	if asked == 0 {
		return 0
	}
	c.keep = min(time.Duration(asked)*time.Second, c.src.o.SessionExpiry)
	return forever
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

// clip shortens what a stranger sent for the log.
func clip(s string) string {
	const limit = 64
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}
