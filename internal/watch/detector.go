package watch

import (
	"context"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// detector watches one subject, a meter or a site, for one kind of fault. Its
// exported fields are all that it remembers: they are written as JSON, and
// bounded whatever comes.
type detector interface {
	// receipt takes a receipt of the subject, in the order of the journal.
	receipt(x *moment, r *receipt)
	// tick is called each time the journal's clock has passed a multiple of
	// tickMs; it tells whether it remembers anything new.
	tick(x *moment) bool
}

// unit is a detector with the name of its state in the file.
type unit struct {
	name string
	make func() detector
}

// The detectors of a meter. The first tells the others what a receipt's number
// says of it.
var meterUnits = []unit{
	{"numbers", func() detector { return &numbers{} }},
	{"totals", func() detector { return &totals{} }},
	{"silent", func() detector { return &silent{} }},
	{"tariff", func() detector { return &offTariff{} }},
	{"voids", func() detector { return &voids{} }},
}

// The detectors of a site.
var siteUnits = []unit{
	{"stays", func() detector { return &stays{} }},
	{"leak", func() detector { return &leak{} }},
	{"takings", func() detector { return &takings{} }},
}

// tickMs is how often detectors are called without a reading.
const tickMs = 5 * 60 * 1000

const (
	minuteMs = 60 * 1000
	hourMs   = 60 * minuteMs
	dayMs    = 24 * hourMs
)

// receipt is one receipt as detectors see it.
type receipt struct {
	*city.Receipt
	id      string // device:boot:seq
	at      int64
	order   order
	repeats repeat // by its number
	place   place  // as it was at the receipt's time
}

func receiptOf(r *city.Reading) *receipt {
	x := &receipt{Receipt: r.Receipt, at: r.At}
	if r.HasBoot {
		x.id, x.order = fmt.Sprintf("%s:%d:%d", r.Device, r.Boot, r.Seq), order{Boot: int64(r.Boot), Seq: r.Seq}
	} else {
		x.id, x.order = fmt.Sprintf("%s::%d", r.Device, r.Seq), order{Boot: -1, At: r.At, Seq: r.Seq}
	}
	return x
}

// order is a reading's place in its meter's own order.
type order struct {
	Boot int64 // -1: the device counts no boots
	At   int64 // 0 where boots order the readings
	Seq  uint64
}

func (a order) before(b order) bool {
	switch {
	case a.Boot != b.Boot:
		return a.Boot < b.Boot
	case a.At != b.At:
		return a.At < b.At
	default:
		return a.Seq < b.Seq
	}
}

// room tells whether other readings may lie between two.
func (a order) room(b order) bool { return a.Boot != b.Boot || b.Seq != a.Seq+1 }

// moment is when a detector is called, and what it may ask.
type moment struct {
	ctx   context.Context
	now   int64  // the journal's clock, Unix ms
	pos   uint64 // of the entry
	rules *inventory.Rules
	place place // of the subject, now
	out   reporter
	asks  *asks

	segment *inventory.Segment         // of a segment
	muted   bool                       // work is done there
	blind   bool                       // a counter of the segment is known to count wrong
	caused  cause                      // of a meter: what its silence hangs on
	takings func(site string) *takings // nil where the site has none

	boxesOf func(site string, from, to int64) boxes // of a site
}

// reporter takes what detectors say of their subject.
type reporter interface {
	raise(rule Rule, f finding)
	calm(rule Rule)
}

// before is the earlier of a time that was noted and now: our own clock may
// have run ahead then, and was set right since.
func (x *moment) before(noted int64) int64 { return min(noted, x.now) }

// finding is what a detector has found. Where once is set it has just happened,
// count times; else it stands: count things in all, and the evidence is whole.
type finding struct {
	at       int64 // of the event
	count    int64
	once     bool
	asked    bool  // it rests on what another follower answered, and no position of the journal decides it
	settle   int64 // once: without another, it recovers after so long, ms
	recover  int64 // ms
	readings []string
	ranges   []Range
	sums     []Sum
	sites    []string
	chart    []Point
	unit     string
	unseen   bool
}

// place is a site as a version of the inventory has it; site may be nil.
type place struct {
	version  *inventory.Version
	site     *inventory.Site
	closures *inventory.ClosureSet
}

// known tells whether there is a site.
func (p place) known() bool { return p.site != nil }

// closed tells whether a closure holds at a time.
func (p place) closed(at int64) bool {
	closed, _, _ := p.closures.State(p.version, p.site.ID, p.road(), at)
	return closed
}

// closedIn tells whether a closure of the whole place or a part of it holds at
// any time in [from, to).
func (p place) closedIn(from, to int64) bool {
	return len(p.closures.Spans(p.version, p.site.ID, p.road(), from, to)) > 0
}

// road is the segment whose closures close the site too: places at the kerb of
// a closed road cannot be reached.
func (p place) road() string {
	if p.site.Kind == inventory.OnStreet {
		return p.site.Segment
	}
	return ""
}

// open tells whether customers may come at a time.
func (p place) open(at int64) bool { return p.version.IsOpen(p.site, at) && !p.closed(at) }

// date is the city's day of a time.
func (p place) date(at int64) string {
	return time.UnixMilli(at).In(p.version.Zone).Format(time.DateOnly)
}

// span is a day's time, to exclusive; ok is false for what is no day.
func (p place) span(date string) (from, to int64, ok bool) {
	day, err := time.ParseInLocation(time.DateOnly, date, p.version.Zone)
	if err != nil {
		return 0, 0, false
	}
	return day.UnixMilli(), day.AddDate(0, 0, 1).UnixMilli(), true
}

// next is the day after a day.
func (p place) next(date string) string {
	_, to, ok := p.span(date)
	if !ok {
		return ""
	}
	return p.date(to)
}

// The kinds of day.
const (
	workingDay = iota
	weekend
	holiday
	dayKinds
)

// slot is the kind of day and the hour of a time.
func (p place) slot(at int64) (kind, hour int) {
	t := time.UnixMilli(at).In(p.version.Zone)
	switch day := t.Weekday(); {
	case p.version.Calendar().Holiday(t.Format(time.DateOnly)):
		kind = holiday
	case day == time.Saturday || day == time.Sunday:
		kind = weekend
	}
	return kind, t.Hour()
}

// addReading keeps the first readings and the newest.
func addReading(list []string, more ...string) []string {
	for _, id := range more {
		if len(list) >= mostReadings {
			list = append(list[:mostReadings/2], list[mostReadings/2+1:]...)
		}
		list = append(list, id)
	}
	return list
}
