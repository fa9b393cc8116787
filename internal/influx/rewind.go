package influx

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

const (
	// window is how far back a stream goes after its server has died: some
	// servers keep what they took in memory for a while, and InfluxDB 1.8 may
	// lose the end of its log of writes after its disk was full. What is sent
	// twice is the same point.
	window = 10 * time.Minute
	// shortWindow is how far where it dies again before that was made up for: a
	// server that dies every few minutes must get on too.
	shortWindow = time.Minute
	// markEvery is how fine that is.
	markEvery = 10 * time.Second
	// sureMs is how long a process must be known to be told from one that began
	// in its place: some tell when they began to the second.
	sureMs = 3000
	// mostUnasked is how often a server that cannot be asked is asked again, each
	// time after a request that it took, before it counts as one that does not
	// tell.
	mostUnasked = 3
	// mostLives is how many starts of a server's processes are known: there may
	// be several behind one address.
	mostLives = 16
)

// passed is where a stream was.
type passed struct {
	At  int64  `json:"at"` // Unix ms
	Pos uint64 `json:"pos"`
	To  int64  `json:"sent,omitempty"` // of the cursor of roll-ups
}

// life is a process of the server.
type life struct {
	Began string `json:"began"` // as it says
	Met   int64  `json:"met"`   // Unix ms, when it was asked first
}

// past is what a stream knows of its last minutes and of its server's lives. It
// is kept beside the cursor.
type past struct {
	Trail []passed `json:"trail"` // the oldest first
	Lives []life   `json:"lives,omitempty"`
	Pos   uint64   `json:"high_pos,omitempty"`
	To    int64    `json:"high_sent,omitempty"` // where it was when it went back last: what lies before was sent twice

	dialed  uint64 // connections made when the server was asked last
	dead    bool   // a connection broke off since then
	unasked int    // times that it could not be asked since then
	changed bool   // since it was kept
}

// died tells whether an error looks as if the server's process had ended: it
// answered nothing, and that at once.
func died(err error) bool {
	e, ok := errors.AsType[*ihttp.Error](err)
	if err == nil || ok && e.StatusCode != 0 || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	n, ok := errors.AsType[net.Error](err)
	return !ok || !n.Timeout()
}

// note remembers where a stream was before it moves.
func (p *past) note(now time.Time, c cursor) {
	at := now.UnixMilli()
	if n := len(p.Trail); n > 0 && at-p.Trail[n-1].At < markEvery.Milliseconds() && at >= p.Trail[n-1].At {
		return
	}
	p.Trail = append(p.Trail, passed{at, c.pos, c.sent})
	for len(p.Trail) > 1 && at-p.Trail[1].At > window.Milliseconds() {
		p.Trail = p.Trail[1:]
	}
	p.changed = true
}

// rewound returns where a stream goes on from after a request that its server
// took, where the server may have forgotten what it took before; now is where
// it would go on from. A server that tells when its process began is believed;
// of another, a connection that broke off may have been its death, and what it
// took is sent again once.
func (s *stream) rewound(ctx context.Context, now cursor) (back cursor, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.past
	dialed := s.t.client.transport.dialed.Load()
	if dialed == p.dialed && !p.dead {
		return cursor{}, false
	}
	s.mu.Unlock()
	born, err := s.t.client.born(ctx)
	s.mu.Lock()
	if ctx.Err() != nil || err != nil && p.unasked < mostUnasked {
		p.unasked++
		return cursor{}, false
	}
	p.unasked = 0
	perhaps := p.dead
	p.dialed, p.dead = dialed, false
	again := now.pos <= p.Pos && now.sent <= p.To
	at := s.t.o.Now()
	switch known := slices.IndexFunc(p.Lives, func(l life) bool { return l.Began == born }); {
	case born == "":
	case known >= 0 && at.UnixMilli()-p.Lives[known].Met >= sureMs:
		return cursor{}, false
	case known >= 0:
	case len(p.Lives) == 0:
		p.meet(born, at)
	case again:
		p.meet(born, at)
		return p.back(at, now, shortWindow)
	default:
		p.meet(born, at)
		return p.back(at, now, window)
	}
	if !perhaps || again {
		return cursor{}, false
	}
	high := cursor{p.Pos, p.To}
	if back, ok = p.back(at, now, window); ok {
		back.pos, back.sent = max(back.pos, high.pos), max(back.sent, high.sent)
		p.Trail[0].Pos, p.Trail[0].To = back.pos, back.sent
	}
	return back, ok
}

func (p *past) meet(born string, at time.Time) {
	p.Lives = append(p.Lives, life{born, at.UnixMilli()})
	if len(p.Lives) > mostLives {
		p.Lives = slices.Delete(p.Lives, 0, 1)
	}
	p.changed = true
}

// back goes back by a span before the stream went on last, or as far as is known:
// the server may have died right after that, however long ago.
func (p *past) back(now time.Time, from cursor, span time.Duration) (back cursor, ok bool) {
	if len(p.Trail) == 0 {
		return cursor{}, false
	}
	i, last := 0, p.Trail[len(p.Trail)-1].At
	for i+1 < len(p.Trail) && last-p.Trail[i+1].At >= span.Milliseconds() {
		i++
	}
	back = cursor{p.Trail[i].Pos, p.Trail[i].To}
	p.Trail = []passed{{now.UnixMilli(), back.pos, back.sent}} // what is sent again may be forgotten again
	p.Pos, p.To = max(p.Pos, from.pos), max(p.To, from.sent)
	p.changed = true
	return back, true
}

// keep makes the past durable where it changed. The cursor went before: a stream
// that does not know that it went back does so again.
func (s *stream) keep(ctx context.Context) error {
	s.mu.Lock()
	p := s.past
	p.Trail, p.Lives = slices.Clone(p.Trail), slices.Clone(p.Lives)
	s.past.changed = false
	s.mu.Unlock()
	if !p.changed {
		return nil
	}
	err := s.t.o.Store.savePast(ctx, s.t.o.ID, s.name, &p)
	if err != nil {
		s.mu.Lock()
		s.past.changed = true
		s.mu.Unlock()
	}
	return err
}
