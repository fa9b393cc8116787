package expect

import (
	"context"
	"math"
	"math/bits"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// rhythm is whether stays look as if sensors had only been sampled: whole
// intervals long, while the sensors speak at times of their own.
type rhythm struct {
	n, whole int
	phases   uint32 // twentieths of the interval at which stays ended
}

func (r *rhythm) add(stays []occupancy.Stay, class city.Class, interval func(device string) int64) {
	const slack, parts = 50, 20
	for _, st := range stays {
		if st.Class != class || !st.Known {
			continue
		}
		step := interval(st.Device)
		off := (st.Until - st.From) % step
		if r.n++; min(off, step-off) <= step/slack {
			r.whole++
		}
		r.phases |= 1 << (st.Until % step * parts / step)
	}
}

// sampled tells that they were, of at least so many stays. Where all speak at
// the same times, it may be people's round times as well, and is not said.
func (r *rhythm) sampled(least int) bool {
	const share, spread = 0.8, 5
	return r.n >= least && float64(r.whole) >= share*float64(r.n) && (least < manyStays || bits.OnesCount32(r.phases) >= spread)
}

const (
	someStays = 3
	manyStays = 30
	doubtful  = 2   // how much more the width of stays matters where the short ones are not seen
	hidden    = 0.5 // how far the logarithm of who left for each who was seen to may be off, as a share of it
)

// sampled tells whether the sensors of a class do not tell changes at once but
// are sampled each interval, by the stays of the day, else of those before.
func (d *asked) sampled(ctx context.Context, class city.Class) (bool, error) {
	const days = 8
	var r rhythm
	r.add(d.stays, class, d.interval)
	if !r.sampled(someStays) {
		return false, nil
	}
	for i := 1; i <= days && r.n < manyStays; i++ {
		from, to := d.day.AddDate(0, 0, -i).UnixMilli(), d.day.AddDate(0, 0, 1-i).UnixMilli()
		stays, err := d.sensors.Stays(ctx, d.Site.ID, from, to, mostStays)
		if err != nil {
			return false, err
		}
		r.add(stays, class, d.interval)
	}
	return r.sampled(manyStays), nil
}

// interval is how often a sensor speaks, ms.
func (d *asked) interval(device string) int64 {
	if x := d.Version.Device(device); x != nil && x.IntervalS > 0 {
		return int64(x.IntervalS) * 1000
	}
	return occupancy.DefaultIntervalS * 1000
}

// between estimates what sampled sensors did not see: stays between two
// samples, and a vehicle that took another's place. How long places are
// occupied is known without error, and how often they were seen to become free;
// both together give the mean stay, for log-normal stays of three widths. Uneven
// is the squared coefficient of variation between places, which are the more
// often taken again the more they are liked. It
// returns the days with as many exits as there were, the prices, and how many
// left for each who was seen to; false where there is too little to tell or no
// tariff holds.
func (d *asked) between(class city.Class, day *hours, others []*hours, uneven float64) (*hours, []*hours, *prices, float64, bool) {
	all := append(slices.Clip(others), day)
	mean, n := meanStay(all)
	c, ok := d.curve(class)
	if !ok || n < manyStays {
		return nil, nil, nil, 0, false
	}
	var taken float64
	places := float64(d.Site.Capacity[class])
	for _, x := range all {
		for h := range x {
			if stood := float64(x[h].parked * x[h].known); stood > 0 {
				taken += stood * stood / float64(x[h].known) / places
			}
		}
	}
	stood := mean * n
	taken = min(0.98, taken*hourMs/stood*(1+uneven)) // where and when most leave
	step := d.step(class)
	var means, left [len(sigmas)]float64
	for i, sigma := range sigmas {
		means[i] = trueMean(stood, n, taken, step, sigma)
		left[i] = stood / means[i]
	}
	missed := left[1] / n
	for i := range left {
		left[i] /= n * missed
	}
	scale := func(x *hours) *hours {
		out := *x
		for h := range out {
			out[h].exits *= float32(missed)
		}
		return &out
	}
	scaled := make([]*hours, len(others))
	for i := range others {
		scaled[i] = scale(others[i])
	}
	p := c.pricesOf(means, left, n)
	p.model = math.Hypot(doubtful*p.model, hidden*math.Log(missed))
	return scale(day), scaled, p, missed, true
}

// step is how often the sensors of a class are sampled, ms.
func (d *asked) step(class city.Class) float64 {
	var sum, n float64
	for _, st := range d.stays {
		if st.Class == class {
			sum += float64(d.interval(st.Device))
			n++
		}
	}
	return sum / max(n, 1)
}

// trueMean returns the mean stay (ms) with which n would be seen to leave, if
// places are looked at each step: a stay is seen with a chance of its length
// over the step, and its end unless the place is taken again by the next look.
func trueMean(stood, n, taken, step, sigma float64) float64 {
	seen := func(mean float64) float64 {
		middle := math.Log(mean) - sigma*sigma/2
		below := func(shift float64) float64 {
			return math.Erfc(-(math.Log(step)-middle-shift)/sigma/math.Sqrt2) / 2
		}
		shorter := mean*below(sigma*sigma) + step*(1-below(0)) // mean of the lesser of stay and step
		turn := step / mean / (1 - taken)
		again := taken * (1 + math.Expm1(-turn)/turn)
		return stood / mean * shorter / step * (1 - again)
	}
	low, high := float64(leastMean), float64(mostMean)
	for range 50 {
		if middle := math.Sqrt(low * high); seen(middle) > n {
			low = middle
		} else {
			high = middle
		}
	}
	return math.Sqrt(low * high)
}
