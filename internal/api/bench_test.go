package api_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
)

// BenchmarkHotReads compares each hot read with a bare chi handler that writes
// the same bytes, over a kept connection.
func BenchmarkHotReads(b *testing.B) {
	c := apitest.New(b)
	c.Parking.Set(alun(2, 1, 1))
	c.Traffic.Set(veteran(30_000))
	s, err := api.New(c.Options())
	require.NoError(b, err)
	for _, path := range []string{"/v1/parking/sites", "/v1/parking/sites/s-alun", "/v1/parking/sites?class=car", "/v1/parking/nearby?lat=-6.237&lon=107", "/v1/traffic/congestion"} {
		addr := serve(b, s)
		res, err := http.Get("http://" + addr + path)
		require.NoError(b, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(b, err)
		require.NoError(b, res.Body.Close())
		bare := chi.NewRouter()
		bare.Get("/*", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		})
		bareAddr := serve(b, bare)
		b.Run("ours"+path, func(b *testing.B) { load(b, addr, path) })
		b.Run("bare"+path, func(b *testing.B) { load(b, bareAddr, path) })
	}
}

func serve(b *testing.B, h http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

// load asks again and again on one connection, with as little client as can be.
func load(b *testing.B, addr, path string) {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 1<<16)
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			b.Fatal(err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandler is the handler alone, without a connection.
func BenchmarkHandler(b *testing.B) {
	c := apitest.New(b)
	c.Parking.Set(alun(2, 1, 1))
	s, err := api.New(c.Options())
	require.NoError(b, err)
	bare := chi.NewRouter()
	bare.Get("/*", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	})
	for name, h := range map[string]http.Handler{"ours": s, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			w := &nothing{h: http.Header{}}
			r, err := http.NewRequest(http.MethodGet, "/v1/parking/sites", nil)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				clear(w.h)
				h.ServeHTTP(w, r)
			}
		})
	}
}

type nothing struct{ h http.Header }

func (n *nothing) Header() http.Header         { return n.h }
func (n *nothing) Write(b []byte) (int, error) { return len(b), nil }
func (n *nothing) WriteHeader(int)             {}
