package report_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/report"
)

// TestStatement holds a statement to what was computed by hand: February 2026,
// due on 15 March. Gross 12,345,675 + 5,000,000; due 1,234,568 (1,234,567.5) +
// 500,000 = 1,734,568. Paid 1,000,000 on 10 March and 500,000 on 20 April (two
// months: 10,000); unpaid on 1 May, two months: 234,568 x 2 % = 4,691.36.
func TestStatement(t *testing.T) {
	f := newFake(t)
	f.add("2026-02-10", "mall-1", city.Car, city.Cash, 2000, 12_345_675)
	f.add("2026-02-28", "mall-2", city.Car, city.QRIS, 900, 5_000_000)
	f.add("2026-03-01", "mall-1", city.Car, city.Cash, 1, 5000)
	f.add("2026-02-10", "mall-3", city.Car, city.Cash, 1, 5000)
	f.declared = []report.Declaration{{NPWPD: "P.1", NOPD: "N.1", Month: "2026-02", FiledOn: "2026-03-09", Gross: 12_000_000}, {Operator: "op-1", NOPD: "N.2", Month: "2026-02", FiledOn: "2026-03-14", Gross: 5_000_000}}
	f.credits = []report.Credit{
		{Reference: "b", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", PeriodFrom: "2026-02-01", PeriodTo: "2026-02-28", CreditedOn: "2026-04-20", Net: 500_000},
		{Reference: "a", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", PeriodFrom: "2026-02-01", PeriodTo: "2026-02-28", CreditedOn: "2026-03-10", Net: 1_000_000},
		{Reference: "other", Kind: report.KindSSPD, Account: pbjt, Operator: "op-2", PeriodFrom: "2026-02-01", PeriodTo: "2026-02-28", CreditedOn: "2026-03-10", Net: 9},
		{Reference: "march", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", PeriodFrom: "2026-03-01", PeriodTo: "2026-03-31", CreditedOn: "2026-04-10", Net: 9},
	}
	s, err := f.reporter(t, true).Statement(t.Context(), report.StatementQuery{Operator: "op-1", Month: "2026-02", Now: at("2026-05-01")})
	require.NoError(t, err)
	require.Equal(t, "2026-03-15", s.DepositBy)
	require.EqualValues(t, 17_345_675, s.Gross)
	require.Equal(t, city.SomeInt(1_734_568), s.Due)
	require.Equal(t, city.SomeInt(17_000_000), s.Declared)
	require.Equal(t, "2026-03-14", s.FiledOn)
	require.Equal(t, &report.Owed{Due: 1_734_568, Paid: 1_500_000, Unpaid: 234_568, Interest: 14_691, Late: []report.Part{
		{Reference: "b", Until: "2026-04-20", Amount: 500_000, Months: 2, Interest: 10_000},
		{Until: "2026-05-01", Amount: 234_568, Months: 2, Interest: 4691},
	}}, s.Owed)
	require.Len(t, s.Credits, 2)
	require.Equal(t, []report.Object{
		{NOPD: "N.1", Site: "mall-1", Account: pbjt, RatePPM: 100_000, Receipts: 2000, Gross: 12_345_675, Due: city.SomeInt(1_234_568)},
		{NOPD: "N.2", Site: "mall-2", Account: pbjt, RatePPM: 100_000, Receipts: 900, Gross: 5_000_000, Due: city.SomeInt(500_000)},
	}, s.Objects)

	s, err = f.reporter(t, false).Statement(t.Context(), report.StatementQuery{Operator: "op-1", Month: "2026-02", Now: at("2026-05-01")})
	require.NoError(t, err)
	require.Nil(t, s.Owed, "nobody tells of credits")

	_, err = f.reporter(t, true).Statement(t.Context(), report.StatementQuery{Operator: "op-9", Month: "2026-02", Now: at("2026-05-01")})
	var wrong *city.Error
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, city.KindNotFound, wrong.Kind)
	_, err = f.reporter(t, true).Statement(t.Context(), report.StatementQuery{Operator: "op-1", Month: "2026-2", Now: at("2026-05-01")})
	require.Error(t, err)
}

func TestRealisasi(t *testing.T) {
	f := newFake(t)
	f.add("2026-01-10", "mall-1", city.Car, city.Cash, 1, 1_000_000)
	f.add("2026-01-11", "mall-3", city.Car, city.Cash, 1, 500_000)
	f.add("2026-02-10", "mall-1", city.Car, city.Cash, 1, 2_000_000)
	f.add("2026-02-10", "street-1", city.Car, city.Cash, 1, 15_000)
	f.credits = []report.Credit{
		{Reference: "old", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", Site: "mall-1", PeriodFrom: "2025-12-01", PeriodTo: "2025-12-31", CreditedOn: "2026-01-12", Net: 70_000},
		{Reference: "a", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", Site: "mall-1", PeriodFrom: "2026-01-01", PeriodTo: "2026-01-31", CreditedOn: "2026-02-12", Net: 100_000},
		{Reference: "b", Kind: report.KindSTS, Account: street, Operator: "dishub", PeriodFrom: "2026-02-10", PeriodTo: "2026-02-10", CreditedOn: "2026-02-11", Net: 15_000},
		{Reference: "next", Kind: report.KindSTS, Account: street, Operator: "dishub", PeriodFrom: "2026-12-31", PeriodTo: "2026-12-31", CreditedOn: "2027-01-02", Net: 9},
	}
	r := f.reporter(t, true)
	ask := func(q report.RealisasiQuery) *report.Realisasi {
		q.Year, q.Now = 2026, at("2026-03-05")
		out, err := r.Realisasi(t.Context(), q)
		require.NoError(t, err)
		return out
	}
	out := ask(report.RealisasiQuery{By: "month", Group: "account"})
	year := city.SomeInt(1_000_000)    // perubahan
	streetYear := city.SomeInt(60_000) // its three months
	none, nothing := city.SomeInt(0), func(period, account, name string, row report.RealisasiRow) report.RealisasiRow {
		row.Period, row.Account, row.Name = period, account, name
		row.Recorded, row.Due, row.Realized = city.SomeInt(0), city.SomeInt(0), city.SomeInt(0)
		return row
	}
	require.Equal(t, []report.RealisasiRow{
		{Period: "2026-01", Account: pbjt, Name: "PBJT Parkir", Recorded: city.SomeInt(1_500_000), Due: city.SomeInt(150_000), Realized: city.SomeInt(70_000), ToDate: city.SomeInt(70_000), YearTarget: year},
		nothing("2026-01", street, "Tepi Jalan", report.RealisasiRow{Target: city.SomeInt(10_000), ToDate: none, YearTarget: streetYear}),
		nothing("2026-01", special, "Khusus", report.RealisasiRow{ToDate: none}),
		{Period: "2026-02", Account: pbjt, Name: "PBJT Parkir", Recorded: city.SomeInt(2_000_000), Due: city.SomeInt(200_000), Realized: city.SomeInt(100_000), ToDate: city.SomeInt(170_000), YearTarget: year},
		{Period: "2026-02", Account: street, Name: "Tepi Jalan", Target: city.SomeInt(20_000), Recorded: city.SomeInt(15_000), Due: city.SomeInt(15_000), Realized: city.SomeInt(15_000), ToDate: city.SomeInt(15_000), YearTarget: streetYear},
		nothing("2026-02", special, "Khusus", report.RealisasiRow{ToDate: none}),
		nothing("2026-03", pbjt, "PBJT Parkir", report.RealisasiRow{ToDate: city.SomeInt(170_000), YearTarget: year}),
		nothing("2026-03", street, "Tepi Jalan", report.RealisasiRow{Target: city.SomeInt(30_000), ToDate: city.SomeInt(15_000), YearTarget: streetYear}),
		nothing("2026-03", special, "Khusus", report.RealisasiRow{ToDate: none}),
	}, out.Rows)
	require.False(t, out.Projections[0].Known, "two months tell no year")

	out = ask(report.RealisasiQuery{By: "quarter", Group: "account"})
	require.Equal(t, city.SomeInt(60_000), out.Rows[1].Target)
	out = ask(report.RealisasiQuery{By: "year", Group: "account", Budget: "murni"})
	require.Equal(t, city.SomeInt(1_200_000), out.Rows[0].Target)
	require.Equal(t, streetYear, out.Rows[1].Target, "as in the summary")
	require.False(t, out.Rows[2].Target.OK, "none is set")
	require.Equal(t, city.SomeInt(0), out.Rows[2].Realized, "nothing came, and that is known")
	out = ask(report.RealisasiQuery{By: "day", Group: "kecamatan"})
	require.Len(t, out.Rows, 7)
	f.v.Targets = append(f.v.Targets, inventory.Target{Year: 2026, Month: 1, Account: street, Site: "street-1", Budget: "murni", Target: 7_000},
		inventory.Target{Year: 2026, Month: 1, Account: street, Site: "street-2", Budget: "murni", Target: 1_000})
	out = ask(report.RealisasiQuery{By: "month", Group: "kecamatan"})
	timur := slices.DeleteFunc(out.Rows, func(r report.RealisasiRow) bool { return r.Kecamatan != "Timur" })
	require.Len(t, timur, 3, "known nothing is 0 where there is a target")
	require.Equal(t, city.SomeInt(8_000), timur[0].Target, "of its sites")
	require.Equal(t, city.SomeInt(8_000), timur[0].YearTarget)
	require.Equal(t, city.SomeInt(0), timur[0].Realized)
	require.False(t, timur[1].Target.OK)

	out = ask(report.RealisasiQuery{By: "month", Group: "account", Totals: true})
	require.True(t, out.Rows[0].Suppressed)
	require.False(t, out.Rows[0].Due.OK || out.Rows[0].Realized.OK || out.Rows[0].ToDate.OK || out.Rows[3].ToDate.OK)
	require.False(t, out.Rows[1].Suppressed, "a retribusi has no taxpayer")
	for _, p := range out.Projections {
		require.NotEqual(t, pbjt, p.Account)
	}
}

// TestTotalsTellNoTaxpayer holds that what is hidden cannot be had by
// subtraction: three taxpayers in Barat, one of them alone in Utara; the city's
// sum less Barat would be Utara's.
func TestTotalsTellNoTaxpayer(t *testing.T) {
	f := newFake(t)
	pay := func(date, site, npwpd string) {
		f.add(date, site, city.Car, city.Cash, 1, 1000)
		f.sums[len(f.sums)-1].NPWPD = npwpd
	}
	for _, npwpd := range []string{"P.1", "P.2", "P.3"} {
		pay("2026-01-10", "mall-1", npwpd)
		pay("2026-02-10", "mall-1", npwpd)
	}
	r := f.reporter(t, true)
	ask := func(group string) []report.RealisasiRow {
		out, err := r.Realisasi(t.Context(), report.RealisasiQuery{Year: 2026, By: "month", Group: group, Totals: true, Now: at("2026-03-05")})
		require.NoError(t, err)
		return slices.DeleteFunc(out.Rows, func(r report.RealisasiRow) bool { return r.Account != pbjt })
	}
	for _, row := range ask("kecamatan") {
		require.False(t, row.Suppressed)
	}
	pay("2026-02-10", "mall-3", "P.1")
	for _, row := range ask("kecamatan") {
		require.True(t, row.Suppressed, row.Kecamatan)
		require.False(t, row.Recorded.OK || row.Due.OK || row.Realized.OK || row.ToDate.OK)
	}
	for _, row := range ask("account") {
		require.False(t, row.Suppressed)
		require.True(t, row.Recorded.OK)
	}
	pay("2026-03-01", "mall-1", "P.1") // one month with one taxpayer hides the year's others
	for _, row := range ask("account") {
		require.Equal(t, row.Account == pbjt, row.Suppressed)
	}
}

// TestTaxpayersWithoutNPWPDAreHidden: one or two of them, each by its operator.
func TestTaxpayersWithoutNPWPDAreHidden(t *testing.T) {
	f := newFake(t)
	for i := range f.v.Operators {
		f.v.Operators[i].NPWPD = ""
	}
	f.add("2026-01-10", "mall-1", city.Car, city.Cash, 1, 1000)
	f.add("2026-01-10", "mall-3", city.Car, city.Cash, 1, 1000)
	f.credits = append(f.credits, report.Credit{Reference: "d", Kind: "SSPD", Account: pbjt, Operator: "op-2", PeriodFrom: "2026-01-01", PeriodTo: "2026-01-31", CreditedOn: "2026-02-10", Net: 100})
	row := func(group string) report.RealisasiRow {
		out, err := f.reporter(t, true).Realisasi(t.Context(), report.RealisasiQuery{Year: 2026, By: "month", Group: group, Totals: true, Now: at("2026-03-05")})
		require.NoError(t, err)
		row := out.Rows[slices.IndexFunc(out.Rows, func(r report.RealisasiRow) bool { return r.Account == pbjt })]
		projected := slices.ContainsFunc(out.Projections, func(p report.Projection) bool { return p.Account == pbjt })
		require.NotEqual(t, row.Suppressed, projected)
		return row
	}
	for _, group := range report.Groups {
		require.True(t, row(group).Suppressed, group)
		require.False(t, row(group).Recorded.OK || row(group).Realized.OK, group)
	}
	f.credits = nil
	f.add("2026-01-11", "mall-2", city.Car, city.Cash, 1, 1000)
	f.sums[len(f.sums)-1].Operator = "op-3"
	require.False(t, row("account").Suppressed, "three")
	for i := range f.sums { // of one firm
		f.sums[i].NPWPD = "P.1"
	}
	require.True(t, row("account").Suppressed)
}

// TestHiddenTogether: what is hidden of an account is of three or more in each
// period, since the city's sum less what is shown would tell it.
func TestHiddenTogether(t *testing.T) {
	f := newFake(t)
	for i, pays := range []struct{ date, kecamatan string }{
		{"2026-01-10", "Barat"}, {"2026-01-10", "Barat"}, {"2026-01-10", "Barat"}, {"2026-01-10", "Utara"}, // three and one
		{"2026-02-10", "Barat"}, {"2026-02-10", "Selatan"}, {"2026-02-10", "Selatan"}, {"2026-02-10", "Selatan"}, // one and three
	} {
		f.add(pays.date, "mall-1", city.Car, city.Cash, 1, 1000)
		s := &f.sums[len(f.sums)-1]
		s.Kecamatan, s.NPWPD = pays.kecamatan, "P."+strconv.Itoa(i)
	}
	out, err := f.reporter(t, true).Realisasi(t.Context(), report.RealisasiQuery{Year: 2026, By: "month", Group: "kecamatan", Totals: true, Now: at("2026-03-05")})
	require.NoError(t, err)
	for _, r := range out.Rows {
		require.Equal(t, r.Account == pbjt, r.Suppressed, "%s %s: of February all but Selatan is Barat's one", r.Period, r.Kecamatan)
	}
}

// TestWhatIsPaidForAnotherYear: income is of the year in which it came, whatever
// it is for.
func TestWhatIsPaidForAnotherYear(t *testing.T) {
	f := newFake(t)
	for reference, from := range map[string]string{"ahead": "2027-01-01", "old": "2009-06-01"} {
		f.credits = append(f.credits, report.Credit{Reference: reference, Kind: report.KindSTS, Account: street, Operator: "dishub", PeriodFrom: from, PeriodTo: from, CreditedOn: "2026-12-30", Net: 5000})
	}
	out, err := f.reporter(t, true).Realisasi(t.Context(), report.RealisasiQuery{Year: 2026, By: "year", Group: "account", Now: at("2026-12-31")})
	require.NoError(t, err)
	row := out.Rows[slices.IndexFunc(out.Rows, func(r report.RealisasiRow) bool { return r.Account == street })]
	require.Equal(t, city.SomeInt(10_000), row.Realized)
}

// TestProject holds a projection to what was computed by hand: 100, 120 and 140
// have the mean 120 and the deviation 20; nine months more bring 1,080, and t
// with two degrees is 2.920: 2.920 x 20 x sqrt(9 + 81/3) = 350.4.
func TestProject(t *testing.T) {
	p := report.Project([]int64{100, 120, 140}, 0, 9)
	require.True(t, p.Known)
	require.EqualValues(t, 1440, p.Mid)
	require.EqualValues(t, 1089, p.Low)
	require.EqualValues(t, 1791, p.High)
	require.False(t, report.Project([]int64{100, 120}, 0, 10).Known)
	require.EqualValues(t, 1200, report.Project([]int64{100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100}, 0, 0).High)
	p = report.Project([]int64{0, 0, 300}, 0, 9)
	require.EqualValues(t, 300, p.Low, "never under what is there")
	p = report.Project([]int64{100, 120, 140}, 900, 9) // the running month has 900 already
	require.EqualValues(t, 1260, p.Low)
	require.EqualValues(t, 1440, p.Mid)
	p = report.Project([]int64{0, 0, 0}, 900, 1)
	require.Equal(t, [3]city.Rupiah{900, 900, 900}, [3]city.Rupiah{p.Low, p.Mid, p.High})
}

// TestAYearIsProjectedFromWhatIsKnown: months before the books had anything of
// an account brought not nothing, and what the running month has stays.
func TestAYearIsProjectedFromWhatIsKnown(t *testing.T) {
	f := newFake(t)
	for _, month := range []string{"07", "08", "09"} {
		f.add("2026-"+month+"-10", "street-1", city.Car, city.Cash, 1, 1000)
	}
	f.add("2026-10-01", "street-1", city.Car, city.Cash, 1, 9000)
	out, err := f.reporter(t, true).Realisasi(t.Context(), report.RealisasiQuery{Year: 2026, By: "year", Group: "account", Now: at("2026-10-05")})
	require.NoError(t, err)
	var due report.Projection
	for _, p := range out.Projections {
		if p.Account == street && p.Of == "due" {
			due = p
		}
	}
	require.Equal(t, report.Projection{Account: street, Of: "due", Target: city.SomeInt(60_000), Months: 3, Known: true, Low: 12_000, Mid: 12_000, High: 12_000}, due)
}

// TestAMonthOfWhichNothingCameHasItsTarget: it is the one to be seen.
func TestAMonthOfWhichNothingCameHasItsTarget(t *testing.T) {
	f := newFake(t)
	f.add("2026-02-10", "street-1", city.Car, city.Cash, 1, 15_000)
	out, err := f.reporter(t, true).Realisasi(t.Context(), report.RealisasiQuery{Year: 2026, By: "month", Group: "account", Now: at("2026-03-05")})
	require.NoError(t, err)
	rows := slices.DeleteFunc(out.Rows, func(r report.RealisasiRow) bool { return r.Account != street })
	require.Len(t, rows, 3, "what has not begun has no row")
	for i, target := range []int64{10_000, 20_000, 30_000} {
		require.Equal(t, city.SomeInt(target), rows[i].Target)
	}
	require.Equal(t, city.SomeInt(0), rows[0].Realized)
	require.Equal(t, city.SomeInt(0), rows[0].Due)
}
