package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
)

// Statement is the draft of an operator's SPTPD of a month, with what was paid.
type Statement struct {
	Operator, Name, NPWPD string
	Month                 string // YYYY-MM
	FileBy, DepositBy     string // YYYY-MM-DD
	AsOf                  string // YYYY-MM-DD: interest is reckoned up to here
	Rule                  Late   // by which it is
	View                  ledger.View
	ClosedOn              string // YYYY-MM-DD; "" the month is open
	Known, Filed          Base   // of PBJT, in both views
	Base                         // in the view that was asked for
	Objects               []Object
	Declared              city.Int // gross of the filed SPTPD; unset where none was, or nobody tells
	FiledOn               string   // "" not filed
	Owed                  *Owed    // as filed, in either view: what came late is owed with a later month; nil: due or credits are unknown
	Credits               []Credit // of PBJT accounts
	Other                 []Object // retribusi, which has no SPTPD and no interest
}

// Base is what a tax is reckoned from, and the tax.
type Base struct {
	Gross city.Rupiah
	Due   city.Int // unset where a part has no rate
}

func (b *Base) add(x *ledger.Sum) {
	b.Gross += x.Amount
	b.Due = city.Int{V: b.Due.V + int64(x.Due), OK: b.Due.OK && x.RatePPM >= 0}
}

// StatementQuery asks for an operator's month.
type StatementQuery struct {
	Operator string
	Month    string // YYYY-MM
	Filed    bool   // as filed: what came after a month's close stands in the next open month
	Now      int64  // Unix ms
}

// Object is a tax object, or a site of a retribusi, in a month.
type Object struct {
	NOPD, Site, Account string
	RatePPM             int64 // -1 not known
	Receipts            int64
	Gross               city.Rupiah
	Due                 city.Int
}

// Statement returns an operator's month. KindNotFound: no such operator, in the
// inventory or in the books of the month.
func (r *Reporter) Statement(ctx context.Context, q StatementQuery) (*Statement, error) {
	m, err := r.month(q.Month)
	if err != nil {
		return nil, err
	}
	v, err := r.version(m.end)
	if err != nil {
		return nil, err
	}
	s := &Statement{
		Operator: q.Operator, Month: m.name, FileBy: v.FileBy(m.year, m.of), DepositBy: v.DepositBy(m.year, m.of), AsOf: r.today(q.Now),
		View: ledger.KnownView, Known: Base{Due: city.SomeInt(0)}, Filed: Base{Due: city.SomeInt(0)},
	}
	if q.Filed {
		s.View = ledger.FiledView
	}
	if s.ClosedOn, err = r.o.Books.ClosedOn(ctx, m.name); err != nil {
		return nil, err
	}
	s.Rule.PPM, s.Rule.MostMonths = v.Revenue.Interest()
	o := v.Operator(q.Operator)
	if o != nil {
		s.Name, s.NPWPD = o.Name, o.NPWPD
	}
	known := o != nil
	err = r.o.Books.EachView(ctx, m.from, m.to, func(x *ledger.Sum, views ledger.View) error {
		if x.Operator == q.Operator {
			known = true
			s.add(x, views)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, &city.Error{Kind: city.KindNotFound, Message: "there is no such operator, or it is not yours"}
	}
	if s.Base = s.Known; q.Filed {
		s.Base = s.Filed
	}
	s.order()
	return s, r.pay(ctx, s, m, v)
}

func (s *Statement) add(x *ledger.Sum, views ledger.View) {
	list := &s.Other
	if x.Levy == inventory.LevyPBJT {
		list = &s.Objects
		s.NPWPD = cmp.Or(s.NPWPD, x.NPWPD)
		if views&ledger.KnownView != 0 {
			s.Known.add(x)
		}
		if views&ledger.FiledView != 0 {
			s.Filed.add(x)
		}
	}
	if views&s.View == 0 {
		return
	}
	i := slices.IndexFunc(*list, func(o Object) bool {
		return o.NOPD == x.NOPD && o.Site == x.Site && o.Account == x.Account && o.RatePPM == x.RatePPM
	})
	if i < 0 {
		i = len(*list)
		*list = append(*list, Object{NOPD: x.NOPD, Site: x.Site, Account: x.Account, RatePPM: x.RatePPM, Due: city.Int{OK: x.RatePPM >= 0}})
	}
	o := &(*list)[i]
	o.Receipts += x.Receipts
	o.Gross += x.Amount
	o.Due.V += int64(x.Due)
}

func (s *Statement) order() {
	for _, list := range [][]Object{s.Objects, s.Other} {
		slices.SortFunc(list, func(a, b Object) int {
			return cmp.Or(strings.Compare(a.NOPD, b.NOPD), strings.Compare(a.Site, b.Site), strings.Compare(a.Account, b.Account), cmp.Compare(a.RatePPM, b.RatePPM))
		})
	}
}

// pay settles what was filed with the month with the credits for it.
func (r *Reporter) pay(ctx context.Context, s *Statement, m month, v *inventory.Version) error {
	credits, known, err := r.credits(ctx, m.from, m.to)
	if err != nil || !known {
		return err
	}
	var payments []Payment
	for i := range credits {
		c := &credits[i]
		if c.Operator != s.Operator || c.PeriodFrom < m.from || levyOf(v, c.Account) != inventory.LevyPBJT {
			continue
		}
		s.Credits = append(s.Credits, *c)
		payments = append(payments, Payment{c.Reference, c.CreditedOn, c.Net})
	}
	declared, err := r.o.Treasury.Declarations(ctx, m.name)
	if err != nil {
		return err
	}
	for i := range declared {
		if d := &declared[i]; d.Operator == s.Operator || d.NPWPD != "" && d.NPWPD == s.NPWPD {
			s.Declared = city.SomeInt(s.Declared.V + int64(d.Gross))
			s.FiledOn = max(s.FiledOn, d.FiledOn)
		}
	}
	if !s.Filed.Due.OK {
		return nil
	}
	moved, err := r.carries(ctx, m, v, s.AsOf, s.Operator)
	if err != nil {
		return err
	}
	var in, out city.Rupiah
	for i := range moved {
		c := &moved[i]
		switch {
		case levyOf(v, c.account) != inventory.LevyPBJT:
		case c.to == m.name:
			in += c.amount
			payments = append(payments, Payment{c.reference, c.creditedOn, c.amount})
		default:
			out += c.amount
			payments[slices.IndexFunc(payments, func(p Payment) bool { return p.Reference == c.reference })].Amount -= c.amount
		}
	}
	owed, err := Settle(city.Rupiah(s.Filed.Due.V), s.DepositBy, s.AsOf, payments, s.Rule)
	owed.Paid += out - in
	owed.CarriedIn, owed.CarriedOut = in, out
	s.Owed = &owed
	return err
}
