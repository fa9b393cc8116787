package ledger

import (
	"bytes"
	"fmt"
	"math/big"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
)

func TestDueIsRoundedHalfUp(t *testing.T) {
	for _, c := range []struct{ amount, rate, want int64 }{
		{2000, 100_000, 200},
		{2004, 100_000, 200},
		{2005, 100_000, 201},
		{-2005, 100_000, -200},
		{-2006, 100_000, -201},
		{5, 1_000_000, 5},
		{5, rateUnknown, 0},
		{0, 100_000, 0},
		{1 << 62, 1_000_000, 1 << 62},
	} {
		require.Equal(t, c.want, due(c.amount, c.rate), "%d at %d", c.amount, c.rate)
	}
	rapid.Check(t, func(t *rapid.T) {
		amount, rate := rapid.Int64Range(-1<<62, 1<<62).Draw(t, "amount"), rapid.Int64Range(1, whole).Draw(t, "rate")
		// floor((2 x amount x rate + whole) / (2 x whole))
		n := new(big.Int).Mul(big.NewInt(amount), big.NewInt(2*rate))
		n.Add(n, big.NewInt(whole))
		want := new(big.Int).Div(n, big.NewInt(2*whole)) // rounds down for a positive divisor
		require.Equal(t, want.Int64(), due(amount, rate))
	})
}

// However a day is grouped, what is due is the same to the rupiah: rounded once
// for each site and account.
func TestDueAddsUpInEveryGroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cell {
			return cell{
				rapid.Int32Range(1, 3).Draw(t, "party"), rapid.SampledFrom(city.Classes).Draw(t, "class"),
				rapid.SampledFrom(city.Methods).Draw(t, "method"),
				sums{1, 0, rapid.Int64Range(-9999, 9999).Draw(t, "amount")},
			}
		}), 0, 20).Draw(t, "cells")
		cells = mergeCells(nil, cells)
		byParty, got := map[int32]int64{}, map[int32]int64{}
		for _, c := range cells {
			byParty[c.party] += c.amount
		}
		dues(cells, func(int32) int64 { return 100_000 }, func(c *cell, due int64) { got[c.party] += due })
		for party, amount := range byParty {
			require.Equal(t, due(amount, 100_000), got[party])
		}
	})
}

func TestDailyGroupsAndFilters(t *testing.T) {
	f := newFollower(t)
	a, b, c, d := &till{device: "meter-a"}, &till{device: "meter-b"}, &till{device: "meter-c"}, &till{device: "meter-d"}
	apply(t, f, log(
		a.paper(day0, "1", 2000, city.Cash), a.paper(day0+23*hour+59*minute, "2", 2000, city.QRIS), a.paper(day0+24*hour, "3", 2000, city.Cash),
		b.paper(day0+hour, "1", 5000, city.Card), c.paper(day0+hour, "1", 5005, city.Cash), d.paper(day0+hour, "1", 7000, city.EMoney),
	))
	daily := func(q DailyQuery) map[string]string {
		q.FromDate, q.ToDate = "2026-03-01", "2026-03-04"
		rows, err := f.Daily(t.Context(), q)
		require.NoError(t, err)
		got := map[string]string{}
		for i, r := range rows {
			if i > 0 {
				require.Less(t, rows[i-1].Date+rows[i-1].Key, r.Date+r.Key, "sorted")
			}
			got[r.Date[8:]+" "+r.Key] = fmt.Sprintf("%s %d %d %d", r.Name, r.Receipts, r.Recorded, r.Due)
		}
		return got
	}
	require.Equal(t, map[string]string{
		"02 site-a": "SITE-A 2 4000 4000", "02 site-b": "SITE-B 1 5000 3500", "02 site-c": "SITE-C 1 5005 501", "02 site-d": "SITE-D 1 7000 700",
		"03 site-a": "SITE-A 1 2000 2000",
	}, daily(DailyQuery{Group: "site"}))
	require.Equal(t, map[string]string{"02 op-1": "Operator Satu 1 5005 501", "02 op-2": "Operator Dua 1 7000 700", "02 city": "Kota 3 9000 7500", "03 city": "Kota 1 2000 2000"},
		daily(DailyQuery{Group: "operator"}))
	require.Equal(t, map[string]string{
		"02 " + accountPBJT: "PBJT Parkir 2 12005 1201", "02 " + accountStreet: "Tepi Jalan 2 4000 4000",
		"02 " + accountSpecial: "Tempat Khusus 1 5000 3500", "03 " + accountStreet: "Tepi Jalan 1 2000 2000",
	}, daily(DailyQuery{Group: "account"}))
	require.Equal(t, map[string]string{
		"02 cash": " 2 7005 2501", "02 qris": " 1 2000 2000", "02 card": " 1 5000 3500", "02 emoney": " 1 7000 700", "03 cash": " 1 2000 2000",
	}, daily(DailyQuery{Group: "method"}))
	require.Equal(t, map[string]string{"02 op-1": "Operator Satu 1 5005 501"}, daily(DailyQuery{Group: "operator", Operator: "op-1"}))
	require.Equal(t, map[string]string{"02 car": " 3 9000 7500", "03 car": " 1 2000 2000"}, daily(DailyQuery{Group: "class", Accounts: f.Accounts("dishub")}))
	require.Empty(t, daily(DailyQuery{Group: "class", Accounts: []string{}}))
	require.Equal(t, []string{accountStreet, accountSpecial}, f.Accounts("dishub"))
	require.Equal(t, []string{}, f.Accounts("satpol"))
	for _, q := range []DailyQuery{{FromDate: "x", ToDate: "2026-01-01", Group: "site"}, {FromDate: "2026-01-01", ToDate: "x", Group: "site"}, {FromDate: "2026-01-01", ToDate: "2026-01-02", Group: "x"}} {
		_, err := f.Daily(t.Context(), q)
		require.Equal(t, city.KindInvalid, city.KindOf(err))
	}
}

func TestSummary(t *testing.T) {
	f := newFollower(t)
	meters := map[string]*till{}
	var readings []*city.Reading
	pay := func(site string, method city.Method, amount int64) {
		if meters[site] == nil {
			meters[site] = &till{device: "meter-" + site}
		}
		readings = append(readings, meters[site].paper(day0, strconv.Itoa(len(readings)), amount, method))
	}
	total := func(year int) map[string]AccountTotal {
		apply(t, f, log(readings...))
		rows, err := f.Summary(t.Context(), year, false)
		require.NoError(t, err)
		require.Len(t, rows, 3)
		got := map[string]AccountTotal{}
		for _, r := range rows {
			got[r.Account] = r
		}
		return got
	}
	pay("c", city.Cash, 10_000)
	pay("d", city.QRIS, 20_000)
	pay("a", city.Cash, 3000)
	pay("a", city.Card, 2000)
	pay("a", city.Subscription, 500)
	got := total(2026)
	require.Equal(t, AccountTotal{Account: accountPBJT, Name: "PBJT Parkir", Target: city.SomeInt(900_000), Suppressed: true}, got[accountPBJT], "two taxpayers; perubahan wins")
	require.Equal(t, AccountTotal{
		Account: accountStreet, Name: "Tepi Jalan", Target: city.SomeInt(30_000), Recorded: city.SomeInt(5500), Due: city.SomeInt(5500),
		InSettlement: city.SomeInt(2000), Realized: city.SomeInt(0),
	}, got[accountStreet])
	require.Equal(t, AccountTotal{
		Account: accountSpecial, Name: "Tempat Khusus", Recorded: city.SomeInt(0), Due: city.SomeInt(0), InSettlement: city.SomeInt(0), Realized: city.SomeInt(0),
	}, got[accountSpecial], "every account is listed")
	pay("e", city.EMoney, 5000)
	pay("f", city.EMoney, 5000) // the same taxpayer
	require.Equal(t, AccountTotal{
		Account: accountPBJT, Name: "PBJT Parkir", Target: city.SomeInt(900_000), Recorded: city.SomeInt(40_000), Due: city.SomeInt(4000),
		InSettlement: city.SomeInt(30_000), Realized: city.SomeInt(0),
	}, total(2026)[accountPBJT])
	got = total(2025)
	require.True(t, got[accountPBJT].Suppressed)
	require.Equal(t, AccountTotal{
		Account: accountStreet, Name: "Tepi Jalan", Recorded: city.SomeInt(0), Due: city.SomeInt(0), InSettlement: city.SomeInt(0), Realized: city.SomeInt(0),
	}, got[accountStreet])
}

// A change of operator, levy or rate changes no past day.
func TestAChangeChangesNoPastDay(t *testing.T) {
	tl := testTimeline(t)
	files := testFiles()
	files["sites.geojson"] = bytes.Replace(files["sites.geojson"], []byte(`"operator":"op-1"`), []byte(`"operator":"op-2"`), 1)
	files["accounts.csv"] = bytes.Replace(files["accounts.csv"], []byte(",0.1,,"), []byte(",0.05,,"), 1)
	const accepted = 100
	tl.Accept(accepted, day0+day, parseVersion(t, files))
	f := testFollower(t, filepath.Join(t.TempDir(), "ledger.db"), tl)
	c := &till{device: "meter-c"}
	entries := log(c.paper(day0+hour, "1", 1000, city.Cash), c.paper(day0+2*day, "2", 1000, city.Cash), c.paper(day0+2*hour, "3", 1000, city.Cash),
		c.void(day0+3*day, "1", 1000))
	for i := range entries { // all come after the change
		entries[i].Pos += accepted
	}
	apply(t, f, entries)
	rows, err := f.Daily(t.Context(), DailyQuery{FromDate: "2026-03-01", ToDate: "2026-04-01", Group: "operator"})
	require.NoError(t, err)
	require.Equal(t, []DailyRow{
		{Date: "2026-03-02", Key: "op-1", Name: "Operator Satu", Receipts: 2, Recorded: 2000, Due: 200},
		{Date: "2026-03-04", Key: "op-2", Name: "Operator Dua", Receipts: 1, Recorded: 1000, Due: 50},
		{Date: "2026-03-05", Key: "op-1", Name: "Operator Satu", Receipts: -1, Voids: 1, Recorded: -1000, Due: -100},
	}, rows, "a void takes from where its receipt was added")
	tariffs := []string{}
	for _, r := range allReceipts(t, f) {
		tariffs = append(tariffs, r.Operator+" "+r.Tariff)
	}
	require.Equal(t, []string{"op-1 hourly@2020-01-01", "op-1 hourly@2020-01-01", "op-2 hourly@2026-03-03", "op-1 hourly@2020-01-01"}, tariffs)
}

func TestTheTariffIsThatOfEntry(t *testing.T) {
	f := newFollower(t)
	b := &till{device: "meter-b"}
	r := b.paper(day0+day+hour, "1", 5000, city.Cash)
	r.Receipt.EnteredAt = city.SomeInt(day0 + 23*hour)
	apply(t, f, log(r))
	require.Equal(t, "hourly@2020-01-01", allReceipts(t, f)[0].Tariff)
}

func TestReceiptsInPages(t *testing.T) {
	f := newFollower(t)
	var readings []*city.Reading
	for i, id := range []string{"a", "b", "c", "d"} {
		m := &till{device: "meter-" + id}
		for k := range 25 {
			readings = append(readings, m.paper(day0+int64(k)*hour+int64(i%2), strconv.Itoa(k), 1000, city.Cash))
		}
	}
	readings[0].HasBoot = false
	apply(t, f, log(readings...))
	for _, q := range []struct {
		ReceiptQuery
		want int
	}{
		{ReceiptQuery{From: day0, To: day0 + 2*day}, 100},
		{ReceiptQuery{From: day0 + hour, To: day0 + 3*hour}, 8},
		{ReceiptQuery{From: day0, To: day0 + 2*day, Site: "site-b"}, 25},
		{ReceiptQuery{From: day0, To: day0 + 2*day, Operator: "city"}, 50},
		{ReceiptQuery{From: day0, To: day0 + 2*day, Operator: "op-1", Site: "site-b"}, 0},
	} {
		for _, limit := range []int{1, 7, 0, 1000} {
			q.Limit, q.After = limit, ""
			seen := map[string]bool{}
			var last Receipt
			for {
				rs, next, err := f.Receipts(t.Context(), q.ReceiptQuery)
				require.NoError(t, err)
				for _, r := range rs {
					require.False(t, seen[r.ID])
					require.True(t, r.At > last.At || r.At == last.At && r.Pos > last.Pos, "in order")
					require.True(t, r.At >= q.From && r.At < q.To)
					seen[r.ID], last = true, r
				}
				if next == "" {
					break
				}
				q.After = next
			}
			require.Len(t, seen, q.want)
		}
	}
	rs, _, err := f.Receipts(t.Context(), ReceiptQuery{Site: "site-a", From: day0, To: day0 + 2*hour})
	require.NoError(t, err)
	require.Equal(t, "meter-a::1", rs[0].ID)
	require.Equal(t, "meter-a:0:2", rs[1].ID)
	for _, cursor := range []string{"x", ".", "1.", "1.-1", "é.1"} {
		_, _, err := f.Receipts(t.Context(), ReceiptQuery{To: 1, After: cursor})
		require.Equal(t, city.KindInvalid, city.KindOf(err), cursor)
	}
}
