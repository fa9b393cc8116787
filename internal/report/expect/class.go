package expect

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// class adds what is expected of one class.
func (d *asked) class(ctx context.Context, by inventory.Detection, class city.Class) error {
	day, err := d.hours(ctx, by, class, d.begin, min(d.end, d.Now))
	if err != nil {
		return err
	}
	blind, open, exits := day.dark(), 0.0, 0.0
	for h := range day {
		exits += float64(day[h].exits)
		open += float64(day[h].open)
	}
	var s seen
	sampled := false
	if by == inventory.DetectSpots {
		if sampled, err = d.sampled(ctx, class); err != nil {
			return err
		}
		s.room = d.Sample - len(d.answer.Sample)
		if !d.tag.look(&s, d.stays, class, d.begin) {
			d.answer.Why = NoTariff
			return nil
		}
		d.mix.merge(s.mix)
		d.answer.Sample = append(d.answer.Sample, s.sample...)
		d.answer.Stays += len(s.paid) + len(s.begun)
		d.answer.Charged += s.charged
		if n := float64(len(s.paid) + len(s.begun)); exits > 1.1*n+5 { // some may not be flushed yet
			d.answer.Why = NoStays
			return nil
		}
	}
	subscribed := d.Subscribed[class]
	if class == d.answer.Classes[0] {
		subscribed += d.Subscribed[city.ClassNone]
	}
	var others []*hours
	var dates []time.Time
	if by == inventory.DetectGates || sampled || blind > leastBlind*open || len(s.begun) > 0 && len(s.paid) < fewPrices {
		if others, dates, err = d.others(ctx, by, class); err != nil {
			return err
		}
	}
	if by == inventory.DetectGates {
		day, others = d.alive(day, others)
		blind = day.dark()
	}
	var price *prices
	var missed float64 // who left, for each who was seen to
	if sampled {
		if more, all, p, by, ok := d.between(class, day, others, d.spread(&s)); ok {
			day, others, price, missed = more, all, p, by
		}
	}
	pace := paceOf(day, others)
	d.cover(class, day)
	var sample []paid
	if price == nil {
		if price, sample, err = d.prices(ctx, by, class, &pace, day, others, dates, &s, blind > leastBlind*open); err != nil || d.answer.Why != "" {
			return err
		}
	}
	a, ok := pace.unseen(day, price, d.spread(&s), float64(d.Site.Capacity[class]))
	switch {
	case !ok:
		d.answer.Why = NoDays
		return nil
	case price.n == 0 && (a.mean > 0 || pace.blindExits(day) > 0.5 || len(s.begun) > 0):
		d.answer.Why = NoPrices
		return nil
	}
	d.estimated.add(a)
	if by == inventory.DetectGates || missed > 0 {
		d.left(day, price, missed)
		d.subscribe(day, price, float64(subscribed))
		return nil
	}
	d.sum += float64(s.sum)
	long := lengthsOf(sample)
	for _, st := range s.begun {
		mean, variance, ok := d.tag.guess(long, st)
		if !ok {
			d.answer.Why = NoTariff
			return nil
		}
		d.estimated.mean += mean
		d.estimated.chance += variance
	}
	d.subscribe(day, price, float64(subscribed))
	return nil
}

func (a *amount) add(b amount) {
	a.mean += b.mean
	a.chance += b.chance
	a.common += b.common
	a.unseen += b.unseen
	a.missed += b.missed
}

// blindExits is how many left unseen.
func (p *pace) blindExits(day *hours) (n float64) {
	for h := range day {
		n += day[h].blind() * p.rate[h]
	}
	return n
}

// left adds who left by the gates (missed is 0), or by samples, of whom one in so
// many was seen; the stays of those are counted already.
func (d *asked) left(day *hours, price *prices, missed float64) {
	gates := missed == 0
	missed = max(missed, 1)
	var a amount
	var n, square float64
	for h := range day {
		exits := float64(day[h].exits)
		n += exits
		a.mean += exits * price.mean[h]
		square += exits * price.square[h]
		if gates && price.mean[h] > 0 {
			d.answer.Charged += int(exits)
		}
	}
	if n > 0 {
		a.chance = max(0, square-a.mean*a.mean/n) + a.mean*a.mean/n*(missed-1)
	}
	a.common = a.mean * price.model
	if gates {
		d.answer.Stays += int(n)
	}
	d.estimated.add(a)
}

// subscribe takes off what stays would have paid that a subscription paid for.
func (d *asked) subscribe(day *hours, price *prices, n float64) {
	if n == 0 || price.n == 0 {
		return
	}
	var exits, mean, square float64
	for h := range day {
		w := float64(day[h].exits) + 1e-6
		exits += w
		mean += w * price.mean[h]
		square += w * price.square[h]
	}
	mean, square = mean/exits, square/exits
	d.sum -= n * mean
	d.estimated.chance += n * max(0, square-mean*mean)
}

// cover notes the gaps of a class.
func (d *asked) cover(class city.Class, day *hours) {
	for h := range day {
		d.open += float64(day[h].open)
		d.covered += day[h].weight()
		if day[h].blind() <= 0.02 {
			continue
		}
		from := d.begin + int64(h)*hourMs
		g := Gap{Class: class, From: from, To: min(from+hourMs, d.end), Known: math.Round(float64(day[h].known)*1000) / 1000}
		if n := len(d.answer.Gaps); n > 0 {
			if last := &d.answer.Gaps[n-1]; last.Class == class && last.To == from && math.Abs(last.Known-g.Known) < 0.01 {
				last.To = g.To
				continue
			}
		}
		d.answer.Gaps = append(d.answer.Gaps, g)
	}
}

// spread is the squared coefficient of variation between places.
func (d *asked) spread(s *seen) float64 {
	const usual, worth = 0.1, 5
	n := float64(len(s.perSpot))
	if n < 2 {
		return usual
	}
	var sum, square float64
	for _, stays := range s.perSpot {
		sum += float64(stays)
		square += float64(stays) * float64(stays)
	}
	mean := sum / n
	own := max(0, (square-n*mean*mean)/(n-1)-mean) / (mean * mean)
	return (usual*worth + own*n) / (worth + n)
}

// prices returns what those pay who leave, and the stays that tells it.
func (d *asked) prices(ctx context.Context, by inventory.Detection, class city.Class, p *pace, day *hours, others []*hours, dates []time.Time, s *seen, need bool) (*prices, []paid, error) {
	if by == inventory.DetectGates {
		c, ok := d.curve(class)
		if !ok {
			d.answer.Why = NoTariff
			return nil, nil, nil
		}
		mean, n := meanStay([]*hours{day})
		if n < 20 || need { // who was not seen to leave is still there by the count
			mean, n = meanStay(slices.DeleteFunc(append(slices.Clip(others), day), func(h *hours) bool { return h.dark() > 1 }))
		}
		if n < 20 {
			mean, n = meanStay(append(slices.Clip(others), day))
		}
		if n == 0 || mean == 0 {
			return &prices{}, nil, nil
		}
		return c.prices(mean, n), nil, nil
	}
	sample := slices.Clip(s.paid)
	for _, date := range dates {
		if enough(sample, day, p) || !need && len(s.begun) == 0 {
			break
		}
		other, err := d.keptPaid(ctx, class, date)
		if err != nil {
			return nil, nil, err
		}
		sample = append(sample, other...)
	}
	return pricesOf(sample), sample, nil
}

// enough tells whether a sample tells what is paid in every hour that is blind;
// the fewer left unseen, the less it matters.
func enough(sample []paid, day *hours, p *pace) bool {
	if len(sample) < fewPrices {
		return false
	}
	var n [24]float64
	for _, x := range sample {
		n[x.hour]++
	}
	for h := range day {
		if n[h] < min(fewHourly, 3*day[h].blind()*p.rate[h]) {
			return false
		}
	}
	return true
}

// meanStay is the mean stay (ms): the time that vehicles stood there over those
// who left.
func meanStay(days []*hours) (mean, n float64) {
	var stood float64
	for _, d := range days {
		for h := range d {
			stood += float64(d[h].parked*d[h].known) * hourMs
			n += float64(d[h].exits)
		}
	}
	if n == 0 {
		return 0, 0
	}
	return stood / n, n
}
