package ledger

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

func TestSumsAddUpToTheDays(t *testing.T) {
	f := newFollower(t)
	a, c := till{device: "meter-a", boot: 1}, till{device: "meter-c", boot: 1}
	require.NoError(t, f.Apply(log(
		a.paper(day0+hour, "1", 2000, city.Cash), a.paper(day0+2*hour, "2", 2000, city.QRIS), a.void(day0+3*hour, "1", 2000),
		c.paper(day0+hour, "1", 5005, city.Cash), c.paper(day0+25*hour, "2", 5000, city.Subscription),
	)))
	require.NoError(t, f.Flush())
	byDay := map[string]city.Rupiah{}
	var all []Sum
	require.NoError(t, f.EachSum(t.Context(), "2026-03-02", "2026-03-04", func(s *Sum) error {
		byDay[s.Date+" "+s.Site] += s.Amount
		all = append(all, *s)
		return nil
	}))
	require.Equal(t, map[string]city.Rupiah{"2026-03-02 site-a": 2000, "2026-03-02 site-c": 5005, "2026-03-03 site-c": 5000}, byDay)
	for _, s := range all {
		if s.Site == "site-c" && s.Date == "2026-03-02" {
			require.Equal(t, Sum{
				Date: "2026-03-02", Site: "site-c", Kecamatan: "Bekasi Barat", Operator: "op-1", NPWPD: "P.1", NOPD: "NOPD-site-c", Account: accountPBJT,
				Levy: "pbjt", RatePPM: 100_000, Class: city.Car, Method: city.Cash, Receipts: 1, Amount: 5005, Due: 501,
			}, s)
		}
	}
	stop := errors.New("enough")
	require.ErrorIs(t, f.EachSum(t.Context(), "2026-03-02", "2026-03-04", func(*Sum) error { return stop }), stop)
	require.Error(t, f.EachSum(t.Context(), "yesterday", "2026-03-04", nil))
	require.Error(t, f.EachSum(t.Context(), "2026-03-02", "", nil))
}

// TestBothViewsOfTheSums: each sum comes once while nothing came after a close,
// else once a view.
func TestBothViewsOfTheSums(t *testing.T) {
	b := newBench(t)
	m := &till{device: "meter-c", boot: 1}
	b.read(t, m.paper(day0, "1", 5005, city.Cash))
	views := func(from, to string) map[View]map[string]city.Rupiah {
		got := map[View]map[string]city.Rupiah{}
		require.NoError(t, b.f.EachView(t.Context(), from, to, func(s *Sum, v View) error {
			if got[v] == nil {
				got[v] = map[string]city.Rupiah{}
			}
			got[v][s.Date] += s.Due
			return nil
		}))
		return got
	}
	late := func() map[View]map[string]city.Rupiah {
		got := map[View]map[string]city.Rupiah{KnownView: {}, FiledView: {}}
		require.NoError(t, b.f.EachLate(t.Context(), "2026-01-01", "2026-12-01", func(s *Sum, v View) error {
			got[v][s.Date] += s.Due
			return nil
		}))
		return got
	}
	b.read(t, m.paper(day0+day, "other", 7000, city.Cash))
	require.Equal(t, map[View]map[string]city.Rupiah{KnownView: {}, FiledView: {}}, late(), "nothing came after a close")
	march := map[string]city.Rupiah{"2026-03-02": 501, "2026-03-03": 700}
	require.Equal(t, map[View]map[string]city.Rupiah{KnownView | FiledView: march}, views("2026-03-01", "2026-05-01"))
	on, err := b.f.ClosedOn(t.Context(), "2026-03")
	require.NoError(t, err)
	require.Empty(t, on)

	b.book(t, april(10, 8), &journal.Close{Period: "2026-03"})
	b.readAt(t, april(12, 8), m.paper(day0, "2", 5005, city.Cash))
	on, err = b.f.ClosedOn(t.Context(), "2026-03")
	require.NoError(t, err)
	require.Equal(t, "2026-04-10", on)
	require.Equal(t, map[View]map[string]city.Rupiah{
		KnownView: {"2026-03-02": 1001, "2026-03-03": 700}, // 10 % of 10,010 is rounded once
		FiledView: {"2026-03-02": 501, "2026-03-03": 700, "2026-04-12": 501},
	}, views("2026-03-01", "2026-05-01"))
	require.Equal(t, map[View]map[string]city.Rupiah{KnownView: {"2026-03-02": 1001}, FiledView: {"2026-03-02": 501, "2026-04-12": 501}}, late(), "of those days alone")
	require.Empty(t, views("2026-01-01", "2026-02-01"))
	stop := errors.New("enough")
	require.ErrorIs(t, b.f.EachView(t.Context(), "2026-03-01", "2026-05-01", func(*Sum, View) error { return stop }), stop)
	require.Error(t, b.f.EachView(t.Context(), "yesterday", "2026-05-01", nil))
	_, err = b.f.ClosedOn(t.Context(), "March")
	require.Error(t, err)
}
