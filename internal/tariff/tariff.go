// Package tariff turns a stay and dated rules into rupiah. It is pure: no
// clock, no file, no state.
//
// What the rules mean:
//   - The version of a tariff whose validity holds the local date of entry
//     prices the whole stay: a change of tariff changes nothing for who is
//     already parked.
//   - A stay of at most free_minutes costs nothing; a longer one is charged
//     from its first minute.
//   - Time is charged in intervals that have begun: the first, then the next
//     ones, each by the rates that hold where it begins.
//   - With daily_max (or each_day) every 24 hours from entry are a tariff day:
//     it starts anew with the first interval and costs at most the maximum, so
//     a stay costs exactly the sum of its tariff days.
//   - A flat amount is charged once, and again only where another rule held in
//     between, or a new tariff day begins.
//   - A lost ticket adds its fine to the price of the stay; a subscription pays
//     nothing at the exit.
package tariff

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

// The reasons why there is no price.
var (
	ErrUnknownTariff = errors.New("no tariff of this id")
	ErrNoVersion     = errors.New("no version of the tariff holds on this day")
	ErrNoClass       = errors.New("the tariff has no price for this class")
	ErrStay          = errors.New("the stay ends before it begins or lasts over ten years")
)

// Book holds every tariff by id. It is immutable; the zero Book is empty.
type Book struct {
	tariffs map[string]*Tariff
	ids     []string
}

// Tariff is one tariff with its versions in the order of From.
type Tariff struct {
	ID       string
	Name     string
	Versions []*Version
}

// Version is what a tariff says between two days, both inclusive.
type Version struct {
	ID         string // tariff@from: what entries of the books name
	From       string // YYYY-MM-DD in the city's zone
	Until      string // YYYY-MM-DD, "" open
	LegalBasis string // the rule of law that it rests on
	Sample     bool   // not taken from a text in force: to be replaced by the city
	Classes    map[city.Class]*Rates
}

// Rates is the price of one class.
type Rates struct {
	Charge
	FreeMinutes int
	DailyMax    city.Rupiah // 0: none
	EachDay     bool        // a flat amount is charged again each 24 hours
	LostTicket  city.Rupiah // fine, on top of the stay
	Rules       []Rule      // the first one that holds wins, else the Charge above
}

// Charge is a flat amount, or a first interval and the next ones.
type Charge struct {
	Flat       bool
	FlatAmount city.Rupiah
	First      Interval
	Next       Interval
}

// Interval is a time that is charged as soon as it has begun.
type Interval struct {
	Minutes int
	Amount  city.Rupiah
}

// Rule is a charge that holds at some times only.
type Rule struct {
	Charge
	Name    string
	Days    [7]bool // by time.Weekday; all false with Holiday false: every day
	Holiday bool    // on holidays
	From    int     // minute of the day, inclusive
	Until   int     // minute of the day, exclusive; at or before From: of the next day
}

// Calendar is what the rules must know of the city's days.
type Calendar struct {
	Zone    *time.Location
	Holiday func(date string) bool // YYYY-MM-DD; nil: no holidays
}

// Stay is what is priced.
type Stay struct {
	Class      city.Class
	Entered    int64 // Unix ms
	Left       int64 // Unix ms, not before Entered
	Lost       bool  // the ticket was lost
	Subscribed bool  // paid for by a subscription
}

// Quote is a price and the version that says so.
type Quote struct {
	Amount  city.Rupiah
	Version string // Version.ID
	Free    bool   // within the free minutes, or subscribed
	Capped  bool   // at least one tariff day reached the daily maximum
}

// IDs returns the ids of all tariffs, sorted.
func (b Book) IDs() []string { return b.ids }

// Tariff returns the tariff of that id, nil if there is none.
func (b Book) Tariff(id string) *Tariff { return b.tariffs[id] }

// Version returns the version of a tariff that holds at a moment (Unix ms) in
// the zone. Errors: ErrUnknownTariff, ErrNoVersion.
func (b Book) Version(id string, atMs int64, zone *time.Location) (*Version, error) {
	t := b.tariffs[id]
	if t == nil {
		return nil, fmt.Errorf("tariff %q: %w", id, ErrUnknownTariff)
	}
	if len(t.Versions) == 1 && t.Versions[0].From <= "1900-01-01" && t.Versions[0].Until == "" {
		return t.Versions[0], nil
	}
	date := time.UnixMilli(atMs).In(zone).Format(time.DateOnly)
	for _, v := range slices.Backward(t.Versions) {
		if v.From <= date {
			if v.Until != "" && v.Until < date {
				break
			}
			return v, nil
		}
	}
	return nil, fmt.Errorf("tariff %q on %s: %w", id, date, ErrNoVersion)
}

func newBook(tariffs []*Tariff) Book {
	b := Book{tariffs: make(map[string]*Tariff, len(tariffs))}
	for _, t := range tariffs {
		b.tariffs[t.ID] = t
		b.ids = append(b.ids, t.ID)
	}
	sort.Strings(b.ids)
	return b
}
