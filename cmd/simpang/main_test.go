package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func configFile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "simpang.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta}
data_dir: data
inventory: inventory
sources: [{id: b, type: broker, format: native, listen: "127.0.0.1:0"}]
`), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "inventory"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "inventory", "sites.geojson"), []byte(`{"type":"FeatureCollection","features":[]}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "inventory", "devices.csv"), []byte("id,kind,site,spot\n"), 0o600))
	return file
}

func simpang(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	file := configFile(t)
	for name, c := range map[string]struct {
		args []string
		code int
		says string // on stderr
	}{
		"no command":              {nil, exitUsage, "Commands"},
		"help":                    {[]string{"help"}, exitDone, "Commands"},
		"unknown command":         {[]string{"dance"}, exitUsage, `no command "dance"`},
		"no configuration":        {[]string{"serve"}, exitUsage, "-config FILE"},
		"no such file":            {[]string{"check", "-config", file + "x"}, exitUsage, "simpang.yamlx"},
		"unknown flag":            {[]string{"check", "-x"}, exitUsage, "-x"},
		"help of a command":       {[]string{"check", "-h"}, exitDone, "-config"},
		"an argument too many":    {[]string{"check", "-config", file, "more"}, exitUsage, `"more"`},
		"serve with an argument":  {[]string{"serve", "-config", file, "now"}, exitUsage, `"now"`},
		"a role that is none":     {[]string{"token", "-config", file, "-role", "king", "-name", "x"}, exitUsage, "role"},
		"no role":                 {[]string{"token", "-config", file}, exitUsage, "role"},
		"list with an argument":   {[]string{"token", "-config", file, "-list", "all"}, exitUsage, `"all"`},
		"expires below zero":      {[]string{"token", "-config", file, "-role", "admin", "-name", "x", "-expires", "-1h"}, exitUsage, "-expires"},
		"two things at once":      {[]string{"token", "-config", file, "-list", "-revoke", "x"}, exitUsage, "-list"},
		"revoke and make":         {[]string{"token", "-config", file, "-revoke", "x", "-role", "admin"}, exitUsage, "-revoke"},
		"revoke what is not":      {[]string{"token", "-config", file, "-revoke", "nothing"}, exitUsage, "nothing"},
		"a device that cannot be": {[]string{"device", "-config", file, "-unlisted", "credentials", "a/b"}, exitUsage, "a/b"},
		"a flag after the word":   {[]string{"device", "-config", file, "credentials", "-filters", "sg/v1/+/up", "x"}, exitUsage, "-filters"},
		"no such source":          {[]string{"device", "-config", file, "-source", "q", "credentials", "x"}, exitUsage, "broker"},
		"nothing to verify":       {[]string{"verify", "-config", file}, exitFailed, "nothing to verify"},
		"a check that is none":    {[]string{"serve", "-config", file, "-check", "none"}, exitUsage, "-check"},
		"a backup of nothing":     {[]string{"backup", "-config", file, "-to", filepath.Join(t.TempDir(), "b")}, exitFailed, "nothing to back up"},
		"a backup to nowhere":     {[]string{"backup", "-config", file}, exitUsage, "-to FOLDER"},
		"a restore of nothing":    {[]string{"restore", "-config", file, "-from", filepath.Join(t.TempDir(), "b")}, exitFailed, "no backup"},
		"a restore from nowhere":  {[]string{"restore", "-config", file}, exitUsage, "-from FOLDER"},
		"version":                 {[]string{"version"}, exitDone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := simpang(t, c.args...)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.says)
		})
	}
}

func TestTheTokenIsAloneOnStdout(t *testing.T) {
	file := configFile(t)
	_, _, stderr := simpang(t, "token", "-config", file, "-role", "king", "-name", "x")
	require.Equal(t, 1, strings.Count(stderr, "king"), "each fault is told once: %s", stderr)
	code, secret, stderr := simpang(t, "token", "-config", file, "-role", "admin", "-name", "x", "-expires", "720h")
	require.Equal(t, exitDone, code, stderr)
	secret = strings.TrimSuffix(secret, "\n")
	require.NotContains(t, secret, "\n")
	require.NotContains(t, secret, " ")
	require.NotContains(t, stderr, secret)
	_, list, _ := simpang(t, "token", "-config", file, "-list")
	require.NotContains(t, list, secret)
	id := strings.Fields(strings.Split(list, "\n")[1])[0]
	code, out, stderr := simpang(t, "token", "-config", file, "-revoke", id)
	require.Equal(t, exitDone, code, stderr)
	require.Empty(t, out)
	_, list, _ = simpang(t, "token", "-config", file, "-list")
	require.Contains(t, list, "revoked")
}

func TestCredentialsAreLinesOnStdout(t *testing.T) {
	code, out, stderr := simpang(t, "device", "-config", configFile(t), "-unlisted", "credentials", "d1", "d2")
	require.Equal(t, exitDone, code, stderr)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 2)
	require.Regexp(t, `^d1:\S+$`, lines[0])
	require.Regexp(t, `^d2:\S+$`, lines[1])
}

func TestAVariableWinsOverTheFileAndAFlagOverBoth(t *testing.T) {
	file := configFile(t)
	t.Setenv("SIMPANG_HTTP_LISTEN", "nonsense")
	code, _, stderr := simpang(t, "check", "-config", file)
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "http.listen")
	code, _, stderr = simpang(t, "check", "-config", file, "-set", "http.listen=127.0.0.1:0")
	require.Equal(t, exitDone, code, stderr)
}
