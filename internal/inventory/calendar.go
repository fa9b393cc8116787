package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
)

// Calendar is what tariffs must know of the city's days: its zone, and its
// public holidays that are not working days (holidays.csv: national,
// cuti_bersama, lebaran; Ramadan and school holidays change no tariff).
func (v *Version) Calendar() tariff.Calendar {
	return tariff.Calendar{Zone: v.Zone, Holiday: v.isHoliday}
}

func (v *Version) isHoliday(date string) bool { return v.days[date] }

// holidayIndex lists the days on which the city's offices rest.
func holidayIndex(holidays []Holiday) map[string]bool {
	days := map[string]bool{}
	for _, h := range holidays {
		if h.Working || (h.Kind != "national" && h.Kind != "cuti_bersama" && h.Kind != "lebaran") {
			continue
		}
		day, err := time.Parse(time.DateOnly, h.Date)
		if err != nil {
			continue
		}
		days[h.Date] = true
		for range maxHolidayDays {
			day = day.AddDate(0, 0, 1)
			if date := day.Format(time.DateOnly); date <= h.Until {
				days[date] = true
			} else {
				break
			}
		}
	}
	return days
}

const maxHolidayDays = 100

var holidayColumns = []column{{"date", true}, {"until", false}, {"kind", true}, {"name", false}, {"working", false}}

func (p *parser) holidays() {
	seen := map[string]int{}
	for _, r := range p.readTable(fileHolidays, holidayColumns).rows {
		h := Holiday{
			Date: r.date("date"), Until: r.date("until"), Name: r.text("name"), Working: r.yes("working"),
			Kind: r.word("kind", "national", "cuti_bersama", "ramadan", "lebaran", "school"),
		}
		if r.need("date") == "" || r.need("kind") == "" || h.Date == "" {
			continue
		}
		if h.Until != "" {
			from, _ := time.Parse(time.DateOnly, h.Date)
			until, _ := time.Parse(time.DateOnly, h.Until)
			switch days := int(until.Sub(from).Hours() / 24); {
			case days < 0:
				r.fault("until %s is before date %s: swap or correct them", h.Until, h.Date)
			case days > maxHolidayDays:
				r.fault("the holiday lasts %d days: correct until, it ends within %d days", days, maxHolidayDays)
			}
		}
		if r.twice(seen, h.Date+h.Kind+h.Name, fmt.Sprintf("the holiday %s on %s", h.Kind, h.Date)) {
			continue
		}
		p.v.Holidays = append(p.v.Holidays, h)
	}
	sort.SliceStable(p.v.Holidays, func(i, j int) bool { return p.v.Holidays[i].Date < p.v.Holidays[j].Date })
}

var closureColumns = []column{
	{"id", false},
	{"site", false},
	{"segment", false},
	{"from", true},
	{"to", false},
	{"rrule", false},
	{"except", false},
	{"reason", true},
	{"places_lost", false},
}

// closureReasons are the words of contract section 5.
var closureReasons = []string{"flood", "event", "works", "cfd"}

// CheckReason says what is wrong with the reason of a closure, "" where it is
// one of flood, event, works and cfd.
func CheckReason(reason string) string { return checkWord(reason, closureReasons) }

func (p *parser) closures() {
	seen := map[string]int{}
	for _, r := range p.readTable(fileClosures, closureColumns).rows {
		c := Closure{ID: r.checked("id", checkID), Site: r.text("site"), Segment: r.text("segment"), Reason: r.word("reason", closureReasons...)}
		switch {
		case c.Site == "" && c.Segment == "", c.Site != "" && c.Segment != "":
			r.fault("a closure is of one site or one segment: fill in exactly one of them")
		case c.Site != "" && p.v.sites[c.Site] == nil:
			r.fault("site %s is not in %s: correct it or add the site", short(c.Site), fileSites)
		case c.Segment != "" && p.v.segments[c.Segment] == nil:
			r.fault("segment %s is not in %s: correct it or add the segment", short(c.Segment), fileSegments)
		}
		if r.text("reason") == "" {
			r.need("reason")
		}
		r.times(&c, p.zone)
		r.except(&c)
		if n, ok := r.whole("places_lost", 1, maxPlaces); ok {
			c.PlacesLost = city.SomeInt(n)
		}
		if c.ID == "" {
			c.ID = c.contentID()
		}
		if r.twice(seen, c.ID, "the closure "+c.ID) {
			continue
		}
		p.v.Closures = append(p.v.Closures, c)
	}
	sort.SliceStable(p.v.Closures, func(i, j int) bool { return p.v.Closures[i].ID < p.v.Closures[j].ID })
}

// times reads from, to and rrule.
func (r row) times(c *Closure, zone *time.Location) {
	moment := func(name string) int64 {
		s := r.text(name)
		if s == "" {
			return 0
		}
		at, wrong := parseMoment(s, zone)
		if wrong != "" {
			r.fault("%s %s", name, wrong)
		}
		return at
	}
	if r.need("from") == "" {
		return
	}
	c.From, c.Until = moment("from"), moment("to")
	c.RRule = strings.ToUpper(r.text("rrule"))
	if c.From == 0 || c.Until == 0 && r.text("to") != "" {
		return
	}
	if c.Until != 0 && c.Until <= c.From {
		r.fault("to is not after from: `to` is the first moment that is open again, correct it")
	}
	if c.RRule == "" {
		return
	}
	if c.Until == 0 {
		r.fault("a repeating closure has no end: fill in `to` of its first time, it gives the length of all")
		return
	}
	first, wrong := checkRRule(c, zone)
	if wrong != "" {
		r.fault("rrule %s", wrong)
	} else if first != c.From {
		r.t.p.warn(r.t.file, r.line, "from is none of the times of the rrule: it begins on %s", time.UnixMilli(first).In(zone).Format("2006-01-02 15:04"))
	}
}

// except reads dates with anything between them.
func (r row) except(c *Closure) {
	for _, date := range strings.FieldsFunc(r.text("except"), func(c rune) bool { return strings.ContainsRune(" ,;|\n\t", c) }) {
		if wrong := checkDate(date); wrong != "" {
			r.fault("except %s", wrong)
			continue
		}
		if !slices.Contains(c.Except, date) {
			c.Except = append(c.Except, date)
		}
	}
	slices.Sort(c.Except)
}

// contentID names a closure by what it says.
func (c *Closure) contentID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %d %q %q %q %d", c.Site, c.Segment, c.From, c.Until, c.RRule, c.Except, c.Reason, c.PlacesLost.V))
	return "csv-" + hex.EncodeToString(sum[:8])
}
