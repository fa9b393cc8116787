package endtoend_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A state ends three intervals after the reading, also where nothing else comes
// and the minute is long.
func TestAStateExpiresWhileNothingComes(t *testing.T) {
	dir := writeCity(t, "")
	edit(t, dir, "devices.csv", "spot-c01,spot,S-SPOT,C01,,car,300", "spot-c01,spot,S-SPOT,C01,,car,1")
	g := newGateway(t, dir, brokerSource)
	secret := g.bridgeSecret()
	g.start()
	p := connect(t, g.mqtt, "bridge", secret)
	defer p.c.Disconnect(50)
	ticks := g.metric("simpang_journal_head")
	p.up("spot-c01", spotReading(1, 1, at(0), true))
	g.until("the state has come and gone", func() bool {
		var site struct {
			ObservedAt string `json:"observed_at"`
			Quality    string `json:"quality"`
		}
		g.get("/v1/parking/sites/S-SPOT", &site)
		return site.ObservedAt != "" && site.Quality == "stale"
	})
	require.LessOrEqual(t, g.metric("simpang_journal_head"), ticks+4, "the reading, what ended it, and a minute's tick or two")
}
