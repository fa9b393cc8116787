package watch

import (
	"math"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch/baseline"
)

// road watches a segment, five minutes after five minutes, as traffic tells
// them once what comes late has had an interval's time. It is the first of the
// detectors of a segment, and hands each step to the others:
//
// traffic_incident: the speed falls under what this hour of this kind of day
// shows, or the flow leaves it, for least_min and longer. Method: package
// baseline, whose kinds of day are the city's: working days, weekends, national
// holidays, cuti bersama, working days of Ramadan, days of rest and working days
// of Lebaran. The speed of fewer
// than three vehicles teaches nothing. Source: issue 5 item 1.
//
// Nothing new is said while a closure holds, work is done, or a counter of the
// segment is known to be dead or stuck, and such a time teaches nothing.
type road struct {
	Next   int64  // begin of the step that is asked for next, Unix ms
	Pos    uint64 // of the journal when it could be asked for
	Speed  *series
	Flow   *series
	Level  levelF
	PM96   pm96
	Said   bool // traffic_incident is raised
	Before bool // by the speed
}

// series is a baseline with its last points.
type series struct {
	State  *baseline.Series
	Points []Point // ascending
}

// mostPoints is two hours.
const mostPoints = 24

// segmentUnits are the detectors of a segment.
var segmentUnits = []unit{{"road", func() detector { return &road{} }}}

// receipt implements detector.
func (s *road) receipt(*moment, *receipt) {}

// tick implements detector.
func (s *road) tick(x *moment) (changed bool) {
	if x.asks.roads == nil || x.segment == nil {
		return false
	}
	for range mostSteps {
		oldest := (x.now/stepMs - oldestSteps) * stepMs
		if s.Next < oldest || s.Next > x.now {
			s.Next, s.Pos, changed = x.now/stepMs*stepMs, 0, true
		}
		if x.now < s.Next+stepMs+lateness(x) {
			return changed
		}
		if s.Pos == 0 {
			s.Pos, changed = x.pos, true
		}
		step, ok, err := x.asks.roads.Step(x.ctx, x.segment.ID, s.Next, s.Pos)
		if err != nil {
			x.asks.failed("roads", err)
			return changed
		}
		if !ok {
			return changed
		}
		s.step(x, &step)
		s.Next, s.Pos, changed = s.Next+stepMs, 0, true
	}
	return changed
}

// lateness is how long after a step's end it is asked for: the longest interval
// of the segment's counters.
func lateness(x *moment) int64 {
	most := int64(stepMs)
	for _, d := range x.place.version.SegmentDevices(x.segment.ID) {
		most = max(most, int64(d.IntervalS)*1000)
	}
	return min(most, 30*minuteMs)
}

// step judges a step.
func (s *road) step(x *moment, r *RoadStep) {
	at := s.Next + stepMs
	closed, _, _ := x.place.closures.State(x.place.version, "", x.segment.ID, s.Next)
	if closed || x.muted || x.blind {
		s.Level.pause(x)
		s.PM96.pause()
		if x.blind && s.Said {
			s.Said = false
			x.out.calm(RuleIncident)
		}
		return
	}
	s.Level.step(x, at, r)
	s.PM96.step(x, at, r)
	p := &x.rules.Incident
	if p.Off {
		return
	}
	flow, known := r.FlowVPH.Float()
	speed, driven := r.SpeedKmh.Float()
	var slow, odd baseline.Verdict
	if known {
		odd = s.take(&s.Flow, x, at, flow)
	}
	if driven && (!known || flow*stepMs/hourMs >= 3) {
		slow = s.take(&s.Speed, x, at, speed)
	}
	s.judge(x, at, &slow, &odd)
}

// take gives a value to its series.
func (s *road) take(to **series, x *moment, at int64, value float64) baseline.Verdict {
	if *to == nil {
		*to = &series{State: new(baseline.Series)}
	}
	p := baseline.Defaults()
	p.LearnMs = int64(x.rules.Incident.LearnDays) * dayMs
	kind, clock := dayKind(x.place.version, at-stepMs/2)
	v, _ := (*to).State.Add(&p, at, kind, clock, value)
	if len((*to).Points) == mostPoints {
		(*to).Points = append((*to).Points[:0], (*to).Points[1:]...)
	}
	(*to).Points = append((*to).Points, Point{At: at, V: float32(value), Mid: float32(v.Mid), Lo: float32(max(v.Low, 0)), Hi: float32(v.High)})
	return v
}

// judge raises and calms.
func (s *road) judge(x *moment, at int64, slow, odd *baseline.Verdict) {
	p := &x.rules.Incident
	least := int64(p.LeastMin) * minuteMs
	bySpeed := stands(s.Speed, at, least) && (slow.Anomalous && !slow.Above && -s.Speed.apart() >= p.Share || s.Said && s.Before)
	byFlow := stands(s.Flow, at, least) && (odd.Anomalous && odd.Score > 0.5 && math.Abs(s.Flow.apart()) >= p.Share || s.Said)
	switch {
	case (bySpeed || byFlow) && !s.Said:
		of, v, unit := s.Flow, odd, "vph"
		if bySpeed {
			of, v, unit = s.Speed, slow, "km/h"
		}
		last := of.Points[len(of.Points)-1]
		s.Said, s.Before = true, bySpeed
		x.out.raise(RuleIncident, finding{
			at: at, count: 1, asked: true, recover: int64(p.RecoverMin) * minuteMs, chart: append([]Point(nil), of.Points...), unit: unit, unseen: v.Unseen,
			sums: []Sum{{name(unit, "seen"), whole(last.V)}, {name(unit, "usual"), whole(last.Mid)}, {name(unit, "low"), whole(last.Lo)}, {name(unit, "high"), whole(last.Hi)}},
		})
	case s.Said && !bySpeed && !byFlow:
		s.Said = false
		x.out.calm(RuleIncident)
	}
}

// apart is by which share of the usual the mean of the last three points differs
// from it; below 0 it is less.
func (s *series) apart() float64 {
	seen, usual := 0.0, 0.0
	for _, p := range s.Points[max(0, len(s.Points)-3):] {
		seen, usual = seen+float64(p.V), usual+float64(p.Mid)
	}
	if usual <= 0 {
		return 1
	}
	return seen/usual - 1
}

// stands tells whether an anomaly of a series has lasted for so long.
func stands(s *series, at, least int64) bool {
	if s == nil {
		return false
	}
	since, ok := s.State.Anomalous()
	return ok && at-since >= least-stepMs
}

func name(unit, what string) string {
	if unit == "km/h" {
		return "speed_" + what + "_kmh"
	}
	return "flow_" + what + "_vph"
}

func whole(v float32) int64 { return int64(math.Round(float64(v))) }

// dayKind is the kind of day of a time, and the time of that day, ms.
func dayKind(v *inventory.Version, at int64) (baseline.Kind, int64) {
	t := time.UnixMilli(at).In(v.Zone)
	clock := int64(t.Hour())*hourMs + int64(t.Minute())*minuteMs + int64(t.Second())*1000
	date, weekend := t.Format(time.DateOnly), t.Weekday() == time.Saturday || t.Weekday() == time.Sunday
	kind, lebaran := baseline.Working, false
	if weekend {
		kind = baseline.Weekend
	}
	for i := range v.Holidays {
		h := &v.Holidays[i]
		if date < h.Date || date > max(h.Until, h.Date) {
			continue
		}
		switch {
		case h.Kind == "lebaran":
			lebaran = true
		case h.Kind == "cuti_bersama" && !h.Working:
			kind = max(kind, baseline.CutiBersama)
		case h.Kind == "national" && !h.Working:
			kind = max(kind, baseline.Holiday)
		case h.Kind == "ramadan" && !weekend:
			kind = max(kind, baseline.Ramadan)
		}
	}
	switch {
	case lebaran && (kind == baseline.Working || kind == baseline.Ramadan):
		kind = baseline.LebaranWorking
	case lebaran:
		kind = baseline.Lebaran
	}
	return kind, clock
}
