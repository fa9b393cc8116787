package occupancy_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/occupancy"
)

func TestLulls(t *testing.T) {
	type sent struct {
		at       int64 // minutes
		occupied bool
		dwell    int64 // minutes, 0 none
	}
	type lull struct {
		from, until, heard, held int64 // minutes
		before, after, told      bool
	}
	for name, c := range map[string]struct {
		sent  []sent
		clock int64
		want  []lull
	}{
		"each interval":         {[]sent{{0, false, 0}, {10, false, 0}, {20, true, 0}}, 21, nil},
		"a word is missing":     {[]sent{{0, false, 0}, {20, true, 0}}, 21, []lull{{0, 20, 20, 20, false, true, false}}},
		"expired":               {[]sent{{0, true, 0}, {90, true, 0}}, 91, []lull{{0, 90, 90, 30, true, true, false}}},
		"dwell tells since":     {[]sent{{0, true, 0}, {40, false, 15}}, 41, []lull{{0, 25, 40, 30, true, false, true}}},
		"dwell tells it all":    {[]sent{{0, true, 0}, {40, false, 40}}, 41, []lull{{0, 0, 40, 30, true, false, true}}},
		"and soon enough":       {[]sent{{0, true, 0}, {25, false, 40}}, 26, nil},
		"dwell of no change":    {[]sent{{0, true, 0}, {40, true, 15}}, 41, []lull{{0, 40, 40, 30, true, true, false}}},
		"silent still":          {[]sent{{0, true, 0}}, 60, nil},
		"a late word halves it": {[]sent{{0, true, 0}, {20, true, 0}, {10, true, 0}}, 21, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 1}}}, "s,spot,a,1,car,600,"))
			for _, s := range c.sent {
				if s.dwell > 0 {
					w.spot("s", begin+s.at*minute, s.occupied, s.dwell*60)
				} else {
					w.spot("s", begin+s.at*minute, s.occupied)
				}
				w.flush()
			}
			w.tick(begin + c.clock*minute)
			w.flush()
			got, err := w.f.Lulls(t.Context(), "a", begin-minute, begin+24*hour)
			require.NoError(t, err)
			require.Len(t, got, len(c.want))
			for i, l := range c.want {
				at := func(m int64) int64 { return begin + m*minute }
				require.Equal(t, occupancy.Lull{
					Device: "s", Class: 1, From: at(l.from), Until: at(l.until), Heard: at(l.heard), Held: at(l.held),
					Before: l.before, After: l.after, Told: l.told,
				}, got[i])
			}
		})
	}
}

// TestLullsOfASpan: of any span those silences are found that overlap it, also
// where sensors that are never silent again are among the others.
func TestLullsOfASpan(t *testing.T) {
	const sensors, days = 5, 4
	var rows []string
	for i := range sensors {
		rows = append(rows, fmt.Sprintf("s%d,spot,a,%d,car,600,", i, i+1))
	}
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": sensors}}}, rows...))
	random := rand.New(rand.NewPCG(3, 4))
	// The first speaks in time, the second only in its first day, the others
	// are often silent, now and then for a day.
	for i := range sensors {
		at, end := begin, begin+days*24*hour
		if i == 1 {
			end = begin + 20*hour
		}
		for at < end {
			w.spot(fmt.Sprintf("s%d", i), at, random.IntN(2) == 0)
			switch {
			case i == 0:
				at += 10 * minute
			case i > 2 && random.IntN(60) == 0:
				at += 30 * hour
			default:
				at += 5*minute + random.Int64N(90*minute)
			}
		}
	}
	w.tick(begin + days*24*hour)
	w.flush()
	all, err := w.f.Lulls(t.Context(), "a", 0, begin+100*24*hour)
	require.NoError(t, err)
	require.Greater(t, len(all), 100)
	for from := begin - hour; from < begin+days*24*hour; from += 50 * minute {
		for _, long := range []int64{minute, hour, 24 * hour} {
			want := []occupancy.Lull{}
			for _, l := range all {
				if l.From < from+long && l.Heard > from {
					want = append(want, l)
				}
			}
			got, err := w.f.Lulls(t.Context(), "a", from, from+long)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
}
