// Package sendtest starts what tests of senders need: a real Mosquitto, and a
// subscriber that keeps what it gets.
package sendtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"
)

// Mosquitto is one broker on a port of its own. It keeps its sessions over a
// Stop and Start.
type Mosquitto struct {
	URL string

	dir string
	cmd *exec.Cmd
}

// NewMosquitto starts a broker that takes these users (name -> password), or
// everybody where there are none. It is stopped with the test.
func NewMosquitto(t *testing.T, users map[string]string) *Mosquitto {
	t.Helper()
	m := &Mosquitto{dir: t.TempDir()}
	var l net.ListenConfig
	listener, err := l.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	m.URL = "tcp://" + address
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	conf := []string{
		"listener " + port + " 127.0.0.1", "persistence true", "persistence_location " + m.dir + "/",
		"max_queued_messages 0", "max_inflight_messages 0", "user root",
	}
	if len(users) == 0 {
		conf = append(conf, "allow_anonymous true")
	} else {
		name := filepath.Join(m.dir, "passwords")
		var lines strings.Builder
		for user, password := range users {
			_, _ = fmt.Fprintf(&lines, "%s:%s\n", user, password)
		}
		require.NoError(t, os.WriteFile(name, []byte(lines.String()), 0o600))
		hash := exec.CommandContext(t.Context(), "mosquitto_passwd", "-U", name) //nolint:gosec // a file of the test
		require.NoError(t, hash.Run(), "install mosquitto")
		conf = append(conf, "password_file "+name)
	}
	require.NoError(t, os.WriteFile(filepath.Join(m.dir, "m.conf"), []byte(strings.Join(conf, "\n")+"\n"), 0o600))
	m.Start(t)
	t.Cleanup(func() { m.Stop(t) })
	return m
}

// Start starts the broker and waits until it listens.
func (m *Mosquitto) Start(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		program = "/usr/sbin/mosquitto"
	}
	m.cmd = exec.Command(program, "-c", filepath.Join(m.dir, "m.conf")) //nolint:gosec,noctx // a file of the test; Stop ends it
	require.NoError(t, m.cmd.Start(), "install mosquitto")
	require.Eventually(t, func() bool {
		var d net.Dialer
		c, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(m.URL, "tcp://"))
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, 10*time.Second, 20*time.Millisecond)
}

// Stop ends the broker; it writes its sessions first.
func (m *Mosquitto) Stop(t *testing.T) {
	t.Helper()
	if m.cmd == nil {
		return
	}
	require.NoError(t, m.cmd.Process.Signal(syscall.SIGTERM))
	_ = m.cmd.Wait() // its exit code says nothing
	m.cmd = nil
}

// Got is one message as it arrived.
type Got struct {
	Topic   string
	Payload string
}

// Subscriber keeps what arrives, in order, over reconnects.
type Subscriber struct {
	mu  sync.Mutex
	got []Got
}

// Subscribe listens on a topic filter with a session that lasts.
func (m *Mosquitto) Subscribe(t *testing.T, filter, user, password string) *Subscriber {
	t.Helper()
	s := &Subscriber{}
	ready := make(chan struct{}, 100)
	o := mqtt.NewClientOptions().AddBroker(m.URL).SetClientID("subscriber").SetUsername(user).SetPassword(password).
		SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(200 * time.Millisecond).
		SetDefaultPublishHandler(func(_ mqtt.Client, msg mqtt.Message) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.got = append(s.got, Got{msg.Topic(), string(msg.Payload())})
		}).
		SetOnConnectHandler(func(c mqtt.Client) {
			c.Subscribe(filter, 1, nil).Wait()
			ready <- struct{}{}
		})
	c := mqtt.NewClient(o)
	token := c.Connect()
	token.Wait()
	require.NoError(t, token.Error())
	t.Cleanup(func() { c.Disconnect(100) })
	<-ready
	return s
}

// Got returns what has arrived.
func (s *Subscriber) Got() []Got {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Got(nil), s.got...)
}
