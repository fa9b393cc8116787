package report

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
)

// carryMonths is how many months before and after a month are looked at for what
// came late, and for what was paid of that.
const carryMonths = 12

// carried is a part of a credit for a closed month that is beyond what was filed of
// it, and pays what came late for it in the month with which that was filed.
type carried struct {
	periodKey              // nopd "": of a retribusi, or of all objects where a credit does not say for which it is
	from, to   string      // YYYY-MM
	reference  string      // of the credit
	creditedOn string      // YYYY-MM-DD
	amount     city.Rupiah // above 0
	now        city.Rupiah // of it, for entries whose due date has passed
}

// carryMonth is what one party has of a month.
type carryMonth struct {
	late  city.Rupiah // due of its own days that is filed with a later month
	in    city.Rupiah // due of other months' days that is filed with it
	inNow city.Rupiah // of that, what is overdue but for its credits
	filed city.Int    // due as filed
	paid  []*Credit
}

type (
	party    struct{ operator, account string }
	carryKey struct {
		periodKey
		month string // YYYY-MM
	}
	lateDay struct {
		periodKey
		date, site string
		levy       inventory.Levy
	}
)

// carrying finds what is carried on.
type carrying struct {
	*Reporter
	v        *inventory.Version
	today    string
	from, to month
	operator string            // "" all
	days     map[lateDay]int64 // due as known less due as filed
	credits  []Credit          // of the parties to which something came late
	months   map[carryKey]*carryMonth
	objects  map[party][]string
}

// carries returns what is carried from or to a month, oldest first, of one operator
// ("" all). Nothing is where nobody tells of credits.
func (r *Reporter) carries(ctx context.Context, m month, v *inventory.Version, today, operator string) ([]carried, error) {
	c := &carrying{Reporter: r, v: v, today: today, operator: operator, days: map[lateDay]int64{}, months: map[carryKey]*carryMonth{}, objects: map[party][]string{}}
	var err error
	if c.from, err = r.after(m, -carryMonths); err != nil {
		return nil, err
	}
	if c.to, err = r.after(m, carryMonths); err != nil {
		return nil, err
	}
	if err := c.late(ctx); err != nil || len(c.days) == 0 {
		return nil, err
	}
	if err := c.pay(ctx); err != nil || len(c.credits) == 0 {
		return nil, err
	}
	if err := c.sort(ctx); err != nil {
		return nil, err
	}
	list, err := c.carry(ctx)
	return slices.DeleteFunc(list, func(x carried) bool { return x.from != m.name && x.to != m.name }), err
}

// after returns the month so many after another one, the first or last of which
// reports are made where that is beyond them.
func (r *Reporter) after(m month, n int) (month, error) {
	at := min(max(m.year*12+int(m.of)-1+n, firstYear*12), lastYear*12+11)
	return r.month(time.Date(at/12, time.Month(at%12+1), 1, 0, 0, 0, 0, time.UTC).Format("2006-01"))
}

// late reads where the views differ.
func (c *carrying) late(ctx context.Context) error {
	err := c.o.Books.EachLate(ctx, c.from.from, c.to.to, func(s *ledger.Sum, views ledger.View) error {
		if c.operator != "" && s.Operator != c.operator {
			return nil
		}
		key := lateDay{keyOf(s), s.Date, s.Site, s.Levy}
		if views&ledger.KnownView != 0 {
			c.days[key] += int64(s.Due)
		}
		if views&ledger.FiledView != 0 {
			c.days[key] -= int64(s.Due)
		}
		return nil
	})
	maps.DeleteFunc(c.days, func(_ lateDay, due int64) bool { return due == 0 })
	return err
}

func keyOf(s *ledger.Sum) periodKey {
	key := periodKey{s.Operator, s.Account, ""}
	if s.Levy == inventory.LevyPBJT {
		key.nopd = s.NOPD
	}
	return key
}

// pay reads the credits of the parties to which something came late.
func (c *carrying) pay(ctx context.Context) error {
	all, _, err := c.Reporter.credits(ctx, c.from.from, c.to.to)
	parties := map[party]bool{}
	for key := range c.days {
		parties[party{key.operator, key.account}] = true
	}
	for i := range all {
		if x := &all[i]; x.PeriodFrom >= c.from.from && x.PeriodFrom < c.to.to && parties[party{x.Operator, x.Account}] {
			c.credits = append(c.credits, *x)
		}
	}
	slices.SortStableFunc(c.credits, func(a, b Credit) int {
		return cmp.Or(strings.Compare(a.CreditedOn, b.CreditedOn), strings.Compare(a.Reference, b.Reference))
	})
	return err
}

// sort gives every month its figures: what was filed of those alone in which
// something came late or was filed late.
func (c *carrying) sort(ctx context.Context) error {
	filed, touched := map[carryKey]city.Int{}, map[string]bool{}
	object := func(key periodKey) {
		p := party{key.operator, key.account}
		if !slices.Contains(c.objects[p], key.nopd) {
			c.objects[p] = append(c.objects[p], key.nopd)
		}
	}
	for key := range c.days {
		touched[key.date[:7]] = true
		object(key.periodKey)
	}
	for name := range touched {
		m, err := c.month(name)
		if err != nil {
			return err
		}
		err = c.o.Books.EachView(ctx, m.from, m.to, func(s *ledger.Sum, views ledger.View) error {
			if views&ledger.FiledView == 0 || c.operator != "" && s.Operator != c.operator {
				return nil
			}
			object(keyOf(s))
			key := carryKey{keyOf(s), name}
			was, known := filed[key]
			filed[key] = city.Int{V: was.V + int64(s.Due), OK: (was.OK || !known) && s.RatePPM >= 0}
			return nil
		})
		if err != nil {
			return err
		}
	}
	whole := map[party]bool{} // a credit does not say for which object it is
	for i := range c.credits {
		if _, ok := c.nopd(&c.credits[i]); !ok {
			whole[party{c.credits[i].Operator, c.credits[i].Account}] = true
		}
	}
	of := func(key periodKey, month string) *carryMonth {
		if whole[party{key.operator, key.account}] {
			key.nopd = ""
		}
		at := carryKey{key, month}
		if c.months[at] == nil {
			c.months[at] = &carryMonth{filed: city.SomeInt(0)}
		}
		return c.months[at]
	}
	for key, due := range filed {
		x := of(key.periodKey, key.month)
		x.filed = city.Int{V: x.filed.V + due.V, OK: x.filed.OK && due.OK}
	}
	for key, due := range c.days {
		switch x := of(key.periodKey, key.date[:7]); {
		case due > 0:
			x.late += city.Rupiah(due)
		default:
			x.in -= city.Rupiah(due)
			if c.today > dueBy(c.v, key.levy, key.date) {
				x.inNow -= city.Rupiah(due)
			}
		}
	}
	for i := range c.credits {
		credit := &c.credits[i]
		nopd, _ := c.nopd(credit)
		x := of(periodKey{credit.Operator, credit.Account, nopd}, credit.PeriodFrom[:7])
		x.paid = append(x.paid, credit)
	}
	return nil
}

// nopd returns the object that a credit is for; false where it could be for one of
// several.
func (c *carrying) nopd(x *Credit) (string, bool) {
	if s := c.v.Site(x.Site); s != nil && s.Levy == inventory.LevyPBJT {
		return s.NOPD, true
	}
	if of := c.objects[party{x.Operator, x.Account}]; len(of) == 1 {
		return of[0], true
	}
	return "", false
}

// carry pays what came late, oldest first, with what closed months have over.
func (c *carrying) carry(ctx context.Context) (list []carried, err error) {
	keys := slices.SortedFunc(maps.Keys(c.months), func(a, b carryKey) int {
		return cmp.Or(compareKeys(a.periodKey, b.periodKey), strings.Compare(a.month, b.month))
	})
	for i, key := range keys {
		from := c.months[key]
		if from.late == 0 || len(from.paid) == 0 || !from.filed.OK {
			continue
		}
		closed, err := c.o.Books.ClosedOn(ctx, key.month)
		if err != nil {
			return nil, err
		}
		if closed == "" {
			continue
		}
		left := city.Rupiah(max(0, from.filed.V))
		for _, credit := range from.paid {
			own := min(credit.Net, left)
			left -= own
			over := min(credit.Net-own, from.late)
			from.late -= max(over, 0)
			for j := i + 1; j < len(keys) && keys[j].periodKey == key.periodKey && over > 0; j++ {
				to := c.months[keys[j]]
				amount := min(over, to.in, to.lacks())
				if amount <= 0 {
					continue
				}
				now := min(amount, to.inNow)
				list = append(list, carried{key.periodKey, key.month, keys[j].month, credit.Reference, credit.CreditedOn, amount, now})
				over, to.in, to.inNow = over-amount, to.in-amount, to.inNow-now
				to.filed.V -= int64(amount)
			}
		}
	}
	return list, nil
}

// lacks is what was not paid yet of what was filed with the month.
func (m *carryMonth) lacks() city.Rupiah {
	if !m.filed.OK {
		return 0
	}
	lacks := city.Rupiah(m.filed.V)
	for _, credit := range m.paid {
		lacks -= credit.Net
	}
	return lacks
}
