package watch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/journal/followertest"
)

// quick makes incidents come and go within hours.
const quick = `meter_totals: {grace_min: 5, recover_min: 15, settle_days: 1}
receipt_numbers: {grace_min: 5, recover_min: 15, settle_days: 1}
meter_silent: {no_history_h: 3}
off_tariff: {least: 2, settle_days: 1}
voids: {least: 1, night_least: 1, ratio: 0.01, improbable: 0.5, settle_days: 1}
stays: {grace_h: 1, least: 1, improbable: 0.5, settle_days: 1}
leak: {grace_h: 1, settle_days: 1}
`

// always answers the same, whoever asks and when.
type always struct{}

func (always) Seen(_ context.Context, site string, from, _, _ int64, _ uint64) (Seen, bool, error) {
	return cars(from/dayMs%3*10, from/dayMs%3*10, 0.99), site == "b", nil
}

func (always) Day(_ context.Context, _, date string, _ uint64) (Reconciled, bool, error) {
	return Reconciled{Low: 100_000, Recorded: 1, Coverage: 1, Known: date[9] == '4'}, true, nil
}

// story is some days of two meters to which everything happens.
func story(tb testing.TB, steps int) *world {
	tb.Helper()
	w := newWorld(tb, Options{Stays: always{}, Reconciliation: always{}}, town(tb, quick, "m1@a", "m2@b"))
	dice := rand.New(rand.NewPCG(11, 12))
	count, seq := map[string]int64{}, map[string]uint64{}
	for i := range steps {
		w.now += dice.Int64N(10) * minuteMs
		m := fmt.Sprint("m", 1+dice.IntN(2))
		switch dice.IntN(12) {
		case 0, 1, 2:
			w.put(journal.Entry{Type: journal.TypeTick})
		case 3:
			w.until(w.now + dice.Int64N(5)*hourMs)
		case 4:
			c := journal.Closure{ID: fmt.Sprint("c", dice.IntN(3)), Site: "a", From: w.now, Until: w.now + dice.Int64N(9)*hourMs, Reason: "event"}
			w.put(journal.Entry{Type: journal.TypeClosure, Closure: &c})
		case 5:
			w.put(journal.Entry{Type: journal.TypeReopen, Closure: &journal.Closure{ID: fmt.Sprint("c", dice.IntN(3))}})
		case 6:
			if i%5 == 0 {
				w.accept(town(tb, quick, "m1@b", "m2@b"))
			} else {
				w.accept(town(tb, quick, "m1@a", "m2@b"))
			}
		default:
			if dice.IntN(5) > 0 {
				seq[m]++
				count[m]++
			}
			b := city.Receipt{
				Number: fmt.Sprint("A", count[m]+dice.Int64N(2)), Amount: city.Rupiah(1000 * (1 + dice.Int64N(5))), Class: city.Car, Method: city.Cash,
				Void: dice.IntN(6) == 0, TotalCount: city.SomeInt(count[m] + dice.Int64N(2)), TotalAmount: city.SomeInt(count[m] * 4000),
			}
			w.sent(m, seq[m]+uint64(dice.IntN(3)), w.now-dice.Int64N(30)*minuteMs, b)
		}
	}
	return w
}

func rulesOf(list []Incident) (rules []Rule) {
	for _, i := range list {
		if !slices.Contains(rules, i.Rule) {
			rules = append(rules, i.Rule)
		}
	}
	return rules
}

func TestSuite(t *testing.T) {
	w := story(t, 700)
	all := w.all()
	require.Greater(t, len(rulesOf(all)), 9, "%v", rulesOf(all))
	states := map[State]int{}
	for _, i := range all {
		states[i.State]++
	}
	require.Positive(t, states[StateOpen])
	require.Positive(t, states[StateClosed])
	ask := func(q Query) followertest.Question[*Follower] {
		return followertest.Question[*Follower]{Ask: func(ctx context.Context, f *Follower) (any, error) {
			list, next, err := f.Incidents(ctx, q)
			return []any{list, next}, err
		}}
	}
	some := all[len(all)/2]
	followertest.Suite(t, followertest.Subject[*Follower]{
		File: "watch.db", Entries: w.entries,
		Questions: map[string]followertest.Question[*Follower]{
			"all": ask(Query{}), "a page": ask(Query{Limit: 3}), "closed": ask(Query{State: StateClosed, Limit: 100}), "of a device": ask(Query{Device: "m1"}),
			"one": {Ask: func(ctx context.Context, f *Follower) (any, error) { return f.Incident(ctx, some.ID) }},
		},
		Open: func(tb testing.TB, dir string) *Follower {
			tb.Helper()
			f, err := Open(tb.Context(), filepath.Join(dir, "watch.db"), w.f.o)
			require.NoError(tb, err)
			return f
		},
	})
}

// TestARestartAnywhereGivesTheSameIncidents opens the follower anew after each
// flush, wherever it falls.
func TestARestartAnywhereGivesTheSameIncidents(t *testing.T) {
	w := story(t, 400)
	want := w.all()
	for _, every := range []int{1, 7, 61} {
		dir := t.TempDir()
		f, err := Open(t.Context(), filepath.Join(dir, "watch.db"), w.f.o)
		require.NoError(t, err)
		for at := 0; at < len(w.entries); at += every {
			part := w.entries[at:min(at+every, len(w.entries))]
			require.NoError(t, f.Apply(part))
			if every > 1 || at%9 == 0 {
				require.NoError(t, f.Flush())
				require.NoError(t, f.Close())
				f, err = Open(t.Context(), filepath.Join(dir, "watch.db"), w.f.o)
				require.NoError(t, err)
				require.NoError(t, f.Apply(w.entries[:at+len(part)]))
			}
		}
		got, _, err := f.Incidents(t.Context(), Query{})
		require.NoError(t, err)
		require.Equal(t, want, got, "every %d", every)
		require.NoError(t, f.Close())
	}
}

// TestPagesAreTheWhole: page by page, each incident once, in order.
func TestPagesAreTheWhole(t *testing.T) {
	w := story(t, 500)
	w.flush()
	w.until(w.now + 30*hourMs) // some changed since the flush
	all := w.all()
	for _, limit := range []int{1, 2, 5} {
		var got []Incident
		q := Query{Limit: limit}
		for {
			page, next, err := w.f.Incidents(t.Context(), q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), limit)
			got = append(got, page...)
			if q.After = next; next == "" {
				break
			}
		}
		require.Equal(t, all, got)
	}
	_, _, err := w.f.Incidents(t.Context(), Query{After: "x"})
	require.Equal(t, city.KindInvalid, city.KindOf(err))
	mid := all[len(all)/2].OpenedAt
	later, _, err := w.f.Incidents(t.Context(), Query{From: mid, Rules: []Rule{all[0].Rule}})
	require.NoError(t, err)
	earlier, _, err := w.f.Incidents(t.Context(), Query{To: mid, Rules: []Rule{all[0].Rule}})
	require.NoError(t, err)
	n := 0
	for _, i := range all {
		if i.Rule == all[0].Rule {
			n++
		}
	}
	require.Equal(t, n, len(later)+len(earlier))
	require.NotEmpty(t, later)
}
