package world

import (
	"math"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/traffic"
)

// roads is what passed each segment, in five minutes each. Every period of the
// world lies in one of them, and one device sees each lane.
type roads struct {
	passed map[string]map[int64]*passed
	newest map[string]int64 // device time of the newest lane, by segment
}

// passed is what a lane says of five minutes.
type passed struct {
	c        traffic.Counts
	blind    int64   // ms with a speed and no counts
	driven   float64 // vehicles with a speed
	hours    float64 // what they took for a km each
	slow     float64 // of the blind time
	slowTime float64
}

func newRoads(m *model) *roads {
	r := &roads{passed: map[string]map[int64]*passed{}, newest: map[string]int64{}}
	for i := range m.entries {
		e := &m.entries[i]
		if e.Type != journal.TypeReading || e.Reading.Traffic == nil {
			continue
		}
		x := m.w.plan.device(e.Reading.Device)
		for _, l := range e.Reading.Traffic.Lanes {
			segment := x.segment
			if l.Backward {
				segment = "r-2-b"
			}
			r.lane(segment, e.Reading.At, int64(e.Reading.Traffic.PeriodS)*second, &l)
		}
	}
	return r
}

func (r *roads) lane(segment string, end, period int64, l *city.Lane) {
	r.newest[segment] = max(r.newest[segment], end)
	if r.passed[segment] == nil {
		r.passed[segment] = map[int64]*passed{}
	}
	begin := end - period
	begin -= ((begin % fiveMinutes) + fiveMinutes) % fiveMinutes
	p := r.passed[segment][begin]
	if p == nil {
		p = &passed{}
		r.passed[segment][begin] = p
	}
	kmh, known := l.Speed.Float()
	if !l.HasCounts {
		if known {
			p.blind += period
			p.slowTime += float64(period)
			p.slow += float64(period) / max(kmh, 1)
		}
		return
	}
	p.c.SM += int64(l.SM)
	p.c.KR += int64(l.KR)
	p.c.KB += int64(l.KB)
	p.c.KTB += int64(l.KTB)
	p.c.Unknown += int64(l.Unknown)
	p.c.CoveredMS += period
	if n := float64(l.SM + l.KR + l.KB + l.Unknown); known && n > 0 {
		p.driven += n
		p.hours += n / max(kmh, 1)
	}
}

// flow is vehicles/h of the time that was counted: a gap is no low flow.
func (p *passed) flow() (float64, bool) {
	n := p.c.SM + p.c.KR + p.c.KB + p.c.Unknown
	return float64(n) * float64(hour) / float64(p.c.CoveredMS), p.c.CoveredMS > 0
}

// speed is the harmonic mean of what was driven.
func (p *passed) speed() (float64, bool) {
	switch {
	case p.driven > 0:
		return p.driven / p.hours, true
	case p.slowTime > 0 && p.c.CoveredMS == 0: // where nothing is counted nothing can be weighted
		return p.slowTime / p.slow, true
	}
	return 0, false
}

// checkRoads compares counts, flows and speeds of every five minutes.
func (w *World) checkRoads(f *traffic.Follower, from, to int64) {
	r := newRoads(w.model)
	for _, x := range w.plan.roads {
		points, err := f.History(w.ctx, x.id, from, to, fiveMinutes)
		must(err, "ask for the history of "+x.id)
		total := traffic.Counts{}
		for _, p := range points {
			want := r.passed[x.id][p.T]
			if want == nil {
				if p.FlowVPH.OK || p.SpeedKmh.OK || p.Coverage.V != 0 {
					failf("%s at %d: %+v, and nothing was measured", x.id, p.T, p)
				}
				continue
			}
			flow, known := want.flow()
			closeTo(x.id+" flow", p.T, p.FlowVPH, flow, known)
			kmh, known := want.speed()
			closeTo(x.id+" speed", p.T, p.SpeedKmh, kmh, known)
			c, err := f.Counts(w.ctx, x.id, p.T, p.T+fiveMinutes)
			must(err, "ask for counts of "+x.id)
			if c != want.c {
				failf("%s at %d counted %+v, and should have %+v", x.id, p.T, c, want.c)
			}
			total.SM += c.SM
			total.CoveredMS += c.CoveredMS
		}
		state, ok := f.Segment(x.id)
		if !ok || state.ObservedAt != r.newest[x.id] {
			failf("%s was observed at %d, and should be at %d", x.id, state.ObservedAt, r.newest[x.id])
		}
		w.answer("road %s %+v %d", x.id, total, state.ObservedAt)
	}
}

// closeTo allows for the last digit of a rounding.
func closeTo(what string, t int64, is city.Milli, want float64, known bool) {
	v, ok := is.Float()
	if ok != known || known && math.Abs(v-want) > 0.002+want/1e6 {
		failf("%s at %d is %v (known %v), and should be %v (known %v)", what, t, v, ok, want, known)
	}
}
