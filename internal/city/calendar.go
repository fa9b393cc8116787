package city

import "time"

// Calendar tells in which of a city's days times lie. It remembers the days that
// were asked for last, and is used by one goroutine at a time.
type Calendar struct {
	zone   *time.Location
	recent [4]calendarDay
}

// calendarDay is a day, to exclusive; Unix ms.
type calendarDay struct{ from, to, date int64 }

// NewCalendar returns the calendar of a city in a zone.
func NewCalendar(zone *time.Location) *Calendar { return &Calendar{zone: zone} }

// Date returns the day, like 20260302, in which a time lies, Unix ms.
func (c *Calendar) Date(at int64) int64 {
	for i, d := range c.recent {
		if at >= d.from && at < d.to {
			c.recent[0], c.recent[i] = c.recent[i], c.recent[0]
			return d.date
		}
	}
	y, m, d := time.UnixMilli(at).In(c.zone).Date()
	day := calendarDay{date: int64(y)*10_000 + int64(m)*100 + int64(d)}
	day.from, day.to = DaySpan(day.date, c.zone)
	copy(c.recent[1:], c.recent[:])
	c.recent[0] = day
	return day.date
}

// DaySpan returns the begin and the end of a day, like 20260302, in a zone: Unix
// ms, the end exclusive.
func DaySpan(date int64, zone *time.Location) (from, to int64) {
	y, m, d := int(date/10_000), time.Month(date/100%100), int(date%100)
	return time.Date(y, m, d, 0, 0, 0, 0, zone).UnixMilli(), time.Date(y, m, d+1, 0, 0, 0, 0, zone).UnixMilli()
}
