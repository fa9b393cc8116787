package app

import (
	"context"
	"math"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/expect"
)

// openReports makes what concludes about money.
func (g *gateway) openReports() (err error) {
	g.reports, err = report.New(report.Options{
		Books: &g.ledger, Treasury: treasury{&g.ledger}, Expected: expect.New(sensors{parking{&g.occupancy}}, g.cfg.City.Zone),
		Inventory: versions{g.inventory.timeline}, Zone: g.cfg.City.Zone,
	})
	return err
}

// EachSum asks the follower that sits there. What was told already is not taken
// back where it is replaced meanwhile, so the question is not put again.
func (s *ledgerSeat) EachSum(ctx context.Context, from, to string, each func(*ledger.Sum) error) error {
	return s.now().EachSum(ctx, from, to, each)
}

// EachView asks the follower that sits there, once, as EachSum.
func (s *ledgerSeat) EachView(ctx context.Context, from, to string, each func(*ledger.Sum, ledger.View) error) error {
	return s.now().EachView(ctx, from, to, each)
}

// EachLate asks the follower that sits there, once, as EachSum.
func (s *ledgerSeat) EachLate(ctx context.Context, from, to string, each func(*ledger.Sum, ledger.View) error) error {
	return s.now().EachLate(ctx, from, to, each)
}

// ClosedOn asks the follower that sits there.
func (s *ledgerSeat) ClosedOn(ctx context.Context, month string) (string, error) {
	return ask(&s.seat, func(f *ledger.Follower) (string, error) { return f.ClosedOn(ctx, month) })
}

// treasury is the credits and declarations of the books as reports ask for them.
type treasury struct{ seat *ledgerSeat }

// Credits returns the deposits that hold whose period touches [from, to).
func (t treasury) Credits(ctx context.Context, from, to string) ([]report.Credit, error) {
	var list []report.Credit
	err := t.seat.now().EachCredit(ctx, from, to, func(d *journal.Deposit) {
		list = append(list, report.Credit{
			Reference: d.Reference, Kind: d.Kind, Account: d.Account, Operator: d.Operator, Site: d.Site,
			PeriodFrom: d.PeriodFrom, PeriodTo: d.PeriodTo, CreditedOn: d.CreditedOn, Gross: d.Gross, Fee: d.Fee, Net: d.Net,
		})
	})
	return list, err
}

// Credited tells what came in in a year.
func (t treasury) Credited(ctx context.Context, year int, daily bool, each func(*ledger.Credited)) error {
	return t.seat.now().EachCredited(ctx, year, daily, each)
}

// Sold returns the karcis whose sale on a day stands.
func (t treasury) Sold(ctx context.Context, date string) ([]journal.Karcis, error) {
	var list []journal.Karcis
	err := t.seat.now().EachSold(ctx, date, func(k *journal.Karcis) { list = append(list, *k) })
	return list, err
}

// Declarations returns the SPTPD that hold for a month.
func (t treasury) Declarations(ctx context.Context, month string) ([]report.Declaration, error) {
	var list []report.Declaration
	err := t.seat.now().EachDeclaration(ctx, month, func(d *journal.Declaration, operator string) {
		list = append(list, report.Declaration{
			Reference: d.Reference, Operator: operator, NPWPD: d.NPWPD, NOPD: d.NOPD, Month: d.Period, FiledOn: d.FiledOn, Gross: d.Gross, Due: d.Tax,
		})
	})
	return list, err
}

// sensors is occupancy as reports ask it.
type sensors struct{ parking }

// Stays asks the follower that sits there.
func (s sensors) Stays(ctx context.Context, site string, from, to int64, limit int) ([]occupancy.Stay, error) {
	return ask(&s.seat.seat, func(f *occupancy.Follower) ([]occupancy.Stay, error) { return f.Stays(ctx, site, from, to, limit) })
}

// Lulls asks the follower that sits there.
func (s sensors) Lulls(ctx context.Context, site string, from, to int64) ([]occupancy.Lull, error) {
	return ask(&s.seat.seat, func(f *occupancy.Follower) ([]occupancy.Lull, error) { return f.Lulls(ctx, site, from, to) })
}

// Closed asks the follower that sits there.
func (s sensors) Closed(site string, from, to int64) [][2]int64 {
	return s.seat.now().Closed(site, from, to)
}

// versions is the accepted inventories as reports ask them.
type versions struct{ timeline *inventory.Timeline }

// At returns the version that holds for an event, as known now.
func (v versions) At(at int64) *inventory.Version { return v.timeline.At(math.MaxUint64, at) }

var _ expect.Sensors = sensors{}
