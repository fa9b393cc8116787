package baseline

import "math"

// tail is how far a statistic of a series goes by itself, to one side: how often
// it exceeds a level that is common, and by how much then. What exceeds it is
// taken for exponential.
type tail struct {
	Often  float32 // share of readings that exceed
	Excess float32 // mean of what lies over the level
	N      float32 // that exceeded
	Run    float32 // that exceeded one after the other, up to now
}

// measure is what is common of a statistic, and what is the least that matters
// whatever its tail, both in mean deviations: some per cent of what is normal
// exceeds the level; where a tail is light, less than the floor is no anomaly
// that anyone must look at.
type measure struct{ level, floor float64 }

var (
	single  = measure{level: 2, floor: 6}
	lasting = measure{level: 1, floor: 2.5}
)

const (
	rememberOften  = 1.0 / 2000 // readings
	rememberExcess = 1.0 / 200  // of those that exceed
	priorOften     = 0.03
	priorExcess    = 10 // exceedances that the prior is worth
	mostExcess     = 2  // bounds: what is further out counts as that
)

func (m *measure) newTail() tail {
	return tail{Often: priorOften, Excess: float32(m.level / 2)}
}

// bound is what a reading exceeds with the chance of p, the floor at least.
func (m *measure) bound(t *tail, p *Params) float64 {
	rare := max(float64(t.Often)/p.Chance, math.E)
	return max(m.floor, m.level+float64(t.Excess)*math.Log(rare))
}

// learn takes a reading in.
func (m *measure) learn(t *tail, v, bound float64) {
	over := 0.0
	if v > m.level {
		over = 1
		t.Run++
		// What follows one another is one event: each further reading of a run
		// says less.
		rate := max(rememberExcess, 1/(float64(t.N)+priorExcess)) / math.Sqrt(float64(t.Run))
		t.Excess += float32(rate * (min(v, mostExcess*bound) - m.level - float64(t.Excess)))
		t.N = min(t.N+1, 1e6)
	} else {
		t.Run = 0
	}
	t.Often += float32(rememberOften * (over - float64(t.Often)))
}
