package occupancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// What is passed on as roll-ups is what History tells of the same five minutes.
func TestRollupsAreWhatHistoryTells(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 2}}}, "s1,spot,a,1,car,600,", "s2,spot,a,2,car,60,"))
	w.tick(begin)
	for i := range int64(60) {
		w.spot("s1", begin+i*37*second, i%2 == 0)
		w.spot("s2", begin+i*41*second, i%3 == 0)
	}
	from := begin - begin%occupancy.BucketMs
	to := from + 12*occupancy.BucketMs
	w.tick(to)
	w.apply()
	history, err := w.f.History(t.Context(), "a", city.Car, from, to, occupancy.BucketMs)
	require.NoError(t, err)
	list, err := w.f.Rollups(t.Context(), "a", city.Car, from, to)
	require.NoError(t, err)
	require.NotEmpty(t, list)
	known := 0
	for _, p := range history {
		if p.Coverage.V > 0 {
			known++
		}
	}
	require.Len(t, list, known)
	for i := range list {
		require.Equal(t, history[(list[i].T-from)/occupancy.BucketMs], list[i].Point())
	}
	_, err = w.f.Rollups(t.Context(), "nowhere", city.Car, from, to)
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	_, err = w.f.Rollups(t.Context(), "a", city.Car, 0, to)
	require.Equal(t, city.KindInvalid, city.KindOf(err))
}
