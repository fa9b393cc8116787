package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/report"
)

// other gives the last sum to another party.
func (f *fake) other(operator, npwpd, account string, levy inventory.Levy) {
	s := &f.sums[len(f.sums)-1]
	s.Operator, s.NPWPD, s.Account, s.Levy = operator, npwpd, account, levy
}

// TestADayOfTwoOperators: one ran the street in the morning, another one in the
// afternoon; each owes what he took, and pays it himself.
func TestADayOfTwoOperators(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 2, 4000)
	f.other("op-9", "P.9", street, inventory.LevyStreet)
	f.add(date, "street-1", city.Car, city.Cash, 3, 6000)
	f.expected["street-1"] = answer(9000, 10_000, 12_000)
	sts := func(reference, operator string, net city.Rupiah) report.Credit {
		return report.Credit{Reference: reference, Kind: report.KindSTS, Account: street, Operator: operator, Site: "street-1", PeriodFrom: date, PeriodTo: date, CreditedOn: "2026-03-03", Gross: net, Net: net}
	}
	f.credits = []report.Credit{sts("a", "dishub", 6000), sts("b", "op-9", 1500)}
	s := siteOf(t, reconcile(t, f, "2026-03-10"), "street-1")
	require.Empty(t, s.Operator, "there is no one operator")
	require.Empty(t, s.NPWPD)
	require.Equal(t, street, s.Account)
	require.Equal(t, inventory.LevyStreet, s.Levy)
	require.EqualValues(t, 10_000, s.Recorded)
	require.EqualValues(t, 5, s.Receipts)
	require.Equal(t, city.SomeInt(10_000), s.Due)
	require.Equal(t, city.SomeInt(7500), s.Deposited)
	require.Equal(t, city.SomeInt(2500), s.Leak2)
	require.Equal(t, report.LeakKnown, s.Leak2State)
	require.EqualValues(t, 0, s.Leak1.Mid, "what was expected is of the place")
	require.Len(t, s.Parties, 2)
	nine, dishub := s.Parties[0], s.Parties[1]
	require.Equal(t, "op-9", nine.Operator)
	require.Equal(t, "P.9", nine.NPWPD)
	require.EqualValues(t, 4000, nine.Recorded)
	require.Equal(t, city.SomeInt(2500), nine.Leak2)
	require.Equal(t, "dishub", dishub.Operator)
	require.Equal(t, city.SomeInt(6000), dishub.Deposited)
	require.Equal(t, city.SomeInt(0), dishub.Leak2)

	two := siteOf(t, reconcile(t, f, "2026-03-10"), "street-2")
	require.Equal(t, "dishub", two.Operator)
	require.Empty(t, two.Parties, "one party is told above")
}

// TestADayOfTwoLevies: a street that became a taxpayer's place at noon. What is
// due of the morning is known by the day, of the afternoon by the month.
func TestADayOfTwoLevies(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 2, 4000)
	f.add(date, "street-1", city.Car, city.Cash, 3, 60_000)
	f.other("op-1", "P.1", pbjt, inventory.LevyPBJT)
	f.sums[1].NOPD, f.sums[1].RatePPM, f.sums[1].Due = "N.9", 100_000, 6000
	s := siteOf(t, reconcile(t, f, "2026-03-10"), "street-1")
	require.Equal(t, [3]string{}, [3]string{s.Operator, s.Account, string(s.Levy)})
	require.Equal(t, city.SomeInt(10_000), s.Due)
	require.Equal(t, "2026-04-15", s.DueBy)
	require.False(t, s.Leak2.OK || s.Overdue.OK)
	require.Equal(t, report.LeakNotYet, s.Leak2State)
	require.Equal(t, city.SomeInt(4000), s.Parties[0].Overdue)
	require.Equal(t, report.LeakKnown, s.Parties[0].Leak2State)
	require.Equal(t, "N.9", s.Parties[1].NOPD)
	require.Equal(t, report.LeakNotYet, s.Parties[1].Leak2State)
	require.Equal(t, "2026-03-03", s.Parties[0].DueBy)
}

// TestACreditOfWhoHasNothingRecorded: he ran the site that morning, nothing was
// recorded of him, and what he paid for the day is told.
func TestACreditOfWhoHasNothingRecorded(t *testing.T) {
	f := newFake(t)
	f.add(date, "street-1", city.Car, city.Cash, 3, 6000)
	f.credits = []report.Credit{{Reference: "b", Kind: report.KindSTS, Account: street, Operator: "op-2", Site: "street-1", PeriodFrom: date, PeriodTo: date, CreditedOn: "2026-03-03", Gross: 1500, Net: 1500}}
	s := siteOf(t, reconcile(t, f, "2026-03-10"), "street-1")
	require.Len(t, s.Parties, 2)
	require.Equal(t, city.SomeInt(6000), s.Parties[0].Leak2, "dishub lacks it all")
	require.Equal(t, "P.2", s.Parties[1].NPWPD)
	require.Equal(t, city.SomeInt(-1500), s.Parties[1].Leak2)
	require.Equal(t, city.SomeInt(1500), s.Deposited)
	require.Equal(t, city.SomeInt(4500), s.Leak2)
}
