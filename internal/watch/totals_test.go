package watch

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// total is one reading of a hand-made sequence: seq, count, amount of the totals
// behind it, with a receipt of 1000 unless it says otherwise.
type total struct {
	seq           uint64
	number        string
	count, amount int64
	void          bool
	none          bool // no totals
}

func (r *rig) total(c total) {
	b := city.Receipt{Number: c.number, Amount: 1000, Void: c.void, TotalCount: city.SomeInt(c.count), TotalAmount: city.SomeInt(c.amount)}
	if c.none {
		b.TotalCount, b.TotalAmount = city.Int{}, city.Int{}
	}
	r.giveAs(c.seq, b, monday+8*hourMs+int64(c.seq)*minuteMs)
}

func TestTotals(t *testing.T) {
	for name, c := range map[string]struct {
		came []total
		want map[Rule]int64 // spans that stand
		sums [2]int64       // receipts and rupiah of the gap
	}{
		"all came":             {[]total{{1, "1", 10, 10_000, false, false}, {2, "2", 11, 11_000, false, false}, {3, "3", 12, 12_000, false, false}}, nil, [2]int64{}},
		"the first says where": {[]total{{9, "9", 500, 700_000, false, false}}, nil, [2]int64{}},
		"two are missing":      {[]total{{1, "1", 10, 10_000, false, false}, {4, "4", 13, 15_000, false, false}}, map[Rule]int64{RuleTotalGap: 1}, [2]int64{2, 4000}},
		"counted, and not sent": {
			[]total{{1, "1", 10, 10_000, false, false}, {2, "2", 12, 13_000, false, false}},
			map[Rule]int64{RuleTotalGap: 1},
			[2]int64{1, 2000},
		},
		"money without a receipt": {[]total{{1, "1", 10, 10_000, false, false}, {2, "2", 11, 19_000, false, false}}, map[Rule]int64{RuleTotalGap: 1}, [2]int64{0, 8000}},
		"came late": {
			[]total{{1, "1", 10, 10_000, false, false}, {4, "4", 13, 13_000, false, false}, {3, "3", 12, 12_000, false, false}, {2, "2", 11, 11_000, false, false}},
			nil,
			[2]int64{},
		},
		"one of two came late": {
			[]total{{1, "1", 10, 10_000, false, false}, {4, "4", 13, 13_000, false, false}, {3, "3", 12, 12_000, false, false}},
			map[Rule]int64{RuleTotalGap: 1},
			[2]int64{1, 1000},
		},
		"a void lowers them": {
			[]total{{1, "1", 10, 10_000, false, false}, {2, "1", 9, 9000, true, false}, {3, "3", 10, 10_000, false, false}},
			nil,
			[2]int64{},
		},
		"a void twice lowers them once": {
			[]total{{1, "1", 10, 10_000, false, false}, {2, "1", 9, 9000, true, false}, {3, "1", 9, 9000, true, false}},
			nil,
			[2]int64{},
		},
		"a void that did not come":        {[]total{{1, "1", 10, 10_000, false, false}, {3, "3", 10, 10_000, false, false}}, map[Rule]int64{RuleTotalGap: 1}, [2]int64{-1, -1000}},
		"a void that came late":           {[]total{{1, "1", 10, 10_000, false, false}, {3, "3", 10, 10_000, false, false}, {2, "1", 9, 9000, true, false}}, nil, [2]int64{}},
		"a reprint is not counted":        {[]total{{1, "1", 10, 10_000, false, false}, {2, "1", 10, 10_000, false, false}, {3, "3", 11, 11_000, false, false}}, nil, [2]int64{}},
		"rollback":                        {[]total{{1, "1", 100, 100_000, false, false}, {2, "2", 80, 80_000, false, false}, {3, "3", 81, 81_000, false, false}}, map[Rule]int64{RuleTotalRollback: 1}, [2]int64{}},
		"the money alone was turned back": {[]total{{1, "1", 100, 100_000, false, false}, {2, "2", 101, 61_000, false, false}}, map[Rule]int64{RuleTotalRollback: 1}, [2]int64{}},
		"reset":                           {[]total{{1, "1", 100, 100_000, false, false}, {2, "2", 1, 1000, false, false}, {3, "3", 2, 2000, false, false}}, map[Rule]int64{RuleTotalReset: 1}, [2]int64{}},
		"reset, and a gap behind it":      {[]total{{1, "1", 100, 100_000, false, false}, {5, "5", 4, 4000, false, false}}, map[Rule]int64{RuleTotalReset: 1, RuleTotalGap: 1}, [2]int64{3, 3000}},
		"the gap behind a reset is filled": {
			[]total{{1, "1", 100, 100_000, false, false}, {4, "4", 2, 2000, false, false}, {3, "3", 1, 1000, false, false}},
			map[Rule]int64{RuleTotalReset: 1},
			[2]int64{},
		},
		"readings without totals between": {
			[]total{{1, "1", 10, 10_000, false, false}, {2, "2", 0, 0, false, true}, {3, "3", 12, 12_000, false, false}},
			nil,
			[2]int64{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &totals{})
			for _, x := range c.came {
				r.total(x)
			}
			r.pass(30 * minuteMs)
			require.Empty(t, r.standing, "a late reading may still come")
			r.pass(2 * hourMs)
			got := map[Rule]int64{}
			for rule, f := range r.standing {
				got[rule] = f.count
			}
			if c.want == nil {
				require.Empty(t, got)
				return
			}
			require.Equal(t, c.want, got)
			if c.want[RuleTotalGap] > 0 {
				got := [2]int64{r.sum(RuleTotalGap, "receipts"), r.sum(RuleTotalGap, "amount_rp")}
				require.Equal(t, c.sums, got)
			}
		})
	}
}

func TestAGapThatIsFilledIsOver(t *testing.T) {
	r := newRig(t, &totals{})
	r.total(total{seq: 1, number: "1", count: 10, amount: 10_000})
	r.total(total{seq: 3, number: "3", count: 12, amount: 12_000})
	r.pass(3 * hourMs)
	r.total(total{seq: 2, number: "2", count: 11, amount: 11_000})
	r.pass(hourMs)
	require.Equal(t, []string{"+meter_total_gap 1", "-meter_total_gap"}, r.said)
}

// TestAReplacedMeterIsWatchedOn: its boots begin anew, and so does its order.
func TestAReplacedMeterIsWatchedOn(t *testing.T) {
	s := &totals{}
	r := newRig(t, s)
	give := func(boot, seq uint64, count int64, at int64) {
		c := receiptOf(&city.Reading{Device: "m", HasBoot: true, Boot: boot, Seq: seq, At: at, Receipt: &city.Receipt{
			Number: fmt.Sprint(boot, "-", seq, "x"), Amount: 1000, TotalCount: city.SomeInt(count), TotalAmount: city.SomeInt(1000 * count),
		}})
		c.place = r.x.place
		s.receipt(r.x, c)
	}
	for i := range uint64(5) {
		give(40, i, 500+int64(i), monday+int64(i)*minuteMs)
	}
	for i := range uint64(20) {
		count := int64(i) + 1
		if i >= 10 {
			count += 3 // three did not come
		}
		give(1, i, count, monday+hourMs+int64(i)*minuteMs)
	}
	r.pass(2 * hourMs)
	require.Equal(t, []string{"+meter_total_gap 1"}, r.said)
	require.Equal(t, int64(3), r.sum(RuleTotalGap, "receipts"))
}

func TestSpansAreGivenUp(t *testing.T) {
	s := &totals{}
	r := newRig(t, s)
	for i := range int64(200) { // every second one is missing
		r.total(total{seq: uint64(2 * i), number: "x", count: 2 * i, amount: 2000 * i})
		require.LessOrEqual(t, len(s.Spans), mostSpans)
	}
	r.pass(2 * hourMs)
	require.Len(t, r.said, 1)
	r.pass(36 * dayMs)
	require.Empty(t, s.Spans)
	require.Equal(t, []string{"+meter_total_gap 64", "-meter_total_gap"}, r.said)
}
