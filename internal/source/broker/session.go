package broker

import (
	"slices"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/simpang-id/simpang/internal/source/mqttwire"
)

// session is what is kept of a client beside what mochi keeps.
type session struct {
	id       string // user/client id
	user     string
	conn     *conn          // nil while the client is away
	away     time.Time      // since when
	keep     time.Duration  // how long it lives while the client is away
	gone     bool           // its credentials were removed: it ends with the connection
	received mqttwire.IDSet // QoS 2 publishes that await PUBREL
	will     *mqtt.Will     // of the last connection, to be published at willAt while the client is away; nil: none
	willAt   time.Time
}

// takeOver is how long a connection may take to end for the next one of the
// same client.
const takeOver = 5 * time.Second

// enter gives the session id of cred's user to c. An earlier connection of the
// session is ended first, wholly: mochi's own take-over lets the two race, so
// that the will of the first could come after the status of the second. A full
// broker refuses who has no connection: who comes back while the last one looks
// alive takes its place.
func (s *Source) enter(c *conn, id string, clean bool) packets.Code {
	deadline := time.NewTimer(takeOver)
	defer deadline.Stop()
	for took := false; ; took = true {
		s.mu.Lock()
		sess := s.sessions[id]
		if !took && (sess == nil || sess.conn == nil) && s.stats.Connections.Load() >= int64(s.o.MaxClients) {
			s.mu.Unlock()
			return packets.ErrServerBusy
		}
		if sess == nil {
			if sess = s.newSession(c.cred, id); sess == nil {
				s.mu.Unlock()
				return packets.ErrQuotaExceeded
			}
		}
		old := sess.conn
		if old == nil {
			sess.conn, c.sess, sess.will = c, sess, nil
			s.mu.Unlock()
			if clean {
				sess.received.Clear()
			}
			if !s.credentials.Load().holds(c.cred) { // changed meanwhile, and revoke did not see us
				return packets.ErrBadUsernameOrPassword
			}
			return packets.CodeSuccess
		}
		s.mu.Unlock()
		s.kick(old, packets.ErrSessionTakenOver)
		select {
		case <-old.done:
		case <-c.ctx.Done():
			return packets.ErrServerUnavailable
		case <-deadline.C:
			return packets.ErrServerBusy
		}
	}
}

// newSession makes room and a session; nil means that there is no room. s.mu is
// held.
func (s *Source) newSession(cred *credential, id string) *session {
	mine := 0
	var oldest, oldestMine *session
	for _, other := range s.byUser[cred.device] {
		mine++
		if other.conn == nil && (oldestMine == nil || other.away.Before(oldestMine.away)) {
			oldestMine = other
		}
	}
	if mine >= s.o.perUser(cred) {
		if oldestMine == nil {
			return nil
		}
		s.evict(oldestMine)
	}
	if len(s.sessions) >= s.o.MaxSessions {
		for _, other := range s.sessions {
			if other.conn == nil && (oldest == nil || other.away.Before(oldest.away)) {
				oldest = other
			}
		}
		if oldest == nil {
			return nil
		}
		s.evict(oldest)
	}
	sess := &session{id: id, user: cred.device}
	s.sessions[id] = sess
	s.byUser[sess.user] = append(s.byUser[sess.user], sess)
	return sess
}

// evict ends a session whose client is away. s.mu is held.
func (s *Source) evict(sess *session) {
	s.forget(sess)
	s.stats.Evicted.Add(1)
	s.dropClient(sess.id)
}

// forget removes a session from ours. s.mu is held.
func (s *Source) forget(sess *session) {
	if s.sessions[sess.id] != sess {
		return
	}
	delete(s.sessions, sess.id)
	s.sendDelayed(sess)
	mine := s.byUser[sess.user]
	mine = slices.DeleteFunc(mine, func(other *session) bool { return other == sess })
	if s.byUser[sess.user] = mine; len(mine) == 0 {
		delete(s.byUser, sess.user)
	}
}

// dropClient removes what mochi keeps of a session.
func (s *Source) dropClient(id string) {
	if client, ok := s.server.Clients.Get(id); ok {
		s.server.UnsubscribeClient(client)
		client.ClearInflights()
		s.server.Clients.Delete(id)
	}
}

// leave is called when the goroutine that served c has ended.
func (s *Source) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := c.sess
	if sess == nil || sess.conn != c {
		return
	}
	sess.conn, sess.away, sess.keep = nil, time.Now(), c.keep
	sess.will, sess.willAt = c.will, c.willAt
	if !c.expire && !sess.gone {
		return
	}
	s.forget(sess)
	if client, ok := s.server.Clients.Get(sess.id); ok && (sess.gone || client == c.client) {
		s.dropClient(sess.id)
	}
}

// sendDelayed publishes a will that was held back. s.mu is held.
func (s *Source) sendDelayed(sess *session) {
	if sess.will != nil {
		s.sendWill(sess.will)
		sess.will = nil
	}
}

// expire ends the sessions of clients that were away too long, and publishes
// the wills that are due.
func (s *Source) expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sess := range s.sessions {
		if sess.conn == nil && now.Sub(sess.away) > sess.keep {
			s.forget(sess)
			s.dropClient(sess.id)
		} else if sess.conn == nil && now.After(sess.willAt) {
			s.sendDelayed(sess)
		}
	}
}

// revoke cuts the connections whose credentials are not in force any more, and
// ends the sessions of users who are gone.
func (s *Source) revoke(now *users) {
	s.mu.Lock()
	var cut []*conn
	for _, sess := range s.sessions {
		gone := now.users[sess.user] == nil
		switch {
		case sess.conn == nil && gone:
			s.evict(sess)
		case sess.conn != nil && !now.holds(sess.conn.cred):
			sess.gone = gone
			cut = append(cut, sess.conn)
		}
	}
	s.mu.Unlock()
	for _, c := range cut {
		s.stats.Revoked.Add(1)
		s.spawnKick(c, packets.ErrNotAuthorized)
	}
}
