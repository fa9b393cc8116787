package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/watch"
)

func TestMain(m *testing.M) {
	root = "../.." // the reference city lies there
	os.Exit(m.Run())
}

// TestASmallTownWithFaults is a short `make eval`: each kind of fault once, in
// a third of the places and half of the days.
func TestASmallTownWithFaults(t *testing.T) {
	if underRace || testing.Short() {
		t.Skip("it plays two weeks, half a minute: make test runs it without the race detector")
	}
	r, err := newFaultRun(t.TempDir(), 16, 40, 2)
	require.NoError(t, err)
	r.each = 6 * hour
	require.NoError(t, r.play(t.Context()))
	require.GreaterOrEqual(t, len(r.plan.faults), 30)
	g, err := serve(t.Context(), r.cfg)
	require.NoError(t, err)
	v, err := r.told(t.Context(), g)
	require.NoError(t, err)
	require.NoError(t, g.stop())
	require.GreaterOrEqual(t, part(v.all.found, v.all.planted), leastRecall)
	require.GreaterOrEqual(t, part(v.all.right, v.all.right+v.all.wrong), leastPrecision)
	require.NotEmpty(t, v.filed)
	most, _, _ := r.busiest(v.filed)
	require.LessOrEqual(t, most, mostAday)
}

// TestTheKindsOfFaultAreWhole: each rule of a device, road or meter has a fault
// that it is to tell, and each fault is on something.
func TestTheKindsOfFaultAreWhole(t *testing.T) {
	t.Parallel()
	for _, rule := range watch.Rules {
		n := 0
		for i := range faultKinds {
			for _, r := range faultKinds[i].rules {
				if r == rule {
					n++
				}
			}
		}
		require.Positive(t, n, rule)
	}
	require.GreaterOrEqual(t, len(faultKinds), 30)
	from, _, err := faultDays(30)
	require.NoError(t, err)
	p := newFaultPlan(newTown(100), 1, from, 30)
	require.Zero(t, p.skipped)
	for i := range p.faults {
		f := &p.faults[i]
		require.Positive(t, f.window(&f.looked), f.name)
		require.NotEmpty(t, f.subjects, f.name)
		require.True(t, f.until.After(f.from), f.name)
	}
}
