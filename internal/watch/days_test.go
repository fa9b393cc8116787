package watch

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

func closureOf(site string, from, until int64) inventory.Closure {
	return inventory.Closure{ID: "c", Site: site, From: from, Until: until, Reason: "event"}
}

func TestOffTariff(t *testing.T) {
	in, out := monday+9*hourMs, monday+9*hourMs+90*minuteMs
	timed := func(amount city.Rupiah) city.Receipt {
		return city.Receipt{Class: city.Car, Amount: amount, EnteredAt: city.SomeInt(in), LeftAt: city.SomeInt(out)}
	}
	bare := func(class city.Class, amount city.Rupiah) city.Receipt {
		return city.Receipt{Class: class, Amount: amount}
	}
	edge := timed(4000) // an hour and half a minute
	edge.LeftAt = city.SomeInt(in + hourMs + 30_000)
	for name, c := range map[string]struct {
		r   city.Receipt
		off bool
	}{
		"the price":                 {timed(6000), false},
		"too much":                  {timed(10_000), true},
		"too little":                {timed(4000), true},
		"a lost ticket":             {timed(31_000), false},
		"the minute was rounded":    {edge, false},
		"without times, some stay":  {bare(city.Car, 12_000), false},
		"without times, no stay":    {bare(city.Car, 5000), true},
		"without class, any":        {bare(city.ClassNone, 2000), false},
		"without class, none":       {bare(city.ClassNone, 3000), true},
		"a class that has no price": {bare(city.Bus, 1), false},
		"left before it entered":    {city.Receipt{Class: city.Car, Amount: 1, EnteredAt: city.SomeInt(out), LeftAt: city.SomeInt(in)}, false},
		"free":                      {city.Receipt{Class: city.Car, Amount: 1, Method: city.Free}, false},
		"a void":                    {city.Receipt{Class: city.Car, Amount: 1, Void: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &offTariff{})
			for i := range 8 {
				x := c.r
				x.Number = fmt.Sprint("n", i, "x")
				r.give(x, out+int64(i)*minuteMs)
			}
			if !c.off {
				require.Empty(t, r.said)
				return
			}
			require.Equal(t, []string{"+off_tariff 5", "+off_tariff 1", "+off_tariff 1", "+off_tariff 1"}, r.said, "from the fifth on")
		})
	}
	t.Run("few of many", func(t *testing.T) {
		r := newRig(t, &offTariff{})
		for i := range 400 {
			amount := city.Rupiah(4000)
			if i%50 == 49 {
				amount = 4500
			}
			r.give(city.Receipt{Number: fmt.Sprint(i, "x"), Class: city.Car, Amount: amount}, in+int64(i)*minuteMs)
		}
		require.Empty(t, r.said)
	})
	t.Run("days are bounded", func(t *testing.T) {
		s := &offTariff{}
		r := newRig(t, s)
		for i := range 60 {
			r.give(city.Receipt{Number: fmt.Sprint(i, "x"), Class: city.Car, Amount: 4500}, in+int64(i*7%40)*dayMs)
			require.LessOrEqual(t, len(s.Days), mostDays)
		}
	})
}

func TestVoids(t *testing.T) {
	for name, c := range map[string]struct {
		receipts, voids int // of a day, from 10:00 on, a minute each
		at              int64
		want            []string
	}{
		"usual":              {200, 4, 10 * hourMs, nil},
		"many":               {100, 20, 10 * hourMs, []string{"+void_ratio 20"}},
		"few receipts":       {4, 4, 10 * hourMs, nil},
		"many, but no more":  {60, 6, 10 * hourMs, nil}, // 6 of 60: by chance once in 500
		"at night":           {3, 3, 23 * hourMs, []string{"+void_night 3"}},
		"just after closing": {0, 3, 22*hourMs + 10*minuteMs, nil},
		"one at night":       {0, 1, 23 * hourMs, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &voids{})
			for i := range c.receipts {
				r.give(city.Receipt{Number: fmt.Sprint("n", i), Amount: 4000}, monday+c.at+int64(i)*minuteMs)
			}
			for i := range c.voids {
				r.give(city.Receipt{Number: fmt.Sprint("n", i), Amount: 4000, Void: true}, monday+c.at+int64(i)*minuteMs)
			}
			r.until(monday + dayMs + hourMs)
			require.Empty(t, r.said, "a late one may come")
			r.until(monday + 3*dayMs)
			require.Equal(t, c.want, r.said)
		})
	}
	t.Run("what comes late is judged again", func(t *testing.T) {
		r := newRig(t, &voids{})
		for i := range 60 {
			r.give(city.Receipt{Number: fmt.Sprint("n", i), Amount: 4000}, monday+10*hourMs+int64(i)*minuteMs)
		}
		r.until(monday + 2*dayMs)
		for i := range 30 {
			r.give(city.Receipt{Number: fmt.Sprint("n", i), Amount: 4000, Void: true}, monday+12*hourMs)
		}
		r.pass(hourMs)
		require.Equal(t, []string{"+void_ratio 30"}, r.said)
	})
}

// answers are what a test says of days.
type answers struct {
	seen       Seen
	reconciled Reconciled
	reached    uint64
	err        error
	asked      []string
}

func (a *answers) Seen(_ context.Context, site string, from, _, _ int64, pos uint64) (Seen, bool, error) {
	a.asked = append(a.asked, site+" "+place{version: &inventory.Version{Zone: zone}}.date(from))
	return a.seen, a.reached >= pos, a.err
}

func (a *answers) Day(_ context.Context, site, date string, pos uint64) (Reconciled, bool, error) {
	a.asked = append(a.asked, site+" "+date)
	return a.reconciled, a.reached >= pos, a.err
}

func cars(ended, began int64, coverage float64) Seen {
	return Seen{Ended: ended, Began: began, Coverage: coverage, Classes: []city.Class{city.Car}}
}

func TestStays(t *testing.T) {
	for name, c := range map[string]struct {
		paid, exempt, voids, others int
		seen                        Seen
		closed                      bool
		want                        []string
	}{
		"as many":                      {200, 10, 0, 0, cars(210, 210, 1), false, nil},
		"a few more stays":             {200, 0, 0, 0, cars(212, 212, 1), false, nil},
		"many more stays":              {150, 0, 0, 0, cars(200, 200, 1), false, []string{"+stay_without_payment 50"}},
		"those were exempt":            {150, 50, 0, 0, cars(200, 200, 1), false, nil},
		"those paid in another class":  {150, 0, 0, 50, cars(200, 200, 1), false, []string{"+stay_without_payment 50"}},
		"they were voided":             {200, 0, 60, 0, cars(200, 200, 1), false, []string{"+stay_without_payment 60"}},
		"many more payments":           {200, 0, 0, 0, cars(150, 150, 1), false, []string{"+payment_without_stay 50"}},
		"they stood at midnight":       {200, 0, 0, 0, cars(150, 200, 1), false, nil},
		"they stay over midnight":      {150, 0, 0, 0, cars(150, 200, 1), false, nil},
		"the sensors were blind":       {200, 0, 0, 0, cars(150, 150, 0.9), false, nil},
		"the sensors were a bit blind": {200, 0, 0, 0, cars(180, 180, 0.96), false, nil},
		"a closure":                    {150, 0, 0, 0, cars(200, 200, 1), true, nil},
		"nothing was sold":             {0, 0, 0, 0, cars(30, 30, 1), false, []string{"+stay_without_payment 30"}},
		"no sensors":                   {150, 0, 0, 0, Seen{Coverage: 1}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answers{seen: c.seen, reached: 1 << 60}
			r := newRig(t, &stays{})
			r.x.asks.stays = a
			if c.closed {
				r.x.place.closures.Put(closureOf("a", monday+dayMs+9*hourMs, monday+dayMs+10*hourMs))
			}
			r.until(monday + dayMs)
			sell := func(n int, b city.Receipt) {
				for i := range n {
					b.Number = fmt.Sprint(b.Method, b.Class, i)
					r.give(b, monday+dayMs+8*hourMs+int64(i)*minuteMs)
				}
			}
			sell(c.paid, city.Receipt{Class: city.Car, Amount: 4000, Method: city.Cash})
			sell(c.exempt, city.Receipt{Class: city.Car, Method: city.Subscription})
			sell(c.voids, city.Receipt{Class: city.Car, Amount: 4000, Method: city.Cash, Void: true})
			sell(c.others, city.Receipt{Class: city.Motorcycle, Amount: 2000, Method: city.QRIS})
			r.until(monday + 2*dayMs + 5*hourMs)
			require.Empty(t, a.asked, "the day's grace is not over")
			r.until(monday + 2*dayMs + 7*hourMs)
			require.Equal(t, []string{"a 2026-03-03"}, a.asked, "once, and not the day that had begun")
			require.Equal(t, c.want, r.said)
		})
	}
}

func TestADayThatIsNotKnownYetIsAskedAgain(t *testing.T) {
	a := &answers{seen: cars(100, 100, 1)}
	r := newRig(t, &stays{})
	r.x.asks.stays, r.x.pos = a, 7
	r.until(monday + 2*dayMs + 8*hourMs)
	require.Empty(t, r.said)
	a.reached = 6
	r.pass(tickMs)
	require.Empty(t, r.said)
	r.x.pos, a.reached = 900, 7 // what counts is where the journal stood when the day was over
	r.pass(tickMs)
	require.Equal(t, []string{"+stay_without_payment 100"}, r.said)

	// An answer that fails is asked for again; after forty days it is not.
	failed := 0
	r.x.asks.failed = func(string, error) { failed++ }
	a.err = errors.New("the disk is gone")
	r.pass(60 * dayMs)
	require.Greater(t, failed, 100)
	a.asked, a.err, a.reached = nil, nil, 1<<60
	r.pass(8 * hourMs)
	require.NotEmpty(t, a.asked)
	require.LessOrEqual(t, len(a.asked), 42)
}

func TestLeak(t *testing.T) {
	for name, c := range map[string]struct {
		r    Reconciled
		want bool
	}{
		"all was recorded":             {Reconciled{Low: 900_000, Mid: 1_000_000, High: 1_100_000, Recorded: 1_000_000, Coverage: 1, Known: true}, false},
		"within the interval":          {Reconciled{Low: 900_000, Mid: 1_000_000, High: 1_100_000, Recorded: 905_000, Coverage: 1, Known: true}, false},
		"under the low end":            {Reconciled{Low: 900_000, Mid: 1_000_000, High: 1_100_000, Recorded: 800_000, Coverage: 1, Known: true}, true},
		"by no more than the share":    {Reconciled{Low: 900_000, Recorded: 890_000, Coverage: 1, Known: true}, false},
		"nothing was recorded":         {Reconciled{Low: 50_000, Coverage: 1, Known: true}, true},
		"too little to speak of":       {Reconciled{Low: 9000, Coverage: 1, Known: true}, false},
		"sensors were blind":           {Reconciled{Low: 900_000, Recorded: 1, Coverage: 0.9, Known: true}, false},
		"nothing can be expected here": {Reconciled{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, &leak{})
			r.x.asks.reconciliation = &answers{reconciled: c.r, reached: 1 << 60}
			r.until(monday + 2*dayMs + 7*hourMs)
			if !c.want {
				require.Empty(t, r.said)
				return
			}
			require.Equal(t, []string{"+leak 1"}, r.said)
			require.Equal(t, int64(c.r.Low), r.sum(RuleLeak, "expected_low_rp"))
			require.Equal(t, int64(c.r.Recorded), r.sum(RuleLeak, "recorded_rp"))
		})
	}
}

func TestChances(t *testing.T) {
	for k := range int64(40) {
		sum, b := 0.0, 0.0
		for i := k; i <= 400; i++ {
			sum += poissonAtLeast(i, 9) - poissonAtLeast(i+1, 9)
			b += binomialAtLeast(i, 60, 0.15) - binomialAtLeast(i+1, 60, 0.15)
		}
		require.InDelta(t, poissonAtLeast(k, 9), sum, 1e-9)
		require.InDelta(t, binomialAtLeast(k, 60, 0.15), b, 1e-9)
	}
	require.InDelta(t, 0.632120558, poissonAtLeast(1, 1), 1e-9)
	require.InDelta(t, 0.0063693824, binomialAtLeast(6, 10, 0.2), 1e-9)
	require.InDelta(t, 0.5, binomialAtLeast(1, 1, 0.5), 1e-12)
	require.Zero(t, poissonAtLeast(1, 0))
	require.InDelta(t, 1, poissonAtLeast(0, 5), 0)
	require.Zero(t, binomialAtLeast(5, 4, 0.9))
}
