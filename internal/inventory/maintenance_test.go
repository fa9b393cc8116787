package inventory

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMaintenance: a time of work holds for its subject, and what is wrong with
// one is told.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("WIB", 7*60*60)
	parse := func(list string) (*Version, []Fault) {
		return Parse(map[string][]byte{
			"sites.geojson": []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},` +
				`"properties":{"id":"a","name":"a","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","detection":"spots","capacity":{"car":1}}}]}`),
			"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`), "devices.csv": []byte("id,kind,site,spot\ns,spot,a,1\n"),
			"rules.yaml": []byte("detectors:\n  maintenance:\n" + list),
		}, zone)
	}
	v, faults := parse(`  - {subject: a, from: "2026-03-04 08:00", to: "2026-03-04 17:00", note: cabinet}` + "\n")
	require.Empty(t, faults)
	at := time.Date(2026, 3, 4, 8, 0, 0, 0, zone).UnixMilli()
	require.True(t, v.Rules.Maintained("a", at))
	require.False(t, v.Rules.Maintained("a", at-1))
	require.False(t, v.Rules.Maintained("a", at+9*3_600_000))
	require.False(t, v.Rules.Maintained("s", at))

	_, faults = parse(`  - {subject: x, from: "2026-03-04 08:00", to: "2026-03-04 17:00"}
  - {from: "2026-03-04 08:00", to: "2026-03-04 17:00"}
  - {subject: s, from: "2026-03-04 18:00", to: "2026-03-04 17:00"}
  - {subject: s, from: tomorrow, to: "2026-03-04 17:00"}
`)
	require.Len(t, faults, 4)
	for i, f := range faults {
		require.Equal(t, 3+i, f.Line, f)
	}
}
