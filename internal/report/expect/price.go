package expect

import (
	"errors"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/tariff"
)

// tag prices the stays at one site.
type tag struct {
	site    *inventory.Site
	version *inventory.Version
	cal     tariff.Calendar
	least   int64 // ms: a shorter stay pays nothing
	closed  [][2]int64
}

// price returns what a stay should have paid; false where no tariff holds.
func (t *tag) price(class city.Class, from, until int64) (city.Rupiah, bool) {
	if until-from < t.least || t.isClosed(until) || !t.version.IsOpen(t.site, from) && !t.version.IsOpen(t.site, until) {
		return 0, true
	}
	q, err := t.version.Tariffs.Price(t.site.Tariff, tariff.Stay{Class: class, Entered: from, Left: until}, t.cal)
	if errors.Is(err, tariff.ErrNoClass) {
		return 0, true
	}
	return q.Amount, err == nil
}

func (t *tag) isClosed(at int64) bool {
	return slices.ContainsFunc(t.closed, func(x [2]int64) bool { return x[0] <= at && at < x[1] })
}

// paid is a stay whose price is known.
type paid struct {
	length int64 // ms
	hour   int
	amount float64
}

// seen is what the stays of a class tell.
type seen struct {
	sum     city.Rupiah // of those whose price is known
	paid    []paid
	begun   []occupancy.Stay // their begin was not seen
	charged int
	perSpot map[string]int
	mix     mix
	room    int // how many stays to show
	sample  []Priced
}

// look prices the stays of a class that ended on a day that begins at begin;
// false where no tariff holds.
func (t *tag) look(s *seen, stays []occupancy.Stay, class city.Class, begin int64) bool {
	s.perSpot = map[string]int{}
	for _, st := range stays {
		if st.Class != class {
			continue
		}
		s.perSpot[st.Device]++
		amount, ok := t.price(class, st.From, st.Until)
		if !ok {
			return false
		}
		s.mix.add(t, class, amount, st)
		if amount > 0 && len(s.sample) < s.room {
			s.sample = append(s.sample, Priced{st, amount})
		}
		if !st.Known {
			s.begun = append(s.begun, st)
			continue
		}
		s.sum += amount
		if amount > 0 {
			s.charged++
		}
		s.paid = append(s.paid, paid{st.Until - st.From, hourOf(st.Until, begin), float64(amount)})
	}
	return true
}

func hourOf(at, begin int64) int { return int(min(max(0, at-begin)/hourMs, 23)) }

// shrink is how many stays of the whole day an hour's mean price leans on.
const shrink = 2

// pricesOf returns the prices by hour of a sample.
func pricesOf(sample []paid) *prices {
	p := &prices{n: float64(len(sample))}
	if len(sample) == 0 {
		return p
	}
	n := &p.hourly
	var mean, square float64
	for _, x := range sample {
		mean += x.amount
		square += x.amount * x.amount
		p.mean[x.hour] += x.amount
		p.square[x.hour] += x.amount * x.amount
		n[x.hour]++
	}
	mean, square = mean/p.n, square/p.n
	for h := range n {
		p.mean[h] = (p.mean[h] + shrink*mean) / (n[h] + shrink)
		p.square[h] = (p.square[h] + shrink*square) / (n[h] + shrink)
	}
	return p
}

// lengths are the lengths (ms) of stays that were seen whole, in order.
type lengths []int64

func lengthsOf(sample []paid) lengths {
	l := make(lengths, len(sample))
	for i := range sample {
		l[i] = sample[i].length
	}
	slices.Sort(l)
	return l
}

// guess returns the mean and variance of what a stay paid whose end was seen,
// and of its time only the last part: others lasted as long and longer, and
// would have paid this, ending then. False where no tariff holds.
func (t *tag) guess(l lengths, st occupancy.Stay) (mean, variance float64, ok bool) {
	const few = 16
	i, _ := slices.BinarySearch(l, st.Until-st.From)
	l = l[i:]
	n := min(len(l), few)
	var square float64
	for k := range n {
		amount, ok := t.price(st.Class, st.Until-l[(2*k+1)*len(l)/(2*n)], st.Until)
		if !ok {
			return 0, 0, false
		}
		mean += float64(amount) / float64(n)
		square += float64(amount) * float64(amount) / float64(n)
	}
	if n > 0 {
		return mean, max(0, square-mean*mean), true
	}
	least, ok := t.price(st.Class, st.From, st.Until)
	return float64(least), float64(least) * float64(least), ok
}
