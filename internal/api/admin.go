package api

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Admin returns what the admin listener serves: /metrics (Prometheus) and
// /debug/pprof/. It has no tokens: the listener belongs on loopback.
func Admin(gather prometheus.Gatherer) http.Handler {
	m := chi.NewRouter()
	m.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(gather, promhttp.HandlerOpts{}))
	m.Get("/debug/pprof/cmdline", pprof.Cmdline)
	m.Get("/debug/pprof/profile", pprof.Profile)
	m.Get("/debug/pprof/symbol", pprof.Symbol)
	m.Post("/debug/pprof/symbol", pprof.Symbol)
	m.Get("/debug/pprof/trace", pprof.Trace)
	m.Get("/debug/pprof/*", pprof.Index)
	m.Get("/debug/pprof", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/debug/pprof/", http.StatusMovedPermanently)
	})
	m.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("simpang, admin: /metrics and /debug/pprof/\n"))
	})
	return m
}

// NewAdminServer returns an http.Server for Admin, with every timeout set;
// profiles may take some minutes.
func NewAdminServer(addr string, gather prometheus.Gatherer, log *slog.Logger) *http.Server {
	h := newHTTPServer(addr, Admin(gather), log)
	h.WriteTimeout = 5 * time.Minute
	return h
}
