package watch

import (
	"errors"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
)

// offTariff looks for amounts that the tariff does not give. Method: a receipt
// with entered_at, left_at and class must cost what the tariff in force at entry
// says of that stay, give or take slack_s of its length, or that with a lost
// ticket; one without must be an amount that some stay of the class (without
// class: of any) can cost. What no tariff prices is not judged, nor are free and
// subscribed receipts, voids and reprints. One incident a meter: raised when a
// day has `least` such receipts, and they are `share` of what was judged.
// Source: contract section 2 (the tariff of entry) and internal/tariff.
type offTariff struct {
	Days []tariffDay // ascending
}

// tariffDay is a day of a meter.
type tariffDay struct {
	Date   string
	Judged int64
	Off    int64
	Said   int64    // of Off, those that were raised
	Over   int64    // rupiah by which they differ from the nearest price that is known
	IDs    []string // of those not raised yet
}

// mostDays bounds the days of a meter that a late receipt may still join.
const mostDays = 10

// receipt implements detector.
func (s *offTariff) receipt(x *moment, r *receipt) {
	p := &x.rules.Tariff
	if p.Off || r.Void || r.repeats == repeated || r.Method == city.Free || r.Method == city.Subscription || !r.place.known() {
		return
	}
	fits, differs, ok := s.fits(r, int64(p.SlackS)*1000)
	if !ok {
		return
	}
	d := s.day(r.place.date(r.at))
	if d == nil {
		return
	}
	d.Judged++
	if fits {
		return
	}
	d.Off++
	d.Over += differs
	d.IDs = addReading(d.IDs, r.id)
	if d.Off < int64(p.Least) || float64(d.Off) < p.Share*float64(d.Judged) {
		return
	}
	x.out.raise(RuleOffTariff, finding{
		at: r.at, count: d.Off - d.Said, once: true, settle: int64(p.SettleDays) * dayMs, recover: int64(p.RecoverMin) * minuteMs,
		readings: d.IDs, sums: []Sum{{"day_off", d.Off}, {"day_judged", d.Judged}, {"day_difference_rp", d.Over}},
	})
	d.Said, d.IDs = d.Off, nil
}

// day returns a day, to be changed; nil where it is older than all that are
// remembered.
func (s *offTariff) day(date string) *tariffDay {
	i, found := slices.BinarySearchFunc(s.Days, date, func(d tariffDay, date string) int {
		switch {
		case d.Date < date:
			return -1
		case d.Date > date:
			return 1
		}
		return 0
	})
	if found {
		return &s.Days[i]
	}
	if len(s.Days) == mostDays {
		if i == 0 {
			return nil
		}
		s.Days = slices.Delete(s.Days, 0, 1)
		i--
	}
	s.Days = slices.Insert(s.Days, i, tariffDay{Date: date})
	return &s.Days[i]
}

// fits tells whether the tariff gives the amount, and by how much it differs
// from the stay's price where that is known; ok is false where it cannot tell.
func (s *offTariff) fits(r *receipt, slack int64) (fits bool, differs int64, ok bool) {
	v, site := r.place.version, r.place.site
	if !r.EnteredAt.OK || !r.LeftAt.OK || r.Class == city.ClassNone || r.Class == city.ClassUnknown {
		return s.attains(r)
	}
	stay := tariff.Stay{Class: r.Class, Entered: r.EnteredAt.V, Left: r.LeftAt.V}
	for _, by := range [...]int64{0, -slack, slack} {
		stay.Left = max(stay.Entered, r.LeftAt.V+by)
		if r.LeftAt.V < r.EnteredAt.V {
			return false, 0, false
		}
		for _, lost := range [...]bool{false, true} {
			stay.Lost = lost
			q, err := v.Tariffs.Price(site.Tariff, stay, v.Calendar())
			if err != nil {
				return false, 0, false
			}
			if q.Amount == r.Amount {
				return true, 0, true
			}
			if by == 0 && !lost {
				differs = int64(r.Amount - q.Amount)
			}
		}
	}
	return false, differs, true
}

// attains tells whether any stay could cost the amount.
func (s *offTariff) attains(r *receipt) (fits bool, differs int64, ok bool) {
	v, err := r.place.version.Tariffs.Version(r.place.site.Tariff, r.at, r.place.version.Zone)
	if err != nil || errors.Is(err, tariff.ErrNoVersion) {
		return false, 0, false
	}
	if r.Class != city.ClassNone && r.Class != city.ClassUnknown {
		if v.Classes[r.Class] == nil {
			return false, 0, false
		}
		return v.CanCost(r.Class, r.Amount), 0, true
	}
	for class := range v.Classes {
		fits = fits || v.CanCost(class, r.Amount)
	}
	return fits, 0, true
}

// tick implements detector.
func (s *offTariff) tick(*moment) bool { return false }
