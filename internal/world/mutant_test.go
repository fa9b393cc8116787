package world

import (
	"strings"
	"testing"
)

// TestTheWorldFindsPlantedFaults holds that the world is worth its time: each
// fault is found within some seeds, in what it does to the answers.
func TestTheWorldFindsPlantedFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceDetector {
		t.Skip("takes many worlds")
	}
	for _, mutant := range []string{ackEarly, skipImage, shortReplay, skipEntry} {
		t.Run(strings.ReplaceAll(mutant, " ", "-"), func(t *testing.T) {
			t.Parallel()
			const most = 150
			for seed := uint64(1); seed <= most; seed++ {
				if _, err := run(seed, options{tb: t, mutant: mutant}); err != nil {
					text := err.Error()
					t.Logf("found by seed %d: %s", seed, text[:min(200, len(text))])
					return
				}
			}
			t.Errorf("%q is not found by %d seeds", mutant, most)
		})
	}
}
