package report

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

func (y *yearly) projections(today string) []Projection {
	over := 0 // months of the year that are over
	switch year := strconv.Itoa(y.q.Year); {
	case today[:4] > year:
		over = 12
	case today[:4] == year:
		month, _ := strconv.Atoi(today[5:7])
		over = month - 1
	}
	var out []Projection
	for _, account := range slices.Sorted(maps.Keys(y.months)) {
		first := min(y.firstMonth(account), over)
		for i, of := range []string{"due", "realized"} {
			if of == "realized" && !y.known || y.q.Totals && levyOf(y.v, account) == inventory.LevyPBJT && y.payers(account, of) < Fewest {
				continue
			}
			months := y.months[account][i]
			var since int64
			for _, amount := range months[over:] {
				since += amount
			}
			p := Project(months[first:over], since, 12-over)
			p.Account, p.Of, p.Target = account, of, y.target(targetKey{account: account, period: strconv.Itoa(y.q.Year), city: true})
			out = append(out, p)
		}
	}
	return out
}

// firstMonth returns the first month, from 0, of which the books have anything
// of an account: the months before it are not known, they brought not nothing.
func (y *yearly) firstMonth(account string) int {
	m := y.months[account]
	for month := range m[0] {
		if m[0][month] != 0 || m[1][month] != 0 {
			return month
		}
	}
	return len(m[0])
}

// t95 are the 95 % quantiles of Student's t by degrees of freedom, from 1.
var t95 = [...]float64{6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796}

// leastMonths is from how many months a year is projected.
const leastMonths = 3

// Project adds the months to come to those that are over, as if they were drawn
// from the same: their mean, and an interval of nine in ten by Student's t. It
// knows no season and no trend. With fewer than three months it knows nothing.
// What came since they were over, in the first of the rest, is never taken away.
func Project(done []int64, since int64, rest int) Projection {
	p := Projection{Months: len(done)}
	var sum float64
	for _, v := range done {
		sum += float64(v)
	}
	n, least := float64(len(done)), sum+float64(since)
	if rest == 0 {
		p.Known, p.Low, p.Mid, p.High = true, city.Rupiah(sum), city.Rupiah(sum), city.Rupiah(sum)
		return p
	}
	if len(done) < leastMonths {
		return p
	}
	var square float64
	for _, v := range done {
		square += (float64(v) - sum/n) * (float64(v) - sum/n)
	}
	coming := float64(rest)
	width := t95[len(done)-2] * math.Sqrt(square/(n-1)*(coming+coming*coming/n))
	mid := max(least, sum+coming*sum/n)
	p.Known = true
	p.Low, p.Mid, p.High = city.Rupiah(max(least, mid-width)), city.Rupiah(math.Round(mid)), city.Rupiah(math.Ceil(mid+width))
	return p
}
