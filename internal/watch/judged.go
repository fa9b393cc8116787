package watch

// judged is a device that is judged at a tick.
type judged struct {
	f   *Follower
	g   *gadget
	pos uint64
	now int64
}

func (x *judged) out() *subjectOf {
	out := &subjectOf{i: &x.f.incidents, kind: ofDevice, id: x.g.id, now: x.f.clock, pos: x.pos}
	if x.g.site != nil {
		out.site = x.g.site.ID
	}
	out.segment = x.g.d.Segment
	return out
}

// stands raises a rule, once: what it shows is of then.
func (x *judged) stands(what, recoverMin int, sums ...Sum) {
	if x.g.says(what) {
		return
	}
	x.g.Said |= 1 << what
	x.out().raise(gadgetRules[what], finding{at: x.f.clock, count: 1, recover: int64(recoverMin) * minuteMs, sums: sums})
}

func (x *judged) calm(what int) {
	if x.g.says(what) {
		x.g.Said &^= 1 << what
		x.out().calm(gadgetRules[what])
	}
}

// limit raises a rule at a bound and calms it under half of it.
func (x *judged) limit(what int, on bool, v, bound float64, recoverMin int, sums ...Sum) {
	switch {
	case on && v >= bound:
		x.stands(what, recoverMin, sums...)
	case !on || v < bound/2:
		x.calm(what)
	}
}

func (g *gadget) says(what int) bool { return g.Said&(1<<what) != 0 }
