package influx

import (
	"bufio"
	"context"
	"fmt"
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
// does not tell. An error says that it could not be asked: perhaps it can later.
func (c *client) born(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.o.URL, "/")+"/metrics", http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return "", fmt.Errorf("/metrics answers %d", resp.StatusCode)
	}
	if resp.StatusCode != http.StatusOK {
		return "", nil
	}
	lines := bufio.NewScanner(io.LimitReader(resp.Body, mostMetrics))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), bornName); ok {
			return brief(strings.TrimSpace(value)), nil
		}
	}
	return "", lines.Err()
}
