package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/influx/influxtest"
)

// scraper is a real Prometheus, from Debian, that scrapes a gateway and holds our
// rules against it.
type scraper struct {
	t   *testing.T
	url string
}

func startPrometheus(t *testing.T, g *gateway) *scraper {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	config := fmt.Sprintf(`global: {scrape_interval: 500ms, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - {job_name: simpang, static_configs: [{targets: [%q]}]}
`, filepath.Join(root(), "deploy/prometheus/simpang-rules.yml"), g.admin)
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	var log buffer
	cmd := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start(), "make servers installs prometheus")
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log("prometheus said:\n" + tail(log.String(), 4000))
		}
	})
	p := &scraper{t, "http://" + address}
	g.until("prometheus is ready", func() bool {
		resp, err := client.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

// get decodes `data` of an answer.
func (p *scraper) get(path string, into any) {
	p.t.Helper()
	resp, err := client.Get(p.url + path)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	require.NoError(p.t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Equal(p.t, "success", answer.Status, "%s: %s", path, answer.Error)
}

// series is how many series a query has now.
func (p *scraper) series(query string) int {
	p.t.Helper()
	var found struct{ Result []json.RawMessage }
	p.get("/api/v1/query?query="+url.QueryEscape(query), &found)
	return len(found.Result)
}

// panelQuery is a query of a dashboard, with the panel's title.
type panelQuery struct{ title, expr string }

// panelQueries are those over Prometheus, as Grafana asks them with "All".
func panelQueries(t *testing.T) (all []panelQuery) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(), "deploy/grafana/dashboards/*.json"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		require.NoError(t, json.Unmarshal(text, &board))
		for _, p := range board.Panels {
			for _, q := range p.Targets {
				if q.Expr != "" {
					all = append(all, panelQuery{p.Title, strings.NewReplacer("$instance", ".*", "$__rate_interval", "5s").Replace(q.Expr)})
				}
			}
		}
	}
	require.Greater(t, len(all), 30)
	return all
}

var metricName = regexp.MustCompile(`\b(?:simpang|process|go)_[a-z0-9_]+\b`)

// Alerts and dashboards rest on metrics that a real gateway has: a real
// Prometheus that scrapes one finds each, and each panel has something to show.
func TestAlertsAndDashboardsFindTheirMetrics(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource+`  - {id: away, type: mqtt, url: "tcp://127.0.0.1:1"}
  - {id: line, type: serial, port: nowhere, max_silence: 1s}
`)
	server, err := influxtest.New(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop(syscall.SIGKILL) })
	require.NoError(t, server.Start(t.Context()))
	require.NoError(t, os.WriteFile(filepath.Join(g.dir, "city.key"), []byte("k"), 0o600))
	g.reconfigure(t, "data_dir: data", fmt.Sprintf(`data_dir: data
complaints: {endpoint: "http://127.0.0.1:1/open311/v2", key_file: city.key}
influx: [{id: pusat, url: %q, bucket: %q}]`, server.URL, server.Bucket))
	g.launch()
	g.until("the gateway answers", func() bool { return g.status("/healthz") == http.StatusOK })
	scraper := startPrometheus(t, g)
	p := connect(t, g.mqtt, "spot-c01", g.secretOf("spot-c01"))
	p.up("spot-c01", `{"kind":"spot","seq":1,"at":"2026-01-01T00:00:00+07:00","occupied":true}`) // too old
	seq := 1
	taken := func() {
		seq++
		p.up("spot-c01", fmt.Sprintf(`{"kind":"spot","seq":%d,"at":%q,"occupied":true}`, seq, time.Now().Format(time.RFC3339)))
	}
	taken()
	g.until("it is counted", func() bool { return scraper.series("rate(simpang_messages_total[5s])") > 0 })

	names := map[string]bool{}
	for _, q := range panelQueries(t) {
		for _, name := range metricName.FindAllString(q.expr, -1) {
			names[name] = true
		}
		g.until(q.title+": "+q.expr, func() bool {
			taken()
			return scraper.series(q.expr) > 0
		})
	}
	rules, err := os.ReadFile(filepath.Join(root(), "deploy/prometheus/simpang-rules.yml"))
	require.NoError(t, err)
	for line := range strings.Lines(string(rules)) {
		if strings.Contains(line, "description:") {
			continue
		}
		for _, name := range metricName.FindAllString(line, -1) {
			names[name] = true
		}
	}
	for name := range names {
		g.until("the gateway has "+name, func() bool { return scraper.series(name) > 0 })
	}

	type rule struct{ Name, Health, LastError string }
	var told struct{ Groups []struct{ Rules []rule } }
	count := 0
	g.until("each rule was evaluated", func() bool {
		count = 0
		scraper.get("/api/v1/rules", &told)
		for _, group := range told.Groups {
			for _, r := range group.Rules {
				require.Empty(t, r.LastError, r.Name)
				if r.Health == "ok" {
					count++
				}
			}
		}
		return count == strings.Count(string(rules), "- alert: ")
	})
	g.stop()
}
