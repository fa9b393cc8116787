package expect

import (
	"math"
	"slices"
)

// hour is an hour of a class at a site.
type hour struct {
	known  float32 // 0..1: share of places x time of which sensors told
	open   float32 // 0..1: share of the hour that is past and in which the site was not closed
	exits  float32 // vehicles that were seen to leave
	parked float32 // vehicles there, on average while known

	// Of gates: vehicles that were seen to come; who passed either way, of all
	// classes; and the share of the hour at its begin and its end in which nobody did.
	entries, passed, head, tail float32
}

// weight is the open hours of known time.
func (h *hour) weight() float64 { return float64(h.known * h.open) }

// blind is the open hours of which nothing is known.
func (h *hour) blind() float64 { return float64((1 - h.known) * h.open) }

type hours [24]hour

// dark is the open hours of which nothing is known.
func (out *hours) dark() (sum float64) {
	for h := range out {
		sum += out[h].blind()
	}
	return sum
}

const (
	leastWeight = 0.5   // hours of known time that tell a pace
	leastBlind  = 0.002 // of the open time; less is rounding
	usualSpread = 0.2   // standard deviation of how busy days of a kind are, before any is seen
	regular     = 0.75  // variance of how many leave in an hour, over its mean: a place that is taken takes nobody
	usualDays   = 1     // how many days that assumption is worth
)

// prices are the mean and mean square of what leaving vehicles pay, by hour.
type prices struct {
	mean, square [24]float64
	hourly       [24]float64 // stays that they rest on
	n            float64     // those of all hours
	model        float64     // relative error that is the same for all, standard deviation
}

// amount is a sum that is not known exactly.
type amount struct {
	mean   float64
	chance float64 // variance that is its own
	common float64 // standard deviation that it shares with other classes
	unseen float64 // vehicles that left unseen
	missed float64 // what those paid, part of mean
}

// missing is by how much a low end must reach further down since vehicles are
// whole: by all that was missed where perhaps nobody was, else by half of one.
func (a *amount) missing() float64 {
	switch {
	case a.unseen == 0:
		return 0
	case a.perhapsNone():
		return a.missed
	default:
		return a.missed / a.unseen / 2
	}
}

// perhapsNone tells that with a chance of one in twenty or more nobody left
// unseen.
func (a *amount) perhapsNone() bool { return a.unseen > 0 && math.Exp(-a.unseen) >= 0.05 }

// pace is how fast vehicles leave.
type pace struct {
	rate   [24]float64 // an hour of known time
	exits  [24]float64 // that it rests on
	weight [24]float64 // hours of known time that it rests on
	spread float64     // variance of a day's factor
}

// paceOf learns the pace from a day and others of its kind.
func paceOf(day *hours, others []*hours) pace {
	var p pace
	var all float64
	for h := range 24 {
		for _, d := range append(slices.Clip(others), day) {
			p.weight[h] += d[h].weight()
			p.exits[h] += float64(d[h].exits)
		}
		if p.weight[h] > 0 {
			p.rate[h] = p.exits[h] / p.weight[h]
		}
		all += p.exits[h]
	}
	var off, size, n float64
	for _, d := range others {
		seen, want := p.day(d)
		if want < 5 {
			continue
		}
		off += (seen-want)*(seen-want) - want
		size += want * want
		n++
	}
	p.spread = usualSpread * usualSpread
	if n > 1 {
		own := max(0, off/size) * n / (n - 1)
		p.spread = (usualDays*p.spread + (n-1)*own) / (usualDays + n - 1)
	}
	p.spread *= 1 + 1/max(n, 1)
	p.spread += 1 / max(all, 1)
	return p
}

// day returns what was seen to leave on a day, and what the pace says.
func (p *pace) day(d *hours) (seen, want float64) {
	for h := range d {
		seen += float64(d[h].exits)
		want += d[h].weight() * p.rate[h]
	}
	return seen, want
}

// factor returns how busy a day was against the pace, and the variance of
// that.
func (p *pace) factor(d *hours) (mean, variance float64) {
	seen, want := p.day(d)
	prior := 1 / p.spread
	mean = (prior + seen) / (prior + want)
	return mean, mean / (prior + want)
}

// unseen estimates what was paid in the blind hours of a day; false where an
// hour is blind of which no day tells anything. Spread is the squared
// coefficient of variation between n places.
func (p *pace) unseen(day *hours, price *prices, spread, n float64) (amount, bool) {
	factor, doubt := p.factor(day)
	var a amount
	var uneven float64
	for h := range day {
		blind := day[h].blind()
		if blind == 0 {
			continue
		}
		if p.weight[h] < leastWeight {
			if blind > leastBlind {
				return a, false
			}
			continue
		}
		m := factor * blind * p.rate[h]
		paid := m * price.mean[h]
		a.unseen += m
		a.mean += paid
		a.chance += m*(price.square[h]-(1-regular)*price.mean[h]*price.mean[h]) + paid*paid/max(p.exits[h], 1)
		a.chance += m * m * max(0, price.square[h]-price.mean[h]*price.mean[h]) / max(price.hourly[h], 1)
		if known := float64(day[h].known); known > 0.02 && known < 1 && n > 0 {
			uneven += paid * math.Sqrt(spread*(1/max(1, n*(1-known))+1/max(1, n*known)))
		}
	}
	a.chance += uneven * uneven
	a.missed = a.mean
	a.common = a.mean * math.Hypot(math.Sqrt(doubt)/factor, price.model)
	return a, true
}
