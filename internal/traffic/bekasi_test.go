package traffic_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// TestBekasi: every segment of the reference city has a capacity, and is
// measured where its counters speak.
func TestBekasi(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Asia/Jakarta")
	require.NoError(t, err)
	v, faults, err := inventory.Load("../../configs/bekasi/inventory", zone)
	require.NoError(t, err)
	require.Empty(t, faults)
	r := newRig(t, v)
	for _, d := range v.Devices {
		if d.Kind != inventory.DeviceTraffic {
			continue
		}
		s := v.Segment(d.Segment)
		var lanes []city.Lane
		for l := range uint16(s.Lanes) {
			lanes = append(lanes, speed(ln(l+1, 8, 5, 1), 30))
			if s.Opposite != "" && len(v.SegmentDevices(s.Opposite)) == 0 {
				lanes = append(lanes, back(speed(ln(l+1, 8, 5, 1), 30)))
			}
		}
		r.reading(d.ID, noon, uint32(d.IntervalS), lanes...)
	}
	states := r.f.Segments()
	require.GreaterOrEqual(t, len(states), 80)
	for _, s := range states {
		require.Equal(t, "live", s.Quality, s.ID)
		require.Greater(t, val(s.CapacitySMP), 1000.0, s.ID)
		require.Greater(t, val(s.FreeFlowKmh), 25.0, s.ID)
		require.True(t, s.DJ.OK, s.ID)
		require.NotEmpty(t, s.LOS, s.ID)
	}
	require.True(t, r.f.Congestion().Index.OK)
}
