package api_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
)

// crowd is a server with few places.
type crowd struct {
	t       *testing.T
	address string
	free    chan struct{} // what /busy waits for
	busy    atomic.Int64  // requests for it that came
	idle    atomic.Int64  // how often a connection became idle
	reg     *prometheus.Registry
}

func newCrowd(t *testing.T, most int, proxies ...netip.Prefix) *crowd {
	t.Helper()
	c := &crowd{t: t, free: make(chan struct{}), reg: prometheus.NewRegistry()}
	h := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			c.busy.Add(1)
			<-c.free
		}
	})}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conns := api.NewConns(most, proxies)
	require.NoError(t, conns.Register(c.reg))
	c.address = l.Addr().String()
	served := make(chan error, 1)
	bound := conns.Bind(h, l)
	state := h.ConnState
	h.ConnState = func(conn net.Conn, now http.ConnState) {
		state(conn, now)
		if now == http.StateIdle {
			c.idle.Add(1)
		}
	}
	go func() { served <- h.Serve(bound) }()
	t.Cleanup(func() {
		close(c.free)
		require.NoError(t, h.Shutdown(context.WithoutCancel(t.Context())))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return c
}

// visitor is one connection.
type visitor struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (c *crowd) dial() *visitor {
	c.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(c.t.Context(), "tcp", c.address)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(c.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return &visitor{c.t, conn, bufio.NewReader(conn)}
}

func (v *visitor) ask(path string) {
	v.t.Helper()
	_, err := io.WriteString(v, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(v.t, err)
}

func (v *visitor) answer() int {
	v.t.Helper()
	resp, err := http.ReadResponse(v.r, nil)
	require.NoError(v.t, err)
	require.NoError(v.t, resp.Body.Close())
	return resp.StatusCode
}

func (c *crowd) atWork(n int64) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return c.busy.Load() == n }, 30*time.Second, time.Millisecond)
}

// idled waits until connections have become idle n times: an answer comes before.
func (c *crowd) idled(n int64) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return c.idle.Load() == n }, 30*time.Second, time.Millisecond)
}

func (c *crowd) until(metric string, want float64) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		families, err := c.reg.Gather()
		require.NoError(c.t, err)
		for _, f := range families {
			if f.GetName() == metric {
				m := f.GetMetric()[0]
				return m.GetGauge().GetValue()+m.GetCounter().GetValue() == want
			}
		}
		return false
	}, 30*time.Second, time.Millisecond, metric)
}

// A connection too many takes the place of the one that is idle longest; while
// all are busy it is told to come again.
func TestConnectionsAreBounded(t *testing.T) {
	c := newCrowd(t, 3, netip.MustParsePrefix("127.0.0.0/8")) // one address may have all
	first, second := c.dial(), c.dial()
	for i, v := range []*visitor{first, second} {
		v.ask("/")
		require.Equal(t, http.StatusOK, v.answer())
		c.idled(int64(i) + 1)
	}
	busy := c.dial()
	busy.ask("/busy")
	fourth := c.dial()
	fourth.ask("/busy")
	c.until("simpang_http_connections_idle_closed_total", 1)
	_, err := first.r.ReadByte()
	require.ErrorIs(t, err, io.EOF, "idle longest")
	second.ask("/busy")
	c.until("simpang_http_connections", 3)
	c.atWork(3)

	late := c.dial()
	require.Equal(t, http.StatusServiceUnavailable, late.answer())
	c.until("simpang_http_connections_refused_total", 1)
	for range 3 {
		c.free <- struct{}{}
	}
	for _, v := range []*visitor{busy, second, fourth} {
		require.Equal(t, http.StatusOK, v.answer())
	}
	busy.Close()
	second.Close()
	fourth.Close()
	c.until("simpang_http_connections", 0)
	c.until("simpang_http_connections_capacity", 3)
}

// One address has a quarter of the places, and takes no one else's.
func TestOneAddressHasAQuarterOfTheConnections(t *testing.T) {
	c := newCrowd(t, 8)
	first, second := c.dial(), c.dial()
	first.ask("/busy")
	second.ask("/busy")
	c.atWork(2)
	require.Equal(t, http.StatusServiceUnavailable, c.dial().answer())
	c.free <- struct{}{}
	c.free <- struct{}{}
	require.Equal(t, http.StatusOK, first.answer())
	require.Equal(t, http.StatusOK, second.answer())
	c.idled(2)
	third := c.dial()
	third.ask("/")
	require.Equal(t, http.StatusOK, third.answer())
	c.until("simpang_http_connections", 2)
}
