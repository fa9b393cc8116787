package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/report"
)

// lateCity records in February, as known now, what came after its close and was filed
// with April: a receipt of 500,000 beside one of 1,000,000.
func lateCity(t *testing.T) *fake {
	t.Helper()
	f := newFake(t)
	f.closedOn = map[string]string{"2026-02": "2026-03-16", "2026-03": "2026-04-16"}
	f.add("2026-02-10", "mall-1", city.Car, city.Cash, 10, 1_000_000)
	f.add("2026-04-05", "mall-1", city.Car, city.Cash, 3, 300_000)
	f.filed = append(f.filed, f.sums...)
	f.add("2026-02-11", "mall-1", city.Car, city.Cash, 5, 500_000)
	moved := f.sums[2]
	moved.Date = "2026-04-20"
	f.filed = append(f.filed, moved)
	f.credits = []report.Credit{{Reference: "feb", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", Site: "mall-1", PeriodFrom: "2026-02-01", PeriodTo: "2026-02-28", CreditedOn: "2026-03-12", Net: 100_000}}
	return f
}

// TestAStatementInBothViews: February was filed with 1,000,000 and paid in time;
// as known now it is 1,500,000, and what is more was filed with April.
func TestAStatementInBothViews(t *testing.T) {
	r := lateCity(t).reporter(t, true)
	ask := func(month string, filed bool) *report.Statement {
		s, err := r.Statement(t.Context(), report.StatementQuery{Operator: "op-1", Month: month, Filed: filed, Now: at("2026-05-10")})
		require.NoError(t, err)
		return s
	}
	base := func(gross city.Rupiah, due int64) report.Base {
		return report.Base{Gross: gross, Due: city.SomeInt(due)}
	}
	known, filed := ask("2026-02", false), ask("2026-02", true)
	for _, s := range []*report.Statement{known, filed} {
		require.Equal(t, "2026-03-16", s.ClosedOn)
		require.Equal(t, base(1_500_000, 150_000), s.Known)
		require.Equal(t, base(1_000_000, 100_000), s.Filed)
	}
	require.Equal(t, ledger.KnownView, known.View)
	require.Equal(t, known.Known, known.Base)
	require.EqualValues(t, 1_500_000, known.Objects[0].Gross)
	// The 50,000 that came after the close are owed with April, by 15 May.
	require.Equal(t, &report.Owed{Due: 100_000, Paid: 100_000}, known.Owed)
	require.Equal(t, ledger.FiledView, filed.View)
	require.Equal(t, filed.Filed, filed.Base)
	require.EqualValues(t, 1_000_000, filed.Objects[0].Gross)
	require.Equal(t, &report.Owed{Due: 100_000, Paid: 100_000}, filed.Owed)

	april := ask("2026-04", true)
	require.Empty(t, april.ClosedOn)
	require.Equal(t, base(300_000, 30_000), april.Known)
	require.Equal(t, base(800_000, 80_000), april.Base)
	require.Equal(t, &report.Owed{Due: 80_000, Unpaid: 80_000}, april.Owed, "due on 15 May")
}

// TestWhatCameAfterTheCloseIsOwedWithTheNextMonth: who paid February as it was
// filed is not accused of what came later before that is due with April.
func TestWhatCameAfterTheCloseIsOwedWithTheNextMonth(t *testing.T) {
	r := lateCity(t).reporter(t, true)
	ask := func(date, today string) report.Period {
		out, err := r.Reconcile(t.Context(), report.ReconcileQuery{Date: date, Now: at(today)})
		require.NoError(t, err)
		return periodOf(t, out, "op-1", pbjt, "N.1")
	}
	for _, today := range []string{"2026-05-10", "2026-06-10"} {
		p := ask("2026-02-10", today)
		require.EqualValues(t, 1_500_000, p.Recorded)
		require.Equal(t, city.SomeInt(150_000), p.Due)
		require.Equal(t, city.SomeInt(100_000), p.DueFiled)
		require.Equal(t, city.SomeInt(0), p.Leak2)
	}
	p := ask("2026-04-10", "2026-05-15")
	require.EqualValues(t, 300_000, p.Recorded)
	require.Equal(t, city.SomeInt(80_000), p.DueFiled)
	require.Equal(t, report.LeakNotYet, p.Leak2State)
	p = ask("2026-04-10", "2026-05-16")
	require.Equal(t, city.SomeInt(80_000), p.Overdue)
}

// TestWhatIsPaidForAClosedMonthPaysWhatCameLate: who pays the 50,000 that came after
// February's close with an SSPD for February owes 30,000 for April, in every answer.
func TestWhatIsPaidForAClosedMonthPaysWhatCameLate(t *testing.T) {
	f := lateCity(t)
	sspd := func(reference, month, on string, net city.Rupiah) {
		f.credits = append(f.credits, report.Credit{
			Reference: reference, Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", Site: "mall-1",
			PeriodFrom: month + "-01", PeriodTo: month + "-28", CreditedOn: on, Net: net,
		})
	}
	sspd("feb-2", "2026-02", "2026-06-20", 50_000)
	r := f.reporter(t, true)
	period := func(date string) report.Period {
		out, err := r.Reconcile(t.Context(), report.ReconcileQuery{Date: date, Now: at("2026-07-01")})
		require.NoError(t, err)
		return periodOf(t, out, "op-1", pbjt, "N.1")
	}
	p := period("2026-02-10")
	require.Equal(t, city.SomeInt(150_000), p.Deposited)
	require.EqualValues(t, 50_000, p.CarriedOut)
	require.Equal(t, city.SomeInt(0), p.Leak2)
	p = period("2026-04-10")
	require.Equal(t, city.SomeInt(0), p.Deposited)
	require.EqualValues(t, 50_000, p.CarriedIn)
	require.Equal(t, []string{"feb-2"}, p.Credits)
	require.Equal(t, city.SomeInt(30_000), p.Overdue)

	owed := func(month string) *report.Owed {
		var both [2]*report.Owed
		for i, filed := range []bool{false, true} {
			s, err := r.Statement(t.Context(), report.StatementQuery{Operator: "op-1", Month: month, Filed: filed, Now: at("2026-07-01")})
			require.NoError(t, err)
			both[i] = s.Owed
		}
		require.Equal(t, both[0], both[1], "one accusation, whatever the view")
		return both[0]
	}
	require.Equal(t, &report.Owed{Due: 100_000, Paid: 150_000, CarriedOut: 50_000}, owed("2026-02"))
	// April was due on 15 May: 50,000 came on 20 June, two months late at 1 %: 1,000;
	// 30,000 lack still on 1 July, two months: 600.
	require.Equal(t, &report.Owed{Due: 80_000, CarriedIn: 50_000, Unpaid: 30_000, Interest: 1600, Late: []report.Part{
		{Reference: "feb-2", Until: "2026-06-20", Amount: 50_000, Months: 2, Interest: 1000},
		{Until: "2026-07-01", Amount: 30_000, Months: 2, Interest: 600},
	}}, owed("2026-04"))

	// Never more than came late, and nothing that April does not lack.
	sspd("feb-3", "2026-02", "2026-06-21", 7_000)
	require.Equal(t, city.SomeInt(-7_000), period("2026-02-10").Leak2)
	require.Equal(t, city.SomeInt(30_000), period("2026-04-10").Overdue)
	sspd("apr", "2026-04", "2026-05-14", 80_000)
	p = period("2026-04-10")
	require.Equal(t, city.SomeInt(0), p.Leak2)
	require.Zero(t, p.CarriedIn)
	require.Equal(t, city.SomeInt(-57_000), period("2026-02-10").Leak2)
}

// TestNothingIsCarriedToAnother: not to another object or account, nor out of a
// month that is not closed.
func TestNothingIsCarriedToAnother(t *testing.T) {
	overdue := func(f *fake) city.Int {
		out, err := f.reporter(t, true).Reconcile(t.Context(), report.ReconcileQuery{Date: "2026-04-10", Now: at("2026-07-01")})
		require.NoError(t, err)
		return periodOf(t, out, "op-1", pbjt, "N.1").Overdue
	}
	f := lateCity(t)
	f.credits = append(f.credits, report.Credit{Reference: "x", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", Site: "mall-2", PeriodFrom: "2026-02-01", PeriodTo: "2026-02-28", CreditedOn: "2026-05-10", Net: 50_000})
	require.Equal(t, city.SomeInt(80_000), overdue(f))
	f.credits[1].Site = "mall-1"
	require.Equal(t, city.SomeInt(30_000), overdue(f))
	delete(f.closedOn, "2026-02")
	require.Equal(t, city.SomeInt(80_000), overdue(f))
}
