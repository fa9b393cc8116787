package fleet

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// source is the random numbers of one thing: they depend on the seed and the
// thing's name, so that nothing that is added elsewhere changes them.
type source struct{ *rand.Rand }

func (f *Fleet) random(what, id string) source {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what + "\x00" + id))
	return source{rand.New(rand.NewPCG(f.o.Seed, h.Sum64()))}
}

// chance is true with probability p.
func (r source) chance(p float64) bool { return r.Float64() < p }

// between returns a whole number of least..most.
func (r source) between(least, most int64) int64 { return least + r.Int64N(most-least+1) }

// logNormal returns a log-normal number with this median.
func (r source) logNormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*r.NormFloat64())
}

// wait returns the milliseconds to the next event of a Poisson process.
func (r source) wait(perDay float64) int64 {
	return int64(min(r.ExpFloat64()/perDay*dayMs, 1e15)) + 1
}

const dayMs = 24 * 3600 * 1000

// poisson returns a number of events.
func (r source) poisson(mean float64) uint32 {
	switch {
	case mean <= 0:
		return 0
	case mean > 40:
		return uint32(max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	limit, product := math.Exp(-mean), 1.0
	for n := uint32(0); ; n++ {
		if product *= r.Float64(); product <= limit {
			return n
		}
	}
}
