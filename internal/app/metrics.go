package app

import (
	"context"
	"math"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sys/unix"

	"github.com/simpang-id/simpang/internal/journal"
)

// followerMetrics measures one follower's flushes.
type followerMetrics struct {
	seconds prometheus.Observer
	failed  prometheus.Counter
}

// newFollowerMetrics returns what makes the metrics of each follower.
func newFollowerMetrics(reg prometheus.Registerer) func(name string) followerMetrics {
	f := promauto.With(reg)
	seconds := f.NewHistogramVec(prometheus.HistogramOpts{
		Name: "simpang_follower_flush_seconds", Help: "Time in which a follower made durable what it had concluded.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
	}, []string{"follower"})
	failed := f.NewCounterVec(prometheus.CounterOpts{
		Name: "simpang_follower_flushes_failed_total", Help: "Flushes that failed and were tried again; readyz says why.",
	}, []string{"follower"})
	return func(name string) followerMetrics {
		return followerMetrics{seconds: seconds.WithLabelValues(name), failed: failed.WithLabelValues(name)}
	}
}

// keepMetrics counts what is put away and let go.
type keepMetrics struct {
	archived, retired, expired prometheus.Counter
	freedJournal, freedArchive prometheus.Counter
	held                       prometheus.Gauge
}

func newKeepMetrics(reg prometheus.Registerer) *keepMetrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	freed := f.NewCounterVec(prometheus.CounterOpts{
		Name: "simpang_retention_freed_bytes_total", Help: "Bytes of files that were unlinked because they were past their retention, of journal and archive.",
	}, []string{"of"})
	return &keepMetrics{
		archived:     counter("simpang_archive_days_total", "Days that were archived."),
		retired:      counter("simpang_journal_days_retired_total", "Days that the journal let go once they were archived."),
		expired:      counter("simpang_quarantine_expired_total", "Items of quarantine that were past their retention."),
		freedJournal: freed.WithLabelValues("journal"),
		freedArchive: freed.WithLabelValues("archive"),
		held: f.NewGauge(prometheus.GaugeOpts{
			Name: "simpang_retention_held", Help: "1 while a backup or verify keeps days from being archived and let go; for hours: look for one that hangs.",
		}),
	}
}

// stored is what journal and archive take on the disk.
type stored struct {
	journalDays, archiveDays   int
	journalBytes, archiveBytes int64
}

func (g *gateway) stored() (s stored) {
	for _, d := range g.journal.Days() {
		s.journalDays++
		for _, suffix := range []string{"", "-wal"} {
			if info, err := os.Stat(d.Path + suffix); err == nil {
				s.journalBytes += info.Size()
			}
		}
	}
	for _, d := range g.series.now().Archived() {
		s.archiveDays++
		for _, f := range d.Files {
			if !f.Removed {
				s.archiveBytes += f.Bytes
			}
		}
	}
	return s
}

// registerMetrics registers what is asked when the metrics are read. Label
// values are ids of the configuration and closed sets.
func (g *gateway) registerMetrics() {
	f := promauto.With(g.registry)
	gauge := func(name, help string, value func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	f.NewGauge(prometheus.GaugeOpts{Name: "simpang_build_info", Help: "1; the version is a label.", ConstLabels: prometheus.Labels{"version": g.o.Version}}).Set(1)
	g.queueMetrics(gauge)
	gauge("simpang_journal_head", "Newest position of the journal.", func() float64 { return float64(g.journal.Head()) })
	gauge("simpang_anomalies_standing", "Anomalies that are not closed.", func() float64 { return float64(g.watch.Standing()) })
	gauge("simpang_certificates_unproved", "Lists of certificates whose hash the books will never hold: look at the log.", func() float64 { return float64(g.certs.now().Unproved()) })
	gauge("simpang_journal_days", "Days that the journal has.", func() float64 { return float64(g.stored().journalDays) })
	gauge("simpang_journal_bytes", "Bytes of the journal's files.", func() float64 { return float64(g.stored().journalBytes) })
	gauge("simpang_archive_days", "Days that are archived.", func() float64 { return float64(g.stored().archiveDays) })
	gauge("simpang_archive_bytes", "Bytes of the archive's files.", func() float64 { return float64(g.stored().archiveBytes) })
	disk := func(of func(*unix.Statfs_t) uint64) func() float64 {
		return func() float64 {
			var fs unix.Statfs_t
			if unix.Statfs(g.cfg.DataDir, &fs) != nil {
				return math.NaN()
			}
			return float64(of(&fs)) * float64(fs.Bsize)
		}
	}
	gauge("simpang_disk_free_bytes", "Free bytes of the disk of data_dir: alert before it is full, since nothing is taken then.", disk(func(s *unix.Statfs_t) uint64 { return s.Bavail }))
	gauge("simpang_disk_size_bytes", "Size of the disk of data_dir.", disk(func(s *unix.Statfs_t) uint64 { return s.Blocks }))
	gauge("simpang_backup_age_seconds", "Time since the last backup of this data_dir was finished, +Inf where there was none: alert over two of your intervals.", func() float64 {
		if taken, ok := lastBackup(g.cfg.DataDir); ok {
			return g.now().Sub(taken.Ended).Seconds()
		}
		return math.Inf(1)
	})
	gauge("simpang_retention_doubt_seconds", "Running time until what is past its retention is let go again, since our clock may be wrong; over 0: look at the clock.", func() float64 {
		left, _ := g.doubt.left(g.instant())
		return left.Seconds()
	})
	gauge("simpang_signed_age_seconds", "Time since all of the books was signed, or found to be: alert over two hours.", func() float64 { return g.signer.age().Seconds() })
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "simpang_signatures_failed_total", Help: "Signatures of the books that failed and were tried again a minute later; over two hours readyz says why.",
	}, func() float64 { return float64(g.signer.failed.Load()) })
	g.registry.MustRegister(&asked{g: g})
}

// queueMetrics tells what waits where, and how much may.
func (g *gateway) queueMetrics(gauge func(name, help string, value func() float64)) {
	gauge("simpang_queue_items", "Messages that wait for the next commit; near the capacity the disk is too slow, and sources are held back.",
		func() float64 { items, _ := g.queue.Held(); return float64(items) })
	gauge("simpang_queue_bytes", "Memory of the messages that wait for the next commit.",
		func() float64 { _, bytes := g.queue.Held(); return float64(bytes) })
	gauge("simpang_queue_capacity_items", "Messages that may wait for the next commit.",
		func() float64 { items, _ := g.queue.Capacity(); return float64(items) })
	gauge("simpang_queue_capacity_bytes", "Memory that they may take.",
		func() float64 { _, bytes := g.queue.Capacity(); return float64(bytes) })
	gauge("simpang_feed_entries", "Entries kept in memory for followers; who lags by more reads the disk.",
		func() float64 { held, _ := g.feed.Held(); return float64(held) })
	gauge("simpang_feed_capacity_entries", "Entries that are kept in memory for followers.",
		func() float64 { _, most := g.feed.Held(); return float64(most) })
	count := func(value func(journal.Counts) float64) func() float64 {
		return func() float64 { return value(g.quarantine.Counts()) }
	}
	gauge("simpang_quarantine_items", "Items in quarantine.", count(func(c journal.Counts) float64 { return float64(c.Items) }))
	gauge("simpang_quarantine_pending_items", "Of these: not tried again yet.", count(func(c journal.Counts) (n float64) {
		for _, pending := range c.Pending {
			n += float64(pending)
		}
		return n
	}))
	gauge("simpang_quarantine_bytes", "Bytes in quarantine.", count(func(c journal.Counts) float64 { return float64(c.Bytes) }))
	gauge("simpang_quarantine_capacity_items", "Items that quarantine keeps in all; the oldest make room.",
		func() float64 { items, _ := g.quarantine.Capacity(); return float64(items) })
	gauge("simpang_quarantine_capacity_bytes", "Bytes that quarantine keeps in all.",
		func() float64 { _, bytes := g.quarantine.Capacity(); return float64(bytes) })
	gauge("simpang_quarantine_evicted_items", "Items that went because quarantine was full, since it was begun.",
		count(func(c journal.Counts) float64 { return float64(c.Evicted) }))
}

// asked is what readiness knows of sources and followers, as metrics.
type asked struct{ g *gateway }

var _ prometheus.Collector = (*asked)(nil)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	notReady = desc("simpang_not_ready", "Reasons why readyz says 503, by code; 0: none.", "code")

	sourceConnected   = desc("simpang_source_connected", "1 where a source is connected, listens, or has its line open.", "source", "type")
	sourceReceived    = desc("simpang_source_received_total", "Messages that a source has received.", "source")
	sourceAge         = desc("simpang_source_last_message_age_seconds", "Time since a source's last message, or since the start where none came.", "source")
	sourceUnacked     = desc("simpang_source_unacked_messages", "Messages that a source has handed on, and that are neither committed nor acknowledged yet.", "source")
	sourceConnects    = desc("simpang_source_connects_total", "Connections to an outside broker, or times that a line was opened: alert on its rate.", "source")
	sourceFailures    = desc("simpang_source_failures_total", "Attempts to connect or to open the line that failed.", "source")
	sourceRestarts    = desc("simpang_source_restarts_total", "Of the connections: made by the watchdog, because nothing came for longer than max_silence.", "source")
	sourceConnections = desc("simpang_source_connections", "Clients of the built-in broker.", "source")
	sourceCounts      = desc("simpang_source_counts_total", "What else a serial line has counted: noise; of a till receipts, prints unread or that are none, bytes; of Modbus questions, answers missing or bad, exceptions, counters that began anew.", "source", "what")

	followerEntries = desc("simpang_follower_lag_entries", "Entries that a follower has not applied.", "follower")
	followerSeconds = desc("simpang_follower_lag_seconds", "Age of the oldest entry that a follower has not applied; over 5 it is named by readyz.", "follower")
)

// reasonCodes are the codes of readyz.
var reasonCodes = []string{"clock", "commit", "disk", "signing", "source", "follower", "complaints", "influx"}

// Describe tells what there is.
func (a *asked) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		notReady, sourceConnected, sourceReceived, sourceAge, sourceUnacked, sourceConnects, sourceFailures, sourceRestarts, sourceConnections, sourceCounts,
		followerEntries, followerSeconds,
	} {
		ch <- d
	}
}

// Collect asks.
func (a *asked) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	ready := a.g.ready.Ready(ctx)
	for _, code := range reasonCodes {
		n := 0
		for _, r := range ready.Reasons {
			if r.Code == code {
				n++
			}
		}
		send(notReady, prometheus.GaugeValue, float64(n), code)
	}
	for _, s := range a.g.ready.sources() {
		status := s.Status()
		connected := 0.0
		if status.Connected {
			connected = 1
		}
		send(sourceConnected, prometheus.GaugeValue, connected, status.ID, status.Type)
		send(sourceReceived, prometheus.CounterValue, float64(status.Received), status.ID)
		send(sourceAge, prometheus.GaugeValue, s.heard(status).Seconds(), status.ID)
		send(sourceUnacked, prometheus.GaugeValue, float64(status.Unacked), status.ID)
		send(sourceConnects, prometheus.CounterValue, float64(status.Connects), status.ID)
		send(sourceFailures, prometheus.CounterValue, float64(status.Failures), status.ID)
		send(sourceRestarts, prometheus.CounterValue, float64(status.Restarts), status.ID)
		send(sourceConnections, prometheus.GaugeValue, float64(status.Connections), status.ID)
		for _, c := range status.Counts {
			send(sourceCounts, prometheus.CounterValue, float64(c.N), status.ID, c.What)
		}
	}
	for _, f := range ready.Followers {
		send(followerEntries, prometheus.GaugeValue, float64(f.Lag), f.Name)
		send(followerSeconds, prometheus.GaugeValue, float64(f.LagS.V)/1000, f.Name)
	}
}
