package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
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
	months, late := 0, 0
	for month := firstOf(y.from); month.Before(y.until); month = month.AddDate(0, 1, 0) {
		for n := range taxpayers {
			operator := fmt.Sprintf("wp-%d", n+1)
			var told struct {
				Gross, Due, Deposited, Unpaid, Interest city.Rupiah
				DepositBy                               string `json:"deposit_by"`
				AsOf                                    string `json:"as_of"`
			}
			if err := g.get(ctx, "/v1/revenue/statements/"+operator, url.Values{"month": {month.Format("2006-01")}}, &told); err != nil {
				return err
			}
			gross, due := y.owes(operator, month.Format("2006-01"))
			deposited, unpaid, interest := settled(due, told.DepositBy, told.AsOf, paid[operator+" "+month.Format("2006-01")])
			for _, d := range []city.Rupiah{told.Gross - gross, told.Due - due, told.Deposited - deposited, told.Unpaid - unpaid, told.Interest - interest} {
				off += max(d, -d)
			}
			sum += interest
			months++
			if interest > 0 {
				late++
			}
		}
	}
	row("statements against the truth: gross, due, deposited, unpaid and interest, rupiah off",
		fmt.Sprintf("%d (%d statements, %d with interest, Rp%d of it)", off, months, late, sum), "0", off == 0 && late > 0)
	return nil
}

// owes is what a taxpayer took in a month, and a tenth of each day of each site.
func (y *year) owes(operator, month string) (gross, due city.Rupiah) {
	for k, amount := range y.printed {
		i := slices.IndexFunc(y.places, func(p place) bool { return p.id == k.site })
		if i < 0 || y.places[i].operator != operator || k.date[:7] != month {
			continue
		}
		gross += amount
		due += (amount + 5) / 10
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
