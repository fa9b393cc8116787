package watch

import "github.com/simpang-id/simpang/internal/city"

// takings learns what a site takes in each hour of a kind of day: it raises
// nothing, others ask it. Method: a mean over the last 28 days of the kind.
type takings struct {
	Day   string
	Today [24]int64 // rupiah
	Mean  [dayKinds][24]float64
	Days  [dayKinds]int
}

const memoryDays = 28

// receipt implements detector.
func (s *takings) receipt(x *moment, r *receipt) {
	if r.repeats == repeated || r.Method == city.Free || !r.place.known() {
		return
	}
	date := r.place.date(r.at)
	if date > s.Day {
		s.close(x)
		s.Day = date
	}
	if date != s.Day {
		return // what comes late is little
	}
	_, hour := r.place.slot(r.at)
	amount := int64(r.Amount)
	if r.Void {
		amount = -amount
	}
	s.Today[hour] += amount
}

// close takes the day in.
func (s *takings) close(x *moment) {
	from, _, ok := x.place.span(s.Day)
	if ok && x.place.known() {
		kind, _ := x.place.slot(from)
		s.Days[kind] = min(s.Days[kind]+1, memoryDays)
		for hour, amount := range s.Today {
			s.Mean[kind][hour] += (float64(amount) - s.Mean[kind][hour]) / float64(s.Days[kind])
		}
	}
	s.Today = [24]int64{}
}

// tick implements detector.
func (s *takings) tick(*moment) bool { return false }

// in is what the site usually takes in hours of this kind of day, rupiah.
func (s *takings) in(x *moment, hours int32) int64 {
	kind, _ := x.place.slot(x.now)
	sum := 0.0
	for hour := range 24 {
		if hours&(1<<hour) != 0 {
			sum += max(0, s.Mean[kind][hour])
		}
	}
	return int64(sum)
}
