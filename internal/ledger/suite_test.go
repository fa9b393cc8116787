package ledger

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/journal/followertest"
)

// TestSuite: receipts of four meters in any order, with voids before and after
// their receipt, reprints, numbers used again, and totals that leap.
func TestSuite(t *testing.T) {
	chance := rand.New(rand.NewPCG(6, 6))
	tills := []*till{{device: "meter-a", boot: 1}, {device: "meter-c", boot: 1}, {device: "meter-d", boot: 2}, {device: "stranger", boot: 1}}
	var readings []*city.Reading
	for i := range int64(64) {
		m := tills[chance.IntN(len(tills))]
		at := day0 + i*9*hour
		r := m.paper(at, strconv.Itoa(chance.IntN(25)), 2000+1000*chance.Int64N(2), city.Methods[chance.IntN(len(city.Methods))])
		r.Receipt.Void = chance.IntN(4) == 0
		if chance.IntN(2) == 0 {
			r.Receipt.TotalCount = city.SomeInt(int64(m.seq) + chance.Int64N(2))
		}
		readings = append(readings, r)
	}
	for i := range readings { // late ones
		if chance.IntN(5) == 0 {
			k := min(len(readings)-1, i+chance.IntN(40))
			readings[i], readings[k] = readings[k], readings[i]
		}
	}
	entries := withActs(append([]journal.Entry{{Pos: 1, Recv: day0, Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{}}}, log(readings...)...))
	timeline := testTimeline(t)
	type question = followertest.Question[*Follower]
	questions := map[string]question{
		"receipts": {Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) {
			all := ReceiptQuery{From: -1 << 60, To: 1 << 60, Limit: 1000}
			list, _, err := f.Receipts(ctx, all)
			return list, err
		}},
		"summary":          {Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) { return f.Summary(ctx, 2026, false) }},
		"summary as filed": {Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) { return f.Summary(ctx, 2026, true) }},
		"credits":          {Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) { return f.Credits(ctx, CreditQuery{}) }},
		"accesses": {Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) {
			list, _, err := f.Accesses(ctx, AccessQuery{To: 1 << 60})
			return list, err
		}},
		"content": {Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) {
			hash, ok, err := f.Content(ctx, readings[30])
			return []any{hash, ok}, err
		}},
	}
	for _, t := range []journal.Type{journal.TypeDeposit, journal.TypeKarcis, journal.TypeHandover, journal.TypeDeclaration, journal.TypeClose} {
		questions["lines of type "+strconv.Itoa(int(t))] = question{Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) {
			list, _, err := f.Lines(ctx, LineQuery{Type: t})
			return list, err
		}}
	}
	for _, outcome := range []Outcome{Booked, Known, Conflict, Refused} {
		questions["outcome "+strconv.Itoa(int(outcome))] = question{Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) {
			for i := range entries {
				if !entries[i].Type.IsAct() {
					continue
				}
				v, err := f.VerdictAt(ctx, entries[i].Pos)
				if city.KindOf(err) == city.KindNotFound { // none after it can be there
					return nil, nil
				}
				if err != nil || v.Outcome == outcome {
					return v, err
				}
			}
			return nil, nil
		}}
	}
	for _, group := range []string{"site", "account", "method"} {
		questions["filed daily by "+group] = question{Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) {
			return f.Daily(ctx, DailyQuery{FromDate: "2026-01-01", ToDate: "2027-01-01", Group: group, Filed: true})
		}}
		questions["daily by "+group] = question{Flushed: true, Ask: func(ctx context.Context, f *Follower) (any, error) {
			return f.Daily(ctx, DailyQuery{FromDate: "2026-01-01", ToDate: "2027-01-01", Group: group})
		}}
	}
	followertest.Suite(t, followertest.Subject[*Follower]{
		File: "ledger.db", Entries: entries, Questions: questions,
		Open: func(tb testing.TB, dir string) *Follower {
			tb.Helper()
			f, err := open(tb.Context(), filepath.Join(dir, "ledger.db"), Options{Timeline: timeline, Zone: wib}, "OFF")
			require.NoError(tb, err)
			return f
		},
	})
}
