package watch

import "slices"

// drift looks for gates that lose count: over a day (of a site without reset_at,
// over a week, for its vehicles may stay for days) as many leave as came, give
// or take `share` of what passed, and `least`. The day is judged an hour after
// its end, once; a week each day. Source: contract section 4 (gates: in minus
// out since reset_at); issue 5 item 1.
type drift struct {
	Days []driftDay // ascending
}

// driftDay is what passed the gates of a site on a day.
type driftDay struct {
	Date    string
	In, Out int64
	Done    bool
}

// driftDays are kept: a week, and the day that has not ended.
const driftDays = 9

// pass takes vehicles that passed.
func (s *drift) pass(date string, out bool, n int64) {
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
				return
			}
			s.Days = slices.Delete(s.Days, 0, 1)
			i--
		}
		s.Days = slices.Insert(s.Days, i, driftDay{Date: date})
	}
	if out {
		s.Days[i].Out += n
	} else {
		s.Days[i].In += n
	}
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
		if x.place.site.ResetAt == "" {
			if from = i - 6; from < 0 {
				continue
			}
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
