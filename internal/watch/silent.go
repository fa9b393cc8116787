package watch

import "math"

// silent looks for a meter that says nothing while its site is open. Method: the
// rate of receipts is learned by hour of day and kind of day (working day,
// weekend, holiday), forgetting by memory_days; while nothing comes, what was to
// be expected is summed over the open time, by the rate's low end (one standard
// deviation under it) and by how busy the last day was against the learned rate.
// Were receipts a Poisson process, none in a time in which E are expected has a
// chance of exp(-E): with the default of 15, one in three million, so that of
// ten million receipts three begin a silence that long by chance; with 10 it
// would be 450. Hours that were seen on fewer than two days of their kind expect nothing. A meter
// without history has a plain limit of open hours. Time in which the journal's
// clock stood still (the gateway was off) counts for nothing, nor does time in
// which the meter's site or source was silent as a whole. Source:
// facts/revenue.md 3.6 (24 of 50 devices worked: the age of the last receipt
// and silence in business hours matter more than totals).
type silent struct {
	Rates    [dayKinds][24]rate
	Days     int    // days with receipts, up to learn_days
	Day      string // the last of them
	Total    int64  // receipts
	At       int64  // the journal's clock up to which Expected is; 0: none yet
	Heard    int64  // the journal's clock when a receipt came last; at first when the meter was seen
	Expected float64
	OpenMs   int64 // open time since Heard
	Came     float64
	Due      float64 // both of about the last day, up to Heard
	Level    float64
	Said     bool

	From, Until int64 `json:",omitempty"` // of the last silence that was told and ended
}

// wasOut tells whether a silence that was told touches [from, to).
func (s *silent) wasOut(from, to int64) bool {
	return s.Said && s.Heard < to || s.From < to && s.Until > from
}

// rate is receipts in hours of a slot.
type rate struct{ N, H float64 }

const (
	leastHours    = 2  // of a slot, before it is believed
	leastReceipts = 20 // of a meter, before its rates are
	stillMs       = 15 * minuteMs
	freshMs       = 2 * hourMs // older receipts do not teach: their hour went without them, or no tick was seen of it
	lowestLevel   = 0.1
	levelWeight   = 5 // receipts, by which the level is drawn to 1
)

// receipt implements detector.
func (s *silent) receipt(x *moment, r *receipt) {
	s.begin(x)
	since := s.Heard
	s.Heard, s.Expected, s.OpenMs = x.now, 0, 0
	s.Level = min(1, max(lowestLevel, (s.Came+levelWeight)/(s.Due+levelWeight)))
	if s.Said {
		x.out.calm(RuleMeterSilent)
		s.Said, s.From, s.Until = false, since, x.now
	}
	if r.Void || r.repeats == repeated || !r.place.known() || max(x.now-r.at, r.at-x.now) > freshMs {
		return
	}
	kind, hour := r.place.slot(r.at)
	s.Rates[kind][hour].N++
	s.Came++
	s.Total++
	if date := r.place.date(r.at); date > s.Day && s.Days < x.rules.Silent.LearnDays {
		s.Day, s.Days = date, s.Days+1
	}
}

func (s *silent) begin(x *moment) {
	if s.At == 0 {
		s.At, s.Heard, s.Level = x.now, x.now, 1
	}
}

// tick implements detector.
func (s *silent) tick(x *moment) bool {
	s.begin(x)
	passed := x.now - s.At
	s.At, s.Heard = x.now, x.before(s.Heard)
	if x.caused == hasCause {
		s.Expected, s.OpenMs = 0, 0
	}
	if x.caused == hasCause || !x.place.known() || passed <= 0 || passed > stillMs || !x.place.open(x.now) {
		return true
	}
	passed = openTime(x.now-passed, x.now, passed, minuteMs, x.place.open)
	s.OpenMs += passed
	hours := float64(passed) / hourMs
	kind, hour := x.place.slot(x.now)
	r := &s.Rates[kind][hour]
	if r.H >= leastHours {
		low := max(0, r.N-math.Sqrt(r.N)) / r.H
		s.Expected += low * hours
		s.Due += r.N / r.H * hours
	}
	keep := math.Exp(-hours / 24)
	s.Came, s.Due = s.Came*keep, s.Due*keep
	if !s.Said { // a meter that is out teaches nothing
		forget := math.Exp(-hours / float64(x.rules.Silent.MemoryDays))
		r.N, r.H = r.N*forget, r.H*forget+hours
	}
	s.judge(x)
	return true
}

func (s *silent) judge(x *moment) {
	p := &x.rules.Silent
	history := s.Days >= p.LearnDays && s.Total >= leastReceipts
	long := s.Expected*s.Level >= p.Expected && s.OpenMs >= int64(p.LeastMin)*minuteMs
	if !history {
		long = s.OpenMs >= int64(p.NoHistoryH)*hourMs
	}
	if !long || s.Said || p.Off || x.caused != noCause {
		return
	}
	s.Said = true
	x.out.raise(RuleMeterSilent, finding{
		at: x.now, count: 1, recover: int64(p.RecoverMin) * minuteMs,
		// How many receipts were to be expected would tell a taxpayer's turnover to who looks after devices.
		sums: []Sum{{"silent_s", (x.now - s.Heard) / 1000}, {"open_s", s.OpenMs / 1000}},
	})
}
