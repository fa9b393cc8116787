package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// april returns a time of April 2026, Unix ms.
func april(date, hours int) int64 {
	return time.Date(2026, 4, date, hours, 0, 0, 0, wib).UnixMilli()
}

func (b *bench) daily(t require.TestingT, group string, filed bool) map[string]int64 {
	rows, err := b.f.Daily(b.ctx(), DailyQuery{FromDate: "2026-01-01", ToDate: "2027-01-01", Group: group, Filed: filed})
	require.NoError(t, err)
	got := map[string]int64{}
	for _, r := range rows {
		got[r.Date+" "+r.Key] = int64(r.Recorded)
	}
	return got
}

func TestAPeriodClosesOnceAndOnlyWhenItIsOver(t *testing.T) {
	b := newBench(t)
	march := &journal.Close{Period: "2026-03"}
	v := b.book(t, april(1, 0)-1, march)
	require.Equal(t, Refused, v.Outcome)
	require.Equal(t, []Fault{{0, "period", "is not over: it can be closed from 2026-04-01 on"}}, v.Faults)
	require.Equal(t, Refused, b.book(t, april(1, 0), &journal.Close{Period: "2026-13"}).Outcome)
	require.Equal(t, Booked, b.book(t, april(1, 0), march).Outcome)
	require.Equal(t, Known, b.book(t, april(2, 0), march).Outcome)
	b.verify(t)
}

// What comes after the close lands in the next open period, and both views
// show it: a late receipt, a void, a correction.
func TestWhatComesAfterTheCloseIsFiledWithTheNextPeriod(t *testing.T) {
	b := newBench(t)
	m := &till{device: "meter-a", boot: 1}
	b.read(t, m.paper(day0, "1", 2_000, city.Cash), m.paper(day0, "2", 3_000, city.QRIS))
	require.Equal(t, b.daily(t, "site", false), b.daily(t, "site", true), "nothing is closed")
	b.book(t, april(10, 8), &journal.Close{Period: "2026-03"})

	b.readAt(t, april(12, 8), m.paper(day0+day, "3", 5_000, city.Cash)) // late
	b.readAt(t, april(13, 8), m.void(day0, "1", 2_000))                 // of the closed month, by its own time
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 3_000, "2026-03-03 site-a": 5_000}, b.daily(t, "site", false))
	require.Equal(t, map[string]int64{"2026-03-02 site-a": 5_000, "2026-04-12 site-a": 5_000, "2026-04-13 site-a": -2_000}, b.daily(t, "site", true))
	require.Equal(t, b.accountAs(t, accountStreet, false), b.accountAs(t, accountStreet, true), "the year is the same")
	rs := allReceipts(t, b.f)
	flagged := 0
	for _, r := range rs {
		if r.Recv >= april(10, 8) {
			require.Contains(t, r.Flags, "after_close")
			flagged++
		}
	}
	require.Equal(t, 2, flagged)

	// A void in the open month of a receipt in the closed one is its own month's.
	b.readAt(t, april(14, 8), m.void(april(14, 7), "2", 3_000))
	require.EqualValues(t, -3_000, b.daily(t, "site", true)["2026-04-14 site-a"])
	require.EqualValues(t, -3_000, b.daily(t, "site", false)["2026-04-14 site-a"])

	// A receipt that makes a later one its reprint: the correction is filed too.
	b.readAt(t, april(15, 8), m.paper(day0-hour, "3", 5_000, city.Cash))
	require.EqualValues(t, 0, b.daily(t, "site", false)["2026-03-03 site-a"])
	filed := b.daily(t, "site", true)
	require.EqualValues(t, 5_000, filed["2026-03-02 site-a"], "as it was filed")
	require.EqualValues(t, 0, filed["2026-04-15 site-a"], "one more, one less")

	// With April closed as well, May takes what is late for March.
	may := time.Date(2026, 5, 20, 8, 0, 0, 0, wib).UnixMilli()
	b.book(t, may, &journal.Close{Period: "2026-04"})
	b.readAt(t, time.Date(2026, 6, 3, 8, 0, 0, 0, wib).UnixMilli(), m.paper(day0, "9", 1_000, city.Cash))
	require.EqualValues(t, 1_000, b.daily(t, "site", true)["2026-05-31 site-a"], "received after it: its last day")
	b.verify(t)

	want := dump(t, b.f)
	b.reopen(t)
	b.readAt(t, may, m.paper(day0, "10", 1_000, city.Cash))
	require.NotEqual(t, want, dump(t, b.f))
	require.EqualValues(t, 1_000, b.daily(t, "site", true)["2026-05-20 site-a"], "closes survive a restart")
	b.verify(t)
}

// However receipts and closes come: both views have the same sum, the known
// view is the one without closes, and a month is filed as it stood at its close.
func TestBothViewsAddUpToTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, open := newBench(rt), newBench(rt)
		m := &till{device: "meter-a", boot: 1}
		months := []string{"2026-01", "2026-02", "2026-03", "2026-04", "2026-05"}
		closedAs := map[string]int64{}
		recv := time.Date(2026, 1, 5, 0, 0, 0, 0, wib).UnixMilli()
		sum := func(of map[string]int64, month string) (total int64) {
			for key, amount := range of {
				if month == "" || key[:7] == month {
					total += amount
				}
			}
			return total
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			recv += rapid.Int64Range(0, 20).Draw(rt, "wait") * day
			if rapid.IntRange(0, 3).Draw(rt, "what") == 0 {
				month := rapid.SampledFrom(months).Draw(rt, "month")
				if v := b.book(rt, recv, &journal.Close{Period: month}); v.Outcome == Booked {
					closedAs[month] = sum(b.daily(rt, "site", true), month)
				}
				open.pos++ // the same positions
				continue
			}
			r := m.paper(recv-rapid.Int64Range(0, 100).Draw(rt, "age")*day, rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "number"), 1_000, city.Cash)
			r.Receipt.Void = rapid.IntRange(0, 2).Draw(rt, "void") == 0
			b.readAt(rt, recv, r)
			open.readAt(rt, recv, r)
		}
		known, filed := b.daily(rt, "site", false), b.daily(rt, "site", true)
		require.Equal(rt, open.daily(rt, "site", false), known)
		require.Equal(rt, sum(known, ""), sum(filed, ""))
		for month, was := range closedAs {
			require.Equal(rt, was, sum(filed, month), month)
		}
	})
}

// The filed view of the public year tells no taxpayer's late receipts.
func TestTheFiledYearTellsNoTaxpayersLateReceipts(t *testing.T) {
	b := newBench(t)
	december := time.Date(2025, 12, 20, 12, 0, 0, 0, wib).UnixMilli()
	tills := []*till{{device: "meter-c", boot: 1}, {device: "meter-d", boot: 1}, {device: "meter-e", boot: 1}}
	for _, m := range tills {
		b.readAt(t, december, m.paper(december, "1", 10_000, city.Cash))
		b.readAt(t, day0, m.paper(day0, "2", 10_000, city.Cash))
	}
	b.book(t, day0, &journal.Close{Period: "2025-12"})
	b.readAt(t, day0, tills[0].paper(december, "3", 7_000, city.Cash))
	require.Equal(t, city.SomeInt(30_000), b.accountAs(t, accountPBJT, false).Recorded)
	filed := b.accountAs(t, accountPBJT, true)
	require.False(t, filed.Recorded.OK, "known less filed would be one taxpayer's 7,000")
	require.True(t, filed.Suppressed)
	b.readAt(t, day0, tills[1].paper(december, "3", 7_000, city.Cash), tills[2].paper(december, "3", 7_000, city.Cash))
	require.Equal(t, city.SomeInt(51_000), b.accountAs(t, accountPBJT, true).Recorded)
	require.Equal(t, city.SomeInt(0), b.accountAs(t, accountPBJT, true).InSettlement)
	b.readAt(t, day0, tills[2].paper(december, "4", 9_000, city.QRIS))
	require.False(t, b.accountAs(t, accountPBJT, true).InSettlement.OK, "the late QRIS is one taxpayer's")
	require.Equal(t, city.SomeInt(60_000), b.accountAs(t, accountPBJT, true).Recorded)
}

// A change of operator, levy or tariff changes no past day, in either view, nor
// what was credited.
func TestAChangeOfTheInventoryChangesNoPastDay(t *testing.T) {
	tl := testTimeline(t)
	f := testFollower(t, tempFile(t), tl)
	b := &bench{f: f, path: f.db.Path(), pos: 1}
	m := &till{device: "meter-c", boot: 1}
	b.read(t, m.paper(day0, "1", 10_000, city.QRIS))
	b.book(t, april(2, 0), deposit("d-1", "SSPD", 1_000, 0, pbjt("op-1", "site-c")), deposit("d-2", "settlement", 10_000, 70, pbjt("op-1", "site-c")))
	b.book(t, april(2, 0), &journal.Close{Period: "2026-03"})
	was := func() []any {
		return []any{b.daily(t, "operator", false), b.daily(t, "operator", true), b.daily(t, "account", false), b.credits(t)}
	}
	want := was()
	files := testFiles()
	files["sites.geojson"] = replaceAll(files["sites.geojson"], `"operator":"op-1"`, `"operator":"op-9"`, `"levy":"pbjt","tariff"`, `"levy":"special","tariff"`)
	files["operators.csv"] = append(replaceAll(files["operators.csv"], "op-1,Operator Satu,P.1\n", ""), "op-9,Operator Lain,P.9\n"...)
	tl.Accept(b.pos+1, april(3, 0), parseVersion(t, files))
	b.pos++
	require.Equal(t, want, was())
	// Who ran it then can still pay, and a late receipt is still his.
	require.Equal(t, Booked, b.book(t, april(4, 0), deposit("d-3", "SSPD", 500, 0, pbjt("op-1", "site-c"))).Outcome)
	require.Equal(t, Booked, b.book(t, april(4, 0), deposit("d-4", "SSPD", 1_000, 0, pbjt("op-1", "site-c"), reverses("d-1"))).Outcome)
	b.readAt(t, april(4, 0), m.paper(day0, "2", 4_000, city.Cash))
	require.Equal(t, map[string]int64{"2026-03-02 op-1": 14_000}, b.daily(t, "operator", false))
	for _, c := range b.credits(t) {
		require.Equal(t, "P.1", c.NPWPD)
	}
	_, err := f.Verify(context.Background(), VerifyOptions{Options: Options{Timeline: tl, Zone: wib}})
	require.NoError(t, err)
}
