package app_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
)

func (r *running) metrics() string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.at.Admin+"/metrics", nil)
	require.NoError(r.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return string(body)
}

// value is a metric's number.
func (r *running) value(name string) float64 {
	r.t.Helper()
	for line := range strings.Lines(r.metrics()) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			require.NoError(r.t, err)
			return n
		}
	}
	r.t.Fatalf("there is no metric %s", name)
	return 0
}

// metric is one family.
type metric struct {
	name, help, kind string
	labels           map[string]map[string]bool // name -> values
}

var (
	sample = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? `)
	label  = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
)

func families(text string) (found []*metric) {
	byName := map[string]*metric{}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(strings.TrimSpace(rest), " ")
			byName[name] = &metric{name: name, help: help, labels: map[string]map[string]bool{}}
			found = append(found, byName[name])
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(strings.TrimSpace(rest), " ")
			byName[name].kind = kind
			continue
		}
		parts := sample.FindStringSubmatch(line)
		m := byName[parts[1]]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if m == nil {
				m = byName[strings.TrimSuffix(parts[1], suffix)]
			}
		}
		for _, l := range label.FindAllStringSubmatch(parts[2], -1) {
			if l[1] == "le" {
				continue
			}
			if m.labels[l[1]] == nil {
				m.labels[l[1]] = map[string]bool{}
			}
			m.labels[l[1]][l[2]] = true
		}
	}
	return found
}

// row is the family's line in the table of the documents.
func (m *metric) row() string {
	var labels []string
	for name := range m.labels {
		labels = append(labels, name)
	}
	slices.Sort(labels)
	name := m.name
	if len(labels) > 0 {
		name += "{" + strings.Join(labels, ",") + "}"
	}
	return fmt.Sprintf("| `%s` | %s | %s |\n", name, m.kind, m.help)
}

// threeSources is a city with a source of each type, two of which nobody answers.
func threeSources(t *testing.T) string {
	t.Helper()
	dir := newDir(t)
	text, err := os.ReadFile(filepath.Join(dir, "simpang.yaml"))
	require.NoError(t, err)
	writeFiles(t, dir, map[string]string{"simpang.yaml": strings.Replace(string(text), "sources: [", `sources: [{id: m, type: mqtt, url: "tcp://127.0.0.1:1"}, {id: s, type: serial, port: nowhere, max_silence: 1s}, `, 1)})
	return dir
}

// TestMetrics walks everything that the admin listener tells: each has a help
// text, labels are closed sets, and docs/operations.md has them all.
func TestMetrics(t *testing.T) {
	dir := threeSources(t)
	codecs, err := filepath.Abs("../../configs/codecs/codecs.yaml")
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(dir, "simpang.yaml"))
	require.NoError(t, err)
	writeFiles(t, dir, map[string]string{"simpang.yaml": string(text) + "\ncodecs_file: " + codecs + "\ninflux: [{id: away, url: \"http://127.0.0.1:1\", bucket: x}]\n"})
	r := start(t, dir)
	r.cfg.Sources = r.cfg.Sources[2:] // publish uses the first
	for _, device := range []string{"d1", "d2", "stranger"} {
		r.publish(device, reading(1, true))
	}
	var table strings.Builder
	table.WriteString("| metric | type | tells |\n|---|---|---|\n")
	there := map[string]*metric{}
	for _, m := range families(r.metrics()) {
		if !strings.HasPrefix(m.name, "simpang_") {
			continue
		}
		there[m.name] = m
		table.WriteString(m.row())
		require.Greater(t, len(m.help), 10, m.name)
		require.True(t, strings.HasSuffix(m.help, "."), "%s: %s", m.name, m.help)
		require.Equal(t, m.kind == "counter", strings.HasSuffix(m.name, "_total"), m.name)
		for name, values := range m.labels {
			require.Less(t, len(values), 100, "%s{%s}", m.name, name)
			for v := range values {
				require.NotContains(t, []string{"d1", "d2", "stranger"}, v, "%s{%s}: a device is no label", m.name, name)
			}
		}
	}
	for _, name := range []string{ // issue 3: every queue, source, follower, commit, quarantine, stream, archive, disk, backup
		"queue_items", "queue_bytes", "queue_capacity_items", "queue_capacity_bytes", "feed_entries", "feed_capacity_entries",
		"refused_total", "duplicates_total", "source_connected", "source_received_total", "source_last_message_age_seconds",
		"source_unacked_messages", "source_connects_total", "source_restarts_total", "follower_lag_entries", "follower_lag_seconds",
		"follower_flush_seconds", "commit_entries", "commit_seconds", "quarantine_items", "quarantine_bytes", "quarantine_evicted_items",
		"http_streams", "http_streams_cut_total", "archive_days", "archive_bytes", "retention_freed_bytes_total", "disk_free_bytes", "backup_age_seconds",
	} {
		require.Contains(t, there, "simpang_"+name)
	}
	require.Equal(t, map[string]bool{"b": true, "m": true, "s": true}, there["simpang_source_connected"].labels["source"])
	require.Len(t, there["simpang_follower_lag_seconds"].labels["follower"], 10, "seven followers, and a target's three streams")

	require.InDelta(t, 1, r.value(`simpang_source_connected{source="b",type="broker"}`), 0)
	require.InDelta(t, 0, r.value(`simpang_source_connected{source="m",type="mqtt"}`), 0)
	require.Positive(t, r.value(`simpang_source_failures_total{source="m"}`))
	require.InDelta(t, 3, r.value(`simpang_source_received_total{source="b"}`), 0)
	require.InDelta(t, 1, r.value(`simpang_refused_total{reason="unknown_device"}`), 0)
	require.InDelta(t, 1, r.value("simpang_quarantine_items"), 0)
	require.Positive(t, r.value("simpang_disk_free_bytes"))
	require.True(t, math.IsInf(r.value("simpang_backup_age_seconds"), 1), "there was none")
	require.NoError(t, take(t, r.cfg, filepath.Join(t.TempDir(), "b")))
	require.Less(t, r.value("simpang_backup_age_seconds"), 60.0)
	require.NoError(t, r.stop())
	checkDocs(t, table.String())
}

// checkDocs compares the table in docs/operations.md.
func checkDocs(t *testing.T, table string) {
	t.Helper()
	const file, end = "../../docs/operations.md", "<!-- /metrics -->"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	from := strings.Index(string(text), "<!-- metrics:")
	require.Positive(t, from)
	from += strings.Index(string(text[from:]), "\n") + 1
	to := strings.Index(string(text), end)
	if os.Getenv("SIMPANG_WRITE_DOCS") != "" {
		require.NoError(t, os.WriteFile(file, []byte(string(text[:from])+table+string(text[to:])), 0o600))
		return
	}
	require.Equal(t, table, string(text[from:to]), "SIMPANG_WRITE_DOCS=1 writes it anew")
}

// TestReadyzTellsEachSourceAndFollower: contract, section 4.
func TestReadyzTellsEachSourceAndFollower(t *testing.T) {
	dir := threeSources(t)
	r := start(t, dir)
	r.cfg.Sources = r.cfg.Sources[2:]
	r.publish("d1", reading(1, true))
	var ready struct {
		Ready   bool
		Reasons []struct{ Code, Detail string }
		Head    uint64
		Sources []struct {
			ID          string
			Connected   bool
			Silent      bool
			Lag         uint64
			LastMessage string `json:"last_message"`
			AgeS        *int   `json:"age_s"`
		}
		Followers []struct {
			Name        string
			Lag         uint64
			LagS        *float64 `json:"lag_s"`
			LastMessage string   `json:"last_message"`
			AgeS        *int     `json:"age_s"`
		}
	}
	r.until("the serial line is silent for too long, and what came is acknowledged", func() bool {
		code := r.get("/readyz", "", &ready)
		return code == http.StatusServiceUnavailable && ready.Sources[0].Lag+ready.Sources[1].Lag+ready.Sources[2].Lag == 0
	})
	require.False(t, ready.Ready)
	require.Len(t, ready.Reasons, 1, "an outside broker that is away is none by itself")
	require.Equal(t, "source", ready.Reasons[0].Code)
	require.Contains(t, ready.Reasons[0].Detail, "s is silent")
	require.Len(t, ready.Sources, 3)
	for _, s := range ready.Sources {
		require.Equal(t, s.ID == "s", s.Silent)
		require.Equal(t, s.ID == "b", s.Connected)
		require.Equal(t, s.ID == "b", s.LastMessage != "" && s.AgeS != nil && *s.AgeS < 60)
		require.Zero(t, s.Lag)
	}
	told := func() {
		require.Len(t, ready.Followers, 7)
		for _, f := range ready.Followers {
			require.NotNil(t, f.LagS)
			require.NotNil(t, f.AgeS)
			last, err := time.Parse(time.RFC3339, f.LastMessage)
			require.NoError(t, err)
			require.Less(t, time.Since(last), time.Minute)
		}
	}
	told()
	require.NoError(t, r.stop())
	r = start(t, dir)
	r.until("each follower has read what came before the start", func() bool {
		r.get("/readyz", "", &ready)
		return !slices.ContainsFunc(ready.Reasons, func(r struct{ Code, Detail string }) bool { return r.Code == "follower" })
	})
	told() // before anything new came
	require.NoError(t, r.stop())
}

// TestDaysArePutAwayAndLetGo: retention of a running gateway.
func TestDaysArePutAwayAndLetGo(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	text, err := os.ReadFile(filepath.Join(dir, "simpang.yaml"))
	require.NoError(t, err)
	writeFiles(t, dir, map[string]string{"simpang.yaml": string(text) + "retention: {journal: 2d, readings: 3d}\n"})
	day := past(t, load(t, dir)).Format(time.DateOnly)
	r := start(t, dir)
	r.caughtUp()
	require.NoError(t, r.stop()) // what is known of repeats is saved past these days
	r = startWith(t, dir, app.Options{KeepEvery: 50 * time.Millisecond})
	admin := r.admin()
	r.until("days are archived", func() bool { return r.value("simpang_archive_days") >= 2 })
	r.until("the journal lets go of old ones", func() bool { return r.value("simpang_journal_days_retired_total") >= 1 })
	r.until("readings past their retention go", func() bool { return r.value(`simpang_retention_freed_bytes_total{of="archive"}`) > 0 })
	require.Positive(t, r.value(`simpang_retention_freed_bytes_total{of="journal"}`))
	require.NoFileExists(t, filepath.Join(r.cfg.DataDir, "journal", day+".db"))
	require.NoFileExists(t, filepath.Join(r.cfg.DataDir, "archive", "spot", day+".parquet"))
	require.FileExists(t, filepath.Join(r.cfg.DataDir, "archive", "receipt", day+".parquet"), "money stays")
	recorded, receipts := r.income(admin, day)
	require.Positive(t, receipts)
	require.Equal(t, receipts*amount, recorded, "and so do the books")
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))
}
