package tariff_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
)

const (
	minute = int64(60_000)
	dayMs  = 24 * 60 * minute
)

// drawBook makes a tariff "t" for cars as its file would say it.
func drawBook(t *rapid.T, rules bool) tariff.Book {
	var b strings.Builder
	b.WriteString("tariffs:\n- id: t\n  name: t\n  versions:\n  - from: 2000-01-01\n    legal_basis: t\n    classes:\n      car:\n")
	charge := func(indent string) {
		if rapid.Bool().Draw(t, "flat") {
			fmt.Fprintf(&b, "%sflat: %d\n", indent, rapid.IntRange(0, 9000).Draw(t, "amount"))
			return
		}
		for _, key := range []string{"first", "next"} {
			fmt.Fprintf(&b, "%s%s: {minutes: %d, amount: %d}\n", indent, key, rapid.IntRange(1, 600).Draw(t, "minutes"), rapid.IntRange(0, 9000).Draw(t, "amount"))
		}
	}
	charge("        ")
	if rapid.Bool().Draw(t, "capped") {
		fmt.Fprintf(&b, "        daily_max: %d\n", rapid.IntRange(9000, 60000).Draw(t, "max"))
	} else if rapid.Bool().Draw(t, "each day") {
		b.WriteString("        each_day: true\n")
	}
	fmt.Fprintf(&b, "        free_minutes: %d\n", rapid.IntRange(0, 90).Draw(t, "free"))
	if n := rapid.IntRange(0, 3).Draw(t, "rules"); rules && n > 0 {
		b.WriteString("        rules:\n")
		for i := range n {
			on := rapid.SampledFrom([]string{"[weekend]", "[holiday]", "[mon, wed]", "[weekday, holiday]", "[sat]"}).Draw(t, "on")
			fmt.Fprintf(&b, "        - name: r%d\n          on: %s\n", i, on)
			if rapid.Bool().Draw(t, "hours") {
				fmt.Fprintf(&b, "          from: \"%02d:30\"\n          until: \"%02d:15\"\n", rapid.IntRange(0, 23).Draw(t, "from"), rapid.IntRange(0, 23).Draw(t, "until"))
			}
			charge("          ")
		}
	}
	book, faults := tariff.ParseYAML([]byte(b.String()))
	require.Empty(t, faults, b.String())
	return book
}

func drawEntered(t *rapid.T) int64 {
	return 1773500000000 + rapid.Int64Range(0, 30*dayMs).Draw(t, "entered")
}

func price(t *rapid.T, book tariff.Book, from, until int64) city.Rupiah {
	q, err := book.Price("t", tariff.Stay{Class: city.Car, Entered: from, Left: until}, calendar())
	require.NoError(t, err)
	return q.Amount
}

func TestNeverNegativeAndGrowsWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book, entered := drawBook(t, true), drawEntered(t)
		left := entered + rapid.Int64Range(0, 10*dayMs).Draw(t, "stay")
		longer := left + rapid.Int64Range(0, 3*dayMs).Draw(t, "more")
		short, long := price(t, book, entered, left), price(t, book, entered, longer)
		require.GreaterOrEqual(t, short, city.Rupiah(0))
		require.GreaterOrEqual(t, long, short)
	})
}

// A stay of several tariff days costs the sum of its days: nothing is lost, and
// nothing is charged twice, where a day is split.
func TestSplittingDaysLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book, entered := drawBook(t, true), drawEntered(t)
		rates := book.Tariff("t").Versions[0].Classes[city.Car]
		if rates.DailyMax == 0 && !rates.EachDay {
			t.Skip("no tariff days")
		}
		days := rapid.Int64Range(1, 6).Draw(t, "days")
		rest := rapid.Int64Range(int64(rates.FreeMinutes)*minute+1, dayMs).Draw(t, "rest")
		var sum city.Rupiah
		for d := range days {
			one := price(t, book, entered+d*dayMs, entered+(d+1)*dayMs)
			if rates.DailyMax > 0 {
				require.LessOrEqual(t, one, rates.DailyMax)
			}
			sum += one
		}
		sum += price(t, book, entered+days*dayMs, entered+days*dayMs+rest)
		require.Equal(t, sum, price(t, book, entered, entered+days*dayMs+rest))
	})
}

// Without rules the price is arithmetic; the walk over the rules must agree
// with it where no rule ever holds.
func TestWalkAgreesWithArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := drawBook(t, false)
		rates := plain.Tariff("t").Versions[0].Classes[city.Car]
		walked := *rates
		walked.Rules = []tariff.Rule{{Name: "never", Holiday: true, Charge: tariff.Charge{Flat: true, FlatAmount: 1 << 40}}}
		entered := drawEntered(t)
		left := entered + rapid.Int64Range(0, 5*dayMs).Draw(t, "stay")
		want := price(t, plain, entered, left)
		plain.Tariff("t").Versions[0].Classes[city.Car] = &walked
		q, err := plain.Price("t", tariff.Stay{Class: city.Car, Entered: entered, Left: left}, tariff.Calendar{Zone: wib})
		require.NoError(t, err)
		require.Equal(t, want, q.Amount)
	})
}
