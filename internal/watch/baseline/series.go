package baseline

import "math"

// Series is what is remembered of one series: about 1 KB, whatever comes. The
// zero value has seen nothing. It is not for several goroutines at once.
type Series struct {
	profiles [Kinds]*profile // nil: never seen
	state
}

// state is all but the profiles. Its fields have a fixed size.
type state struct {
	All      slot       // of all readings
	Up, Down float32    // how much further than the band values lie above and below
	Step     float32    // mean change from one reading to the next
	Before   float32    // the last value
	Slow     float32    // the slow statistic
	Sudden   [2]tail    // of the deviation, above and below
	Drift    [2]tail    // of the slow statistic
	Range    [2]tail    // of the deviation from the overall level
	Furthest [2]float32 // that it went from the overall level, fading with the memory
	Begun    int64      // time of the first reading; 0: none
	At       int64      // of the last
	Since    int64      // of the anomaly that stands; 0: none
	Quiet    int64      // since when it is under half of its bounds; 0: it is not
	Count    uint32
}

type profile [24]slot

// slot is where values lie, and how far from it; N is in days.
type slot struct{ Mid, Dev, N float32 }

// Verdict is what a reading tells.
type Verdict struct {
	Mid       float64 // what was to be expected
	Low, High float64 // of the band: beyond it a single reading is an anomaly
	Score     float64 // 1: at the bound
	Above     bool    // the deviation is upwards
	Learning  bool    // the series is too new to be judged
	Unseen    bool    // the hour of this kind of day was hardly seen: the band is wide
	Anomalous bool    // an anomaly stands
	Began     bool    // with this reading
	Ended     bool    // with this reading
}

// Anomalous tells whether an anomaly stands, and since which reading, Unix ms.
func (s *Series) Anomalous() (since int64, ok bool) { return s.Since, s.Since != 0 }

// Last returns the time of the last reading, Unix ms; 0: there was none.
func (s *Series) Last() int64 { return s.At }

const (
	clipMid  = 2.5  // deviations by which the middle moves at most
	clipDev  = 4    // and the band
	clipSlow = 8    // of one reading in the slow statistic
	narrow   = 0.25 // a slot's band is no narrower than this share of the overall one
	slowGain = 0.1  // how much of an anomaly is learned
	anew     = 2    // days that the past still counts once an anomaly has lasted for too long
	begin    = 100  // readings in which the general measures settle
	mostDt   = hourMs
)

// Add takes a reading (at in Unix ms, time the time of the day in the city's
// zone, ms) and judges it by what came before. ok is false for what is not
// taken: readings no later than the one before, and what is no number.
func (s *Series) Add(p *Params, at int64, kind Kind, time int64, value float64) (v Verdict, ok bool) {
	if math.IsNaN(value) || math.Abs(value) > 1e30 || s.Begun != 0 && at <= s.At || kind >= Kinds || time < 0 || time >= dayMs {
		return Verdict{}, false
	}
	if s.Begun == 0 {
		s.begin(at, value)
	}
	dt := min(at-s.At, mostDt)
	e := s.expect(p, kind, time)
	z := (value - e.mid) / (e.band * s.side(value > e.mid))
	keep := math.Exp(-float64(dt) / float64(p.SlowMs))
	slow := keep * float64(s.Slow)
	if !e.unseen { // how far a kind of day is from the others is no shift
		slow += (1 - keep) * clip(z, clipSlow)
	}
	dev := max(float64(s.All.Dev), e.band/4)
	far := (value - float64(s.All.Mid)) / dev

	v = Verdict{Mid: e.mid, Unseen: e.unseen, Above: z > 0, Learning: at-s.Begun < p.LearnMs || s.Count < uint32(p.LearnCount)}
	fade := math.Exp(-float64(dt) / (p.MemoryDays * dayMs))
	for i, sign := range [2]float64{1, -1} {
		sudden, drift, span := single.bound(&s.Sudden[i], p), lasting.bound(&s.Drift[i], p), single.bound(&s.Range[i], p)
		record := float64(s.Furthest[i]) * fade / dev
		v.Score = max(v.Score, sign*z/sudden, sign*slow/drift, sign*far/max(span, record))
		single.learn(&s.Sudden[i], sign*z, sudden)
		lasting.learn(&s.Drift[i], sign*slow, drift)
		single.learn(&s.Range[i], sign*far, span)
		s.Furthest[i] = float32(dev * max(record, min(sign*far, mostExcess*max(span, record))))
		if edge := e.mid + sign*sudden*e.band*s.side(sign > 0); sign > 0 {
			v.High = edge
		} else {
			v.Low = edge
		}
	}
	s.judge(p, &v, at)
	gain := 1.0
	switch {
	case s.Since == 0:
	case at-s.Since < p.SettleMs:
		gain = slowGain
	default: // what was learned is no longer so
		s.All.N = min(s.All.N, anew)
		if own := s.profiles[kind]; own != nil {
			x := &own[time/hourMs]
			x.N = min(x.N, anew)
		}
	}
	s.learn(p, &e, kind, int(time/hourMs), value, z, gain*float64(max(dt, minuteMs))/hourMs)
	s.Before, s.Slow, s.At = float32(value), float32(slow), at
	s.Count = min(s.Count+1, math.MaxUint32-1)
	return v, true
}

func (s *Series) begin(at int64, value float64) {
	s.Begun, s.At, s.Before = at, at, float32(value)
	s.Up, s.Down = 1, 1
	for i := range s.Sudden {
		s.Sudden[i], s.Drift[i], s.Range[i] = single.newTail(), lasting.newTail(), single.newTail()
	}
	s.All.Mid = float32(value)
}

// judge begins and ends the anomaly.
func (s *Series) judge(p *Params, v *Verdict, at int64) {
	switch {
	case v.Learning:
	case s.Since == 0 && v.Score > 1:
		s.Since, s.Quiet, v.Began = at, 0, true
	case s.Since != 0 && v.Score > 0.5:
		s.Quiet = 0
	case s.Since != 0 && s.Quiet == 0:
		s.Quiet = at
	case s.Since != 0 && at-s.Quiet >= p.HoldMs:
		s.Since, s.Quiet, v.Ended = 0, 0, true
	}
	v.Anomalous = s.Since != 0
}

// side is how much wider the band is above or below.
func (s *Series) side(above bool) float64 {
	if above {
		return float64(s.Up)
	}
	return float64(s.Down)
}

func clip(v, most float64) float64 { return max(-most, min(most, v)) }
