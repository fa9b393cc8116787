package watch

import (
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

// stays compares a site's payments of a day with the stays that its sensors
// saw. Method: when a day is over for grace_h by the journal's ticks, occupancy
// is asked how many stays ended and began on it. Payments are receipts by cash,
// qris, emoney and card less voids and reprints; stays are those seen less the
// receipts of free and subscribed ones. The day is judged where sensors covered
// `coverage` of it, no closure touched it, and every payment names a class that
// they see. It waits for a word on meters that say nothing, as leak does.
//
// Which difference is too much: on an honest day a payment lacks its stay where
// the sensor missed it, which is a Poisson number with at most (missed + what
// was not covered) x payments in the mean; a stay lacks its payment where the
// sensor saw one too many or it rightly paid nothing: (extra + unpaid) x stays
// in the mean. A vehicle that stands at midnight has its payment and its stay's
// end on either day, so payments are held against the larger of the stays that
// ended and began, and stays without payment are counted by the smaller. An
// incident needs a difference that has a chance of `improbable` at most: 1 in
// 2,000 each way, so both ways together at most one honest site-day in 1,000
// raises a false alarm, as long as missed, extra and unpaid are no less than
// the site's.
type stays struct {
	Due  due
	Days []stayDay // ascending
}

// stayDay is what a site's receipts of a day say.
type stayDay struct {
	Date   string
	Paid   [len(classSlots)]int64 // by class
	Exempt [len(classSlots)]int64 // free and subscribed
	IDs    []string               // some of those that paid
}

// classSlots are the classes by which payments are counted.
var classSlots = [...]city.Class{city.ClassNone, city.Car, city.Motorcycle, city.Truck, city.Bus, city.Bicycle, city.ClassUnknown}

// receipt implements detector.
func (s *stays) receipt(x *moment, r *receipt) {
	if x.asks.stays == nil || r.repeats == repeated || !r.place.known() {
		return
	}
	d := s.day(r.place.date(r.at))
	if d == nil {
		return
	}
	by := int64(1)
	if r.Void {
		by = -1
	}
	if r.Method == city.Free || r.Method == city.Subscription {
		if int(r.Class) < len(classSlots) {
			d.Exempt[r.Class] += by
		}
		return
	}
	if int(r.Class) < len(classSlots) {
		d.Paid[r.Class] += by
	}
	d.IDs = addReading(d.IDs, r.id)
}

// day returns a day that is not judged yet, to be changed.
func (s *stays) day(date string) *stayDay {
	if date < s.Due.Date {
		return nil
	}
	i, found := slices.BinarySearchFunc(s.Days, date, func(d stayDay, date string) int {
		switch {
		case d.Date < date:
			return -1
		case d.Date > date:
			return 1
		}
		return 0
	})
	if !found {
		if int64(len(s.Days)) > mostDue/dayMs+mostDays {
			return nil
		}
		s.Days = slices.Insert(s.Days, i, stayDay{Date: date})
	}
	return &s.Days[i]
}

// tick implements detector.
func (s *stays) tick(x *moment) bool {
	if x.asks.stays == nil || !x.place.known() {
		return false
	}
	p := &x.rules.Stays
	changed, ready := s.Due.ready(x, int64(p.GraceH)*hourMs)
	if changed {
		s.forget()
	}
	if !ready {
		return changed
	}
	from, to, _ := x.place.span(s.Due.Date)
	out, wait := x.boxes(from, to)
	if wait || !x.asks.may() {
		return changed
	}
	seen, ok, err := x.asks.stays.Seen(x.ctx, x.place.site.ID, from, to, int64(p.MinStayS)*1000, s.Due.Pos)
	if err != nil {
		x.asks.failed("stays", err)
		return changed
	}
	if !ok {
		return changed
	}
	if day := s.day(s.Due.Date); day != nil && !p.Off && seen.Coverage >= p.Coverage && !x.place.closedIn(from, to) {
		s.judge(x, day, &seen, to, out)
	}
	s.Due.done(x)
	s.forget()
	return true
}

// forget drops the days before the one that is due.
func (s *stays) forget() {
	s.Days = slices.DeleteFunc(s.Days, func(d stayDay) bool { return d.Date < s.Due.Date })
}

// judge compares a day's payments and stays. Where a meter was out, stays without
// payment are told by its silence.
func (s *stays) judge(x *moment, d *stayDay, seen *Seen, end int64, out bool) {
	p := &x.rules.Stays
	if len(seen.Classes) == 0 {
		return
	}
	var paid, exempt, all int64
	for i, class := range classSlots {
		all += d.Exempt[i]
		switch n := d.Paid[i]; {
		case slices.Contains(seen.Classes, class), class == city.ClassNone && len(x.place.site.Classes) == len(seen.Classes):
			paid += n
			exempt += d.Exempt[i]
		case (class == city.ClassNone || class == city.ClassUnknown) && n > 0:
			return // whether sensors can see them is not known
		}
	}
	most, least := max(seen.Ended, seen.Began)-exempt, min(seen.Ended, seen.Began)-all
	common := finding{at: end - 1, once: true, settle: int64(p.SettleDays) * dayMs, recover: int64(p.RecoverMin) * minuteMs, asked: true}
	common.sums = []Sum{{"paid", paid}, {"exempt", all}, {"stays_ended", seen.Ended}, {"stays_began", seen.Began}, {"coverage_permille", int64(seen.Coverage * 1000)}}
	common.ranges = []Range{{d.Date, d.Date}}
	if over := paid - max(most, 0); over >= int64(p.Least) && poissonAtLeast(over, (p.Missed+1-seen.Coverage)*float64(paid)) <= p.Improbable {
		f := common
		f.count, f.readings = over, d.IDs
		x.out.raise(RulePaymentNoStay, f)
	}
	if over := least - paid; !out && over >= int64(p.Least) && poissonAtLeast(over, (p.Extra+p.Unpaid)*float64(max(least, 0))) <= p.Improbable {
		f := common
		f.count = over
		x.out.raise(RuleStayNoPayment, f)
	}
}
