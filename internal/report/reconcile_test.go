package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/expect"
)

const date = "2026-03-02"

func siteOf(t *testing.T, r *report.Reconciliation, id string) report.SiteDay {
	t.Helper()
	for _, s := range r.Sites {
		if s.Site == id {
			return s
		}
	}
	require.Fail(t, "no such site", id)
	return report.SiteDay{}
}

func periodOf(t *testing.T, r *report.Reconciliation, operator, account, nopd string) report.Period {
	t.Helper()
	for _, p := range r.Periods {
		if p.Operator == operator && p.Account == account && p.NOPD == nopd {
			return p
		}
	}
	require.Fail(t, "no such period", "%s %s %s", operator, account, nopd)
	return report.Period{}
}

func reconcile(t *testing.T, f *fake, today string) *report.Reconciliation {
	t.Helper()
	out, err := f.reporter(t, true).Reconcile(t.Context(), report.ReconcileQuery{Date: date, Now: at(today)})
	require.NoError(t, err)
	return out
}

func TestLeak1IsSureOnlyAboveTheLowEnd(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 4, 8000)
	f.add(date, "street-1", city.Motorcycle, city.Cash, 9, 9000) // out of sight: hides nothing
	f.add(date, "street-2", city.ClassUnknown, city.Cash, 4, 8000)
	f.expected["street-1"] = answer(9000, 10_000, 12_000)
	f.expected["street-2"] = answer(7000, 10_000, 12_000)
	f.expected["terminal"] = expect.Answer{Why: expect.NoDays}
	r := reconcile(t, f, "2026-03-03")
	require.Len(t, r.Sites, 6)
	one := siteOf(t, r, "street-1")
	require.EqualValues(t, 17_000, one.Recorded)
	require.EqualValues(t, 8000, one.Compared)
	require.Equal(t, &report.Leak1{Interval: expect.Interval{Low: 1000, Mid: 2000, High: 4000}, Sure: true}, one.Leak1)
	two := siteOf(t, r, "street-2")
	require.Equal(t, &report.Leak1{Interval: expect.Interval{Low: -1000, Mid: 2000, High: 4000}}, two.Leak1)
	require.Nil(t, siteOf(t, r, "terminal").Leak1)
}

func TestLeak2OfARetribusiByDay(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 4, 8000)
	f.add(date, "street-1", city.Car, city.QRIS, 2, 4000)
	f.add(date, "street-2", city.Car, city.Cash, 1, 2000)
	f.credits = []report.Credit{
		{Reference: "sts-1", Kind: report.KindSTS, Account: street, Operator: "dishub", Site: "street-1", PeriodFrom: date, PeriodTo: date, CreditedOn: "2026-03-03", Gross: 7000, Net: 7000},
		{Reference: "q-1", Kind: report.KindSettlement, Account: street, Operator: "dishub", Site: "street-1", PeriodFrom: date, PeriodTo: date, CreditedOn: "2026-03-03", Gross: 4000, Fee: 28, Net: 3972},
	}
	r := reconcile(t, f, "2026-03-03") // due the day after: still in time
	s := siteOf(t, r, "street-1")
	require.Equal(t, report.LeakNotYet, s.Leak2State)
	require.Equal(t, city.SomeInt(0), s.Overdue)
	require.False(t, s.Leak2.OK)

	r = reconcile(t, f, "2026-03-04")
	s = siteOf(t, r, "street-1")
	require.Equal(t, report.LeakKnown, s.Leak2State)
	require.Equal(t, city.SomeInt(12_000), s.Due)
	require.Equal(t, city.SomeInt(3972), s.Settled)
	require.Equal(t, city.SomeInt(28), s.Fee)
	require.Equal(t, city.SomeInt(7000), s.Deposited)
	require.Equal(t, city.SomeInt(12_000-3972-7000), s.Leak2)
	require.Equal(t, s.Leak2, s.Overdue)
	require.Equal(t, city.SomeInt(2000), siteOf(t, r, "street-2").Leak2, "no credit names it")
	p := periodOf(t, r, "dishub", street, "")
	require.Equal(t, city.SomeInt(14_000-3972-7000), p.Leak2)
	require.Equal(t, []string{"street-1", "street-2"}, p.Sites)
	require.Equal(t, []string{"sts-1", "q-1"}, p.Credits)
}

// TestAPeriodNamesTheSitesThatWerePaidFor, though nothing was recorded there.
func TestAPeriodNamesTheSitesThatWerePaidFor(t *testing.T) {
	f := newFake(t)
	f.credits = []report.Credit{{Reference: "sspd", Kind: report.KindSSPD, Account: pbjt, Operator: "op-2", Site: "mall-3", PeriodFrom: "2026-03-01", PeriodTo: "2026-03-31", CreditedOn: "2026-04-10", Net: 9000}}
	out, err := f.reporter(t, true).Reconcile(t.Context(), report.ReconcileQuery{Date: date, Now: at("2026-04-16"), Site: "mall-3"})
	require.NoError(t, err)
	require.Len(t, out.Periods, 1)
	require.Equal(t, []string{"mall-3"}, out.Periods[0].Sites)
	require.Equal(t, city.SomeInt(-9000), out.Periods[0].Leak2)
}

// TestWhatIsPaidAheadHidesNothing: a day that is overdue stays so however well
// the day is paid that is not due yet.
func TestWhatIsPaidAheadHidesNothing(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 4, 8000)
	f.add("2026-03-04", "street-1", city.Car, city.Cash, 4, 9000)
	f.credits = []report.Credit{
		{Reference: "sts", Kind: report.KindSTS, Account: street, Operator: "dishub", Site: "street-1", PeriodFrom: "2026-03-04", PeriodTo: "2026-03-04", CreditedOn: "2026-03-04", Net: 9000},
	}
	p := periodOf(t, reconcile(t, f, "2026-03-05"), "dishub", street, "")
	require.Equal(t, city.SomeInt(8000), p.DueNow)
	require.Equal(t, city.SomeInt(9000), p.Deposited)
	require.Equal(t, city.SomeInt(8000), p.Leak2)
	require.Equal(t, city.SomeInt(8000), p.Overdue)
	p = periodOf(t, reconcile(t, f, "2026-03-06"), "dishub", street, "")
	require.Equal(t, city.SomeInt(8000), p.Leak2, "both are due now, one is paid")
}

// TestACreditWithoutASite holds that leak_2 then exists by operator and month
// only.
func TestACreditWithoutASite(t *testing.T) {
	for name, c := range map[string]report.Credit{
		"no site":      {PeriodFrom: date, PeriodTo: date},
		"several days": {Site: "street-1", PeriodFrom: date, PeriodTo: "2026-03-08"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.add(date, "street-1", city.Car, city.Cash, 4, 8000)
			f.add("2026-03-03", "street-2", city.Car, city.Cash, 4, 8000)
			c.Reference, c.Kind, c.Account, c.Operator, c.Net, c.CreditedOn = "sts", report.KindSTS, street, "dishub", 5000, "2026-03-09"
			f.credits = []report.Credit{c}
			r := reconcile(t, f, "2026-03-04") // the 2nd is overdue, the 3rd is not
			for _, id := range []string{"street-1", "street-2"} {
				s := siteOf(t, r, id)
				if id == "street-2" && c.Site != "" {
					require.Equal(t, report.LeakKnown, s.Leak2State, "it is not for this one")
					require.Equal(t, city.SomeInt(0), s.Leak2)
					continue
				}
				require.Equal(t, report.LeakByPeriod, s.Leak2State, id)
				require.False(t, s.Leak2.OK)
				require.False(t, s.Deposited.OK)
			}
			p := periodOf(t, r, "dishub", street, "")
			require.Equal(t, city.SomeInt(16_000), p.Due)
			require.Equal(t, city.SomeInt(8000), p.DueNow)
			require.Equal(t, city.SomeInt(3000), p.Leak2)
		})
	}
}

// TestNoMallIsAccusedBeforeItsDueDate holds PBJT to its masa pajak.
func TestNoMallIsAccusedBeforeItsDueDate(t *testing.T) {
	f := newFake(t)
	f.add(date, "mall-1", city.Car, city.Cash, 100, 500_000)
	f.add("2026-03-20", "mall-1", city.Car, city.Cash, 100, 500_005)
	f.add(date, "mall-2", city.Car, city.Cash, 10, 50_000)
	for _, today := range []string{"2026-03-31", "2026-04-15"} {
		r := reconcile(t, f, today)
		p := periodOf(t, r, "op-1", pbjt, "N.1")
		require.Equal(t, "2026-04-15", p.DueBy)
		require.Equal(t, report.LeakNotYet, p.Leak2State)
		require.Equal(t, city.SomeInt(0), p.Overdue)
		require.False(t, p.Leak2.OK)
		require.Equal(t, report.LeakNotYet, siteOf(t, r, "mall-1").Leak2State)
	}
	f.declared = []report.Declaration{{NPWPD: "P.1", NOPD: "N.1", Month: "2026-03", Gross: 900_000, Due: 90_000}}
	f.credits = []report.Credit{{Reference: "sspd", Kind: report.KindSSPD, Account: pbjt, Operator: "op-1", Site: "mall-1", PeriodFrom: "2026-03-01", PeriodTo: "2026-03-31", CreditedOn: "2026-04-10", Net: 90_000}}
	r := reconcile(t, f, "2026-04-16")
	p := periodOf(t, r, "op-1", pbjt, "N.1")
	require.Equal(t, "P.1", p.NPWPD)
	require.Equal(t, city.SomeInt(100_001), p.Due) // 50,000 + 50,000.5
	require.Equal(t, city.SomeInt(10_001), p.Leak2)
	require.Equal(t, city.SomeInt(900_000), p.Declared)
	require.Equal(t, city.SomeInt(5000), periodOf(t, r, "op-1", pbjt, "N.2").Leak2)
	s := siteOf(t, r, "mall-1")
	require.Equal(t, report.LeakByPeriod, s.Leak2State)
	require.False(t, s.Leak2.OK)

	// Without its site it could be for either object: they are one then.
	f.credits[0].Site = ""
	r = reconcile(t, f, "2026-04-16")
	p = periodOf(t, r, "op-1", pbjt, "")
	require.Equal(t, []string{"mall-1", "mall-2"}, p.Sites)
	require.Equal(t, city.SomeInt(15_001), p.Leak2)
	require.Len(t, r.Periods, 1)
}

func TestWithoutATreasuryNothingIsClaimed(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 4, 8000)
	out, err := f.reporter(t, false).Reconcile(t.Context(), report.ReconcileQuery{Date: date, Now: at("2027-01-01")})
	require.NoError(t, err)
	s := siteOf(t, out, "street-1")
	require.Equal(t, report.LeakNoCredit, s.Leak2State)
	require.Equal(t, city.SomeInt(8000), s.Due)
	require.False(t, s.Settled.OK || s.Deposited.OK || s.Leak2.OK || s.Overdue.OK)
	p := periodOf(t, out, "dishub", street, "")
	require.Equal(t, report.LeakNoCredit, p.Leak2State)
	require.False(t, p.Deposited.OK || p.Leak2.OK)
}

func TestPagesOfSites(t *testing.T) {
	f := newFake(t)
	r := f.reporter(t, true)
	var all []string
	for after := ""; ; {
		out, err := r.Reconcile(t.Context(), report.ReconcileQuery{Date: date, Now: at(date), After: after, Limit: 4})
		require.NoError(t, err)
		for _, s := range out.Sites {
			all = append(all, s.Site)
			after = s.Site
		}
		if len(out.Sites) < 4 {
			break
		}
	}
	require.Equal(t, []string{"mall-1", "mall-2", "mall-3", "street-1", "street-2", "terminal"}, all)
	_, err := r.Reconcile(t.Context(), report.ReconcileQuery{Date: "today"})
	require.Error(t, err)
}

// TestADeclarationOfWhatWasNotRecorded: a meter that told nothing and an SPTPD
// stand side by side, and two accounts of a month are always told alike.
func TestADeclarationOfWhatWasNotRecorded(t *testing.T) {
	f := newFake(t)
	f.add(date, "mall-1", city.Car, city.Cash, 1, 5000)
	f.declared = []report.Declaration{
		{Operator: "op-1", NPWPD: "P.1", NOPD: "N.1", Month: "2026-03", Gross: 6000, Due: 600},
		{Operator: "op-2", NPWPD: "P.2", NOPD: "N.3", Month: "2026-03", Gross: 900_000, Due: 90_000},
	}
	r := reconcile(t, f, "2026-04-16")
	require.Equal(t, city.SomeInt(6000), periodOf(t, r, "op-1", pbjt, "N.1").Declared)
	p := periodOf(t, r, "op-2", pbjt, "N.3")
	require.Equal(t, city.SomeInt(900_000), p.Declared)
	require.Equal(t, []string{"mall-3"}, p.Sites)
	require.Zero(t, p.Recorded)
	require.Equal(t, city.SomeInt(0), p.Due)
	require.Equal(t, "2026-04-15", p.DueBy)
	require.Len(t, r.Periods, 2)

	f.sums = append(f.sums, f.sums[0])
	f.sums[1].Account = "4.1.01.11.01.0001" // the account before
	for range 20 {
		r = reconcile(t, f, "2026-04-16")
		require.Equal(t, city.SomeInt(6000), periodOf(t, r, "op-1", pbjt, "N.1").Declared)
	}
}

func TestNoReportOfAYearThatIsNone(t *testing.T) {
	f := newFake(t)
	r := f.reporter(t, true)
	for _, date := range []string{"9999-12-31", "1999-12-31", "2026-02-29"} {
		_, err := r.Reconcile(t.Context(), report.ReconcileQuery{Date: date, Now: at("2026-04-16")})
		var wrong *city.Error
		require.ErrorAs(t, err, &wrong, date)
		require.Equal(t, city.KindInvalid, wrong.Kind)
	}
	for _, month := range []string{"9999-12", "0000-01", "2026-13", "2026-00", ""} {
		_, err := r.Statement(t.Context(), report.StatementQuery{Operator: "op-1", Month: month, Now: at("2026-04-16")})
		var wrong *city.Error
		require.ErrorAs(t, err, &wrong, month)
		require.Equal(t, city.KindInvalid, wrong.Kind)
	}
}

// TestWhichDaysACreditIsFor: a credit of several days hides those days of its
// site, also where they begin in the month before; other days and sites are
// known by themselves.
func TestWhichDaysACreditIsFor(t *testing.T) {
	f := newFake(t)
	for _, site := range []string{"street-1", "street-2", "terminal"} {
		f.add(date, site, city.Car, city.Cash, 4, 8000)
	}
	credit := func(reference, account, operator, site, from, to string, net city.Rupiah) {
		f.credits = append(f.credits, report.Credit{Reference: reference, Kind: report.KindSTS, Account: account, Operator: operator, Site: site, PeriodFrom: from, PeriodTo: to, CreditedOn: "2026-03-09", Gross: net, Net: net})
	}
	credit("week", street, "dishub", "street-1", "2026-02-26", "2026-03-04", 5000)
	credit("day", street, "dishub", "street-2", date, date, 7000)
	credit("other day", street, "dishub", "", "2026-03-05", "2026-03-06", 1000)
	r := reconcile(t, f, "2026-03-10")
	require.Equal(t, report.LeakByPeriod, siteOf(t, r, "street-1").Leak2State)
	two := siteOf(t, r, "street-2")
	require.Equal(t, city.SomeInt(7000), two.Deposited)
	require.Equal(t, city.SomeInt(0), two.Settled)
	require.Equal(t, city.SomeInt(1000), two.Leak2)
	require.Equal(t, city.SomeInt(5600), siteOf(t, r, "terminal").Leak2, "another account, nothing was paid")
	p := periodOf(t, r, "dishub", street, "")
	require.Equal(t, city.SomeInt(8000), p.Deposited, "the week belongs to February")
	require.Equal(t, city.SomeInt(8000), p.Leak2)
}

// TestWhatIsPaidForTodayPaysNothingOverdue: of a month only what is overdue is
// compared.
func TestWhatIsPaidForTodayPaysNothingOverdue(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 4, 8000)
	f.add("2026-03-04", "street-1", city.Car, city.Cash, 4, 8000)
	f.credits = []report.Credit{{Reference: "a", Kind: report.KindSTS, Account: street, Operator: "dishub", Site: "street-1", PeriodFrom: "2026-03-04", PeriodTo: "2026-03-04", CreditedOn: "2026-03-04", Gross: 8000, Net: 8000}}
	p := periodOf(t, reconcile(t, f, "2026-03-04"), "dishub", street, "")
	require.Equal(t, city.SomeInt(8000), p.Deposited)
	require.Equal(t, city.SomeInt(8000), p.DueNow)
	require.Equal(t, city.SomeInt(8000), p.Leak2)
	require.Equal(t, city.SomeInt(8000), periodOf(t, reconcile(t, f, "2026-03-10"), "dishub", street, "").Leak2)
}

func TestSoldKarcisAreRecordedAndNamed(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 3, 6000)
	f.add(date, "street-1", city.Car, city.Cash, 0, 20_000)
	f.add(date, "street-1", city.Car, city.Cash, 0, -6000)
	for i := range f.sums[1:] {
		f.sums[i+1].Karcis, f.sums[i+1].Due = true, f.sums[i+1].Amount
	}
	f.sold = []journal.Karcis{{Series: "A", State: "sold", First: 1, Last: 10, Class: city.Car, Price: 2000, Site: "street-1", Date: date}, {Series: "B", Site: "street-2", Date: "2026-03-03"}}
	f.expected["street-1"] = answer(9000, 22_000, 30_000)
	s := siteOf(t, reconcile(t, f, "2026-03-04"), "street-1")
	require.EqualValues(t, 20_000, s.Recorded)
	require.EqualValues(t, 14_000, s.Karcis)
	require.EqualValues(t, 20_000, s.SoldFor)
	require.EqualValues(t, 20_000, s.Compared)
	require.EqualValues(t, 3, s.Receipts)
	require.Equal(t, f.sold[:1], s.Sold)
	require.Equal(t, city.SomeInt(20_000), s.Leak2)
}
