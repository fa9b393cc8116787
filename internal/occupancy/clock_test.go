package occupancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Our clock ran days ahead, was set right, and a person accepted it: from then
// on everything is as if it had always been right.
func TestAClockThatWasSetRight(t *testing.T) {
	files := folder(map[string]siteFile{
		"a": {"detection": "spots", "capacity": map[string]int{"car": 2}},
		"g": {"detection": "gates", "capacity": map[string]int{"car": 20}, "reset_at": "04:00"},
		"c": {"detection": "count", "capacity": map[string]int{"car": 20}},
	}, "s1,spot,a,1,car,600,", "s2,spot,a,2,car,600,", "g1,gate,g,,,600,", "c1,count,c,,car,600,")
	for _, at := range []int64{0, 3*hour + 59*minute} { // just before the reset too
		right, wrong := newWorld(t, files), newWorld(t, files)
		say := func(minutes int64) {
			for _, w := range []*world{right, wrong} {
				w.now = begin + at + minutes*minute
				w.put(journal.Entry{Type: journal.TypeTick})
				w.spot("s1", w.now, minutes%2 == 0)
				w.spot("s2", w.now-30*second, minutes%3 == 0)
				w.gate("g1", w.now, city.Car, 2)
				w.counted("c1", w.now, uint32(minutes))
				w.apply()
			}
		}
		same := func() {
			for _, id := range []string{"a", "g", "c"} {
				is, want := wrong.site(id), right.site(id)
				is.Rev, want.Rev = 0, 0
				require.Equal(t, want, is)
				from, to := begin+at-at%(5*minute), right.now-right.now%(5*minute)+5*minute
				require.Equal(t, right.history(id, city.Car, from, to, 5*minute), wrong.history(id, city.Car, from, to, 5*minute), id)
			}
		}
		for i := range int64(8) {
			say(i)
		}
		same()
		wrong.flush()
		right.flush()
		for i := range int64(3) {
			wrong.tick(begin + (30+i)*24*hour)
			wrong.flush()
		}
		require.Equal(t, "-+-+2=2 unknown stale", row(wrong.site("a").Classes[0]))
		say(8)
		same()
		wrong.flush()
		wrong.reopen()
		for i := range int64(60) {
			say(9 + i)
			if i%7 == 0 {
				wrong.flush()
			}
		}
		same()
		wrong.reopen()
		same()
	}
}
