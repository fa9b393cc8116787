package journal_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
)

// TestPowerLossInQuarantine: what was put, marked or let expire before the cut
// is so after it; what was under way is done whole or not at all; and putting
// the same again changes nothing.
func TestPowerLossInQuarantine(t *testing.T) {
	t.Parallel()
	limits := journal.Limits{PerDevice: 12, Total: 30}
	dir := powercut.Folder(t)
	disk := powercut.New(t, dir, 0).Checkpoint(8)
	trace, acks := disk.Record(), powercut.NewAcks[[]journal.Item](disk)
	q := openQuarantine(t, filepath.Join(dir, "quarantine.db"), limits)
	list := func(q *journal.Quarantine) []journal.Item {
		items, err := q.List(t.Context(), journal.Filter{}, 0, 1000)
		require.NoError(t, err)
		return append([]journal.Item{}, items...)
	}
	put := func(q *journal.Quarantine, i int) []int64 {
		ids, err := q.Put(t.Context(), []journal.Item{
			refused([]string{"a", "b", "c"}[i%3], 2*i, city.ReasonTooOld), refused("d", 2*i+1, city.ReasonChecksum),
		})
		require.NoError(t, err)
		return ids
	}
	acks.Add(list(q))
	for i := range 40 {
		ids := put(q, i)
		acks.Add(list(q))
		switch i % 4 {
		case 1:
			require.NoError(t, q.MarkRetried(t.Context(), ids[0], "accepted"))
			acks.Add(list(q))
		case 3:
			_, err := q.Expire(t.Context(), day0+int64(i)/2)
			require.NoError(t, err)
			acks.Add(list(q))
		}
	}
	require.NoError(t, q.Close())
	disk.Off()

	all := acks.All()
	trace.Each(t, 1200, func(dir string, ops int) {
		q, err := journal.OpenQuarantine(t.Context(), filepath.Join(dir, "quarantine.db"), [32]byte{1, 2, 3}, limits)
		require.NoError(t, err)
		defer q.Close()
		got, acked := list(q), max(1, len(acks.Before(ops)))
		if next := min(acked, len(all)-1); len(got) != len(all[acked-1]) || !equalItems(got, all[acked-1]) {
			require.Equal(t, all[next], got, "neither what was acknowledged nor that and what was under way")
		}
		require.Equal(t, len(got), q.Counts().Items)
		for i := range got {
			one, err := q.Get(t.Context(), got[i].ID)
			require.NoError(t, err)
			require.Contains(t, string(one.Raw), "B 1234 XYZ")
		}
	})
}

func equalItems(a, b []journal.Item) bool {
	for i := range a {
		if a[i].ID != b[i].ID || a[i].Retried != b[i].Retried {
			return false
		}
	}
	return len(a) == len(b)
}
