package traffic_test

import (
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
	"github.com/simpang-id/simpang/internal/traffic"
)

// TestPowerLossLeavesWholeFlushes: the file may lose flushes, never parts of
// one: roll-ups are added to, so a part would be counted twice.
func TestPowerLossLeavesWholeFlushes(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60)+device("e", "b", 300)+device("g", "c", 60)+"h,traffic,c,\n", "",
		shared("a", "b"), shared("b", "a"), divided("c"))))
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		n := func(most uint32) uint32 { return random.Uint32N(most) }
		at := r.now + random.Int64N(3)*minute + int64(i) // no two readings of a lane at one time
		if random.IntN(6) == 0 {
			at -= random.Int64N(200) * minute
		}
		switch random.IntN(6) {
		case 0:
			r.tick(r.now + random.Int64N(5)*minute)
		case 1:
			r.reading("e", at, 300, speed(ln(1, n(9), n(9), n(3)), 40))
		case 2:
			r.reading([]string{"g", "h"}[random.IntN(2)], at, 60, ln(1, n(9), n(9), n(3)), ln(2, n(9), n(9), n(3)))
		case 3:
			if random.IntN(4) == 0 {
				r.append(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "x", Segment: "c", From: at, Until: at + hour, Reason: "works"}})
				continue
			}
			fallthrough
		default:
			r.reading("d", at, 60, ln(1, n(9), n(9), n(3)), back(ln(1, n(9), n(9), n(3))))
		}
	}
	powercut.Flushes[journal.Entry]{
		File: "traffic.db", Batches: powercut.InBatches(r.entries, 11),
		Open: func(tb testing.TB, path string) (powercut.Follower[journal.Entry], error) {
			tb.Helper()
			return traffic.Open(tb.Context(), path, traffic.Options{Timeline: r.timeline, Zone: time.UTC, Log: slog.New(slog.DiscardHandler), Retain: 30 * 24 * time.Hour})
		},
		Answers: func(tb testing.TB, f powercut.Follower[journal.Entry]) any {
			tb.Helper()
			o, ok := f.(*traffic.Follower)
			require.True(tb, ok)
			all := []any{plain(o.Segments())}
			for _, id := range []string{"a", "b", "c"} {
				counts, err := o.Counts(tb.Context(), id, noon-24*hour, r.now+hour)
				require.NoError(tb, err)
				points, err := o.History(tb.Context(), id, noon-8*hour, r.now+hour, 15*minute)
				require.NoError(tb, err)
				all = append(all, counts, points)
			}
			return all
		},
	}.Run(t, 1200)
	// What the points are compared with is the truth: d alone counts on a.
	var want traffic.Counts
	for _, e := range r.entries {
		if e.Type == journal.TypeReading && e.Reading.Device == "d" {
			l := e.Reading.Traffic.Lanes[0]
			want.SM, want.KR, want.KB = want.SM+int64(l.SM), want.KR+int64(l.KR), want.KB+int64(l.KB)
			want.CoveredMS += 60_000
		}
	}
	require.Equal(t, want, r.counts("a", noon-24*hour, r.now+hour))
}
