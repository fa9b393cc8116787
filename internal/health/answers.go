package health

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// Devices returns every device of the newest version of the inventory, sorted
// by id.
func (f *Follower) Devices() []DeviceState {
	f.mu.RLock()
	defer f.mu.RUnlock()
	list := make([]DeviceState, len(f.order))
	for i, d := range f.order {
		list[i] = f.stateOf(d)
	}
	return list
}

// Device returns one device; ok is false where the newest version lacks it.
func (f *Follower) Device(id string) (state DeviceState, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	d := f.devices[id]
	if d == nil || d.inv == nil {
		return DeviceState{}, false
	}
	return f.stateOf(d), true
}

func (f *Follower) stateOf(d *device) DeviceState {
	s := d.state()
	if d.trend != nil {
		s.LastGap = d.trend.lastGap()
	}
	patience := int64(silentMs)
	if d.inv.IntervalS > 0 {
		patience = silentIntervals * 1000 * int64(d.inv.IntervalS)
	}
	s.Silent = f.clock-max(s.LastSeen, d.since) > patience
	return s
}

// Completeness tells what of a device's day (YYYY-MM-DD in the city's zone)
// came. A reading belongs to the day of its time, a duplicate to the day on
// which it came. What was set aside takes its sequence number too: it counts
// as quarantined until the reading is accepted, is expected, and no gap. Of a
// day with very many runs the oldest are counted as they were when they were
// given up: OlderRuns of them have no gaps in the list.
func (f *Follower) Completeness(ctx context.Context, id, date string) (Completeness, error) {
	list, err := f.CompletenessOf(ctx, id, []string{date})
	if err != nil {
		return Completeness{}, err
	}
	return list[0].Completeness, nil
}

// CompletenessOf is Completeness of several days, all as of one position. With
// KindNotFound come empty days: the device is not known up to that position.
func (f *Follower) CompletenessOf(ctx context.Context, id string, dates []string) ([]Day, error) {
	numbers := make([]int64, len(dates))
	for i, date := range dates {
		parsed, err := time.Parse(time.DateOnly, date)
		if err != nil {
			return nil, &city.Error{Kind: city.KindInvalid, Message: "date must be a day like 2026-03-02", Fields: []city.FieldError{{Field: "date", Detail: "use YYYY-MM-DD"}}, Err: err}
		}
		numbers[i] = int64(parsed.Year())*10_000 + int64(parsed.Month())*100 + int64(parsed.Day())
	}
	days, h, err := f.daysOf(ctx, id)
	if err != nil && city.KindOf(err) != city.KindNotFound {
		return nil, err
	}
	list := make([]Day, len(dates))
	for i, date := range dates {
		list[i] = completeness(id, date, numbers[i], days)
		list[i].Pos, list[i].Clock = h.applied, h.clock
	}
	return list, err
}

func completeness(id, date string, number int64, days map[int64]*day) Day {
	c := Day{Completeness: Completeness{Device: id, Date: date}}
	today := days[number]
	if today == nil {
		return c
	}
	o := today.older
	c.Duplicate, c.Quarantined = today.duplicates, sum(today.unread, o.quarantined)
	c.Expected, c.Received, c.Late, c.OlderRuns = o.expected, o.received, o.late, o.runs
	for i := range today.runs {
		c.add(&today.runs[i], number, days)
		c.Runs = append(c.Runs, Run{today.runs[i].key.hasBoot, today.runs[i].key.no})
	}
	slices.SortFunc(c.Gaps, func(a, b Gap) int { return cmp.Or(cmp.Compare(a.Boot, b.Boot), cmp.Compare(a.FromSeq, b.FromSeq)) })
	c.Missing = max(0, c.Expected-c.Received-c.Quarantined)
	return c
}

// daysOf returns every day of a device, and as of what they are, which comes
// with KindNotFound too.
func (f *Follower) daysOf(ctx context.Context, id string) (map[int64]*day, *held, error) {
	for range 5 {
		h := f.held(id)
		if !h.known {
			return nil, h, &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("there is no device %q", id)}
		}
		days, err := f.storedDays(ctx, h)
		if err != nil {
			return nil, nil, fmt.Errorf("health: days of %s: %w", id, err)
		}
		if days != nil {
			for _, x := range h.days {
				days[x.date] = x
			}
			return days, h, nil
		}
	}
	return nil, nil, &city.Error{Kind: city.KindUnavailable, Message: "the days change faster than they can be read: ask again"}
}

// held is what memory has of a device, and what the file must be as of for the
// two to go together: flushed, or applied where Flush has just committed.
type held struct {
	known            bool
	clock            int64
	device           int64
	days             []*day
	applied, flushed uint64
}

func (f *Follower) held(id string) *held {
	f.mu.RLock()
	defer f.mu.RUnlock()
	h := &held{clock: f.clock, applied: f.applied, flushed: f.flushed}
	d := f.devices[id]
	if d == nil {
		return h
	}
	h.known, h.device = true, d.id
	for x := d.days; x != nil; x = x.other {
		h.days = append(h.days, x.clone())
	}
	return h
}

func (d *day) clone() *day {
	x := *d
	x.other = nil
	x.runs = slices.Clone(d.runs)
	for i := range x.runs {
		x.runs[i].seqs, x.runs[i].aside = slices.Clone(x.runs[i].seqs), slices.Clone(x.runs[i].aside)
	}
	return &x
}

// add adds one run's part of a day. Days are all of the device's.
func (c *Completeness) add(r *run, date int64, days map[int64]*day) {
	var received, before seqRanges // of the run on all days; on the days before
	all := seqRanges{}
	for _, d := range days {
		for i := range d.runs {
			if x := &d.runs[i]; x.key == r.key {
				received.join(x.seqs)
				all.join(x.seqs)
				all.join(x.aside)
				if d.date < date {
					before.join(x.seqs)
					before.join(x.aside)
				}
			}
		}
	}
	c.Received += r.received
	c.Late += r.late
	c.Quarantined = sum(c.Quarantined, r.aside.without(received))
	today := slices.Clone(r.seqs)
	today.join(r.aside)
	if len(today) == 0 {
		return
	}
	lowest, highest := today[0].lo, today[len(today)-1].hi
	if len(before) == 0 {
		c.Expected = sum(c.Expected, span(lowest, highest))
	} else if last := before[len(before)-1].hi; highest > last {
		c.Expected = sum(c.Expected, span(last+1, highest))
	}
	for _, x := range today {
		// The reading after a gap begins one of the run's ranges.
		for i := sort.Search(len(all), func(i int) bool { return all[i].lo >= x.lo }); i < len(all) && all[i].lo <= x.hi; i++ {
			if i == 0 {
				continue // where a run begins is not known
			}
			gap := Gap{HasBoot: r.key.hasBoot, FromSeq: all[i-1].hi + 1, ToSeq: all[i].lo - 1}
			if r.key.hasBoot {
				gap.Boot = r.key.no
			}
			c.Gaps = append(c.Gaps, gap)
		}
	}
}
