package endtoend_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gateway is a configured Simpang that can be started, killed and asked.
type gateway struct {
	t        *testing.T
	dir      string
	config   string
	http     string
	mqtt     string
	admin    string
	token    string
	log      buffer
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the program has ended
	exit     error         // then: how
	patience time.Duration
}

// client gives up on an answer that does not come.
var client = &http.Client{Timeout: 20 * time.Second}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// newGateway writes a configuration for an inventory folder and sources, given
// as YAML list items; {mqtt} stands for the built-in broker's address.
func newGateway(t *testing.T, inventory, sources string) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: t.TempDir(), http: freeAddress(t), mqtt: freeAddress(t), admin: freeAddress(t), patience: 30 * time.Second}
	g.config = filepath.Join(g.dir, "simpang.yaml")
	text := fmt.Sprintf(`city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta, region_code: "32.75"}
http: {listen: "%s", admin_listen: "%s", rate_limit: 0}
data_dir: data
inventory: %s
sources:
%s`, g.http, g.admin, inventory, strings.ReplaceAll(sources, "{mqtt}", g.mqtt))
	require.NoError(t, os.WriteFile(g.config, []byte(text), 0o600))
	t.Cleanup(func() {
		if g.cmd != nil {
			g.kill()
		}
		if t.Failed() {
			t.Log("the gateway said:\n" + tail(g.log.String(), 8000))
		}
	})
	return g
}

func tail(s string, n int) string {
	if len(s) > n {
		return "..." + s[len(s)-n:]
	}
	return s
}

// run runs a subcommand and returns what it prints.
func (g *gateway) run(args ...string) (stdout string, code int) {
	g.t.Helper()
	cmd := exec.Command(simpang, args...)
	var out, errs buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(g.t, err, &exit)
		g.t.Logf("simpang %s: exit %d: %s", strings.Join(args, " "), exit.ExitCode(), errs.String())
		return out.String(), exit.ExitCode()
	}
	return out.String(), 0
}

// login makes an admin token.
func (g *gateway) login() {
	g.t.Helper()
	out, code := g.run("token", "-config", g.config, "-role", "admin", "-name", "test")
	require.Zero(g.t, code)
	g.token = strings.TrimSpace(out)
}

// bridge makes a credentials file for the simulator.
func (g *gateway) bridge() string {
	g.t.Helper()
	out, code := g.run("device", "-config", g.config, "-filters", "sg/v1/+/up,sg/v1/+/status", "credentials", "bridge")
	require.Zero(g.t, code)
	file := filepath.Join(g.dir, "bridge.credentials")
	require.NoError(g.t, os.WriteFile(file, []byte(out), 0o600))
	return file
}

// start starts the program and waits until it is ready.
func (g *gateway) start() {
	g.t.Helper()
	g.launch()
	g.until("the gateway is ready", func() bool {
		g.lives()
		return g.status("/readyz") == http.StatusOK
	})
}

func (g *gateway) launch() {
	g.t.Helper()
	g.cmd = exec.Command(simpang, "serve", "-config", g.config)
	g.cmd.Stderr = &g.log
	require.NoError(g.t, g.cmd.Start())
	cmd, ended := g.cmd, make(chan struct{})
	g.ended = ended
	go func() {
		g.exit = cmd.Wait()
		close(ended)
	}()
}

// lives fails the test if the program has ended by itself.
func (g *gateway) lives() {
	g.t.Helper()
	select {
	case <-g.ended:
		g.t.Fatalf("the gateway ended: %v\n%s", g.exit, tail(g.log.String(), 4000))
	default:
	}
}

// kill ends the program as a power cut would.
func (g *gateway) kill() {
	_ = g.cmd.Process.Kill()
	<-g.ended
	g.cmd = nil
}

// stop ends it as an operator would, which takes 10 s at most.
func (g *gateway) stop() {
	g.t.Helper()
	require.NoError(g.t, g.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-g.ended:
		require.NoError(g.t, g.exit)
	case <-time.After(10 * time.Second):
		g.t.Fatal("SIGTERM: not stopped within 10 s")
	}
	g.cmd = nil
}

func (g *gateway) until(what string, ok func() bool) {
	g.t.Helper()
	end := time.Now().Add(g.patience)
	for !ok() {
		if time.Now().After(end) {
			g.t.Fatalf("not within %v: %s", g.patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (g *gateway) request(method, path string, body string) (*http.Response, error) {
	req, err := http.NewRequest(method, "http://"+g.http+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if g.token != "" {
		req.Header.Set("Authorization", "Bearer "+g.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return client.Do(req)
}

func (g *gateway) status(path string) int {
	resp, err := g.request(http.MethodGet, path, "")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// logged tells whether it has said something since.
func (g *gateway) logged(before, text string) bool {
	return strings.Contains(strings.TrimPrefix(g.log.String(), before), text)
}

// tryPost decodes the answer, whatever its status.
func (g *gateway) tryPost(t *testing.T, path, body string) (a answer, status int) {
	t.Helper()
	resp, err := g.request(http.MethodPost, path, body)
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &a), "POST %s: %d %s", path, resp.StatusCode, data)
	return a, resp.StatusCode
}

// body is an answer, whatever its status.
func (g *gateway) body(path string) string {
	resp, err := g.request(http.MethodGet, path, "")
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return string(data)
}

// get decodes an answer of 200 into v.
func (g *gateway) get(path string, v any) {
	g.t.Helper()
	resp, err := g.request(http.MethodGet, path, "")
	require.NoError(g.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(g.t, err)
	require.Equal(g.t, http.StatusOK, resp.StatusCode, "GET %s: %s", path, data)
	require.NoError(g.t, json.Unmarshal(data, v), "GET %s: %s", path, data)
}

// list reads every page of a list.
func list[T any](g *gateway, path string) []T {
	g.t.Helper()
	var all []T
	cursor := ""
	for {
		var page struct {
			Items []T     `json:"items"`
			Next  *string `json:"next"`
		}
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		at := path + join + "limit=1000"
		if cursor != "" {
			at += "&cursor=" + url.QueryEscape(cursor)
		}
		g.get(at, &page)
		all = append(all, page.Items...)
		if page.Next == nil {
			return all
		}
		cursor = *page.Next
	}
}

// level waits until every follower has applied everything.
func (g *gateway) level() {
	g.t.Helper()
	g.until("followers level with the head", func() bool {
		var ready struct {
			Head      uint64 `json:"head"`
			Followers []struct {
				Lag uint64 `json:"lag"`
			} `json:"followers"`
		}
		resp, err := g.request(http.MethodGet, "/readyz", "")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		if json.NewDecoder(resp.Body).Decode(&ready) != nil || ready.Head == 0 {
			return false
		}
		for _, f := range ready.Followers {
			if f.Lag > 0 {
				return false
			}
		}
		return true
	})
}
