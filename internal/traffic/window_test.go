package traffic_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// TestLate: a late reading corrects the past; the present is of the last
// quarter of an hour by the devices' clocks.
func TestLate(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 300), "", divided("a"))))
	r.reading("d", noon, 300, ln(1, 0, 10, 0), ln(2, 0, 10, 0))
	before := r.segment("a")
	r.reading("d", noon-hour, 300, ln(1, 0, 99, 0), ln(2, 0, 99, 0))
	require.Equal(t, before, r.segment("a"))
	require.Equal(t, int64(198), r.counts("a", noon-hour-5*minute, noon-hour).KR)
	p := r.history("a", noon-hour-5*minute, noon-hour, 5*minute)
	require.InDelta(t, 12*198, val(p[0].FlowVPH), 0.001)
}

func TestTwoDevicesOneLane(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60)+device("e", "a", 60), "", divided("a"))))
	for i := int64(1); i <= 15; i++ {
		r.reading("e", noon+i*minute, 60, ln(1, 0, 10, 0), ln(2, 0, 10, 0))
		if i%3 != 0 {
			r.reading("d", noon+i*minute, 60, ln(1, 0, 20, 0))
		}
	}
	require.InDelta(t, 1200, val(r.segment("a").FlowVPH), 0.001, "e covers more of the window")
	require.Equal(t, int64(300), r.counts("a", noon, noon+15*minute).KR, "a lane is counted once")
	r.reading("d", noon+16*minute, 60, ln(1, 0, 20, 0))
	for i := int64(17); i < 20; i++ {
		r.reading("d", noon+i*minute, 60, ln(1, 0, 20, 0), ln(2, 0, 20, 0))
	}
	require.InDelta(t, 2400, val(r.segment("a").FlowVPH), 0.001, "e is silent: d holds")
}

func TestTwoDevicesAlike(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 300)+device("e", "a", 300), "", divided("a"))))
	for _, d := range []string{"e", "d"} {
		n := uint32(10)
		if d == "d" {
			n = 20
		}
		r.reading(d, noon, 300, ln(1, 0, n, 0), ln(2, 0, n, 0))
		r.reading(d, noon+5*minute, 300, speed(city.Lane{Lane: 1}, float64(n)), speed(city.Lane{Lane: 2}, float64(n)))
	}
	r.reading("d", noon+6*minute, 60, speed(city.Lane{Lane: 1}, 40), speed(city.Lane{Lane: 2}, 40))
	r.reading("e", noon+7*minute, 120, speed(city.Lane{Lane: 1}, 10), speed(city.Lane{Lane: 2}, 10))
	require.Equal(t, int64(40), r.counts("a", noon-5*minute, noon).KR, "both cover all of it: the first by id")
	p := r.history("a", noon, noon+10*minute, 5*minute)
	require.InDelta(t, 20, val(p[0].SpeedKmh), 0.001)
	require.InDelta(t, 10, val(p[1].SpeedKmh), 0.001)
	require.InDelta(t, 0.4, val(p[1].Coverage), 0)

	r = newRig(t, parse(t, files(t, device("d", "a", 300)+device("e", "a", 300), "", divided("a"))))
	r.reading("e", noon, 300, ln(1, 0, 10, 0), ln(2, 0, 10, 0))
	r.reading("d", noon, 300, ln(1, 0, 20, 0), ln(2, 0, 20, 0))
	require.InDelta(t, 480, val(r.segment("a").FlowVPH), 0)
}

func TestOldReplay(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 300), "", divided("a"))))
	old := noon - 12*365*24*hour
	r.tick(noon)
	for i := range int64(12) {
		r.reading("d", old+i*5*minute, 300, speed(ln(1, 0, 5, 0), 50), speed(ln(2, 0, 7, 0), 50))
	}
	s := r.segment("a")
	require.Equal(t, "stale", s.Quality)
	require.Equal(t, old+55*minute, s.ObservedAt)
	for _, p := range r.history("a", old-5*minute, old+55*minute, 5*minute) {
		require.InDelta(t, 144, val(p.FlowVPH), 0.001)
		require.InDelta(t, 50, val(p.SpeedKmh), 0.001)
		require.InDelta(t, 144.0/3162, val(p.DJ), 0.0005)
		require.InDelta(t, 1, val(p.Coverage), 0)
	}
}
