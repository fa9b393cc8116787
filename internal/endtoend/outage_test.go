package endtoend_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source/sourcetest"
)

// outsideSource is a Mosquitto as the only source.
const outsideSource = `  - {id: outside, type: mqtt, url: "tcp://%s", topics: [sg/v1/+/up], client_id: gateway, max_silence: %s}
`

// outside is a gateway behind a Mosquitto, with a link between them.
func outside(t *testing.T, mosquitto *sourcetest.Mosquitto, link, maxSilence string) *rig {
	t.Helper()
	r := &rig{inventory: writeCity(t, "b-"), mosquitto: mosquitto}
	r.g = newGateway(t, r.inventory, fmt.Sprintf(outsideSource, link, maxSilence))
	r.g.start()
	r.g.login()
	r.g.until("connected", func() bool { z := r.g.readyz(); return z.connected("outside") })
	r.before = r.g.vitals()
	return r
}

// The link to the broker is gone while a day of the city is published,
// and in the middle of it the broker itself: all of it waits in the broker and
// is drained when the link is back.
func TestBrokerGoneForLong(t *testing.T) {
	if testing.Short() {
		t.Skip("an outage")
	}
	m := hoarder(t)
	link := newWAN(t, m.Addr)
	r := outside(t, m, link.addr, "10m")
	link.enable(false)
	r.g.until("the loss is seen", func() bool { z := r.g.readyz(); return !z.connected("outside") })
	gone := time.Now()
	r.fleets = []*fleet{simulate(t, "run", "-scenario", scenario(t, "faults.yaml", writeCity(t, "b-"), "speed: 0", fmt.Sprintf("speed: %d", times(15_000, 400)), "duration: 24h", fmt.Sprintf("duration: %dh", times(10, 24))), "-seed", "21", "-broker", "tcp://"+m.Addr)}
	time.Sleep(time.Second) // under load
	require.True(t, r.loaded())
	m.Stop(t)
	time.Sleep(time.Duration(times(1, 60)) * time.Second) // away for so long
	m.Start(t)
	r.fleets[0].done(10 * time.Minute)
	waiting := readTruth(t, r.fleets[0].truth).delivered()
	require.Equal(t, http.StatusOK, r.g.status("/v1/parking/sites"), "what is known is still told")
	z := r.g.readyz()
	require.False(t, z.connected("outside"))
	require.NotNil(t, z.Sources[0].Detail, "it says why")
	link.enable(true)
	back := time.Now()
	r.g.patience = time.Minute // the wait between two attempts has grown to 30 s
	r.judge(t)
	t.Logf("away for %v; %d readings waited, there and judged %v after the link was back", back.Sub(gone).Round(time.Second), waiting, time.Since(back).Round(time.Millisecond))
}

// hoarder is a Mosquitto that keeps a large backlog over a clean stop. To write
// it down at each change would take longer and longer.
func hoarder(t *testing.T) *sourcetest.Mosquitto {
	t.Helper()
	dir, port := t.TempDir(), sourcetest.FreePort(t)
	conf := filepath.Join(dir, "mosquitto.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, "listener %d 127.0.0.1\nallow_anonymous true\nuser root\nset_tcp_nodelay true\n"+
		"persistence true\npersistence_location %s/\nautosave_interval 0\nmax_queued_messages 1000000\n", port, dir), 0o600))
	return sourcetest.StartMosquitto(t, conf, fmt.Sprintf("127.0.0.1:%d", port))
}

// A half-open link: nothing passes and nothing is closed. Silence tells (in
// the long run also the keep-alive alone), and what waited comes.
func TestHalfOpenLink(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for silence")
	}
	for _, c := range []struct {
		name, maxSilence string
		long             bool
	}{{"silence", "2s", false}, {"keep-alive", "1h", true}} {
		t.Run(c.name, func(t *testing.T) {
			if c.long && !long() {
				t.Skip("a keep-alive takes 45 s: SIMPANG_LONG=1")
			}
			m := newMosquitto(t)
			link := newWAN(t, m.Addr)
			r := outside(t, m, link.addr, c.maxSilence)
			r.g.patience = 2 * time.Minute
			p := connect(t, m.Addr, "device", "")
			for seq := 1; seq <= 100; seq++ {
				if seq == 31 {
					link.stall()
				}
				p.up("b-spot-c01", spotReading(1, seq, at(0), seq%2 == 0))
			}
			stalled := time.Now()
			r.g.until("the stalled link is given up", func() bool { z := r.g.readyz(); return !z.connected("outside") })
			noticed := time.Since(stalled)
			link.mend()
			r.g.until("connected again", func() bool { z := r.g.readyz(); return z.connected("outside") })
			r.g.until("what waited has come", func() bool { return len(r.g.readings("b-spot-c01")) >= 100 })
			eachOnce(t, r.g.readings("b-spot-c01"), 100)
			t.Logf("noticed %v after it stalled, whole %v after", noticed.Round(time.Millisecond), time.Since(stalled).Round(time.Millisecond))
			r.g.recovers(t, r.before, 32)
		})
	}
}

// eachOnce requires the numbers 1 to n once each.
func eachOnce(t *testing.T, got []reading, n int) {
	t.Helper()
	seen := map[uint64]int{}
	for _, r := range got {
		seen[r.Seq]++
		require.Equal(t, 1, seen[r.Seq], "%d is there twice", r.Seq)
	}
	for seq := range n {
		require.Equal(t, 1, seen[uint64(seq+1)], "%d is not there", seq+1)
	}
	require.Len(t, got, n)
}

// A device's link to the built-in broker is half open: the broker lets go of
// it after its keep-alive, or at once when the device comes back, and what had
// no answer is taken once.
func TestHalfOpenDevice(t *testing.T) {
	g := newGateway(t, writeCity(t, ""), brokerSource)
	secrets := []string{g.secretOf("spot-c01"), g.secretOf("spot-c02")}
	g.start()
	g.login()
	before := g.vitals()
	link := newWAN(t, g.mqtt)
	hello := func(addr string, n int) *sourcetest.Client {
		c := sourcetest.Dial(t, addr, nil)
		device := fmt.Sprintf("spot-c%02d", n+1)
		require.Zero(t, c.Hello(sourcetest.Hello{User: device, Secret: secrets[n], Keep: true, KeepAlive: 2}).ReasonCode)
		return c
	}
	up := func(c *sourcetest.Client, n, seq int, when string) {
		device := fmt.Sprintf("spot-c%02d", n+1)
		c.Publish("sg/v1/"+device+"/up", []byte(spotReading(1, seq, when, true)), 1, uint16(seq))
	}
	left, back := hello(link.addr, 0), hello(link.addr, 1)
	when := at(0)
	for n, c := range []*sourcetest.Client{left, back} {
		up(c, n, 1, when)
		c.Expect(4)
	}
	link.stall()
	for n, c := range []*sourcetest.Client{left, back} {
		up(c, n, 2, when) // goes nowhere, and nobody says so
	}
	again := hello(g.mqtt, 1)
	up(again, 1, 2, when)
	again.Expect(4)
	again.Close()
	begin := time.Now()
	g.until("the broker lets go of the one that stays away", func() bool { z := g.readyz(); return z.connections() == 0 })
	t.Logf("let go within %v", time.Since(begin).Round(time.Millisecond))
	eachOnce(t, g.readings("spot-c01"), 1)
	eachOnce(t, g.readings("spot-c02"), 2)
	link.mend()
	left.Close()
	back.Close()
	g.recovers(t, before, 32)
}

// Slow links on both sides, as over a far mobile network: 150 ms each way,
// 32 KB/s. It takes its time, and everything is there once.
func TestSlowLink(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	m := sourcetest.NewMosquitto(t, "set_tcp_nodelay true\nmax_inflight_messages 0\n")
	far := newWAN(t, m.Addr)
	inventory := writeCity(t, "a-", "b-")
	r := &rig{inventory: inventory, mosquitto: m}
	r.g = newGateway(t, inventory, brokerSource+strings.TrimSuffix(fmt.Sprintf(outsideSource, far.addr, "10m"), "\n")+"\n")
	credentials := r.g.bridge()
	r.g.start()
	r.g.login()
	r.g.until("connected", func() bool { z := r.g.readyz(); return z.connected("outside") })
	r.before = r.g.vitals()
	near := newWAN(t, r.g.mqtt)
	for _, w := range []*wan{near, far} {
		w.add("latency", map[string]int{"latency": 150, "jitter": 50})
		w.add("bandwidth", map[string]int{"rate": 32})
	}
	duration := fmt.Sprintf("duration: %dh", times(2, 24))
	r.fleets = []*fleet{
		simulate(t, "run", "-scenario", scenario(t, "faults.yaml", writeCity(t, "a-"), "duration: 24h", duration, "serial: [\"*meter", "serial: [\"none-meter", "\"*gate-c-*\", \"*tc-2-b\", \"*count-2\", \"*share-0*\"", ""), "-seed", "31", "-broker", "tcp://"+near.addr, "-credentials", credentials),
		simulate(t, "run", "-scenario", scenario(t, "faults.yaml", writeCity(t, "b-"), "duration: 24h", duration), "-seed", "32", "-broker", "tcp://"+m.Addr),
	}
	r.g.patience = 3 * time.Minute
	r.judge(t)
}
