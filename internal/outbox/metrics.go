package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what the worker tells of itself. Label values are closed sets.
type metrics struct {
	backlog *prometheus.GaugeVec
	updates *prometheus.GaugeVec
	oldest  prometheus.Gauge
	up      prometheus.Gauge
	calls   *prometheus.CounterVec
	told    time.Time
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		backlog: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "simpang_outbox_backlog", Help: "Complaints on their way to the city's system, by state; unsure, refused and held are for a person.",
		}, []string{"state"}),
		updates: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "simpang_outbox_updates", Help: "Updates of ours on their way to the city's system, by state; unsure and refused are for a person to know.",
		}, []string{"state"}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{Name: "simpang_outbox_oldest_seconds", Help: "For how long the oldest complaint that is to be sent has waited."}),
		up:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "simpang_outbox_up", Help: "1 while the city's complaint system answers well."}),
		calls:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "simpang_outbox_calls_total", Help: "Calls to the city's complaint system, by kind and outcome."}, []string{"call", "outcome"}),
	}
	m.up.Set(1)
	for _, c := range []prometheus.Collector{m.backlog, m.updates, m.oldest, m.up, m.calls} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("outbox: metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) count(call, outcome string) { m.calls.WithLabelValues(call, outcome).Inc() }

// tell sets the gauges of the backlog, at most once in ten seconds.
func (w *Worker) tell(ctx context.Context, now time.Time) error {
	m := w.metrics
	if !m.told.IsZero() && now.Sub(m.told) < 10*time.Second && now.After(m.told) {
		return nil
	}
	b, err := w.Desk.Backlog(ctx)
	if err != nil {
		return desk(err)
	}
	t, err := w.Desk.TellingBacklog(ctx)
	if err != nil {
		return desk(err)
	}
	m.told = now
	for state, n := range map[string]int{"waiting": t.Waiting, "sending": t.Sending, "unsure": t.Unsure, "refused": t.Refused} {
		m.updates.WithLabelValues(state).Set(float64(n))
	}
	for state, n := range map[string]int{"waiting": b.Waiting, "sending": b.Sending, "unsure": b.Unsure, "refused": b.Refused, "held": b.Held} {
		m.backlog.WithLabelValues(state).Set(float64(n))
	}
	age := 0.0
	if b.Oldest != 0 {
		age = max(now.Sub(time.UnixMilli(b.Oldest)).Seconds(), 0)
	}
	m.oldest.Set(age)
	return nil
}
