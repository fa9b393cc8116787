package report

import (
	"context"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// dayKey is for whom a credit is: a site's operator and account, or with site ""
// all sites of theirs.
type dayKey struct{ operator, account, site string }

// dayCredits is what was paid for the day.
type dayCredits struct {
	settled, fee, deposited city.Rupiah
	more                    bool // a credit is for this day among others
}

// paid sorts the credits: those of the month, and those whose period holds the
// day, though it may have begun in a month before.
func (x *reconciling) paid(ctx context.Context) (err error) {
	all, known, err := x.Reporter.credits(ctx, x.month.from, x.month.to)
	if err != nil {
		return err
	}
	x.known = known
	for i := range all {
		c := &all[i]
		if c.PeriodFrom >= x.month.from {
			x.credits = append(x.credits, *c)
		}
		if c.PeriodFrom > x.day.date || c.PeriodTo < x.day.date {
			continue
		}
		key := dayKey{c.Operator, c.Account, c.Site}
		d := x.ofDay[key]
		if d == nil {
			d = &dayCredits{}
			x.ofDay[key] = d
		}
		d.more = d.more || c.Site == "" || c.PeriodFrom != c.PeriodTo
		if c.Kind == KindSettlement {
			d.settled, d.fee = d.settled+c.Net, d.fee+c.Fee
		} else {
			d.deposited += c.Net
		}
	}
	return nil
}

// leak2 compares what is due of a party's day with what was paid for it. Where a
// credit that may be for it names no site, or several days, nobody knows.
func (x *reconciling) leak2(site string, s *PartyDay) {
	if !x.known {
		s.Leak2State = LeakNoCredit
		return
	}
	d := x.ofDay[dayKey{s.Operator, s.Account, site}]
	if d == nil {
		d = &dayCredits{}
	}
	own := s.Levy != inventory.LevyPBJT && site != "" && !d.more && x.ofDay[dayKey{s.Operator, s.Account, ""}] == nil
	if own {
		s.Settled, s.Fee, s.Deposited = city.SomeInt(int64(d.settled)), city.SomeInt(int64(d.fee)), city.SomeInt(int64(d.deposited))
	}
	switch {
	case s.DueBy == "" || x.today <= s.DueBy:
		s.Leak2State = LeakNotYet
		if own && s.DueBy != "" {
			s.Overdue = city.SomeInt(0)
		}
	case !own:
		s.Leak2State = LeakByPeriod
	case !s.Due.OK:
		s.Leak2State = LeakNoRate
	default:
		s.Leak2State = LeakKnown
		s.Leak2 = city.SomeInt(s.Due.V - int64(d.settled+d.deposited))
		s.Overdue = city.SomeInt(max(0, s.Leak2.V))
	}
}

type dueKey struct {
	levy inventory.Levy
	date string
}

// dueBy is dueBy, reckoned once.
func (x *reconciling) dueBy(levy inventory.Levy, date string) string {
	key := dueKey{levy, date}
	by, known := x.dueBys[key]
	if !known {
		by = dueBy(x.v, levy, date)
		x.dueBys[key] = by
	}
	return by
}

// mostSold is how many ranges of karcis a site's day names.
const mostSold = 20

// sold names the karcis that were sold on the day.
func (x *reconciling) sold(ctx context.Context, sites []SiteDay) error {
	if x.o.Treasury == nil {
		return nil
	}
	list, err := x.o.Treasury.Sold(ctx, x.day.date)
	if err != nil {
		return err
	}
	at := make(map[string]*SiteDay, len(sites))
	for i := range sites {
		at[sites[i].Site] = &sites[i]
	}
	for i := range list {
		if s := at[list[i].Site]; s != nil && len(s.Sold) < mostSold {
			s.Sold = append(s.Sold, list[i])
		}
	}
	return nil
}
