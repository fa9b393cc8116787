package grafana

import (
	"encoding/csv"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/influx/influxtest"
)

// influxd is a real InfluxDB 1.8, which speaks Flux as 2.x does.
type influxd struct{ *influxtest.Server }

func startInfluxd(t *testing.T) influxd {
	t.Helper()
	server, err := influxtest.New(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop(syscall.SIGKILL) })
	require.NoError(t, server.Start(t.Context()))
	return influxd{server}
}

// ask returns the rows of a Flux query by column.
func (s influxd) ask(t *testing.T, flux string) (rows []map[string]string) {
	t.Helper()
	answer, err := s.Flux(t.Context(), flux)
	require.NoError(t, err, flux)
	var head []string
	r := csv.NewReader(strings.NewReader(answer))
	r.FieldsPerRecord = -1
	for {
		line, err := r.Read()
		if err == io.EOF {
			return rows
		}
		require.NoError(t, err, answer)
		switch {
		case strings.HasPrefix(line[0], "#"):
		case len(line) > 1 && line[1] == "result", line[0] == "error":
			head = line
		default:
			row := map[string]string{}
			for i, name := range head {
				row[name] = line[i]
			}
			require.NotContains(t, row, "error", "%v\n%s", row, flux)
			rows = append(rows, row)
		}
	}
}
