package world

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
)

// number is a sequence number that is known to have been used.
type number struct {
	seq  uint64
	at   int64
	date string
}

// complete counts a device's days by contract section 4.
type complete struct {
	days map[string]*health.Completeness
	runs map[string][]number // by boot
	boot map[string]uint64
}

func (c *complete) day(date string) *health.Completeness {
	if c.days[date] == nil {
		c.days[date] = &health.Completeness{Date: date}
	}
	return c.days[date]
}

// newComplete goes through the journal for one device.
func newComplete(m *model, x *deviceSpec) *complete {
	c := &complete{days: map[string]*health.Completeness{}, runs: map[string][]number{}, boot: map[string]uint64{}}
	there := map[string]bool{}
	aside := map[string]bool{}
	starts := m.starts(x)
	name := func(hasBoot bool, boot uint64, at int64) string {
		if !hasBoot {
			boot = uint64(sort.Search(len(starts), func(i int) bool { return starts[i] > at }))
		}
		key := fmt.Sprint(hasBoot, " ", boot)
		c.boot[key] = boot
		return key
	}
	for i := range m.entries {
		e := &m.entries[i]
		if e.Type != journal.TypeReading || e.Reading.Device != x.id {
			continue
		}
		r := e.Reading
		d := c.day(dateOf(r.At))
		d.Received++
		if e.Recv-r.At > 2*second*m.intervalAt(e.Pos, r.At, x.id) {
			d.Late++
		}
		run := name(r.HasBoot, r.Boot, r.At)
		there[fmt.Sprint(run, " ", r.Seq)] = true
		c.runs[run] = append(c.runs[run], number{r.Seq, r.At, dateOf(r.At)})
	}
	for i := range m.entries {
		e := &m.entries[i]
		if e.Type != journal.TypeTally || e.Tally.Device != x.id || !m.hadBy(e.Pos, x.id) {
			continue
		}
		if n := e.Tally.Duplicates; n > 0 {
			c.day(dateOf(e.Recv)).Duplicate += int64(n)
		}
		for _, q := range e.Tally.Quarantined {
			at := q.At
			if at == 0 || q.Reason == city.ReasonTooFarAhead || q.Reason == city.ReasonTooOld {
				at = e.Recv // its own time is not to be believed
			}
			if !q.HasSeq {
				c.day(dateOf(at)).Quarantined++
				continue
			}
			run := name(q.HasBoot, q.Boot, at)
			key := fmt.Sprint(run, " ", q.Seq)
			once := key + " " + dateOf(at)
			if !there[key] && !aside[once] {
				c.day(dateOf(at)).Quarantined++
			}
			if !aside[once] {
				c.runs[run] = append(c.runs[run], number{q.Seq, at, dateOf(at)})
			}
			aside[once] = true
		}
	}
	for run, list := range c.runs {
		c.expect(run, x.boots, list)
	}
	for _, d := range c.days {
		d.Missing = max(0, d.Expected-d.Received-d.Quarantined)
		slices.SortFunc(d.Gaps, func(a, b health.Gap) int {
			return cmp.Or(cmp.Compare(a.Boot, b.Boot), cmp.Compare(a.FromSeq, b.FromSeq))
		})
	}
	return c
}

// expect adds what one run was to send to its days, and what never came.
func (c *complete) expect(run string, boots bool, list []number) {
	sort.Slice(list, func(i, j int) bool { return list[i].seq < list[j].seq })
	var dates []string
	for _, n := range list {
		if !slices.Contains(dates, n.date) {
			dates = append(dates, n.date)
		}
	}
	for _, date := range dates {
		var before, lowest, highest uint64
		started, first := false, true
		for _, n := range list {
			switch {
			case n.date < date:
				before, started = max(before, n.seq), true
			case n.date == date:
				if first {
					lowest = n.seq
				}
				first, highest = false, max(highest, n.seq)
			}
		}
		switch {
		case !started:
			c.day(date).Expected += int64(highest - lowest + 1)
		case highest > before:
			c.day(date).Expected += int64(highest - before)
		}
	}
	for i := 1; i < len(list); i++ {
		if list[i].seq <= list[i-1].seq+1 {
			continue
		}
		g := health.Gap{HasBoot: boots, FromSeq: list[i-1].seq + 1, ToSeq: list[i].seq - 1}
		if boots {
			g.Boot = c.boot[run]
		}
		var told []string
		for _, n := range list { // a gap belongs to the day of the reading after it
			if n.seq == list[i].seq && !slices.Contains(told, n.date) {
				told = append(told, n.date)
				c.day(n.date).Gaps = append(c.day(n.date).Gaps, g)
			}
		}
	}
}

// starts returns when the runs of a device without boots began, but for the
// first: at a number that is not higher, with a later time.
func (m *model) starts(x *deviceSpec) (list []int64) {
	if x.boots {
		return nil
	}
	var all []number
	for i := range m.entries {
		if e := &m.entries[i]; e.Type == journal.TypeReading && e.Reading.Device == x.id {
			all = append(all, number{seq: e.Reading.Seq, at: e.Reading.At})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].at < all[j].at || all[i].at == all[j].at && all[i].seq < all[j].seq })
	for i := 1; i < len(all); i++ {
		if all[i].seq <= all[i-1].seq {
			list = append(list, all[i].at)
		}
	}
	return list
}

// inOrder tells whether all of a device came in the order of its clock, and
// nothing was set aside. Where a device counts no boots, how its numbers belong
// together is told exactly only then: a run is known from what came before.
func (m *model) inOrder(device string) bool {
	last, seq := int64(0), uint64(0)
	for i := range m.entries {
		e := &m.entries[i]
		switch {
		case e.Tally != nil && e.Tally.Device == device && len(e.Tally.Quarantined) > 0:
			return false
		case e.Type != journal.TypeReading || e.Reading.Device != device:
		case e.Reading.At < last || e.Reading.At == last && e.Reading.Seq < seq:
			return false
		default:
			last, seq = e.Reading.At, e.Reading.Seq
		}
	}
	return true
}

// intervalAt is a device's interval at a time, as known at a position.
func (m *model) intervalAt(pos uint64, at int64, device string) int64 {
	var found, newest *edition
	for i, v := range m.versions {
		if v.pos > pos {
			break
		}
		newest = v.e
		if i == 0 || v.at <= at {
			found = v.e
		}
	}
	if found == nil || found.kinds[device] == "" {
		found = newest
	}
	if found == nil || found.kinds[device] == "" {
		return health.DefaultIntervalS
	}
	return int64(found.interval[device])
}

// hadBy tells whether any version up to a position has a device.
func (m *model) hadBy(pos uint64, device string) bool {
	for _, v := range m.versions {
		if v.pos <= pos && v.e.kinds[device] != "" {
			return true
		}
	}
	return false
}

// checkComplete compares every device's days.
func (w *World) checkComplete(f *health.Follower) {
	for i := range w.plan.devices {
		x := &w.plan.devices[i]
		c := newComplete(w.model, x)
		for at := w.begin - 9*day; at <= w.now+day; at += day {
			date := dateOf(at)
			is, err := f.Completeness(w.ctx, x.id, date)
			if city.KindOf(err) == city.KindNotFound && !w.model.hadBy(never, x.id) {
				continue
			}
			must(err, "ask how complete "+x.id+" is")
			want := health.Completeness{}
			if c.days[date] != nil {
				want = *c.days[date]
			}
			want.Device, want.Date = x.id, date
			if !x.boots && !w.model.inOrder(x.id) {
				is.Expected, is.Missing, is.Gaps, is.Quarantined = 0, 0, nil, 0
				want.Expected, want.Missing, want.Gaps, want.Quarantined = 0, 0, nil, 0
			}
			if a, b := fmt.Sprintf("%+v", is), fmt.Sprintf("%+v", want); a != b {
				failf("completeness is\n%s\nand should be\n%s", a, b)
			}
			if is.Received > 0 {
				w.answer("complete %+v", is)
			}
		}
	}
}
