package watch

import "slices"

// voids looks for a till that takes back too much. Method: when a day is over,
// its voids are too many where there are `least`, they are `ratio` of the day's
// receipts, and an honest till, which voids `usual` of its receipts, would void
// so many with a chance (binomial) of `improbable` at most. Voids of a night
// (outside opening hours, with margin_min for the last customers; where the
// site is always open from night_from to night_until) are too many by the same
// bound from night_least on. With 60 meters and 60 days and nights in a month the
// default lets one honest month in some 30 raise anything, at the most. Source: facts/revenue.md
// 3.6 (void ratio); issue 4 (a till that voids at night).
type voids struct {
	Days   []voidDay // ascending
	Nights []voidDay // by the day on which the night ends or lies
}

// voidDay is a day or night of a meter.
type voidDay struct {
	Date     string
	Receipts int64
	Voids    int64
	Amount   int64 // rupiah that was taken back
	Said     int64 // of Voids, those that were judged
	At       int64 // of the last void
	IDs      []string
}

// receipt implements detector.
func (s *voids) receipt(x *moment, r *receipt) {
	p := &x.rules.Voids
	if p.Off || r.repeats == repeated || !r.place.known() {
		return
	}
	note(&s.Days, r.place.date(r.at), r)
	if atNight(x, r) {
		note(&s.Nights, r.place.date(r.at+dayMs/2), r) // a night belongs to the day on which it ends
	}
}

// atNight tells whether a receipt was made when nobody should be there, or few.
func atNight(x *moment, r *receipt) bool {
	p := &x.rules.Voids
	margin := int64(p.MarginMin) * minuteMs
	if r.place.site.OpeningHours != "" && r.place.site.OpeningHours != "24/7" {
		v, site := r.place.version, r.place.site
		return !v.IsOpen(site, r.at) && !v.IsOpen(site, r.at-margin)
	}
	_, hour := r.place.slot(r.at)
	if p.NightFrom <= p.NightUntil {
		return hour >= p.NightFrom && hour < p.NightUntil
	}
	return hour >= p.NightFrom || hour < p.NightUntil
}

// note counts a receipt into its day, unless the day is forgotten.
func note(days *[]voidDay, date string, r *receipt) {
	i, found := slices.BinarySearchFunc(*days, date, func(d voidDay, date string) int {
		switch {
		case d.Date < date:
			return -1
		case d.Date > date:
			return 1
		}
		return 0
	})
	if !found {
		if len(*days) == mostDays {
			if i == 0 {
				return
			}
			*days = slices.Delete(*days, 0, 1)
			i--
		}
		*days = slices.Insert(*days, i, voidDay{Date: date})
	}
	d := &(*days)[i]
	if !r.Void {
		d.Receipts++
		return
	}
	d.Voids++
	d.Amount += int64(r.Amount)
	d.At = max(d.At, r.at)
	d.IDs = addReading(d.IDs, r.id)
}

// overMs is how long after its end a day is judged: what comes late may be in
// its midst.
const overMs = 2 * hourMs

// tick implements detector.
func (s *voids) tick(x *moment) bool {
	if !x.place.known() || x.rules.Voids.Off {
		return false
	}
	p := &x.rules.Voids
	day := s.judge(x, s.Days, RuleVoidRatio, p.Least, p.Ratio)
	night := s.judge(x, s.Nights, RuleVoidNight, p.NightLeast, 0)
	return day || night
}

// judge looks at the days that are over and have voids that were not looked at.
func (s *voids) judge(x *moment, days []voidDay, rule Rule, least int, ratio float64) (changed bool) {
	p := &x.rules.Voids
	for i := range days {
		d := &days[i]
		if d.Voids == d.Said {
			continue
		}
		if _, to, ok := x.place.span(d.Date); !ok || x.now < to+overMs {
			continue
		}
		fresh := d.Voids - d.Said
		d.Said, changed = d.Voids, true
		of := max(d.Receipts, d.Voids)
		if d.Voids < int64(least) || float64(d.Voids) < ratio*float64(of) || binomialAtLeast(d.Voids, of, p.Usual) > p.Improbable {
			continue
		}
		x.out.raise(rule, finding{
			at: d.At, count: fresh, once: true, settle: int64(p.SettleDays) * dayMs, recover: int64(p.RecoverMin) * minuteMs,
			readings: d.IDs, sums: []Sum{{"voids", d.Voids}, {"receipts", d.Receipts}, {"voided_rp", d.Amount}},
		})
		d.IDs = nil
	}
	return changed
}
