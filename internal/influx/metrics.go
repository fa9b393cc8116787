package influx

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics counts what is sent, for all targets.
type Metrics struct {
	points   *prometheus.CounterVec
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	up       *prometheus.GaugeVec
}

// NewMetrics registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		points: f.NewCounterVec(prometheus.CounterOpts{
			Name: "simpang_influx_points_total",
			Help: "Points that a target took (written), refused for themselves (refused: they lie in data_dir/influx/TARGET.refused), or did not keep because its bucket keeps nothing so old (expired).",
		}, []string{"target", "end"}),
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "simpang_influx_requests_total", Help: "Requests to a target by their end: ok, refused, too_large, again (no answer, busy, or a failure of it), person (token, bucket or address must be mended), expired.",
		}, []string{"target", "end"}),
		seconds: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "simpang_influx_write_seconds", Help: "Time of a write to a target.", Buckets: prometheus.ExponentialBuckets(0.002, 3, 9),
		}, []string{"target"}),
		up: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "simpang_influx_up", Help: "1 where a target took the last write, 0 where it did not.",
		}, []string{"target"}),
	}
}

// begin shows every series of a target from its start on.
func (m *Metrics) begin(target string) {
	for _, end := range []string{"written", "refused", "expired"} {
		m.points.WithLabelValues(target, end)
	}
	for _, end := range outcomeNames {
		m.requests.WithLabelValues(target, end)
	}
	m.seconds.WithLabelValues(target)
	m.up.WithLabelValues(target).Set(1) // until a try tells otherwise: perhaps there is nothing to send
}

var outcomeNames = [...]string{accepted: "ok", refused: "refused", tooLarge: "too_large", again: "again", person: "person", expired: "expired"}
