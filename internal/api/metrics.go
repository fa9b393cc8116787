package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what the API tells of itself. Label values are closed sets.
type metrics struct {
	requests *prometheus.CounterVec   // by route and class of status
	seconds  *prometheus.HistogramVec // by route
}

func newMetrics(reg prometheus.Registerer, h *hub) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "simpang_http_requests_total", Help: "HTTP requests by route and class of status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "simpang_http_request_seconds", Help: "Time to answer an HTTP request.",
			Buckets: []float64{.0001, .0005, .002, .01, .05, .25, 1, 5},
		}, []string{"route"}),
	}
	streams := []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "simpang_http_streams", Help: "Event streams that are open."},
			func() float64 { open, _, _ := h.counts(); return float64(open) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "simpang_http_streams_capacity", Help: "Event streams that may be open; one address has a tenth of them."},
			func() float64 { return float64(h.most) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "simpang_http_streams_refused_total", Help: "Event streams that were refused because too many were open."},
			func() float64 { _, refused, _ := h.counts(); return float64(refused) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "simpang_http_streams_cut_total", Help: "Event streams that were cut because the client did not read; it comes back and resumes."},
			func() float64 { _, _, cut := h.counts(); return float64(cut) }),
	}
	for _, c := range append(streams, m.requests, m.seconds) {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("api: metrics: %w", err)
		}
	}
	return m, nil
}

// of returns what counts one route's requests, its labels resolved once.
func (m *metrics) of(t *route) func(w *statusWriter, took time.Duration) {
	var byClass [6]prometheus.Counter
	for class := range byClass {
		byClass[class] = m.requests.WithLabelValues(t.Name, fmt.Sprintf("%dxx", class))
	}
	seconds := m.seconds.WithLabelValues(t.Name)
	stream := t.Media == "text/event-stream"
	return func(w *statusWriter, took time.Duration) {
		byClass[min(w.status/100, 5)].Inc()
		if !stream {
			seconds.Observe(took.Seconds())
		}
	}
}

// statusWriter notes the status that was written.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the status 200 that it implies.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
