package sourcetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mosquittoPath is where Debian puts it; make test installs it.
const mosquittoPath = "/usr/sbin/mosquitto"

// Mosquitto is a real broker of one test.
type Mosquitto struct {
	Addr string
	Dir  string
	conf string
	cmd  *exec.Cmd
}

// FreePort returns a port of 127.0.0.1 that nobody listens on.
func FreePort(tb testing.TB) int {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// NewMosquitto starts one that lets everybody in and keeps its sessions over a
// restart; lines are added to its configuration.
func NewMosquitto(tb testing.TB, lines string) *Mosquitto {
	tb.Helper()
	dir := tb.TempDir()
	port := FreePort(tb)
	m := &Mosquitto{Addr: fmt.Sprintf("127.0.0.1:%d", port), Dir: dir, conf: filepath.Join(dir, "mosquitto.conf")}
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\npersistence_location %s/\n"+
		"max_queued_messages 100000\n%s\n", port, dir, lines)
	text = "autosave_interval 1\nautosave_on_changes true\n" + text
	require.NoError(tb, os.WriteFile(m.conf, []byte(text), 0o600))
	m.Start(tb)
	tb.Cleanup(func() { m.Stop(tb) })
	return m
}

// StartMosquitto starts one with the configuration file conf that listens on
// addr.
func StartMosquitto(tb testing.TB, conf, addr string) *Mosquitto {
	tb.Helper()
	m := &Mosquitto{Addr: addr, Dir: filepath.Dir(conf), conf: conf}
	m.Start(tb)
	tb.Cleanup(func() { m.Stop(tb) })
	return m
}

// Start starts it again on the same port.
func (m *Mosquitto) Start(tb testing.TB) {
	tb.Helper()
	log, err := os.OpenFile(filepath.Join(m.Dir, "mosquitto.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(tb, err)
	defer func() { _ = log.Close() }()
	m.cmd = exec.Command(mosquittoPath, "-c", m.conf) //nolint:noctx // ends in Stop
	m.cmd.Stdout, m.cmd.Stderr = log, log
	require.NoError(tb, m.cmd.Start(), "make test installs mosquitto")
	deadline := time.Now().Add(Wait)
	for {
		conn, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", m.Addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(m.Dir, "mosquitto.log"))
			require.FailNow(tb, "mosquitto does not listen", "%s", text)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Stop ends it with SIGTERM: it writes its sessions down.
func (m *Mosquitto) Stop(tb testing.TB) {
	tb.Helper()
	m.end(tb, os.Interrupt)
}

// Kill ends it with SIGKILL.
func (m *Mosquitto) Kill(tb testing.TB) {
	tb.Helper()
	m.end(tb, os.Kill)
}

func (m *Mosquitto) end(tb testing.TB, with os.Signal) {
	tb.Helper()
	if m.cmd == nil {
		return
	}
	require.NoError(tb, m.cmd.Process.Signal(with))
	_ = m.cmd.Wait()
	m.cmd = nil
}

// Signal sends it a signal.
func (m *Mosquitto) Signal(tb testing.TB, s os.Signal) {
	tb.Helper()
	require.NoError(tb, m.cmd.Process.Signal(s))
}

// Log is what it wrote.
func (m *Mosquitto) Log(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(m.Dir, "mosquitto.log"))
	require.NoError(tb, err)
	return string(text)
}

// MosquittoPassword adds a user to a password file of Mosquitto.
func MosquittoPassword(tb testing.TB, file, user, password string) {
	tb.Helper()
	args := []string{"-b", file, user, password}
	if _, err := os.Stat(file); err != nil {
		args = append([]string{"-c"}, args...)
	}
	out, err := exec.CommandContext(tb.Context(), "mosquitto_passwd", args...).CombinedOutput()
	require.NoError(tb, err, "%s", out)
}

// BlackHole is an address that takes connections and never says a word.
func BlackHole(tb testing.TB) string {
	tb.Helper()
	l, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	var taken []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			taken = append(taken, c)
		}
	}()
	tb.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, c := range taken {
			_ = c.Close()
		}
	})
	return l.Addr().String()
}
