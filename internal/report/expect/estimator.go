package expect

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
)

const (
	hourMs     = 60 * 60 * 1000
	mostStays  = 50_000 // of a class, site and day
	mostOthers = 8      // days of the same kind
	reach      = 56     // days before and after, in which they are looked for
	fewOthers  = 3      // with fewer before, days after are looked at too
	fewPrices  = 50     // with fewer, stays of other days are priced too
	fewHourly  = 15     // of a blind hour, likewise
)

// Estimator answers for sites and days. It may be used from any goroutine.
type Estimator struct {
	sensors Sensors
	zone    *time.Location

	mu     sync.Mutex
	kept   map[keptKey]keptDay
	order  []keptKey
	curves map[curveKey]*curve
	paid   keptStays
}

type keptKey struct {
	site  string
	class city.Class
	begin int64
}

// keptDay is a day that other days are estimated from.
type keptDay struct {
	hours *hours
	at    int64 // Unix ms
}

const (
	mostKept   = 1 << 14
	mostCurves = 1 << 10
	keepFor    = 10 * 60 * 1000 // ms: so late may a late reading change another day's estimate
)

// New makes an estimator.
func New(sensors Sensors, zone *time.Location) *Estimator {
	return &Estimator{sensors: sensors, zone: zone, kept: map[keptKey]keptDay{}, curves: map[curveKey]*curve{}, paid: keptStays{days: map[paidKey]keptPaid{}}}
}

// Day tells what a site should have earned on a day. An error is of the
// sensors' store; what cannot be told is an Answer that says why.
func (e *Estimator) Day(ctx context.Context, q Question) (Answer, error) {
	day, err := time.ParseInLocation(time.DateOnly, q.Date, e.zone)
	if err != nil {
		return Answer{}, &city.Error{Kind: city.KindInvalid, Message: "date: write it as YYYY-MM-DD", Fields: []city.FieldError{{Field: "date", Detail: "YYYY-MM-DD"}}}
	}
	d := asked{Estimator: e, Question: q, day: day, begin: day.UnixMilli(), end: day.AddDate(0, 0, 1).UnixMilli()}
	d.answer.Whole = d.end <= q.Now
	if d.begin >= q.Now {
		d.answer.Why = NotYet
		return d.answer, nil
	}
	if err := d.classes(ctx); err != nil {
		return Answer{}, fmt.Errorf("expected at %s on %s: %w", q.Site.ID, q.Date, err)
	}
	return d.answer, nil
}

// asked is a question being answered.
type asked struct {
	*Estimator
	Question
	day        time.Time
	begin, end int64
	tag        tag
	stays      []occupancy.Stay
	lulled     []lull           // of the day
	past       map[int64][]lull // of other days, by their begin
	answer     Answer

	sum           float64 // of stays whose price is known
	estimated     amount
	mix           mix
	open, covered float64
}

func (d *asked) classes(ctx context.Context) error {
	by := detection(d.Site, d.Version)
	d.tag = tag{
		site: d.Site, version: d.Version, cal: d.Version.Calendar(), closed: d.sensors.Closed(d.Site.ID, d.begin, d.end),
		least: d.Version.Revenue.MinStay(d.Site.Levy).Milliseconds(),
	}
	for _, class := range d.Site.Classes {
		if i := slices.Index(d.Site.Shared, class); i > 0 {
			continue // it shows the numbers of the first
		}
		if observed(d.Site, class) == 0 || by == inventory.DetectCount || !hasSensor(d.Version, d.Site, by, class) {
			d.answer.Unseen = append(d.answer.Unseen, class)
			continue
		}
		d.answer.Classes = append(d.answer.Classes, class)
	}
	if len(d.answer.Classes) == 0 {
		d.answer.Why = NoSensors
		return nil
	}
	if by == inventory.DetectSpots {
		var err error
		if d.stays, err = d.sensors.Stays(ctx, d.Site.ID, d.begin, min(d.end, d.Now), mostStays); err != nil {
			return err
		}
		if len(d.stays) >= mostStays {
			d.answer.Why = TooMany
			return nil
		}
		if d.lulled, err = d.lulls(ctx, d.begin, min(d.end, d.Now)); err != nil {
			return err
		}
		d.stays = cut(d.stays, d.lulled, d.begin, min(d.end, d.Now))
	}
	for _, class := range d.answer.Classes {
		if err := d.class(ctx, by, class); err != nil || d.answer.Why != "" {
			return err
		}
	}
	d.finish()
	return nil
}

// finish makes the interval of all classes.
func (d *asked) finish() {
	official := d.Version.Revenue.OfficialShare()
	variance := d.estimated.chance + d.estimated.common*d.estimated.common
	paying := 1 - official
	sum, mean := d.sum*paying, d.estimated.mean*paying
	variance *= paying * paying
	if official > 0 && d.answer.Charged > 0 {
		each := d.sum / float64(d.answer.Charged)
		variance += float64(d.answer.Charged) * official * paying * each * each
	}
	up := z95
	if d.estimated.perhapsNone() { // the low end is as low as it can be: all that lies outside lies above
		up = z90
	}
	low, high := sum+gammaQuantile(mean, variance, -z95), sum+gammaQuantile(mean, variance, up)
	if mean <= 0 && variance > 0 { // only known stays, of which some may not have to pay
		low, high = sum-z95*math.Sqrt(variance), sum+z95*math.Sqrt(variance)
	}
	low = max(min(low, sum), low-d.estimated.missing())
	d.answer.Known = true
	d.answer.Expected = Interval{city.Rupiah(max(0, math.Floor(low))), city.Rupiah(max(0, math.Round(sum+mean))), city.Rupiah(max(0, math.Ceil(high)))}
	if detection(d.Site, d.Version) == inventory.DetectSpots {
		d.answer.Expected = d.mix.widen(&d.tag, d.begin, d.answer.Expected)
	}
	d.answer.Seen = city.Rupiah(math.Round(d.sum))
	d.answer.Share, d.answer.Coverage = 1, 1
	if sum+mean > 0 {
		d.answer.Share = min(1, max(0, sum/(sum+mean)))
	}
	if d.open > 0 {
		d.answer.Coverage = d.covered / d.open
	}
}

// observed is the share of a class that sensors can see.
func observed(s *inventory.Site, class city.Class) float64 {
	if share, ok := s.Observed[class]; ok {
		return share
	}
	return 1
}

// detection is how a site is measured; where it does not say, by the devices
// that it has.
func detection(s *inventory.Site, v *inventory.Version) inventory.Detection {
	if s.Detection != "" {
		return s.Detection
	}
	for _, by := range []inventory.Detection{inventory.DetectSpots, inventory.DetectGates, inventory.DetectCount} {
		if slices.ContainsFunc(v.SiteDevices(s.ID), func(d *inventory.Device) bool { return d.Kind == kindOf(by) }) {
			return by
		}
	}
	return inventory.DetectSpots
}

func kindOf(by inventory.Detection) inventory.DeviceKind {
	switch by {
	case inventory.DetectGates:
		return inventory.DeviceGate
	case inventory.DetectCount:
		return inventory.DeviceCount
	default:
		return inventory.DeviceSpot
	}
}

// hasSensor tells whether a device of the site sees a class.
func hasSensor(v *inventory.Version, s *inventory.Site, by inventory.Detection, class city.Class) bool {
	shared := slices.Contains(s.Shared, class)
	return slices.ContainsFunc(v.SiteDevices(s.ID), func(d *inventory.Device) bool {
		if d.Kind != kindOf(by) {
			return false
		}
		none := d.Class == city.ClassNone || !slices.Contains(s.Classes, d.Class)
		return d.Class == class || shared && slices.Contains(s.Shared, d.Class) ||
			none && (by == inventory.DetectGates || class == s.Classes[0])
	})
}
