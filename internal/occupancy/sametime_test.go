package occupancy_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// Devices whose clock stands still: however much comes for one time, what is
// kept of it is bounded, and the numbers are those of all of it.
func TestClocksThatStandStill(t *testing.T) {
	files, _ := variants()
	w := newWorld(t, files[0])
	const many = 1000
	send := func(n int) {
		w.spot("s1", begin, n%2 == 0)
		w.counted("c1", begin, uint32(n%15))
		w.gate("in", begin, city.Car, 1)
		w.gate("in", begin, city.Motorcycle, 2)
		w.gate("out", begin, city.Car, -1)
	}
	for n := range many {
		send(n)
	}
	w.flush()
	w.tick(begin + minute)
	w.spot("s1", w.now, true)
	w.gate("in", w.now, city.Car, 1)
	w.counted("c1", w.now, 3)
	for n := range many { // behind the newest, too
		send(n)
	}
	w.tick(begin + 5*minute)
	w.flush()

	points := w.history("g", city.Car, begin, begin+5*minute, 5*minute)
	require.Equal(t, city.SomeInt(2*3*many+1), points[0].Arrivals)
	require.Equal(t, city.SomeInt(2*many), points[0].Departures)
	require.Equal(t, city.SomeInt(4*many+1), w.site("g").Classes[0].Occupied)
	state := w.site("g")
	w.reopen()
	again := w.site("g")
	state.Rev, again.Rev = 0, 0
	require.Equal(t, state, again)

	db, err := sql.Open("sqlite", w.path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var size int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT max(length(data)) FROM chunk").Scan(&size))
	require.Less(t, size, 200, "bytes of a series")
}
