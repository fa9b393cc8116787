package watch

import (
	"slices"
	"strconv"
)

// numbers looks for receipt numbers that are missing, and for numbers that were
// used twice. Method: the digits at the number's end count on within one
// prefix; a roll is what was seen of a prefix, from its lowest to its highest
// number, with the ranges that are missing between. A number that comes late
// takes itself out of its range. Another paper with a number that is known is a
// reprint where its amount is the same, else a doubled number; the amounts of
// the last mostPapers papers are remembered, and of older ones nothing is said.
// A void carries the number of its receipt and takes none of its own. Source:
// facts/revenue.md 3.6 (gaps in the sequence of receipt numbers, reprints);
// contract section 2 (numbers are per device; same number and amount is a
// reprint, same number and other amount is new, and flagged).
//
// More than rules.jump numbers left out at once are a new roll and no gap: a
// till may write the date into its numbers. So is a number that fell, once
// turnAfter numbers have counted on from it.
type numbers struct {
	Rolls  []roll // by prefix
	Papers []byte // of the last papers: see paper
	Said   bool   // receipt_missing is raised
	Lost   int64  // numbers that were given up, or had no room
}

const (
	mostRolls  = 8
	mostHoles  = 64
	mostPapers = 256
	mostDigits = 18
	turnAfter  = 5
)

// roll is the numbers of one prefix.
type roll struct {
	Prefix string
	Digits int // of the number seen last, for showing
	First  int64
	Last   int64
	Begun  int64  // the reading's time of First
	Holes  []hole // missing, ascending, not touching
	Used   int64  // the journal's clock
	Turn   int64  // the number that would go on a roll that may have begun anew; 0: none
	Turned int    // how many went on
}

// hole is a range of numbers that are missing, both inclusive.
type hole struct {
	From, To int64
	Since    int64  // the journal's clock when it was seen
	At       int64  // of the reading that showed it
	ID       string // of that reading
}

// receipt implements detector.
func (s *numbers) receipt(x *moment, r *receipt) {
	r.repeats = s.remember(r)
	if r.Void || r.repeats == repeated || r.repeats == first {
		return
	}
	if seen := s.count(x, r); seen && r.repeats == fresh {
		r.repeats = perhaps
	}
	if p := &x.rules.Numbers; r.repeats == reused && !p.Off {
		x.out.raise(RuleNumberDoubled, finding{
			at: r.at, count: 1, once: true, settle: int64(p.SettleDays) * dayMs, recover: int64(p.RecoverMin) * minuteMs,
			readings: []string{r.id}, ranges: []Range{{r.Number, r.Number}}, sums: []Sum{{"amount_rp", int64(r.Amount)}},
		})
	}
}

// split takes the digits off a number's end; ok is false where there are none.
func split(text string) (prefix string, n int64, digits int, ok bool) {
	at := len(text)
	for at > 0 && text[at-1] >= '0' && text[at-1] <= '9' && len(text)-at < mostDigits {
		at--
	}
	n, err := strconv.ParseInt(text[at:], 10, 64)
	return text[:at], n, len(text) - at, err == nil
}

// count takes a number into its roll; it tells whether the number was there.
func (s *numbers) count(x *moment, r *receipt) (seen bool) {
	prefix, n, digits, ok := split(r.Number)
	if !ok || len(prefix) > 64 {
		return false
	}
	i := slices.IndexFunc(s.Rolls, func(o roll) bool { return o.Prefix == prefix })
	if i < 0 {
		if len(s.Rolls) == mostRolls {
			s.dropRoll()
		}
		s.Rolls = append(s.Rolls, roll{Prefix: prefix, Digits: digits, First: n, Last: n, Begun: r.at, Used: x.now})
		return false
	}
	o := &s.Rolls[i]
	o.Used, o.Digits = x.now, digits
	jump := int64(x.rules.Numbers.Jump)
	switch h := o.hole(n); {
	case h >= 0:
		o.fill(h, n)
	case n > o.Last:
		if n-o.Last-1 > jump {
			o.begin(n, r.at)
			return false
		}
		o.miss(o.Last+1, n-1, x, r)
		o.Last, o.Turn, o.Turned = n, 0, 0
	case n < o.First && o.First-n-1 <= jump && r.at < o.Begun:
		o.miss(n+1, o.First-1, x, r)
		o.First, o.Begun = n, r.at
	default:
		return o.turns(n, r.at)
	}
	s.bound(o)
	return false
}

// begin begins a roll anew; what is missing of the old one may still come.
func (o *roll) begin(n, at int64) {
	o.First, o.Last, o.Begun, o.Turn, o.Turned = n, n, at, 0, 0
}

// turns takes a number that was there, or lies before the roll: it repeats one,
// or the meter has begun to count anew.
func (o *roll) turns(n, at int64) (seen bool) {
	seen = n >= o.First
	if o.Turn != n || at < o.Begun {
		o.Turn, o.Turned = n+1, 0
		return seen
	}
	o.Turn++
	if o.Turned++; o.Turned < turnAfter {
		return seen
	}
	first := n - turnAfter
	o.begin(n, at)
	o.First = first
	return false
}

func (o *roll) hole(n int64) int {
	return slices.IndexFunc(o.Holes, func(h hole) bool { return h.From <= n && n <= h.To })
}

// fill takes a number out of its hole.
func (o *roll) fill(i int, n int64) {
	h := o.Holes[i]
	var parts []hole
	if h.From < n {
		left := h
		left.To = n - 1
		parts = append(parts, left)
	}
	if n < h.To {
		right := h
		right.From = n + 1
		parts = append(parts, right)
	}
	o.Holes = slices.Replace(o.Holes, i, i+1, parts...)
}

// miss notes numbers that are missing.
func (o *roll) miss(from, to int64, x *moment, r *receipt) {
	if from > to {
		return
	}
	i, _ := slices.BinarySearchFunc(o.Holes, from, func(h hole, n int64) int { return int(min(max(h.From-n, -1), 1)) })
	o.Holes = slices.Insert(o.Holes, i, hole{From: from, To: to, Since: x.now, At: r.at, ID: r.id})
}

// bound gives the oldest hole up where there are too many.
func (s *numbers) bound(o *roll) {
	for len(o.Holes) > mostHoles {
		oldest := 0
		for i := range o.Holes {
			if o.Holes[i].Since < o.Holes[oldest].Since {
				oldest = i
			}
		}
		s.Lost += o.Holes[oldest].size()
		o.Holes = slices.Delete(o.Holes, oldest, oldest+1)
	}
}

func (h *hole) size() int64 { return h.To - h.From + 1 }

// dropRoll forgets the roll that was used least recently.
func (s *numbers) dropRoll() {
	oldest := 0
	for i := range s.Rolls {
		if s.Rolls[i].Used < s.Rolls[oldest].Used {
			oldest = i
		}
	}
	for i := range s.Rolls[oldest].Holes {
		s.Lost += s.Rolls[oldest].Holes[i].size()
	}
	s.Rolls = slices.Delete(s.Rolls, oldest, oldest+1)
}

// tick implements detector.
func (s *numbers) tick(x *moment) (changed bool) {
	p := &x.rules.Numbers
	f := finding{recover: int64(p.RecoverMin) * minuteMs}
	for i := range s.Rolls {
		o := &s.Rolls[i]
		before := len(o.Holes)
		for j := range o.Holes {
			o.Holes[j].Since = x.before(o.Holes[j].Since)
		}
		o.Holes = slices.DeleteFunc(o.Holes, func(h hole) bool {
			old := x.now-h.Since > int64(p.KeepDays)*dayMs
			if old {
				s.Lost += h.size()
			}
			return old
		})
		changed = changed || len(o.Holes) != before
		for _, h := range o.Holes {
			if x.now-h.Since < int64(p.GraceMin)*minuteMs {
				continue
			}
			f.count += h.size()
			f.at = max(f.at, h.At)
			f.readings = addReading(f.readings, h.ID)
			if len(f.ranges) < mostRanges {
				f.ranges = append(f.ranges, Range{o.show(h.From), o.show(h.To)})
			}
		}
	}
	f.sums = []Sum{{"missing", f.count}, {"given_up", s.Lost}}
	switch {
	case f.count > 0 && !p.Off:
		x.out.raise(RuleNumberMissing, f)
		changed = changed || !s.Said
		s.Said = true
	case s.Said:
		x.out.calm(RuleNumberMissing)
		s.Said, changed = false, true
	}
	return changed
}

// show writes a number as on paper.
func (o *roll) show(n int64) string {
	text := strconv.FormatInt(n, 10)
	for len(text) < o.Digits {
		text = "0" + text
	}
	return o.Prefix + text
}
