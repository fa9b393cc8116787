package sandbox

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics count what codecs do. A nil *Metrics counts nothing.
type Metrics struct {
	calls     *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	processes prometheus.Counter
}

// NewMetrics registers them. Label values are names of profiles, from the
// configuration, and a closed set of results.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	return &Metrics{
		calls: f.NewCounterVec(prometheus.CounterOpts{
			Name: "simpang_codec_payloads_total", Help: "Payloads for vendors' codecs, by profile and result: ok, refused (by the codec), unmapped (no reading of the mapping fits, or a value is wrong), threw, big, shape, slow, crashed, rested, unserved (no process could be started).",
		}, []string{"profile", "result"}),
		seconds: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "simpang_codec_seconds", Help: "Time that a call of a vendor's codec took.", Buckets: prometheus.ExponentialBuckets(0.00005, 4, 8),
		}, []string{"profile"}),
		processes: f.NewCounter(prometheus.CounterOpts{
			Name: "simpang_codec_processes_started_total", Help: "Processes started for vendors' codecs: each codec that breaks one costs another.",
		}),
	}
}

// expect has a profile's series there before its first payload.
func (m *Metrics) expect(profile string) {
	if m != nil {
		m.calls.WithLabelValues(profile, "ok")
		m.seconds.WithLabelValues(profile)
	}
}

func (m *Metrics) called(profile string, seconds float64) {
	if m != nil {
		m.seconds.WithLabelValues(profile).Observe(seconds)
	}
}

func (m *Metrics) result(profile, result string) {
	if m != nil {
		m.calls.WithLabelValues(profile, result).Inc()
	}
}

func (m *Metrics) started() {
	if m != nil {
		m.processes.Inc()
	}
}
