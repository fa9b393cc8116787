package inventory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

var emptyCity = map[string]string{
	"sites.geojson": `{"type":"FeatureCollection","features":[]}`, "segments.geojson": `{"type":"FeatureCollection","features":[]}`,
	"devices.csv": "id,kind\n", "holidays.csv": "date,until,kind,name,working\n2026-03-03,,national,Contoh,false\n",
}

func withRules(rules string) map[string][]byte {
	files := map[string][]byte{}
	for name, text := range emptyCity {
		files[name] = []byte(text)
	}
	if rules != "" {
		files["rules.yaml"] = []byte(rules)
	}
	return files
}

func TestRevenueRules(t *testing.T) {
	zone := time.FixedZone("WIB", 7*3600)
	v, faults := inventory.Parse(withRules(""), zone)
	require.Empty(t, faults)
	require.Equal(t, 2*time.Minute, v.Revenue.MinStay(inventory.LevyStreet))
	require.Zero(t, v.Revenue.MinStay(inventory.LevyPBJT))
	ppm, most := v.Revenue.Interest()
	require.EqualValues(t, 10_000, ppm)
	require.Equal(t, 24, most)
	require.Equal(t, "2026-03-15", v.DepositBy(2026, time.February))
	require.Equal(t, "2027-01-15", v.FileBy(2026, time.December))

	v, faults = inventory.Parse(withRules("detectors: {leak: {share: 0.5}}\nexpected: {min_stay_minutes: {pbjt: 5}, official_share: 0.02}\n"+
		"obligations: {jatuh_tempo_lapor: 15, jatuh_tempo_setor: 10, working_days: true, interest_percent_a_month: 2, interest_months_at_most: 12}\n"), zone)
	require.Empty(t, faults)
	require.Equal(t, 2*time.Minute, v.Revenue.MinStay(inventory.LevyStreet))
	require.Equal(t, 5*time.Minute, v.Revenue.MinStay(inventory.LevyPBJT))
	require.InDelta(t, 0.02, v.Revenue.OfficialShare(), 1e-9)
	// 2, 4, 5, 6, 9, 10, 11, 12, 13 and 16 March: the 3rd is a holiday.
	require.Equal(t, "2026-03-16", v.DepositBy(2026, time.February))
	ppm, most = v.Revenue.Interest()
	require.EqualValues(t, 20_000, ppm)
	require.Equal(t, 12, most)
}

func TestRevenueRulesTellEveryFault(t *testing.T) {
	_, faults := inventory.Parse(withRules("expected: {min_stay_minutes: {streets: 2}, official_share: 2}\nobligations:\n  jatuh_tempo_lapor: 0\n  jatuh_tempo_setor: 99\n"+
		"  interest_percent_a_month: 50\n  interest_months_at_most: -1\n"), time.UTC)
	require.Len(t, faults, 6)
	_, faults = inventory.Parse(withRules("obligation: {}\n"), time.UTC)
	require.Len(t, faults, 1)
	require.Contains(t, faults[0].Message, "obligations")
}
