package inventory

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/teambition/rrule-go"
)

const dayMs = 24 * 3600 * 1000

// schedule is the times at which one closure holds. Its occurrences are
// expanded once a window of time and kept.
type schedule struct {
	Closure
	zone  *time.Location
	rule  *rrule.RRule           // nil: it does not repeat
	fixed []period               // without a rule: its time, less the excepted days
	seen  atomic.Pointer[window] // with a rule: what was expanded last
}

// period is a time from inclusive, to exclusive, Unix ms.
type period struct{ from, to int64 }

// window holds every occurrence that meets [lo, hi), sorted.
type window struct {
	lo, hi int64
	occurs []period
}

func newSchedule(c *Closure, zone *time.Location) *schedule {
	s := &schedule{Closure: *c, zone: zone}
	if c.RRule != "" {
		if rule, wrong := parseRRule(c, zone); wrong == "" {
			s.rule = rule
			return s
		}
	}
	to := c.Until
	if to == 0 {
		to = math.MaxInt64
	}
	s.fixed = cutDays(period{c.From, to}, c.Except, zone)
	return s
}

// cutDays takes whole days (sorted) out of a period.
func cutDays(p period, days []string, zone *time.Location) []period {
	var out []period
	for _, date := range days {
		day, err := time.ParseInLocation(time.DateOnly, date, zone)
		if err != nil {
			continue
		}
		begin, end := day.UnixMilli(), day.AddDate(0, 0, 1).UnixMilli()
		if end <= p.from || begin >= p.to {
			continue
		}
		if begin > p.from {
			out = append(out, period{p.from, begin})
		}
		p.from = end
	}
	if p.from < p.to {
		out = append(out, p)
	}
	return out
}

// at tells whether the closure holds at a time.
func (s *schedule) at(at int64) bool {
	in := s.fixed
	if s.rule != nil {
		in = s.around(at).occurs
	}
	// The last period that begins at or before; all are of one length or apart.
	i := sort.Search(len(in), func(i int) bool { return in[i].from > at }) - 1
	return i >= 0 && at < in[i].to
}

// between returns the periods that meet [from, to).
func (s *schedule) between(from, to int64) []period {
	in := s.fixed
	if s.rule != nil {
		if w := s.seen.Load(); w != nil && w.lo <= from && to <= w.hi {
			in = w.occurs
		} else {
			in = s.expand(from, to)
		}
	}
	var out []period
	for _, p := range in {
		if p.from < to && p.to > from {
			out = append(out, p)
		}
	}
	return out
}

// around returns a window that holds a time, expanding it where the last one
// does not.
func (s *schedule) around(at int64) *window {
	w := s.seen.Load()
	if w != nil && w.lo <= at && at < w.hi {
		return w
	}
	next := &window{lo: at - 40*dayMs, hi: at + 400*dayMs}
	if w != nil { // late readings and the present take turns: keep both, within ten years
		if lo, hi := min(w.lo, next.lo), max(w.hi, next.hi); hi-lo <= 3660*dayMs {
			next.lo, next.hi = lo, hi
		}
	}
	next.occurs = s.expand(next.lo, next.hi)
	s.seen.Store(next)
	return next
}

// maxOccurs bounds one expansion.
const maxOccurs = 50_000

// expand computes the occurrences that meet [lo, hi); those that begin on an
// excepted day are left out.
func (s *schedule) expand(lo, hi int64) []period {
	length := s.Until - s.From
	var out []period
	next := s.rule.Iterator()
	for range maxOccurs {
		t, ok := next()
		if !ok || t.UnixMilli() >= hi {
			break
		}
		from := t.UnixMilli()
		if from+length <= lo {
			continue
		}
		if len(s.Except) > 0 && slices.Contains(s.Except, t.In(s.zone).Format(time.DateOnly)) {
			continue
		}
		out = append(out, period{from, from + length})
	}
	return out
}

// ruleParts are the parts of RFC 5545 rules that are taken: the time of day
// and the length come from `from` and `to`.
var ruleParts = []string{"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}

// parseRRule reads the rule of a closure, in the city's zone.
func parseRRule(c *Closure, zone *time.Location) (*rrule.RRule, string) {
	text := strings.TrimPrefix(c.RRule, "RRULE:")
	untilDay := false
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		if !slices.Contains(ruleParts, name) {
			return nil, fmt.Sprintf("has the part %q: use %s", short(part), strings.Join(ruleParts, ", "))
		}
		untilDay = untilDay || name == "UNTIL" && len(value) == len("20060102")
		if strings.Count(value, ",") > 60 {
			return nil, fmt.Sprintf("has over 60 values in %s: shorten it", name)
		}
	}
	option, err := rrule.StrToROptionInLocation(text, zone)
	if err != nil {
		return nil, fmt.Sprintf("is %q (%s): write it like FREQ=WEEKLY;BYDAY=SU", short(c.RRule), err)
	}
	if option.Freq > rrule.DAILY {
		return nil, "repeats more than daily: use FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"
	}
	if option.Interval > 1000 || option.Count > 10_000 {
		return nil, "has an INTERVAL over 1000 or a COUNT over 10000: correct it"
	}
	if wrong := checkWeekdays(option); wrong != "" {
		return nil, wrong
	}
	if untilDay { // the whole day, as people mean it
		option.Until = option.Until.AddDate(0, 0, 1).Add(-time.Second)
	}
	option.Dtstart = time.UnixMilli(c.From).In(zone)
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, fmt.Sprintf("is %q (%s): correct it", short(c.RRule), err)
	}
	return rule, ""
}

// checkWeekdays bounds the numbers before weekdays (RFC 5545 §3.3.10): the nth
// weekday of the month, or of the year. The library panics beyond them.
func checkWeekdays(option *rrule.ROption) (wrong string) {
	last, of := 5, "a month"
	if option.Freq == rrule.YEARLY && len(option.Bymonth) == 0 {
		last, of = 53, "a year"
	}
	for _, day := range option.Byweekday {
		switch n := day.N(); {
		case n != 0 && option.Freq > rrule.MONTHLY:
			return fmt.Sprintf("has %s in BYDAY: numbers before days go with FREQ=MONTHLY or YEARLY", day)
		case n < -last || n > last:
			return fmt.Sprintf("has %s in BYDAY: %s has at most %d of them", day, of, last)
		}
	}
	return ""
}

// checkRRule returns the first time of a closure's rule (Unix ms).
func checkRRule(c *Closure, zone *time.Location) (first int64, wrong string) {
	rule, wrong := parseRRule(c, zone)
	if wrong != "" {
		return 0, wrong
	}
	t, ok := rule.Iterator()()
	if !ok {
		return 0, "never comes true: correct its days, months or UNTIL"
	}
	return t.UnixMilli(), ""
}
