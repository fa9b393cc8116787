package health

import (
	"cmp"
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

// A battery's voltage swings with the temperature and the load from hour to hour
// and sinks over years. So its means are kept, of a day each, and of more days
// as they become many.
const (
	maxPoints  = 24
	maxStep    = 8    // days a point: 24 points are then half a year and more
	leastSpan  = 7    // days that points must span before anything is foretold
	leastCount = 5    // points
	replaced   = 1.08 // a mean over the one before by this factor: another battery
	unheardFor = 14   // days without a voltage after which nothing is foretold
	farthest   = 3650 // days; what lies beyond is no forecast
	rising     = 1.645
)

// battery is what is kept of the voltage. Days are those of UTC since 1970.
type battery struct {
	step   int64 // days a point: 1, 2, 4, 8
	points []point
	now    int64 // first day of the mean at hand
	n      int64 // voltages in it
	mean   float64
}

// point is a mean, packed: the day in 15 bits, mV in 17.
type point uint32

func pointOf(day int64, mv float64) point {
	return point(uint32(day)<<17 | uint32(math.Round(min(max(mv, 0), 1<<17-1))))
}

func (p point) day() int64 { return int64(p >> 17) }

func (p point) mv() float64 { return float64(p & (1<<17 - 1)) }

// add takes in a voltage in mV of a time, Unix ms. One of a time before the mean
// at hand says nothing new.
func (b *battery) add(mv, at int64) {
	if b.step == 0 {
		b.step = 1
	}
	day := at / dayMs
	if day <= 0 || day >= 1<<15 {
		return
	}
	day -= day % b.step
	switch {
	case b.n > 0 && day < b.now:
		return
	case b.n > 0 && day > b.now:
		b.close()
		day -= day % b.step // it may have become longer
	}
	if b.n == 0 || day != b.now {
		b.now, b.n, b.mean = day, 0, 0
	}
	b.n++
	b.mean += (float64(mv) - b.mean) / float64(b.n)
}

const dayMs = 24 * hourMs

// close makes a point of the mean at hand.
func (b *battery) close() {
	if last := len(b.points) - 1; last >= 0 && b.mean > replaced*b.points[last].mv() {
		b.points, b.step = b.points[:0], 1
	}
	b.points = append(b.points, pointOf(b.now, b.mean))
	b.n = 0
	if len(b.points) <= maxPoints {
		return
	}
	if b.step >= maxStep {
		b.points = slices.Delete(b.points, 0, 1)
		return
	}
	b.step *= 2
	thin := b.points[:0]
	for i := 0; i < len(b.points); i++ {
		p := b.points[i]
		first := p.day() - p.day()%b.step
		mv := p.mv()
		if i+1 < len(b.points) && b.points[i+1].day() < first+b.step {
			i++
			mv = (mv + b.points[i].mv()) / 2
		}
		thin = append(thin, pointOf(first, mv))
	}
	b.points = thin
}

// Forecast is when a battery will be low, by its slope.
type Forecast struct {
	Days    city.Int   // until it is at the limit; 0: it is
	Reason  string     // why Days is not known, "" where it is
	MVDay   city.Milli // slope, mV a day
	Points  int        // means that it stands on
	LimitMV int64
}

// The reasons why there is no forecast.
const (
	NoVoltage = "no_voltage" // it never told one
	TooShort  = "too_short"  // fewer than five means, or of under a week
	NotHeard  = "not_heard"  // no voltage for two weeks
	Steady    = "steady"     // it does not sink more than by chance, or so slowly that it lasts over ten years
)

// forecast foretells from the medians of all slopes (Theil and Sen), which a
// third of wrong means does not move; that it sinks at all is held to the test
// of Mann and Kendall, at 5 % one-sided.
func (b *battery) forecast(limitMV, now int64) Forecast {
	points := slices.Clone(b.points)
	if b.n > 0 {
		points = append(points, pointOf(b.now, b.mean))
	}
	f := Forecast{Points: len(points), LimitMV: limitMV}
	if len(points) == 0 {
		f.Reason = NoVoltage
		return f
	}
	today, last := now/dayMs, len(points)-1
	switch {
	case today-points[last].day() >= unheardFor+b.step:
		f.Reason = NotHeard
		return f
	case len(points) < leastCount || points[last].day()-points[0].day() < leastSpan:
		f.Reason = TooShort
		return f
	}
	slopes := make([]float64, 0, len(points)*last/2)
	signs := 0
	for i := range points {
		for j := i + 1; j < len(points); j++ {
			by := points[j].mv() - points[i].mv()
			signs += cmp.Compare(by, 0)
			slopes = append(slopes, by/float64(points[j].day()-points[i].day()))
		}
	}
	slope := median(slopes)
	f.MVDay = city.SomeMilli(int64(math.Round(slope * 1000)))
	levels := make([]float64, len(points))
	for i, p := range points {
		levels[i] = p.mv() + slope*float64(today-p.day())
	}
	n := float64(len(points))
	sinks := -float64(signs)-1 > rising*math.Sqrt(n*(n-1)*(2*n+5)/18)
	left := median(levels) - float64(limitMV)
	switch {
	case left <= 0:
		f.Days = city.SomeInt(0)
	case !sinks || slope >= 0 || left/-slope > farthest:
		f.Reason = Steady
	default:
		f.Days = city.SomeInt(int64(left / -slope))
	}
	return f
}

func median(v []float64) float64 {
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// Battery foretells when a device's battery will be at a limit in mV, as of now
// (Unix ms).
func (f *Follower) Battery(id string, limitMV, now int64) Forecast {
	f.mu.RLock()
	defer f.mu.RUnlock()
	d := f.devices[id]
	if d == nil || d.trend == nil {
		return Forecast{Reason: NoVoltage, LimitMV: limitMV}
	}
	return d.trend.battery.forecast(limitMV, now)
}
