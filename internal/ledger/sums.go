package ledger

import (
	"context"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Sum is what a day has of one party, class and method.
type Sum struct {
	Date                                            string // YYYY-MM-DD in the city's zone
	Site, Kecamatan, Operator, NPWPD, NOPD, Account string
	Levy                                            inventory.Levy
	RatePPM                                         int64 // millionths of what was paid that are due, -1 not known
	Class                                           city.Class
	Method                                          city.Method
	Karcis                                          bool  // of sold karcis, which are cash; below 0: what of them cash receipts stand for
	Sold                                            int64 // karcis
	Receipts                                        int64 // counted receipts less voids
	Voids                                           int64
	Amount                                          city.Rupiah
	Due                                             city.Rupiah
}

// EachSum calls each with every sum of the days in [fromDate, toDate), by day.
// The sum is valid in the call only. All are of one moment of the books.
func (f *Follower) EachSum(ctx context.Context, fromDate, toDate string, each func(*Sum) error) error {
	from, err := parseDate(fromDate)
	if err != nil {
		return invalid("from", "write the date as YYYY-MM-DD")
	}
	to, err := parseDate(toDate)
	if err != nil {
		return invalid("to", "write the date as YYYY-MM-DD")
	}
	s, err := f.snapshot(ctx)
	if err != nil {
		return fmt.Errorf("sums: %w", err)
	}
	defer s.end()
	rate := func(party int32) int64 { return s.parties[party].Rate }
	var x Sum
	day := from - 1
	err = s.cells(ctx, from, to, false, func(at int32, cells []cell) (failed error) {
		if at != day {
			day, x.Date = at, dateOf(at)
		}
		dues(cells, rate, func(c *cell, due int64) {
			if failed != nil {
				return
			}
			p := &s.parties[c.party]
			x.Site, x.Kecamatan, x.Operator, x.NPWPD, x.NOPD, x.Account = p.Site, p.Kecamatan, p.Operator, p.NPWPD, p.NOPD, p.Account
			x.Levy, x.RatePPM, x.Class, x.Method, x.Karcis = p.Levy, p.Rate, c.class, c.method, isKarcis(c.method)
			x.Receipts, x.Sold = c.receipts, 0
			if x.Karcis {
				x.Method, x.Receipts, x.Sold = city.Cash, 0, c.receipts
			}
			x.Voids, x.Amount, x.Due = c.voids, city.Rupiah(c.amount), city.Rupiah(due)
			failed = each(&x)
		})
		return failed
	})
	if err != nil {
		return fmt.Errorf("sums: %w", err)
	}
	return nil
}
