package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Options are what a Reporter is made of.
type Options struct {
	Books     Books
	Expected  Expected
	Inventory Inventory
	Treasury  Treasury // nil: no credits are known, and what depends on them is unknown
	Zone      *time.Location
}

// Reporter answers. It may be used from any goroutine.
type Reporter struct{ o Options }

// New makes a reporter.
func New(o Options) (*Reporter, error) {
	if o.Books == nil || o.Expected == nil || o.Inventory == nil || o.Zone == nil {
		return nil, errors.New("report: Books, Expected, Inventory and Zone are required")
	}
	return &Reporter{o}, nil
}

// The years of which reports are made.
const (
	firstYear = 2000
	lastYear  = 2201 // realisasi asks for the day after 2200
)

// day is a day of the city.
type day struct {
	date, next string // YYYY-MM-DD
	begin, end int64  // Unix ms
	month      string // YYYY-MM
}

func (r *Reporter) day(date string) (day, error) {
	t, err := time.ParseInLocation(time.DateOnly, date, r.o.Zone)
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		return day{}, badDate("date", date)
	}
	next := t.AddDate(0, 0, 1)
	return day{date, next.Format(time.DateOnly), t.UnixMilli(), next.UnixMilli(), date[:7]}, nil
}

// month is a masa pajak.
type month struct {
	name       string // YYYY-MM
	from, to   string // YYYY-MM-DD, to exclusive
	begin, end int64  // Unix ms
	year       int
	of         time.Month
}

func (r *Reporter) month(name string) (month, error) {
	t, err := time.ParseInLocation("2006-01", name, r.o.Zone)
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		return month{}, &city.Error{
			Kind: city.KindInvalid, Message: fmt.Sprintf("month: write it as YYYY-MM, from the year %d to %d", firstYear, lastYear),
			Fields: []city.FieldError{{Field: "month", Detail: "no month like 2026-03"}},
		}
	}
	next := t.AddDate(0, 1, 0)
	return month{name, t.Format(time.DateOnly), next.Format(time.DateOnly), t.UnixMilli(), next.UnixMilli(), t.Year(), t.Month()}, nil
}

func (r *Reporter) today(now int64) string {
	return time.UnixMilli(now).In(r.o.Zone).Format(time.DateOnly)
}

// version returns the inventory that holds at the end of a time.
func (r *Reporter) version(end int64) (*inventory.Version, error) {
	v := r.o.Inventory.At(end - 1)
	if v == nil {
		return nil, &city.Error{Kind: city.KindUnavailable, Message: "no inventory has been accepted yet"}
	}
	return v, nil
}

// credits returns the credits whose period touches [from, to); known is false where
// nobody tells of credits.
func (r *Reporter) credits(ctx context.Context, from, to string) (list []Credit, known bool, err error) {
	if r.o.Treasury == nil {
		return nil, false, nil
	}
	list, err = r.o.Treasury.Credits(ctx, from, to)
	return list, true, err
}

// due tells by when a levy of a day or month is paid in time.
func dueBy(v *inventory.Version, levy inventory.Levy, date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return ""
	}
	if levy == inventory.LevyPBJT {
		return v.DepositBy(t.Year(), t.Month())
	}
	return t.AddDate(0, 0, v.Revenue.RetribusiDays()).Format(time.DateOnly)
}
