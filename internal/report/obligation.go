package report

import (
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
)

const million = 1_000_000

// Late is how late interest runs: millionths a month of what is unpaid, and the
// months that count at most.
type Late struct {
	PPM        int64
	MostMonths int
}

// MonthsLate returns the months from a due date to a day (both YYYY-MM-DD), part
// of a month counting whole: 0 up to the due date itself, 1 from the day after.
// A month after the 31st ends with the last day of the next month.
func MonthsLate(due, paid string, most int) (int, error) {
	from, err := time.Parse(time.DateOnly, due)
	if err != nil {
		return 0, badDate("due", due)
	}
	to, err := time.Parse(time.DateOnly, paid)
	if err != nil {
		return 0, badDate("paid", paid)
	}
	if !to.After(from) {
		return 0, nil
	}
	months := (to.Year()-from.Year())*12 + int(to.Month()-from.Month())
	last := time.Date(to.Year(), to.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if to.Day() > min(from.Day(), last) {
		months++
	}
	return min(months, most), nil
}

func badDate(field, date string) error {
	return &city.Error{Kind: city.KindInvalid, Message: field + ": " + date + " is no day: write it as YYYY-MM-DD", Fields: []city.FieldError{{Field: field, Detail: "YYYY-MM-DD"}}}
}

// Interest returns the late interest on an unpaid sum for so many months,
// rounded half up to the rupiah. Nothing is owed on what is not above 0.
func (l Late) Interest(unpaid city.Rupiah, months int) city.Rupiah {
	if unpaid <= 0 || months <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(unpaid), uint64(l.PPM)*uint64(min(months, l.MostMonths)))
	lo, carry := bits.Add64(lo, million/2, 0)
	q, _ := bits.Div64(hi+carry, lo, million) // the whole stays far under 2^63 rupiah
	return city.Rupiah(q)
}

// Payment is a credit towards an obligation.
type Payment struct {
	Reference string
	On        string // YYYY-MM-DD
	Amount    city.Rupiah
}

// Part is a part of an obligation with the interest on it.
type Part struct {
	Reference string // of its credit, "" unpaid
	Until     string // day of the credit, or today: YYYY-MM-DD
	Amount    city.Rupiah
	Months    int
	Interest  city.Rupiah
}

// Owed is what became of an obligation.
type Owed struct {
	Due  city.Rupiah
	Paid city.Rupiah // all credits, what is over the due too
	// Of credits for closed months, what pays entries that came late and were filed
	// with this one; and of its own credits, what does so for a later month.
	CarriedIn, CarriedOut city.Rupiah

	Unpaid   city.Rupiah // never under 0
	Interest city.Rupiah
	Late     []Part // parts that were paid late, or not at all and the due date has passed
}

// Settle pays an obligation with its credits in the order of their day, and
// reckons the interest as of today.
func Settle(due city.Rupiah, dueDate, today string, payments []Payment, l Late) (Owed, error) {
	o := Owed{Due: due}
	left := max(due, 0)
	sorted := slices.Clone(payments)
	slices.SortStableFunc(sorted, func(a, b Payment) int { return strings.Compare(a.On+a.Reference, b.On+b.Reference) })
	late := func(reference, until string, amount city.Rupiah) error {
		months, err := MonthsLate(dueDate, until, l.MostMonths)
		if err != nil || months == 0 || amount <= 0 {
			return err
		}
		p := Part{reference, until, amount, months, l.Interest(amount, months)}
		o.Late = append(o.Late, p)
		o.Interest += p.Interest
		return nil
	}
	for _, p := range sorted {
		o.Paid += p.Amount
		part := min(p.Amount, left)
		left -= max(part, 0)
		if err := late(p.Reference, p.On, part); err != nil {
			return Owed{}, err
		}
	}
	o.Unpaid = left
	return o, late("", today, left)
}
