package api

import (
	"container/list"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Conns bounds the connections of a server, so that HTTP never takes the files
// that the store needs. A connection too many takes the place of the one that
// has been idle longest; where none is idle it is answered 503 and closed. One
// address has a quarter of the places.
type Conns struct {
	most, each int
	proxies    []netip.Prefix // whose connections are many clients'

	mu      sync.Mutex
	open    int
	by      map[netip.Addr]int
	idle    *list.List // of *boundConn, who is idle longest first
	refused uint64
	ended   uint64
}

// NewConns returns bounds for most connections in all. Proxies may have all of
// them.
func NewConns(most int, proxies []netip.Prefix) *Conns {
	return &Conns{most: max(most, 1), each: max(most/4, 1), proxies: proxies, by: map[netip.Addr]int{}, idle: list.New()}
}

// Bind returns the listener to serve h by, with the connections of l.
func (b *Conns) Bind(h *http.Server, l net.Listener) net.Listener {
	h.ConnState = b.state
	return &boundListener{Listener: l, conns: b}
}

// Register registers the metrics.
func (b *Conns) Register(reg prometheus.Registerer) error {
	locked := func(n func() float64) func() float64 {
		return func() float64 {
			b.mu.Lock()
			defer b.mu.Unlock()
			return n()
		}
	}
	for _, c := range []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "simpang_http_connections", Help: "Connections to the API that are open."}, locked(func() float64 { return float64(b.open) })),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "simpang_http_connections_capacity", Help: "Connections to the API that may be open, by the limit of open files; one address has a quarter of them."}, func() float64 { return float64(b.most) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "simpang_http_connections_refused_total", Help: "Connections to the API that were answered 503 because too many were open."}, locked(func() float64 { return float64(b.refused) })),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "simpang_http_connections_idle_closed_total", Help: "Idle connections to the API that were closed to make room for others."}, locked(func() float64 { return float64(b.ended) })),
	} {
		if err := reg.Register(c); err != nil {
			return fmt.Errorf("api: metrics: %w", err)
		}
	}
	return nil
}

type boundListener struct {
	net.Listener
	conns *Conns
}

// Accept returns the next connection for which there is room.
func (l *boundListener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.conns.admit(raw); c != nil {
			return c, nil
		}
		refuseConn(raw)
	}
}

// refuseConn says why, to whoever speaks no TLS. What is so short fits into the
// kernel's buffer.
func refuseConn(raw net.Conn) {
	_ = raw.SetWriteDeadline(time.Now().Add(time.Second)) //nolint:forbidigo // the kernel's deadline is on the wall
	_, _ = raw.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
	_ = raw.Close()
}

// admit gives a connection a place, nil where there is none.
func (b *Conns) admit(raw net.Conn) *boundConn {
	c := &boundConn{Conn: raw, conns: b, from: b.from(raw)}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case c.from.IsValid() && b.by[c.from] >= b.each:
		if !b.makeRoom(func(x *boundConn) bool { return x.from == c.from }) {
			b.refused++
			return nil
		}
	case b.open >= b.most:
		if !b.makeRoom(func(*boundConn) bool { return true }) {
			b.refused++
			return nil
		}
	}
	b.open++
	if c.from.IsValid() {
		b.by[c.from]++
	}
	return c
}

// makeRoom closes the connection that has been idle longest of those that may
// be. The lock is held.
func (b *Conns) makeRoom(may func(*boundConn) bool) bool {
	for e := b.idle.Front(); e != nil; e = e.Next() {
		if c, ok := e.Value.(*boundConn); ok && may(c) {
			b.ended++
			b.leave(c)
			_ = c.Conn.Close()
			return true
		}
	}
	return false
}

// from is whose a connection is: an IPv6 /64 is one address, a proxy none.
func (b *Conns) from(raw net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(raw.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	ip := at.Addr().Unmap()
	for _, p := range b.proxies {
		if p.Contains(ip) {
			return netip.Addr{}
		}
	}
	if ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return ip
}

// leave gives the place of a connection back, once. The lock is held.
func (b *Conns) leave(c *boundConn) {
	if c.idle != nil {
		b.idle.Remove(c.idle)
		c.idle = nil
	}
	if c.left {
		return
	}
	c.left = true
	b.open--
	if !c.from.IsValid() {
		return
	}
	if b.by[c.from]--; b.by[c.from] == 0 {
		delete(b.by, c.from)
	}
}

// state is the server's word on a connection.
func (b *Conns) state(conn net.Conn, state http.ConnState) {
	c, ok := unwrapTLS(conn).(*boundConn)
	if !ok {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case state == http.StateIdle && !c.left && c.idle == nil:
		c.idle = b.idle.PushBack(c)
	case state != http.StateIdle && c.idle != nil:
		b.idle.Remove(c.idle)
		c.idle = nil
	}
}

// boundConn is a connection with a place.
type boundConn struct {
	net.Conn
	conns *Conns
	from  netip.Addr    // not valid: of a proxy
	idle  *list.Element // where it is in the list; nil: not idle
	left  bool          // its place is another's
}

// Close gives the place back.
func (c *boundConn) Close() error {
	c.conns.mu.Lock()
	c.conns.leave(c)
	c.conns.mu.Unlock()
	return c.Conn.Close()
}

// unwrapTLS returns what a TLS connection stands on, or the connection itself.
func unwrapTLS(c net.Conn) net.Conn {
	if secure, ok := c.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return c
}
