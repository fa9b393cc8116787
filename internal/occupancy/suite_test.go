package occupancy_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/journal/followertest"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// TestSuite: hours of spots, gates and counters, with late readings, resets,
// closures and a change of the inventory.
func TestSuite(t *testing.T) {
	files, _ := variants()
	w := newWorld(t, files[0])
	chance := rand.New(rand.NewPCG(5, 5))
	for i := range int64(100) {
		at := begin + i*180*second
		if chance.IntN(6) == 0 {
			at -= chance.Int64N(1500) * minute
		}
		w.now = begin + i*180*second
		switch i {
		case 30:
			w.put(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "1", Site: "g", From: at + 5*minute, Until: at + 90*minute, Reason: "works", PlacesLost: city.SomeInt(2)}})
		case 40:
			w.put(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "2", Site: "s", From: at, Reason: "flood"}})
		case 55:
			w.version(files[1])
		case 65:
			w.put(journal.Entry{Type: journal.TypeReopen, Closure: &journal.Closure{ID: "2"}})
			w.put(journal.Entry{Type: journal.TypeDay, Day: &journal.Day{Date: "2026-03-02", Closures: []journal.Closure{{ID: "3", Site: "c", From: begin, Until: at + hour, Reason: "event"}}}})
		case 85:
			w.version(files[0])
		}
		w.spot([]string{"s1", "s2", "s3"}[chance.IntN(3)], at, chance.IntN(2) == 0)
		w.gate([]string{"in", "out"}[chance.IntN(2)], at, []city.Class{city.Car, city.Motorcycle}[chance.IntN(2)], chance.IntN(5)-2)
		w.counted([]string{"c1", "c2"}[chance.IntN(2)], at, chance.Uint32N(15))
		w.tick(w.now)
	}
	type question = followertest.Question[*occupancy.Follower]
	questions := map[string]question{
		"sites": {Ask: func(_ context.Context, f *occupancy.Follower) (any, error) {
			list := f.Sites()
			for i := range list {
				list[i].Rev = 0
			}
			return list, nil
		}},
		"counts": {Ask: func(_ context.Context, f *occupancy.Follower) (any, error) { return f.Counts(), nil }},
		"stays": {Flushed: true, Ask: func(ctx context.Context, f *occupancy.Follower) (any, error) {
			return f.Stays(ctx, "s", 0, w.now+hour, 10_000)
		}},
		"lulls": {Flushed: true, Ask: func(ctx context.Context, f *occupancy.Follower) (any, error) {
			return f.Lulls(ctx, "s", 0, w.now+hour)
		}},
	}
	for _, id := range []string{"s", "g", "c"} {
		questions["site "+id] = question{Ask: func(_ context.Context, f *occupancy.Follower) (any, error) {
			s, spots, ok := f.Site(id)
			s.Rev = 0
			return []any{s, spots, ok}, nil
		}}
		questions["history of "+id] = question{Ask: func(ctx context.Context, f *occupancy.Follower) (any, error) {
			return f.History(ctx, id, city.Car, begin-26*hour, begin+8*hour, 30*minute)
		}}
	}
	followertest.Suite(t, followertest.Subject[*occupancy.Follower]{
		File: "occupancy.db", Entries: w.entries, Questions: questions,
		Open: func(tb testing.TB, dir string) *occupancy.Follower {
			tb.Helper()
			f, err := occupancy.Open(tb.Context(), filepath.Join(dir, "occupancy.db"), occupancy.Options{Timeline: w.timeline, Zone: zone, ChunkSize: 8})
			require.NoError(tb, err)
			return f
		},
	})
}
