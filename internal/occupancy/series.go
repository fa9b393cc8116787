package occupancy

import (
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
)

// seriesKey says whose observations a series holds. The gates of a space are
// one series, since vehicles that enter by one leave by another.
type seriesKey struct {
	device string // "" for gates
	sp     *space
	class  city.Class // count: the class counted
}

// chunk is the observations from lo to the next chunk's lo. But for the first,
// whose lo is 0, lo is the time of its first observation.
type chunk struct {
	lo  int64
	hi  int64 // of a held one: the next chunk's lo
	obs []obs
}

// series is the memory in event time of what one device says of one space.
// The newest chunk is in memory; older ones come back when a late observation
// or a query touches them, and stay until the next flush when they changed.
type series struct {
	id int64 // row id, given with the first observation; 0 before
	seriesKey
	ttls steps[int64] // ms that an observation holds, by its time

	tail  chunk
	held  []*chunk // older chunks that changed since the last flush, by lo
	floor int64    // what lies before was dropped by retention
	saved int64    // time of the last observation at the last flush
	stays spans    // observations that changed since the last settling

	dirty   bool  // to be written
	current bool  // its device feeds the space in the newest version
	present uint8 // what it says now, for spots and count
}

// What a series says now.
const (
	sayNever = iota
	sayExpired
	sayFree
	sayOccupied // count: a number is known
)

func (s *series) last() (obs, bool) {
	if n := len(s.tail.obs); n > 0 {
		return s.tail.obs[n-1], true
	}
	return obs{}, false
}

// until returns the end of what an observation says, where no other follows.
func (s *series) until(o obs) int64 {
	if o.state() == vEnded && s.sp.key.detection != gates || s.sp.key.detection == gates && o.v == gateEnded {
		return o.at
	}
	if len(s.ttls) == 1 {
		return o.at + s.ttls[0].Value
	}
	return o.at + s.ttls.at(o.at)
}

// longest returns the longest that an observation holds, ms.
func (s *series) longest() (ttl int64) {
	for _, x := range s.ttls {
		ttl = max(ttl, x.Value)
	}
	return ttl
}

func (f *Follower) setTTL(s *series, from, ttl int64) {
	if !s.ttls.set(from, ttl) {
		return
	}
	if s.id != 0 {
		f.freshSeries = append(f.freshSeries, s)
	}
	if o, ok := s.last(); ok && o.at >= from { // from a clock that is ahead
		s.sp.holds(s.until(o))
		if s.sp.key.detection == spots {
			s.stays.add(from, o.at)
		}
		f.soil(s)
	}
}

// soil says that a series is to be written.
func (f *Follower) soil(s *series) {
	if !s.dirty {
		s.dirty = true
		f.dirty = append(f.dirty, s)
	}
}

// inserted is what an insertion found around the new observation.
type inserted struct {
	next   int64 // time of the next one, maxAt+1 for none
	newest bool  // it is the last now
	first  bool  // before it the device had said nothing, or had left
	lost   bool  // retention has dropped its time: it is not kept
}

// insert puts an observation at its time, together with what came for the same
// time before.
func (f *Follower) insert(s *series, o obs) (inserted, error) {
	if s.id == 0 {
		f.nextSeries++
		s.id = f.nextSeries
		f.freshSeries = append(f.freshSeries, s)
	}
	f.soil(s)
	last, ok := s.last()
	if !ok || o.at > last.at {
		s.tail.obs = append(s.tail.obs, o)
		s.trim(f.most(s))
		return inserted{next: maxAt + 1, newest: true, first: !ok || last.v == vEnded}, nil
	}
	c := &s.tail
	if o.at < s.tail.lo {
		var err error
		if c, err = f.hold(s, o.at); err != nil {
			return inserted{}, err
		}
		if c == nil {
			f.count.Forgotten++
			return inserted{lost: true}, nil
		}
	}
	from, to := before(c.obs, o.at), after(c.obs, o.at)
	in := inserted{newest: o.at == last.at, first: from == 0 || c.obs[from-1].v == vEnded || to > from && c.obs[to-1].v == vEnded}
	switch {
	case to < len(c.obs):
		in.next = c.obs[to].at
	case in.newest:
		in.next = maxAt + 1
	default:
		in.next = c.hi
	}
	switch {
	case from == to:
		c.obs = slices.Insert(c.obs, from, o)
	case s.sp.key.detection == gates:
		c.obs = slices.Replace(c.obs, from, to, addUp(c.obs[from:to], o)...)
	default:
		c.obs[from] = o
		c.obs = slices.Delete(c.obs, from+1, to)
	}
	if c == &s.tail {
		s.trim(f.most(s))
	} else if len(c.obs) > 2*f.most(s) {
		if at := cut(c.obs, len(c.obs)/2); at > 0 {
			s.keep(&chunk{lo: c.obs[at].at, hi: c.hi, obs: slices.Clone(c.obs[at:])})
			c.obs, c.hi = c.obs[:at], c.obs[at].at
		}
	}
	return in, nil
}

// How many observations are kept in memory of a series where the options do
// not say: one less than a power of two, so that the memory of a list that has
// grown is used.
const (
	mostObs  = 127
	leastObs = 7
	// allObs is what those of all spots may come to; 16 bytes each.
	allObs = 1 << 19
)

// most returns how many observations of a series are kept in memory.
func (f *Follower) most(s *series) int {
	if f.o.ChunkSize > 0 {
		return f.o.ChunkSize
	}
	n := mostObs
	for s.sp.key.detection == spots && n > leastObs && n*f.many > allObs {
		n /= 2
	}
	return n
}

// trim puts the older half of the newest chunk away once it is full.
func (s *series) trim(most int) {
	if len(s.tail.obs) <= most {
		return
	}
	at := cut(s.tail.obs, len(s.tail.obs)/2)
	if at == 0 {
		return
	}
	s.keep(&chunk{lo: s.tail.lo, hi: s.tail.obs[at].at, obs: slices.Clone(s.tail.obs[:at])})
	s.tail.lo = s.tail.obs[at].at
	s.tail.obs = append(s.tail.obs[:0], s.tail.obs[at:]...)
}

// cut returns an index near i where a new time begins, 0 if there is none.
func cut(list []obs, i int) int {
	for j := i; j < len(list); j++ {
		if list[j].at != list[j-1].at {
			return j
		}
	}
	for ; i > 0; i-- {
		if list[i].at != list[i-1].at {
			return i
		}
	}
	return 0
}

// after returns the index behind every observation at or before t.
func after(list []obs, t int64) int {
	return sort.Search(len(list), func(i int) bool { return list[i].at > t })
}

// before returns how many observations lie before t.
func before(list []obs, t int64) int {
	return sort.Search(len(list), func(i int) bool { return list[i].at >= t })
}

// keep files a chunk among the held ones.
func (s *series) keep(c *chunk) {
	i := sort.Search(len(s.held), func(i int) bool { return s.held[i].lo >= c.lo })
	if i < len(s.held) && s.held[i].lo == c.lo {
		s.held[i] = c
		return
	}
	s.held = slices.Insert(s.held, i, c)
}

// heldFor returns the held chunk with the greatest lo at or before t.
func (s *series) heldFor(t int64) *chunk {
	if i := sort.Search(len(s.held), func(i int) bool { return s.held[i].lo > t }); i > 0 {
		return s.held[i-1]
	}
	return nil
}

// hold returns the older chunk in which t lies, to be changed; nil where
// retention has dropped it.
func (f *Follower) hold(s *series, t int64) (*chunk, error) {
	if t < s.floor {
		return nil, nil
	}
	h := s.heldFor(t)
	if h != nil && t < h.hi {
		return h, nil
	}
	stored, err := f.storedChunks(s, t, t, h)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	c := &stored[0]
	if c.hi, err = f.nextLo(s, c.lo); err != nil {
		return nil, err
	}
	s.keep(c)
	return c, nil
}

// nextLo returns the lo of the chunk that follows the one with that lo, which
// is the time of its first observation.
func (f *Follower) nextLo(s *series, lo int64) (int64, error) {
	next := s.tail.lo
	if i := sort.Search(len(s.held), func(i int) bool { return s.held[i].lo > lo }); i < len(s.held) {
		next = min(next, s.held[i].lo)
	}
	stored, err := f.storedLo(s, lo)
	if err != nil {
		return 0, err
	}
	return min(next, stored), nil
}

// read returns the observations in [from, to), after the last one before from
// if there is one; pred tells whether there is.
func (f *Follower) read(s *series, from, to int64) (list []obs, pred bool, err error) {
	if s.id == 0 {
		return nil, false, nil
	}
	if tail := s.tail.obs; len(tail) > 0 && (tail[0].at < from || s.tail.lo == 0) {
		i, j := before(tail, from), before(tail, to)
		if i > 0 {
			return tail[i-1 : j], true, nil
		}
		return tail[:j], false, nil
	}
	chunks, err := f.chunks(s, from-1, to)
	if err != nil {
		return nil, false, err
	}
	for _, c := range chunks {
		list = append(list, c.obs...)
	}
	i, j := before(list, from), before(list, to)
	if i > 0 {
		return list[i-1 : j], true, nil
	}
	return list[:j], false, nil
}

// chunks returns the chunks that may hold observations in [from, to), by lo.
func (f *Follower) chunks(s *series, from, to int64) ([]chunk, error) {
	h := s.heldFor(from)
	list, err := f.storedChunks(s, from, to-1, h)
	if err != nil {
		return nil, err
	}
	start := from
	if h != nil {
		start = h.lo
	}
	if len(list) > 0 && list[0].lo <= from {
		start = list[0].lo
	}
	for _, c := range s.held {
		if c.lo >= start && c.lo < to {
			list = overlay(list, *c)
		}
	}
	if s.tail.lo < to {
		list = append(list, s.tail)
	}
	return list, nil
}

// overlay puts a held chunk over the stored one.
func overlay(list []chunk, c chunk) []chunk {
	i := sort.Search(len(list), func(i int) bool { return list[i].lo >= c.lo })
	if i < len(list) && list[i].lo == c.lo {
		list[i] = c
		return list
	}
	return slices.Insert(list, i, c)
}
