package sourcetest

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proxy passes connections on to another address and can cut them.
type Proxy struct {
	Addr  string
	to    string
	tasks sync.WaitGroup
	mu    sync.Mutex
	open  map[net.Conn]struct{}
	dead  map[net.Conn]struct{} // of these: what is written to them is lost
}

// NewProxy passes connections on to address to.
func NewProxy(tb testing.TB, to string) *Proxy {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	p := &Proxy{Addr: l.Addr().String(), to: to, open: make(map[net.Conn]struct{}), dead: make(map[net.Conn]struct{})}
	p.tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.tasks.Go(func() { p.pass(c) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.tasks.Wait()
	})
	return p
}

func (p *Proxy) pass(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", p.to) //nolint:noctx // a test
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	p.mu.Lock()
	p.open[near], p.open[far] = struct{}{}, struct{}{}
	p.mu.Unlock()
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(mortal{p, pair[0]}, pair[1])
			_, _ = near.Close(), far.Close()
		})
	}
	both.Wait()
	p.mu.Lock()
	delete(p.open, near)
	delete(p.open, far)
	delete(p.dead, near)
	delete(p.dead, far)
	p.mu.Unlock()
}

// Cut ends every connection that is open.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// Deaden lets every connection that is open look alive and pass nothing more,
// as a router does that has forgotten it. New ones are as before.
func (p *Proxy) Deaden() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		p.dead[c] = struct{}{}
	}
}

// mortal writes to a connection until it is dead.
type mortal struct {
	p *Proxy
	c net.Conn
}

func (m mortal) Write(b []byte) (int, error) {
	m.p.mu.Lock()
	_, dead := m.p.dead[m.c]
	m.p.mu.Unlock()
	if dead {
		return len(b), nil
	}
	return m.c.Write(b)
}
