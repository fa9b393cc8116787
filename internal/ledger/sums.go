package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
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

// View is how what came after its month's close is told.
type View uint8

// The views; a sum may be of both.
const (
	KnownView View = 1 << iota // on its own day, as known now
	FiledView                  // with the next open month
)

// EachSum calls each with every sum of the days in [fromDate, toDate), by day, as
// known now. The sum is valid in the call only. All are of one moment of the books.
func (f *Follower) EachSum(ctx context.Context, fromDate, toDate string, each func(*Sum) error) error {
	return f.eachSum(ctx, fromDate, toDate, func(s *snapshot, from, to int32) error {
		return s.sums(ctx, from, to, false, each)
	})
}

// EachView is EachSum of both views. Where they are the same in all of the span,
// each sum comes once, as of both.
func (f *Follower) EachView(ctx context.Context, fromDate, toDate string, each func(*Sum, View) error) error {
	return f.eachSum(ctx, fromDate, toDate, func(s *snapshot, from, to int32) error {
		late, err := s.late(ctx, from, to)
		if err != nil {
			return err
		}
		as := func(v View) func(*Sum) error { return func(x *Sum) error { return each(x, v) } }
		if !late {
			return s.sums(ctx, from, to, false, as(KnownView|FiledView))
		}
		if err := s.sums(ctx, from, to, false, as(KnownView)); err != nil {
			return err
		}
		return s.sums(ctx, from, to, true, as(FiledView))
	})
}

// EachLate is EachView of the days and parties at which the views differ, and of
// some beside them: all that came after its month's close, and where it was filed.
func (f *Follower) EachLate(ctx context.Context, fromDate, toDate string, each func(*Sum, View) error) error {
	const known = `SELECT 0, day, shelf, data, sum FROM book
		WHERE day >= ?1 AND day < ?2 AND EXISTS (SELECT 1 FROM filed WHERE filed.day = book.day AND filed.shelf = book.shelf)`
	return f.eachSum(ctx, fromDate, toDate, func(s *snapshot, from, to int32) error {
		if err := s.rows(ctx, known+" ORDER BY 2, 3", from, to, s.summed(from, func(x *Sum) error { return each(x, KnownView) })); err != nil {
			return err
		}
		const filed = known + " UNION ALL SELECT 1, day, shelf, data, sum FROM filed WHERE day >= ?1 AND day < ?2 ORDER BY 2, 3"
		return s.rows(ctx, filed, from, to, s.summed(from, func(x *Sum) error { return each(x, FiledView) }))
	})
}

func (f *Follower) eachSum(ctx context.Context, fromDate, toDate string, read func(s *snapshot, from, to int32) error) error {
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
	if err := read(s, from, to); err != nil {
		return fmt.Errorf("sums: %w", err)
	}
	return nil
}

// late tells whether the view as filed differs on a day in [from, to).
func (s *snapshot) late(ctx context.Context, from, to int32) (late bool, err error) {
	err = s.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM filed WHERE day >= ? AND day < ?)", from, to).Scan(&late)
	return late, err
}

// sums calls each with the sums of the days in [from, to), as known now or as
// filed.
func (s *snapshot) sums(ctx context.Context, from, to int32, filed bool, each func(*Sum) error) error {
	return s.cells(ctx, from, to, filed, s.summed(from, each))
}

// summed makes sums of the cells of a day, of days from one on.
func (s *snapshot) summed(from int32, each func(*Sum) error) func(day int32, cells []cell) error {
	rate := func(party int32) int64 { return s.parties[party].Rate }
	var x Sum
	day := from - 1
	return func(at int32, cells []cell) (failed error) {
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
	}
}

// ClosedOn returns the day (YYYY-MM-DD) on which a month (YYYY-MM) was closed, ""
// while it is open.
func (f *Follower) ClosedOn(ctx context.Context, month string) (string, error) {
	if _, ok := parseMonth(month); !ok {
		return "", invalid("month", "write the month as YYYY-MM")
	}
	lines, _, err := f.Lines(ctx, LineQuery{Type: journal.TypeClose, Reference: month, Limit: 1})
	if err != nil || len(lines) == 0 {
		return "", err
	}
	return time.UnixMilli(lines[0].At).In(f.o.Zone).Format(time.DateOnly), nil
}
