package traffic

import (
	"cmp"
	"slices"
)

// series is one device's view of one lane of a segment.
type series struct {
	id      int64
	segment string
	lane    uint16
	device  string
	recent  window

	touched bool            // recent changed since the last flush
	pending []pendingBucket // roll-ups since the last flush
	newest  *sums           // of the bucket at newestT, in pending
	newestT int64
}

// pendingBucket is what came for one bucket since the last flush.
type pendingBucket struct {
	t int64
	o *sums
}

// segment is what is known of one segment: its lanes in order, each with the
// devices that see it in order of their id.
type segment struct {
	id    string
	lanes []*lane

	state SegmentState
	until int64 // the state holds until this receive time; 0: evaluate anew
}

type lane struct {
	number uint16
	series []*series
}

// lane returns the lane of that number, and makes it where it is not.
func (s *segment) find(number uint16) (int, bool) {
	return slices.BinarySearchFunc(s.lanes, number, func(l *lane, n uint16) int { return cmp.Compare(l.number, n) })
}

func (s *segment) has(number uint16) bool {
	_, ok := s.find(number)
	return ok
}

func (s *segment) lane(number uint16) *lane {
	i, ok := s.find(number)
	if !ok {
		s.lanes = slices.Insert(s.lanes, i, &lane{number: number})
	}
	return s.lanes[i]
}

// place returns which of the direction's lanes one is, from 1: the lowest that
// was ever heard is the first, since counters number either each direction or
// on across the road.
func (s *segment) place(l *lane) int { return int(l.number-s.lanes[0].number) + 1 }

func (l *lane) find(device string) (int, bool) {
	return slices.BinarySearchFunc(l.series, device, func(s *series, id string) int { return cmp.Compare(s.device, id) })
}

func (l *lane) insert(i int, s *series) { l.series = slices.Insert(l.series, i, s) }

// put adds o to the bucket of t.
func (s *series) put(t int64, o *sums) {
	if s.newest == nil || s.newestT != t {
		s.newest = nil
		for _, b := range slices.Backward(s.pending) {
			if b.t == t {
				s.newest = b.o
				break
			}
		}
		if s.newest == nil {
			s.newest = &sums{}
			s.pending = append(s.pending, pendingBucket{t, s.newest})
		}
		s.newestT = t
	}
	s.newest.add(o)
}

// view is one lane at one time.
type view struct {
	sums
	end      int64 // of the newest sample, Unix ms
	expires  int64 // receive time at which it is too old
	counted  bool
	measured bool
}

// at returns the window of the series as it was at t: the last 15 minutes
// before its newest sample at or before t. At the present, now decides what
// is too old; earlier, t does.
func (s *series) at(t, now, interval int64) view {
	i := s.recent.until(t)
	if i == 0 {
		return view{}
	}
	newest := &s.recent.samples[i-1]
	v := view{end: newest.End, expires: newest.End + 3*max(interval, newest.PeriodMS) + 1}
	if now >= v.expires {
		return v
	}
	for i--; i >= 0; i-- {
		p := &s.recent.samples[i]
		if p.End <= newest.End-windowMS {
			break
		}
		o := p.sums()
		v.add(&o)
	}
	v.counted = v.CoveredMS > 0
	v.measured = v.counted || v.BlindMS > 0
	return v
}

// at returns the lane's view: where several devices see it, that of the one
// that covers more of the window, then of the first by id.
func (l *lane) at(t, now int64, interval func(device string) int64) view {
	var best view
	for i, s := range l.series {
		v := s.at(t, now, interval(s.device))
		if i == 0 || v.better(&best) {
			end := max(best.end, v.end)
			best = v
			best.end = end
		} else {
			best.end = max(best.end, v.end)
		}
	}
	return best
}

func (v *view) better(o *view) bool {
	switch {
	case v.CoveredMS != o.CoveredMS:
		return v.CoveredMS > o.CoveredMS
	case v.BlindMS != o.BlindMS:
		return v.BlindMS > o.BlindMS
	default:
		return false
	}
}
