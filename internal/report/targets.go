package report

import (
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// targetKey is an account's period, of the whole city or of a kecamatan.
type targetKey struct {
	account, period string
	kecamatan       string
	city            bool
}

// target returns what an account should bring in a period: a year, month or
// quarter; a month or quarter only where each month has a target. The city's own
// line counts, else its months, else the lines of sites; a kecamatan has those
// of its sites.
func (y *yearly) target(of targetKey) city.Int {
	t, known := y.targets[of]
	if !known {
		t = y.targetOf(of)
		y.targets[of] = t
	}
	return t
}

func (y *yearly) targetOf(of targetKey) city.Int {
	budgets := []string{y.q.Budget}
	if y.q.Budget == "" {
		budgets = []string{"perubahan", "murni"}
	}
	for _, budget := range budgets {
		lines := y.lines(of, budget)
		switch period := of.period; {
		case len(period) == len("2026-03-02"):
		case strings.Contains(period, "Q"):
			q := int(period[len(period)-1] - '0')
			if t := lines.months(q*3-2, q*3-1, q*3); t.OK {
				return t
			}
		case len(period) == len("2026-03"):
			m, _ := strconv.Atoi(period[5:])
			if t := lines.months(m); t.OK {
				return t
			}
		default:
			if t := lines.year(); t.OK {
				return t
			}
		}
	}
	return city.Int{}
}

// targetLines are the targets of an account and budget by month, 0 the year: the
// city's own, and the sums of its sites.
type targetLines struct{ own, sites [13]city.Int }

func (y *yearly) lines(of targetKey, budget string) (l targetLines) {
	for i := range y.v.Targets {
		t := &y.v.Targets[i]
		if t.Account != of.account || t.Year != y.q.Year || t.Budget != budget {
			continue
		}
		if t.Site == "" {
			if of.city {
				l.own[t.Month] = city.SomeInt(int64(t.Target))
			}
			continue
		}
		if s := y.v.Site(t.Site); of.city || s != nil && s.Kecamatan == of.kecamatan {
			l.sites[t.Month] = city.SomeInt(l.sites[t.Month].V + int64(t.Target))
		}
	}
	return l
}

// months is unset where one of them has no target.
func (l *targetLines) months(months ...int) (sum city.Int) {
	for _, m := range months {
		t := l.own[m]
		if !t.OK {
			t = l.sites[m]
		}
		if !t.OK {
			return city.Int{}
		}
		sum = city.SomeInt(sum.V + t.V)
	}
	return sum
}

func (l *targetLines) year() city.Int {
	if l.own[0].OK {
		return l.own[0]
	}
	for _, lines := range [][]city.Int{l.own[1:], l.sites[:]} {
		var sum city.Int
		for _, t := range lines {
			if t.OK {
				sum = city.SomeInt(sum.V + t.V)
			}
		}
		if sum.OK {
			return sum
		}
	}
	return city.Int{}
}
