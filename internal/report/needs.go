package report

import (
	"context"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/report/expect"
)

// All of these may be called from any goroutine.

// Books tells what was recorded and what is due.
type Books interface {
	// EachSum calls each with every sum of the days in [from, to) (YYYY-MM-DD).
	// The sum is valid in the call only.
	EachSum(ctx context.Context, from, to string, each func(*ledger.Sum) error) error
	// EachView is EachSum of both views, of one moment: as known now and as filed.
	// A sum that is the same in both may come once, as of both.
	EachView(ctx context.Context, from, to string, each func(*ledger.Sum, ledger.View) error) error
	// EachLate is EachView of all days and parties at which the views differ; others
	// may come too, in both.
	EachLate(ctx context.Context, from, to string, each func(*ledger.Sum, ledger.View) error) error
	// ClosedOn returns the day (YYYY-MM-DD) on which a month (YYYY-MM) was closed, ""
	// while it is open.
	ClosedOn(ctx context.Context, month string) (string, error)
}

// Treasury tells what was paid to the city, and what taxpayers declared.
type Treasury interface {
	// Credits returns the credits that hold (none that was taken back, and none
	// that takes another back) whose period touches [from, to) (YYYY-MM-DD).
	Credits(ctx context.Context, from, to string) ([]Credit, error)
	// Credited calls each with what was credited in a year, less what was taken
	// back, by its day or in sums of a month.
	Credited(ctx context.Context, year int, daily bool, each func(*ledger.Credited)) error
	// Sold returns the karcis whose sale on a day (YYYY-MM-DD) stands.
	Sold(ctx context.Context, date string) ([]journal.Karcis, error)
	// Declarations returns the SPTPD that hold for a month (YYYY-MM).
	Declarations(ctx context.Context, month string) ([]Declaration, error)
}

// Expected tells what a site should have earned.
type Expected interface {
	Day(ctx context.Context, q expect.Question) (expect.Answer, error)
}

// Inventory returns the version that holds for an event (Unix ms); nil before
// there is one.
type Inventory interface {
	At(at int64) *inventory.Version
}

// The kinds of credit.
const (
	KindSSPD       = "SSPD"
	KindSTS        = "STS"
	KindSettlement = "settlement"
)

// Credit is money that the treasury confirmed.
type Credit struct {
	Reference  string
	Kind       string
	Account    string // kode rekening
	Operator   string
	Site       string // "": for no one site
	PeriodFrom string // YYYY-MM-DD
	PeriodTo   string // inclusive
	CreditedOn string
	Gross      city.Rupiah
	Fee        city.Rupiah
	Net        city.Rupiah
}

// Declaration is a filed SPTPD of an object and month.
type Declaration struct {
	Reference string
	Operator  string
	NPWPD     string
	NOPD      string // "": of all of the taxpayer's objects
	Month     string // YYYY-MM
	FiledOn   string // YYYY-MM-DD
	Gross     city.Rupiah
	Due       city.Rupiah
}
