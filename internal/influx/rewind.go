package influx

import (
	"context"
	"errors"
	"net"
	"time"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

const (
	// window is how far back a stream goes after its server has died: some
	// servers keep what they took in memory for a while, and InfluxDB 1.8 may
	// lose the end of its log of writes after its disk was full. What is sent
	// twice is the same point.
	window = 10 * time.Minute
	// markEvery is how fine that is.
	markEvery = 10 * time.Second
)

// passed is where a stream was.
type passed struct {
	at time.Time
	c  cursor
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

// note remembers where a stream was before it moves. mu is held.
func (s *stream) note(now time.Time) {
	if n := len(s.trail); n > 0 && now.Sub(s.trail[n-1].at) < markEvery {
		return
	}
	s.trail = append(s.trail, passed{now, s.at})
	for len(s.trail) > 1 && now.Sub(s.trail[1].at) > window {
		s.trail = s.trail[1:]
	}
}

// rewound returns where a stream goes on from after its server had died; false
// where it had not.
func (s *stream) rewound() (cursor, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dead || len(s.trail) == 0 {
		return cursor{}, false
	}
	s.dead = false
	c := s.trail[0].c
	s.trail = []passed{{s.t.o.Now(), c}} // what is sent again may be forgotten again
	return c, true
}
