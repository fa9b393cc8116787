package tariff

import (
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

const (
	minute  = int64(time.Minute / time.Millisecond)
	day     = 24 * 60 * minute
	maxStay = 3660 * day
)

// Price returns what the stay costs under the tariff of that id. Errors:
// ErrUnknownTariff, ErrNoVersion, ErrNoClass, ErrStay.
func (b Book) Price(id string, stay Stay, cal Calendar) (Quote, error) {
	if stay.Left < stay.Entered || stay.Left-stay.Entered > maxStay {
		return Quote{}, fmt.Errorf("tariff %q: %w", id, ErrStay)
	}
	v, err := b.Version(id, stay.Entered, cal.Zone)
	if err != nil {
		return Quote{}, err
	}
	rates := v.Classes[stay.Class]
	if rates == nil {
		return Quote{}, fmt.Errorf("tariff %q, class %q: %w", id, stay.Class, ErrNoClass)
	}
	q := rates.price(stay, cal)
	q.Version = v.ID
	return q, nil
}

// PriceOneHour returns what one hour from atMs (Unix ms) costs.
func (b Book) PriceOneHour(id string, class city.Class, atMs int64, cal Calendar) (city.Rupiah, error) {
	q, err := b.Price(id, Stay{Class: class, Entered: atMs, Left: atMs + 60*minute}, cal)
	return q.Amount, err
}

func (r *Rates) price(stay Stay, cal Calendar) Quote {
	var q Quote
	switch {
	case stay.Subscribed:
		q.Free = true
	case r.FreeMinutes > 0 && stay.Left-stay.Entered <= int64(r.FreeMinutes)*minute:
		q.Free = true
	case r.DailyMax == 0 && !r.EachDay:
		q.Amount = r.charge(stay.Entered, stay.Left, cal)
	default:
		for from := stay.Entered; ; from += day {
			amount := r.charge(from, min(stay.Left, from+day), cal)
			if r.DailyMax > 0 && amount >= r.DailyMax {
				amount, q.Capped = r.DailyMax, true
			}
			q.Amount += amount
			if from+day >= stay.Left {
				break
			}
		}
	}
	if stay.Lost && !stay.Subscribed {
		q.Amount += r.LostTicket
		q.Free = q.Free && r.LostTicket == 0
	}
	return q
}

// charge sums the intervals that have begun in [from, until); the first one
// has always begun.
func (r *Rates) charge(from, until int64, cal Calendar) city.Rupiah {
	if len(r.Rules) == 0 {
		return r.plain(until - from)
	}
	d := days{cal: cal}
	var sum city.Rupiah
	for at, began := from, false; at < until || !began; began = true {
		rule := r.ruleAt(at, &d)
		c := r.chargeOf(rule)
		switch {
		case c.Flat:
			sum += c.FlatAmount
			at = r.holdsUntil(rule, at, until, &d)
		case !began:
			sum += c.First.Amount
			at += int64(c.First.Minutes) * minute
		default:
			sum += c.Next.Amount
			at += int64(c.Next.Minutes) * minute
		}
	}
	return sum
}

func (c *Charge) plain(length int64) city.Rupiah {
	if c.Flat {
		return c.FlatAmount
	}
	sum := c.First.Amount
	if rest := length - int64(c.First.Minutes)*minute; rest > 0 {
		next := int64(c.Next.Minutes) * minute
		sum += c.Next.Amount * city.Rupiah((rest+next-1)/next)
	}
	return sum
}

func (r *Rates) chargeOf(rule int) *Charge {
	if rule < 0 {
		return &r.Charge
	}
	return &r.Rules[rule].Charge
}

// ruleAt returns the index of the first rule that holds, -1 for none.
func (r *Rates) ruleAt(at int64, d *days) int {
	t, minuteOfDay := d.local(at)
	for i := range r.Rules {
		if r.Rules[i].holds(t, minuteOfDay, d) {
			return i
		}
	}
	return -1
}

// holdsUntil returns the next moment after at where another rule than this
// one holds, limit if that comes first.
func (r *Rates) holdsUntil(rule int, at, limit int64, d *days) int64 {
	for at < limit {
		t, minuteOfDay := d.local(at)
		next := 24 * 60
		for i := range r.Rules {
			for _, edge := range [2]int{r.Rules[i].From, r.Rules[i].Until} {
				if edge > minuteOfDay && edge < next {
					next = edge
				}
			}
		}
		// Never backwards: where clocks are put back a local time comes twice.
		at = max(at+minute, time.Date(t.Year(), t.Month(), t.Day(), 0, next, 0, 0, d.cal.Zone).UnixMilli())
		if at < limit && r.ruleAt(at, d) != rule {
			return at
		}
	}
	return max(at, limit)
}

func (r *Rule) holds(t time.Time, minuteOfDay int, d *days) bool {
	switch {
	case r.From < r.Until:
		return minuteOfDay >= r.From && minuteOfDay < r.Until && r.onDay(t, d)
	case minuteOfDay >= r.From:
		return r.onDay(t, d)
	case minuteOfDay < r.Until: // the window began the day before
		return r.onDay(t.AddDate(0, 0, -1), d)
	default:
		return false
	}
}

func (r *Rule) onDay(t time.Time, d *days) bool {
	if r.Days == [7]bool{} && !r.Holiday {
		return true
	}
	return r.Days[t.Weekday()] || (r.Holiday && d.holiday(t))
}

// days is the calendar with the last answer kept, since a stay asks again and
// again for the same day.
type days struct {
	cal    Calendar
	asked  int // year*1000 + day of the year
	answer bool
}

func (d *days) local(at int64) (t time.Time, minuteOfDay int) {
	t = time.UnixMilli(at).In(d.cal.Zone)
	return t, t.Hour()*60 + t.Minute()
}

func (d *days) holiday(t time.Time) bool {
	if d.cal.Holiday == nil {
		return false
	}
	if key := t.Year()*1000 + t.YearDay(); key != d.asked {
		d.asked, d.answer = key, d.cal.Holiday(t.Format(time.DateOnly))
	}
	return d.answer
}
