package expect

import "math"

// z95 and z90 are the normal quantiles of 95 % and 90 %.
const (
	z95 = 1.6448536269514722
	z90 = 1.2815515655446004
)

// gammaQuantile returns a quantile, by its normal deviate z, of the gamma
// distribution with a mean and variance, both at least 0 (Wilson and Hilferty's
// cube; under 1 % off for a shape over 2, and too wide below).
func gammaQuantile(mean, variance, z float64) float64 {
	if mean <= 0 || variance <= 0 {
		return max(mean, 0)
	}
	shape := mean * mean / variance
	c := 1 - 1/(9*shape) + z/(3*math.Sqrt(shape))
	return mean * math.Pow(max(c, 0), 3)
}
