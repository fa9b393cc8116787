package endtoend_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/send"
	"github.com/simpang-id/simpang/internal/wire/frames"
)

// acknowledged bounds how long a PUBACK or ACK sentence may take.
const acknowledged = 10 * time.Second

// publisher is an MQTT client with QoS 1.
type publisher struct {
	t *testing.T
	c mqtt.Client
}

// connect logs in at a broker.
func connect(t *testing.T, address, user, secret string) *publisher {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + address).SetClientID("test-" + user).SetUsername(user).SetPassword(secret).
		SetAutoReconnect(true).SetMaxReconnectInterval(200 * time.Millisecond).SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond)
	c := mqtt.NewClient(o)
	token := c.Connect()
	require.True(t, token.WaitTimeout(acknowledged), "no log-in as %s", user)
	require.NoError(t, token.Error())
	t.Cleanup(func() { c.Disconnect(50) })
	return &publisher{t, c}
}

// publish waits for the PUBACK.
func (p *publisher) publish(topic, payload string) {
	p.t.Helper()
	require.True(p.t, p.c.Publish(topic, 1, false, payload).WaitTimeout(acknowledged), "no PUBACK for %s on %s", tail(payload, 200), topic)
}

func (p *publisher) up(device, payload string) {
	p.t.Helper()
	p.publish("sg/v1/"+device+"/up", payload)
}

// secretOf makes credentials and returns the secret.
func (g *gateway) secretOf(device string) string {
	g.t.Helper()
	out, code := g.run("device", "-config", g.config, "credentials", device)
	require.Zero(g.t, code)
	_, secret, ok := strings.Cut(strings.TrimSpace(out), ":")
	require.True(g.t, ok, out)
	return secret
}

// bridgeSecret makes the credentials of a bridge that may publish everything.
func (g *gateway) bridgeSecret() string {
	g.t.Helper()
	text, err := os.ReadFile(g.bridge())
	require.NoError(g.t, err)
	_, secret, _ := strings.Cut(strings.TrimSpace(string(text)), ":")
	return secret
}

// wire is the devices' end of a serial line.
type wire struct {
	t    *testing.T
	port io.ReadWriteCloser
	acks chan frames.Acked
}

// openWire makes a pty whose other end is found under name.
func openWire(t *testing.T, name string) *wire {
	t.Helper()
	port, _, err := send.OpenPort("pty:" + name)
	require.NoError(t, err)
	w := &wire{t: t, port: port, acks: make(chan frames.Acked, 1024)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewReader(port)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			if a, wrong := frames.ParseAck(line); wrong == nil {
				w.acks <- a
			}
		}
	}()
	t.Cleanup(func() {
		_ = port.Close()
		<-done
	})
	return w
}

func (w *wire) write(text string) {
	w.t.Helper()
	_, err := io.WriteString(w.port, text)
	require.NoError(w.t, err)
}

// say sends a sentence and waits for its ACK.
func (w *wire) say(body string) {
	w.t.Helper()
	w.write(string(frames.Seal(body)))
	fields := strings.Split(body, ",")
	seq, err := strconv.ParseUint(fields[3], 10, 64)
	require.NoError(w.t, err)
	select {
	case a := <-w.acks:
		require.Equal(w.t, fields[1], a.Device)
		require.Equal(w.t, seq, a.Seq)
	case <-time.After(acknowledged):
		w.t.Fatalf("no ACK for %s", body)
	}
}

// metric returns a value of the admin listener's metrics, 0 where it is not
// told.
func (g *gateway) metric(name string) float64 {
	g.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+g.admin+"/metrics", nil)
	require.NoError(g.t, err)
	resp, err := client.Do(req)
	require.NoError(g.t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(text, 64)
			require.NoError(g.t, err)
			return v
		}
	}
	return 0
}

func (g *gateway) refused(reason string) float64 {
	g.t.Helper()
	return g.metric(fmt.Sprintf("simpang_refused_total{reason=%q}", reason))
}

// edit replaces text in a file of the inventory.
func edit(t *testing.T, dir, name, old, with string) {
	t.Helper()
	file := filepath.Join(dir, name)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), old)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), old, with, 1)), 0o600))
}
