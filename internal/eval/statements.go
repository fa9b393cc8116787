package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// paidIn is a deposit of a taxpayer, as the truth has it.
type paidIn struct {
	Reference, Operator string
	PeriodFrom          string `json:"period_from"`
	CreditedOn          string `json:"credited_on"`
	Net                 city.Rupiah
}

// statements holds each taxpayer's month against the truth: what was printed, the
// levy of each day of it, what was paid and when, and the late interest, reckoned
// here anew.
func (y *year) statements(ctx context.Context, g *gateway) error {
	paid := map[string][]paidIn{} // by operator and month
	for _, body := range y.deposits {
		var d paidIn
		if err := json.Unmarshal(body, &d); err != nil {
			return err
		}
		key := d.Operator + " " + d.PeriodFrom[:7]
		paid[key] = append(paid[key], d)
	}
	var off, sum city.Rupiah
	asked, late := 0, 0
	filedDays := y.filed()
	for month := firstOf(y.from); month.Before(y.until); month = month.AddDate(0, 1, 0) {
		name := month.Format("2006-01")
		for n := range 2 * taxpayers { // in both views
			operator, view, days := fmt.Sprintf("wp-%d", n/2+1), "known", y.printed
			if n%2 == 1 {
				view, days = "filed", filedDays
			}
			var told struct {
				Gross, Due, Deposited, Unpaid, Interest city.Rupiah

				CarriedIn  city.Rupiah `json:"carried_in"`
				CarriedOut city.Rupiah `json:"carried_out"`
				DepositBy  string      `json:"deposit_by"`
				AsOf       string      `json:"as_of"`
			}
			if err := g.get(ctx, "/v1/revenue/statements/"+operator, url.Values{"month": {name}, "view": {view}}, &told); err != nil {
				return err
			}
			gross, due := y.owes(days, operator, name)
			_, owed := y.owes(filedDays, operator, name)
			list, in, out := slices.Clone(paid[operator+" "+name]), city.Rupiah(0), city.Rupiah(0)
			if c := &y.closing; operator == c.operator {
				switch name {
				case c.month:
					out = c.paid
				case c.with:
					in = c.paid
					list = append(list, paidIn{CreditedOn: c.late.AddDate(0, 0, 1).Format(time.DateOnly), Net: in})
				}
			}
			deposited, unpaid, interest := settled(owed, told.DepositBy, told.AsOf, list)
			for _, d := range []city.Rupiah{
				told.Gross - gross, told.Due - due, told.Deposited - (deposited - in), told.Unpaid - unpaid, told.Interest - interest, told.CarriedIn - in, told.CarriedOut - out,
			} {
				off += max(d, -d)
				if d != 0 {
					fmt.Fprintf(os.Stderr, "off: %s %s %s: %+v\n", operator, name, view, told)
				}
			}
			sum += interest
			asked++
			if interest > 0 {
				late++
			}
		}
	}
	row("statements in both views against the truth: gross, due, deposited, carried, unpaid and interest, rupiah off",
		fmt.Sprintf("%d (%d statements, %d with interest, Rp%d of it; %s closed, Rp%d came late)", off, asked, late, sum, y.closing.month, lateReceipts*latePrice), "0", off == 0 && late > 0)
	return nil
}

// owes is what a taxpayer took in a month, and a tenth of each day of each site.
func (y *year) owes(days map[dayOf]city.Rupiah, operator, month string) (gross, due city.Rupiah) {
	for k, amount := range days {
		i := slices.IndexFunc(y.places, func(p place) bool { return p.id == k.site })
		if i < 0 || y.places[i].operator != operator || k.date[:7] != month {
			continue
		}
		gross += amount
		due += levyOf(amount)
	}
	return gross, due
}

// settled pays what is due in the order of the days on which it was paid: of each
// part 1 % for every month that has begun since the due date, 24 at most.
func settled(due city.Rupiah, by, today string, list []paidIn) (deposited, unpaid, interest city.Rupiah) {
	slices.SortFunc(list, func(a, b paidIn) int { return strings.Compare(a.CreditedOn+a.Reference, b.CreditedOn+b.Reference) })
	part := func(amount city.Rupiah, on string) {
		interest += (amount*city.Rupiah(begun(by, on)) + 50) / 100
	}
	unpaid = due
	for _, p := range list {
		deposited += p.Net
		amount := min(p.Net, unpaid)
		unpaid -= amount
		part(amount, p.CreditedOn)
	}
	part(unpaid, today)
	return deposited, unpaid, interest
}

// begun counts the months that have begun after a date, up to another one.
func begun(after, until string) (months int64) {
	from, err := time.Parse(time.DateOnly, after)
	if err != nil {
		return 0
	}
	for ; months < 24; months++ {
		end := time.Date(from.Year(), from.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
		last := end.AddDate(0, 1, -1).Day()
		if end.AddDate(0, 0, min(from.Day(), last)-1).Format(time.DateOnly) >= until {
			return months
		}
	}
	return months
}
