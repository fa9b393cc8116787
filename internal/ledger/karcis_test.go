package ledger

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func karcisOf(reference, state, of string, class city.Class, first, last uint64) *journal.Karcis {
	k := karcis(reference, state, first, last)
	k.Class, k.Series, k.Reverses = class, "S-"+class.String(), of
	return k
}

// TestSoldKarcisAreRecorded: a street without a meter has its karcis in every
// figure of what was recorded.
func TestSoldKarcisAreRecorded(t *testing.T) {
	b := newBench(t)
	b.book(t, day0, karcis("k-1", "issued", 1, 100), karcis("k-2", "sold", 1, 10))
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 20_000}, b.daily(t, "site", false))
	require.Equal(t, map[string]int64{"2026-03-02 karcis": 20_000}, b.daily(t, "method", false))
	a := b.account(t, accountStreet)
	require.Equal(t, city.SomeInt(20_000), a.Recorded)
	require.Equal(t, city.SomeInt(20_000), a.Due)
	require.Equal(t, city.SomeInt(0), a.InSettlement)
	var got []Sum
	require.NoError(t, b.f.EachSum(t.Context(), "2026-03-02", "2026-03-03", func(s *Sum) error { got = append(got, *s); return nil }))
	require.Len(t, got, 1)
	require.True(t, got[0].Karcis)
	require.EqualValues(t, 10, got[0].Sold)
	require.Zero(t, got[0].Receipts, "none is a receipt")

	// Void, and sold in error: taken from the day of the sale.
	b.book(t, april(1, 0), karcis("k-3", "void", 10, 11))
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 18_000}, b.daily(t, "site", false))
	back := karcis("k-4", "sold", 1, 10)
	back.Reverses, back.Date = "k-2", "2026-03-20"
	require.Equal(t, Booked, b.book(t, april(2, 0), back).Outcome)
	require.Empty(t, b.daily(t, "site", false))
	b.verify(t)
}

// TestNoRupiahOfKarcisAndReceiptsCountsTwice: cash receipts of a day and site
// stand for as much of what was sold there.
func TestNoRupiahOfKarcisAndReceiptsCountsTwice(t *testing.T) {
	b := newBench(t)
	m := &till{device: "meter-a", boot: 1}
	b.read(t, m.paper(day0, "1", 6_000, city.Cash), m.paper(day0, "2", 5_000, city.QRIS))
	b.book(t, day0, karcis("k-1", "issued", 1, 100), karcis("k-2", "sold", 1, 10))
	require.Equal(t, map[string]int64{"2026-03-02 cash": 6_000, "2026-03-02 qris": 5_000, "2026-03-02 karcis": 14_000}, b.daily(t, "method", false))
	b.reopen(t)
	b.read(t, m.paper(day0, "3", 20_000, city.Cash)) // more than was sold
	require.EqualValues(t, 31_000, b.daily(t, "site", false)["2026-03-02 site-a"])
	b.read(t, m.void(day0+hour, "3", 20_000))
	require.EqualValues(t, 25_000, b.daily(t, "site", false)["2026-03-02 site-a"])
	truck := m.paper(day0, "4", 9_000, city.Cash)
	truck.Receipt.Class = city.Truck
	b.read(t, truck)
	require.EqualValues(t, 34_000, b.daily(t, "site", false)["2026-03-02 site-a"], "another class hides nothing")
	untold := m.paper(day0, "5", 1_000, city.Cash)
	untold.Receipt.Class = city.ClassNone
	b.read(t, untold)
	require.EqualValues(t, 34_000, b.daily(t, "site", false)["2026-03-02 site-a"], "it may be one of those sold")
	b.read(t, m.paper(day0+day, "6", 2_000, city.Cash))
	require.EqualValues(t, 2_000, b.daily(t, "site", false)["2026-03-03 site-a"], "another day")
	b.verify(t)
}

// TestKarcisAfterTheClose: both views add up to the same, whatever comes late.
func TestKarcisAfterTheClose(t *testing.T) {
	b := newBench(t)
	m := &till{device: "meter-a", boot: 1}
	b.read(t, m.paper(day0, "1", 6_000, city.Cash))
	b.book(t, day0, karcis("k-1", "issued", 1, 100))
	b.book(t, april(5, 0), &journal.Close{Period: "2026-03"})
	b.book(t, april(6, 0), karcis("k-2", "sold", 1, 10))
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 20_000}, b.daily(t, "site", false))
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 6_000, "2026-04-06 site-a": 14_000}, b.daily(t, "site", true))
	b.readAt(t, april(7, 0), m.paper(day0, "2", 1_000, city.Cash)) // stands for a part of them
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 20_000}, b.daily(t, "site", false))
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 6_000, "2026-04-06 site-a": 14_000, "2026-04-07 site-a": 0}, b.daily(t, "site", true))
	b.verify(t)
}

// Whatever comes in whatever order, a day's cash of a site is what the slow and
// obvious rule makes of the receipts and of the numbers that are sold and not
// void; and both views add up to the same.
func TestKarcisInTheSumsEqualTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(rt)
		m := &till{device: "meter-a", boot: 1}
		kinds := []city.Class{city.Car, city.Motorcycle, city.ClassUnknown}
		var issued []journal.Line
		for _, class := range kinds {
			issued = append(issued, karcisOf("i-"+class.String(), "issued", "", class, 1, 20))
		}
		b.book(rt, day0, issued...)
		cash, numbers := map[city.Class]int64{}, map[string]map[uint64]bool{}
		var booked []*journal.Karcis
		for i := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			class := rapid.SampledFrom(kinds).Draw(rt, "class")
			switch rapid.IntRange(0, 4).Draw(rt, "what") {
			case 0, 1:
				r := m.paper(day0, strconv.Itoa(i), 1_000*rapid.Int64Range(1, 9).Draw(rt, "amount"), city.Cash)
				r.Receipt.Class = class
				b.readAt(rt, april(2+i, 0), r)
				cash[class] += int64(r.Receipt.Amount)
			case 2:
				b.book(rt, april(2+i, 0), &journal.Close{Period: "2026-03"})
			default:
				first := rapid.Uint64Range(1, 18).Draw(rt, "first")
				k := karcisOf(fmt.Sprint("k-", i), rapid.SampledFrom([]string{"sold", "void"}).Draw(rt, "state"), "", class, first, first+rapid.Uint64Range(0, 2).Draw(rt, "more"))
				if len(booked) > 0 && rapid.IntRange(0, 3).Draw(rt, "back") == 0 {
					of := rapid.SampledFrom(booked).Draw(rt, "of")
					k = karcisOf(k.Reference, of.State, of.Reference, of.Class, of.First, of.Last)
				}
				if b.book(rt, april(2+i, 0), k).Outcome != Booked {
					continue
				}
				if k.Reverses == "" {
					booked = append(booked, k)
				}
				key := k.Series + k.State
				if numbers[key] == nil {
					numbers[key] = map[uint64]bool{}
				}
				for n := k.First; n <= k.Last; n++ {
					numbers[key][n] = k.Reverses == ""
				}
			}
		}
		want := int64(0)
		sold := map[city.Class]int64{}
		for _, class := range kinds {
			want += cash[class]
			for n, is := range numbers["S-"+class.String()+"sold"] {
				if is && !numbers["S-"+class.String()+"void"][n] {
					sold[class] += 2_000
				}
			}
		}
		// What is left of both when like has met like, then the untold any.
		meet := func(a, b city.Class) {
			n := min(sold[a], cash[b])
			sold[a] -= n
			cash[b] -= n
		}
		for _, class := range kinds {
			meet(class, class)
		}
		for _, class := range kinds {
			meet(class, city.ClassUnknown)
		}
		for _, class := range kinds {
			meet(city.ClassUnknown, class)
		}
		for _, left := range sold {
			want += left
		}
		total := func(filed bool) (sum int64) {
			for _, amount := range b.daily(rt, "site", filed) {
				sum += amount
			}
			return sum
		}
		require.Equal(rt, want, total(false))
		require.Equal(rt, want, total(true))
		_, err := b.f.Verify(b.ctx(), VerifyOptions{})
		require.NoError(rt, err)
	})
}

// TestAFaultyLineSellsNothing: what follows in the same act finds nothing of it.
func TestAFaultyLineSellsNothing(t *testing.T) {
	b := newBench(t)
	require.Equal(t, Booked, b.book(t, april(1, 0), karcis("k-1", "issued", 1, 10)).Outcome)
	sold := karcis("k-2", "sold", 1, 5)
	sold.Attendant = "nobody"
	v := b.book(t, april(1, 0), sold, karcis("k-3", "void", 2, 3), karcis("k-4", "sold", 1, 5))
	require.Equal(t, Refused, v.Outcome)
	require.Len(t, v.Faults, 1)
	require.Equal(t, "attendant", v.Faults[0].Field)
	require.Equal(t, Booked, b.book(t, april(1, 0), karcis("k-4", "sold", 1, 5)).Outcome)
	b.verify(t)
}
