package endtoend_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// SIGTERM in the middle of load, again and again: it stops within 10 s with
// exit 0, and what was acknowledged is there.
func TestStop(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts under load")
	}
	r := newRig(t, newMosquitto(t), "speed: 0", fmt.Sprintf("speed: %d", 9000*4/times(4, 20)))
	for range times(4, 20) {
		time.Sleep(700 * time.Millisecond)
		require.True(t, r.loaded(), "the load must last for every stop")
		begin := time.Now()
		r.g.stop()
		t.Logf("stopped in %v", time.Since(begin).Round(time.Millisecond))
		r.g.start()
	}
	r.judge(t)
}

// Reloads in the middle of load, by SIGHUP and over the API, good ones and
// faulty ones: no reading is lost, and a faulty one changes nothing.
func TestReload(t *testing.T) {
	if testing.Short() {
		t.Skip("reloads under load")
	}
	r := newRig(t, newMosquitto(t), "speed: 0", fmt.Sprintf("speed: %d", 12_000*6/times(6, 30)))
	sites := len(list[struct{}](r.g, "/v1/parking/sites"))
	var hash string
	for n := range times(6, 30) {
		time.Sleep(300 * time.Millisecond)
		require.True(t, r.loaded(), "the load must last for every reload")
		switch n % 3 {
		case 0:
			edit(t, r.inventory, "operators.csv", "Operator Contoh", "Operator Contoh X")
			a := r.g.post(t, "/v1/admin/reload")
			require.True(t, a.Changed)
			require.NotEqual(t, hash, a.Hash)
			hash = a.Hash
			require.False(t, r.g.post(t, "/v1/admin/reload").Changed, "the same files again")
		case 1:
			edit(t, r.inventory, "devices.csv", "a-count-1,count,a-S-COUNT", "a-count-1,count,S-NOWHERE")
			edit(t, r.inventory, "operators.csv", "op-02,", "op-01,")
			a, status := r.g.tryPost(t, "/v1/admin/reload", "{}")
			require.Equal(t, 422, status)
			require.GreaterOrEqual(t, len(a.Errors), 2, "every fault: %+v", a)
			for _, e := range a.Errors {
				require.Regexp(t, `(devices|operators|sites)\.(csv|geojson)(:\d+)?$`, e.Field)
				require.NotEmpty(t, e.Detail)
			}
			require.Len(t, list[struct{}](r.g, "/v1/parking/sites"), sites, "the old one stays")
			edit(t, r.inventory, "devices.csv", "a-count-1,count,S-NOWHERE", "a-count-1,count,a-S-COUNT")
			edit(t, r.inventory, "operators.csv", "op-01,Operator Dua", "op-02,Operator Dua")
			require.False(t, r.g.post(t, "/v1/admin/reload").Changed)
		case 2:
			before := r.g.log.String()
			edit(t, r.inventory, "operators.csv", "Operator Dua", "Operator Dua X")
			require.NoError(t, r.g.cmd.Process.Signal(syscall.SIGHUP))
			r.g.until("SIGHUP has reloaded", func() bool {
				return r.g.logged(before, "msg=reloaded")
			})
		}
	}
	r.judge(t)
}
