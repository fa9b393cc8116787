package inventory

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParsePPM(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "1": 1_000_000, "0.1": 100_000, "0.10": 100_000, "1.000000": 1_000_000, "0.000001": 1, "10%": 100_000, "7.5 %": 75_000, "100%": 1_000_000, "0.29": 290_000, "0.07": 70_000,
	} {
		n, wrong := parsePPM(text, false)
		require.Empty(t, wrong, text)
		require.Equal(t, want, n, text)
	}
	n, wrong := parsePPM("0,1", true)
	require.Empty(t, wrong)
	require.EqualValues(t, 100_000, n)
	for _, text := range []string{"", ".1", "1.1", "-0.1", "+0.1", "0.1234567", "101%", "0,1", "1e-1", "10", "a", "%", "0.1.1", "99999999999999999999"} {
		_, wrong := parsePPM(text, false)
		require.NotEmpty(t, wrong, text)
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("WIB", 7*3600)
	want := time.Date(2026, 3, 1, 6, 0, 0, 0, zone).UnixMilli()
	for _, text := range []string{"2026-03-01T06:00:00+07:00", "2026-02-28T23:00:00Z", "2026-03-01T06:00+07:00", "2026-03-01T06:00", "2026-03-01 06:00:00", "2026-03-01 06:00"} {
		at, wrong := parseMoment(text, zone)
		require.Empty(t, wrong, text)
		require.Equal(t, want, at, text)
	}
	for _, text := range []string{"2026-13-01", "1/3/2026", "2026-03-01 25:00", "1970-01-01", "9999-01-01"} {
		_, wrong := parseMoment(text, zone)
		require.NotEmpty(t, wrong, text)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	require.InDelta(t, 111_195, DistanceM(LatLon{0, 0}, LatLon{1, 0}), 1)
	require.InDelta(t, 20_015_114, DistanceM(LatLon{0, 0}, LatLon{0, 180}), 1)
	require.Zero(t, DistanceM(LatLon{-6.2, 107}, LatLon{-6.2, 107}))
}

func TestMidpoint(t *testing.T) {
	t.Parallel()
	at := midpoint([]LatLon{{0, 0}, {0, 1}, {0, 1}, {0, 4}})
	require.InDelta(t, 2, at.Lon, 1e-9)
	require.Zero(t, at.Lat)
}

func TestInside(t *testing.T) {
	t.Parallel()
	square := []LatLon{{0, 0}, {0, 4}, {4, 4}, {4, 0}, {0, 0}}
	require.Equal(t, LatLon{2, 2}, inside([][]LatLon{square}))
	hole := []LatLon{{1, 1}, {1, 3}, {3, 3}, {3, 1}, {1, 1}}
	letterU := []LatLon{{0, 0}, {0, 4}, {4, 4}, {4, 3}, {1, 3}, {1, 1}, {4, 1}, {4, 0}, {0, 0}}
	for _, rings := range [][][]LatLon{{square, hole}, {letterU}} {
		at := inside(rings)
		require.True(t, contains(rings, at), "%v lies outside", at)
	}
	flat := []LatLon{{0, 0}, {0, 1}, {0, 2}, {0, 0}}
	require.Equal(t, LatLon{0, 0}, inside([][]LatLon{flat}), "no area: its first position")
}

// TestInsideAlways draws stars, which are often hollow at their centroid.
func TestInsideAlways(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 12).Draw(t, "n")
		ring := make([]LatLon, 0, n+1)
		for i := range n {
			r := rapid.Float64Range(0.001, 1).Draw(t, "r")
			a := 2 * math.Pi * float64(i) / float64(n)
			ring = append(ring, LatLon{-6.2 + r*math.Sin(a), 107 + r*math.Cos(a)})
		}
		ring = append(ring, ring[0])
		if at := inside([][]LatLon{ring}); !contains([][]LatLon{ring}, at) {
			t.Fatalf("%v lies outside of %v", at, ring)
		}
	})
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	n, wrong := parseJSON([]byte("{\n \"a\": [1,\n  {\"b\":\n true}],\n\"c\": null, \"d\": \"x\"}"))
	require.Nil(t, wrong)
	require.Equal(t, 1, n.line)
	require.Equal(t, 2, n.members[0].line)
	require.Equal(t, 3, n.members[0].items[1].line)
	require.Equal(t, 4, n.members[0].items[1].members[0].node.line)
	require.Equal(t, "{\"b\":\n true}", string(n.members[0].items[1].raw))
	require.Nil(t, n.member("c"), "null is as if left out")
	require.Equal(t, "x", n.member("d").text)
}
