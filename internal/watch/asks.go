package watch

import (
	"context"

	"github.com/simpang-id/simpang/internal/city"
)

// Seen is what sensors saw of a site's day.
type Seen struct {
	Ended    int64   // stays that ended on the day
	Began    int64   // stays that began on the day and have ended since
	Coverage float64 // 0..1, of the class that was covered least
	Classes  []city.Class
}

// Stays tells what sensors saw, of classes that each place of the site has a
// sensor for.
type Stays interface {
	// Seen returns a site's day, from inclusive, to exclusive, Unix ms, as known
	// at a position of the journal or later; stays shorter than least (ms) are
	// none. ok is false while that position is not reached: it is asked again.
	// A site that has no such sensors has no Classes.
	Seen(ctx context.Context, site string, from, to, least int64, pos uint64) (seen Seen, ok bool, err error)
}

// Reconciled is what reconciliation concludes of a site's day, rupiah.
type Reconciled struct {
	Low      city.Rupiah // of what was to be expected: the low end
	Mid      city.Rupiah
	High     city.Rupiah
	Recorded city.Rupiah
	Coverage float64 // 0..1
	Known    bool    // false: nothing can be expected of this site
}

// Reconciliation tells what should have been recorded.
type Reconciliation interface {
	// Day returns a site's day (YYYY-MM-DD in the city's zone) as known at a
	// position of the journal or later; ok is as with Stays.
	Day(ctx context.Context, site, date string, pos uint64) (r Reconciled, ok bool, err error)
}

// asks is what site detectors ask others, bounded a tick.
type asks struct {
	stays          Stays
	reconciliation Reconciliation
	roads          Roads
	left           int                          // questions that may still be asked in this tick
	failed         func(what string, err error) // is told what could not be asked
}

// asksTick is how many questions are asked a tick: they read other files.
const asksTick = 20

// may takes one question.
func (a *asks) may() bool {
	if a.left <= 0 {
		return false
	}
	a.left--
	return true
}

// due is the next day of a site that is to be judged.
type due struct {
	Date string // "" before the first tick
	Pos  uint64 // of the journal when the day had been over for its grace; 0: it is not yet
}

// mostDue is how old a day may be that nobody has answered for.
const mostDue = 40 * dayMs

// ready tells whether the day may be judged now, and moves on from those that
// are too old. A site is judged from the first day that was whole.
func (d *due) ready(x *moment, graceMs int64) (changed, now bool) {
	if d.Date == "" {
		d.Date = x.place.next(x.place.date(x.now))
		return true, false
	}
	if next := x.place.next(x.place.date(x.now)); d.Date > next { // our clock had run ahead
		d.Date, d.Pos = next, 0
		return true, false
	}
	_, to, ok := x.place.span(d.Date)
	if !ok || x.now < to+graceMs {
		return false, false
	}
	if x.now > to+mostDue {
		d.Date, d.Pos = x.place.date(x.now-mostDue), 0
		return true, false
	}
	if d.Pos == 0 {
		d.Pos = x.pos
		return true, true
	}
	return false, true
}

// done goes on to the next day.
func (d *due) done(x *moment) { d.Date, d.Pos = x.place.next(d.Date), 0 }
