package tariff

import (
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

// attainMost bounds the sums that CanCost goes through.
const attainMost = 1 << 16

// CanCost tells whether some stay of the class could cost this amount, with a
// lost ticket or without. It errs on one side only: what it denies, no stay
// costs. Where it would have to go through too many sums it denies nothing.
func (v *Version) CanCost(class city.Class, amount city.Rupiah) bool {
	r := v.Classes[class]
	if r == nil || amount < 0 {
		return false
	}
	return r.canCost(amount) || r.LostTicket > 0 && amount >= r.LostTicket && r.canCost(amount-r.LostTicket)
}

func (r *Rates) canCost(amount city.Rupiah) bool {
	if amount == 0 && r.FreeMinutes > 0 {
		return true
	}
	begins, more := r.coins()
	for _, b := range begins {
		if b <= amount && sumOf(amount-b, more) {
			return true
		}
	}
	return false
}

// coins returns what the first charge of a stay may be, and what later ones
// may add, each any number of times.
func (r *Rates) coins() (begins, more []city.Rupiah) {
	days := r.DailyMax > 0 || r.EachDay
	charge := func(c *Charge, ruled bool) {
		if c.Flat {
			begins = append(begins, c.FlatAmount)
			if days || ruled {
				more = append(more, c.FlatAmount)
			}
			return
		}
		begins = append(begins, c.First.Amount)
		more = append(more, c.Next.Amount)
		if days {
			more = append(more, c.First.Amount)
		}
	}
	charge(&r.Charge, len(r.Rules) > 0)
	for i := range r.Rules {
		charge(&r.Rules[i].Charge, true)
	}
	if r.DailyMax > 0 {
		begins, more = append(begins, r.DailyMax), append(more, r.DailyMax)
	}
	return begins, more
}

// sumOf tells whether amount is a sum of coins.
func sumOf(amount city.Rupiah, coins []city.Rupiah) bool {
	coins = slices.DeleteFunc(slices.Clone(coins), func(c city.Rupiah) bool { return c <= 0 })
	if amount == 0 {
		return true
	}
	var unit city.Rupiah
	for _, c := range coins {
		unit = gcd(unit, c)
	}
	if unit == 0 || amount%unit != 0 {
		return false
	}
	n := amount / unit
	if n > attainMost {
		return true
	}
	reached := make([]bool, n+1)
	reached[0] = true
	for _, c := range coins {
		for at := c / unit; at <= n; at++ {
			reached[at] = reached[at] || reached[at-c/unit]
		}
	}
	return reached[n]
}

func gcd(a, b city.Rupiah) city.Rupiah {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
