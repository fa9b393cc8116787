package ledger

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func replaceAll(data []byte, pairs ...string) []byte {
	for i := 0; i < len(pairs); i += 2 {
		data = bytes.ReplaceAll(data, []byte(pairs[i]), []byte(pairs[i+1]))
	}
	return data
}

func TestKarcisOfASeries(t *testing.T) {
	b := newBench(t)
	type step struct {
		line *journal.Karcis
		want Outcome
		why  string
	}
	back := func(reference, of, state string, first, last uint64) *journal.Karcis {
		k := karcis(reference, state, first, last)
		k.Reverses = of
		return k
	}
	dear := karcis("k-x", "sold", 40, 50)
	dear.Price = 3_000
	stranger := karcis("k-y", "sold", 40, 50)
	stranger.Attendant = "at-2" // until February
	for _, s := range []step{
		{karcis("k-1", "sold", 1, 10), Refused, "not issued"},
		{karcis("k-1", "issued", 1, 60), Booked, ""},
		{karcis("k-2", "issued", 60, 70), Refused, "60 is issued"},
		{karcis("k-2", "issued", 61, 100), Booked, ""},
		{karcis("k-3", "sold", 55, 65), Booked, "over two ranges"},
		{karcis("k-3", "sold", 55, 65), Known, ""},
		{karcis("k-4", "sold", 65, 66), Refused, "65 is sold"},
		{karcis("k-4", "sold", 99, 101), Refused, "101 is not issued"},
		{dear, Refused, "issued at another price"},
		{stranger, Refused, "not there on that day"},
		{karcis("k-5", "returned", 90, 100), Booked, ""},
		{karcis("k-6", "sold", 89, 90), Refused, "90 was returned"},
		{karcis("k-7", "returned", 65, 70), Refused, "65 is sold"},
		{karcis("k-8", "void", 55, 56), Booked, "sold, then void"},
		{karcis("k-9", "void", 56, 57), Refused, "56 is void"},
		{back("k-10", "k-2", "issued", 61, 100), Refused, "numbers of it are sold"},
		{back("k-10", "k-3", "sold", 55, 64), Refused, "not whole"},
		{back("k-10", "k-3", "sold", 55, 65), Booked, ""},
		{karcis("k-11", "sold", 57, 60), Booked, "free again"},
	} {
		v := b.book(t, day0, s.line)
		require.Equal(t, s.want, v.Outcome, "%s %s: %+v", s.line.Reference, s.why, v.Faults)
	}
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 4 * 2_000}, b.daily(t, "site", false), "57 to 60")
	b.verify(t)
}

// TestHandToHand: each hop is compared with the next.
func TestHandToHand(t *testing.T) {
	b := newBench(t)
	b.book(t, day0, karcis("k-1", "issued", 1, 100))
	sold := karcis("k-2", "sold", 1, 12)
	sold.Date = "2026-03-01"
	b.book(t, day0, sold)
	gone := handover("h-9", "collector", "at-2", "co-1", 5)
	require.Equal(t, Refused, b.book(t, day0, gone).Outcome, "at-2 left in February")
	b.book(t, day0,
		handover("h-1", "collector", "at-1", "co-1", 22_000),
		handover("h-2", "treasurer", "co-1", "bend-1", 20_000),
		handover("h-3", "sts", "bend-1", "STS-7", 20_000))
	hops := func() []Hop {
		list, err := b.f.Hops(t.Context(), "2026-03-01", "2026-03-02")
		require.NoError(t, err)
		return list
	}
	want := []Hop{
		{"", "sts", "STS-7", 20_000, 0},
		{"2026-03-01", "attendant", "at-1", 24_000, 22_000},
		{"2026-03-01", "collector", "co-1", 22_000, 20_000},
		{"2026-03-01", "treasurer", "bend-1", 20_000, 20_000},
	}
	require.Equal(t, want, hops())
	b.book(t, day0, deposit("STS-7", "STS", 20_000, 0))
	want[0].Passed = 20_000
	require.Equal(t, want, hops())
	wrong := handover("h-4", "collector", "at-1", "co-1", 21_000)
	wrong.Reverses = "h-1"
	require.Equal(t, Refused, b.book(t, day0, wrong).Outcome)
	wrong.Amount = 22_000
	require.Equal(t, Booked, b.book(t, day0, wrong, handover("h-5", "collector", "at-1", "co-1", 24_000)).Outcome)
	require.Equal(t, Hop{"2026-03-01", "collector", "co-1", 24_000, 20_000}, hops()[2])
	b.verify(t)
}

func TestDeclarationsCorrectEachOther(t *testing.T) {
	b := newBench(t)
	require.Equal(t, Booked, b.book(t, day0, declaration("s-1", "", 100)).Outcome)
	require.Equal(t, Known, b.book(t, day0, declaration("s-1", "", 100)).Outcome)
	v := b.book(t, day0, declaration("s-2", "", 200))
	require.Equal(t, Refused, v.Outcome, "it names nothing")
	require.Equal(t, "corrects", v.Faults[0].Field)
	require.Equal(t, Booked, b.book(t, day0, declaration("s-2", "s-1", 200)).Outcome)
	require.Equal(t, Refused, b.book(t, day0, declaration("s-3", "s-1", 300)).Outcome, "s-2 stands for it")
	require.Equal(t, Booked, b.book(t, day0, declaration("s-3", "s-2", 300)).Outcome)
	for field, change := range map[string]func(*journal.Declaration){
		"nopd":     func(d *journal.Declaration) { d.NOPD = "NOPD-site-d" }, // another's
		"period":   func(d *journal.Declaration) { d.Period = "2026-2" },
		"filed_on": func(d *journal.Declaration) { d.FiledOn = "2026-02-28" },
		"tax":      func(d *journal.Declaration) { d.Tax = d.Gross + 1 },
		"gross":    func(d *journal.Declaration) { d.Gross = -1 },
	} {
		d := declaration("x", "s-3", 300)
		change(d)
		v := b.book(t, day0, d)
		require.Equal(t, Refused, v.Outcome)
		require.Contains(t, []string{v.Faults[0].Field, v.Faults[len(v.Faults)-1].Field}, field)
	}
	lines, _, err := b.f.Lines(t.Context(), LineQuery{Type: journal.TypeDeclaration})
	require.NoError(t, err)
	require.Len(t, lines, 3)
	require.Zero(t, lines[2].Undone)
	b.verify(t)
}

func TestAccesses(t *testing.T) {
	b := newBench(t)
	b.book(t, day0+5, read("a", day0), read("b", day0+1), read("a", day0+2))
	b.book(t, day0+9, read("b", day0+8))
	page, next, err := b.f.Accesses(t.Context(), AccessQuery{To: day0 + 100, Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []AccessLine{{1, *read("a", day0)}, {1, *read("b", day0+1)}}, page)
	page, next, err = b.f.Accesses(t.Context(), AccessQuery{To: day0 + 100, Limit: 2, After: next})
	require.NoError(t, err)
	require.Equal(t, []AccessLine{{1, *read("a", day0+2)}, {2, *read("b", day0+8)}}, page)
	require.Empty(t, next)
	page, _, err = b.f.Accesses(t.Context(), AccessQuery{From: day0 + 1, To: day0 + 8, Token: "b"})
	require.NoError(t, err)
	require.Len(t, page, 1)
	_, _, err = b.f.Accesses(t.Context(), AccessQuery{After: "x!"})
	require.Equal(t, city.KindInvalid, city.KindOf(err))
	_, _, err = b.f.Lines(t.Context(), LineQuery{Type: journal.TypeDeposit, After: "-"})
	require.Equal(t, city.KindInvalid, city.KindOf(err))
	b.verify(t)
}

func TestLinesInPages(t *testing.T) {
	b := newBench(t)
	lines := make([]journal.Line, 5)
	for i := range lines {
		lines[i] = deposit(string(rune('a'+i)), "STS", 10, 0, func(d *journal.Deposit) { d.CreditedOn = dateOf(20_500 - int32(i)) })
	}
	b.book(t, day0+100*day, lines...)
	q := LineQuery{Type: journal.TypeDeposit, Limit: 2}
	var got []string
	for {
		page, next, err := b.f.Lines(t.Context(), q)
		require.NoError(t, err)
		for _, l := range page {
			got = append(got, l.Line.Key())
		}
		if next == "" {
			break
		}
		q.After = next
	}
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, got)
	page, _, err := b.f.Lines(t.Context(), LineQuery{Type: journal.TypeDeposit, FromDate: dateOf(20_497), ToDate: dateOf(20_499)})
	require.NoError(t, err)
	require.Len(t, page, 2)
	page, _, err = b.f.Lines(t.Context(), LineQuery{Type: journal.TypeDeposit, Reference: "c"})
	require.NoError(t, err)
	require.Len(t, page, 1)
}

// Whatever comes in whatever order: each number of the series has the states
// that a slow model gives it, number by number.
func TestKarcisEqualTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(rt)
		states := map[string]map[uint64]bool{}
		for _, s := range KarcisStates {
			states[s] = map[uint64]bool{}
		}
		type held struct {
			line *journal.Karcis
			gone bool
		}
		var booked []*held
		for i := range rapid.IntRange(1, 30).Draw(rt, "steps") {
			first := rapid.Uint64Range(1, 12).Draw(rt, "first")
			k := karcis(fmt.Sprint("k-", i), rapid.SampledFrom(KarcisStates).Draw(rt, "state"), first, first+rapid.Uint64Range(0, 4).Draw(rt, "more"))
			var of *held
			if len(booked) > 0 && rapid.IntRange(0, 4).Draw(rt, "back") == 0 {
				of = rapid.SampledFrom(booked).Draw(rt, "of")
				k.State, k.First, k.Last, k.Reverses = of.line.State, of.line.First, of.line.Last, of.line.Reference
			}
			may := of == nil || !of.gone
			for n := k.First; n <= k.Last; n++ {
				switch {
				case of != nil && k.State == "issued":
					may = may && !states["sold"][n] && !states["void"][n] && !states["returned"][n]
				case of != nil:
				case k.State == "issued":
					may = may && !states["issued"][n]
				default:
					may = may && states["issued"][n] && !states[k.State][n] &&
						(k.State != "sold" || !states["returned"][n]) && (k.State != "returned" || !states["sold"][n])
				}
			}
			want := Refused
			if may {
				want = Booked
				for n := k.First; n <= k.Last; n++ {
					states[k.State][n] = of == nil
				}
				if of != nil {
					of.gone = true
				} else {
					booked = append(booked, &held{line: k})
				}
			}
			v := b.book(rt, day0, k)
			require.Equal(rt, want, v.Outcome, "%+v: %+v", k, v.Faults)
		}
	})
}

// TestTheRupiahOfARangeAreBounded: price times numbers never runs over.
func TestTheRupiahOfARangeAreBounded(t *testing.T) {
	b := newBench(t)
	dear := func(reference, state string, last uint64) *journal.Karcis {
		k := karcis(reference, state, 1, last)
		k.Price = mostMoney / 10
		return k
	}
	v := b.book(t, day0, dear("k-1", "issued", 11))
	require.Equal(t, Refused, v.Outcome)
	require.Equal(t, "price", v.Faults[0].Field)
	require.Equal(t, Booked, b.book(t, day0, dear("k-1", "issued", 10)).Outcome)
	require.Equal(t, Booked, b.book(t, day0, dear("k-2", "sold", 10)).Outcome)
	far := karcis("k-3", "issued", 1<<53, 1<<53+1)
	require.Equal(t, "last", b.book(t, day0, far).Faults[0].Field)
	b.verify(t)
}

// TestHandsCompareWhatStands: a sale that was taken back, on whatever day, or made
// void, and a hand-over that was taken back, are nobody's money.
func TestHandsCompareWhatStands(t *testing.T) {
	b := newBench(t)
	b.book(t, april(1, 0), karcis("k-1", "issued", 1, 20))
	b.book(t, april(1, 0), karcis("k-2", "sold", 1, 5), karcis("k-3", "sold", 6, 10), karcis("k-4", "void", 9, 10))
	back := karcis("k-5", "sold", 1, 5)
	back.Reverses, back.Date = "k-2", "2026-03-09"
	b.book(t, april(1, 0), back)
	b.book(t, april(1, 0), handover("h-1", "collector", "at-1", "c-1", 6000), handover("h-2", "sts", "t-1", "s-1", 9000))
	undo := handover("h-3", "sts", "t-1", "s-1", 9000)
	undo.Reverses = "h-2"
	b.book(t, april(1, 0), undo)
	hops, err := b.f.Hops(t.Context(), "2026-03-01", "2026-03-31")
	require.NoError(t, err)
	require.Equal(t, []Hop{
		{Date: "2026-03-01", Stage: "attendant", Holder: "at-1", Passed: 6000},
		{Date: "2026-03-01", Stage: "collector", Holder: "c-1", Received: 6000},
		{Date: "2026-03-02", Stage: "attendant", Holder: "at-1", Received: 6000},
	}, hops)
}
