package compose

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// engine stands in for `docker compose exec influxdb influx`, which is not here:
// it says what InfluxDB 2's documents say, and writes down what it is asked.
const engine = `#!/bin/sh
echo "$*" >>"$ASKED"
case "$*" in
*" bucket list "*) printf '0123456789abcdef\tsimpang\t0s\n' ;;
*" auth list "*) cat "$TOKENS" ;;
*" auth create "*simpang-gateway*) printf '{\n\t"id": "0a",\n\t"description": "simpang-gateway",\n\t"token": "new-gateway==",\n\t"permissions": ["write:x"]\n}\n' ;;
*" auth create "*simpang-grafana*) printf '{\n\t"id": "0b",\n\t"description": "simpang-grafana",\n\t"token": "new-grafana==",\n\t"permissions": ["read:x"]\n}\n' ;;
esac
`

// Each has the least: the gateway may not read where it does not read back, and
// Grafana never writes. Tokens that were made before go; the admin's stays.
func TestTokensHaveTheLeast(t *testing.T) {
	for series, rights := range map[string]string{"": "--write-bucket 0123456789abcdef --json", "series: influx\n": "--write-bucket 0123456789abcdef --read-bucket 0123456789abcdef --json"} {
		dir := t.TempDir()
		write := func(name, text string) string {
			path := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o700))
			return path
		}
		script := write("limit-tokens.sh", read(t, "limit-tokens.sh"))
		write("gateway/simpang.yaml", read(t, "gateway/simpang.yaml")+series)
		write("secrets/influx_token", "admin")
		write("bin/docker", engine)
		tokens := write("tokens", "[\n\t{\"id\": \"01\", \"description\": \"admin's Token\", \"permissions\": [\"read:/authorizations\"]},\n"+
			"\t{\"id\": \"02\", \"description\": \"simpang-gateway\", \"permissions\": [\"write:x\"]},\n\t{\"id\": \"03\", \"description\": \"somebody\", \"permissions\": []}\n]\n")
		cmd := exec.CommandContext(t.Context(), script)
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "ASKED="+filepath.Join(dir, "asked"), "TOKENS="+tokens)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.NotContains(t, string(out), "==", "no token is shown")
		require.Equal(t, "new-gateway==\n", read(t, filepath.Join(dir, "secrets/influx_gateway_token")))
		require.Equal(t, "new-grafana==\n", read(t, filepath.Join(dir, "secrets/influx_grafana_token")))
		require.Equal(t, "admin", read(t, filepath.Join(dir, "secrets/influx_token")))
		var made []string
		for line := range strings.Lines(read(t, filepath.Join(dir, "asked"))) {
			if _, what, ok := strings.Cut(strings.TrimSpace(line), "influxdb influx auth "); ok && !strings.HasPrefix(what, "list") {
				made = append(made, what)
			}
		}
		require.Equal(t, []string{
			"create --org simpang --description simpang-gateway " + rights,
			"create --org simpang --description simpang-grafana --read-bucket 0123456789abcdef --json",
			"delete --id 02",
		}, made)
	}
}
