package broker

import (
	"log/slog"
	"math"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/simpang-id/simpang/internal/source"
)

const maxClientID = 256

// logIn answers the CONNECT that comes next.
func (c *conn) logIn(listener string) (err error) {
	s := c.src
	cl := s.server.NewClient(c, listener, "", false)
	defer func() {
		if err != nil {
			cl.Stop(err)
		}
	}()
	pk, err := readPacket(cl)
	if err != nil {
		return err
	}
	cl.ParseConnect(listener, pk)
	code := s.mayConnect(cl, &pk)
	if code == packets.CodeSuccess {
		code = c.admit(cl, &pk)
	}
	if code != packets.CodeSuccess {
		if err := s.server.SendConnack(cl, code, false, nil); err != nil {
			return err
		}
		return code
	}
	s.loggedIn(c)
	present := s.resume(cl, pk.Connect.Clean)
	s.server.Clients.Add(cl) // [MQTT-4.1.0-1]
	if err := s.server.SendConnack(cl, packets.CodeSuccess, present, nil); err != nil {
		return err
	}
	if err := cl.ResendInflightMessages(true); err != nil { // [MQTT-4.4.0-1]
		return err
	}
	c.established(cl)
	return nil
}

// mayConnect tells whether the CONNECT is one.
func (s *Source) mayConnect(cl *mqtt.Client, pk *packets.Packet) packets.Code {
	if code := pk.ConnectValidate(); code != packets.CodeSuccess {
		return code
	}
	if cl.Properties.ProtocolVersion < 5 && !pk.Connect.Clean && pk.Connect.ClientIdentifier == "" {
		return packets.ErrClientIdentifierNotValid // [MQTT-3.1.3-8]
	}
	return packets.CodeSuccess
}

// admit checks who the client is, and gives it its session.
func (c *conn) admit(cl *mqtt.Client, pk *packets.Packet) packets.Code {
	code := c.enter(cl, pk)
	if code != packets.CodeSuccess && cl.Properties.ProtocolVersion < 5 && code != packets.ErrBadUsernameOrPassword && code != packets.ErrClientIdentifierNotValid {
		return packets.ErrServerUnavailable // all that MQTT 3.1.1 has a word for
	}
	return code
}

func (c *conn) enter(cl *mqtt.Client, pk *packets.Packet) packets.Code {
	s := c.src
	user := string(pk.Connect.Username)
	cred := s.credentials.Load().users[user]
	if cred == nil {
		nobody.verify(pk.Connect.Password)
	} else if !cred.verify(pk.Connect.Password) {
		cred = nil
	}
	if cred == nil {
		s.stats.LoginsRefused.Add(1)
		user = s.turnAway(cl.Net.Remote, user, pk.Connect.Password)
		s.sometimes(&s.lastRefused, "log-in refused", slog.String("user", user), slog.String("remote", cl.Net.Remote))
		return packets.ErrBadUsernameOrPassword
	}
	s.turnedAway.forget(user)
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
	c.checkWill(cl)
	code := s.enter(c, cl.ID, pk.Connect.Clean)
	if code != packets.CodeSuccess {
		s.sometimes(&s.lastFull, "no room for a session", slog.String("user", user), slog.String("why", code.Reason))
	}
	return code
}

// turnAway remembers a refused log-in, and returns the user as it may be told:
// where user and secret stand in each other's place, what was given as user is
// told to nobody.
func (s *Source) turnAway(remote, user string, secret []byte) string {
	all := s.credentials.Load().users
	t := source.TurnedAway{Source: s.o.ID, User: user, Remote: remote, Known: all[user] != nil}
	if other := all[string(secret)]; !t.Known && other != nil && other.verify([]byte(user)) {
		t.User, t.Known, t.Swapped = string(secret), true, true
	}
	return s.turnedAway.note(t, time.Now().UnixMilli())
}

// checkWill drops a will that the client has no right to, and any will on a
// topic of readings: it was written before the fact, so it measures nothing.
func (c *conn) checkWill(cl *mqtt.Client) {
	will := &cl.Properties.Will
	if will.Flag == 0 {
		return
	}
	if v, _ := c.cred.mayPublish(will.TopicName); v == verdictStatus && len(will.Payload) <= maxStatus {
		return
	}
	c.src.stats.WillsRefused.Add(1)
	c.src.o.Log.Info("will refused: only a status topic may have one", "user", c.cred.device, "topic", clip(will.TopicName))
	cl.Properties.Will = mqtt.Will{}
}

// resume takes over what mochi keeps of a session, and tells whether it keeps
// any. The connection before has ended (see Source.enter).
func (s *Source) resume(cl *mqtt.Client, clean bool) bool {
	before, ok := s.server.Clients.Get(cl.ID)
	if !ok {
		return false
	}
	if clean || before.Properties.Clean && before.Properties.ProtocolVersion < 5 { // [MQTT-3.1.2-4]
		s.dropClient(cl.ID)
		return false
	}
	cl.State.Inflight, cl.State.Subscriptions = before.State.Inflight, before.State.Subscriptions // [MQTT-3.1.2-5]
	cl.State.Inflight.ResetReceiveQuota(int32(s.o.Window))
	cl.State.Inflight.ResetSendQuota(int32(cl.Properties.Props.ReceiveMaximum))
	return true
}

// established begins to take the client's publishes.
func (c *conn) established(cl *mqtt.Client) {
	c.acks.Received = &c.sess.received
	wait := time.Duration(cl.State.Keepalive) * time.Second
	c.login.Store(&login{client: cl, v5: cl.Properties.ProtocolVersion == 5, wait: wait + wait/2}) // [MQTT-3.1.2-22]
	if cl.State.Subscriptions.Len() > 0 {
		c.startWriteLoop(cl)
	}
	if c.src.o.Log.Enabled(c.ctx, slog.LevelDebug) {
		c.src.o.Log.Debug("client connected", "client", cl.ID, "remote", cl.Net.Remote)
	}
	_ = c.raw.SetReadDeadline(time.Time{})
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

// clip shortens what a stranger sent for the log.
func clip(s string) string {
	const limit = 64
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}
