package escpos

import (
	"fmt"
	"strings"
	"time"
)

// clock is a date, a time of day, or both, as printed.
type clock struct {
	year, month, day     int
	hour, minute, second int
	hasDate, hasTime     bool
}

func (c *clock) unix(zone *time.Location) int64 {
	return time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, zone).UnixMilli()
}

// layout is a form of time: fields, and what stands between them.
type layout []part

type part struct {
	field string // "" for what stands between
	text  string
}

// fieldNames are the fields of a form; what is longer comes first.
var fieldNames = []string{"YYYY", "YY", "MMM", "MM", "DD", "HH", "mm", "ss"}

// parseLayout reads a form like DD/MM/YYYY HH:mm:ss.
func parseLayout(form string) (layout, error) {
	var l layout
	seen := map[string]bool{}
	for rest := form; rest != ""; {
		field := ""
		for _, name := range fieldNames {
			if strings.HasPrefix(rest, name) {
				field = name
				break
			}
		}
		if field == "" {
			if c := rest[0]; c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
				return nil, fmt.Errorf("%q is no form of time: write it with DD, MM or MMM, YYYY or YY, HH, mm and ss", form)
			}
			l, rest = append(l, part{text: rest[:1]}), rest[1:]
			continue
		}
		kind := field[:1]
		if field == "mm" {
			kind = "minute"
		}
		if seen[kind] {
			return nil, fmt.Errorf("%q has the same field twice: keep one", form)
		}
		seen[kind] = true
		l, rest = append(l, part{field: field}), rest[len(field):]
	}
	date := seen["Y"] && seen["M"] && seen["D"]
	hour := seen["H"] && seen["minute"]
	if !date && (seen["Y"] || seen["M"] || seen["D"]) || !hour && (seen["H"] || seen["minute"] || seen["s"]) || !date && !hour {
		return nil, fmt.Errorf("%q is neither a date (day, month and year) nor a time of day (HH and mm) nor both: write it whole", form)
	}
	return l, nil
}

// parse reads a time of this form, all of text.
func (l layout) parse(text string) (c clock, ok bool) {
	rest := strings.TrimSpace(text)
	for _, p := range l {
		if p.field == "" {
			if p.text == " " {
				trimmed := strings.TrimLeft(rest, " ")
				if len(trimmed) == len(rest) {
					return clock{}, false
				}
				rest = trimmed
				continue
			}
			if rest, ok = strings.CutPrefix(rest, p.text); !ok {
				return clock{}, false
			}
			continue
		}
		if rest, ok = c.field(p.field, rest); !ok {
			return clock{}, false
		}
	}
	return c, rest == "" && c.valid()
}

// field reads one field from the beginning of s.
func (c *clock) field(name, s string) (rest string, ok bool) {
	if name == "MMM" {
		n := 0
		for n < len(s) && (s[n]|0x20) >= 'a' && (s[n]|0x20) <= 'z' {
			n++
		}
		c.month = months[strings.ToLower(s[:n])]
		return s[n:], c.month > 0
	}
	least, most := 1, 2
	switch name {
	case "YYYY":
		least, most = 4, 4
	case "YY", "mm", "ss":
		least = 2
	}
	v, n := 0, 0
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		v = v*10 + int(s[n]-'0')
		n++
	}
	if n < least {
		return s, false
	}
	switch name {
	case "YYYY":
		c.year, c.hasDate = v, true
	case "YY":
		c.year, c.hasDate = 2000+v, true
	case "MM":
		c.month = v
	case "DD":
		c.day = v
	case "HH":
		c.hour, c.hasTime = v, true
	case "mm":
		c.minute = v
	case "ss":
		c.second = v
	}
	return s[n:], true
}

// valid tells whether there is such a day and time.
func (c *clock) valid() bool {
	if c.hour > 23 || c.minute > 59 || c.second > 59 {
		return false
	}
	if !c.hasDate {
		return true
	}
	d := time.Date(c.year, time.Month(c.month), c.day, 0, 0, 0, 0, time.UTC)
	return c.year >= 2000 && d.Year() == c.year && int(d.Month()) == c.month && d.Day() == c.day
}

// months are the names of months on Indonesian receipts, English ones too.
var months = func() map[string]int {
	out := map[string]int{}
	for i, names := range []string{
		"jan januari january", "feb peb februari pebruari february", "mar maret march", "apr april", "mei may", "jun juni june", "jul juli july",
		"agu agt ags agus agustus aug august", "sep sept september", "okt oktober oct october", "nov nop november nopember", "des desember dec december",
	} {
		for name := range strings.SplitSeq(names, " ") {
			out[name] = i + 1
		}
	}
	return out
}()
