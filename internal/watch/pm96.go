package watch

import (
	"slices"
	"strconv"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
)

// pm96 looks for the triggers of PM 96/2015, each of which must hold for
// `minutes` on end. For parking, an oversaturated road counts as one at its
// capacity; the others need the ratio itself, for what stands behind an accident
// asks for no other road.
//
//   - traffic_parking_limit: V/C over 0.7 and under 30 km/h: restrict parking at
//     the kerb. It names the sites on the segment, the hours of the day, and
//     what these usually take in them: the income that would be forgone a day.
//   - traffic_one_way: V/C over 0.85.
//   - traffic_tidal: V/C over 0.9, and this direction has 70 % of both.
//
// Source: facts/traffic.md 2.4.
type pm96 struct {
	Parking, OneWay, Tidal trigger
}

// trigger is a condition that must hold on end.
type trigger struct {
	Since int64 // 0: it does not hold
	Hours int32 // of the day in which it has held for long enough, a bit each
	Day   string
}

func (s *pm96) pause() { s.Parking.Since, s.OneWay.Since, s.Tidal.Since = 0, 0, 0 }

func (s *pm96) step(x *moment, at int64, r *RoadStep) {
	p := &x.rules.PM96
	vc, known := ratio(r)
	if p.Off || !known {
		return
	}
	speed, driven := r.SpeedKmh.Float()
	v, id := x.place.version, x.segment.ID
	if s.Parking.holds(x, at, driven && vc > p.ParkingVC && speed < p.ParkingKmh) {
		sites := kerbOf(v, id)
		f := s.Parking.finding(x, at)
		f.sums = append(f.sums, Sum{"sites", int64(len(sites))})
		income, asked := int64(0), false
		for _, site := range sites {
			f.sites = append(f.sites, site.ID)
			if t := x.takings(site.ID); t != nil {
				income, asked = income+t.in(x, s.Parking.Hours), true
			}
		}
		if asked {
			f.sums = append(f.sums, Sum{"income_forgone_a_day_rp", income})
		}
		if len(sites) > 0 {
			x.out.raise(RuleParkingLimit, f)
		}
	}
	if x.segment.RoadType != "one_way" && s.OneWay.holds(x, at, r.DJ.OK && vc > p.OneWayVC) {
		x.out.raise(RuleOneWay, s.OneWay.finding(x, at))
	}
	if !r.DJ.OK || vc <= p.TidalVC || x.segment.Opposite == "" {
		s.Tidal.Since = 0
		return
	}
	own, ok := r.FlowVPH.Float()
	other, reached, err := x.asks.roads.Step(x.ctx, x.segment.Opposite, at-stepMs, 0)
	if err != nil || !reached || !ok || !other.FlowVPH.OK {
		return
	}
	share := own / max(1, own+float64(other.FlowVPH.V)/1000)
	if s.Tidal.holds(x, at, share >= p.TidalSplit) {
		f := s.Tidal.finding(x, at)
		f.sums = append(f.sums, Sum{"split_permille", int64(share * 1000)})
		x.out.raise(RuleTidal, f)
	}
}

// holds notes whether the condition holds; it tells whether there is a new hour
// of this day to be told.
func (t *trigger) holds(x *moment, at int64, now bool) bool {
	if !now {
		t.Since = 0
		return false
	}
	if t.Since == 0 {
		t.Since = at - stepMs
	}
	if at-t.Since < int64(x.rules.PM96.Minutes)*minuteMs {
		return false
	}
	if day := x.place.date(at); day != t.Day {
		t.Day, t.Hours = day, 0
	}
	before := t.Hours
	for hour := t.Since; hour < at; hour += stepMs {
		t.Hours |= 1 << time.UnixMilli(hour).In(x.place.version.Zone).Hour()
	}
	return t.Hours != before
}

func (t *trigger) finding(x *moment, at int64) finding {
	p := &x.rules.PM96
	f := finding{at: at, count: 1, once: true, asked: true, settle: int64(p.SettleDays) * dayMs, recover: int64(p.RecoverMin) * minuteMs}
	for hour := 0; hour < 24; hour++ {
		if t.Hours&(1<<hour) == 0 {
			continue
		}
		until := hour + 1
		for until < 24 && t.Hours&(1<<until) != 0 {
			until++
		}
		f.ranges = append(f.ranges, Range{t.Day + " " + strconv.Itoa(hour) + ":00", t.Day + " " + strconv.Itoa(until) + ":00"})
		hour = until
	}
	return f
}

// kerbOf are the sites at the kerb of a segment.
func kerbOf(v *inventory.Version, segment string) (sites []*inventory.Site) {
	for _, s := range v.Sites {
		if s.Kind == inventory.OnStreet && s.Segment == segment {
			sites = append(sites, s)
		}
	}
	return slices.Clip(sites)
}
