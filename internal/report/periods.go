package report

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
)

// mostCredits is how many references a period names.
const mostCredits = 20

// period adds a sum to its period: of PBJT an object's month, else an
// operator's. What is owed, and by when, is by the view as filed: what came after
// a month's close is owed with the next open one.
func (x *reconciling) period(s *ledger.Sum, views ledger.View) {
	key := keyOf(s)
	p := x.periods[key]
	if p == nil {
		p = &Period{Month: x.month.name, Operator: s.Operator, NPWPD: s.NPWPD, NOPD: key.nopd, Account: s.Account, Levy: s.Levy, Due: city.SomeInt(0), DueFiled: city.SomeInt(0)}
		x.periods[key] = p
	}
	if !slices.Contains(p.Sites, s.Site) {
		p.Sites = append(p.Sites, s.Site)
	}
	if views&ledger.KnownView != 0 {
		p.Recorded += s.Amount
		p.Due = city.Int{V: p.Due.V + int64(s.Due), OK: p.Due.OK && s.RatePPM >= 0}
	}
	if views&ledger.FiledView == 0 {
		return
	}
	p.DueFiled = city.Int{V: p.DueFiled.V + int64(s.Due), OK: p.DueFiled.OK && s.RatePPM >= 0}
	by := x.dueBy(s.Levy, s.Date)
	if p.DueBy = max(p.DueBy, by); x.today > by {
		p.DueNow.V += int64(s.Due)
	}
}

// owed settles the month's periods with its credits.
func (x *reconciling) owed(ctx context.Context) ([]Period, error) {
	x.merge()
	for i := range x.credits {
		x.credit(&x.credits[i])
	}
	x.carry()
	if x.known {
		declared, err := x.o.Treasury.Declarations(ctx, x.month.name)
		if err != nil {
			return nil, err
		}
		for i := range declared {
			x.declare(&declared[i])
		}
	}
	keys := make([]periodKey, 0, len(x.periods))
	for key := range x.periods {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareKeys)
	out := make([]Period, 0, len(keys))
	for _, key := range keys {
		p := x.periods[key]
		x.settle(p)
		if x.q.Site == "" || slices.Contains(p.Sites, x.q.Site) {
			out = append(out, *p)
		}
	}
	return out, nil
}

// merge makes one period of a taxpayer's objects where a credit, or what is carried
// of one, does not say for which of them it is.
func (x *reconciling) merge() {
	var of []periodKey
	for i := range x.credits {
		if c := &x.credits[i]; !x.ofOne(c) {
			of = append(of, periodKey{c.Operator, c.Account, ""})
		}
	}
	for i := range x.carried {
		if c := &x.carried[i]; c.nopd == "" && levyOf(x.v, c.account) == inventory.LevyPBJT {
			of = append(of, c.periodKey)
		}
	}
	for _, whole := range of {
		for key, p := range x.periods {
			if key.operator != whole.operator || key.account != whole.account || key.nopd == "" {
				continue
			}
			delete(x.periods, key)
			into := x.periods[whole]
			if into == nil {
				p.NOPD = ""
				x.periods[whole] = p
				continue
			}
			into.Sites = append(into.Sites, p.Sites...)
			into.Recorded += p.Recorded
			into.Due = city.Int{V: into.Due.V + p.Due.V, OK: into.Due.OK && p.Due.OK}
			into.DueFiled = city.Int{V: into.DueFiled.V + p.DueFiled.V, OK: into.DueFiled.OK && p.DueFiled.OK}
			into.DueNow.V += p.DueNow.V
			into.DueBy = max(into.DueBy, p.DueBy)
		}
	}
	for _, p := range x.periods {
		slices.Sort(p.Sites)
	}
}

func (x *reconciling) ofOne(c *Credit) bool {
	_, ok := x.nopdOf(c)
	return ok
}

// nopdOf returns the object that a credit is for, "" where its levy has none;
// false where it could be for one of several.
func (x *reconciling) nopdOf(c *Credit) (string, bool) {
	if s := x.v.Site(c.Site); s != nil && s.Levy == inventory.LevyPBJT {
		return s.NOPD, true
	}
	found := []string{}
	for key := range x.periods {
		if key.operator == c.Operator && key.account == c.Account && !slices.Contains(found, key.nopd) {
			found = append(found, key.nopd)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return "", len(found) == 0
}

func (x *reconciling) credit(c *Credit) {
	nopd, _ := x.nopdOf(c)
	key := periodKey{c.Operator, c.Account, nopd}
	p := x.periods[key]
	if p == nil {
		if p = x.periods[periodKey{c.Operator, c.Account, ""}]; p == nil { // paid, and nothing recorded
			p = &Period{Month: x.month.name, Operator: c.Operator, NOPD: nopd, Account: c.Account, Due: city.SomeInt(0), DueFiled: city.SomeInt(0)}
			p.Levy = levyOf(x.v, c.Account)
			p.DueBy = x.dueBy(p.Levy, x.month.from)
			if o := x.v.Operator(c.Operator); o != nil {
				p.NPWPD = o.NPWPD
			}
			x.periods[key] = p
		}
	}
	if i, found := slices.BinarySearch(p.Sites, c.Site); c.Site != "" && !found {
		p.Sites = slices.Insert(p.Sites, i, c.Site)
	}
	if c.Kind == KindSettlement {
		p.Settled.V += int64(c.Net)
		p.Fee.V += int64(c.Fee)
	} else {
		p.Deposited.V += int64(c.Net)
	}
	if x.today > x.dueBy(p.Levy, c.PeriodFrom) {
		p.paidNow += c.Net
	}
	if len(p.Credits) < mostCredits {
		p.Credits = append(p.Credits, c.Reference)
	}
}

// carry moves to the month with which they were filed what was paid of entries that
// came after their month's close.
func (x *reconciling) carry() {
	for i := range x.carried {
		c := &x.carried[i]
		p := cmp.Or(x.periods[c.periodKey], x.periods[periodKey{c.operator, c.account, ""}])
		switch {
		case p == nil: // its filed and known sums cancel out: nothing is owed, nothing was paid
		case c.from == x.month.name:
			p.CarriedOut += c.amount
			if x.today > p.DueBy {
				p.paidNow -= c.amount
			}
		default:
			p.CarriedIn += c.amount
			p.paidNow += c.now
			if len(p.Credits) < mostCredits {
				p.Credits = append(p.Credits, c.reference)
			}
		}
	}
}

// declare adds a filed SPTPD to the period that it is of: its object's, or the
// taxpayer's where those are one. One of which nothing was recorded or credited
// has a period of its own: what was declared is not left out.
func (x *reconciling) declare(d *Declaration) {
	var found *Period
	for _, key := range slices.SortedFunc(maps.Keys(x.periods), compareKeys) {
		p := x.periods[key]
		of := p.Levy == inventory.LevyPBJT && (key.nopd == d.NOPD || key.nopd == "")
		if of && (key.operator == d.Operator || found == nil && d.NPWPD != "" && p.NPWPD == d.NPWPD) {
			found = p
		}
	}
	if found == nil {
		found = x.declaredOnly(d)
	}
	found.Declared = city.SomeInt(found.Declared.V + int64(d.Gross))
}

// declaredOnly begins the period of a declaration beside which there is nothing.
func (x *reconciling) declaredOnly(d *Declaration) *Period {
	p := &Period{Month: x.month.name, Operator: d.Operator, NPWPD: d.NPWPD, NOPD: d.NOPD, Levy: inventory.LevyPBJT, Due: city.SomeInt(0), DueFiled: city.SomeInt(0)}
	p.DueBy = x.dueBy(p.Levy, x.month.from)
	if a := x.v.AccountFor(p.Levy, x.month.from); a != nil {
		p.Account = a.Account
	}
	for _, s := range x.v.Sites {
		if s.Levy == inventory.LevyPBJT && s.NOPD == d.NOPD && s.Operator == d.Operator {
			p.Sites = append(p.Sites, s.ID)
		}
	}
	x.periods[periodKey{p.Operator, p.Account, p.NOPD}] = p
	return p
}

func levyOf(v *inventory.Version, account string) inventory.Levy {
	for i := range v.Accounts {
		if v.Accounts[i].Account == account {
			return v.Accounts[i].Levy
		}
	}
	return ""
}

// settle tells what of a period is overdue.
func (x *reconciling) settle(p *Period) {
	p.DueNow.OK = p.DueFiled.OK
	if !x.known {
		p.Settled, p.Fee, p.Deposited = city.Int{}, city.Int{}, city.Int{}
		p.Leak2State = LeakNoCredit
		return
	}
	p.Settled.OK, p.Fee.OK, p.Deposited.OK = true, true, true
	switch {
	case !p.DueFiled.OK:
		p.Leak2State = LeakNoRate
	case p.DueNow.V == 0 && x.today <= p.DueBy:
		p.Leak2State = LeakNotYet
		p.Overdue = city.SomeInt(0)
	default:
		p.Leak2State = LeakKnown
		p.Leak2 = city.SomeInt(p.DueNow.V - int64(p.paidNow))
		p.Overdue = city.SomeInt(max(0, p.Leak2.V))
	}
}
