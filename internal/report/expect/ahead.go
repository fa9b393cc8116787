package expect

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// row returns the days in a row, from the one i days away on, that are of the
// asked day's kind and not known yet, at most so many.
func (d *asked) row(class city.Class, i, step, most int) (days []time.Time) {
	holiday := d.tag.cal.Holiday
	want := kindOfDay(d.day, holiday)
	for ; i <= reach && len(days) < most; i++ {
		day := d.day.AddDate(0, 0, i*step)
		if day.AddDate(0, 0, 1).UnixMilli() > d.Now || kindOfDay(day, holiday) != want || d.keptOf(class, day.UnixMilli()) != nil {
			break
		}
		days = append(days, day)
	}
	return days
}

// ahead reads and keeps what spots told on days in a row, the nearest first,
// with one question for all.
func (d *asked) ahead(ctx context.Context, class city.Class, days []time.Time) error {
	const dayMs = 24 * hourMs
	if len(days) < 2 {
		return nil
	}
	first, last := days[0], days[len(days)-1]
	if last.Before(first) {
		first, last = last, first
	}
	from, to := first.UnixMilli(), last.AddDate(0, 0, 1).UnixMilli()
	if to-from != int64(len(days))*dayMs { // the zone's offset changes: each day by itself
		return nil
	}
	points, err := d.sensors.History(ctx, d.Site.ID, class, from, to, time.Hour)
	if isNew(err) || err == nil && len(points) != len(days)*24 {
		return nil
	}
	if err != nil {
		return err
	}
	if err := d.lullsAhead(ctx, from, to); err != nil {
		return err
	}
	for n := range days {
		begin := from + int64(n)*dayMs
		out := new(hours)
		d.spotHours(out, points[24*n:24*n+24], d.past[begin], class, begin, begin+dayMs)
		d.keep(class, begin, out)
	}
	return nil
}

// lullsAhead reads the silences of the days in [from, to), unless they are known.
func (d *asked) lullsAhead(ctx context.Context, from, to int64) error {
	const dayMs = 24 * hourMs
	known := true
	for begin := from; begin < to && known; begin += dayMs {
		_, known = d.past[begin]
	}
	if known {
		return nil
	}
	found, err := d.sensors.Lulls(ctx, d.Site.ID, from, to)
	if err != nil {
		return err
	}
	if d.past == nil {
		d.past = map[int64][]lull{}
	}
	for begin := from; begin < to; begin += dayMs {
		var day []occupancy.Lull
		for i := range found {
			if found[i].From < begin+dayMs && found[i].Heard > begin {
				day = append(day, found[i])
			}
		}
		d.past[begin] = d.bounded(day, begin, begin+dayMs)
	}
	return nil
}
