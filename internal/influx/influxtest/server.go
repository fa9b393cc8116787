// Package influxtest runs a real InfluxDB 1.8 for tests and measurements.
package influxtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is an InfluxDB that can be killed, paused and started again, with one
// of its databases.
type Server struct {
	*process

	URL      string
	Database string
	Bucket   string // the database, as the v2 API names it
}

type process struct {
	dir  string
	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// database is the one that Start makes.
const database = "simpang"

// Binary finds influxd, which `make servers` builds.
func Binary(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("influxd"); err == nil {
		return path, nil
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOPATH").Output()
	if err == nil {
		path := filepath.Join(strings.TrimSpace(string(out)), "bin", "influxd")
		if _, err = os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New("influxd is not here: run make servers, which builds it")
}

// New makes a server that keeps its data in dir. It is not started.
func New(ctx context.Context, dir string) (*Server, error) {
	var ports [2]string
	for i := range ports {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		ports[i] = l.Addr().String()
		if err := l.Close(); err != nil {
			return nil, err
		}
	}
	s := (&Server{process: &process{dir: dir}, URL: "http://" + ports[0]}).with(database)
	text := fmt.Sprintf(`reporting-disabled = true
bind-address = %[2]q
[meta]
dir = "%[1]s/meta"
[data]
dir = "%[1]s/data"
wal-dir = "%[1]s/wal"
query-log-enabled = false
[coordinator]
[monitor]
store-enabled = false
[http]
bind-address = %[3]q
flux-enabled = true
log-enabled = false
[logging]
level = "warn"
suppress-logo = true
`, dir, ports[1], ports[0])
	return s, os.WriteFile(filepath.Join(dir, "influxdb.conf"), []byte(text), 0o600)
}

// Start starts it, waits until it answers, and makes the database.
func (s *Server) Start(ctx context.Context) error {
	path, err := Binary(ctx)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, "-config", filepath.Join(s.dir, "influxdb.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	s.mu.Lock()
	s.cmd, s.done = cmd, done
	s.mu.Unlock()
	for ctx.Err() == nil {
		if _, err = s.Influx(ctx, "CREATE DATABASE "+s.Database); err == nil {
			return nil
		}
		select {
		case <-done:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("influxd ended: %s", text)
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond): // it tells nobody that it listens
		}
	}
	return errors.Join(ctx.Err(), err)
}

func (s *Server) with(database string) *Server {
	return &Server{process: s.process, URL: s.URL, Database: database, Bucket: database + "/autogen"}
}

// Fresh makes another database of the same server.
func (s *Server) Fresh(ctx context.Context, name string) (*Server, error) {
	other := s.with(name)
	_, err := other.Influx(ctx, "CREATE DATABASE "+name)
	return other, err
}

// Pid is the process, 0 where there is none.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Signal sends a signal: SIGSTOP pauses it, SIGCONT lets it go on.
func (s *Server) Signal(signal syscall.Signal) error {
	pid := s.Pid()
	if pid == 0 {
		return errors.New("it does not run")
	}
	return syscall.Kill(pid, signal)
}

// Stop ends it, by SIGKILL where it must not notice. It may not run.
func (s *Server) Stop(signal syscall.Signal) {
	s.mu.Lock()
	cmd, done := s.cmd, s.done
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = syscall.Kill(cmd.Process.Pid, syscall.SIGCONT)
	_ = syscall.Kill(cmd.Process.Pid, signal)
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}

// Influx asks in InfluxQL and returns the answer as CSV.
func (s *Server) Influx(ctx context.Context, q string) (string, error) {
	form := url.Values{"q": {q}, "db": {s.Database}, "epoch": {"ns"}}
	return s.post(ctx, "/query", "application/x-www-form-urlencoded", "application/csv", form.Encode())
}

// Flux asks in Flux and returns the answer as CSV.
func (s *Server) Flux(ctx context.Context, q string) (string, error) {
	return s.post(ctx, "/api/v2/query", "application/vnd.flux", "application/csv", q)
}

// Write writes lines with times in ns.
func (s *Server) Write(ctx context.Context, lines string) error {
	_, err := s.post(ctx, "/write?db="+s.Database, "text/plain", "", lines)
	return err
}

func (s *Server) post(ctx context.Context, path, kind, accept, body string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", accept)
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return string(text), err
}
