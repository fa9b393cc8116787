package expect

import (
	"math"

	"github.com/simpang-id/simpang/internal/city"
)

const (
	gridSize  = 44          // lengths of stays, from two minutes on, each 2^(1/4) times the one before
	gridBegin = 120_000     // ms
	leastMean = 5 * 60_000  // ms: shorter mean stays are not believed
	mostMean  = 36 * hourMs // nor longer ones
)

// sigmas are how wide log-normal stays may be: narrow, usual, wide.
var sigmas = [3]float64{0.6, 0.85, 1.1}

// curve is what stays of each length pay that end at some hour.
type curve [24][gridSize]float64

// curveKey names a curve: sites with the same tariff, hours and closures share
// it.
type curveKey struct {
	tariff, hours, levy string
	class               city.Class
	begin               int64
}

func gridAt(i int) float64 { return gridBegin * math.Pow(2, float64(i)/4) }

func (t *tag) curve(class city.Class, begin int64) (*curve, bool) {
	c := new(curve)
	for h := range c {
		end := begin + int64(h)*hourMs + hourMs/2
		for i := range c[h] {
			amount, ok := t.price(class, end-int64(gridAt(i)), end)
			if !ok {
				return nil, false
			}
			c[h][i] = float64(amount)
		}
	}
	return c, true
}

// shares are how likely each length of the grid is, for a mean (ms) and width.
func shares(mean, sigma float64) (share [gridSize]float64) {
	middle := math.Log(mean) - sigma*sigma/2
	below := 0.0
	for i := range share {
		up := 1.0
		if i < gridSize-1 {
			edge := (math.Log(gridAt(i)) + math.Log(gridAt(i+1))) / 2
			up = math.Erfc(-(edge-middle)/sigma/math.Sqrt2) / 2
		}
		share[i] = up - below
		below = up
	}
	return share
}

// prices returns what those who leave by a gate pay, where the mean stay is
// known from n of them.
func (c *curve) prices(mean, n float64) *prices {
	mean = min(max(mean, leastMean), mostMean)
	p := &prices{n: n}
	var sums [len(sigmas)]float64
	for s, sigma := range sigmas {
		share := shares(mean, sigma)
		for h := range c {
			p.hourly[h] = n
			var m, q float64
			for i, amount := range c[h] {
				m += share[i] * amount
				q += share[i] * amount * amount
			}
			sums[s] += m
			if s == 1 {
				p.mean[h], p.square[h] = m, q
			}
		}
	}
	low, high := min(sums[0], sums[1], sums[2]), max(sums[0], sums[1], sums[2])
	if sums[1] > 0 {
		p.model = (high - low) / sums[1] / 6
	}
	return p
}
