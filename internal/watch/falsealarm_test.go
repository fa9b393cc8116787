package watch

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHonestSiteDaysAreNotAccused draws honest days at the very shares that the
// rules allow, of small sites and large ones: at most one in a thousand may raise
// anything. Days on which a fifth is skimmed are found on all but small sites.
func TestHonestSiteDaysAreNotAccused(t *testing.T) {
	const days = 20_000
	dice := rand.New(rand.NewPCG(7, 8))
	r := newRig(t, &stays{})
	p := r.x.rules.Stays
	share := func(p float64) int64 {
		if dice.Float64() < p {
			return 1
		}
		return 0
	}
	watched := &stays{}
	day := func(n int, skim float64) bool {
		var paid, seen int64
		for range n {
			seen += 1 - share(p.Missed) + share(p.Extra)
			if share(p.Unpaid) == 0 && share(skim) == 0 {
				paid++
			}
		}
		r.said = nil
		d := stayDay{Date: "2026-03-02"}
		d.Paid[1] = paid
		s := cars(seen, seen, 1)
		watched.judge(r.x, &d, &s, monday+dayMs, false)
		return len(r.said) > 0
	}
	for _, size := range []int{5, 30, 150, 600} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			honest, found := 0, 0
			for range days / 4 {
				if day(size/2+dice.IntN(size), 0) {
					honest++
				}
				if day(size/2+dice.IntN(size), 0.2) {
					found++
				}
			}
			t.Logf("%d of %d honest days raised something; of days with a skim of a fifth %d were found", honest, days/4, found)
			require.LessOrEqual(t, honest, days/4/1000)
			if size >= 150 {
				require.Greater(t, found, days/4*85/100)
			}
		})
	}
}
