package occupancy

import (
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

// Confidence in a count by gates: it starts below that of sensors and falls
// with the hours since the count was last known for certain, at a reset.
const (
	gateConfidence     = 0.9
	gateConfidenceHour = 0.02
	gateConfidenceMin  = 0.3
)

// render brings the states of the sites that changed up to date.
func (f *Follower) render() error {
	if f.sweep {
		f.sweep = false
		f.expire()
	}
	changed := false
	for _, x := range f.dirtySites {
		x.dirty = false
		state, err := f.present(x)
		if err != nil {
			return err
		}
		if !sameState(&state, &x.state) {
			f.rev++
			state.Rev = f.rev
			changed = true
		}
		x.state = state
	}
	f.dirtySites = f.dirtySites[:0]
	f.dueAt.Store(f.due)
	if changed {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
	return nil
}

// expire looks at every present site after the clock or what is closed changed.
func (f *Follower) expire() {
	f.due = f.edge()
	f.dirtySites = append(f.dirtySites[:0], f.order...)
	for _, x := range f.order {
		x.dirty = true
		for _, sp := range x.spaces {
			if sp.key.detection == gates && !sp.cur.stale {
				f.resetNow(sp, f.clock)
			}
		}
		for _, list := range [][]*device{x.spots, x.count} {
			for _, d := range list {
				if d.spot != nil {
					f.restate(d.spot)
				}
				if d.count == nil {
					continue
				}
				for _, s := range d.count {
					if s != nil {
						f.restate(s)
					}
				}
			}
		}
	}
}

// edge is when the next closure begins or ends within the minute after the
// clock; without one, that minute's end.
func (f *Follower) edge() int64 {
	end := f.clock + 60_000
	next := end
	for _, span := range f.closures.All(f.inv, f.clock, end) {
		if span.From > f.clock {
			next = min(next, span.From)
		}
		if span.To > f.clock {
			next = min(next, span.To)
		}
	}
	return next
}

// Due is when the present changes though nothing comes: a state expires, or a
// closure begins or ends. Unix ms, a minute after the clock at the latest, 0
// before the first entry; a journal's tick at that time makes it so.
func (f *Follower) Due() int64 { return f.dueAt.Load() }

// sameState tells whether two states differ in their age at most.
func sameState(a, b *SiteState) bool {
	return a.ID == b.ID && slices.Equal(a.Classes, b.Classes) && a.AccessibleCapacity == b.AccessibleCapacity &&
		a.AccessibleFree == b.AccessibleFree && a.Quality == b.Quality && a.Confidence == b.Confidence && a.Closed == b.Closed
}

// present computes a site's state.
func (f *Follower) present(x *site) (SiteState, error) {
	closed, lost, _ := f.closures.State(f.inv, x.inv.ID, roadOf(x.inv), f.clock)
	state := SiteState{ID: x.inv.ID, Closed: closed, Rev: x.state.Rev, Classes: make([]ClassState, 0, len(x.inv.Classes))}
	bySpace := make(map[*space]ClassState, len(x.spaces))
	var capacity, known float64
	for _, sp := range x.spaces {
		if sp.cur.stale && sp.gate != nil {
			if err := f.refreshGate(sp); err != nil {
				return state, err
			}
		}
		c := x.classState(f, sp, int64(lost))
		if closed {
			c.State = StateClosed
		}
		bySpace[sp] = c
		capacity += float64(c.Capacity)
		known += float64(c.Capacity-c.Unknown) * f.trust(sp)
		state.ObservedAt = max(state.ObservedAt, sp.observedAt())
	}
	for _, class := range x.inv.Classes {
		c := bySpace[x.byClass[class]]
		c.Class = class
		state.Classes = append(state.Classes, c)
	}
	state.Quality = together(state.Classes)
	if capacity > 0 {
		state.Confidence = math.Round(known/capacity*100) / 100
	}
	x.accessible(&state)
	return state, nil
}

// classState computes the state of a space but for closures of the whole site.
func (x *site) classState(f *Follower, sp *space, lost int64) ClassState {
	cfg := sp.configs[len(sp.configs)-1].Value.lose(lost)
	c := ClassState{Capacity: int(cfg.Capacity)}
	var fig figures
	fig, c.Quality = f.figuresNow(x, sp, cfg)
	if !fig.ok {
		c.Unknown, c.State = c.Capacity, StateUnknown
		return c
	}
	c.Free, c.Occupied = city.SomeInt(fig.free), city.SomeInt(fig.occ)
	c.Unknown = int(max(0, cfg.Capacity-fig.free-fig.occ))
	switch {
	case fig.free == 0 && c.Unknown == 0:
		c.State = StateFull
	case fig.free*10 <= cfg.Capacity:
		c.State = StateAlmostFull
	default:
		c.State = StateOpen
	}
	return c
}

// figuresNow returns what is known of a space at the clock, and how well.
func (f *Follower) figuresNow(x *site, sp *space, cfg config) (figures, Quality) {
	n := sp.states
	switch sp.key.detection {
	case gates:
		last, ok := sp.gate.last()
		if !ok || last.v == gateEnded {
			return figures{}, QualityNone
		}
		if sp.gate.until(last) <= f.clock {
			return figures{}, QualityStale
		}
		occ := sp.cur.levels.sum()
		return figures{free: max(0, cfg.Seen-occ), occ: occ, ok: true}, QualityEstimated
	case count:
		var sum int64
		silent, spoke := 0, 0
		for _, d := range x.count {
			heard, here := false, false
			for _, s := range d.count {
				if s != nil {
					heard = true
					here = here || s.sp == sp && s.present != sayNever
					if o, ok := s.last(); ok && s.sp == sp && s.present == sayOccupied {
						sum += o.counted()
					}
				}
			}
			if own := x.byClass[d.inv.Class]; !heard && (own == sp || own == nil) {
				silent++
			}
			if here {
				spoke++
			}
		}
		fig := countFigures(cfg.Seen, sum, int64(n[sayOccupied]), int64(n[sayOccupied]+n[sayExpired])+cfg.unheard(spoke))
		return fig, quality(n[sayOccupied], n[sayExpired], silent)
	default:
		fig := placesFigures(cfg.Capacity, int64(n[sayFree]), int64(n[sayOccupied]))
		return fig, quality(n[sayFree]+n[sayOccupied], n[sayExpired], n[sayNever])
	}
}

// quality tells how well sensors know: by how many of them speak, have
// expired, and never spoke.
func quality(speak, expired, never int) Quality {
	switch {
	case speak == 0 && expired == 0:
		return QualityNone
	case speak == 0:
		return QualityStale
	case expired+never > 0:
		return QualityPartial
	}
	return QualityLive
}

// together is the quality of a whole site.
func together(classes []ClassState) Quality {
	has := func(q Quality) bool {
		return slices.ContainsFunc(classes, func(c ClassState) bool { return c.Quality == q })
	}
	silent := has(QualityNone) || has(QualityStale)
	speaks := has(QualityPartial) || has(QualityEstimated) || has(QualityLive)
	switch {
	case silent && speaks || has(QualityPartial):
		return QualityPartial
	case has(QualityEstimated):
		return QualityEstimated
	case speaks:
		return QualityLive
	case has(QualityStale):
		return QualityStale
	}
	return QualityNone
}

// trust returns how far what a space says can be believed, 0..1.
func (f *Follower) trust(sp *space) float64 {
	if sp.key.detection != gates {
		return 1
	}
	since := sp.cur.at
	if r := sp.resetAfter(f.clock-dayMs, f.zone); r <= f.clock {
		since = r
	} else if sp.gate != nil && len(sp.gate.tail.obs) > 0 {
		since = sp.gate.tail.obs[0].at
	}
	hours := float64(max(0, f.clock-since) / (60 * 60 * 1000))
	return max(gateConfidenceMin, gateConfidence-gateConfidenceHour*hours)
}

// observedAt returns the time of the newest observation of a present space.
func (sp *space) observedAt() (at int64) {
	for _, s := range sp.series {
		if o, ok := s.last(); ok && s.current && o.v != s.endMark() {
			at = max(at, o.at)
		}
	}
	return at
}

// accessible fills in the accessible places, as far as sensors tell.
func (x *site) accessible(state *SiteState) {
	var devices, free, heard int
	for _, d := range x.spots {
		if !d.inv.Accessible {
			continue
		}
		devices++
		switch d.spot.present {
		case sayFree:
			free++
			heard++
		case sayOccupied:
			heard++
		}
	}
	state.AccessibleCapacity = x.inv.Accessible
	if state.AccessibleCapacity == 0 {
		state.AccessibleCapacity = devices
	}
	if heard > 0 {
		state.AccessibleFree = city.SomeInt(int64(free))
	}
}

// Sites returns every site of the newest version, sorted by id. What they hold
// is shared: nobody changes it.
func (f *Follower) Sites() []SiteState {
	f.mu.RLock()
	defer f.mu.RUnlock()
	states := make([]SiteState, len(f.order))
	for i, x := range f.order {
		states[i] = x.state // its classes are never changed, only replaced
	}
	return states
}

func (s SiteState) clone() SiteState {
	s.Classes = slices.Clone(s.Classes)
	return s
}

// The states of a spot.
const (
	SpotFree     = "free"
	SpotOccupied = "occupied"
	SpotUnknown  = "unknown"
)

// Site returns one site and its spots, sorted by name; ok is false where the
// newest version lacks it.
func (f *Follower) Site(id string) (state SiteState, spots []SpotState, ok bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	x := f.sites[id]
	if x == nil {
		return SiteState{}, nil, false
	}
	spots = make([]SpotState, 0, len(x.spots))
	for _, d := range x.spots {
		s := SpotState{Spot: spotName(d.inv), Class: d.inv.Class, State: SpotUnknown, Accessible: d.inv.Accessible}
		if s.Class == city.ClassNone {
			s.Class = d.spot.sp.key.class
		}
		switch d.spot.present {
		case sayFree:
			s.State = SpotFree
		case sayOccupied:
			s.State = SpotOccupied
		}
		if o, ok := d.spot.last(); ok {
			s.ObservedAt = o.at
		}
		spots = append(spots, s)
	}
	return x.state.clone(), spots, true
}
