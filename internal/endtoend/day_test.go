package endtoend_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// brokerSource is the built-in broker.
const brokerSource = `  - {id: broker, type: broker, listen: "{mqtt}"}
`

// A day of a small city with every fault switched on: everything that the API
// says equals what the truth says was delivered.
func TestSimulatedDay(t *testing.T) {
	if testing.Short() {
		t.Skip("a simulated day")
	}
	dir := writeCity(t, "")
	simulateDay(t, dir, scenario(t, "faults.yaml", dir), "dead")
}

// The same with other vehicles and other faults.
func TestSimulatedDays(t *testing.T) {
	if os.Getenv("SIMPANG_LONG") == "" {
		t.Skip("many days: set SIMPANG_LONG=1")
	}
	for seed := range 20 {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			dir := writeCity(t, "")
			simulateDay(t, dir, scenario(t, "faults.yaml", dir, "seed: 7", "seed: "+strconv.Itoa(1000+seed)))
		})
	}
}

// The same at the scale of the reference city.
func TestSimulatedDayOfTheReferenceCity(t *testing.T) {
	if os.Getenv("SIMPANG_LONG") == "" {
		t.Skip("about a million readings: set SIMPANG_LONG=1")
	}
	simulateDay(t, filepath.Join(root(), "configs/bekasi/inventory"), filepath.Join(root(), "configs/bekasi/scenario-faults.yaml"))
}

func simulateDay(t *testing.T, inventory, scenario string, also ...string) {
	t.Helper()
	g := newGateway(t, inventory, brokerSource)
	g.start()
	g.login()
	f := simulate(t, "run", "-scenario", scenario, "-broker", "tcp://"+g.mqtt, "-credentials", g.bridge())
	begin := time.Now()
	f.done(20 * time.Minute)
	w := readTruth(t, f.truth)
	t.Logf("%d readings in %v", w.delivered(), time.Since(begin).Round(time.Millisecond))
	for _, fault := range append(also, "lost", "doubled", "late", "corrupt", "conflict", "clock_wrong", "reboot") {
		require.Positive(t, w.faults[fault], "the day must have the fault %s", fault)
	}
	compare(t, g, loadCity(t, inventory), w)
	g.stop()
	_, code := g.run("verify", "-config", g.config)
	require.Zero(t, code, "verify")
}
