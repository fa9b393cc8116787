package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Summary returns each account of a year, those of accounts.csv and those that
// something was recorded or credited on, sorted by account, as known now or as
// filed. Realized is what the treasury confirmed by its credits of the year;
// what was paid without cash, and no credit covers yet, is in settlement. What
// no account holds for is in Daily only.
func (f *Follower) Summary(ctx context.Context, year int, filed bool) ([]AccountTotal, error) {
	s, err := f.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	defer s.end()
	totals, err := s.year(ctx, year, filed)
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	v := f.o.Timeline.Newest(s.cursor)
	var accounts []string
	if v != nil {
		for i := range v.Accounts {
			a := &v.Accounts[i]
			accounts = append(accounts, a.Account)
			totals.of(a.Account, a.Levy)
		}
	}
	for account, total := range totals {
		accounts = append(accounts, account)
		if total.levy == "" { // it has left accounts.csv
			total.levy, _ = inventory.Find(f.o.Timeline, s.cursor, levyOf(account))
		}
	}
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	out := make([]AccountTotal, 0, len(accounts))
	for _, account := range accounts {
		row := totals[account].total()
		row.Account, row.Target = account, targetOf(v, account, year)
		if v != nil {
			row.Name = accountName(v, account)
		}
		out = append(out, row)
	}
	return out, nil
}

// yearTotals are what a year has, by account.
type yearTotals map[string]*yearTotal

func (t yearTotals) of(account string, levy inventory.Levy) *yearTotal {
	y := t[account]
	if y == nil {
		y = &yearTotal{levy: levy, payers: Payers{}, settlers: Payers{}, creditors: Payers{}, late: Payers{}, lateNoCash: Payers{}, owed: map[owedKey]*owed{}}
		t[account] = y
	}
	if y.levy == "" {
		y.levy = levy
	}
	return y
}

// year adds up a year.
func (s *snapshot) year(ctx context.Context, year int, filed bool) (yearTotals, error) {
	totals := yearTotals{}
	from := int32(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	to := int32(time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	g := newGrouping(DailyQuery{Group: "account"}, s.parties)
	owing := make([]*owed, len(s.parties)) // of the month, by party
	recorded := make([]int64, len(s.parties))
	end := from
	err := s.cells(ctx, from, to, filed, func(day int32, cells []cell) error {
		if day >= end {
			clear(owing)
			end = firstOf(monthOf(day) + 1)
		}
		dues(cells, g.rate, func(c *cell, due int64) {
			p := &s.parties[c.party]
			y := totals.of(p.Account, p.Levy)
			y.add(c, p, due)
			recorded[c.party] += c.amount
			if p.Levy != inventory.LevyPBJT {
				return
			}
			if owing[c.party] == nil {
				owing[c.party] = y.owing(p.NPWPD, p.Operator, monthOf(day))
			}
			owing[c.party].add(c, p, due)
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, amount := range recorded {
		if p := &s.parties[i]; amount != 0 {
			totals.of(p.Account, p.Levy).payers.Add(p.NPWPD, p.Operator, amount)
		}
	}
	if filed {
		err := s.lateCells(ctx, from, to, func(_ int32, cells []cell) error {
			for i := range cells {
				c := &cells[i]
				p := &s.parties[c.party]
				y := totals.of(p.Account, p.Levy)
				y.late.Add(p.NPWPD, p.Operator, c.amount)
				if noCash(c.method) {
					y.lateNoCash.Add(p.NPWPD, p.Operator, c.amount)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	delete(totals, "")
	var credits []creditRow
	err = s.credits(ctx, CreditQuery{}, func(c *creditRow) {
		if int(c.month/12) == year || int(c.masa/12) == year {
			credits = append(credits, *c)
		}
	})
	if err != nil {
		return nil, err
	}
	untold := untold(credits)
	for i := range credits {
		c := &credits[i]
		totals.of(c.account, "").credit(c, year, untold(c))
	}
	return totals, nil
}

// levyOf finds the levy of an account in a version.
func levyOf(account string) func(v *inventory.Version) (inventory.Levy, bool) {
	return func(v *inventory.Version) (inventory.Levy, bool) {
		for i := range v.Accounts {
			if v.Accounts[i].Account == account {
				return v.Accounts[i].Levy, true
			}
		}
		return "", false
	}
}

// targetOf returns the city's target of an account and year: the sums of
// perubahan where there is any, else of murni. The line of the whole year and
// city wins over lines of months, these over lines of sites.
func targetOf(v *inventory.Version, account string, year int) city.Int {
	if v == nil {
		return city.Int{}
	}
	for _, budget := range []string{"perubahan", "murni"} {
		var sums [3]city.Int // the year, its months, its sites
		for i := range v.Targets {
			t := &v.Targets[i]
			if t.Account != account || t.Year != year || t.Budget != budget {
				continue
			}
			at := 0
			switch {
			case t.Site != "":
				at = 2
			case t.Month != 0:
				at = 1
			}
			sums[at] = city.SomeInt(sums[at].V + int64(t.Target))
		}
		for _, sum := range sums {
			if sum.OK {
				return sum
			}
		}
	}
	return city.Int{}
}

// Accounts returns the accounts that an agency collects, sorted; never nil.
func (f *Follower) Accounts(agency string) []string {
	out := []string{}
	v := f.o.Timeline.Newest(f.Cursor())
	if v == nil {
		return out
	}
	for i := range v.Accounts {
		if a := &v.Accounts[i]; a.Agency == agency && (len(out) == 0 || out[len(out)-1] != a.Account) {
			out = append(out, a.Account)
		}
	}
	return out
}
