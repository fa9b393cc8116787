package app

import (
	"context"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/influx"
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
type readings struct {
	f    *seriesSeat
	past *influx.Past // older ones than those that are kept here; nil: none
}

// Readings returns a page.
func (r readings) Readings(ctx context.Context, device string, from, to int64, kinds []city.Kind, after string, limit int) (api.ReadingsPage, error) {
	q := series.Query{Device: device, From: from, To: to, Kinds: kinds, Limit: limit}
	if after != "" {
		c, err := series.ParseCursor(after)
		if err != nil {
			return api.ReadingsPage{}, &city.Error{Kind: city.KindInvalid, Message: "cursor: use the `next` of the page before", Err: err}
		}
		q.After = &c
	}
	var page series.Page
	var missing string
	var err error
	if r.past != nil {
		page, missing, err = r.past.Readings(ctx, q)
	} else {
		page, err = r.f.Readings(ctx, q)
	}
	if err != nil {
		return api.ReadingsPage{}, err
	}
	next := ""
	if page.Next != nil {
		next = page.Next.String()
	}
	return api.ReadingsPage{Entries: page.Entries, Next: next, Missing: missing}, nil
}
