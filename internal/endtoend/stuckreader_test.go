package endtoend_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Fifty clients of the event stream that never read a byte, while the state
// changes all the time: each is cut off, one that reads misses nothing
// meanwhile, and what is kept for them is bounded.
func TestEventStreamsThatNobodyReads(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a write's deadline")
	}
	const stuck = 50
	dir := writeCity(t, "")
	edit(t, dir, "sites.geojson", "Tempat S-COUNT", "Tempat "+strings.Repeat("x", 1900)) // large events
	g := newGateway(t, dir, brokerSource)
	secret := g.bridgeSecret()
	g.start()
	g.login()
	p := connect(t, g.mqtt, "bridge", secret)
	before := g.vitals()
	files := g.metric("process_open_fds")
	open := make([]net.Conn, stuck)
	for i := range open {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.http)
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.(*net.TCPConn).SetReadBuffer(4096))
		_, err = fmt.Fprintf(c, "GET /v1/stream HTTP/1.1\r\nHost: %s\r\n\r\n", g.http)
		require.NoError(t, err)
		open[i] = c
	}
	g.until("all streams are open", func() bool { return g.metric("simpang_http_streams") == stuck })
	reads := listen(t, g, "?topics=parking", "")
	seq, peak := 0, before.resident
	var worst time.Duration
	g.patience = 2 * time.Minute
	g.until("those that do not read are cut off", func() bool {
		for range 10 {
			seq++
			begin := time.Now()
			p.up("count-1", fmt.Sprintf(`{"kind":"count","boot":1,"seq":%d,"at":%q,"class":"car","occupied":%d}`, seq, at(0), seq%15))
			for { // the one that reads sees each
				e := reads.next()
				if e.name == "site" && e.data["id"] == "S-COUNT" && occupiedOf(e.data) == seq%15 {
					break
				}
			}
			worst = max(worst, time.Since(begin))
		}
		peak = max(peak, g.resident())
		return g.metric("simpang_http_streams") == 1
	})
	require.Less(t, peak, before.resident+150, "MiB while they are stuck")
	g.until("their connections are closed", func() bool { return g.metric("process_open_fds") <= files+5 })
	t.Logf("%d streams cut off after %d changes; the one that reads saw each, the slowest %v after its publish; resident at most %.0f MiB", stuck, seq, worst.Round(time.Millisecond), peak)
	eachOnce(t, g.readings("count-1"), seq)
	reads.end()
	p.c.Disconnect(50)
	g.recovers(t, before, 32)
	g.verified(t)
}

// occupiedOf is how many cars an item of the sites has.
func occupiedOf(site object) int {
	for _, c := range site["classes"].([]any) {
		if c := c.(map[string]any); c["class"] == "car" {
			n, _ := c["occupied"].(float64)
			return int(n)
		}
	}
	return -1
}
