package ledger

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// totalled sets the meter's totals.
func totalled(r *city.Reading, count, amount int64) *city.Reading {
	r.Receipt.TotalCount, r.Receipt.TotalAmount = city.SomeInt(count), city.SomeInt(amount)
	return r
}

func TestTotalsOfTheMeter(t *testing.T) {
	type readings = []*city.Reading
	for name, c := range map[string]struct {
		readings func(m *till) readings
		want     [][]string // in the meter's own order
	}{
		"as ours": {func(m *till) readings {
			return readings{
				totalled(m.paper(day0, "1", 2000, city.Cash), 100, 200_000), totalled(m.paper(day0+1, "2", 3000, city.Cash), 101, 203_000),
				totalled(m.void(day0+2, "2", 3000), 100, 200_000), totalled(m.paper(day0+3, "1", 2000, city.Cash), 100, 200_000),
			}
		}, [][]string{{}, {}, {}, {"reprint"}}},
		"a receipt is missing": {func(m *till) readings {
			return readings{totalled(m.paper(day0, "1", 2000, city.Cash), 100, 200_000), totalled(m.paper(day0+1, "3", 2000, city.Cash), 102, 204_000)}
		}, [][]string{{}, {"total_gap"}}},
		"the meter takes back": {func(m *till) readings {
			return readings{totalled(m.paper(day0, "1", 2000, city.Cash), 100, 200_000), totalled(m.paper(day0+1, "3", 2000, city.Cash), 98, 190_000)}
		}, [][]string{{}, {"total_rollback"}}},
		"the meter begins anew": {func(m *till) readings {
			first := totalled(m.paper(day0, "1", 2000, city.Cash), 100, 200_000)
			m.boot, m.seq = m.boot+1, 0
			return readings{first, totalled(m.paper(day0+1, "3", 2000, city.Cash), 1, 2000)}
		}, [][]string{{}, {"total_reset"}}},
		"totals survive a boot": {func(m *till) readings {
			first := totalled(m.paper(day0, "1", 2000, city.Cash), 100, 200_000)
			m.boot, m.seq = m.boot+1, 0
			return readings{first, totalled(m.paper(day0+1, "3", 2000, city.Cash), 101, 202_000)}
		}, [][]string{{}, {}}},
		"a number that the meter counted and we took for a reprint": {func(m *till) readings {
			return readings{totalled(m.paper(day0, "1", 2000, city.Cash), 100, 200_000), totalled(m.paper(day0+day, "1", 2000, city.Cash), 101, 202_000)}
		}, [][]string{{}, {"reprint", "total_gap"}}},
		"the amount alone": {func(m *till) readings {
			a, b := totalled(m.paper(day0, "1", 2000, city.Cash), 0, 200_000), totalled(m.paper(day0+1, "2", 2000, city.Cash), 0, 201_000)
			a.Receipt.TotalCount, b.Receipt.TotalCount = city.Int{}, city.Int{}
			return readings{a, b}
		}, [][]string{{}, {"total_rollback"}}},
		"no totals": {func(m *till) readings {
			return readings{totalled(m.paper(day0, "1", 2000, city.Cash), 5, 1), m.paper(day0+1, "2", 2000, city.Cash), totalled(m.paper(day0+2, "3", 2000, city.Cash), 900, 1)}
		}, [][]string{{}, {}, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			own := c.readings(&till{device: "meter-a", boot: 7})
			permutations(len(own), func(order []int) { // in any order of arrival
				f := openIn(t, filepath.Join(t.TempDir(), fmt.Sprint(order)))
				defer func() { _ = f.Close() }()
				arrival := make(readings, len(own))
				for i, at := range order {
					arrival[at] = own[i]
				}
				entries := log(arrival...)
				for i := range entries {
					apply(t, f, entries[i:i+1])
				}
				got := map[string][]string{}
				for _, r := range allReceipts(t, f) {
					got[r.ID] = r.Flags
				}
				for i, r := range own {
					flags := []string{}
					for _, flag := range got[ReceiptID(r)] {
						if flag != "corrected" {
							flags = append(flags, flag)
						}
					}
					require.Equal(t, c.want[i], flags, "reading %d, arrival %v", i, order)
				}
			})
		})
	}
}

// permutations calls f with every order of 0..n-1.
func permutations(n int, f func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var rec func(k int)
	rec = func(k int) {
		if k == n {
			f(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			rec(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	rec(0)
}
