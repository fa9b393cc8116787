package prometheus

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const rulesFile = "simpang-rules.yml"

// promtool runs it in a folder with our files, one of them changed.
func promtool(t *testing.T, changed, text string, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("*.yml")
	require.NoError(t, err)
	for _, name := range files {
		data := []byte(text)
		if name != changed {
			data, err = os.ReadFile(name)
			require.NoError(t, err)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NotErrorIs(t, err, exec.ErrNotFound, "make test installs prometheus")
	return string(out), err
}

func TestPromtoolTakesTheRules(t *testing.T) {
	out, err := promtool(t, "", "", "check", "config", "prometheus.yml")
	require.NoError(t, err, out)
	out, err = promtool(t, "", "", "check", "rules", "--lint-fatal", rulesFile)
	require.NoError(t, err, out)
	out, err = promtool(t, "", "", "test", "rules", "simpang-rules.test.yml")
	require.NoError(t, err, out)
}

func TestAWrongRuleIsSeen(t *testing.T) {
	text, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"a bound":       {`simpang_follower_lag_seconds{follower!~"influx/.*"} > 60`, `simpang_follower_lag_seconds{follower!~"influx/.*"} > 59`},
		"no expression": {"simpang_complaints_failed == 1", "simpang_complaints_failed =="},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(text), change[0])
			out, err := promtool(t, rulesFile, strings.Replace(string(text), change[0], change[1], 1), "test", "rules", "simpang-rules.test.yml")
			require.Error(t, err, out)
		})
	}
}

// TestEachAlertIsTestedAndSaysWhatToDo: a case in which it fires, words for a
// person, and a place in the documents that is there.
func TestEachAlertIsTestedAndSaysWhatToDo(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	text, err := os.ReadFile(rulesFile)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &rules))
	cases, err := os.ReadFile("simpang-rules.test.yml")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			require.False(t, seen[r.Alert], r.Alert)
			seen[r.Alert] = true
			require.Contains(t, string(cases), `alertname="`+r.Alert+`"`)
			require.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.NotEmpty(t, r.Annotations["description"], r.Alert)
			file, anchor, _ := strings.Cut(strings.TrimPrefix(r.Annotations["runbook_url"], "https://github.com/simpang-id/simpang/blob/main/"), "#")
			doc, err := os.ReadFile(filepath.Join("..", "..", file))
			require.NoError(t, err, r.Alert)
			if anchor != "" {
				require.Contains(t, anchors(string(doc)), anchor, r.Alert)
			}
		}
	}
	require.Greater(t, len(seen), 20)
}

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// anchors are the places of a document, as GitHub names them.
func anchors(doc string) (all []string) {
	for _, h := range heading.FindAllStringSubmatch(doc, -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(h[1]))
		all = append(all, name)
	}
	return all
}
