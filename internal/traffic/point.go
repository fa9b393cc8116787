package traffic

import "github.com/simpang-id/simpang/internal/city"

// history computes the points of one answer.
type history struct {
	f          *Follower
	id         string
	applied    uint64
	own, other past
}

// span is one direction over some buckets.
type span struct {
	flow     flow
	known    bool
	kmh      float64
	hasSpeed bool
	coverage float64 // 0..1
}

// over adds up the lanes of a direction over buckets.
func (p past) over(r *road, from, to int64) span {
	byLane := make([]laneSums, 0, 8)
	for t := from; t < to; t += bucketMS {
		for _, l := range p[t] {
			i := 0
			for i < len(byLane) && byLane[i].lane < l.lane {
				i++
			}
			if i == len(byLane) || byLane[i].lane != l.lane {
				byLane = append(byLane, laneSums{})
				copy(byLane[i+1:], byLane[i:])
				byLane[i] = laneSums{lane: l.lane}
			}
			byLane[i].add(&l.sums)
		}
	}
	s := span{known: true}
	var mean speeds
	var covered int64
	counted, extra := 0, 0
	for i := range byLane {
		l := &byLane[i]
		mean.add(&l.sums)
		inside := l.lane <= r.lanes
		if !inside {
			extra++
		}
		covered += min(l.CoveredMS+l.BlindMS, to-from)
		if l.CoveredMS == 0 {
			continue
		}
		if inside {
			counted++
		}
		s.flow = s.flow.plus(l.perHour())
	}
	s.known = counted >= r.lanes
	s.kmh, s.hasSpeed = mean.kmh()
	s.coverage = float64(covered) / float64(int64(r.lanes+extra)*(to-from))
	return s
}

// loadOver is the flows of a road over buckets.
func (h *history) loadOver(r *road, from, to int64) (span, load) {
	own := h.own.over(r, from, to)
	l := load{own: own.flow, ownKnown: own.known}
	if r.together && r.opposite != nil {
		other := h.other.over(r.opposite, from, to)
		l.other, l.otherKnown = other.flow, other.known
	}
	return own, l
}

func (h *history) point(t, step int64) HistoryPoint {
	p := HistoryPoint{T: t, Coverage: city.SomeMilli(0)}
	r := h.f.roadAt(h.applied, t, h.id)
	if r == nil {
		return p
	}
	own, l := h.loadOver(r, t, t+step)
	p.Coverage = milli(own.coverage)
	if own.hasSpeed {
		p.SpeedKmh = milli(own.kmh)
	}
	if l.ownKnown {
		p.FlowVPH = milli(l.own.vehicles())
	}
	if q, ok := r.smpH(&l); ok {
		p.FlowSMPH = milli(q)
	}
	if ratio, ok := r.ratio(&l); ok && !h.oversaturated(r, t, t+step) {
		p.DJ = milli(ratio)
	}
	return p
}

// oversaturated tells whether at least half of the five minutes that were
// measured lay in the regime in which counted flow lies: speed under half of
// free flow, also in the five minutes before, and the ratio under 1.
func (h *history) oversaturated(r *road, from, to int64) bool {
	bad, all := 0, 0
	before := h.slow(r, from-bucketMS)
	for t := from; t < to; t += bucketMS {
		slow := h.slow(r, t)
		if len(h.own[t]) > 0 {
			all++
			if slow && before {
				bad++
			}
		}
		before = slow
	}
	return all > 0 && 2*bad >= all
}

func (h *history) slow(r *road, t int64) bool {
	own, l := h.loadOver(r, t, t+bucketMS)
	ratio, ok := r.ratio(&l)
	return ok && ratio < 1 && own.hasSpeed && own.kmh < r.freeFlow/2
}

// roadAt returns the road as the inventory had it at a time, nil if it had
// none then.
func (f *Follower) roadAt(applied uint64, t int64, id string) *road {
	v := f.o.Timeline.At(applied, t)
	f.mu.Lock()
	defer f.mu.Unlock()
	if v == f.version {
		return f.roads[id]
	}
	if f.older == nil || f.olderOf != v {
		f.older, f.olderOf = roads(v), v
	}
	return f.older[id]
}
