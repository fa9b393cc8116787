package app

import (
	"context"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/watch"
)

// seenStays is occupancy as the watch asks it.
type seenStays struct {
	seat      *occupancySeat
	inventory interface{ Current() *inventory.Version }
	reports   *report.Reporter // nil: nobody looks for silences that occupancy does not know of
}

var _ watch.Stays = seenStays{}

// mostStays is how many stays of a class and day are read; no place has more.
const mostStays = 100_000

// Seen counts a day's stays: on places with a sensor each as it was seen, behind
// gates who came and who left. Classes of which sensors cannot see all, and
// those that are only counted, are left out. What is covered is the share of
// the day and of the places that was known, by what reports conclude: a gate
// that is silent for some hours has not expired.
func (s seenStays) Seen(ctx context.Context, site string, from, to, least int64, pos uint64) (watch.Seen, bool, error) {
	v := s.inventory.Current()
	if v == nil || v.Site(site) == nil || v.Site(site).Detection == inventory.DetectCount {
		return watch.Seen{}, true, nil
	}
	at := v.Site(site)
	type answer struct {
		seen watch.Seen
		ok   bool
	}
	a, err := ask(&s.seat.seat, func(f *occupancy.Follower) (answer, error) {
		if f.Cursor() < pos {
			return answer{}, nil
		}
		seen, err := daySeen(ctx, f, at, from, to, least)
		return answer{seen, true}, err
	})
	if err == nil && a.ok && len(a.seen.Classes) > 0 && s.reports != nil {
		var d *report.SiteDay
		if d, err = s.reports.SiteDay(ctx, site, time.UnixMilli(from).In(v.Zone).Format(time.DateOnly)); err == nil && d.Expected.Known {
			a.seen.Coverage = min(a.seen.Coverage, d.Expected.Coverage)
		}
	}
	return a.seen, a.ok, err
}

func daySeen(ctx context.Context, f *occupancy.Follower, at *inventory.Site, from, to, least int64) (watch.Seen, error) {
	seen := watch.Seen{Coverage: 1}
	spaces := map[city.Class]bool{} // by the first class of those that share it
	for _, class := range at.Classes {
		if share, ok := at.Observed[class]; ok && share < 1 || at.Capacity[class] <= 0 {
			continue
		}
		seen.Classes = append(seen.Classes, class)
		if slices.Contains(at.Shared, class) {
			class = at.Shared[0]
		}
		if spaces[class] {
			continue
		}
		spaces[class] = true
		points, err := f.History(ctx, at.ID, class, from, to, (24 * time.Hour).Milliseconds())
		if err != nil {
			return seen, err
		}
		for i := range points {
			p := &points[i]
			seen.Coverage = min(seen.Coverage, covered(p, at.Capacity[class]))
			if at.Detection == inventory.DetectGates {
				seen.Began += p.Arrivals.V
				seen.Ended += p.Departures.V
			}
		}
		if len(points) == 0 {
			seen.Coverage = 0
		}
	}
	if at.Detection != inventory.DetectSpots || len(seen.Classes) == 0 {
		return seen, nil
	}
	stays, err := f.Stays(ctx, at.ID, from, to+(24*time.Hour).Milliseconds(), mostStays)
	if err != nil {
		return seen, err
	}
	for i := range stays {
		x := &stays[i]
		if x.Known && x.Until-x.From < least || !spaces[x.Class] {
			continue
		}
		if x.Until < to {
			seen.Ended++
		}
		if x.Known && x.From >= from && x.From < to {
			seen.Began++
		}
	}
	return seen, nil
}

// covered is the share of a step and of the places that was known, 0..1.
func covered(p *occupancy.HistoryPoint, capacity int) float64 {
	share, _ := p.Coverage.Float()
	free, ok := p.FreeAvg.Float()
	occupied, also := p.OccupiedAvg.Float()
	if !ok || !also {
		return 0
	}
	return share * min(1, (free+occupied)/float64(capacity))
}
