package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/mosquitto"
)

const someDevice, otherDevice = "spot-alun-alun-1-c001", "spot-alun-alun-1-c002"

// bekasiFile is a configuration on the reference city's inventory.
func bekasiFile(t *testing.T, more string) (file string) {
	t.Helper()
	inventory, err := filepath.Abs("../../configs/bekasi/inventory")
	require.NoError(t, err)
	file = filepath.Join(t.TempDir(), "simpang.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta}
data_dir: data
inventory: `+inventory+`
sources:
  - {id: b, type: broker, format: native, listen: "127.0.0.1:0"}
`+more), 0o600))
	return file
}

func TestCredentialsAreForDevicesOfTheInventory(t *testing.T) {
	file := bekasiFile(t, "")
	code, out, stderr := simpang(t, "device", "-config", file, "credentials", someDevice, "nobody-1", "nobody-2")
	require.Equal(t, exitDone, code)
	require.Equal(t, 3, strings.Count(out, "\n"), "they may come ahead of their lines")
	require.Contains(t, stderr, "nobody-1, nobody-2")
	require.Contains(t, stderr, "set aside")
	code, _, stderr = simpang(t, "device", "-config", file, "-unlisted", "credentials", "nobody-1")
	require.Equal(t, exitDone, code)
	require.NotContains(t, stderr, "nobody-1")
	code, _, stderr = simpang(t, "device", "-config", file, "-revoke", "credentials", "nobody-1", "nobody-2")
	require.Equal(t, exitDone, code, stderr)

	code, out, stderr = simpang(t, "device", "-config", file, "credentials", someDevice, otherDevice, someDevice)
	require.Equal(t, exitUsage, code)
	require.Empty(t, out)
	require.Contains(t, stderr, someDevice+" is named twice")

	code, out, stderr = simpang(t, "device", "-config", file, "credentials", someDevice, otherDevice)
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, 2, strings.Count(out, "\n"))
	code, _, stderr = simpang(t, "device", "-config", file, "-filters", "sg/v1/+/up", "credentials", "lora-bridge")
	require.Equal(t, exitDone, code, stderr)

	code, list, stderr := simpang(t, "device", "-config", file, "-list", "credentials")
	require.Equal(t, exitDone, code, stderr)
	require.Regexp(t, someDevice+` +device +yes`, list)
	require.Regexp(t, `lora-bridge +bridge +- +sg/v1/\+/up`, list)
	_, secret, _ := strings.Cut(strings.Split(out, "\n")[0], ":")
	require.NotContains(t, list, secret)
	stored, err := os.ReadFile(filepath.Join(filepath.Dir(file), "data", "keys", "b.credentials"))
	require.NoError(t, err)
	require.NotContains(t, string(stored), secret)

	code, out, stderr = simpang(t, "device", "-config", file, "-revoke", "credentials", someDevice)
	require.Equal(t, exitDone, code, stderr)
	require.Empty(t, out)
	code, _, stderr = simpang(t, "device", "-config", file, "-revoke", "credentials", someDevice, "lora-bridge")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "had no credentials: "+someDevice)
	_, list, _ = simpang(t, "device", "-config", file, "-list", "credentials")
	require.NotContains(t, list, someDevice)
	require.NotContains(t, list, "lora-bridge")
	require.Contains(t, list, otherDevice)
}

func TestUsersOfMosquitto(t *testing.T) {
	file := bekasiFile(t, "  - {id: m, type: mqtt, format: native, url: \"tcp://127.0.0.1:1\", username: gateway, password_file: keys/m}\n")
	dir := t.TempDir()
	run := func(args ...string) (string, string) {
		code, out, stderr := simpang(t, append([]string{"device", "-config", file, "mosquitto", "-to", dir}, args...)...)
		require.Equal(t, exitDone, code, stderr)
		return out, stderr
	}
	out, stderr := run(someDevice, otherDevice)
	require.Equal(t, 2, strings.Count(out, "\n"), "the gateway's own secret is in its password_file")
	require.Contains(t, stderr, "3 users")
	users, err := mosquitto.Users(dir)
	require.NoError(t, err)
	own, err := os.ReadFile(filepath.Join(filepath.Dir(file), "keys", "m"))
	require.NoError(t, err)
	require.True(t, mosquitto.Matches(users["gateway"], strings.TrimSpace(string(own))))
	name, secret, _ := strings.Cut(strings.Split(out, "\n")[0], ":")
	require.True(t, mosquitto.Matches(users[name], secret))

	out, _ = run()
	require.NotContains(t, out, someDevice, "it has one")
	require.Greater(t, strings.Count(out, "\n"), 100)
	after, err := mosquitto.Users(dir)
	require.NoError(t, err)
	require.Equal(t, users[name], after[name])
	require.Equal(t, users["gateway"], after["gateway"])

	code, _, stderr := simpang(t, "device", "-config", file, "mosquitto", "-to", dir, "nobody")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "nobody")
	code, out, stderr = simpang(t, "device", "-config", file, "mosquitto", "-to", dir, someDevice, someDevice)
	require.Equal(t, exitUsage, code)
	require.Empty(t, out)
	require.Contains(t, stderr, "twice")
	code, _, stderr = simpang(t, "device", "-config", file, "-unlisted", "mosquitto", "-to", dir, "gateway")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "own user")
	code, _, stderr = simpang(t, "device", "-config", file, "-revoke", "mosquitto", "-to", dir, someDevice)
	require.Equal(t, exitDone, code, stderr)
	code, _, _ = simpang(t, "device", "-config", file, "mosquitto")
	require.Equal(t, exitUsage, code)

	// Without such a source the gateway's own line is told once.
	dir, file = t.TempDir(), bekasiFile(t, "")
	out, _ = run(someDevice)
	require.Equal(t, 2, strings.Count(out, "\n"))
	require.True(t, strings.HasPrefix(out, "simpang:"))
	out, _ = run(otherDevice)
	require.Equal(t, 1, strings.Count(out, "\n"))
}

func TestAHolderOfAFaultyLineIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	require.NoError(t, os.WriteFile(path, []byte("a:"+broker.HashSecret("x")+"\nb:nonsense\n"), 0o600))
	holders, faults, err := broker.Holders(path)
	require.NoError(t, err)
	require.Equal(t, []broker.Holder{{Name: "a"}}, holders)
	require.Len(t, faults, 1)
}
