package endtoend_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// long tells whether the faults run for as long as `make soak` has them.
func long() bool { return os.Getenv("SIMPANG_LONG") == "1" }

// outage is how long something is away in the long run: 4 min, or SIMPANG_OUTAGE.
func outage() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("SIMPANG_OUTAGE")); err == nil {
		return d
	}
	return 4 * time.Minute
}

// times is n, or the number of the long run.
func times(n, inLong int) int {
	if long() {
		return inLong
	}
	return n
}

// vitals are what a gateway's process holds.
type vitals struct {
	goroutines int
	heap       float64 // MiB in use after a garbage collection
	resident   float64 // MiB
}

// vitals asks the admin listener.
func (g *gateway) vitals() vitals {
	g.t.Helper()
	resp, err := client.Get("http://" + g.admin + "/debug/pprof/heap?gc=1")
	require.NoError(g.t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	resp, err = client.Get("http://" + g.admin + "/metrics")
	require.NoError(g.t, err)
	defer resp.Body.Close()
	require.Equal(g.t, http.StatusOK, resp.StatusCode)
	values := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			values[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	const mib = 1 << 20
	v := vitals{
		goroutines: int(values["go_goroutines"]), heap: values["go_memstats_heap_inuse_bytes"] / mib,
		resident: values["process_resident_memory_bytes"] / mib,
	}
	require.Positive(g.t, v.goroutines)
	require.Positive(g.t, v.heap)
	require.Positive(g.t, v.resident)
	return v
}

// resident is the memory of the process as it is, MiB.
func (g *gateway) resident() float64 {
	g.t.Helper()
	return g.metric("process_resident_memory_bytes") / (1 << 20)
}

// recovers waits until the process holds what it held before a fault: as many
// goroutines, and no more memory in use than grown MiB over it.
func (g *gateway) recovers(t *testing.T, before vitals, grown float64) {
	t.Helper()
	const few = 8 // requests of this test that have just ended, a commit, a garbage collection
	var now vitals
	end := time.Now().Add(g.patience)
	for now = g.vitals(); now.goroutines > before.goroutines+few || now.heap > before.heap+grown; now = g.vitals() {
		if time.Now().After(end) {
			require.FailNow(t, "the process does not come back to what it held", "before %+v, now %+v", before, now)
		}
		client.CloseIdleConnections()
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("goroutines %d -> %d, heap %.1f -> %.1f MiB, resident %.0f -> %.0f MiB", before.goroutines, now.goroutines, before.heap, now.heap, before.resident, now.resident)
}

// ready is what /readyz says.
type ready struct {
	Ready   bool `json:"ready"`
	Reasons []struct {
		Code   string `json:"code"`
		Detail string `json:"detail"`
	} `json:"reasons"`
	Head    uint64 `json:"head"`
	Sources []struct {
		ID          string  `json:"id"`
		Connected   bool    `json:"connected"`
		Silent      bool    `json:"silent"`
		Received    uint64  `json:"received"`
		Connections int     `json:"connections"`
		Detail      *string `json:"detail"`
	} `json:"sources"`
	Followers []struct {
		Name   string  `json:"name"`
		Lag    uint64  `json:"lag"`
		Detail *string `json:"detail"`
	} `json:"followers"`
}

// readyz asks for it; a gateway that does not answer says nothing.
func (g *gateway) readyz() (z ready) {
	resp, err := g.request(http.MethodGet, "/readyz", "")
	if err != nil {
		return z
	}
	defer resp.Body.Close()
	_ = json.NewDecoder(resp.Body).Decode(&z)
	return z
}

// connected tells whether a source is connected.
func (r *ready) connected(source string) bool {
	for _, s := range r.Sources {
		if s.ID == source {
			return s.Connected
		}
	}
	return false
}

// connections is how many clients the built-in broker has.
func (r *ready) connections() (n int) {
	for _, s := range r.Sources {
		n += s.Connections
	}
	return n
}
