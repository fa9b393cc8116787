package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// stream serves /v1/stream: server-sent events (HTML Living Standard,
// section 9.2). Every write has its own deadline: who does not read is cut.
func (s *Server) stream(w http.ResponseWriter, q *request) error {
	leave, err := s.hub.enter(s.address(q.Request))
	if err != nil {
		p := problem(http.StatusServiceUnavailable, "too many streams are open; poll the list instead, or try again")
		p.retryAfter, p.cause = 30, err
		return p
	}
	defer leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if q.Method == http.MethodHead {
		return nil
	}
	t := &streamer{s: s, w: w, rc: http.NewResponseController(w), q: q, topics: q.args.get("topics").list}
	_ = t.rc.SetReadDeadline(time.Time{}) // the server's ReadTimeout is not for streams
	boundBuffer(q.Context())
	t.run()
	return nil
}

// connKey finds a request's connection in its context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// boundBuffer bounds what the kernel keeps for a client that does not read; it
// would let it grow to megabytes each, and such a client would be cut only
// then.
func boundBuffer(ctx context.Context) {
	const most = 256 << 10
	c, _ := ctx.Value(connKey{}).(net.Conn)
	c = unwrapTLS(c)
	if bound, ok := c.(*boundConn); ok {
		c = bound.Conn
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(most)
	}
}

// streamer is one open stream.
type streamer struct {
	s      *Server
	w      http.ResponseWriter
	rc     *http.ResponseController
	q      *request
	topics []string
	n      uint64 // number of the last event sent
}

// run sends until the client goes, is too slow, or the server ends.
func (t *streamer) run() {
	if !t.begin() {
		return
	}
	beat := time.NewTicker(t.s.KeepAlive)
	defer beat.Stop()
	for {
		news, ok := t.catchUp()
		if !ok {
			return
		}
		select {
		case <-t.q.Context().Done():
			return
		case <-t.s.hub.closed:
			return
		case <-news:
		case <-beat.C:
			if !t.send([]byte(": still here\n\n")) {
				return
			}
		}
	}
}

// begin sends all items, or what changed after what the client has.
func (t *streamer) begin() bool {
	if !t.send([]byte("retry: 2000\n\n")) {
		return false
	}
	id := t.q.Header.Get("Last-Event-ID")
	n, known := t.s.hub.number(id)
	if id != "" && !known {
		return t.restart()
	}
	t.n = n
	return true
}

// catchUp sends what is new.
func (t *streamer) catchUp() (news <-chan struct{}, ok bool) {
	b, known := t.s.hub.after(t.topics, t.n)
	if !known {
		if !t.restart() {
			return nil, false
		}
		b, _ = t.s.hub.after(t.topics, t.n)
	}
	t.n = b.n
	return b.news, t.sendBatch(&b)
}

// restart tells the client to forget what it has; all items follow. The reset
// has no id: who breaks off after it is reset again.
func (t *streamer) restart() bool {
	t.n = 0
	return t.send([]byte("event: reset\ndata: {}\n\n"))
}

// sendBatch writes changes in pieces.
func (t *streamer) sendBatch(b *batch) bool {
	const piece = 32 << 10
	var out []byte
	for i := range b.changes {
		out = t.s.hub.frame(out, b, i)
		if len(out) < piece && i < len(b.changes)-1 {
			continue
		}
		if !t.send(out) {
			return false
		}
		out = out[:0]
	}
	return true
}

// send writes and flushes within WriteTimeout.
func (t *streamer) send(out []byte) bool {
	if err := t.rc.SetWriteDeadline(deadline(t.s.WriteTimeout)); err != nil {
		return false
	}
	_, err := t.w.Write(out)
	if err == nil {
		err = t.rc.Flush()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.s.hub.slow()
	}
	return err == nil
}

// deadline returns the moment that lies d ahead for a connection.
func deadline(d time.Duration) time.Time {
	return time.Now().Add(d) //nolint:forbidigo // a connection's deadline is real time, whatever clock the city runs on
}
