package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// fewest is how many taxpayers a PBJT cell must have to be shown in public.
const fewest = 3

// Summary returns each account of a year, those of accounts.csv and those that
// something was recorded on, sorted by account. Nothing is realized before the
// treasury confirms a credit; what was paid without cash stands in settlement
// until then. What no account holds for is in Daily only.
func (f *Follower) Summary(ctx context.Context, year int) ([]AccountTotal, error) {
	s, err := f.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	defer s.end()
	parties := s.parties
	totals := map[string]*yearTotal{}
	from := int32(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	to := int32(time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 86400)
	g := newGrouping(DailyQuery{Group: "account"}, parties)
	of := make([]*yearTotal, len(parties)) // nil until the year has something of it
	err = s.cells(ctx, from, to, func(_ int32, cells []cell) error {
		dues(cells, g.rate, func(c *cell, due int64) {
			if of[c.party] == nil {
				of[c.party] = yearOf(totals, &parties[c.party])
			}
			of[c.party].add(c, due)
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("summary: %w", err)
	}
	delete(totals, "")
	v := f.o.Timeline.Newest(s.cursor)
	var accounts []string
	if v != nil {
		for i := range v.Accounts {
			a := &v.Accounts[i]
			accounts = append(accounts, a.Account)
			if totals[a.Account] == nil {
				totals[a.Account] = &yearTotal{levy: a.Levy}
			}
		}
	}
	for account := range totals {
		accounts = append(accounts, account)
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

// yearTotal is what a year has of an account.
type yearTotal struct {
	levy                  inventory.Levy
	recorded, due, noCash int64
	dueUnknown            bool
	payers                map[string]bool // NPWPD
}

// yearOf returns the year of a party's account, of which it is a payer.
func yearOf(totals map[string]*yearTotal, p *party) *yearTotal {
	t := totals[p.Account]
	if t == nil {
		t = &yearTotal{levy: p.Levy, payers: map[string]bool{}}
		totals[p.Account] = t
	}
	t.dueUnknown = t.dueUnknown || p.Rate < 0
	if p.NPWPD != "" {
		t.payers[p.NPWPD] = true
	}
	return t
}

func (t *yearTotal) add(c *cell, due int64) {
	t.recorded += c.amount
	t.due += due
	if c.method == city.QRIS || c.method == city.EMoney || c.method == city.Card {
		t.noCash += c.amount
	}
}

func (t *yearTotal) total() AccountTotal {
	if t.levy == inventory.LevyPBJT && len(t.payers) < fewest {
		return AccountTotal{Suppressed: true}
	}
	return AccountTotal{
		Recorded: city.SomeInt(t.recorded), Due: city.Int{V: t.due, OK: !t.dueUnknown},
		InSettlement: city.SomeInt(t.noCash), Realized: city.SomeInt(0),
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
