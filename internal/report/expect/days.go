package expect

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// kind is what days are like: workday, Saturday, Sunday or holiday.
type kind uint8

const (
	workday kind = iota
	saturday
	sunday
)

func kindOfDay(day time.Time, holiday func(date string) bool) kind {
	switch {
	case day.Weekday() == time.Sunday, holiday != nil && holiday(day.Format(time.DateOnly)):
		return sunday
	case day.Weekday() == time.Saturday:
		return saturday
	default:
		return workday
	}
}

// hours returns what sensors told of a class in [from, to), which begins a day
// and lies in it.
func (d *asked) hours(ctx context.Context, by inventory.Detection, class city.Class, from, to int64) (*hours, error) {
	out := new(hours)
	if by == inventory.DetectGates {
		return out, d.gateHours(ctx, out, class, from, to)
	}
	points, err := d.sensors.History(ctx, d.Site.ID, class, from, to, time.Hour)
	switch {
	case isNew(err):
		return out.unheard(from, to), nil
	case err != nil:
		return nil, err
	}
	lulls := d.lulled
	if from != d.begin {
		if lulls, err = d.pastLulls(ctx, from, to); err != nil {
			return nil, err
		}
	}
	d.spotHours(out, points, lulls, class, from, to)
	return out, nil
}

// spotHours fills in what spots told of a class in [from, to).
func (d *asked) spotHours(out *hours, points []occupancy.HistoryPoint, lulls []lull, class city.Class, from, to int64) {
	capacity := float32(d.Site.Capacity[class])
	for i := range points {
		p := &points[i]
		past := float32(min(to-p.T, hourMs)) / hourMs
		h := &out[hourOf(p.T, from)]
		covered := float32(p.Coverage.V) / 1000 / past
		h.open = max(0, past-float32(p.Closed.V)/1000)
		h.exits += float32(p.Departures.V)
		h.parked = float32(p.OccupiedAvg.V) / 1000
		h.known = min(1, covered)
		if capacity > 0 {
			h.known *= min(1, (float32(p.FreeAvg.V)+float32(p.OccupiedAvg.V))/1000/capacity)
			if h.known > 0 {
				h.parked *= min(1, covered) / h.known
			}
		}
	}
	out.silence(lulls, class, float64(capacity), from, to)
	for i := range out {
		if out[i].known > 0.998 { // thousandths
			out[i].known = 1
		}
	}
}

// isNew tells that nothing was heard of a site yet.
func isNew(err error) bool {
	var missing *city.Error
	return errors.As(err, &missing) && missing.Kind == city.KindNotFound
}

// unheard opens the hours without knowing anything of them.
func (out *hours) unheard(from, to int64) *hours {
	for t := from; t < to; t += hourMs {
		out[hourOf(t, from)].open = float32(min(to-t, hourMs)) / hourMs
	}
	return out
}

// others returns days of the same kind of which something is known, the
// nearest first.
func (d *asked) others(ctx context.Context, by inventory.Detection, class city.Class) ([]*hours, []time.Time, error) {
	holiday := d.tag.cal.Holiday
	want := kindOfDay(d.day, holiday)
	var found []*hours
	var dates []time.Time
	for _, step := range []int{-1, 1} {
		if step > 0 && len(found) >= fewOthers {
			break
		}
		for i := 1; i <= reach && len(found) < mostOthers; i++ {
			day := d.day.AddDate(0, 0, i*step)
			end := day.AddDate(0, 0, 1).UnixMilli()
			if end > d.Now {
				break
			}
			if kindOfDay(day, holiday) != want {
				continue
			}
			if by == inventory.DetectSpots && d.keptOf(class, day.UnixMilli()) == nil {
				if err := d.ahead(ctx, class, d.row(class, i, step, mostOthers-len(found))); err != nil {
					return nil, nil, err
				}
			}
			h, err := d.keptHours(ctx, by, class, day.UnixMilli(), end)
			if err != nil {
				return nil, nil, err
			}
			var weight float64
			for i := range h {
				weight += h[i].weight()
			}
			if weight < 1 {
				continue
			}
			found, dates = append(found, h), append(dates, day)
			if date := day.Format(time.DateOnly); !slices.Contains(d.answer.Days, date) {
				d.answer.Days = append(d.answer.Days, date)
			}
		}
	}
	return found, dates, nil
}

// keptHours returns a past day, which may have been looked at some minutes ago.
func (d *asked) keptHours(ctx context.Context, by inventory.Detection, class city.Class, begin, end int64) (*hours, error) {
	if h := d.keptOf(class, begin); h != nil {
		return h, nil
	}
	h, err := d.hours(ctx, by, class, begin, end)
	if err != nil {
		return nil, err
	}
	d.keep(class, begin, h)
	return h, nil
}

// keptOf returns a past day that was looked at some minutes ago, nil for none.
func (d *asked) keptOf(class city.Class, begin int64) *hours {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.kept[keptKey{d.Site.ID, class, begin}]
	if !ok || k.at > d.Now || d.Now-k.at >= keepFor {
		return nil
	}
	return k.hours
}

func (d *asked) keep(class city.Class, begin int64, h *hours) {
	key := keptKey{d.Site.ID, class, begin}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.kept[key]; !ok {
		d.order = append(d.order, key)
	}
	d.kept[key] = keptDay{h, d.Now}
	for len(d.order) > mostKept {
		delete(d.kept, d.order[0])
		d.order = d.order[1:]
	}
}

// curve returns the prices of all lengths of stay on the day; false where no
// tariff holds.
func (d *asked) curve(class city.Class) (*curve, bool) {
	plain := len(d.tag.closed) == 0
	key := curveKey{d.Version.Hash + d.Site.Tariff, d.Site.OpeningHours, string(d.Site.Levy), class, d.begin}
	if plain {
		d.mu.Lock()
		c := d.curves[key]
		d.mu.Unlock()
		if c != nil {
			return c, true
		}
	}
	c, ok := d.tag.curve(class, d.begin)
	if !ok || !plain {
		return c, ok
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.curves) >= mostCurves {
		clear(d.curves)
	}
	d.curves[key] = c
	return c, true
}
