package endtoend_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// A broker that keeps nothing dies under load. What it had acknowledged and
// not handed on is gone with it, and is told as missing; what it had not
// acknowledged is sent again; from its return on nothing is missing.
func TestMosquittoDiesWithoutPersistence(t *testing.T) {
	if testing.Short() {
		t.Skip("a broker's death under load")
	}
	dir := t.TempDir()
	port := sourcetest.FreePort(t)
	conf := filepath.Join(dir, "mosquitto.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil,
		"listener %d 127.0.0.1\nallow_anonymous true\nuser root\npersistence false\nset_tcp_nodelay true\nmax_queued_messages 100000\npid_file %s\n", port, filepath.Join(dir, "pid")), 0o600))
	m := sourcetest.StartMosquitto(t, conf, fmt.Sprintf("127.0.0.1:%d", port))
	inventory := writeCity(t, "b-")
	g := newGateway(t, inventory, fmt.Sprintf("  - {id: outside, type: mqtt, url: \"tcp://%s\", topics: [sg/v1/+/up], client_id: gateway}\n", m.Addr))
	g.start()
	g.login()
	connected := func() bool { return strings.Contains(g.body("/readyz"), `"connected":true`) }
	g.until("connected", connected)
	f := simulate(t, "run", "-scenario", scenario(t, "faults.yaml", inventory, "speed: 0", "speed: 6000"), "-broker", "tcp://"+m.Addr)
	for range 2 {
		time.Sleep(1500 * time.Millisecond)
		freeze(t, filepath.Join(dir, "pid")) // what is sent now has no PUBACK
		time.Sleep(300 * time.Millisecond)
		m.Kill(t)
		g.until("the loss is seen", func() bool { return !connected() })
		m.Start(t)
		g.until("connected again", connected)
	}
	time.Sleep(2500 * time.Millisecond) // the fleet writes its truth down once a second
	require.True(t, f.running(), "the load must last")
	text, err := os.ReadFile(f.truth)
	require.NoError(t, err)
	since := bytes.Count(text, []byte("\n"))
	f.done(2 * time.Minute)

	w := readTruth(t, f.truth)
	late := lateTruth(t, f.truth, since)
	require.Positive(t, w.resent(), "what had no PUBACK was sent again")
	g.until("everything since has arrived", func() bool {
		for id, l := range late.devices {
			if n := len(l.delivered); n > 0 && !has(g.readings(id), l.delivered[n-1]) {
				return false
			}
		}
		return true
	})
	missing, told := 0, 0
	v := loadCity(t, inventory)
	aside := map[string][]quarantined{}
	for _, q := range list[quarantined](g, "/v1/quarantine") {
		aside[q.Device] = append(aside[q.Device], q)
	}
	for id, f := range w.devices {
		got, all := map[string]string{}, g.readings(id)
		for _, r := range all {
			require.Empty(t, got[r.id()], "%s is there twice", r.id())
			got[r.id()] = r.said()
		}
		for _, want := range f.delivered {
			if said, ok := got[want.id()]; ok {
				require.Equal(t, want.said(), said)
				delete(got, want.id())
				continue
			}
			missing++
		}
		require.Empty(t, got, "%s: never sent", id)
		for _, want := range late.of(id).delivered {
			require.True(t, has(all, want), "%s: lost after the broker was back: %s", id, want.said())
		}
		// The days that the API tells of are those of what has come. A device
		// without boots may have rebooted while the broker was away: nobody
		// can tell its runs apart then.
		if len(all) == 0 || all[0].Boot == nil {
			continue
		}
		came := &fate{delivered: all, refused: f.refused, redelivered: true}
		compareCompleteness(t, g, v.Device(id), came, aside[id], time.Now().Add(-48*time.Hour), time.Now().Add(24*time.Hour))
		for _, c := range complete(came, aside[id], time.Duration(v.Device(id).IntervalS)*time.Second) {
			told += int(c.Missing)
		}
	}
	t.Logf("%d of %d readings died with the broker; the API tells of %d missing, %d of them never sent", missing, w.delivered(), told, w.faults["lost"])
	require.Less(t, missing, w.delivered()/4)
	g.stop()
	_, code := g.run("verify", "-config", g.config)
	require.Zero(t, code)
}

// freeze stops a process that has written its id into a file.
func freeze(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
}

func has(list []reading, want reading) bool {
	for _, r := range list {
		if r.id() == want.id() {
			return r.said() == want.said()
		}
	}
	return false
}

// lateTruth reads a truth file from a line on.
func lateTruth(t *testing.T, name string, from int) *world {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	lines := bytes.SplitAfter(text, []byte("\n"))
	rest := filepath.Join(t.TempDir(), "rest.jsonl")
	require.NoError(t, os.WriteFile(rest, bytes.Join(lines[from:], nil), 0o600))
	return readTruth(t, rest)
}
