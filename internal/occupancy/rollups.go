package occupancy

import (
	"context"
	"fmt"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// Rollup is five minutes of a class at a site: whole sums, so that they add up
// to longer times exactly.
type Rollup struct {
	T         int64 // begin, Unix ms
	CoveredMS int64 // time in which free and occupied were known
	FreeMS    int64 // free places x ms of that time
	OccMS     int64 // vehicles x ms of that time
	FreeMin   int64 // the least while covered
	Arrivals  int64
	Depart    int64
	Drift     int64 // gates: vehicles that left a place that was empty by the count
	ClosedMS  int64
	Detection inventory.Detection
}

// Rollups returns the roll-ups with content whose begin lies in [from, to)
// (Unix ms), in order; ClassNone asks for the site's first class.
func (f *Follower) Rollups(ctx context.Context, site string, class city.Class, from, to int64) ([]Rollup, error) {
	from, to = max(0, from), min(to, maxAt+1)
	if (to-from)/BucketMs > MaxPoints {
		return nil, &city.Error{Kind: city.KindInvalid, Message: fmt.Sprintf("more than %d roll-ups: ask for a shorter time", MaxPoints)}
	}
	var out []Rollup
	h, err := f.buckets(ctx, site, class, from, to, func(t int64, b *bucket) {
		out = append(out, Rollup{T: t, CoveredMS: b.covered, FreeMS: b.freeSum, OccMS: b.occSum, FreeMin: b.freeMin, Arrivals: b.arr, Depart: b.dep, Drift: b.drift})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Rollup) int { return int(a.T - b.T) })
	for i := range out {
		out[i].ClosedMS = h.closedIn(out[i].T, out[i].T+BucketMs)
		out[i].Detection = h.detection
	}
	return out, nil
}

// Point is the roll-up as History tells it.
func (r *Rollup) Point() HistoryPoint { return r.PointOf(BucketMs) }

// PointOf is a sum of roll-ups as History tells a step of that length, ms.
func (r *Rollup) PointOf(step int64) HistoryPoint {
	b := bucket{covered: r.CoveredMS, freeSum: r.FreeMS, occSum: r.OccMS, freeMin: r.FreeMin, arr: r.Arrivals, dep: r.Depart, drift: r.Drift}
	p := b.point(r.T, step, r.Detection)
	p.Closed = city.SomeMilli(r.ClosedMS * 1000 / step)
	return p
}
