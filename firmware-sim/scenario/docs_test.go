package scenario_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
)

func TestDocsShowTheDefaults(t *testing.T) {
	docs, err := os.ReadFile("../../docs/firmware-sim.md")
	require.NoError(t, err)
	require.Contains(t, string(docs), "```yaml\n"+string(scenario.DefaultYAML)+"```\n", "copy firmware-sim/scenario/default.yaml into docs/firmware-sim.md")
}

func TestDefaultsAreSound(t *testing.T) {
	s, err := scenario.Parse(nil)
	require.NoError(t, err)
	require.InDelta(t, 1, s.Traffic.Classes.SM.Share+s.Traffic.Classes.KR.Share+s.Traffic.Classes.KB.Share+s.Traffic.Classes.KTB.Share, 1e-9)
}
