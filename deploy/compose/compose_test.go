package compose

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// secrets runs make-secrets.sh and returns what it prints.
func secrets(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "./make-secrets.sh", args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, errs.String())
	return strings.TrimSpace(string(out))
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	all := map[string]string{}
	for _, e := range entries {
		all[e.Name()] = read(t, filepath.Join(dir, e.Name()))
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

func TestSecretsAreMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secrets")
	secrets(t, "-n", "mqtt.example.id", dir)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	made := files(t, dir)
	secrets(t, dir)
	require.Equal(t, made, files(t, dir), "what is there stays")

	var project struct {
		Secrets map[string]struct{ File string }
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "compose.yaml")), &project))
	require.Len(t, project.Secrets, 9)
	for name, s := range project.Secrets {
		require.NotEmpty(t, made[filepath.Base(s.File)], "the secret %s", name)
	}
	for _, name := range []string{"influx_gateway_token", "influx_grafana_token"} {
		require.Equal(t, made["influx_token"], made[name], "until limit-tokens.sh has made another")
	}
	seen := map[string]bool{}
	for _, name := range []string{"mqtt_gateway_password", "influx_password", "influx_token", "grafana_password"} {
		require.GreaterOrEqual(t, len(strings.TrimSpace(made[name])), 48, name)
		require.False(t, seen[made[name]], "each its own")
		seen[made[name]] = true
	}
	info, err = os.Stat(filepath.Join(dir, "mqtt_ca.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "no container reads it")
}

func TestMosquittoTakesTheSecrets(t *testing.T) {
	dir := t.TempDir()
	secrets(t, "-n", "mqtt.example.id", dir)
	device, secret, ok := strings.Cut(secrets(t, "-d", "spot-0001", dir), ":")
	require.True(t, ok)
	require.Equal(t, "spot-0001", device)
	_, again, _ := strings.Cut(secrets(t, "-d", "spot-0001", dir), ":")
	require.NotEqual(t, secret, again)
	require.Equal(t, 1, strings.Count(read(t, filepath.Join(dir, "mqtt_passwords")), "spot-0001:"), "a new secret takes the place of the old one")
	require.NotContains(t, read(t, filepath.Join(dir, "mqtt_passwords")), again, "hashes at rest")

	plain, secure := sourcetest.FreePort(t), sourcetest.FreePort(t)
	conf := read(t, "../mosquitto/simpang.conf")
	for from, to := range map[string]string{
		"listener 8883\n":                          fmt.Sprintf("user root\nlistener %d 127.0.0.1\n", secure),
		"listener 1883 ":                           fmt.Sprintf("listener %d ", plain),
		"/etc/mosquitto/simpang/server.crt":        filepath.Join(dir, "mqtt_server.crt"),
		"/etc/mosquitto/simpang/server.key":        filepath.Join(dir, "mqtt_server.key"),
		"/etc/mosquitto/simpang/passwd":            filepath.Join(dir, "mqtt_passwords"),
		"/etc/mosquitto/simpang/acl":               filepath.Join(dir, "acl"),
		"persistence_location /var/lib/mosquitto/": "persistence_location " + t.TempDir() + "/",
	} {
		require.Equal(t, 1, strings.Count(conf, from), from)
		conf = strings.Replace(conf, from, to, 1)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "acl"), []byte(read(t, "../mosquitto/acl")), 0o600))
	file := filepath.Join(dir, "mosquitto.conf")
	require.NoError(t, os.WriteFile(file, []byte(conf), 0o600))
	sourcetest.StartMosquitto(t, file, fmt.Sprintf("127.0.0.1:%d", plain))

	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(read(t, filepath.Join(dir, "mqtt_ca.crt")))))
	address := fmt.Sprintf("127.0.0.1:%d", secure)
	for _, name := range []string{"mosquitto", "mqtt.example.id"} { // in the network of the containers, and outside
		settings := &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12}
		gateway := strings.TrimSpace(read(t, filepath.Join(dir, "mqtt_gateway_password")))
		require.Zero(t, sourcetest.Dial(t, address, settings).Hello(sourcetest.Hello{ID: "g", User: "simpang", Secret: gateway}).ReasonCode)
		require.Zero(t, sourcetest.Dial(t, address, settings).Hello(sourcetest.Hello{ID: "d", User: device, Secret: again}).ReasonCode)
		require.Equal(t, byte(5), sourcetest.Dial(t, address, settings).Hello(sourcetest.Hello{ID: "o", User: device, Secret: secret}).ReasonCode, "the old secret")
	}
	block, _ := pem.Decode([]byte(read(t, filepath.Join(dir, "mqtt_server.crt"))))
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	_, err = certificate.Verify(x509.VerifyOptions{Roots: pool, DNSName: "other.example.id", CurrentTime: time.Now()})
	require.Error(t, err)
}

// TestTheGatewaysConfiguration: what `simpang check` says in the container, with
// the files where compose.yaml puts them.
func TestTheGatewaysConfiguration(t *testing.T) {
	dir := t.TempDir()
	secrets(t, filepath.Join(dir, "secrets"))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "inventory"), os.DirFS("../../configs/bekasi/inventory")))
	text := read(t, "gateway/simpang.yaml")
	for from, to := range map[string]string{
		"/run/secrets/mqtt_gateway_password": filepath.Join(dir, "secrets/mqtt_gateway_password"),
		"/run/secrets/influx_gateway_token":  filepath.Join(dir, "secrets/influx_gateway_token"),
		"/run/secrets/mqtt_ca":               filepath.Join(dir, "secrets/mqtt_ca.crt"),
		"/var/lib/simpang":                   filepath.Join(dir, "data"),
	} {
		require.Equal(t, 1, strings.Count(text, from), from)
		text = strings.Replace(text, from, to, 1)
	}
	file := filepath.Join(dir, "simpang.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	faults, warnings := config.CheckFile(file, nil, nil)
	require.Empty(t, faults)
	for _, w := range warnings { // the container's own network guards them
		require.Contains(t, w.String(), "listen")
	}
}
