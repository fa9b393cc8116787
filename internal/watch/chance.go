package watch

import "math"

// poissonAtLeast returns the chance that a Poisson number with this mean is k
// or more: an upper bound to a part in 10^12.
func poissonAtLeast(k int64, mean float64) float64 {
	if k <= 0 {
		return 1
	}
	if mean <= 0 {
		return 0
	}
	// Beyond the mean the terms fall, each by mean/i.
	if float64(k) > mean {
		return tail(-mean+float64(k)*math.Log(mean)-logFactorial(k), func(i int64) float64 { return mean / float64(i+1) }, k)
	}
	sum := 0.0
	for i := range k {
		sum += math.Exp(-mean + float64(i)*math.Log(mean) - logFactorial(i))
	}
	return max(0, 1-sum)
}

// binomialAtLeast returns the chance of k or more of n, each with chance p.
func binomialAtLeast(k, n int64, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n || p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	term := func(i int64) float64 {
		return logFactorial(n) - logFactorial(i) - logFactorial(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p)
	}
	if float64(k) > p*float64(n) {
		return tail(term(k), func(i int64) float64 { return float64(n-i) / float64(i+1) * p / (1 - p) }, k)
	}
	sum := 0.0
	for i := range k {
		sum += math.Exp(term(i))
	}
	return max(0, 1-sum)
}

// tail sums a term, given by its logarithm, and those after it, each its
// predecessor times ratio.
func tail(log float64, ratio func(i int64) float64, k int64) float64 {
	sum, t := 0.0, 1.0
	for i := k; t > 1e-12*sum; i++ {
		sum += t
		t *= ratio(i)
	}
	return min(1, math.Exp(log)*sum)
}

func logFactorial(n int64) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}
