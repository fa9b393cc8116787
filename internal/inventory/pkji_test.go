package inventory_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

func TestShippedPKJI(t *testing.T) {
	t.Parallel()
	p, faults := inventory.ParsePKJI("pkji2023.yaml", inventory.DefaultPKJI)
	require.Empty(t, faults)
	require.Equal(t, "PKJI2023-sekunder", p.Source)
	require.InDelta(t, 2800, p.C0.TwoWay, 0)
	require.InDelta(t, 0.93, p.FCHS.Kerb.Divided["S"][1].Y(), 0)
	require.InDelta(t, 0.86, p.FCHS.Shoulder.TwoWay["T"][1].Y(), 0)
	require.InDelta(t, 0.35, p.EKR.TwoWay.Bands[1].SMNarrow, 0)
	require.Len(t, p.FCUK, 5)

	city, err := os.ReadFile("../../configs/bekasi/inventory/pkji2023.yaml")
	require.NoError(t, err)
	require.Equal(t, string(inventory.DefaultPKJI), string(city), "copy internal/inventory/pkji2023.yaml to the city")
}

func TestPKJIFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":    {"fc_pa:", "fc_ap:", "unknown key fc_ap: did you mean fc_pa?"},
		"point":          {"[50, 1.00]", "[50]", "fc_pa[0] has 1 values: give 2"},
		"not ascending":  {"[55, 0.97]", "[50, 0.97]", "fc_pa[1] does not ascend"},
		"no number":      {"two_way: 2800", "two_way: many", `c0.two_way: "many" is no number`},
		"negative":       {"two_way: 2800", "two_way: -1", "c0.two_way must be there and over 0"},
		"missing class":  {"      ST: [[0.5, 0.84], [1.0, 0.88], [1.5, 0.92], [2.0, 0.96]]\n", "", "fc_hs.shoulder.divided.ST has no points"},
		"open band":      {"- {below: 1050, ", "- {", "ekr.four_lane.bands[0] has no bound"},
		"closed last":    {"- {factor: 1.04}", "- {up_to: 9, factor: 1.04}", "fc_uk[4] is the last band and has a bound"},
		"levels":         {"{level: B, up_to: 0.44}", "{level: C, up_to: 0.44}", `los[1] is level "C"`},
		"speeds":         {"{level: B, at_least_kmh: 70}", "{level: B, at_least_kmh: 90}", "los_pm96[1] does not descend"},
		"both bounds":    {"{up_to: 3, factor: 1.00}\n  - {factor: 1.04}", "{up_to: 3, below: 4, factor: 1.00}\n  - {factor: 1.04}", "fc_uk[3] has both"},
		"missing source": {"source: PKJI2023-sekunder", "", "source is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(inventory.DefaultPKJI), c.old, c.new, 1)
			require.NotEqual(t, string(inventory.DefaultPKJI), text)
			p, faults := inventory.ParsePKJI("pkji2023.yaml", []byte(text))
			require.Nil(t, p)
			var all []string
			for _, f := range faults {
				all = append(all, f.String())
			}
			require.Contains(t, strings.Join(all, "\n"), c.want)
		})
	}
}
