package expect

import (
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// mix is what the stays of a day pay at most and at least where several classes
// use one space (`shared`): a sensor tells that a place is taken, not by what.
type mix struct {
	priced, cheap, dear float64
}

// add takes a stay that pays so much as the class that its space goes by.
func (m *mix) add(t *tag, class city.Class, amount city.Rupiah, st occupancy.Stay) {
	low, high := amount, amount
	if slices.Contains(t.site.Shared, class) {
		for _, other := range t.site.Shared {
			if as, ok := t.price(other, st.From, st.Until); ok {
				low, high = min(low, as), max(high, as)
			}
		}
	}
	m.priced += float64(amount)
	m.cheap += float64(low)
	m.dear += float64(high)
}

func (m *mix) merge(by mix) {
	m.priced += by.priced
	m.cheap += by.cheap
	m.dear += by.dear
}

// widen spreads an interval over what the classes may be; its middle is theirs.
// Where no stay was seen, one of an hour at noon stands for all.
func (m *mix) widen(t *tag, begin int64, i Interval) Interval {
	if len(t.site.Shared) == 0 {
		return i
	}
	if m.priced == 0 {
		first := t.site.Shared[0]
		st := occupancy.Stay{From: begin + 12*hourMs, Until: begin + 13*hourMs}
		if amount, ok := t.price(first, st.From, st.Until); ok {
			m.add(t, first, amount, st)
		}
	}
	if m.priced == 0 || m.cheap == m.priced && m.dear == m.priced {
		return i
	}
	low, high := m.cheap/m.priced, m.dear/m.priced
	return Interval{
		Low:  city.Rupiah(math.Floor(float64(i.Low) * low)),
		Mid:  city.Rupiah(math.Round(float64(i.Mid) * (low + high) / 2)),
		High: city.Rupiah(math.Ceil(float64(i.High) * high)),
	}
}
