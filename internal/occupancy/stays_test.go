package occupancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/occupancy"
)

func TestStays(t *testing.T) {
	type sent struct {
		at       int64 // minutes
		occupied bool
		dwell    int64 // minutes, 0 none
	}
	type stay struct {
		from, until int64
		known       bool
	}
	for name, c := range map[string]struct {
		sent []sent
		want []stay
	}{
		"seen":                      {[]sent{{0, false, 0}, {5, true, 5}, {9, true, 0}, {15, false, 10}}, []stay{{5, 15, true}}},
		"there before":              {[]sent{{5, true, 0}, {15, false, 0}}, []stay{{5, 15, false}}},
		"dwell repairs":             {[]sent{{5, true, 0}, {15, false, 30}}, []stay{{-15, 15, true}}},
		"dwell of the first":        {[]sent{{15, false, 30}}, []stay{{-15, 15, true}}},
		"still there":               {[]sent{{0, false, 0}, {5, true, 0}}, nil},
		"silence ends what is sure": {[]sent{{0, false, 0}, {5, true, 0}, {60, false, 0}}, nil},
		"silence, dwell tells":      {[]sent{{0, false, 0}, {5, true, 0}, {60, false, 50}}, []stay{{10, 60, true}}},
		"another after the silence": {[]sent{{0, false, 0}, {5, true, 0}, {60, true, 0}, {70, false, 0}}, []stay{{60, 70, false}}},
		"late start":                {[]sent{{0, false, 0}, {9, true, 0}, {15, false, 0}, {5, true, 0}}, []stay{{5, 15, true}}},
		"late end":                  {[]sent{{0, false, 0}, {5, true, 0}, {15, true, 0}, {20, false, 0}, {10, false, 0}}, []stay{{5, 10, true}, {15, 20, true}}},
		"late doubt":                {[]sent{{0, false, 0}, {5, true, 0}, {10, false, 0}, {5, false, 0}}, nil},
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
			got, err := w.f.Stays(t.Context(), "a", 0, begin+24*hour, 10)
			require.NoError(t, err)
			require.Len(t, got, len(c.want))
			for i, s := range c.want {
				require.Equal(t, occupancy.Stay{Device: "s", Class: 1, From: begin + s.from*minute, Until: begin + s.until*minute, Known: s.known}, got[i])
			}
		})
	}
}
