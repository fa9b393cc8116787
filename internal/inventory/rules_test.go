package inventory_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

func parseRules(text string) (*inventory.Rules, []inventory.Fault) {
	v, faults := inventory.Parse(withRules(text), time.UTC)
	if len(faults) > 0 {
		return nil, faults
	}
	return v.Rules, nil
}

func TestRules(t *testing.T) {
	rules, faults := parseRules("detectors:\n  meter_silent: {expected: 20.5, off: true}\n  voids: {night_from: 22}\n")
	require.Empty(t, faults)
	want := inventory.DefaultRules()
	want.Silent.Expected, want.Silent.Off, want.Voids.NightFrom = 20.5, true, 22
	require.Equal(t, want, rules, "what is left out has its default")

	rules, faults = parseRules("")
	require.Empty(t, faults)
	require.Equal(t, inventory.DefaultRules(), rules)

	_, faults = parseRules("detectors:\n  voids:\n    ratio: 1.5\n    least: 0\n  stays: {coverage: 0.1}\n")
	require.Len(t, faults, 3)
	require.Equal(t, "detectors.voids.ratio is 1.5: give a number from 0 to 1", faults[0].Message)
	require.Equal(t, 3, faults[0].Line)
	require.Equal(t, "detectors.voids.least is 0: give a number from 1 to 100000", faults[1].Message)
	require.Equal(t, 4, faults[1].Line)
	require.Equal(t, 5, faults[2].Line)
}

// TestDocumentedRules: the defaults in docs/detectors.md are the defaults, and
// all of them are there.
func TestDocumentedRules(t *testing.T) {
	text, err := os.ReadFile("../../docs/detectors.md")
	require.NoError(t, err)
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, ok := strings.Cut(block, "```")
	require.True(t, ok)
	rules, faults := parseRules(block)
	require.Empty(t, faults)
	require.Equal(t, inventory.DefaultRules(), rules)
	for word := range strings.FieldsSeq("grace_min keep_days settle_days recover_min jump expected least_min learn_days memory_days no_history_h least share slack_s ratio usual improbable night_least night_from night_until margin_min grace_h coverage missed extra unpaid min_stay_s") {
		require.Contains(t, block, word+": ")
	}
}
