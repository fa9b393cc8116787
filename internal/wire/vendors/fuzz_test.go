package vendors_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/vendors"
)

// FuzzDecode: every decoder either refuses by name or says something that our
// limits allow, and the same each time. The first byte chooses the profile; the
// corpus are the cases.
func FuzzDecode(f *testing.F) {
	names := vendors.Names()
	for _, c := range payloads(f) {
		f.Add(uint8(slices.Index(names, c.profile)), c.port, bytesOf(f, c.hex))
	}
	f.Fuzz(func(t *testing.T, profile, port uint8, payload []byte) {
		fuzzOne(t, names[int(profile)%len(names)], port, payload)
	})
}

func fuzzOne(t *testing.T, profile string, port uint8, payload []byte) {
	t.Helper()
	found, ok := vendors.Find(profile)
	require.True(t, ok)
	for _, kind := range found.Kinds {
		d := &vendors.Device{Profile: profile, Kind: kind, Lanes: 2, Categories: []vendors.Vehicle{vendors.SM, vendors.Unknown}}
		got, err := vendors.Decode(d, port, payload)
		again, errAgain := vendors.Decode(d, port, payload)
		require.Equal(t, got, again)
		if err != nil {
			require.Error(t, errAgain)
			var refused *wire.RefusedError
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Detail)
			require.Zero(t, got)
			return
		}
		possible(t, got, kind)
	}
}

// possible checks what was said against the limits that all formats share.
func possible(t *testing.T, s vendors.Said, kind city.Kind) {
	t.Helper()
	within := func(v city.Milli, least, most int64) {
		if v.OK {
			require.GreaterOrEqual(t, v.V, least)
			require.LessOrEqual(t, v.V, most)
		}
	}
	states := 0
	if x := s.Spot; x != nil {
		states++
		require.Equal(t, city.KindSpot, kind)
		within(x.Battery, 0, wire.MaxBattery)
		within(x.Temperature, wire.MinTemperature, wire.MaxTemperature)
		within(city.Milli(x.DwellS), 0, wire.MaxDwellS)
	}
	if x := s.Gate; x != nil {
		states++
		require.Equal(t, city.KindGate, kind)
		require.Zero(t, x.Count)
	}
	if x := s.Traffic; x != nil {
		states++
		require.Equal(t, city.KindTraffic, kind)
		require.Positive(t, x.PeriodS)
		require.LessOrEqual(t, x.PeriodS, uint32(wire.MaxPeriodS))
		lanes := map[[2]any]bool{}
		for _, l := range x.Lanes {
			require.Positive(t, l.Lane)
			require.Falsef(t, lanes[[2]any{l.Lane, l.Backward}], "lane %d twice", l.Lane)
			lanes[[2]any{l.Lane, l.Backward}] = true
			require.LessOrEqual(t, l.SM+l.KR+l.KB+l.KTB+l.Unknown, uint32(wire.MaxVehicles))
			within(l.Speed, 0, wire.MaxSpeed)
		}
	}
	require.LessOrEqual(t, states, 1)
	require.False(t, states == 0 && s.Health == nil, "nothing at all was said")
	if x := s.Health; x != nil {
		within(x.Battery, 0, wire.MaxBattery)
		within(x.BatteryPct, 0, 100_000)
		require.LessOrEqual(t, len(x.Firmware), wire.MaxWordBytes)
		require.LessOrEqual(t, len(x.Errors), wire.MaxErrors)
	}
}
