package influx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/influx/influxtest"
)

// A server that has reached its own limit of series is no fault of any point:
// it is told, and waited for until somebody raises it.
func TestALimitOfTheServerSetsNothingAside(t *testing.T) {
	for limit, most := range map[string]int{"max-values-per-tag": 1, "max-series-per-database": 12} {
		t.Run(limit, func(t *testing.T) {
			dir := t.TempDir()
			s, err := influxtest.New(t.Context(), dir)
			require.NoError(t, err)
			conf := filepath.Join(dir, "influxdb.conf")
			text, err := os.ReadFile(conf)
			require.NoError(t, err)
			limited := strings.Replace(string(text), "[data]\n", fmt.Sprintf("[data]\n%s = %d\n", limit, most), 1)
			require.NoError(t, os.WriteFile(conf, []byte(limited), 0o600))
			s.Again(t)
			t.Cleanup(func() { s.Stop(syscall.SIGKILL) })
			b := newBed(t, serverOf(s))
			for i := range uint64(10) {
				b.log.read(spot("P1", i, begin+int64(i)*1000))
			}
			target, _ := b.run()
			b.level(target, "readings")
			var want []string
			for i := range uint64(20) {
				b.log.read(spot(fmt.Sprintf("Q%d", i), 10, begin))
				want = append(want, fmt.Sprintf("Q%d:10", i))
			}
			b.until(func() bool { return target.Status()[0].Detail != "" }, func() any { return target.Status() })
			st := target.Status()[0]
			require.True(t, st.Person)
			require.Contains(t, st.Detail, limit)
			require.Positive(t, st.Lag)
			s.Stop(syscall.SIGTERM)
			require.NoError(t, os.WriteFile(conf, text, 0o600))
			s.Again(t)
			b.level(target, "readings")
			require.NoFileExists(t, filepath.Join(b.dir, "pusat.refused"))
			for i := range 10 {
				want = append(want, fmt.Sprintf("P1:%d", i))
			}
			sameSet(t, want, points(t, s, "spot"))
		})
	}
}
