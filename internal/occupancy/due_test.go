package occupancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
)

func TestDueTellsWhenTheNextStateExpires(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 2}}}, "s1,spot,a,1,car,5,", "s2,spot,a,2,car,600,"))
	w.tick(begin)
	require.Equal(t, begin+minute, w.f.Due(), "the next tick")
	w.spot("s2", begin+second, false)
	w.spot("s1", begin+second, true)
	w.apply()
	require.Equal(t, begin+16*second, w.f.Due())
	w.spot("s1", begin+6*second, true)
	w.apply()
	require.Equal(t, begin+16*second, w.f.Due(), "no later than it is")
	w.tick(begin + 16*second)
	require.Equal(t, "1+1+0=2 open live", row(w.site("a").Classes[0]))
	require.Equal(t, begin+21*second, w.f.Due())
	w.tick(begin + 21*second)
	require.Equal(t, "1+0+1=2 open partial", row(w.site("a").Classes[0]), "three intervals after its last reading")
	require.Equal(t, begin+81*second, w.f.Due(), "nothing within a minute")
}

func TestDueTellsWhenAClosureBeginsAndEnds(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 2}}}, "s1,spot,a,1,car,600,"))
	w.tick(begin)
	w.put(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "x", Site: "a", Reason: "event", From: begin + 10*second, Until: begin + 30*second}})
	w.apply()
	for _, edge := range []struct {
		at     int64
		closed bool
	}{{begin + 10*second, true}, {begin + 30*second, false}} {
		require.Equal(t, edge.at, w.f.Due())
		w.tick(edge.at)
		require.Equal(t, edge.closed, w.site("a").Closed)
	}
}
