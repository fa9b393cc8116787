package fleet

import (
	"fmt"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
)

// rollsBack lets the running totals fall where that was planted.
func (t *till) rollsBack() {
	for _, p := range t.d.plants {
		if p.Kind != scenario.MeterRollback {
			continue
		}
		t.d.f.at(p.from, func(at int64) {
			papers := min(t.count, int64(p.By))
			if t.count > 0 {
				t.amount -= t.amount / t.count * papers
			}
			t.count -= papers
			t.d.f.o.Truth.Line(truth.Line{What: truth.Fault, Fault: string(p.Kind), Device: t.d.inv.ID, At: at})
		})
	}
}

// number is the next paper's; one of which it was planted has that of the paper
// before, where that had another amount: no number is on three papers.
func (t *till) number(at int64, amount city.Rupiah) string {
	if t.n > 0 && !t.twice && t.last != amount && t.d.happens(scenario.NumberDoubled, at) {
		t.twice = true
	} else {
		t.n++
		t.twice, t.last = false, amount
	}
	return fmt.Sprintf("%s-%06d", t.series, t.n)
}

// phantom prints a paper for nobody, beside one for somebody.
func (t *till) phantom(at int64, r city.Receipt) {
	if r.Amount == 0 || !t.d.happens(scenario.Phantom, at) {
		return
	}
	r.Number = t.number(at, r.Amount)
	t.count++
	t.amount += int64(r.Amount)
	t.print(at, r, false)
}
