package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
)

// A scenario that is taken can be run: it has a zone, a speed, whole days and
// faults that add up.
func FuzzParse(f *testing.F) {
	f.Add(string(scenario.DefaultYAML))
	f.Add("faults: {lost: 0.6, late: 0.6}\nspeed: null\nparking: {sites: {S: {turnover: 2}}}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := scenario.Parse([]byte(text))
		if err != nil {
			return
		}
		require.NotNil(t, s.Zone)
		require.GreaterOrEqual(t, *s.Speed, 0.0)
		require.Len(t, s.Parking.Classes.Car.Arrivals, 24)
		r := s.Faults
		require.LessOrEqual(t, r.Lost+r.Doubled+r.Late+r.Corrupt+r.Conflict+r.ClockWrong, 1.0)
	})
}
