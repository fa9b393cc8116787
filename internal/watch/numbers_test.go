package watch

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

func TestNumbers(t *testing.T) {
	type paper struct {
		number string
		amount int64
		void   bool
	}
	p := func(numbers ...string) (list []paper) {
		for _, n := range numbers {
			list = append(list, paper{n, 1000, false})
		}
		return list
	}
	for name, c := range map[string]struct {
		came    []paper
		missing []Range
		doubled []Range
	}{
		"all came":                     {p("A-001", "A-002", "A-003"), nil, nil},
		"one is missing":               {p("A-001", "A-003"), []Range{{"A-002", "A-002"}}, nil},
		"a range":                      {p("A-098", "A-103", "A-104"), []Range{{"A-099", "A-102"}}, nil},
		"came late":                    {p("A-001", "A-004", "A-003", "A-002"), nil, nil},
		"the middle came late":         {p("A-001", "A-005", "A-003"), []Range{{"A-002", "A-002"}, {"A-004", "A-004"}}, nil},
		"prefixes do not mix":          {p("A-001", "B-005", "A-002", "B-006"), nil, nil},
		"reprints one after the other": {p("101", "102", "103", "104", "105", "106", "107", "101", "102", "103", "104", "105", "106", "108"), nil, nil},
		"no digits":                    {p("x", "y", "z"), nil, nil},
		"a reprint":                    {p("A-001", "A-001"), nil, nil},
		"doubled":                      {append(p("A-001", "A-002"), paper{"A-001", 5000, false}), nil, []Range{{"A-001", "A-001"}}},
		"a void has no own number":     {append(p("A-001", "A-002"), paper{"A-001", 1000, true}), nil, nil},
		"the day in the number":        {p("202603020412", "202603030001", "202603030002"), nil, nil},
		"begins anew": {
			p("9997", "9998", "9999", "0001", "0002", "0003", "0004", "0005", "0006", "0008"), []Range{{"0007", "0007"}}, nil,
		},
		"very long": {p("123456789012345678901234567890", "123456789012345678901234567892"), []Range{{"123456789012345678901234567891", "123456789012345678901234567891"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &numbers{}
			r := newRig(t, s)
			r.numbers = s
			for i, x := range c.came {
				r.give(city.Receipt{Number: x.number, Amount: city.Rupiah(x.amount), Void: x.void}, monday+8*hourMs+int64(i)*minuteMs)
			}
			r.pass(30 * minuteMs)
			require.NotContains(t, r.standing, RuleNumberMissing)
			r.pass(2 * hourMs)
			require.Equal(t, c.missing, r.standing[RuleNumberMissing].ranges)
			require.Equal(t, c.doubled, r.standing[RuleNumberDoubled].ranges)
		})
	}
}

func TestNumbersAreBounded(t *testing.T) {
	s := &numbers{}
	r := newRig(t, s)
	r.numbers = s
	for i := range 3000 {
		r.give(city.Receipt{Number: fmt.Sprintf("%d-%06d", i%20, i*3), Amount: 1000}, monday+8*hourMs+int64(i)*1000)
	}
	for i := range 3000 {
		r.give(city.Receipt{Number: fmt.Sprintf("C%06d", i*3), Amount: 1000}, monday+9*hourMs+int64(i)*1000)
	}
	require.LessOrEqual(t, len(s.Rolls), mostRolls)
	for _, o := range s.Rolls {
		require.LessOrEqual(t, len(o.Holes), mostHoles)
	}
	require.Len(t, s.Papers, mostPapers*paper)
	require.Positive(t, s.Lost)
	r.pass(36 * dayMs)
	require.Empty(t, r.standing, "given up")
}

func TestReprintAfterMonths(t *testing.T) {
	s := &numbers{}
	r := newRig(t, s)
	r.numbers = s
	r.give(city.Receipt{Number: "7", Amount: 1000}, monday)
	r.give(city.Receipt{Number: "7", Amount: 1000}, monday+29*dayMs)
	require.Empty(t, r.said)
	r.give(city.Receipt{Number: "7", Amount: 1000}, monday+31*dayMs)
	require.Equal(t, []string{"+receipt_doubled 1"}, r.said)
}

// FuzzSplit: prefix and digits are the number.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"", "A-001", "007", "12345678901234567890", "x", "٣"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, n, digits, ok := split(text)
		if !ok {
			require.Equal(t, text, prefix, "no digits at its end")
			return
		}
		require.GreaterOrEqual(t, n, int64(0))
		require.Equal(t, text, (&roll{Prefix: prefix, Digits: digits}).show(n))
	})
}
