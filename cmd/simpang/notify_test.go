package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// manager is a service manager as sd_notify(3) has it: a datagram socket.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

func (m *manager) next() string {
	m.t.Helper()
	b := make([]byte, 4096)
	require.NoError(m.t, m.conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	n, err := m.conn.Read(b)
	require.NoError(m.t, err)
	return string(b[:n])
}

// until reads until a word comes and returns the message that has it, and what
// came before it.
func (m *manager) until(word string) (message string, before []string) {
	m.t.Helper()
	for {
		message = m.next()
		if strings.Contains(message, word) {
			return message, before
		}
		before = append(before, message)
	}
}

func TestTheServiceManagerIsTold(t *testing.T) {
	dir, err := os.MkdirTemp("", "sd") //nolint:usetesting // short: a socket's path has 108 bytes at most
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	m := &manager{t: t, conn: conn}

	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", strconv.Itoa(int((2 * time.Second).Microseconds())))
	t.Setenv("SIMPANG_HTTP_LISTEN", "127.0.0.1:0")
	t.Setenv("SIMPANG_HTTP_ADMIN_LISTEN", "127.0.0.1:0")
	file := configFile(t)
	cmd := program(t, "serve", "-config", file)
	t.Cleanup(func() { _ = cmd.Process.Kill() })

	ready, before := m.until("READY=1")
	require.Regexp(t, "STATUS=ready; . of 1 sources connected, 7 followers", ready)
	require.Contains(t, strings.Join(before, "\n"), "STATUS=starting: journal")
	require.NotContains(t, strings.Join(before, "\n"), "WATCHDOG=1", "no sign of life before it is ready")
	began := time.Now()
	for range 4 {
		m.until("WATCHDOG=1")
	}
	require.Less(t, time.Since(began), 8*time.Second, "well within the watchdog's time")

	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	reloading, _ := m.until("RELOADING=1")
	require.Regexp(t, `MONOTONIC_USEC=[1-9][0-9]+`, reloading)
	m.until("READY=1")

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	m.until("STOPPING=1")
	require.NoError(t, cmd.Wait())
}
