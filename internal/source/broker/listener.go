package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
)

// listener accepts connections and wraps them; it is mochi's Listener.
type listener struct {
	id   string
	src  *Source
	net  net.Listener
	tls  *tls.Config // nil: plain
	once sync.Once
}

var _ listeners.Listener = (*listener)(nil)

func (l *listener) Init(*slog.Logger) error { return nil }
func (l *listener) ID() string              { return l.id }
func (l *listener) Address() string         { return l.net.Addr().String() }
func (l *listener) Protocol() string        { return "tcp" }

// Serve accepts until the listener is closed; mochi's own way to serve a
// connection is not used. With every place for clients
// that are not logged in yet taken, the next ones wait in the kernel's queue.
func (l *listener) Serve(listeners.EstablishFn) {
	ctx := l.src.ctx
	defer l.src.tasks.Done()
	for {
		select {
		case l.src.pending <- struct{}{}:
		case <-ctx.Done():
			return
		}
		raw, err := l.net.Accept()
		if err != nil {
			<-l.src.pending
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			l.src.sometimes(&l.src.lastAccept, "accept failed; raise the limit of open files if it says too many", slog.Any("error", err))
			pause(ctx, 100*time.Millisecond)
			continue
		}
		l.src.tasks.Add(1)
		go l.handle(ctx, raw)
	}
}

// handle serves one connection to its end.
func (l *listener) handle(ctx context.Context, raw net.Conn) {
	defer l.src.tasks.Done()
	_ = raw.SetDeadline(time.Now().Add(l.src.o.ConnectTimeout))
	if l.tls != nil {
		raw = tls.Server(raw, l.tls)
	}
	c := newConn(context.WithoutCancel(ctx), l.src, raw) // shutDown ends it
	c.pending = true
	if !l.src.add(c) {
		_ = c.Close()
		<-l.src.pending
		return
	}
	defer l.src.remove(c)
	if secure, ok := raw.(*tls.Conn); ok {
		if err := aside(func() error { return secure.HandshakeContext(ctx) }); err != nil {
			l.src.stats.HandshakesFailed.Add(1)
			l.src.o.Log.Debug("TLS handshake failed", "remote", raw.RemoteAddr().String(), "error", err)
			return
		}
	}
	if err := c.serve(l.id); err != nil {
		l.src.o.Log.Debug("connection ended", "remote", raw.RemoteAddr().String(), "error", err)
	}
}

// Close stops accepting and ends the clients.
func (l *listener) Close(closeClients listeners.CloseFn) {
	l.once.Do(func() {
		_ = l.net.Close()
		closeClients(l.id)
	})
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
