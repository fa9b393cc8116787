package occupancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func TestClosedTellsWhen(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"capacity": map[string]int{"car": 4}, "detection": "spots"}}, "s1,spot,a,1,car,300,"))
	for i, c := range []journal.Closure{
		{From: begin + 8*hour, Until: begin + 10*hour},
		{From: begin + 9*hour, Until: begin + 11*hour},
		{From: begin + 12*hour, Until: begin + 13*hour, PlacesLost: city.SomeInt(2)},
		{From: begin + 20*hour},
	} {
		c.ID, c.Site, c.Reason = string(rune('a'+i)), "a", "event"
		w.put(journal.Entry{Type: journal.TypeClosure, Closure: &c})
	}
	w.apply()
	require.Equal(t, [][2]int64{{begin + 8*hour, begin + 11*hour}, {begin + 20*hour, begin + 24*hour}}, w.f.Closed("a", begin, begin+24*hour))
	require.Empty(t, w.f.Closed("a", begin, begin+8*hour))
	require.Empty(t, w.f.Closed("nowhere", begin, begin+24*hour))
}
