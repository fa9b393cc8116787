package traffic

import (
	"math"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
)

// Segments returns the present of every segment of the inventory, sorted by
// id.
func (f *Follower) Segments() []SegmentState {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	if f.version == nil {
		return nil
	}
	out := make([]SegmentState, len(f.version.Segments))
	for i, s := range f.version.Segments {
		out[i] = f.segments[s.ID].state
	}
	return out
}

// Segment returns the present of one segment; false if the inventory has none
// of that id.
func (f *Follower) Segment(id string) (SegmentState, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	if f.version == nil || f.version.Segment(id) == nil {
		return SegmentState{}, false
	}
	return f.segments[id].state, true
}

// Due is when the state of a segment, as it was last asked for, changes though
// nothing comes. Unix ms; 0 before the first question.
func (f *Follower) Due() int64 { return f.due.Load() }

// refresh evaluates what is not evaluated, or no longer holds.
func (f *Follower) refresh() {
	v := f.o.Timeline.At(f.applied, f.now)
	if v == nil {
		return
	}
	if v != f.version {
		f.version, f.roads = v, roads(v)
		for _, s := range f.segments {
			s.until = 0
		}
	}
	due := f.now + 60_000
	for _, s := range v.Segments {
		x := f.segmentOf(s.ID)
		if x.until > f.now && !f.shut {
			due = min(due, x.until)
			continue
		}
		state, until := f.evaluate(f.roads[s.ID], x)
		x.until = until
		due = min(due, until)
		state.Rev = x.state.Rev
		if state != x.state {
			f.rev++
			state.Rev = f.rev
			x.state = state
		}
	}
	f.shut = false
	f.due.Store(due)
}

// interval is how often a device should report, ms; 0 where nothing is said.
func (f *Follower) interval(device string) int64 {
	if d := f.version.Device(device); d != nil {
		return int64(d.IntervalS) * 1000
	}
	return 0
}

// worstShown is how many segments Congestion names.
const worstShown = 10

// Congestion returns the city's present. The index is weighted by the
// vehicle-km driven in an hour; closed segments have none. Levels counts every
// segment by its letter.
func (f *Follower) Congestion() Congestion {
	c := Congestion{Levels: map[string]int{"A": 0, "B": 0, "C": 0, "D": 0, "E": 0, "F": 0, "unknown": 0}}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	if f.version == nil {
		return c
	}
	var weight, index float64
	counted, driven := false, false
	for _, segment := range f.version.Segments {
		s := &f.segments[segment.ID].state
		c.ObservedAt = max(c.ObservedAt, s.ObservedAt)
		if s.LOS == "" {
			c.Levels["unknown"]++
		} else {
			c.Levels[s.LOS]++
		}
		if s.Status == "closed" {
			continue
		}
		if s.Index.OK || s.DJCounted.OK {
			c.Worst = append(c.Worst, *s)
		}
		if !s.FlowVPH.OK {
			continue
		}
		counted, driven = true, driven || s.FlowVPH.V > 0
		if s.Index.OK {
			km := float64(s.FlowVPH.V) / 1000 * segment.LengthM / 1000
			weight += km
			index += km * float64(s.Index.V) / 1000
		}
	}
	switch {
	case weight > 0:
		c.Index = milli(index / weight)
	case counted && !driven:
		c.Index = city.SomeMilli(0) // measured, and nobody drove
	}
	sort.SliceStable(c.Worst, func(i, j int) bool { return c.Worst[i].worse(&c.Worst[j]) })
	c.Worst = c.Worst[:min(len(c.Worst), worstShown)]
	return c
}

// worse orders by how much slower than free the segment is driven, then by
// its degree of saturation.
func (s *SegmentState) worse(o *SegmentState) bool {
	a, b := orLess(s.Index), orLess(o.Index)
	if a != b {
		return a > b
	}
	return orLess(s.DJCounted) > orLess(o.DJCounted)
}

func orLess(m city.Milli) int64 {
	if !m.OK {
		return math.MinInt64
	}
	return m.V
}
