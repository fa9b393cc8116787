package watch

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
)

// made is one paper of a meter as it was made.
type made struct {
	seq      uint64
	number   int
	amount   int64
	void     bool
	reprint  bool
	count    int64 // totals behind it
	sum      int64
	lost     bool
	arrives  int
	original int // index of the receipt of a void or reprint
}

func (m *made) does() (count, amount int64) {
	switch {
	case m.reprint:
		return 0, 0
	case m.void:
		return -1, -m.amount
	default:
		return 1, m.amount
	}
}

// drawPapers makes what a meter printed: some of it is lost, all else comes in
// another order, but a void or reprint behind its receipt.
func drawPapers(t *rapid.T) []made {
	n := rapid.IntRange(1, 50).Draw(t, "papers")
	count, sum := rapid.Int64Range(100, 1000).Draw(t, "count"), int64(500_000)
	var list []made
	number := rapid.IntRange(0, 500).Draw(t, "number")
	voided := map[int]bool{}
	for i := range n {
		m := made{seq: uint64(i + 1), arrives: i*3 + rapid.IntRange(0, 30).Draw(t, "delay")}
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		back := i - 1 - rapid.IntRange(0, 5).Draw(t, "back")
		plain := back >= 0 && !list[back].lost && !list[back].void && !list[back].reprint && !voided[back]
		switch {
		case kind < 2 && plain:
			m.number, m.amount, m.original, m.void, m.reprint = list[back].number, list[back].amount, back, kind == 0, kind == 1
			voided[back] = kind == 0
			m.arrives = max(m.arrives, list[back].arrives+1)
		default:
			number++
			m.number, m.amount = number, rapid.Int64Range(1, 9).Draw(t, "amount")*1000
		}
		c, a := m.does()
		count, sum = count+c, sum+a
		m.count, m.sum = count, sum
		m.lost = i > 0 && rapid.IntRange(0, 3).Draw(t, "lost") == 0
		if i == 0 {
			m.arrives = -1
		}
		list = append(list, m)
	}
	return list
}

// slowTotals goes through all that came, sorted.
func slowTotals(came []made) (spans, count, amount int64) {
	for i := 1; i < len(came); i++ {
		c, a := came[i].does()
		c, a = came[i].count-came[i-1].count-c, came[i].sum-came[i-1].sum-a
		if c != 0 || a != 0 {
			spans, count, amount = spans+1, count+c, amount+a
		}
	}
	return spans, count, amount
}

// slowMissing lists every number between the lowest and highest that did not
// come.
func slowMissing(came []made) (missing []string) {
	there := map[int]bool{}
	lo, hi := 1<<30, 0
	for _, m := range came {
		if !m.void && !m.reprint {
			there[m.number] = true
			lo, hi = min(lo, m.number), max(hi, m.number)
		}
	}
	for n := lo; n <= hi; n++ {
		if !there[n] {
			missing = append(missing, fmt.Sprintf("A%04d", n))
		}
	}
	return missing
}

func spelled(ranges []Range) (all []string) {
	for _, r := range ranges {
		var from, to int
		_, err := fmt.Sscanf(r.From+" "+r.To, "A%d A%d", &from, &to)
		if err != nil {
			return []string{err.Error()}
		}
		for n := from; n <= to; n++ {
			all = append(all, fmt.Sprintf("A%04d", n))
		}
	}
	return all
}

// TestAgainstSlowModel: what stands does not depend on the order in which
// papers came, and is what a model finds that keeps them all.
func TestAgainstSlowModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		papers := drawPapers(rt)
		came := slices.DeleteFunc(slices.Clone(papers), func(m made) bool { return m.lost })
		arrival := slices.Clone(came)
		slices.SortStableFunc(arrival, func(a, b made) int { return a.arrives - b.arrives })
		s, n := &totals{}, &numbers{}
		r := newRig(t, s)
		r.numbers = n
		for _, m := range arrival {
			r.giveAs(m.seq, city.Receipt{
				Number: fmt.Sprintf("A%04d", m.number), Amount: city.Rupiah(m.amount), Void: m.void,
				TotalCount: city.SomeInt(m.count), TotalAmount: city.SomeInt(m.sum),
			}, monday+8*hourMs+int64(m.seq)*minuteMs)
		}
		r.pass(2 * hourMs)
		r.d = n
		r.pass(2 * hourMs)

		spans, count, amount := slowTotals(came)
		require.Equal(rt, spans, r.standing[RuleTotalGap].count+r.standing[RuleTotalRollback].count+r.standing[RuleTotalReset].count)
		if spans > 0 {
			require.NotContains(rt, r.standing, RuleTotalReset)
			require.NotContains(rt, r.standing, RuleTotalRollback, "all that fell is explained by what is missing")
			require.Equal(rt, []int64{count, amount}, []int64{r.sum(RuleTotalGap, "receipts"), r.sum(RuleTotalGap, "amount_rp")})
		}
		require.NotContains(rt, r.standing, RuleNumberDoubled)
		missing := slowMissing(came)
		require.Equal(rt, missing, spelledAll(n))
		require.Equal(rt, int64(len(missing)), r.standing[RuleNumberMissing].count)
		if len(r.standing[RuleNumberMissing].ranges) < mostRanges {
			require.Equal(rt, missing, spelled(r.standing[RuleNumberMissing].ranges))
		}
	})
}

// spelledAll is what the detector remembers, not only what it shows.
func spelledAll(n *numbers) []string {
	var ranges []Range
	for i := range n.Rolls {
		for _, h := range n.Rolls[i].Holes {
			ranges = append(ranges, Range{n.Rolls[i].show(h.From), n.Rolls[i].show(h.To)})
		}
	}
	return spelled(ranges)
}
