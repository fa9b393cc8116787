package ledger

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
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
