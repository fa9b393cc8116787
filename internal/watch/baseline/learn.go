package baseline

import "math"

// expected is what a series should show.
type expected struct {
	mid, band float64
	unseen    bool
}

// expect is on the line between the middles of two hours.
func (s *Series) expect(p *Params, kind Kind, time int64) expected {
	hour := int(time / hourMs)
	part := float64(time%hourMs)/hourMs - 0.5
	other := (hour + 1) % 24
	if part < 0 {
		other, part = (hour+23)%24, -part
	}
	e := s.mix(p, kind, hour)
	if o := s.mix(p, kind, other); !o.unseen || e.unseen {
		e.mid += part * (o.mid - e.mid)
		e.band += part * (o.band - e.band)
	}
	e.band = max(e.band, float64(s.Step)/2, 1e-9*math.Abs(e.mid), 1e-30)
	return e
}

// mix mixes the slot of an hour with those of the kinds next to it, and with the
// overall level: of a mixture's variance, with mean deviations in place of
// standard ones.
func (s *Series) mix(p *Params, kind Kind, hour int) expected {
	chain := [Kinds]Kind{kind}
	n := 1
	for k := kind; nextTo[k] != k; n++ {
		k = nextTo[k]
		chain[n] = k
	}
	e := expected{mid: float64(s.All.Mid), band: float64(s.All.Dev), unseen: true}
	for i := n - 1; i >= 0; i-- {
		profile := s.profiles[chain[i]]
		if profile == nil || profile[hour].N == 0 {
			continue
		}
		x := &profile[hour]
		days := float64(x.N)
		w := days * days / (days*days + p.Sparse*p.Sparse)
		dev := max(float64(x.Dev), narrow*float64(s.All.Dev)) * math.Sqrt(1+1/max(days, 1))
		apart := float64(x.Mid) - e.mid
		e.band = math.Sqrt(w*dev*dev + (1-w)*e.band*e.band + w*(1-w)*apart*apart)
		e.mid += w * apart
		e.unseen = i > 0 || w < 0.5
	}
	return e
}

// learn takes a reading into its slot; hours is the time for which it stands: an
// hour of a slot is a day of it.
func (s *Series) learn(p *Params, e *expected, kind Kind, hour int, value, z, hours float64) {
	if s.profiles[kind] == nil {
		s.profiles[kind] = new(profile)
	}
	x := &s.profiles[kind][hour]
	if x.N == 0 {
		x.Mid, x.Dev = float32(e.mid), float32(e.band)
	}
	x.learn(value, value-e.mid, e.band, hours, p.MemoryDays)

	rate, change := 1.0/begin, math.Abs(value-float64(s.Before))
	if s.Count < begin {
		rate = 1 / float64(s.Count+1)
		s.All.Dev = max(s.All.Dev, s.Step)
	} else {
		change = min(change, clipDev*float64(s.Step))
	}
	s.All.learn(value, value-float64(s.All.Mid), max(float64(s.All.Dev), e.band), hours/24, p.MemoryDays)
	s.Step += float32(rate * (change - float64(s.Step)))
	// The mean of z on either side should be 1.
	side := &s.Down
	if z > 0 {
		side = &s.Up
	}
	more := 1 + rate*(min(math.Abs(z), clipDev)-1)
	*side = float32(max(0.25, min(4, float64(*side)*more)))
}

// learn moves a slot towards a value by the days for which it stands; off is
// how far the value was from what was expected.
func (x *slot) learn(value, off, band, days, memory float64) {
	by := days / (float64(x.N) + days + 0.02)
	x.Dev += float32(by * (min(math.Abs(off), clipDev*band) - float64(x.Dev)))
	x.Mid += float32(by * clip(value-float64(x.Mid), clipMid*band))
	x.N = float32(min(float64(x.N)+days, memory))
}
