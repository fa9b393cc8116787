package main

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

func TestRows(t *testing.T) {
	var out bytes.Buffer
	r := &report{to: &out, late: map[string]time.Duration{}, rows: []line{
		{key: "a", name: "at least", bar: 0.7},
		{key: "b", name: "at most", bar: 5, atMost: true},
		{key: "c", name: "no bar"},
		{key: "d", name: "late", bar: 1},
		{key: "e", name: "never", bar: 2},
		{key: "f", name: "never either"},
	}}
	r.row("b", 5.1, "5.1 ms")
	r.row("a", 0.7, "0.70")
	r.row("c", 3, "3")
	r.level(900*time.Millisecond, "d")
	r.level(1200*time.Millisecond, "d")
	r.row("d", 2, "2.00")
	require.Panics(t, func() { r.row("d", 2, "again") })
	r.missing(errors.New("no | room\nsecond line"))
	require.Empty(t, r.rows)
	require.Equal(t, `at most | 5.1 ms | <= 5 | short
at least | 0.70 | >= 0.7 | ok
no bar | 3 | - | ok
late | 2.00; followers level 1.2 s after the end | >= 1 | short
never | not measured: no / room | >= 2 | short
never either | not measured: no / room | - | short
`, out.String())
}

func TestChosen(t *testing.T) {
	all, err := chosen("")
	require.NoError(t, err)
	keys := map[string]bool{}
	for _, s := range all {
		require.NotEmpty(t, s.load, s.name)
		for _, l := range s.rows {
			require.False(t, keys[l.name], "%s twice", l.name)
			keys[l.name] = true
		}
	}
	two, err := chosen("api,journal")
	require.NoError(t, err)
	require.Len(t, two, 2)
	require.Equal(t, "journal", two[0].name, "in the suites' own order")
	_, err = chosen("api,nonsense")
	require.ErrorContains(t, err, "nonsense")
}

func TestQuantile(t *testing.T) {
	l := &latencies{}
	require.Zero(t, l.quantile(0.99))
	for i := range 100 {
		l.add(time.Duration(100-i) * time.Millisecond)
	}
	require.InDelta(t, 51, l.quantile(0.5), 0)
	require.InDelta(t, 100, l.quantile(0.99), 0)
	require.InDelta(t, 100, l.quantile(1), 0)
	require.InDelta(t, 3, median([]float64{5, 1, 3}), 0)
}

func TestValuesOf(t *testing.T) {
	require.Equal(t, 2, valuesOf(&city.Reading{Spot: &city.Spot{Battery: city.SomeMilli(3600)}}))
	require.Equal(t, 7, valuesOf(&city.Reading{Traffic: &city.Traffic{Lanes: []city.Lane{
		{HasCounts: true, Speed: city.SomeMilli(1), Occupancy: city.SomeMilli(1)}, {Speed: city.SomeMilli(1)},
	}}}))
	require.Equal(t, 1, valuesOf(&city.Reading{Gate: &city.Gate{}}))
}

func TestResidents(t *testing.T) {
	r := residents{1, 9, 2, 3, 4, 5, 6, 7, 8, 2}
	require.EqualValues(t, 9, r.most(0, 1))
	require.EqualValues(t, 3, r.most(0.2, 0.4))
	require.EqualValues(t, 8, r.most(0.8, 1))
}
