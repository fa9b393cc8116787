package traffic

import (
	"math"

	"github.com/simpang-id/simpang/internal/city"
)

// extraLaneMS is how long a lane that the inventory does not know counts as
// one of the segment's after it was heard.
const extraLaneMS = 24 * 3600_000

// direction is one segment's lanes at one time.
type direction struct {
	flow     flow
	known    bool // every lane was counted
	speed    float64
	hasSpeed bool
	heard    bool  // some lane was ever heard
	some     bool  // some lane has data that is not too old
	whole    bool  // every lane has
	end      int64 // newest sample
	expires  int64 // when the first of the lanes becomes too old
}

// at looks at the segment's lanes as they were at t; now as in series.at.
func (s *segment) at(r *road, t, now int64, interval func(string) int64) direction {
	d := direction{known: true, whole: true, expires: math.MaxInt64}
	if s == nil {
		return direction{expires: math.MaxInt64}
	}
	var mean speeds
	expected := 0
	for _, l := range s.lanes {
		v := l.at(t, now, interval)
		if v.end == 0 {
			continue
		}
		d.heard = true
		d.end = max(d.end, v.end)
		if s.place(l) <= r.lanes {
			expected++
		} else if now-v.end > extraLaneMS {
			continue
		}
		if !v.measured {
			d.known, d.whole = false, false
			continue
		}
		d.some = true
		d.expires = min(d.expires, v.expires)
		if v.counted {
			d.flow = d.flow.plus(v.perHour())
		} else {
			d.known, d.whole = false, false
		}
		mean.add(&v.sums)
	}
	if expected < r.lanes {
		d.known, d.whole = false, false
	}
	d.speed, d.hasSpeed = mean.kmh()
	return d
}

// speeds is the harmonic mean weighted by flow: a lane with a gap weighs no
// less. Lanes that tell a speed and no counts matter only where nothing else
// is known.
type speeds struct {
	flow, pace       float64
	blind, blindPace float64
}

func (m *speeds) add(l *sums) {
	switch {
	case l.SpeedN > 0:
		q := float64(l.SpeedN) * 3_600_000 / float64(l.CoveredMS)
		m.flow += q
		m.pace += q * float64(l.Pace) / float64(l.SpeedN)
	case l.CoveredMS == 0 && l.BlindMS > 0:
		m.blind += float64(l.BlindMS)
		m.blindPace += float64(l.BlindPace)
	}
}

func (m *speeds) kmh() (float64, bool) {
	switch {
	case m.flow > 0:
		return m.flow * (paceScale / 1000) / m.pace, true
	case m.blind > 0:
		return m.blind * (paceScale / 1000) / m.blindPace, true
	default:
		return 0, false
	}
}

// evaluate computes the present of a segment. It is a function of the samples,
// the inventory and the clock alone: neither the order of readings nor a
// restart can change it. It returns when it ends to hold.
func (f *Follower) evaluate(r *road, s *segment) (SegmentState, int64) {
	p := &picture{f: f, road: r, own: s}
	if r.opposite != nil && r.together {
		p.other = f.segments[r.opposite.segment.ID]
	}
	return p.state()
}

// picture is one evaluation.
type picture struct {
	f          *Follower
	road       *road
	own, other *segment // other only on a 2/2-TT road
}

func (p *picture) loadAt(t, now int64) (own direction, l load, expires int64) {
	own = p.own.at(p.road, t, now, p.f.interval)
	l = load{own: own.flow, ownKnown: own.known && own.some}
	expires = own.expires
	if p.road.together && p.road.opposite != nil {
		other := p.other.at(p.road.opposite, t, now, p.f.interval)
		l.other, l.otherKnown = other.flow, other.known && other.some
		expires = min(expires, other.expires)
	}
	return own, l, expires
}

func (p *picture) state() (SegmentState, int64) {
	r, now := p.road, p.f.now
	status, until := p.f.status(r.segment.ID)
	st := SegmentState{ID: r.segment.ID, Status: status, Quality: "none", Source: r.pkji.Source}
	if r.capacity > 0 {
		st.CapacitySMP = milli(r.capacity)
	}
	if r.freeFlow > 0 {
		st.FreeFlowKmh = milli(r.freeFlow)
	}
	own, l, expires := p.loadAt(math.MaxInt64, now)
	expires = min(expires, until)
	st.ObservedAt = own.end
	switch {
	case !own.heard:
		return st, expires
	case !own.some:
		st.Quality = "stale"
		return st, expires
	case own.whole:
		st.Quality = "live"
	default:
		st.Quality = "partial"
	}
	if l.ownKnown {
		st.FlowVPH = milli(l.own.vehicles())
	}
	if q, ok := r.smpH(&l); ok {
		st.FlowSMPH = milli(q)
	}
	if own.hasSpeed {
		st.SpeedKmh = milli(own.speed)
		st.LOSPM96 = r.pm96(own.speed)
		if r.freeFlow > 0 {
			st.TTI = milli(r.freeFlow / own.speed)
			st.Index = milli(min(10, max(0, 10*(1-own.speed/r.freeFlow))))
		}
	}
	oversaturated := false
	if ratio, ok := r.ratio(&l); ok {
		st.DJCounted = milli(ratio)
		if oversaturated = ratio < 1 && p.slow(); oversaturated {
			st.Regime, st.LOS = "oversaturated", "F"
		} else {
			st.DJ = st.DJCounted
			before := ""
			if r.plainLOS(ratio) != r.plainLOS(ratio+losMargin) { // else nothing before matters
				before = p.losBefore()
			}
			st.LOS = r.losOf(ratio, before)
			st.Regime = "free"
			if st.LOS >= "D" {
				st.Regime = "dense"
			}
		}
	}
	st.Trend = p.trend(&own, &l, oversaturated)
	return st, expires
}

// losBefore is the level of service just before the present, found by going
// through the last half hour minute by minute.
func (p *picture) losBefore() string {
	last := p.newest()
	letter := ""
	for t := floorTo(last-lookBack, 60_000) + 60_000; t < last; t += 60_000 {
		_, l, _ := p.loadAt(t, t)
		ratio, ok := p.road.ratio(&l)
		if !ok {
			letter = ""
			continue
		}
		letter = p.road.losOf(ratio, letter)
	}
	return letter
}

// newest is the time of the newest sample of the picture.
func (p *picture) newest() int64 {
	var t int64
	for _, s := range []*segment{p.own, p.other} {
		if s == nil {
			continue
		}
		for _, l := range s.lanes {
			for _, x := range l.series {
				if w := x.recent.last(); w != nil {
					t = max(t, w.End)
				}
			}
		}
	}
	return t
}

// slow tells whether the last two periods were both driven at under half of
// the free-flow speed. A period without vehicles under a covered detector is
// no sign either way and is passed over.
func (p *picture) slow() bool {
	for k := range 2 {
		var mean speeds
		for _, l := range p.own.lanes {
			if o, ok := l.period(k, p.f.now, p.f.interval); ok {
				mean.add(&o)
			}
		}
		kmh, ok := mean.kmh()
		if !ok || kmh >= p.road.freeFlow/2 {
			return false
		}
	}
	return true
}

// standingOccupancy is the detector's occupancy, thousandths of a per cent,
// from which a period without vehicles means that they stand.
const standingOccupancy = 50_000

// period returns the k-th newest period of the lane, of the device that holds
// at present.
func (l *lane) period(k int, now int64, interval func(string) int64) (sums, bool) {
	var best *series
	var held view
	for i, s := range l.series {
		if v := s.at(math.MaxInt64, now, interval(s.device)); i == 0 || v.better(&held) {
			best, held = s, v
		}
	}
	if best == nil || !held.measured {
		return sums{}, false
	}
	after := held.end
	for i := len(best.recent.samples) - 1; i >= 0; i-- {
		s := &best.recent.samples[i]
		if after-s.End > 3*max(s.PeriodMS, interval(best.device)) {
			return sums{}, false // a gap: not periods in succession
		}
		after = s.End
		o := s.sums()
		if s.Counted && o.motorised() == 0 && s.Occupancy >= standingOccupancy {
			continue
		}
		if k == 0 {
			return o, true
		}
		k--
	}
	return sums{}, false
}

// How much a change must be to be called one.
const (
	trendShare = 0.1 // of the quarter of an hour before
	trendVPH   = 20
)

// trend compares the window with the one before it: by flow, and where flow
// lies because the road is oversaturated by speed.
func (p *picture) trend(own *direction, l *load, oversaturated bool) string {
	t := own.end - windowMS
	before, past, _ := p.loadAt(t, t)
	var change, least float64
	switch {
	case oversaturated && own.hasSpeed && before.hasSpeed:
		change, least = before.speed-own.speed, trendShare*before.speed
	case !oversaturated && l.ownKnown && past.ownKnown:
		change = l.own.vehicles() - past.own.vehicles()
		least = max(trendVPH, trendShare*past.own.vehicles())
	default:
		return ""
	}
	switch {
	case change > least:
		return "rising"
	case change < -least:
		return "falling"
	default:
		return "steady"
	}
}

func milli(f float64) city.Milli {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return city.Milli{}
	}
	return city.MilliOf(f)
}
