package endtoend_test

import (
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// Over its rate an address gets 429 and when to come again; what must always
// answer does, and staff are not the public.
func TestRateLimit(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource)
	g.reconfigure(t, "rate_limit: 0", "rate_limit: 5")
	g.start()
	g.login()
	g.until("the token is in effect", func() bool { return g.status("/v1/devices") == http.StatusOK })
	var refused reply
	for n := 0; refused.Response == nil; n++ {
		require.Less(t, n, 500, "never refused")
		if r := g.ask(t, http.MethodGet, "/v1/parking/sites", ""); r.StatusCode != http.StatusOK {
			refused = r
		}
	}
	refused.problem(t, http.StatusTooManyRequests)
	require.Equal(t, "1", refused.Header.Get("Retry-After"))
	require.Equal(t, "*", refused.Header.Get("Access-Control-Allow-Origin"))
	for range 20 {
		require.Equal(t, http.StatusOK, g.ask(t, http.MethodGet, "/healthz", "").StatusCode)
		require.Equal(t, http.StatusOK, g.status("/v1/devices"))
	}
	g.until("it is let in again", func() bool { return g.ask(t, http.MethodGet, "/v1/parking/sites", "").StatusCode == http.StatusOK })
}

// Flags win over variables, and these over the file.
func TestSettingsFromOutside(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource)
	inFile, variable, flag := g.http, freeAddress(t), freeAddress(t)
	for _, c := range []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"file", nil, nil, inFile},
		{"variable", []string{"SIMPANG_HTTP_LISTEN=" + variable}, nil, variable},
		{"flag", []string{"SIMPANG_HTTP_LISTEN=" + variable}, []string{"-set", "http.listen=" + flag}, flag},
	} {
		t.Run(c.name, func(*testing.T) {
			g.http = c.want
			g.launchWith(c.env, c.args...)
			g.until("it answers where it was told to", func() bool {
				g.lives()
				return g.status("/readyz") == http.StatusOK
			})
			g.stop()
		})
	}
	g.http = inFile
	said := g.fails(t, 2, func(cmd *exec.Cmd) {
		cmd.Env = append(os.Environ(), "SIMPANG_CITY_TIMEZONE=Mars", "SIMPANG_HTTP_RATE_LIMIT=many")
	})
	require.Contains(t, said, "SIMPANG_CITY_TIMEZONE")
	require.Contains(t, said, "SIMPANG_HTTP_RATE_LIMIT")
}

// launchWith starts the program with variables and flags of its own.
func (g *gateway) launchWith(env []string, args ...string) {
	g.t.Helper()
	g.cmd = exec.Command(simpang, append([]string{"serve", "-config", g.config}, args...)...)
	g.cmd.Env = append(os.Environ(), env...)
	g.cmd.Stderr = &g.log
	require.NoError(g.t, g.cmd.Start())
	cmd, ended := g.cmd, make(chan struct{})
	g.ended = ended
	go func() {
		g.exit = cmd.Wait()
		close(ended)
	}()
}
