package endtoend_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// writeBigCity adds n spots to an inventory folder, a hundred a site, and
// returns the devices.
func writeBigCity(t *testing.T, dir string, n int) (devices []string) {
	t.Helper()
	var features []string
	file, err := os.OpenFile(filepath.Join(dir, "devices.csv"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	for i := range n {
		if i%100 == 0 {
			features = append(features, fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{`+
				`"id":"BIG-%d","name":"Besar %d","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","operator":"op-01","detection":"spots","capacity":{"car":100}}}`, i/100, i/100))
		}
		devices = append(devices, fmt.Sprintf("storm-%05d", i))
		_, err := fmt.Fprintf(file, "%s,spot,BIG-%d,%d,,car,300\n", devices[i], i/100, i%100)
		require.NoError(t, err)
	}
	require.NoError(t, file.Close())
	edit(t, dir, "sites.geojson", `{"features":[`, `{"features":[`+strings.Join(features, ",")+",")
	return devices
}

// storm is the program with the devices.
type storm struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
}

func newStorm(t *testing.T, broker, credentials string) *storm {
	t.Helper()
	cmd := exec.Command(stormProgram, "-broker", broker, "-credentials", credentials)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &storm{t, in, bufio.NewScanner(out)}
}

// round has everybody come back at once, and waits for it in the background.
func (s *storm) round() <-chan string {
	s.t.Helper()
	_, err := io.WriteString(s.in, "again\n")
	require.NoError(s.t, err)
	said := make(chan string, 1)
	go func() {
		s.out.Scan()
		said <- s.out.Text()
	}()
	return said
}

// Fifteen thousand devices lose their connection and log in again at once: all
// are in within a bound, each reading is there once, who was connected before
// is served meanwhile, and memory is the same after each storm.
func TestStormOfLogins(t *testing.T) {
	if testing.Short() {
		t.Skip("15,000 log-ins")
	}
	var files unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &files))
	n := min(15_000, int(files.Max)-3000)
	if n < 15_000 {
		t.Logf("the limit of open files is %d here: %d devices", files.Max, n)
	}
	dir := writeCity(t, "")
	devices := writeBigCity(t, dir, n)
	g := newGateway(t, dir, brokerSource)
	out, code := g.run(append([]string{"device", "-config", g.config, "credentials"}, devices...)...)
	require.Zero(t, code)
	credentials := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(credentials, []byte(out), 0o600))
	secret := g.secretOf("spot-c01")
	g.start()
	g.login()
	before := g.vitals()
	quiet := connect(t, g.mqtt, "spot-c01", secret)
	s := newStorm(t, g.mqtt, credentials)
	var full []vitals
	seq := 0
	for round := range times(3, 10) {
		began := time.Now()
		said := s.round()
		var waits []time.Duration
		for over := false; !over; {
			select {
			case line := <-said:
				t.Logf("storm %d: %s", round+1, line)
				require.Contains(t, line, fmt.Sprintf("in=%d", n))
				over = true
			case <-time.After(10 * time.Millisecond):
				seq++
				begin := time.Now()
				quiet.up("spot-c01", spotReading(1, seq, at(0), seq%2 == 0))
				waits = append(waits, time.Since(begin))
			}
			require.Less(t, time.Since(began), 2*time.Minute, "all are in again")
		}
		slices.Sort(waits)
		if len(waits) > 0 {
			t.Logf("one that was connected: %d readings meanwhile, PUBACK median %v, worst %v", len(waits), waits[len(waits)/2].Round(time.Microsecond), waits[len(waits)-1].Round(time.Microsecond))
			require.Less(t, waits[len(waits)-1], 15*time.Second, "a storm must not starve intake")
		}
		g.until("only the living are counted", func() bool { z := g.readyz(); return z.connections() == n+1 })
		full = append(full, g.vitals())
		t.Logf("%+v: %.1f KB of heap a connection", full[round], (full[round].heap-before.heap)*1024/float64(n))
	}
	last := full[len(full)-1]
	require.Less(t, last.heap, full[0].heap*1.2+16, "memory is flat")
	require.Less(t, last.goroutines, full[0].goroutines+100, "no goroutine is left")
	g.level()
	counted := map[string]int{}
	for _, d := range list[struct {
		ID       string `json:"id"`
		Readings int    `json:"readings"`
	}](g, "/v1/devices") {
		counted[d.ID] = d.Readings
	}
	for _, d := range devices {
		require.Equal(t, len(full), counted[d], "%s: each reading once", d)
	}
	eachOnce(t, g.readings("spot-c01"), seq)
	require.NoError(t, s.in.Close())
	quiet.c.Disconnect(50)
	g.until("all have gone", func() bool { z := g.readyz(); return z.connections() == 0 })
	g.recovers(t, before, 250) // sessions are kept for a day
	g.verified(t)
}
