package expect

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

const (
	gridSize  = 44          // lengths of stays, from two minutes on, each 2^(1/4) times the one before
	gridBegin = 120_000     // ms
	leastMean = 5 * 60_000  // ms: shorter mean stays are not believed
	mostMean  = 36 * hourMs // nor longer ones
)

// sigmas are how wide log-normal stays may be: narrow, usual, wide.
var sigmas = [3]float64{0.6, 0.85, 1.1}

// curve is what stays of each length pay that end at some hour.
type curve [24][gridSize]float64

// curveKey names a curve: sites with the same tariff, hours and closures share
// it.
type curveKey struct {
	tariff, hours, levy string
	class               city.Class
	begin               int64
}

func gridAt(i int) float64 { return gridBegin * math.Pow(2, float64(i)/4) }

func (t *tag) curve(class city.Class, begin int64) (*curve, bool) {
	c := new(curve)
	for h := range c {
		end := begin + int64(h)*hourMs + hourMs/2
		for i := range c[h] {
			amount, ok := t.price(class, end-int64(gridAt(i)), end)
			if !ok {
				return nil, false
			}
			c[h][i] = float64(amount)
		}
	}
	return c, true
}

// shares are how likely each length of the grid is, for a mean (ms) and width.
func shares(mean, sigma float64) (share [gridSize]float64) {
	middle := math.Log(mean) - sigma*sigma/2
	below := 0.0
	for i := range share {
		up := 1.0
		if i < gridSize-1 {
			edge := (math.Log(gridAt(i)) + math.Log(gridAt(i+1))) / 2
			up = math.Erfc(-(edge-middle)/sigma/math.Sqrt2) / 2
		}
		share[i] = up - below
		below = up
	}
	return share
}

// prices returns what those who leave by a gate pay, where the mean stay is
// known from n of them.
func (c *curve) prices(mean, n float64) *prices {
	mean = min(max(mean, leastMean), mostMean)
	return c.pricesOf([len(sigmas)]float64{mean, mean, mean}, [len(sigmas)]float64{1, 1, 1}, n)
}

// pricesOf returns what those pay who leave, where for each width of the stays
// there is a mean (ms), and how many leave against the usual one.
func (c *curve) pricesOf(means, weights [len(sigmas)]float64, n float64) *prices {
	p := &prices{n: n}
	var sums [len(sigmas)]float64
	for s, sigma := range sigmas {
		share := shares(means[s], sigma)
		for h := range c {
			p.hourly[h] = n
			var m, q float64
			for i, amount := range c[h] {
				m += share[i] * amount
				q += share[i] * amount * amount
			}
			sums[s] += m * weights[s]
			if s == 1 {
				p.mean[h], p.square[h] = m, q
			}
		}
	}
	low, high := min(sums[0], sums[1], sums[2]), max(sums[0], sums[1], sums[2])
	if sums[1] > 0 {
		p.model = (high - low) / sums[1] / 6
	}
	return p
}

// gateHours fills in what gates told of a class in [from, to), and when at the
// begin and the end of each hour nobody of any class passed one.
func (d *asked) gateHours(ctx context.Context, out *hours, class city.Class, from, to int64) error {
	var passed [hourMs / occupancy.BucketMs * 24]int64
	seen := float32(observed(d.Site, class))
	for _, c := range d.Site.Classes {
		points, err := d.sensors.History(ctx, d.Site.ID, c, from, to, occupancy.BucketMs*time.Millisecond)
		switch {
		case isNew(err):
			out.unheard(from, to)
			return nil
		case err != nil:
			return err
		}
		shared := slices.Contains(d.Site.Shared, c) && c != d.Site.Shared[0]
		for i := range points {
			p := &points[i]
			if n := int((p.T - from) / occupancy.BucketMs); n < len(passed) && !shared {
				passed[n] += p.Arrivals.V + p.Departures.V
			}
			if c != class {
				continue
			}
			step := float32(min(to-p.T, occupancy.BucketMs)) / hourMs
			h := &out[hourOf(p.T, from)]
			h.open += max(0, step-float32(p.Closed.V)/1000*occupancy.BucketMs/hourMs)
			h.exits += float32(p.Departures.V)
			h.entries += float32(p.Arrivals.V)
			covered := float32(p.Coverage.V) / 1000 * occupancy.BucketMs / hourMs
			h.parked += float32(p.OccupiedAvg.V) / 1000 * covered
			h.known += covered
		}
	}
	for i := range out {
		h := &out[i]
		past := min(1, float32(to-from-int64(i)*hourMs)/hourMs)
		if past <= 0 {
			continue
		}
		if h.known > 0 {
			h.parked /= h.known
		}
		h.known = min(1, h.known/past) * seen
		if h.known > 0.998 { // thousandths
			h.known = 1
		}
		const each = hourMs / occupancy.BucketMs
		for _, n := range passed[i*each : (i+1)*each] {
			h.passed += float32(n)
			h.tail += 1. / each
			if n > 0 {
				h.tail = 0
			} else if h.passed == 0 {
				h.head += 1. / each
			}
		}
	}
	return nil
}

// passing returns how many pass the gates in an hour, by the middle one of the
// days, which outages on fewer than half of them do not change.
func passing(days []*hours) (rate [24]float64) {
	for h := range rate {
		var n []float64
		for _, d := range days {
			if d[h].open > 0.5 {
				n = append(n, float64(d[h].passed/d[h].open))
			}
		}
		if slices.Sort(n); len(n) > 0 {
			rate[h] = (n[(len(n)-1)/2] + n[len(n)/2]) / 2
		}
	}
	return rate
}

// silent returns the hours of gates with those times taken for blind in which
// nobody passed although, by the other days, many would have.
func (out *hours) silent(rate *[24]float64) *hours {
	const many = 8 // a chance of one in 3,000
	found := *out
	for first := 0; first < len(out); {
		last, expected := first, float64(out[first].tail*out[first].open)*rate[first]
		for last+1 < len(out) && out[last].tail > 0 && out[last+1].head > 0 {
			last++
			expected += float64(out[last].head*out[last].open) * rate[last]
			if out[last].passed > 0 {
				break
			}
		}
		if expected >= many {
			found[first].known = min(found[first].known, 1-out[first].tail)
			for h := first + 1; h <= last; h++ {
				found[h].known = min(found[h].known, 1-out[h].head)
			}
		}
		first = max(last, first+1)
	}
	return &found
}

// The gates of a place that is empty when its day begins may differ by so much
// over a day, of those who passed; what none of them saw comes on top.
const (
	unlike      = 0.1
	unlikeLeast = 5
)

// torn tells whether over a day far more vehicles came than left, or left than
// came: one of the gates does not count, and neither stays nor exits can be
// taken from the others.
func (out *hours) torn(rate *[24]float64) bool {
	var in, left, unseen float64
	for h := range out {
		in, left = in+float64(out[h].entries), left+float64(out[h].exits)
		unseen += out[h].blind() * rate[h]
	}
	return math.Abs(in-left) > unlike*max(in, left)+unlikeLeast+unseen
}

// alive returns a day and others like it without the silences of gates, and
// without the days whose gates contradict each other; where vehicles may stay
// for days, or the day is not over yet, that is nothing to tell by.
func (d *asked) alive(day *hours, others []*hours) (*hours, []*hours) {
	rate := passing(append(slices.Clip(others), day))
	clean := make([]*hours, len(others))
	for i := range others {
		clean[i] = d.whole(others[i].silent(&rate), &rate)
	}
	day = day.silent(&rate)
	if d.Now >= d.end {
		day = d.whole(day, &rate)
	}
	return day, clean
}

func (d *asked) whole(day *hours, rate *[24]float64) *hours {
	if d.Site.ResetAt == "" || !day.torn(rate) {
		return day
	}
	for h := range day {
		day[h].known, day[h].exits, day[h].parked = 0, 0, 0
	}
	return day
}
