package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// TestCreditsOfASpan: those whose period touches it, also where it began months
// before; none that was taken back.
func TestCreditsOfASpan(t *testing.T) {
	b := newBench(t)
	of := func(reference, from, to string) *journal.Deposit {
		return deposit(reference, "STS", 1_000, 0, func(d *journal.Deposit) { d.PeriodFrom, d.PeriodTo = from, to })
	}
	b.book(t, day0, of("day", "2026-02-10", "2026-02-10"), of("over", "2026-01-28", "2026-02-03"), of("year", "2025-01-01", "2026-12-31"),
		of("before", "2025-12-30", "2026-01-31"), of("after", "2026-03-01", "2026-04-02"), of("out", "2026-02-26", "2026-03-04"), of("gone", "2026-02-27", "2026-03-05"))
	back := of("back", "2026-02-27", "2026-03-05")
	back.Reverses = "gone"
	b.book(t, day0, back)
	span := func(from, to string) (got []string) {
		require.NoError(t, b.f.EachCredit(t.Context(), from, to, func(d *journal.Deposit) { got = append(got, d.Reference) }))
		return got
	}
	require.Equal(t, []string{"day", "over", "year", "out"}, span("2026-02-01", "2026-03-01"))
	require.Equal(t, []string{"year", "after", "out"}, span("2026-03-02", "2026-03-03"))
	require.Equal(t, []string{"year"}, span("2026-07-01", "2026-08-01"))
	require.Empty(t, span("2027-01-01", "2028-01-01"))
	b.verify(t)
}

// TestWhatWasCreditedIsAsInTheSummary: by day and by month, less what was taken
// back when it was.
func TestWhatWasCreditedIsAsInTheSummary(t *testing.T) {
	b := newBench(t)
	on := func(day string) func(*journal.Deposit) { return func(d *journal.Deposit) { d.CreditedOn = day } }
	b.book(t, april(20, 0), deposit("a", "STS", 5_000, 0, on("2026-03-02")), deposit("b", "settlement", 3_000, 20, on("2026-03-02")),
		deposit("old", "STS", 7_000, 0, on("2025-12-30")))
	b.book(t, april(20, 0), deposit("c", "STS", 5_000, 0, on("2026-04-05"), reverses("a")), deposit("d", "STS", 7_000, 0, on("2026-01-02"), reverses("old")))
	got := map[bool]map[string]int64{}
	for _, daily := range []bool{false, true} {
		sums := map[string]int64{}
		require.NoError(t, b.f.EachCredited(t.Context(), 2026, daily, func(c *Credited) { sums[c.On] += int64(c.Net) }))
		got[daily] = sums
	}
	require.Equal(t, map[string]int64{"2026-03-02": 7_980, "2026-04-05": -5_000, "2026-01-02": -7_000}, got[true])
	require.Equal(t, map[string]int64{"2026-03-01": 7_980, "2026-04-01": -5_000, "2026-01-01": -7_000}, got[false])
	require.Equal(t, city.SomeInt(-4_020), b.account(t, accountStreet).Realized)
}

// TestBooksOfBeforeStayAsTheyWere: acts up to where the file was opened by this
// program count as before; verify knows.
func TestBooksOfBeforeStayAsTheyWere(t *testing.T) {
	b := newBench(t)
	b.f.since = 3 // as where an older program booked the first two
	_, err := b.f.db.W.Exec("UPDATE cursor SET since = 3")
	require.NoError(t, err)
	b.book(t, day0, karcis("k-1", "issued", 1, 100), karcis("k-2", "sold", 1, 10))
	over := deposit("d-1", "SSPD", 1_000, 0, pbjt("op-1", ""), func(d *journal.Deposit) { d.PeriodTo = "2026-04-30" })
	b.book(t, day0, over)
	require.Empty(t, b.daily(t, "site", false))
	require.Equal(t, 0, count(t, b, "SELECT count(*) FROM credit WHERE block > 0"))
	back := karcis("k-3", "sold", 1, 10)
	back.Reverses = "k-2"
	b.book(t, day0, back, karcis("k-4", "sold", 1, 4))
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 8_000}, b.daily(t, "site", false))
	b.book(t, day0, deposit("d-2", "SSPD", 1_000, 0, pbjt("op-1", "")))
	require.Equal(t, 1, count(t, b, "SELECT count(*) FROM credit WHERE block > 0"))
	b.reopen(t)
	b.verify(t)
}

func count(t *testing.T, b *bench, query string) (n int) {
	t.Helper()
	require.NoError(t, b.f.db.R.QueryRow(query).Scan(&n))
	return n
}
