package api

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// moment reads RFC 3339 with a zone, or a day. A space is read as the `+`
// that it was before a browser or shell decoded it.
func (s *Server) moment(raw string) (ms int64, fault string) {
	raw = strings.ReplaceAll(raw, " ", "+")
	t, err := time.Parse(time.RFC3339, raw)
	if err != nil {
		t, err = time.ParseInLocation(time.DateOnly, raw, s.zone)
	}
	if year := t.In(s.zone).Year(); err == nil && year > 0 && year < 10_000 {
		return t.UnixMilli(), ""
	}
	return 0, "must be a time with zone like 2026-03-02T08:15:00+07:00, or a day like 2026-03-02"
}

var stepPattern = regexp.MustCompile(`^([1-9][0-9]{0,5})(m|h|d)$`)

var unitMinutes = map[string]int64{"m": 1, "h": 60, "d": 24 * 60}

// stepMinutes reads a step like 15m, 1h or 1d, in minutes.
func stepMinutes(raw string) (minutes int64, fault string) {
	const wrong = "must be a multiple of five minutes up to 31 days, like 5m, 15m, 1h or 1d"
	m := stepPattern.FindStringSubmatch(raw)
	if m == nil {
		return 0, wrong
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, wrong
	}
	minutes = n * unitMinutes[m[2]]
	if minutes%5 != 0 || minutes > 31*24*60 {
		return 0, wrong
	}
	return minutes, ""
}

// box reads lon,lat,lon,lat as two opposite corners.
func box(raw string) (b [4]float64, fault string) {
	const wrong = "must be lon,lat,lon,lat in degrees: two opposite corners"
	parts := strings.Split(raw, ",")
	if len(parts) != 4 {
		return b, wrong
	}
	for i, part := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		limit := [2]float64{180, 90}[i%2]
		if err != nil || !(f >= -limit && f <= limit) {
			return b, wrong
		}
		b[i] = f
	}
	b[0], b[2] = min(b[0], b[2]), max(b[0], b[2])
	b[1], b[3] = min(b[1], b[3]), max(b[1], b[3])
	return b, ""
}

// span is the time that a request asks about, Unix ms.
type span struct{ from, to int64 }

// maxPoints is how many points or days one answer may have.
const maxPoints = 5000

// span returns from and to of a request; without them the length until now.
func (q *request) span(length time.Duration) (span, error) {
	sp := span{to: q.now.UnixMilli()}
	if q.given("to") {
		sp.to = q.args.get("to").whole
	}
	sp.from = sp.to - length.Milliseconds()
	if q.given("from") {
		sp.from = q.args.get("from").whole
	}
	if sp.from > sp.to {
		return sp, badParameter("from", "lies after to")
	}
	return sp, nil
}

// steps returns the span widened to whole steps in the city's zone, and
// refuses more than 5,000 of them.
func (s *Server) steps(sp span, step time.Duration) (span, error) {
	_, offset := time.UnixMilli(sp.from).In(s.zone).Zone()
	shift, width := int64(offset)*1000, step.Milliseconds()
	sp.from = floor(sp.from+shift, width) - shift
	sp.to = -floor(-(sp.to+shift), width) - shift
	if n := (sp.to - sp.from) / width; n > maxPoints {
		return sp, badParameter("step", "makes "+strconv.FormatInt(n, 10)+" points, over 5000: ask for less time or a longer step")
	}
	return sp, nil
}

// floor returns the greatest multiple of width that is not over n.
func floor(n, width int64) int64 {
	r := n % width
	if r < 0 {
		r += width
	}
	return n - r
}

// day returns the date of a moment in the city's zone.
func (s *Server) day(ms int64) string { return time.UnixMilli(ms).In(s.zone).Format(time.DateOnly) }

// today returns the begin of now's day in the city's zone.
func (s *Server) today(now time.Time) time.Time {
	y, m, d := now.In(s.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, s.zone)
}
