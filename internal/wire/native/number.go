package native

import (
	"math"
	"time"
)

// scaled returns the checked number literal s times 10^shift, rounded half
// away from zero. exact tells whether nothing was rounded; ok is false where
// the magnitude does not fit.
func scaled(s []byte, shift int) (negative bool, v uint64, exact, ok bool) {
	i := 0
	if s[0] == '-' {
		negative, i = true, 1
	}
	exact = true
	exp, point, dropped := shift, false, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			point = true
			continue
		}
		if c|0x20 == 'e' {
			exp += exponent(s[i+1:])
			break
		}
		d := uint64(c - '0')
		if !dropped && v <= (math.MaxUint64-d)/10 {
			v = v*10 + d
			if point {
				exp--
			}
			continue
		}
		dropped, exact = true, exact && d == 0 // what does not fit only tells whether it is exact
		if !point {
			exp++
		}
	}
	if v == 0 {
		return negative, 0, exact, true
	}
	if dropped && exp > 0 {
		return negative, 0, false, false
	}
	for ; exp > 0; exp-- {
		if v > math.MaxUint64/10 {
			return negative, 0, false, false
		}
		v *= 10
	}
	up := false
	for ; exp < 0 && v > 0; exp++ {
		d := v % 10
		up, exact = d >= 5, exact && d == 0
		v /= 10
	}
	if exp < 0 {
		return negative, 0, false, true
	}
	if up {
		v++
	}
	return negative, v, exact, true
}

func exponent(s []byte) int {
	i, sign := 0, 1
	if s[0] == '+' || s[0] == '-' {
		i = 1
		if s[0] == '-' {
			sign = -1
		}
	}
	n := 0
	for ; i < len(s) && n < 100_000; i++ {
		n = n*10 + int(s[i]-'0')
	}
	return sign * n
}

var daysIn = [...]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// instant parses the date-time of RFC 3339, section 5.6, and returns Unix ms.
// shaped is false where the text is none; real is false for a day, hour or
// zone that does not exist and for years outside 1..9999. A leap second is the
// first of the next minute.
func instant(s []byte) (ms int64, shaped, real bool) {
	const shape = "dddd-dd-ddTdd:dd:dd"
	if len(s) < len(shape)+1 {
		return 0, false, false
	}
	for i := range len(shape) {
		switch shape[i] {
		case 'd':
			if s[i]-'0' > 9 {
				return 0, false, false
			}
		case 'T':
			if s[i]|0x20 != 't' {
				return 0, false, false
			}
		default:
			if s[i] != shape[i] {
				return 0, false, false
			}
		}
	}
	year, month, day := two(s)*100+two(s[2:]), two(s[5:]), two(s[8:])
	hour, minute, second := two(s[11:]), two(s[14:]), two(s[17:])
	i, milli := len(shape), 0
	if s[i] == '.' {
		end := digits(s, i+1)
		if end == i+1 {
			return 0, false, false
		}
		for j, unit := i+1, 100; j < end && unit > 0; j, unit = j+1, unit/10 {
			milli += int(s[j]-'0') * unit
		}
		i = end
	}
	offset, shaped, real := zone(s[i:])
	if !shaped {
		return 0, false, false
	}
	if !real || month < 1 || month > 12 || day < 1 || day > daysIn[month] || hour > 23 || minute > 59 || second > 60 || second == 60 && minute != 59 {
		return 0, true, false
	}
	if month == 2 && day == 29 && (year%4 != 0 || (year%100 == 0 && year%400 != 0)) {
		return 0, true, false
	}
	ms = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).UnixMilli() - offset*60_000 + int64(milli)
	return ms, true, ms >= minInstant && ms <= maxInstant
}

// The first and last millisecond that RFC 3339 can write in UTC, year 0 aside.
const (
	minInstant = -62_135_596_800_000
	maxInstant = 253_402_300_799_999
)

// zone parses Z or +hh:mm and returns minutes east.
func zone(s []byte) (minutes int64, shaped, real bool) {
	if len(s) == 1 && s[0]|0x20 == 'z' {
		return 0, true, true
	}
	if len(s) != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':' || digits(s, 1) != 3 || digits(s, 4) != 6 {
		return 0, false, false
	}
	h, m := two(s[1:]), two(s[4:])
	minutes = int64(h*60 + m)
	if s[0] == '-' {
		minutes = -minutes
	}
	return minutes, true, h < 24 && m < 60
}

func two(s []byte) int { return int(s[0]-'0')*10 + int(s[1]-'0') }
