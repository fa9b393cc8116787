package inventory

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// OpeningHours is a parsed opening_hours text: the part of the OSM grammar that
// parking places need. Rules are separated by `;` (a later one replaces the
// earlier ones on its days) or by `,` (it adds times to them); a rule is days
// (`Mo-Fr`, `Sa,Su`, `PH` for public holidays), then times (`06:00-22:00`,
// several with `,`; past midnight as `18:00-02:00` or `18:00-26:00`) or
// `24/7`, `open`, `off`, `closed`. Days left out mean every day.
type OpeningHours struct{ rules []hoursRule }

type hoursRule struct {
	days    [7]bool // by time.Weekday
	holiday bool
	adds    bool // after a comma
	times   []minutes
}

// minutes is a span of a day, minute 0..2880; over 1440 it is the next day's.
type minutes struct{ from, to int }

const dayMinutes = 24 * 60

var weekdays = []string{"Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"}

const maxHours = 500 // bytes

// ParseOpeningHours reads an opening_hours text. The error says what is wrong
// and what to do.
func ParseOpeningHours(s string) (*OpeningHours, error) {
	if len(s) > maxHours {
		return nil, fmt.Errorf("is longer than %d bytes: shorten it", maxHours)
	}
	h := &OpeningHours{}
	for rule := range strings.SplitSeq(s, ";") {
		if strings.TrimSpace(rule) == "" {
			continue
		}
		if err := h.rule(rule); err != nil {
			return nil, fmt.Errorf("is %q: %w", short(s), err)
		}
	}
	if len(h.rules) == 0 {
		return nil, errors.New("is empty: write it like Mo-Su 06:00-22:00, or 24/7")
	}
	return h, nil
}

// rule reads what stands between two semicolons: one rule, or several that
// add to each other.
func (h *OpeningHours) rule(s string) error {
	s = strings.Join(strings.Fields(s), " ")
	for _, tight := range []string{" -", "- ", " ,", ", "} {
		s = strings.ReplaceAll(s, tight, strings.TrimSpace(tight))
	}
	if s == "24/7" {
		h.rules = append(h.rules, hoursRule{days: everyDay, times: []minutes{{0, dayMinutes}}})
		return nil
	}
	var r hoursRule
	dayGiven, done := false, false
	for i, part := range strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == ' ' }) {
		isDay := part[0] >= 'A' && part[0] <= 'Z'
		if isDay && done { // "Mo-Fr 08:00-12:00,Sa 08:00-10:00"
			h.add(r, dayGiven)
			r, dayGiven, done = hoursRule{adds: true}, false, false
		}
		var err error
		switch {
		case isDay:
			dayGiven = true
			err = r.day(part)
		case part == "off" || part == "closed":
			if len(r.times) > 0 {
				err = errors.New("off cannot stand beside times")
			}
			done = true
		case part == "open":
			r.times, done = append(r.times, minutes{0, dayMinutes}), true
		default:
			if done && len(r.times) == 0 {
				err = errors.New("times cannot stand behind off")
				break
			}
			err = r.time(part)
			done = true
		}
		if err != nil {
			return err
		}
		if i > 100 {
			return errors.New("too many parts: shorten it")
		}
	}
	if !done {
		return errors.New("days without times: write them like Mo-Su 06:00-22:00")
	}
	h.add(r, dayGiven)
	return nil
}

var everyDay = [7]bool{true, true, true, true, true, true, true}

func (h *OpeningHours) add(r hoursRule, dayGiven bool) {
	if !dayGiven {
		r.days = everyDay
	}
	h.rules = append(h.rules, r)
}

func (r *hoursRule) day(s string) error {
	if s == "PH" {
		r.holiday = true
		return nil
	}
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	a, b := weekday(from), weekday(to)
	if a < 0 || b < 0 {
		return fmt.Errorf("%q is no day: use Mo Tu We Th Fr Sa Su or PH", short(s))
	}
	for d := a; ; d = (d + 1) % 7 {
		r.days[d] = true
		if d == b {
			return nil
		}
	}
}

func weekday(s string) int {
	for i, d := range weekdays {
		if d == s {
			return i
		}
	}
	return -1
}

func (r *hoursRule) time(s string) error {
	from, to, ok := strings.Cut(s, "-")
	a, b := minuteOf(from), minuteOf(to)
	if !ok || a < 0 || b < 0 || a > dayMinutes {
		return fmt.Errorf("%q is no span of time: write it like 06:00-22:00", short(s))
	}
	if b <= a {
		b += dayMinutes
	}
	if b > 2*dayMinutes || b-a > dayMinutes {
		return fmt.Errorf("%q is longer than a day: split it", short(s))
	}
	r.times = append(r.times, minutes{a, b})
	return nil
}

// minuteOf reads HH:MM up to 48:00, -1 where it is none.
func minuteOf(s string) int {
	hour, minute, ok := strings.Cut(s, ":")
	h, errH := strconv.ParseUint(hour, 10, 8)
	m, errM := strconv.ParseUint(minute, 10, 8)
	if !ok || errH != nil || errM != nil || len(hour) > 2 || len(minute) != 2 || m > 59 || h*60+m > 2*dayMinutes {
		return -1
	}
	return int(h*60 + m)
}

// IsOpen tells whether it is open at a time (Unix ms) in a zone. isHoliday
// tells public holidays (YYYY-MM-DD); nil: there are none.
func (h *OpeningHours) IsOpen(at int64, zone *time.Location, isHoliday func(date string) bool) bool {
	t := time.UnixMilli(at).In(zone)
	minute := t.Hour()*60 + t.Minute()
	return h.covers(t, minute, isHoliday) || h.covers(t.AddDate(0, 0, -1), minute+dayMinutes, isHoliday)
}

// covers tells whether the times of a day hold a minute counted from its
// midnight. PH rules hold on holidays beside those of the weekday.
func (h *OpeningHours) covers(day time.Time, minute int, isHoliday func(string) bool) bool {
	holiday := isHoliday != nil && isHoliday(day.Format(time.DateOnly))
	open := false
	for i := range h.rules {
		r := &h.rules[i]
		if !r.days[day.Weekday()] && (!r.holiday || !holiday) {
			continue
		}
		in := false
		for _, t := range r.times {
			in = in || t.from <= minute && minute < t.to
		}
		if r.adds {
			open = open || in
		} else {
			open = in
		}
	}
	return open
}

// IsOpen tells whether a site is open at a time (Unix ms) by its opening
// hours and the city's holidays; a site that gives none is always open.
func (v *Version) IsOpen(s *Site, at int64) bool {
	return s.hours == nil || s.hours.IsOpen(at, v.Zone, v.isHoliday)
}
