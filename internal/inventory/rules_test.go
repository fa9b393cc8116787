package inventory_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

func TestRules(t *testing.T) {
	rules, faults := inventory.ParseRules([]byte("meter_silent: {expected: 20.5, off: true}\nvoids: {night_from: 22}\n"))
	require.Empty(t, faults)
	want := inventory.DefaultRules()
	want.Silent.Expected, want.Silent.Off, want.Voids.NightFrom = 20.5, true, 22
	require.Equal(t, want, rules, "what is left out has its default")

	rules, faults = inventory.ParseRules(nil)
	require.Empty(t, faults)
	require.Equal(t, inventory.DefaultRules(), rules)

	_, faults = inventory.ParseRules([]byte("voids:\n  ratio: 1.5\n  least: 0\nstays: {coverage: 0.1}\n"))
	require.Len(t, faults, 3)
	require.Equal(t, "voids.least is 0: give a number from 1 to 100000", faults[0].Message)
	require.Equal(t, 3, faults[0].Line)
	require.Equal(t, "voids.ratio is 1.5: give a number from 0 to 1", faults[1].Message)
	require.Equal(t, 4, faults[2].Line)
}

// TestDocumentedRules: the defaults in docs/detectors.md are the defaults, and
// all of them are there.
func TestDocumentedRules(t *testing.T) {
	text, err := os.ReadFile("../../docs/detectors.md")
	require.NoError(t, err)
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, ok := strings.Cut(block, "```")
	require.True(t, ok)
	rules, faults := inventory.ParseRules([]byte(block))
	require.Empty(t, faults)
	require.Equal(t, inventory.DefaultRules(), rules)
	for word := range strings.FieldsSeq("grace_min keep_days settle_days recover_min jump expected least_min learn_days memory_days no_history_h least share slack_s ratio usual improbable night_least night_from night_until margin_min grace_h coverage missed extra unpaid min_stay_s") {
		require.Contains(t, block, word+": ")
	}
}
