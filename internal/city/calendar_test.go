package city_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// A day is that of the zone's own calendar, where its clocks change too, in
// whatever order days are asked for.
func TestCalendar(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	for _, name := range []string{"Asia/Jakarta", "Europe/Berlin"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		c := city.NewCalendar(zone)
		begin := time.Date(2026, 3, 20, 0, 0, 0, 0, zone).UnixMilli()
		for range 5000 {
			at := begin + dice.Int64N(12*24*3600*1000)
			y, m, d := time.UnixMilli(at).In(zone).Date()
			date := c.Date(at)
			require.Equal(t, int64(y)*10_000+int64(m)*100+int64(d), date)
			from, to := city.DaySpan(date, zone)
			require.True(t, from <= at && at < to)
		}
	}
}
