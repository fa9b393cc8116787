package watch

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// till is a simulated meter: it sells at random, voids and reprints a little,
// and its readings come late, out of order, or a while later when its link is
// back. What is planted is a fault.
type till struct {
	dice    *rand.Rand
	id      string
	site    string
	perHour float64 // at the best hour
	numbers int
	seq     uint64
	count   int64
	amount  int64
	outage  int64 // until then nothing comes
	last    []city.Receipt

	plant fault
}

// fault is what is planted; the zero value is an honest till.
type fault struct {
	from, until int64
	skip        int     // every so many papers are counted and not sent
	resend      int     // one number in so many is used twice
	silent      bool    // sends nothing
	tariff      float64 // share that is sold at another price
	voids       float64 // share that is voided
	nightVoids  int     // of a night
	rollback    int64   // taken off the totals, once, at from
	reset       bool    // the totals begin anew at from
	skim        float64 // share of stays without any paper
	phantom     float64 // papers without a stay, of those sold
}

// delivery is a reading on its way.
type delivery struct {
	at, recv int64
	device   string
	seq      uint64
	r        city.Receipt
}

func (l *till) bad(at int64) bool { return at >= l.plant.from && at < l.plant.until }

// hourly is how busy an hour is: two peaks, weekends and holidays half as busy,
// each day a bit different.
func (l *till) hourly(p place, at int64, mood float64) float64 {
	kind, hour := p.slot(at)
	h := float64(hour)
	busy := 0.15 + math.Exp(-(h-11)*(h-11)/8) + math.Exp(-(h-18)*(h-18)/6)
	if kind != workingDay {
		busy *= 0.5
	}
	return l.perHour * busy * mood
}

// day makes a day's readings, and tells how many stays there were.
func (l *till) day(p place, from int64) (list []delivery, ended, began int64) {
	mood := 0.8 + 0.4*l.dice.Float64()
	for m := range int64(24 * 60) {
		at := from + m*minuteMs
		if !p.open(at) {
			continue
		}
		for range l.poisson(l.hourly(p, at, mood) / 60) {
			left := at + l.dice.Int64N(minuteMs)
			if l.dice.IntN(1000) >= 20 { // the sensor saw it
				ended, began = ended+1, began+1
			}
			if l.dice.IntN(1000) < 10 { // it saw one too many
				ended, began = ended+1, began+1
			}
			if l.dice.IntN(1000) < 15 || l.bad(at) && l.dice.Float64() < l.plant.skim {
				continue // rightly without a paper, or not
			}
			list = l.sell(list, left)
			if l.bad(at) && l.dice.Float64() < l.plant.phantom {
				list = l.sell(list, left+1)
			}
		}
	}
	if l.bad(from) {
		for i := range l.plant.nightVoids {
			if n := len(l.last); n > 0 {
				v := l.last[n-1]
				v.Void = true
				list = l.print(list, v, from+23*hourMs+30*minuteMs+int64(i)*minuteMs)
			}
		}
	}
	return list, ended, began
}

func (l *till) poisson(mean float64) (n int) {
	for p := l.dice.ExpFloat64(); p < mean; p += l.dice.ExpFloat64() {
		n++
	}
	return n
}

func (l *till) sell(list []delivery, left int64) []delivery {
	stay := 10*minuteMs + l.dice.Int64N(5*hourMs)
	amount := city.Rupiah(4000 + max(0, (stay-1)/hourMs)*2000)
	if l.bad(left) && l.dice.Float64() < l.plant.tariff {
		amount += 1000
	}
	l.numbers++
	if l.bad(left) && l.plant.resend > 0 && l.dice.IntN(l.plant.resend) == 0 {
		l.numbers--
		amount += 2000
	}
	b := city.Receipt{
		Number: fmt.Sprintf("%s-%06d", l.id, l.numbers), Amount: amount, Class: city.Car, Method: city.Methods[l.dice.IntN(4)],
		EnteredAt: city.SomeInt(left - stay), LeftAt: city.SomeInt(left),
	}
	if l.dice.IntN(50) == 0 {
		b.Method, b.Amount = city.Subscription, 0
	}
	list = l.print(list, b, left)
	share := 0.01
	if l.bad(left) {
		share = max(share, l.plant.voids)
	}
	switch u := l.dice.Float64(); {
	case u < share && l.bad(left): // it was no stay
		v := b
		v.Void = true
		list = l.print(list, v, left+20_000)
	case u < share: // wrong amount: voided, and sold again
		v := b
		v.Void = true
		list = l.print(list, v, left+20_000)
		l.numbers++
		b.Number = fmt.Sprintf("%s-%06d", l.id, l.numbers)
		list = l.print(list, b, left+40_000)
	case u > 0.99:
		list = l.reprint(list, b, left+30_000)
	}
	return list
}

// print counts a paper and sends it.
func (l *till) print(list []delivery, b city.Receipt, at int64) []delivery {
	if l.bad(at) && l.plant.rollback > 0 {
		l.count -= l.plant.rollback
		l.amount -= 4000 * l.plant.rollback
		l.plant.rollback = 0
	}
	if l.bad(at) && l.plant.reset {
		l.count, l.amount, l.plant.reset = 0, 0, false
	}
	by := int64(1)
	if b.Void {
		by = -1
		l.last = slices.DeleteFunc(l.last, func(o city.Receipt) bool { return o.Number == b.Number })
	} else {
		l.last = append(l.last[max(0, len(l.last)-20):], b)
	}
	l.count, l.amount = l.count+by, l.amount+by*int64(b.Amount)
	return l.send(list, b, at)
}

func (l *till) reprint(list []delivery, b city.Receipt, at int64) []delivery {
	return l.send(list, b, at)
}

func (l *till) send(list []delivery, b city.Receipt, at int64) []delivery {
	b.TotalCount, b.TotalAmount = city.SomeInt(l.count), city.SomeInt(l.amount)
	l.seq++
	if l.bad(at) && (l.plant.silent || l.plant.skip > 0 && l.dice.IntN(l.plant.skip) == 0) {
		return list
	}
	recv := at + 500 + l.dice.Int64N(2000)
	switch u := l.dice.IntN(10_000); {
	case u == 0: // the link is gone for up to an hour
		l.outage = max(l.outage, at+l.dice.Int64N(50*minuteMs))
	case u < 300: // sent again, behind others
		recv += l.dice.Int64N(3 * minuteMs)
	}
	return append(list, delivery{at: at, recv: max(recv, l.outage), device: l.id, seq: l.seq, r: b})
}

// sensors answer for the stays of the simulated month.
type sensors struct {
	p    place
	days map[string][2]int64 // "site date" -> ended, began
}

// Seen implements Stays.
func (s *sensors) Seen(_ context.Context, site string, from, _, _ int64, _ uint64) (Seen, bool, error) {
	n := s.days[site+" "+s.p.date(from)]
	return cars(n[0], n[1], 0.99), true, nil
}

// monthOf lets the tills sell for a month and returns the world in which that
// was watched.
func monthOf(t *testing.T, days int, tills ...*till) *world {
	t.Helper()
	var meters []string
	for _, l := range tills {
		meters = append(meters, l.id+"@"+l.site)
	}
	v := town(t, "", meters...)
	s := &sensors{p: place{version: v}, days: map[string][2]int64{}}
	w := newWorld(t, Options{Stays: s}, v)
	var way []delivery
	for d := range int64(days) {
		from := monday + d*dayMs
		for _, l := range tills {
			p := place{version: v, site: v.Site(l.site), closures: w.f.closures}
			list, ended, began := l.day(p, from)
			way = append(way, list...)
			key := l.site + " " + p.date(from)
			n := s.days[key]
			s.days[key] = [2]int64{n[0] + ended, n[1] + began}
		}
		slices.SortStableFunc(way, func(a, b delivery) int { return cmp.Compare(a.recv, b.recv) })
		for len(way) > 0 && way[0].recv < from+dayMs {
			x := way[0]
			way = way[1:]
			w.until(x.recv - x.recv%tickMs)
			w.now = max(w.now, x.recv)
			w.sent(x.device, x.seq, x.at, x.r)
		}
		w.until(from + dayMs)
		w.flush()
	}
	return w
}

func tills(seed uint64, n int) (list []*till) {
	for i := range n {
		site := "a"
		if i%2 == 1 {
			site = "b"
		}
		list = append(list, &till{
			dice: rand.New(rand.NewPCG(seed, uint64(i))), id: fmt.Sprint("m", i), site: site, perHour: []float64{20, 6, 12, 3}[i%4], numbers: 1000 * i,
		})
	}
	return list
}

// TestAnHonestMonthRaisesNothing: five weeks of many honest tills, with late and
// reordered readings, links that are gone, voids, reprints, a closure and a
// holiday.
func TestAnHonestMonthRaisesNothing(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		w := monthOf(t, 35, tills(seed, 6)...)
		require.Empty(t, w.all(), "seed %d", seed)
		require.Greater(t, len(w.entries), 30_000)
	}
}

// TestEachPlantedFaultIsFound: the same weeks, with one fault of one till.
func TestEachPlantedFaultIsFound(t *testing.T) {
	t.Parallel()
	from := monday + 21*dayMs + 10*hourMs
	day := fault{from: from, until: from + dayMs}
	plant := func(change func(*fault)) fault {
		f := day
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		plant fault
		want  []Rule // must be found
		also  []Rule // may be found: what follows from the fault
	}{
		"papers that are counted and not sent": {plant(func(f *fault) { f.skip = 10 }), []Rule{RuleTotalGap, RuleNumberMissing}, []Rule{RuleStayNoPayment}},
		"numbers that are used twice":          {plant(func(f *fault) { f.resend = 20 }), []Rule{RuleNumberDoubled}, []Rule{RuleOffTariff, RuleTotalGap}},
		"a meter that is out":                  {plant(func(f *fault) { f.silent = true }), []Rule{RuleMeterSilent, RuleTotalGap, RuleNumberMissing}, nil},
		"another price":                        {plant(func(f *fault) { f.tariff = 0.3 }), []Rule{RuleOffTariff}, nil},
		"voids by day":                         {plant(func(f *fault) { f.voids = 0.3 }), []Rule{RuleVoidRatio}, []Rule{RuleStayNoPayment}},
		"voids by night":                       {plant(func(f *fault) { f.nightVoids, f.until = 6, from+2*dayMs }), []Rule{RuleVoidNight}, []Rule{RuleVoidRatio}},
		"a rollback":                           {plant(func(f *fault) { f.rollback = 50 }), []Rule{RuleTotalRollback}, nil},
		"a reset":                              {plant(func(f *fault) { f.reset = true }), []Rule{RuleTotalReset}, nil},
		"stays without a paper":                {plant(func(f *fault) { f.from -= 12 * hourMs; f.until = f.from + 3*dayMs; f.skim = 0.3 }), []Rule{RuleStayNoPayment}, nil},
		"papers without a stay":                {plant(func(f *fault) { f.from -= 12 * hourMs; f.until = f.from + 3*dayMs; f.phantom = 0.3 }), []Rule{RulePaymentNoStay}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := tills(99, 2)
			list[0].plant = c.plant
			w := monthOf(t, 30, list...)
			found := w.rules()
			for _, rule := range c.want {
				require.Positive(t, found[rule], "%s: %v", rule, found)
			}
			for rule := range found {
				require.Contains(t, slices.Concat(c.also, c.want, []Rule{RuleDeviceGaps}), rule) // what is not sent is missing in its numbers too
			}
			for _, i := range w.all() {
				require.Equal(t, "a", i.Site)
				require.GreaterOrEqual(t, i.OpenedAt, from-12*hourMs, i.Rule)
				require.Less(t, i.OpenedAt, from+4*dayMs, i.Rule)
			}
		})
	}
}
