package endtoend_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// threeSources are the built-in broker, a Mosquitto and a serial line.
const threeSources = brokerSource + `  - {id: outside, type: mqtt, url: "tcp://{mosquitto}", topics: [sg/v1/+/up], client_id: gateway}
  - {id: line, type: serial, port: "{tty}", baud: 115200}
`

// rig is a gateway with all three sources, and a fleet on each.
type rig struct {
	g         *gateway
	mosquitto *sourcetest.Mosquitto
	inventory string
	fleets    []*fleet
	before    vitals // of the gateway, before there was any load
}

// newRig starts the gateway and then the fleets: one city over the built-in
// broker and the line, its twin over Mosquitto.
func newRig(t *testing.T, mosquitto *sourcetest.Mosquitto, replace ...string) *rig {
	t.Helper()
	tty := filepath.Join(t.TempDir(), "tty")
	sources := strings.NewReplacer("{mosquitto}", mosquitto.Addr, "{tty}", tty).Replace(threeSources)
	r := &rig{inventory: writeCity(t, "a-", "b-"), mosquitto: mosquitto}
	r.g = newGateway(t, r.inventory, sources)
	credentials := r.g.bridge()
	r.g.start()
	r.g.login()
	r.g.until("every source is connected but the line", func() bool { return strings.Count(r.g.body("/readyz"), `"connected":true`) >= 2 })
	r.before = r.g.vitals()
	a, b := scenario(t, "faults.yaml", writeCity(t, "a-"), replace...), scenario(t, "faults.yaml", writeCity(t, "b-"), replace...)
	r.fleets = []*fleet{
		simulate(t, "run", "-scenario", a, "-seed", "11", "-broker", "tcp://"+r.g.mqtt, "-credentials", credentials, "-serial", "pty:"+tty),
		simulate(t, "run", "-scenario", b, "-seed", "12", "-broker", "tcp://"+mosquitto.Addr),
	}
	return r
}

// loaded tells whether every fleet still sends.
func (r *rig) loaded() bool {
	for _, f := range r.fleets {
		if !f.running() {
			return false
		}
	}
	return true
}

// judge waits for the fleets and holds the API and the books against the truth.
func (r *rig) judge(t *testing.T) {
	t.Helper()
	var truths []string
	for _, f := range r.fleets {
		f.done(3 * time.Minute)
		truths = append(truths, f.truth)
	}
	w := readTruth(t, truths...)
	for id, f := range w.devices {
		f.redelivered = strings.HasPrefix(id, "b-")
	}
	r.g.until("everything has arrived", func() bool {
		n := 0
		for _, d := range list[struct {
			Readings int `json:"readings"`
		}](r.g, "/v1/devices") {
			n += d.Readings
		}
		return n >= w.delivered()
	})
	compare(t, r.g, loadCity(t, r.inventory), w)
	r.g.recovers(t, r.before, 64)
	r.g.stop()
	out, code := r.g.run("verify", "-config", r.g.config)
	require.Zero(t, code, "verify: %s", out)
}

// Twenty times (a hundred in the long run) the power fails in the middle of
// load, over all three sources at once. In the end everything is there, each
// once, to the rupiah.
func TestKillNine(t *testing.T) {
	if testing.Short() {
		t.Skip("twenty crashes")
	}
	crashes := times(20, 100)
	r := newRig(t, newMosquitto(t), "speed: 0", fmt.Sprintf("speed: %d", 44_000/crashes))
	begin := time.Now()
	for n := range crashes {
		if n%2 == 0 { // every other time it may not even have come up
			r.g.until("it is up", func() bool { return r.g.status("/healthz") == 200 })
		}
		time.Sleep(time.Duration(50+rand.IntN(900)) * time.Millisecond)
		require.True(t, r.loaded(), "the load must last for every crash")
		r.g.kill()
		r.g.launch()
	}
	r.g.until("it is ready again", func() bool { return r.g.status("/readyz") == 200 })
	t.Logf("%d crashes in %v", crashes, time.Since(begin).Round(time.Millisecond))
	r.judge(t)
}

// Mosquitto is restarted under load, and so is the gateway: what the broker
// holds for the gateway outlives both.
func TestMosquittoRestarts(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts of a broker")
	}
	r := newRig(t, newMosquitto(t), "speed: 0", fmt.Sprintf("speed: %d", 4000*6/times(6, 30)))
	for n := range times(6, 30) {
		time.Sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond)
		require.True(t, r.loaded(), "the load must last for every restart")
		r.mosquitto.Stop(t)
		if n%2 == 0 {
			r.g.kill()
			r.g.launch()
		}
		r.mosquitto.Start(t)
	}
	r.g.until("it is ready again", func() bool { return r.g.status("/readyz") == 200 })
	r.judge(t)
}

// newMosquitto starts a real broker that answers at once.
func newMosquitto(t *testing.T) *sourcetest.Mosquitto {
	t.Helper()
	return sourcetest.NewMosquitto(t, "set_tcp_nodelay true\n")
}
