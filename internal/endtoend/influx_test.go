package endtoend_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/influx/influxtest"
)

// told is what InfluxDB holds of a measurement: how often each value of a column
// for each device.
func told(t *testing.T, s *influxtest.Server, measurement, column string) map[string]map[int64]int {
	t.Helper()
	text, err := s.Influx(t.Context(), `SELECT device, `+column+` FROM `+measurement)
	require.NoError(t, err)
	found := map[string]map[int64]int{}
	for line := range strings.Lines(text) {
		cols := strings.Split(strings.TrimSpace(line), ",")
		value, err := strconv.ParseInt(cols[len(cols)-1], 10, 64)
		if err != nil {
			continue // the head
		}
		device := cols[len(cols)-2]
		if found[device] == nil {
			found[device] = map[int64]int{}
		}
		found[device][value]++
	}
	return found
}

// steady sends readings, one after the other has its PUBACK, and notes the
// slowest.
type steady struct {
	p       *publisher
	id      string
	sent    int
	slowest time.Duration
	lost    bool // one had no PUBACK
}

// run sends until it is told to stop.
func (s *steady) run(stop <-chan struct{}, reading func(seq int) string) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(5 * time.Millisecond): // the pace of the device
		}
		began := time.Now()
		token := s.p.c.Publish("sg/v1/"+s.id+"/up", 1, false, reading(s.sent+1))
		if !token.WaitTimeout(acknowledged) || token.Error() != nil {
			s.lost = true
			return
		}
		s.sent++
		s.slowest = max(s.slowest, time.Since(began))
	}
}

// A city's InfluxDB is filled to the limit of its disk, killed, paused, and
// killed with the gateway, while devices send: the intake does not notice, and
// at the end InfluxDB holds each reading once and the books to the rupiah.
func TestInfluxFailsInEveryWayBesideAGateway(t *testing.T) {
	if testing.Short() {
		t.Skip("an InfluxDB that fails in four ways")
	}
	s, disk := influxtest.OnDisk(t, "48m")
	g := newGateway(t, writeCity(t, ""), brokerSource)
	text, err := os.ReadFile(g.config)
	require.NoError(t, err)
	text = fmt.Appendf(text, "influx:\n  - {id: pusat, url: %q, bucket: %s, timeout: 2s}\n", s.URL, s.Bucket)
	require.NoError(t, os.WriteFile(g.config, text, 0o600))
	g.patience = 2 * time.Minute
	secret := g.bridgeSecret()
	g.start()
	g.login()

	devices := []*steady{{id: "spot-c01"}, {id: "spot-c02"}, {id: "spot-c03"}, {id: "meter-s-count-1"}}
	sum := atomic.Int64{}
	reading := func(id string) func(seq int) string {
		if !strings.HasPrefix(id, "meter") {
			return func(seq int) string { return spotReading(1, seq, at(0), seq%2 == 0) }
		}
		return func(seq int) string {
			amount := 2000 + int64(seq%7)*500
			sum.Add(amount)
			return fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"K-%d","amount":%d,"method":"cash","class":"car"}`, seq, at(0), seq, amount)
		}
	}
	// sending lets all devices send until it is ended.
	sending := func() (end func()) {
		stop, done := make(chan struct{}), make(chan struct{}, len(devices))
		bridge := connect(t, g.mqtt, "bridge", secret)
		for _, d := range devices {
			d.p = bridge
			go func() {
				defer func() { done <- struct{}{} }()
				d.run(stop, reading(d.id))
			}()
		}
		return func() {
			close(stop)
			for range devices {
				<-done
			}
			bridge.c.Disconnect(50)
			for _, d := range devices {
				require.False(t, d.lost, "no PUBACK for %s", d.id)
			}
		}
	}
	detail := func() (why string) {
		z := g.readyz()
		_, why = z.follower("influx/pusat/readings")
		return why
	}
	// through waits until the target has met a trouble, and more readings came
	// in meanwhile.
	through := func(what string) {
		t.Helper()
		g.until("readyz tells: "+what, func() bool { return detail() != "" })
		t.Logf("%s: %s", what, detail())
		head := g.metric("simpang_journal_head")
		g.until("readings are taken: "+what, func() bool { return g.metric("simpang_journal_head") > head+100 })
	}
	well := func(what string) {
		t.Helper()
		g.until("level: "+what, func() bool {
			z := g.readyz()
			for _, stream := range []string{"readings", "books"} {
				if lag, why := z.follower("influx/pusat/" + stream); why != "" || lag > 50 {
					return false
				}
			}
			return len(z.Followers) > 0
		})
	}
	end := sending()
	well("at first")

	ballast := filepath.Join(disk, "ballast")
	influxtest.Fill(t, ballast)
	through("its disk is full")
	// InfluxDB 1.8 does not get over a full disk by itself.
	s.Stop(syscall.SIGKILL)
	require.NoError(t, os.Remove(ballast))
	s.Again(t)
	well("after the full disk")

	require.NoError(t, s.Signal(syscall.SIGSTOP))
	through("it is paused")
	require.NoError(t, s.Signal(syscall.SIGCONT))
	well("after the pause")

	s.Stop(syscall.SIGKILL)
	through("it is killed")
	end()
	g.kill() // and the gateway with it
	g.start()
	end = sending()
	through("both were killed")
	s.Again(t)
	well("after both were killed")
	s.Stop(syscall.SIGTERM)
	s.Again(t)
	head := g.metric("simpang_journal_head")
	g.until("readings after the restart", func() bool { return g.metric("simpang_journal_head") > head+100 })
	end()
	g.level()

	slowest := slices.MaxFunc(devices, func(a, b *steady) int { return int(a.slowest - b.slowest) }).slowest
	t.Logf("slowest PUBACK %v", slowest)
	require.Less(t, slowest, 2*time.Second, "the intake waits for no InfluxDB: a request to it lasts so long")
	spots := told(t, s, "spot", "seq")
	for _, d := range devices[:3] {
		once(t, d, spots[d.id])
	}
	once(t, devices[3], told(t, s, "receipt", "seq")[devices[3].id])
	require.Equal(t, sum.Load(), g.recorded())
	require.Equal(t, strconv.FormatInt(sum.Load(), 10), sumOf(t, s, "amount", "books"))
	require.NoFileExists(t, filepath.Join(g.dir, "data", "influx", "pusat.refused"))
	g.verified(t)
}

// sumOf is what InfluxDB adds up.
func sumOf(t *testing.T, s *influxtest.Server, field, measurement string) string {
	t.Helper()
	text, err := s.Influx(t.Context(), "SELECT SUM("+field+") FROM "+measurement)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1][strings.LastIndexByte(lines[len(lines)-1], ',')+1:]
}

// once requires each of a device's numbers once, and no other.
func once(t *testing.T, d *steady, found map[int64]int) {
	t.Helper()
	for seq := range d.sent {
		require.Equal(t, 1, found[int64(seq+1)], "%s %d of %d", d.id, seq+1, d.sent)
	}
	require.Equal(t, d.sent, len(found), "%s: more than it sent", d.id) //nolint:testifylint // a list of thousands tells nobody anything
}
