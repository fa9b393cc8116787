package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func TestRealizedIsWhatTheTreasuryConfirmed(t *testing.T) {
	b := newBench(t)
	m := &till{device: "meter-a", boot: 1}
	b.read(t, m.paper(day0, "1", 10_000, city.QRIS), m.paper(day0, "2", 4_000, city.Cash))
	require.Equal(t, [2]city.Int{city.SomeInt(10_000), city.SomeInt(0)}, b.settling(t, accountStreet))
	// A QRIS rupiah that comes back in its settlement file is realized once.
	b.book(t, day0, deposit("d-1", "settlement", 7_000, 49))
	require.Equal(t, [2]city.Int{city.SomeInt(3_000), city.SomeInt(6_951)}, b.settling(t, accountStreet))
	b.book(t, day0, deposit("d-1", "settlement", 7_000, 49))
	require.Equal(t, [2]city.Int{city.SomeInt(3_000), city.SomeInt(6_951)}, b.settling(t, accountStreet))
	b.book(t, day0, deposit("d-2", "STS", 4_000, 0))
	require.Equal(t, [2]city.Int{city.SomeInt(3_000), city.SomeInt(10_951)}, b.settling(t, accountStreet))
	b.book(t, day0, deposit("d-3", "settlement", 9_000, 0))
	require.Equal(t, [2]city.Int{city.SomeInt(0), city.SomeInt(19_951)}, b.settling(t, accountStreet), "never below 0")
	// Credited in this year for the one before: realized now, and settles then.
	old := func(d *journal.Deposit) { d.PeriodFrom, d.PeriodTo = "2025-12-30", "2025-12-31" }
	b.book(t, day0, deposit("d-4", "settlement", 1_000, 0, old), deposit("d-5", "settlement", 9_000, 0, reverses("d-3")))
	require.Equal(t, [2]city.Int{city.SomeInt(3_000), city.SomeInt(11_951)}, b.settling(t, accountStreet))
}

func TestALateCreditTellsNoTaxpayersFigure(t *testing.T) {
	b := newBench(t)
	for i, device := range []string{"meter-c", "meter-d", "meter-e"} {
		m := &till{device: device, boot: 1}
		b.read(t, m.paper(day0, "1", int64(10_000*(i+1)), city.QRIS))
	}
	total := func() AccountTotal { return b.account(t, accountPBJT) }
	require.Equal(t, city.SomeInt(60_000), total().Recorded)
	require.Equal(t, city.SomeInt(0), total().Realized, "nobody has paid")
	for i, operator := range []string{"op-1", "op-2"} {
		b.book(t, day0, deposit(operator, "settlement", int64(1_000*(i+1)), 0, pbjt(operator, "")))
		a := total()
		require.True(t, a.Suppressed)
		require.False(t, a.Realized.OK)
		require.False(t, a.InSettlement.OK, "it would tell the settlement by its change")
		require.Equal(t, city.SomeInt(60_000), a.Recorded)
	}
	b.book(t, day0, deposit("op-3", "settlement", 3_000, 0, pbjt("op-3", "")))
	require.Equal(t, city.SomeInt(6_000), total().Realized)
	require.Equal(t, city.SomeInt(54_000), total().InSettlement)
	require.False(t, total().Suppressed)
	// What one or two do after that is told with the third: figures of two
	// moments differ by three taxpayers.
	b.book(t, day0, deposit("back", "settlement", 3_000, 0, pbjt("op-3", ""), reverses("op-3")))
	b.book(t, day0, deposit("op-1b", "settlement", 500, 0, pbjt("op-1", "")))
	require.Equal(t, city.SomeInt(6_000), total().Realized)
	require.Equal(t, city.SomeInt(54_000), total().InSettlement)
	require.True(t, total().Withheld)
	b.book(t, day0, deposit("op-1c", "settlement", 500, 0, pbjt("op-1", "")))
	require.Equal(t, city.SomeInt(6_000), total().Realized, "the same one again")
	b.book(t, day0, deposit("op-3b", "settlement", 900, 0, pbjt("op-3", "")))
	b.book(t, day0, deposit("op-2b", "settlement", 400, 0, pbjt("op-2", "")))
	require.Equal(t, city.SomeInt(5_300), total().Realized)
	require.False(t, total().Withheld)
	b.verify(t)

	// Two taxpayers of what is recorded stay untold, whoever else pays.
	b = newBench(t)
	for _, device := range []string{"meter-c", "meter-d"} {
		b.read(t, (&till{device: device, boot: 1}).paper(day0, "1", 10_000, city.Cash))
	}
	for _, operator := range []string{"op-1", "op-2", "op-3"} {
		b.book(t, day0, deposit(operator, "SSPD", 1_000, 0, pbjt(operator, "")))
	}
	require.False(t, total().Recorded.OK)
	require.False(t, total().Due.OK)
	require.False(t, total().InSettlement.OK)
	require.Equal(t, city.SomeInt(3_000), total().Realized)
}

// What a mall took in without cash is its own: the city waits for the tax of it,
// and an SSPD covers as much of it as it is of the month's tax.
func TestPBJTInSettlementUntilItsTaxIsCredited(t *testing.T) {
	b := newBench(t)
	for i, device := range []string{"meter-c", "meter-d", "meter-e"} {
		m := &till{device: device, boot: 1}
		b.read(t, m.paper(day0, "1", int64(10_000*(i+1)), city.QRIS), m.paper(day0, "2", 10_000, city.Cash))
	}
	left := func() city.Int { return b.account(t, accountPBJT).InSettlement }
	require.Equal(t, city.SomeInt(60_000), left())
	sspd := func(reference, operator string, amount int64) *journal.Deposit {
		d := deposit(reference, "SSPD", amount, 0, pbjt(operator, ""))
		d.PeriodTo = "2026-03-31"
		return d
	}
	// Tax of op-1: 1,000 of 10,000 each; op-2 3,000, op-3 4,000.
	b.book(t, april(10, 0), sspd("s-1", "op-1", 2_000))
	require.False(t, left().OK, "it would tell what one paid")
	b.book(t, april(10, 0), sspd("s-2", "op-2", 1_500), sspd("s-3", "op-3", 9_999))
	require.Equal(t, city.SomeInt(10_000), left(), "half the tax of op-2 covers half of its 20,000")
	old := sspd("s-4", "op-2", 1_500)
	old.PeriodFrom, old.PeriodTo = "2025-12-01", "2025-12-31"
	b.book(t, april(11, 0), old)
	require.Equal(t, city.SomeInt(10_000), left(), "for another month")
	b.book(t, april(11, 0), sspd("s-5", "op-2", 1_500), sspd("s-6", "op-1", 1), sspd("s-7", "op-3", 1))
	require.Equal(t, city.SomeInt(0), left())
	b.verify(t)
}
