package inventory

import "time"

// works tells whether the city's offices work on a day: neither weekend nor
// holiday nor cuti bersama.
func (v *Version) works(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !v.days[day.Format(time.DateOnly)]
}

// dayOf returns the day of a time (Unix ms) in the city's zone, as one of UTC:
// days are then all of one length.
func (v *Version) dayOf(at int64) time.Time {
	y, m, d := time.UnixMilli(at).In(v.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// DueAfter returns when (Unix ms, exclusive) so many working days after the day
// of a time are over: the day itself does not count.
func (v *Version) DueAfter(at int64, days int) int64 {
	day := v.dayOf(at)
	for n := 0; n < days; {
		day = day.AddDate(0, 0, 1)
		if v.works(day) {
			n++
		}
	}
	y, m, d := day.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, v.Zone).UnixMilli()
}

// WorkingDays counts the working days after the day of from, up to that of to
// (Unix ms).
func (v *Version) WorkingDays(from, to int64) (n int) {
	for day, last := v.dayOf(from), v.dayOf(to); day.Before(last); {
		day = day.AddDate(0, 0, 1)
		if v.works(day) {
			n++
		}
	}
	return n
}

// WorkingDay returns the working day (YYYY-MM-DD) that a time (Unix ms) belongs
// to: its day, or the next on which offices work.
func (v *Version) WorkingDay(at int64) string {
	day := v.dayOf(at)
	for !v.works(day) {
		day = day.AddDate(0, 0, 1)
	}
	return day.Format(time.DateOnly)
}
