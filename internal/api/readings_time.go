package api

import "time"

// days writes times that lie close together as appendTime does. It knows the
// day of the time before, within which a time is a matter of arithmetic. It is
// not for concurrent use.
type days struct {
	zone     *time.Location
	from, to int64  // of the day, or of as much of it as has one offset, Unix ms; to is exclusive
	begin    int64  // of the day by that offset, Unix ms
	date     string // "2006-01-02T"
	offset   string // "-07:00"
}

// append appends a moment (Unix ms).
func (d *days) append(dst []byte, ms int64) []byte {
	if ms < d.from || ms >= d.to {
		d.move(ms)
	}
	of := ms - d.begin
	dst = append(dst, d.date...)
	dst = append(appendTwo(dst, of/3_600_000), ':')
	dst = append(appendTwo(dst, of/60_000%60), ':')
	dst = appendTwo(dst, of/1000%60)
	if frac := of % 1000; frac != 0 {
		dst = appendTwo(append(dst, '.', byte('0'+frac/100)), frac%100)
	}
	return append(dst, d.offset...)
}

func appendTwo(dst []byte, n int64) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// move goes to the day of a moment.
func (d *days) move(ms int64) {
	t := time.UnixMilli(ms).In(d.zone)
	since := int64(t.Hour())*3_600_000 + int64(t.Minute())*60_000 + int64(t.Second())*1000 + int64(t.Nanosecond()/int(time.Millisecond))
	d.begin = ms - since
	d.from, d.to = d.begin, d.begin+24*3_600_000
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		d.from = max(d.from, start.UnixMilli())
	}
	if !end.IsZero() {
		d.to = min(d.to, end.UnixMilli())
	}
	d.date, d.offset = t.Format("2006-01-02T"), t.Format("-07:00")
}
