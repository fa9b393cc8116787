package tariff_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/tariff"
)

// What a stay costs can cost so much.
func TestCanCostDeniesNoPrice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book, entered := drawBook(t, true), drawEntered(t)
		left := entered + rapid.Int64Range(0, 4*dayMs).Draw(t, "stay")
		v, err := book.Version("t", entered, calendar().Zone)
		require.NoError(t, err)
		amount := price(t, book, entered, left)
		require.True(t, v.CanCost(city.Car, amount), "%d", amount)
	})
}

func TestCanCost(t *testing.T) {
	for name, c := range map[string]struct {
		rates string
		can   []city.Rupiah
		never []city.Rupiah
	}{
		"flat":      {"flat: 2000", []city.Rupiah{2000}, []city.Rupiah{0, 1000, 4000, 2001}},
		"intervals": {"first: {minutes: 60, amount: 4000}\n        next: {minutes: 60, amount: 2000}\n        lost_ticket: 25000", []city.Rupiah{4000, 6000, 40_000, 29_000}, []city.Rupiah{0, 2000, 5000, 25_000, 4001}},
		"free":      {"flat: 3000\n        free_minutes: 10", []city.Rupiah{0, 3000}, []city.Rupiah{1000, 6000}},
		"each day":  {"flat: 3000\n        each_day: true", []city.Rupiah{3000, 9000}, []city.Rupiah{0, 4000}},
	} {
		t.Run(name, func(t *testing.T) {
			book, faults := tariff.ParseYAML([]byte("tariffs:\n- id: t\n  name: t\n  versions:\n  - from: 2000-01-01\n    legal_basis: t\n    classes:\n      car:\n        " + c.rates + "\n"))
			require.Empty(t, faults)
			v, err := book.Version("t", 1773500000000, calendar().Zone)
			require.NoError(t, err)
			for _, amount := range c.can {
				require.True(t, v.CanCost(city.Car, amount), "%d", amount)
			}
			for _, amount := range c.never {
				require.False(t, v.CanCost(city.Car, amount), "%d", amount)
			}
			require.False(t, v.CanCost(city.Bus, 2000))
			require.False(t, v.CanCost(city.Car, -1))
		})
	}
}
