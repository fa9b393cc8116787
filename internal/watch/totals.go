package watch

import (
	"slices"

	"github.com/simpang-id/simpang/internal/inventory"
)

// totals compares a meter's running totals with what came. Method: in the
// meter's own order (boot, seq; without boots at, seq) each reading's totals
// must be those of the reading before it and what the reading itself did; where
// they are not, a span is kept between the two. A late reading that lies in a
// span divides it, and what is explained goes. So the spans that stand do not
// depend on the order in which readings came. Source: contract section 2
// (running totals survive boots, a void lowers them); the rules are those by
// which the ledger flags single readings.
//
//   - More was counted than came: a gap.
//   - Less, and no more than the readings that are missing between the two (by
//     seq) could have voided: a gap too.
//   - Less, and nearly from the beginning: a reset. What it shows more than its
//     own reading is a gap behind the reset.
//   - Less otherwise: a rollback.
type totals struct {
	Last  *mark   // the furthest reading with totals
	Extra effect  // of readings without totals behind it
	Spans []gap   // what disagrees, in the meter's order
	Lost  effect  // of gaps that were given up, or had no room
	Said  [3]bool // gap, reset, rollback are raised
	Anew  int     // readings one after the other that are later than Last by the clock, and before it in the meter's order
}

// mostSpans bounds the spans of a meter, mostQuiet those of them that say
// nothing yet.
const (
	mostSpans = 64
	mostQuiet = 16
)

// receipt implements detector.
func (s *totals) receipt(x *moment, r *receipt) {
	m := mark{Order: r.order, ID: r.id, At: r.at, Paper: hashOf(r.Number), Count: number(r.TotalCount), Amount: number(r.TotalAmount), Did: effectsOf(r)}
	if !m.Count.OK && !m.Amount.OK {
		s.without(&m)
		return
	}
	if r.repeats == first {
		s.reprinted(&m)
	}
	switch {
	case s.Last == nil:
		s.Last = &m
	case s.Last.Order.before(m.Order):
		if g, ok := between(*s.Last, m, s.Extra, x.now); ok {
			s.Spans = append(s.Spans, g)
		}
		s.Last, s.Extra, s.Anew = &m, effect{}, 0
	default:
		s.late(&m)
	}
	s.bound()
}

// begunAnew takes a reading that lies where nothing is missing: a meter that was
// replaced counts its boots anew, and would lie before its own past for ever.
func (s *totals) begunAnew(m *mark) {
	if m.At <= s.Last.At {
		return
	}
	if s.Anew++; s.Anew == turnAfter {
		s.Last, s.Extra, s.Anew = m, effect{}, 0
	}
}

// reprinted says that papers of this number behind m, which were taken for the
// first, are its reprints.
func (s *totals) reprinted(m *mark) {
	for i, g := range slices.Backward(s.Spans) {
		if g.To.Paper != m.Paper || !m.Order.before(g.To.Order) {
			continue
		}
		g.To.Did = []effect{{}}
		again, ok := between(g.From, g.To, effect{}, g.Since)
		switch {
		case g.Mixed || !ok:
			s.Spans = append(s.Spans[:i], s.Spans[i+1:]...)
		default:
			s.Spans[i] = again
		}
	}
}

// bound gives up the oldest spans.
func (s *totals) bound() {
	quiet := 0
	for i := range slices.Backward(s.Spans) {
		if s.Spans[i].Kind != isQuiet {
			continue
		}
		if quiet++; quiet > mostQuiet {
			s.giveUp(i)
		}
	}
	for len(s.Spans) > mostSpans {
		s.giveUp(0)
	}
}

// effectsOf tells what a paper does to the totals of its meter.
func effectsOf(r *receipt) []effect {
	one, none := effect{1, int64(r.Amount)}, effect{}
	if r.Void {
		one = effect{-1, -int64(r.Amount)}
	}
	switch r.repeats {
	case repeated:
		return []effect{none}
	case perhaps:
		return []effect{one, none}
	default:
		return []effect{one}
	}
}

// without takes in a reading that has no totals.
func (s *totals) without(m *mark) {
	if s.Last == nil {
		return
	}
	if s.Last.Order.before(m.Order) {
		s.Extra.Count += m.Did[0].Count
		s.Extra.Amount += m.Did[0].Amount
		return
	}
	if i := s.find(m.Order); i >= 0 {
		// What it did counts, and whether before or behind the next reading
		// that comes late is not known: nothing is said of this span.
		s.Spans = append(s.Spans[:i], s.Spans[i+1:]...)
	}
}

// late divides the span in which a late reading lies.
func (s *totals) late(m *mark) {
	i := s.find(m.Order)
	if i < 0 {
		s.begunAnew(m)
		return
	}
	old := s.Spans[i]
	var parts []gap
	if old.Mixed { // on which side those without totals lie is not known: nothing is said
		s.Spans = append(s.Spans[:i], s.Spans[i+1:]...)
		return
	}
	if g, ok := between(old.From, *m, effect{}, old.Since); ok {
		parts = append(parts, g)
	}
	if g, ok := between(*m, old.To, effect{}, old.Since); ok {
		parts = append(parts, g)
	}
	s.Spans = append(s.Spans[:i], append(parts, s.Spans[i+1:]...)...)
}

func (s *totals) find(at order) int {
	for i := range s.Spans {
		if s.Spans[i].From.Order.before(at) && at.before(s.Spans[i].To.Order) {
			return i
		}
	}
	return -1
}

// giveUp forgets a span.
func (s *totals) giveUp(i int) {
	s.Lost.Count += s.Spans[i].Miss.Count
	s.Lost.Amount += s.Spans[i].Miss.Amount
	s.Spans = append(s.Spans[:i], s.Spans[i+1:]...)
}

// tick implements detector.
func (s *totals) tick(x *moment) (changed bool) {
	p := &x.rules.Totals
	for i := 0; i < len(s.Spans); {
		s.Spans[i].Since = x.before(s.Spans[i].Since)
		keep := int64(p.KeepDays)
		if s.Spans[i].Kind != isGap { // a reset or rollback is history then; nothing comes so late into a quiet one
			keep = int64(p.SettleDays)
		}
		if x.now-s.Spans[i].Since > keep*dayMs {
			s.giveUp(i)
			changed = true
			continue
		}
		i++
	}
	for kind, rule := range [...]Rule{RuleTotalGap, RuleTotalReset, RuleTotalRollback} {
		f := s.standing(x, gapKind(kind), p)
		switch {
		case f.count > 0 && !p.Off:
			x.out.raise(rule, f)
			changed = changed || !s.Said[kind]
			s.Said[kind] = true
		case s.Said[kind]:
			x.out.calm(rule)
			s.Said[kind], changed = false, true
		}
	}
	return changed
}

// standing sums the spans of a kind that have stood for long enough.
func (s *totals) standing(x *moment, kind gapKind, p *inventory.TotalsRules) finding {
	f := finding{recover: int64(p.RecoverMin) * minuteMs}
	var miss effect
	spans := int64(0)
	for i := range s.Spans {
		g := &s.Spans[i]
		behind := kind == isGap && g.Kind == isReset && g.Miss != effect{}
		if g.Kind != kind && !behind || x.now-g.Since < int64(p.GraceMin)*minuteMs {
			continue
		}
		spans++
		if kind != isReset {
			miss.Count += g.Miss.Count
			miss.Amount += g.Miss.Amount
		}
		f.at = max(f.at, g.To.At)
		f.readings = addReading(f.readings, g.To.ID)
		if len(f.ranges) < mostRanges {
			f.ranges = append(f.ranges, Range{g.From.ID, g.To.ID})
		}
	}
	f.count = spans
	if kind == isReset {
		f.sums = []Sum{{"resets", spans}}
		return f
	}
	f.sums = []Sum{{"spans", spans}, {"receipts", miss.Count}, {"amount_rp", miss.Amount}, {"given_up_receipts", s.Lost.Count}, {"given_up_amount_rp", s.Lost.Amount}}
	return f
}
