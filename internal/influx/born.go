package influx

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
)

// bornName is the metric by which programs tell when their process began;
// InfluxDB 1.8 and 2, VictoriaMetrics and others have it at /metrics.
const bornName = "process_start_time_seconds "

// mostMetrics bounds what is read of a server's metrics, bytes.
const mostMetrics = 8 << 20

// born returns when the server's process began, in its own words; "" where it
// does not tell.
func (c *client) born(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.o.URL, "/")+"/metrics", http.NoBody)
	if err != nil {
		return ""
	}
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	lines := bufio.NewScanner(io.LimitReader(resp.Body, mostMetrics))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), bornName); ok {
			return brief(strings.TrimSpace(value))
		}
	}
	return ""
}
