package inventory

import (
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// Span is one time at which a closure holds, or one occurrence of a repeating
// one: from inclusive, to exclusive, Unix ms.
type Span struct {
	ID         string
	Site       string // or
	Segment    string
	From       int64
	To         int64 // 0: open end
	Reason     string
	Note       string
	PlacesLost city.Int // set: the site is not closed but smaller
	API        bool     // set over the API, not from closures.csv
}

// closureIndex finds closures by their place. It is immutable.
type closureIndex struct {
	site    map[string][]*schedule
	segment map[string][]*schedule
	all     []*schedule // sorted by id
}

func newClosureIndex(closures []Closure, zone *time.Location) *closureIndex {
	x := &closureIndex{site: map[string][]*schedule{}, segment: map[string][]*schedule{}}
	for i := range closures {
		x.add(newSchedule(&closures[i], zone))
	}
	return x
}

func (x *closureIndex) add(s *schedule) {
	x.all = append(x.all, s)
	if s.Site != "" {
		x.site[s.Site] = append(x.site[s.Site], s)
	}
	if s.Segment != "" {
		x.segment[s.Segment] = append(x.segment[s.Segment], s)
	}
}

// ClosureSet answers what is closed: by closures.csv of a version, and by the
// closures that were set over the API. The zero value is ready. Questions may
// be asked from any goroutine, also while Put, Remove and Reopen are called.
type ClosureSet struct {
	mu  sync.Mutex // of writers
	api atomic.Pointer[closureIndex]
}

// NewClosureSet returns a set without closures of the API.
func NewClosureSet() *ClosureSet { return &ClosureSet{} }

var noClosures = newClosureIndex(nil, time.UTC)

func (s *ClosureSet) index() *closureIndex {
	if x := s.api.Load(); x != nil {
		return x
	}
	return noClosures
}

// Put sets a closure of the API, in place of the one of the same ID. Those of
// the API do not repeat: RRule is ignored, and so is Except.
func (s *ClosureSet) Put(c Closure) {
	c.RRule, c.Except = "", nil
	s.change(c.ID, func(*Closure) *Closure { return &c })
}

// Remove forgets a closure of the API, also for times that have passed; it
// tells whether there was one.
func (s *ClosureSet) Remove(id string) bool {
	found := false
	s.change(id, func(old *Closure) *Closure {
		found = old != nil
		return nil
	})
	return found
}

// Reopen ends a closure of the API at a time (Unix ms): before, it holds as it
// did. One that has not begun by then is forgotten. It tells whether the
// closure was there and would have held any longer.
func (s *ClosureSet) Reopen(id string, at int64) bool {
	ended := false
	s.change(id, func(old *Closure) *Closure {
		if old == nil || (old.Until != 0 && old.Until <= at) {
			return old
		}
		ended = true
		if old.From >= at {
			return nil
		}
		c := *old
		c.Until = at
		return &c
	})
	return ended
}

// change replaces the closure of an id by what to makes of it; nil: none.
func (s *ClosureSet) change(id string, to func(old *Closure) *Closure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	closures := s.Closures()
	i, ok := slices.BinarySearchFunc(closures, id, func(c Closure, id string) int { return strings.Compare(c.ID, id) })
	var old *Closure
	if ok {
		old = &closures[i]
	}
	next := to(old)
	switch {
	case next == nil && !ok:
		return
	case next == nil:
		closures = slices.Delete(closures, i, i+1)
	case ok:
		closures[i] = *next
	default:
		closures = slices.Insert(closures, i, *next)
	}
	s.api.Store(newClosureIndex(closures, time.UTC))
}

// Closures returns the closures of the API, sorted by ID.
func (s *ClosureSet) Closures() []Closure {
	x := s.index()
	out := make([]Closure, len(x.all))
	for i := range x.all {
		out[i] = x.all[i].Closure
	}
	return out
}

// State tells whether a place is closed at a time (Unix ms), else how many
// places it has lost, and why. Give a site or a segment; with both, a closure
// of either counts. v may be nil: then only the API's closures count.
// PlacesLost is not bounded by the capacity.
func (s *ClosureSet) State(v *Version, site, segment string, at int64) (closed bool, placesLost int, reason string) {
	partial := ""
	each(v, s.index(), site, segment, func(c *schedule, _ bool) {
		if closed || !c.at(at) {
			return
		}
		if c.PlacesLost.OK && c.Site != "" {
			placesLost += int(c.PlacesLost.V)
			if partial == "" {
				partial = c.Reason
			}
			return
		}
		closed, reason = true, c.Reason
	})
	if closed {
		return true, 0, reason
	}
	return false, placesLost, partial
}

// each calls do for every closure of a place, those of the file first.
func each(v *Version, api *closureIndex, site, segment string, do func(c *schedule, api bool)) {
	for i, x := range [2]*closureIndex{fileIndex(v), api} {
		if site != "" {
			for _, c := range x.site[site] {
				do(c, i == 1)
			}
		}
		if segment != "" {
			for _, c := range x.segment[segment] {
				do(c, i == 1)
			}
		}
	}
}

func fileIndex(v *Version) *closureIndex {
	if v == nil || v.closed == nil {
		return noClosures
	}
	return v.closed
}

// Spans returns every time between from and to (Unix ms, to exclusive) at
// which a closure of the place holds, whole, sorted by From; they may overlap.
// Site and segment are as in State.
func (s *ClosureSet) Spans(v *Version, site, segment string, from, to int64) []Span {
	var out []Span
	each(v, s.index(), site, segment, func(c *schedule, api bool) { out = c.spans(out, api, from, to) })
	return sortSpans(out)
}

// All returns the spans of every place between from and to, as Spans does.
func (s *ClosureSet) All(v *Version, from, to int64) []Span {
	var out []Span
	for _, c := range fileIndex(v).all {
		out = c.spans(out, false, from, to)
	}
	for _, c := range s.index().all {
		out = c.spans(out, true, from, to)
	}
	return sortSpans(out)
}

func (s *schedule) spans(out []Span, api bool, from, to int64) []Span {
	for _, p := range s.between(from, to) {
		if p.to == math.MaxInt64 {
			p.to = 0
		}
		out = append(out, Span{
			ID: s.ID, Site: s.Site, Segment: s.Segment, From: p.from, To: p.to,
			Reason: s.Reason, Note: s.Note, PlacesLost: s.PlacesLost, API: api,
		})
	}
	return out
}

func sortSpans(spans []Span) []Span {
	sort.SliceStable(spans, func(i, j int) bool {
		a, b := &spans[i], &spans[j]
		return a.From < b.From || a.From == b.From && a.ID < b.ID
	})
	return spans
}
