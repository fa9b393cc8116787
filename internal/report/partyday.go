package report

import (
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
)

// PartyDay is what one party has of a site's day.
type PartyDay struct {
	Kecamatan, Operator, NPWPD, NOPD, Account string
	Levy                                      inventory.Levy

	Receipts int64
	Recorded city.Rupiah
	Karcis   city.Rupiah // of it, sold karcis for which no cash receipt stands
	Owing
}

// is tells whether a sum is the party's: a taxpayer is told apart by object, who
// collects a retribusi by account, as its credits are.
func (p *PartyDay) is(s *ledger.Sum) bool {
	same := p.Operator == s.Operator && p.Account == s.Account && p.Levy == s.Levy
	return same && (p.Levy != inventory.LevyPBJT || p.NPWPD == s.NPWPD && p.NOPD == s.NOPD)
}

func (p *PartyDay) add(s *ledger.Sum) {
	p.Receipts += s.Receipts
	p.Recorded += s.Amount
	if s.Karcis {
		p.Karcis += s.Amount
	}
	p.Due = city.Int{V: p.Due.V + int64(s.Due), OK: p.Due.OK && s.RatePPM >= 0}
}

// party returns the party of a sum.
func (t *siteSums) party(s *ledger.Sum) *PartyDay {
	i := slices.IndexFunc(t.parties, func(p PartyDay) bool { return p.is(s) })
	if i < 0 {
		i = len(t.parties)
		t.parties = append(t.parties, PartyDay{
			Kecamatan: s.Kecamatan, Operator: s.Operator, NPWPD: s.NPWPD, NOPD: s.NOPD, Account: s.Account, Levy: s.Levy, Owing: Owing{Due: city.SomeInt(0)},
		})
	}
	return &t.parties[i]
}

// parties are those of a site's day: by the books, else the one of the inventory
// at its end; and whoever paid for this site and day alone.
func (x *reconciling) parties(id string, site *inventory.Site, t *siteSums) []PartyDay {
	var list []PartyDay
	switch {
	case t != nil:
		list = slices.Clip(t.parties)
	case site != nil:
		p := PartyDay{Kecamatan: site.Kecamatan, Operator: site.Operator, NOPD: site.NOPD, Levy: site.Levy, Owing: Owing{Due: city.SomeInt(0)}}
		if a := x.v.AccountFor(site.Levy, x.day.date); a != nil {
			p.Account = a.Account
		}
		list = []PartyDay{x.named(p)}
	}
	known := len(list)
	for key, d := range x.ofDay {
		if key.site != id || id == "" || d.more || slices.ContainsFunc(list, func(p PartyDay) bool { return p.Operator == key.operator && p.Account == key.account }) {
			continue
		}
		p := PartyDay{Operator: key.operator, Account: key.account, Levy: levyOf(x.v, key.account), Owing: Owing{Due: city.SomeInt(0)}}
		if site != nil {
			p.Kecamatan = site.Kecamatan
		}
		list = append(list, x.named(p))
	}
	slices.SortFunc(list[known:], func(a, b PartyDay) int {
		return compareKeys(periodKey{a.Operator, a.Account, ""}, periodKey{b.Operator, b.Account, ""})
	})
	return list
}

// named fills in who the operator is.
func (x *reconciling) named(p PartyDay) PartyDay {
	if o := x.v.Operator(p.Operator); o != nil {
		p.NPWPD = o.NPWPD
	}
	return p
}

// sum makes the site's day of its parties.
func (s *SiteDay) sum(parties []PartyDay) {
	for i := range parties {
		p := &parties[i]
		s.Receipts += p.Receipts
		s.Recorded += p.Recorded
		s.Karcis += p.Karcis
		if i == 0 {
			s.Kecamatan, s.Operator, s.NPWPD, s.NOPD, s.Account, s.Levy, s.Owing = p.Kecamatan, p.Operator, p.NPWPD, p.NOPD, p.Account, p.Levy, p.Owing
			continue
		}
		s.Kecamatan, s.Operator, s.NPWPD = common(s.Kecamatan, p.Kecamatan), common(s.Operator, p.Operator), common(s.NPWPD, p.NPWPD)
		s.NOPD, s.Account, s.Levy = common(s.NOPD, p.NOPD), common(s.Account, p.Account), common(s.Levy, p.Levy)
		s.add(&p.Owing)
	}
	if len(parties) > 1 {
		s.Parties = parties
	}
}

// common is what both are, "" where they differ.
func common[T ~string](a, b T) T {
	if a != b {
		return ""
	}
	return a
}

// add adds what another party owes: a sum that is not known of one of them is not
// known of both.
func (o *Owing) add(p *Owing) {
	both := func(a, b city.Int) city.Int {
		if !a.OK || !b.OK {
			return city.Int{}
		}
		return city.SomeInt(a.V + b.V)
	}
	o.Due = city.Int{V: o.Due.V + p.Due.V, OK: o.Due.OK && p.Due.OK}
	o.Settled, o.Fee, o.Deposited = both(o.Settled, p.Settled), both(o.Fee, p.Fee), both(o.Deposited, p.Deposited)
	o.Overdue, o.Leak2 = both(o.Overdue, p.Overdue), both(o.Leak2, p.Leak2)
	o.DueBy = max(o.DueBy, p.DueBy)
	for _, state := range []string{LeakNoCredit, LeakNoRate, LeakByPeriod, LeakNotYet} { // the first that holds of one
		if o.Leak2State == state || p.Leak2State == state {
			o.Leak2State = state
			return
		}
	}
}
