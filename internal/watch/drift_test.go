package watch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGatesThatLoseCount: a day that does not add up is told, once; what stays
// overnight at a place without a reset is not.
func TestGatesThatLoseCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reset string
		out   []int64 // of 200 that come each day
		holed int     // the day on which a gate is silent; 0: none
		want  int
	}{
		"honest":                {"04:00", []int64{200, 195, 205, 200}, 0, 0},
		"a gate is half blind":  {"04:00", []int64{200, 150, 200}, 0, 1},
		"installed at noon":     {"04:00", []int64{350, 195, 205, 200}, 0, 0},
		"a gate is silent":      {"04:00", []int64{200, 150, 200}, 1, 0},
		"overnight, no reset":   {"", []int64{100, 230, 190, 280, 200, 200, 200, 200}, 0, 0},
		"drifts for a week":     {"", []int64{160, 160, 160, 160, 160, 160, 160, 160}, 0, 1},
		"a week with the first": {"", []int64{520, 200, 200, 200, 200, 200, 200, 200, 200}, 0, 0},
		"a week with a silence": {"", []int64{160, 160, 160, 160, 160, 160, 160, 160}, 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			site := *r.v.Site("a")
			site.ResetAt = c.reset
			r.x.place.site = &site
			s := &drift{}
			raised := 0
			for day, out := range c.out {
				date := r.x.place.date(monday + int64(day)*dayMs)
				s.pass(date, false, 200)
				s.pass(date, true, out)
				if c.holed > 0 && day == c.holed {
					require.True(t, s.hole(date))
					require.False(t, s.hole(date))
				}
				r.x.now = monday + int64(day+1)*dayMs + 30*minuteMs
				require.False(t, s.tick(r.x), "too early")
				r.x.now += hourMs
				before := len(r.said)
				s.tick(r.x)
				raised += min(1, len(r.said)-before)
			}
			require.GreaterOrEqual(t, raised, c.want)
			require.Equal(t, c.want > 0, raised > 0)
			require.False(t, s.tick(r.x))
			require.LessOrEqual(t, len(s.Days), driftDays)
		})
	}
}
