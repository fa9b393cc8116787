package peertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Env asks a test's program to be a peer: folder and address. Its TestMain
// calls Child first.
const Env = "SIMPANG_PEER"

// Child runs the peer where this process was started to be one, and does not
// return then.
func Child() {
	dir, addr, found := strings.Cut(os.Getenv(Env), "|")
	if !found {
		return
	}
	if err := Main(dir, addr); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(1)
}

// Process is a peer that runs, or was killed.
type Process struct {
	Dir  string
	addr string
	cmd  *exec.Cmd
	mode Mode
	now  time.Time
}

// Start starts a peer with a new folder.
func Start(t *testing.T) *Process {
	t.Helper()
	p := &Process{Dir: t.TempDir(), addr: "127.0.0.1:0", mode: OK}
	p.Run(t)
	t.Cleanup(func() { p.Kill(t) })
	return p
}

// URL is the base of its service.
func (p *Process) URL() string { return "http://" + p.addr + "/v2" }

// Run starts it again, at the same address, with what is on its disk.
func (p *Process) Run(t *testing.T) {
	t.Helper()
	if p.cmd != nil {
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), self, "-test.run=^$") //nolint:gosec // this program itself
	cmd.Env = append(os.Environ(), Env+"="+p.Dir+"|"+p.addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	p.addr, p.cmd = strings.TrimSpace(line), cmd
	p.tell(t)
}

// Kill ends it at once. Twice is once.
func (p *Process) Kill(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	p.cmd = nil
}

// Set sets its mode and its clock.
func (p *Process) Set(t *testing.T, mode Mode, now time.Time) {
	t.Helper()
	same := mode == p.mode && now.Sub(p.now) < time.Minute && now.After(p.now)
	if same {
		return // its clock is as good as theirs are
	}
	p.mode, p.now = mode, now
	if p.cmd != nil {
		p.tell(t)
	}
}

// Answer has one of the peer's people say something of a report, now by its
// clock.
func (p *Process) Answer(t *testing.T, theirs, status, text string) {
	t.Helper()
	p.post(t, "/answer", url.Values{"id": {theirs}, "status": {status}, "text": {text}})
}

// tell passes mode and clock on; a process that ended by itself is noted.
func (p *Process) tell(t *testing.T) {
	t.Helper()
	p.post(t, "/control", url.Values{"mode": {string(p.mode)}, "now": {strconv.FormatInt(p.now.UnixMilli(), 10)}})
}

func (p *Process) post(t *testing.T, path string, query url.Values) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.addr+path+"?"+query.Encode(), nil)
	require.NoError(t, err)
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Kill(t)
		return
	}
	require.NoError(t, res.Body.Close())
}

// Mode returns the mode that was set last.
func (p *Process) Mode() Mode { return p.mode }

// Dead tells whether it was killed or ended by itself, as it was last seen.
func (p *Process) Dead() bool { return p.cmd == nil }
