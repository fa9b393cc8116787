package intake

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/simpang-id/simpang/internal/city"
)

// Metrics counts what the gate does. Label values are closed sets.
type Metrics struct {
	Messages   *prometheus.CounterVec
	Duplicates prometheus.Counter
	Ignored    prometheus.Counter
	NotKept    prometheus.Counter
	Entries    prometheus.Histogram

	accepted map[city.Kind]prometheus.Counter
	refused  map[city.Reason]prometheus.Counter
}

// NewMetrics registers the gate's metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	f := promauto.With(reg)
	m := &Metrics{
		Messages:   f.NewCounterVec(prometheus.CounterOpts{Name: "simpang_messages_total", Help: "Messages that were decided, by source; a flat line is a silent source."}, []string{"source"}),
		Duplicates: f.NewCounter(prometheus.CounterOpts{Name: "simpang_duplicates_total", Help: "Readings that were known already; a jump after an outage is devices sending again."}),
		Ignored:    f.NewCounter(prometheus.CounterOpts{Name: "simpang_ignored_members_total", Help: "Members of payloads that the contract does not name."}),
		NotKept:    f.NewCounter(prometheus.CounterOpts{Name: "simpang_quarantine_not_kept_total", Help: "Refused elements that were counted and acknowledged, and not put into quarantine: their device had over 1,000 at once or 50 a second there."}),
		Entries: f.NewHistogram(prometheus.HistogramOpts{
			Name: "simpang_commit_entries", Help: "Entries of a commit; they grow with the load and with the time of a sync.", Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
		accepted: map[city.Kind]prometheus.Counter{},
		refused:  map[city.Reason]prometheus.Counter{},
	}
	accepted := f.NewCounterVec(prometheus.CounterOpts{Name: "simpang_readings_total", Help: "Readings that were accepted."}, []string{"kind"})
	for _, kind := range city.Kinds {
		m.accepted[kind] = accepted.WithLabelValues(kind.String())
	}
	refused := f.NewCounterVec(prometheus.CounterOpts{Name: "simpang_refused_total", Help: "Elements that were refused and set aside in quarantine, or over its device's rate there: alert on its rate."}, []string{"reason"})
	for _, reason := range city.Reasons {
		m.refused[reason] = refused.WithLabelValues(string(reason))
	}
	return m
}

func (m *Metrics) commit(p *Plan) {
	if len(p.entries) > 0 {
		m.Entries.Observe(float64(len(p.entries)))
	}
}
