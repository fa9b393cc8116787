package app

import (
	"context"

	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/watch"
)

// reconciled is what reports conclude of a site's day, as the watch asks it.
type reconciled struct {
	occupancy *occupancySeat
	ledger    *ledgerSeat
	reports   *report.Reporter
}

var _ watch.Reconciliation = reconciled{}

// Day compares what should have been recorded with what was, of the classes
// that sensors see. It waits for occupancy and ledger to be at the position.
func (r reconciled) Day(ctx context.Context, site, date string, pos uint64) (watch.Reconciled, bool, error) {
	if r.occupancy.Cursor() < pos || r.ledger.Cursor() < pos {
		return watch.Reconciled{}, false, nil
	}
	d, err := r.reports.SiteDay(ctx, site, date)
	if err != nil {
		return watch.Reconciled{}, false, err
	}
	e := &d.Expected
	return watch.Reconciled{
		Known: e.Known, Low: e.Expected.Low, Mid: e.Expected.Mid, High: e.Expected.High, Recorded: d.Compared, Coverage: e.Coverage,
	}, true, nil
}
