package app

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/escpos"
	"github.com/simpang-id/simpang/internal/wire/frames"
	"github.com/simpang-id/simpang/internal/wire/native"
	"github.com/simpang-id/simpang/internal/wire/senml"
)

type sourceLimits = source.Limits

func limitsOf(s config.Source) sourceLimits {
	return sourceLimits{MaxAge: s.MaxAge.Duration, MaxAhead: s.MaxAhead.Duration}
}

// limitsBy answers for a source that has left the configuration with the
// defaults of the contract: its quarantined items can still be retried.
func limitsBy(known map[string]sourceLimits) func(id string) sourceLimits {
	return func(id string) sourceLimits {
		if l, ok := known[id]; ok {
			return l
		}
		return sourceLimits{MaxAge: 7 * 24 * time.Hour, MaxAhead: 5 * time.Minute}
	}
}

// decode decodes what comes back from quarantine, by its source's format.
func (g *gateway) decode(sourceID, device string, raw []byte) wire.Decoded {
	return wire.Contain(raw, func() wire.Decoded {
		for _, s := range g.cfg.Sources {
			if s.ID != sourceID {
				continue
			}
			if s.Type == config.TypeBroker && native.Is(raw) { // of its devices, whatever its bridges speak
				return native.Decode(device, raw)
			}
			switch s.Format {
			case config.FormatFrames:
				decoded, _ := frames.Decode(raw)
				return decoded
			case config.FormatEscpos:
				if g.templates[s.ID] != nil {
					decoded, _ := escpos.Decode(raw, g.templates[s.ID])
					return decoded
				}
			case config.FormatSenML:
				return senml.Decode(device, raw, 0)
			case config.FormatTTS, config.FormatChirp:
				return g.formats[s.ID](device, raw)
			}
		}
		return native.Decode(device, raw)
	})
}

// firstBuild is when work on this version began: no true clock shows less.
var firstBuild = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// buildTime is the date of the program's commit, Unix ms.
func buildTime(told string) int64 {
	if t, err := time.Parse(time.RFC3339, told); err == nil && t.After(firstBuild) {
		return t.UnixMilli()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key != "vcs.time" {
				continue
			}
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil && t.After(firstBuild) {
				return t.UnixMilli()
			}
		}
	}
	return firstBuild.UnixMilli()
}

// commitMetrics measures commits.
type commitMetrics struct {
	seconds prometheus.Histogram
	failed  prometheus.Counter
}

func newCommitMetrics(reg prometheus.Registerer) *commitMetrics {
	f := promauto.With(reg)
	return &commitMetrics{
		seconds: f.NewHistogram(prometheus.HistogramOpts{
			Name: "simpang_commit_seconds", Help: "Time of a commit to the journal, its sync included.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12),
		}),
		failed: f.NewCounter(prometheus.CounterOpts{Name: "simpang_commits_failed_total", Help: "Commits that failed and were tried again; readyz says why."}),
	}
}

// timedJournal measures the appends of the gate.
type timedJournal struct {
	*journal.Journal
	m *commitMetrics
}

// Append appends and measures.
func (t *timedJournal) Append(ctx context.Context, entries []journal.Entry) (uint64, error) {
	begin := time.Now()
	first, err := t.Journal.Append(ctx, entries)
	t.m.seconds.Observe(time.Since(begin).Seconds())
	if err != nil {
		t.m.failed.Inc()
	}
	return first, err
}
