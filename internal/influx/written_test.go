package influx

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
)

// written is a point of everything with every field that there can be.
func written() []byte {
	n, x := city.SomeInt(7), city.SomeMilli(1500)
	origin := Origin{Gateway: "gw-1", City: "bekasi"}
	c, b := newEncoder(origin, &inventory.Timeline{}), &batch{}
	for _, r := range []city.Reading{
		{Kind: city.KindSpot, Spot: &city.Spot{Occupied: true, DwellS: n, Battery: x, Temperature: x, RSSI: x, SNR: x}},
		{Kind: city.KindGate, Gate: &city.Gate{Class: city.Car, Count: 1, Total: n}},
		{Kind: city.KindGate, Gate: &city.Gate{Out: true, Class: city.Car, Count: 1, Total: n}},
		{Kind: city.KindCount, Count: &city.Count{Class: city.Car, Occupied: 3}},
		{Kind: city.KindTraffic, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1, HasCounts: true, Total: n, Speed: x, Occupancy: x}}}},
		{Kind: city.KindReceipt, Receipt: &city.Receipt{Class: city.Car, EnteredAt: n, LeftAt: n, TotalCount: n, TotalAmount: n}},
		{Kind: city.KindHealth, Health: &city.Health{Battery: x, BatteryPct: x, RSSI: x, SNR: x, UptimeS: n, Firmware: "1.0", Errors: []string{"e"}}},
	} {
		r.Device, r.HasBoot = "d", true
		c.reading(b, &journal.Entry{Pos: 1, Flags: 1, Source: "b", Reading: &r})
	}
	parking(b, origin, &inventory.Site{ID: "s", Kecamatan: "k", Segment: "r"}, city.Car, &occupancy.Rollup{CoveredMS: 300_000, FreeMS: 1, OccMS: 1, FreeMin: 1, Arrivals: 1, Depart: 1, Drift: 1, Detection: inventory.DetectGates})
	road(b, origin, "r", &traffic.HistoryPoint{Coverage: x, FlowVPH: x, FlowSMPH: x, SpeedKmh: x, DJ: x})
	bookEntry(b, origin, &ledger.Entry{Kind: ledger.KindReceipt, Ref: 1})
	return b.text
}

var fieldName = regexp.MustCompile(`(?:^|,)([a-z_]+)=`)

// What is written stands in testdata/written.line, to which the dashboards are
// held (deploy/grafana), and each field in its row of docs/influx.md.
func TestWhatIsWritten(t *testing.T) {
	const file = "testdata/written.line"
	lines := string(written())
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(lines), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), lines, "UPDATE=1 go test -run TestWhatIsWritten ./internal/influx writes it; then look at docs/influx.md and the dashboards")

	doc, err := os.ReadFile("../../docs/influx.md")
	require.NoError(t, err)
	everywhere := []string{"boot", "seq", "pos", "recv", "source", "flags"}
	for line := range strings.Lines(lines) {
		head, rest, _ := strings.Cut(line, " ")
		measurement, _, _ := strings.Cut(head, ",")
		row := regexp.MustCompile("(?m)^\\| `" + measurement + "` \\|.*$").FindString(string(doc))
		require.NotEmpty(t, row, measurement)
		for _, m := range fieldName.FindAllStringSubmatch(rest, -1) {
			if !slices.Contains(everywhere, m[1]) {
				require.Contains(t, row, "`"+m[1]+"`", "docs/influx.md has it")
			}
		}
	}
}
