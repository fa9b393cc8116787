package app

import (
	"context"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// openSeries opens the time series over journal and archive.
func (g *gateway) openSeries(ctx context.Context, add func(replaceable, func() bool)) (err error) {
	err = g.series.take(ctx, func(ctx context.Context) (*series.Follower, error) {
		return series.Open(ctx, g.path("archive"), series.Options{
			Journal: g.journal, Zone: g.cfg.City.Zone, Log: g.log, Index: g.path("series.db"),
		})
	})
	if err != nil {
		return err
	}
	add(&g.series, nil)
	return nil
}

var _ Follower = (*series.Follower)(nil)

// readings is the series as the API asks it: its cursor is text.
type readings struct{ f *seriesSeat }

// Readings returns a page and the cursor of the next, "" at the end.
func (r readings) Readings(ctx context.Context, device string, from, to int64, kinds []city.Kind, after string, limit int) ([]journal.Entry, string, error) {
	q := series.Query{Device: device, From: from, To: to, Kinds: kinds, Limit: limit}
	if after != "" {
		c, err := series.ParseCursor(after)
		if err != nil {
			return nil, "", &city.Error{Kind: city.KindInvalid, Message: "cursor: use the `next` of the page before", Err: err}
		}
		q.After = &c
	}
	page, err := r.f.Readings(ctx, q)
	if err != nil || page.Next == nil {
		return page.Entries, "", err
	}
	return page.Entries, page.Next.String(), nil
}
