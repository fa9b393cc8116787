package complaint

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// act is one call of the story, made at its place in it: what was done already
// is done again after a power cut, and must change nothing that it should not.
type act func(tb testing.TB, r *Register)

// story is a month at a register: anomalies that come, go and come again,
// reports, officers and deliveries.
func story(f *feed) (acts []act) {
	do := func(a act) { acts = append(acts, a) }
	for day := 2; day <= 20; day++ {
		do(func(tb testing.TB, r *Register) {
			tb.Helper()
			if day%2 == 0 {
				_, err := r.Receive(tb.Context(), at(day, 9), report())
				require.NoError(tb, err)
			}
			require.NoError(tb, r.Work(tb.Context(), at(day, 10)))
		})
		do(func(tb testing.TB, r *Register) {
			tb.Helper()
			require.NoError(tb, r.Work(tb.Context(), at(day, 11)))
			list, _, err := r.Complaints(tb.Context(), Query{States: []State{StateReceived}})
			require.NoError(tb, err)
			for _, c := range list {
				_, _, err := r.Update(tb.Context(), at(day, 12), c.ID, NewUpdate{State: StateVerified, By: "t1"})
				require.NoError(tb, err)
			}
		})
		do(func(tb testing.TB, r *Register) {
			tb.Helper()
			due, err := r.Due(tb.Context(), at(day, 13), 2)
			require.NoError(tb, err)
			for _, d := range due {
				require.NoError(tb, r.Sending(tb.Context(), at(day, 13), d.Complaint.ID))
				require.NoError(tb, r.Sent(tb.Context(), at(day, 13), d.Complaint.ID, "POT-"+d.Complaint.ID, ""))
			}
		})
	}
	for i := range 40 {
		one := anomaly(fmt.Sprint("a", i), []string{"silent", "stuck", "leak"}[i%3], fmt.Sprint("d", 1+i%5))
		one.Money = one.Rule == "leak"
		over := one
		over.Over, over.OverAt = true, at(5, 9)
		f.add(one, over, one)
	}
	return acts
}

// TestPowerLossLosesNoStepAndDoublesNone: what a call returned from is there,
// ids have no holes, each incident has one complaint at most, and the story can
// be gone on with.
func TestPowerLossLosesNoStepAndDoublesNone(t *testing.T) {
	t.Parallel()
	f := &feed{}
	acts := story(f)
	v := testVersion(t)
	o := Options{
		Inventory: func() *inventory.Version { return v }, Zone: wib, Incidents: f, Gather: time.Minute,
		Destination: Destination{Set: true, Confidential: true},
	}
	dir := powercut.Folder(t)
	disk := powercut.New(t, dir, 0).Checkpoint(8)
	trace, acks := disk.Record(), powercut.NewAcks[map[string]Complaint](disk)
	r, err := Open(t.Context(), filepath.Join(dir, "complaints.db"), o)
	require.NoError(t, err)
	acks.Add(nil)
	for _, a := range acts {
		a(t, r)
		acks.Add(all(t, r))
	}
	require.NoError(t, r.Close())
	disk.Off()
	trace.Each(t, 300, func(dir string, ops int) {
		r, err := Open(t.Context(), filepath.Join(dir, "complaints.db"), o)
		require.NoError(t, err, "what a power cut leaves can be opened")
		defer func() { require.NoError(t, r.Close()) }()
		_, err = r.db.CheckSums(t.Context())
		require.NoError(t, err)
		is := all(t, r)
		before := acks.Before(ops)
		if len(before) > 0 {
			for id, was := range before[len(before)-1] {
				now, ok := is[id]
				require.True(t, ok, "%s was told, and is gone", id)
				require.GreaterOrEqual(t, now.Updates, was.Updates, id)
			}
		}
		whole(t, r, is)
		for _, a := range acts[max(len(before)-1, 0):] { // the one that was cut is done again
			a(t, r)
		}
		whole(t, r, all(t, r))
	})
}

func all(tb testing.TB, r *Register) map[string]Complaint {
	tb.Helper()
	list, _, err := r.Complaints(tb.Context(), Query{})
	require.NoError(tb, err)
	out := map[string]Complaint{}
	for _, c := range list {
		out[c.ID] = c
	}
	return out
}

// whole checks what must hold of a register at any time.
func whole(tb testing.TB, r *Register, is map[string]Complaint) {
	tb.Helper()
	updates := 0
	for n := range len(is) {
		c, ok := is[idOf(2026*perYear+int64(n)+1)]
		require.True(tb, ok, "the ids have a hole at %d", n+1)
		history, err := r.History(tb.Context(), c.ID)
		require.NoError(tb, err)
		require.Len(tb, history, c.Updates, c.ID)
		require.Equal(tb, c.State, history[len(history)-1].State)
		updates += len(history)
		d, ok, err := r.DeliveryOf(tb.Context(), c.ID)
		require.NoError(tb, err)
		require.Equal(tb, c.Delivery != DeliveryNone, ok, c.ID)
		require.Equal(tb, c.Delivery, d.State, c.ID)
		require.Equal(tb, c.State != StateReceived, ok, "%s: the delivery is of the transaction that verified it", c.ID)
	}
	var last, filed, subjects int
	require.NoError(tb, r.db.R.QueryRowContext(tb.Context(), "SELECT coalesce(max(id), 0) FROM history").Scan(&last))
	require.Equal(tb, updates, last, "updates have no holes")
	require.NoError(tb, r.db.R.QueryRowContext(tb.Context(), "SELECT count(*) FROM incident WHERE complaint > 0 AND complaint NOT IN (SELECT num FROM complaint)").Scan(&filed))
	require.Zero(tb, filed)
	require.NoError(tb, r.db.R.QueryRowContext(tb.Context(), "SELECT count(*) FROM complaint WHERE source = 'anomaly' AND num NOT IN (SELECT complaint FROM incident)").Scan(&subjects))
	require.Zero(tb, subjects, "a complaint without its incident")
}
