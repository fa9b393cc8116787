// Package seriestest holds how whoever answers for readings must behave: the
// embedded series, and the series that is joined with a server's.
package seriestest

import (
	"cmp"
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// Source answers for readings.
type Source interface {
	// Readings returns a device's readings in the order of time, those of one
	// time by position.
	Readings(ctx context.Context, q series.Query) (series.Page, error)
}

// Run holds a source to the truth: all entries that it should know, of any
// devices. It asks for so many parts of it, seeded.
func Run(t *testing.T, s Source, truth []journal.Entry, parts int) {
	t.Helper()
	devices := map[string][]journal.Entry{}
	from, to := int64(1<<62), int64(-1<<62)
	for _, e := range truth {
		devices[e.Reading.Device] = append(devices[e.Reading.Device], e)
		from, to = min(from, e.Reading.At), max(to, e.Reading.At+1)
	}
	names := slices.Sorted(maps.Keys(devices))
	for _, all := range devices {
		slices.SortFunc(all, func(a, b journal.Entry) int {
			return cmp.Or(cmp.Compare(a.Reading.At, b.Reading.At), cmp.Compare(a.Pos, b.Pos))
		})
	}
	walk := func(t *testing.T, q series.Query) {
		t.Helper()
		var want []journal.Entry
		for _, e := range devices[q.Device] {
			if e.Reading.At >= q.From && e.Reading.At < q.To && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Reading.Kind)) {
				want = append(want, e)
			}
		}
		var got []journal.Entry
		for {
			page, err := s.Readings(t.Context(), q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Entries), q.Limit)
			got = append(got, page.Entries...)
			if page.Next == nil {
				break
			}
			require.NotEmpty(t, page.Entries, "a page that is not the last has something")
			require.LessOrEqual(t, len(got), len(want), "%+v", q)
			q.After = page.Next
		}
		require.Len(t, got, len(want), "%+v", q)
		for i := range want {
			require.Equal(t, want[i], got[i], "%+v: %d of %d", q, i, len(want))
		}
	}
	t.Run("all of each device", func(t *testing.T) {
		for _, name := range names {
			walk(t, series.Query{Device: name, From: from, To: to, Limit: len(truth) + 1})
		}
	})
	t.Run("in pages", func(t *testing.T) {
		for _, name := range names {
			walk(t, series.Query{Device: name, From: from, To: to, Limit: max(len(devices[name])/7, 1)})
		}
	})
	t.Run("nothing", func(t *testing.T) {
		for _, q := range []series.Query{
			{Device: "nobody", From: from, To: to, Limit: 10},
			{Device: names[0], From: to, To: to + 1000, Limit: 10},
			{Device: names[0], From: from, To: from, Limit: 10},
			{Device: names[0], From: to, To: from, Limit: 10},
		} {
			page, err := s.Readings(t.Context(), q)
			require.NoError(t, err)
			require.Empty(t, page.Entries)
			require.Nil(t, page.Next)
		}
	})
	t.Run("any part", func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 0x71))
		for range parts {
			q := series.Query{Device: names[r.IntN(len(names))], From: from + r.Int64N(to-from), Limit: 1 + r.IntN(60)}
			q.To = q.From + r.Int64N(to-q.From+2)
			for _, k := range city.Kinds {
				if r.IntN(3) == 0 {
					q.Kinds = append(q.Kinds, k)
				}
			}
			if n := len(devices[q.Device]); n > 3000 && q.Limit < 30 {
				q.Limit = 500
			}
			walk(t, q)
		}
	})
}

// Model is a source that is a list.
type Model []journal.Entry

// Readings looks through the list.
func (m Model) Readings(_ context.Context, q series.Query) (page series.Page, err error) {
	found := slices.DeleteFunc(slices.Clone(m), func(e journal.Entry) bool {
		r := e.Reading
		return r.Device != q.Device || r.At < q.From || r.At >= q.To || len(q.Kinds) > 0 && !slices.Contains(q.Kinds, r.Kind) ||
			q.After != nil && cmp.Or(cmp.Compare(r.At, q.After.At), cmp.Compare(e.Pos, q.After.Pos)) <= 0
	})
	slices.SortFunc(found, func(a, b journal.Entry) int {
		return cmp.Or(cmp.Compare(a.Reading.At, b.Reading.At), cmp.Compare(a.Pos, b.Pos))
	})
	page.Entries = found
	if len(found) > q.Limit {
		page.Entries = found[:q.Limit]
		last := &page.Entries[q.Limit-1]
		page.Next = &series.Cursor{At: last.Reading.At, Pos: last.Pos}
	}
	return page, nil
}
