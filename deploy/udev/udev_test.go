package udev

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const rules = "99-simpang-serial.rules"

// faults lets udev read rules and returns what it says of them. systemd 254
// and newer have `udevadm verify`; an older one reads every rule for a test of
// a device, here one without a device file.
func faults(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), rules)
	verify := exec.CommandContext(t.Context(), "udevadm", "verify", "--resolve-names=never", file)
	old := exec.CommandContext(t.Context(), "udevadm", "verify", "--help").Run() != nil
	if old {
		const dir = "/run/udev/rules.d"
		require.NoError(t, os.MkdirAll(dir, 0o755), "make test runs as root, or with systemd 254")
		file = filepath.Join(dir, fmt.Sprintf("99-simpang-test-%d.rules", os.Getpid()))
		defer func() { require.NoError(t, os.Remove(file)) }()
		verify = exec.CommandContext(t.Context(), "udevadm", "test", "/sys/class/net/lo")
	}
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	out, err := verify.CombinedOutput()
	if !old {
		if err != nil {
			return string(out)
		}
		return ""
	}
	require.Contains(t, string(out), "Reading rules file: "+file, "make test installs udev")
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, file) && !strings.HasPrefix(line, "Reading") {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

func TestUdevTakesTheRules(t *testing.T) {
	text, err := os.ReadFile(rules)
	require.NoError(t, err)
	require.Empty(t, faults(t, string(text)))
	require.NotEmpty(t, faults(t, strings.Replace(string(text), "SYMLINK+=", "SYMLNK+=", 1)), "a wrong word is seen")
	require.NotEmpty(t, faults(t, strings.Replace(string(text), "LABEL=", "# LABEL=", 1)), "a label that is missing is seen")
}
