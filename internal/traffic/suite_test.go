package traffic_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/journal/followertest"
	"github.com/simpang-id/simpang/internal/traffic"
)

// TestSuite: two hours of a shared road and a divided one, with late
// readings, closures and a change of the inventory.
func TestSuite(t *testing.T) {
	t.Parallel()
	before := parse(t, files(t, device("d", "a", 60)+device("e", "b", 300)+device("g", "c", 60), "", shared("a", "b"), shared("b", "a"), divided("c")))
	after := parse(t, files(t, device("d", "a", 60)+device("e", "c", 300)+device("g", "c", 120), "", shared("a", "b"), shared("b", "a"), divided("c")))
	r := newRig(t, before)
	chance := rand.New(rand.NewPCG(4, 4))
	lane := func(n uint16) city.Lane {
		return speed(ln(n, chance.Uint32N(40), chance.Uint32N(30), chance.Uint32N(5)), float64(5+chance.IntN(60)))
	}
	for i := range int64(110) {
		at := noon + i*minute
		switch chance.IntN(10) {
		case 0:
			at -= chance.Int64N(90) * minute // late
		case 1:
			at += 30 * second
		}
		r.reading("d", at, 60, lane(1), back(lane(1)))
		if i%5 == 0 {
			r.reading("e", at-i%2*7*minute, 300, lane(1))
		}
		if chance.IntN(4) > 0 {
			r.reading("g", at, 60, lane(1), lane(2))
		}
		switch i {
		case 40:
			r.append(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "1", Segment: "a", From: noon + 50*minute, Reason: "works"}})
		case 60:
			r.accept(after)
		case 80:
			r.append(journal.Entry{Type: journal.TypeReopen, Closure: &journal.Closure{ID: "1"}})
			r.append(journal.Entry{Type: journal.TypeDay, Day: &journal.Day{Date: "2026-03-04", Closures: []journal.Closure{{ID: "2", Segment: "c", From: noon, Until: noon + 5*hour, Reason: "event"}}}})
		}
		r.tick(noon + i*minute)
	}
	type question = followertest.Question[*traffic.Follower]
	questions := map[string]question{
		"segments": {Ask: func(_ context.Context, f *traffic.Follower) (any, error) { return plain(f.Segments()), nil }},
		"congestion": {Ask: func(_ context.Context, f *traffic.Follower) (any, error) {
			c := f.Congestion()
			plain(c.Worst)
			return c, nil
		}},
	}
	for _, id := range []string{"a", "b", "c"} {
		questions["segment "+id] = question{Ask: func(_ context.Context, f *traffic.Follower) (any, error) {
			s, ok := f.Segment(id)
			s.Rev = 0
			return []any{s, ok}, nil
		}}
		questions["history of "+id] = question{Ask: func(ctx context.Context, f *traffic.Follower) (any, error) {
			return f.History(ctx, id, noon-2*hour, noon+4*hour, 15*minute)
		}}
		questions["counts of "+id] = question{Ask: func(ctx context.Context, f *traffic.Follower) (any, error) {
			return f.Counts(ctx, id, noon-2*hour, noon+4*hour)
		}}
	}
	followertest.Suite(t, followertest.Subject[*traffic.Follower]{
		File: "traffic.db", Entries: r.entries, Questions: questions,
		Open: func(tb testing.TB, dir string) *traffic.Follower {
			tb.Helper()
			f, err := traffic.Open(tb.Context(), filepath.Join(dir, "traffic.db"), traffic.Options{Timeline: r.timeline, Zone: time.UTC, Log: slog.New(slog.DiscardHandler)})
			require.NoError(tb, err)
			return f
		},
	})
}
