package journal

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// TestWhoIsInQuarantineIsReadFromAnIndex: never from the items, which hold what
// was sent, and never sorted as a whole.
func TestWhoIsInQuarantineIsReadFromAnIndex(t *testing.T) {
	q, err := OpenQuarantine(t.Context(), filepath.Join(t.TempDir(), "q.db"), [32]byte{1}, Limits{})
	require.NoError(t, err)
	defer q.Close()
	var items []Item
	for i := range 30 {
		items = append(items, Item{Recv: int64(i), Source: "b", Device: fmt.Sprint("d", i%10), Reason: city.ReasonUnknownDevice, Raw: fmt.Append(nil, i)})
	}
	_, err = q.Put(t.Context(), items)
	require.NoError(t, err)

	rows, err := q.db.R.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+heardQuery, "d3")
	require.NoError(t, err)
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &step))
		plan = append(plan, step)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"SEARCH item USING COVERING INDEX item_heard (device>?)"}, plan, "no other step: neither sorted nor grouped apart")

	var told []Heard
	require.NoError(t, q.Heard(t.Context(), "d3", func(h Heard) bool {
		told = append(told, h)
		return len(told) < 2
	}))
	require.Equal(t, []Heard{
		{Device: "d4", Source: "b", Reason: city.ReasonUnknownDevice, Items: 3, First: 4, Last: 24},
		{Device: "d5", Source: "b", Reason: city.ReasonUnknownDevice, Items: 3, First: 5, Last: 25},
	}, told, "and no more than was asked for")
}
