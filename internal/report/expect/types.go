package expect

import (
	"context"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// Sensors is what occupancy knows. All may be called from any goroutine; times
// are Unix ms, spans from inclusive, to exclusive.
type Sensors interface {
	// History returns a point for every step of [from, to).
	History(ctx context.Context, site string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error)
	// Stays returns at most limit stays a class that ended in the span.
	Stays(ctx context.Context, site string, from, to int64, limit int) ([]occupancy.Stay, error)
	// Lulls returns the silences of a site's spots that overlap the span.
	Lulls(ctx context.Context, site string, from, to int64) ([]occupancy.Lull, error)
	// Closed returns when the site was closed, in order.
	Closed(site string, from, to int64) [][2]int64
}

// Interval is an amount that is not known exactly: with nine chances in ten it
// lies from Low to High.
type Interval struct{ Low, Mid, High city.Rupiah }

// Gap is a time in which some of a class's places, or its gates, were not
// seen.
type Gap struct {
	Class    city.Class
	From, To int64   // Unix ms
	Known    float64 // 0..1: share that was seen
}

// Why an answer is unknown.
const (
	NoSensors = "no_sensors" // none at the site tells stays
	NoDays    = "no_days"    // an hour was blind, and no day tells what it brings
	NoPrices  = "no_prices"  // no stay whose price is known
	NoTariff  = "no_tariff"  // no version of the tariff holds
	NotYet    = "not_yet"    // the day has not begun
	NoStays   = "no_stays"   // roll-ups tell of more who left than stays are kept: it is too long ago
	TooMany   = "too_many"   // more stays than can be true
)

// Answer is what a site should have earned on a day.
type Answer struct {
	Known    bool   // false: nothing but Why, Unseen and Gaps holds
	Why      string // of those above
	Expected Interval
	Seen     city.Rupiah // of stays that were seen whole
	Share    float64     // 0..1: what was seen of what is expected
	Coverage float64     // 0..1: known share of places x open time
	Stays    int         // seen, the free and short ones too
	Charged  int         // of those, with a price above 0
	Classes  []city.Class
	Unseen   []city.Class // of the site, without any sensor: nothing is expected
	Gaps     []Gap
	Days     []string // days of the same kind that the blind hours were estimated from
	Whole    bool     // the day is over
	Sample   []Priced // the first stays that pay something, class by class
}

// Priced is a stay with what it should have paid; of one whose begin was not
// seen only the least.
type Priced struct {
	occupancy.Stay
	Amount city.Rupiah
}

// Question asks for a site and day.
type Question struct {
	Site       *inventory.Site
	Version    *inventory.Version // that holds on the day
	Date       string             // YYYY-MM-DD in the city's zone
	Now        int64              // Unix ms: nothing is expected after it
	Sample     int                // stays to show, at most
	Subscribed map[city.Class]int // receipts that a subscription paid for; ClassNone: class not told
}
