package scenario_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
)

func TestDefaultsAreKeptAndOverridden(t *testing.T) {
	s, err := scenario.Parse([]byte("parking:\n  classes:\n    car: {turnover: 9}\nfaults: {lost: 0.5}\nspeed: 0\nduration: 90m\nstart: 2026-03-02T00:00:00+07:00\n"))
	require.NoError(t, err)
	require.InDelta(t, 9, s.Parking.Classes.Car.Turnover, 0)
	require.Equal(t, scenario.Default().Parking.Classes.Car.Arrivals, s.Parking.Classes.Car.Arrivals)
	require.InDelta(t, 0.5, s.Faults.Lost, 0)
	require.Zero(t, *s.Speed)
	require.Equal(t, 90*time.Minute, s.Duration)
	require.Equal(t, "Asia/Jakarta", s.Zone.String())
	require.Equal(t, int64(1772384400000), s.Start.UnixMilli())

	empty, err := scenario.Parse(nil)
	require.NoError(t, err)
	require.InDelta(t, 1, *empty.Speed, 0)
}

func TestEveryFaultIsTold(t *testing.T) {
	for text, want := range map[string][]string{
		"faults: {lost: 2}\nparking: {overfull: -1}\ntimezone: Mars/Olympus": {"faults.lost is 2", "parking.overfull is -1", `timezone "Mars/Olympus"`},
		"faults: {lost: 0.6, late: 0.6}":                                     {"add up to 1.2"},
		"fault: {lost: 0.1}":                                                 {"line 1", "field fault not found"},
		"parking: {classes: {tram: {turnover: 1}}}":                          {"field tram not found"},
		"parking: {classes: {car: {arrivals: [1, 2]}}}":                      {"has 2 factors: give 24"},
		"payments: {methods: {cheque: 1}}":                                   {"cheque is no method"},
		"speed: -1":                                                          {"speed is -1"},
		"devices: {serial: ['[']}":                                           {"the pattern"},
	} {
		_, err := scenario.Parse([]byte(text))
		require.Error(t, err, text)
		for _, part := range want {
			require.ErrorContains(t, err, part)
		}
	}
}

func TestLoadFindsTheInventoryBesideTheFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "s.yaml")
	require.NoError(t, os.WriteFile(name, []byte("inventory: city\n"), 0o600))
	s, err := scenario.Load(name)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "city"), s.Inventory)

	_, err = scenario.Load(filepath.Join(dir, "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
