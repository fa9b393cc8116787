package watch

import "slices"

// drift looks for gates that lose count: over a day (of a site without reset_at,
// over a week, for its vehicles may stay for days) as many leave as came, give
// or take `share` of what passed, and `least`. The day is judged an hour after
// its end, once; a week each day. The first day is not judged, for nobody saw
// it whole; nor is a day on which a gate did not speak or the place was closed.
// Source: contract section 4 (gates: in minus out since reset_at); issue 5 item 1.
type drift struct {
	Days []driftDay // ascending
}

// driftDay is what passed the gates of a site on a day.
type driftDay struct {
	Date    string
	In, Out int64
	Done    bool
	Holed   bool `json:",omitempty"` // a gate was silent or dead
}

// driftDays are kept: the one before a week, the week, and the day that has not
// ended.
const driftDays = 9

// pass takes vehicles that passed.
func (s *drift) pass(date string, out bool, n int64) {
	switch d := s.day(date); {
	case d == nil:
	case out:
		d.Out += n
	default:
		d.In += n
	}
}

// hole notes that not all gates speak on a day; it tells whether that is new.
func (s *drift) hole(date string) bool {
	d := s.day(date)
	if d == nil || d.Holed {
		return false
	}
	d.Holed = true
	return true
}

// day is one of those that are kept; nil where it is older than they are.
func (s *drift) day(date string) *driftDay {
	i, found := slices.BinarySearchFunc(s.Days, date, func(d driftDay, date string) int {
		switch {
		case d.Date < date:
			return -1
		case d.Date > date:
			return 1
		}
		return 0
	})
	if !found {
		if len(s.Days) == driftDays {
			if i == 0 {
				return nil
			}
			s.Days = slices.Delete(s.Days, 0, 1)
			i--
		}
		s.Days = slices.Insert(s.Days, i, driftDay{Date: date})
	}
	return &s.Days[i]
}

// tick judges the days that are over.
func (s *drift) tick(x *moment) (changed bool) {
	p := &x.rules.GateDrift
	for i := range s.Days {
		d := &s.Days[i]
		_, to, ok := x.place.span(d.Date)
		if d.Done || !ok || x.now < to+hourMs {
			continue
		}
		d.Done, changed = true, true
		from := i
		if begin, _, ok := x.place.span(d.Date); ok && x.place.closedIn(begin, to) {
			d.Holed = true // who was there leaves, and nobody comes
		}
		if x.place.site.ResetAt == "" {
			from = i - 6
		}
		if from < 1 || slices.ContainsFunc(s.Days[from:i+1], func(d driftDay) bool { return d.Holed }) {
			continue
		}
		in, out := int64(0), int64(0)
		for _, day := range s.Days[from : i+1] {
			in, out = in+day.In, out+day.Out
		}
		off := max(in-out, out-in)
		if p.Off || off < int64(p.Least) || float64(off) <= p.Share*float64(max(in, out)) {
			continue
		}
		x.out.raise(RuleGateDrift, finding{
			at: to - 1, count: 1, once: true, settle: int64(p.SettleDays) * dayMs, recover: int64(p.RecoverMin) * minuteMs,
			ranges: []Range{{s.Days[from].Date, d.Date}}, sums: []Sum{{"in", in}, {"out", out}},
		})
	}
	return changed
}
