package app

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/watch"
)

// How often followers make durable what they concluded. A crash in between
// costs no more than applying the journal's tail again.
const (
	flushEvery = time.Second
	flushMost  = 200_000 // entries

	watchFlushEvery = 5 * time.Second
)

// openFollowers opens every follower at its cursor.
func (g *gateway) openFollowers(ctx context.Context, undo *stack) error {
	timeline, zone := g.inventory.timeline, g.cfg.City.Zone
	metrics := newFollowerMetrics(g.registry)
	every := flushEvery
	add := func(f replaceable, soon func() bool) {
		undo.push(f.Name(), f.Close)
		r := &runner{
			f: f, reopen: f.Reopen, feed: g.feed, archive: g.archived, flushEvery: every, soon: soon, flushMost: flushMost,
			// How long a flush waits is no time of the day: a clock that is set back must not stretch it.
			backoff: reopenBackoff, log: g.log, now: time.Now, metrics: metrics(f.Name()),
		}
		if last, err := g.journal.At(ctx, []uint64{f.Cursor()}); err == nil { // else there is none, or its day was retired
			r.at.Recv = last[0].Recv
		}
		g.runners = append(g.runners, r)
	}
	if err := g.occupancy.take(ctx, func(ctx context.Context) (*occupancy.Follower, error) {
		return occupancy.Open(ctx, g.path("occupancy.db"), occupancy.Options{
			Timeline: timeline, Zone: zone, Log: g.log, RollupDays: days(g.cfg.Retention.Rollups.Duration), StayDays: days(g.cfg.Retention.Stays.Duration), Hold: g.holdOn,
		})
	}); err != nil {
		return err
	}
	add(&g.occupancy, nil)
	if err := g.traffic.take(ctx, func(ctx context.Context) (*traffic.Follower, error) {
		return traffic.Open(ctx, g.path("traffic.db"), traffic.Options{
			Timeline: timeline, Zone: zone, Log: g.log, Retain: g.cfg.Retention.Rollups.Duration, Hold: g.holdOn,
		})
	}); err != nil {
		return err
	}
	add(&g.traffic, nil)
	if err := g.ledger.take(ctx, func(ctx context.Context) (*ledger.Follower, error) {
		return ledger.Open(ctx, g.path("ledger.db"), ledger.Options{Timeline: timeline, Zone: zone, Log: g.log, Closed: g.signer.periodClosed})
	}); err != nil {
		return err
	}
	add(&g.ledger, func() bool { return g.ledger.Pending() > 0 })
	if err := g.health.take(ctx, func(ctx context.Context) (*health.Follower, error) {
		return health.Open(ctx, g.path("health.db"), health.Options{Timeline: timeline, Zone: zone, Log: g.log, Hold: g.holdOn})
	}); err != nil {
		return err
	}
	add(&g.health, nil)
	if err := g.certs.take(ctx, g.openCertificates); err != nil {
		return err
	}
	add(&g.certs, nil)
	if err := g.openReports(); err != nil {
		return err
	}
	// Its detectors' state is larger than what a second brings, and nobody
	// waits for it to be durable, but for incidents.
	every = watchFlushEvery
	if err := g.watch.take(ctx, func(ctx context.Context) (*watch.Follower, error) {
		return watch.Open(ctx, g.path("watch.db"), watch.Options{
			Timeline: timeline, Zone: zone, Log: g.log, Stays: seenStays{&g.occupancy, g.inventory, g.reports}, Reconciliation: reconciled{&g.occupancy, &g.ledger, g.reports},
			Roads: roadSteps{&g.traffic}, Hold: g.holdOn,
		})
	}); err != nil {
		return err
	}
	add(&g.watch, func() bool { return g.watch.now().Pending() > 0 })
	every = flushEvery
	return g.openSeries(ctx, add)
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

// The compiler holds that each is a follower.
var (
	_ Follower = (*occupancy.Follower)(nil)
	_ Follower = (*traffic.Follower)(nil)
	_ Follower = (*ledger.Follower)(nil)
	_ Follower = (*health.Follower)(nil)
	_ Follower = (*watch.Follower)(nil)
	_ Follower = (*certificate.Follower)(nil)
)
