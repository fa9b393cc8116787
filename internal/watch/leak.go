package watch

// leak looks for days on which a site recorded less than even the low end of
// what its stays should have brought. Method: when a day is over for grace_h,
// reconciliation is asked for what was to be expected, with its interval, and
// for what was recorded; it is a leak where the low end exceeds what was
// recorded by `share` of it and by `least` rupiah, and sensors covered
// `coverage` of the day. What widens where sensors were blind is the interval,
// so a blind day raises nothing. A day waits until each of the site's meters was
// heard after it, or its silence is told: then meter_silent is the cause, and no
// leak is told beside it. Source: issue 4 item 5 (leak_1 = expected -
// recorded); facts/revenue.md 3.5 and 3.7.
type leak struct{ Due due }

// receipt implements detector.
func (s *leak) receipt(*moment, *receipt) {}

// tick implements detector.
func (s *leak) tick(x *moment) bool {
	if x.asks.reconciliation == nil || !x.place.known() {
		return false
	}
	p := &x.rules.Leak
	changed, ready := s.Due.ready(x, int64(p.GraceH)*hourMs)
	if !ready {
		return changed
	}
	from, to, _ := x.place.span(s.Due.Date)
	out, wait := x.boxes(from, to)
	if wait {
		return changed
	}
	if out {
		s.Due.done(x)
		return true
	}
	if !x.asks.may() {
		return changed
	}
	r, ok, err := x.asks.reconciliation.Day(x.ctx, x.place.site.ID, s.Due.Date, s.Due.Pos)
	if err != nil {
		x.asks.failed("reconciliation", err)
		return changed
	}
	if !ok {
		return changed
	}
	lacks := r.Low - r.Recorded
	if !p.Off && r.Known && r.Coverage >= p.Coverage && int64(lacks) >= int64(p.Least) && lacks > 0 && float64(lacks) > p.Share*float64(r.Recorded) {
		x.out.raise(RuleLeak, finding{
			at: to - 1, count: 1, once: true, asked: true, settle: int64(p.SettleDays) * dayMs, recover: int64(p.RecoverMin) * minuteMs,
			ranges: []Range{{s.Due.Date, s.Due.Date}},
			sums: []Sum{
				{"expected_low_rp", int64(r.Low)},
				{"expected_rp", int64(r.Mid)},
				{"expected_high_rp", int64(r.High)},
				{"recorded_rp", int64(r.Recorded)},
				{"coverage_permille", int64(r.Coverage * 1000)},
			},
		})
	}
	s.Due.done(x)
	return true
}
