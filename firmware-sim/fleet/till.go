package fleet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/firmware-sim/scenario"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
)

// till is a meter: it prints receipts and keeps running totals, which survive
// its boots.
type till struct {
	d      *device
	rng    source // of what is planted, so that it changes nothing else
	series string // of the numbers on paper, so that two runs share none
	n      int
	count  int64
	amount int64
	last   city.Rupiah // amount of the newest number's first paper
	twice  bool        // it is on two
}

func (f *Fleet) newTill(d *device) *till {
	t := &till{d: d, rng: f.random("planted", d.inv.ID), series: strings.ToUpper(strconv.FormatInt(f.o.Start/1000, 36))}
	t.resets()
	t.rollsBack()
	return t
}

// pay prints the receipt of a stay, by the tariff of the site.
func (s *site) pay(at int64, v *stay) {
	p, rng := s.f.o.Scenario.Payments, v.rng
	if len(s.tills) == 0 || rng.chance(p.Unpaid) {
		return
	}
	t := s.tills[rng.IntN(len(s.tills))]
	entered, left := v.entered/1000*1000, at/1000*1000
	subscribed, lost := rng.chance(p.Subscription), rng.chance(p.LostTicket)
	quote, err := s.f.o.Version.Tariffs.Price(s.inv.Tariff, tariff.Stay{
		Class: v.class, Entered: entered, Left: left, Subscribed: subscribed, Lost: lost,
	}, s.f.cal.tariffs)
	if err != nil {
		return // the tariff does not know the class: nobody can be charged
	}
	r := city.Receipt{
		Amount: quote.Amount, Method: s.method(rng, quote.Amount, subscribed),
		Class: v.class, EnteredAt: city.SomeInt(entered), LeftAt: city.SomeInt(left),
	}
	if rng.chance(p.Plate) {
		r.Plate = plate(rng)
	}
	void, reprint := rng.chance(p.Void), rng.chance(p.Reprint)
	after := rng.between(10_000, 600_000)
	if s.skims(at, r.Amount) || t.silent(at, r.Amount) {
		return
	}
	r.Amount = t.less(at, r.Amount)
	r.Number = t.number(at, r.Amount)
	t.count++
	t.amount += int64(r.Amount)
	whole := t.print(at, r, false)
	if whole && !void && t.voidsAtNight(at, after, r.Amount) {
		void = true
	}
	void = whole && t.d.happens(scenario.DayVoids, at) || void
	t.phantom(at, r)
	// Only a receipt that went out on time is voided or printed again: what a
	// void of an unknown receipt means is another question.
	switch {
	case !whole || r.Amount == 0:
	case void:
		s.f.at(at+after, func(at int64) {
			if t.d.isBlind(at) {
				return
			}
			r.Void = true
			t.count--
			t.amount -= int64(r.Amount)
			t.print(at, r, false)
		})
	case reprint:
		s.f.at(at+after, func(at int64) {
			if !t.d.isBlind(at) {
				t.print(at, r, true)
			}
		})
	}
}

// print sends a receipt with the totals of now.
func (t *till) print(at int64, r city.Receipt, again bool) (whole bool) {
	r.TotalCount, r.TotalAmount = city.SomeInt(t.count), city.SomeInt(t.amount)
	if !t.d.isDead(at) {
		amount := r.Amount
		if r.Void {
			amount = -amount
		}
		if !again {
			t.d.f.bank.took(at, t.d.inv.Site, r.Method, amount)
		}
		t.d.f.o.Truth.Line(truth.Line{
			What: truth.Payment, Device: t.d.inv.ID, Site: t.d.inv.Site, At: at, Class: r.Class,
			Receipt: r.Number, Amount: &r.Amount, Method: r.Method, Void: r.Void, Reprint: again,
		})
	}
	return t.d.send(at, &city.Reading{Kind: city.KindReceipt, Receipt: &r})
}

// method draws how a stay is paid, of what the site takes.
func (s *site) method(rng source, amount city.Rupiah, subscribed bool) city.Method {
	switch {
	case subscribed:
		return city.Subscription
	case amount == 0:
		return city.Free
	}
	weights := s.f.o.Scenario.Payments.Methods
	var sum float64
	taken := make([]city.Method, 0, len(city.Methods))
	for _, m := range city.Methods {
		takes := len(s.inv.Payment) == 0
		for _, word := range s.inv.Payment {
			takes = takes || word == m.String()
		}
		if takes && weights[m.String()] > 0 {
			taken = append(taken, m)
			sum += weights[m.String()]
		}
	}
	u := rng.Float64() * sum
	for _, m := range taken {
		if u -= weights[m.String()]; u < 0 {
			return m
		}
	}
	return city.Cash
}

// plate makes one up.
func plate(rng source) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	suffix := make([]byte, 3)
	for i := range suffix {
		suffix[i] = letters[rng.IntN(len(letters))]
	}
	return fmt.Sprintf("B %d K%s", rng.between(1000, 9999), suffix)
}
