package inventory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

func jakarta(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Asia/Jakarta")
	require.NoError(tb, err)
	return zone
}

// TestBekasi loads the reference city, which is what `make run` shows.
func TestBekasi(t *testing.T) {
	t.Parallel()
	v, faults, err := inventory.Load("../../configs/bekasi/inventory", jakarta(t))
	require.NoError(t, err)
	require.Empty(t, faults)
	require.Empty(t, v.Warnings)
	require.GreaterOrEqual(t, len(v.Sites), 60)
	require.GreaterOrEqual(t, len(v.Segments), 80)
	require.GreaterOrEqual(t, len(v.Devices), 3000)
	kecamatan := map[string]bool{}
	for _, s := range v.Sites {
		kecamatan[s.Kecamatan] = true
		require.Greater(t, s.Location.Lon, 106.5, s.ID)
		require.Less(t, s.Location.Lat, -6.1, s.ID)
	}
	require.Len(t, kecamatan, 12)
	again, _, err := inventory.Load("../../configs/bekasi/inventory", jakarta(t))
	require.NoError(t, err)
	require.Equal(t, v.Hash, again.Hash)
}
