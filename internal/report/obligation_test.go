package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/report"
)

func TestMonthsLate(t *testing.T) {
	for _, c := range []struct {
		due, paid string
		want      int
	}{
		{"2026-03-15", "2026-03-01", 0},
		{"2026-03-15", "2026-03-15", 0},
		{"2026-03-15", "2026-03-16", 1}, // part of a month counts whole
		{"2026-03-15", "2026-04-15", 1},
		{"2026-03-15", "2026-04-16", 2},
		{"2026-12-15", "2027-01-15", 1},
		{"2026-12-15", "2027-01-16", 2},
		{"2026-01-31", "2026-02-28", 1}, // February has no 31st: its month ends on the 28th
		{"2026-01-31", "2026-03-01", 2},
		{"2028-01-31", "2028-02-29", 1},
		{"2026-02-28", "2026-03-28", 1},
		{"2026-02-28", "2026-03-29", 2},
		{"2024-03-15", "2026-03-15", 24},
		{"2024-03-15", "2026-03-16", 24}, // at most 24
		{"2015-03-15", "2026-03-16", 24},
	} {
		got, err := report.MonthsLate(c.due, c.paid, 24)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "due %s, paid %s", c.due, c.paid)
	}
	for _, bad := range [][2]string{{"", "2026-03-01"}, {"2026-03-01", "soon"}, {"2026-02-30", "2026-03-01"}} {
		_, err := report.MonthsLate(bad[0], bad[1], 24)
		require.Error(t, err)
	}
}

var late = report.Late{PPM: 10_000, MostMonths: 24}

func TestInterest(t *testing.T) {
	for _, c := range []struct {
		unpaid city.Rupiah
		months int
		want   city.Rupiah
	}{
		{1_000_000, 1, 10_000},
		{1_000_000, 3, 30_000},
		{1_234_567, 1, 12_346}, // 12,345.67
		{1_234_549, 1, 12_345}, // 12,345.49
		{1_234_550, 1, 12_346}, // 12,345.50: half up
		{1_234_567, 5, 61_728}, // 61,728.35: rounded once, not five times 12,346
		{50, 1, 1},             // 0.50
		{49, 1, 0},             // 0.49
		{1_000_000, 24, 240_000},
		{1_000_000, 30, 240_000}, // at most 24
		{1_000_000, 0, 0},
		{-1_000_000, 3, 0},
		{900_000_000_000_000, 24, 216_000_000_000_000}, // past 64 bits in between
	} {
		require.Equal(t, c.want, late.Interest(c.unpaid, c.months), "%d for %d months", c.unpaid, c.months)
	}
}

// TestSettle holds statements to what was computed by hand.
func TestSettle(t *testing.T) {
	for name, c := range map[string]struct {
		due      city.Rupiah
		today    string
		payments []report.Payment
		want     report.Owed
	}{
		"paid in time": {
			4_500_000, "2026-06-01",
			[]report.Payment{{"s1", "2026-03-15", 4_500_000}},
			report.Owed{Due: 4_500_000, Paid: 4_500_000},
		},
		"not yet due": {
			4_500_000, "2026-03-15", nil,
			report.Owed{Due: 4_500_000, Unpaid: 4_500_000},
		},
		// 4,500,000 x 1 % x 2 months.
		"paid whole, a month and a day late": {
			4_500_000, "2026-06-01",
			[]report.Payment{{"s1", "2026-04-16", 4_500_000}},
			report.Owed{Due: 4_500_000, Paid: 4_500_000, Interest: 90_000, Late: []report.Part{{"s1", "2026-04-16", 4_500_000, 2, 90_000}}},
		},
		// 3,000,000 in time; 1,000,000 one month late: 10,000; 500,000 unpaid on
		// 1 June, from 15 March three months: 15,000.
		"late and short": {
			4_500_000, "2026-06-01",
			[]report.Payment{{"s2", "2026-04-10", 1_000_000}, {"s1", "2026-03-10", 3_000_000}},
			report.Owed{Due: 4_500_000, Paid: 4_000_000, Unpaid: 500_000, Interest: 25_000, Late: []report.Part{
				{"s2", "2026-04-10", 1_000_000, 1, 10_000}, {"", "2026-06-01", 500_000, 3, 15_000},
			}},
		},
		// Only what was still owed was late: 500,000 x 1 %.
		"paid too much, late": {
			4_500_000, "2026-06-01",
			[]report.Payment{{"s1", "2026-03-10", 4_000_000}, {"s2", "2026-03-20", 9_000_000}},
			report.Owed{Due: 4_500_000, Paid: 13_000_000, Interest: 5_000, Late: []report.Part{{"s2", "2026-03-20", 500_000, 1, 5_000}}},
		},
		// 4,500,000 x 1 % x 24, after ten years.
		"never paid": {
			4_500_000, "2036-03-16", nil,
			report.Owed{Due: 4_500_000, Unpaid: 4_500_000, Interest: 1_080_000, Late: []report.Part{{"", "2036-03-16", 4_500_000, 24, 1_080_000}}},
		},
		"nothing due": {0, "2036-03-16", nil, report.Owed{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := report.Settle(c.due, "2026-03-15", c.today, c.payments, late)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestSettleLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		due := city.Rupiah(rapid.Int64Range(0, 1e12).Draw(t, "due"))
		var payments []report.Payment
		var sum city.Rupiah
		for range rapid.IntRange(0, 5).Draw(t, "payments") {
			p := report.Payment{On: rapid.SampledFrom([]string{"2026-03-01", "2026-03-16", "2026-05-01"}).Draw(t, "on"), Amount: city.Rupiah(rapid.Int64Range(0, 1e12).Draw(t, "amount"))}
			payments = append(payments, p)
			sum += p.Amount
		}
		o, err := report.Settle(due, "2026-03-15", "2026-08-01", payments, late)
		require.NoError(t, err)
		require.Equal(t, sum, o.Paid)
		require.Equal(t, max(0, due-sum), o.Unpaid)
		var parts, interest city.Rupiah
		for _, p := range o.Late {
			parts += p.Amount
			interest += p.Interest
			require.Equal(t, late.Interest(p.Amount, p.Months), p.Interest)
		}
		require.LessOrEqual(t, parts, due)
		require.Equal(t, interest, o.Interest)
	})
}
