package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// exposed is the most that systemd may find exposed, in tenths; what is left is
// the network, serial devices and the real root folder.
const exposed = "20"

// installed writes the units as an administrator does, with a program that is
// there, and returns the paths of the units.
func installed(t *testing.T) (units []string) {
	t.Helper()
	dir := t.TempDir()
	names, err := filepath.Glob("*.service")
	require.NoError(t, err)
	timers, err := filepath.Glob("*.timer")
	require.NoError(t, err)
	for _, name := range append(append(names, timers...), "simpang.service.d/credentials.conf") {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "/usr/bin/simpang", "/bin/true")), 0o600))
		if !strings.HasSuffix(name, ".conf") {
			units = append(units, path)
		}
	}
	require.Len(t, units, 3)
	return units
}

func TestSystemdTakesTheUnits(t *testing.T) {
	units := installed(t)
	verify := func() (string, error) {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
		return string(out), err
	}
	out, err := verify()
	require.NoError(t, err, "%s\nmake test installs systemd", out)
	require.NotContains(t, out, filepath.Dir(units[0]), "no word about ours")

	text, err := os.ReadFile(units[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(units[0], append(text, "[Service]\nProtectSytem=strict\n"...), 0o600))
	out, _ = verify()
	require.Contains(t, out, "ProtectSytem", "a wrong word is seen")
}

func TestLittleIsExposed(t *testing.T) {
	for _, unit := range []string{"simpang.service", "simpang-backup.service"} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold="+exposed, unit).CombinedOutput()
		require.NoError(t, err, "%s: %s", unit, out)
		require.Contains(t, string(out), "Overall exposure level")
	}
	text, err := os.ReadFile("simpang.service")
	require.NoError(t, err)
	for _, line := range []string{
		"Type=notify", "WatchdogSec=120", "Restart=on-failure", "StartLimitIntervalSec=0", "NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=simpang",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "SystemCallFilter=@system-service", "DeviceAllow=char-ttyUSB rw", "MemoryMax=2G", "LimitNOFILE=65536",
	} {
		require.Contains(t, string(text), "\n"+line+"\n")
	}
}

func TestOldBackupsGo(t *testing.T) {
	dir := t.TempDir()
	backup := func(name string, whole bool) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		if whole {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name, "MANIFEST.json"), nil, 0o600))
		}
	}
	for day := 10; day < 20; day++ {
		backup(fmt.Sprintf("2026-03-%dT010000", day), day != 11 && day != 18)
	}
	backup("2026-03-20T010000", false)
	backup("lost+found", false)
	for _, name := range []string{"2026-03-11T010000", "2026-03-18T010000"} { // cut off long ago
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "journal.db"), nil, 0o600))
		old := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(filepath.Join(dir, name, "journal.db"), old, old))
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), old, old))
	}
	text, err := os.ReadFile("simpang-backup.service")
	require.NoError(t, err)
	clean := func(when string) {
		lines := regexp.MustCompile(`(?m)^`+when+`=/bin/sh -eu -c '(.*)'$`).FindAllStringSubmatch(string(text), -1)
		require.Len(t, lines, 1)
		script := strings.NewReplacer("$$", "$", "%%", "%", "/var/backups/simpang", dir).Replace(lines[0][1])
		out, err := exec.CommandContext(t.Context(), "/bin/sh", "-eu", "-c", script).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	clean("ExecStartPre") // what was cut off goes also where no backup succeeds any more
	require.NoDirExists(t, filepath.Join(dir, "2026-03-18T010000"))
	clean("ExecStartPost")
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	var names []string
	for _, path := range left {
		names = append(names, filepath.Base(path))
	}
	require.Equal(t, []string{
		"2026-03-12T010000", "2026-03-13T010000", "2026-03-14T010000", "2026-03-15T010000", "2026-03-16T010000",
		"2026-03-17T010000", "2026-03-19T010000", "2026-03-20T010000", "lost+found",
	}, names, "seven whole ones, and what may be being written")
}
