package grafana

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// influxd is a real InfluxDB 1.8, which speaks the write API of 2.x, and Flux.
type influxd struct{ url string }

const bucket = "simpang/autogen"

func startInfluxd(t *testing.T) *influxd {
	t.Helper()
	path, err := exec.LookPath("influxd")
	if err != nil {
		out, err := exec.CommandContext(t.Context(), "go", "env", "GOPATH").Output()
		require.NoError(t, err)
		path = filepath.Join(strings.TrimSpace(string(out)), "bin", "influxd")
		require.FileExists(t, path, "make servers builds it: go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10")
	}
	dir, ports := t.TempDir(), make([]string, 2)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ports[i] = l.Addr().String()
		require.NoError(t, l.Close())
	}
	config := fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
dir = "%[2]s/meta"
[data]
dir = "%[2]s/data"
wal-dir = "%[2]s/wal"
[monitor]
store-enabled = false
[http]
bind-address = %[3]q
flux-enabled = true
log-enabled = false
`, ports[0], dir, ports[1])
	file := filepath.Join(dir, "influxd.conf")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	cmd := exec.Command(path, "run", "-config", file)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	s := &influxd{url: "http://" + ports[1]}
	require.Eventually(t, func() bool {
		resp, err := http.Get(s.url + "/ping")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusNoContent
	}, time.Minute, 50*time.Millisecond, "influxd answers")
	s.post(t, "/query?q=CREATE+DATABASE+simpang", "", "", http.StatusOK)
	return s
}

func (s *influxd) post(t *testing.T, path, kind, body string, want int) string {
	t.Helper()
	resp, err := http.Post(s.url+path, kind, strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, want, resp.StatusCode, "%s\n%s", answer, body)
	return string(answer)
}

func (s *influxd) write(t *testing.T, lines string) {
	t.Helper()
	s.post(t, "/api/v2/write?precision=s&bucket="+bucket, "text/plain", lines, http.StatusNoContent)
}

// ask returns the rows of a Flux query by column.
func (s *influxd) ask(t *testing.T, flux string) (rows []map[string]string) {
	t.Helper()
	answer := s.post(t, "/api/v2/query", "application/vnd.flux", flux, http.StatusOK)
	var head []string
	r := csv.NewReader(strings.NewReader(answer))
	r.FieldsPerRecord = -1
	for {
		line, err := r.Read()
		if err == io.EOF {
			return rows
		}
		require.NoError(t, err, answer)
		switch {
		case strings.HasPrefix(line[0], "#"):
		case len(line) > 1 && line[1] == "result", line[0] == "error":
			head = line
		default:
			row := map[string]string{}
			for i, name := range head {
				row[name] = line[i]
			}
			require.NotContains(t, row, "error", "%v\n%s", row, flux)
			rows = append(rows, row)
		}
	}
}
