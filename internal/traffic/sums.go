package traffic

import (
	"github.com/simpang-id/simpang/internal/city"
)

// bucketMS is the length of a roll-up.
const bucketMS = 5 * 60_000

// paceScale over a speed in thousandths of km/h is a pace that sums exactly.
const paceScale = 1_000_000_000_000

// slowestMilli bounds the pace: a vehicle that was counted has moved.
const slowestMilli = 1000

// sums is what passed a lane in some time: whole numbers only, so that adding
// is exact and the order of readings does not matter.
type sums struct {
	SM, KR, KB, KTB, Unknown int64
	CoveredMS                int64 // time that was counted
	SpeedN                   int64 // motorised vehicles with a speed
	Pace                     int64 // sum of their paces
	BlindMS                  int64 // time with a speed and without counts
	BlindPace                int64 // pace summed over that time
}

func (s *sums) add(o *sums) {
	s.SM += o.SM
	s.KR += o.KR
	s.KB += o.KB
	s.KTB += o.KTB
	s.Unknown += o.Unknown
	s.CoveredMS += o.CoveredMS
	s.SpeedN += o.SpeedN
	s.Pace += o.Pace
	s.BlindMS += o.BlindMS
	s.BlindPace += o.BlindPace
}

// motorised is the vehicles of q: unmotorised ones (KTB) are side friction,
// not flow (PKJI 2023).
func (s *sums) motorised() int64 { return s.SM + s.KR + s.KB + s.Unknown }

func pace(milli int64) int64 { return paceScale / max(milli, slowestMilli) }

// sample is one lane of one reading.
type sample struct {
	End       int64 // Unix ms
	PeriodMS  int64
	Counted   bool // the lane sent counts
	SM        uint32
	KR        uint32
	KB        uint32
	KTB       uint32
	Unknown   uint32
	SpeedM    int64 // thousandths of km/h, -1 none
	Occupancy int64 // thousandths of a per cent, -1 none
}

func sampleOf(at int64, periodS uint32, l *city.Lane) sample {
	s := sample{End: at, PeriodMS: int64(periodS) * 1000, Counted: l.HasCounts, SpeedM: -1, Occupancy: -1}
	if l.HasCounts {
		s.SM, s.KR, s.KB, s.KTB, s.Unknown = l.SM, l.KR, l.KB, l.KTB, l.Unknown
	}
	if l.Speed.OK {
		s.SpeedM = l.Speed.V
	}
	if l.Occupancy.OK {
		s.Occupancy = l.Occupancy.V
	}
	return s
}

// sums of the whole sample.
func (s *sample) sums() sums {
	o := sums{}
	if !s.Counted {
		if s.SpeedM >= 0 {
			o.BlindMS, o.BlindPace = s.PeriodMS, s.PeriodMS*pace(s.SpeedM)
		}
		return o
	}
	o.SM, o.KR, o.KB, o.KTB, o.Unknown = int64(s.SM), int64(s.KR), int64(s.KB), int64(s.KTB), int64(s.Unknown)
	o.CoveredMS = s.PeriodMS
	s.weigh(&o)
	return o
}

// weigh gives the motorised vehicles of o the sample's speed.
func (s *sample) weigh(o *sums) {
	if n := o.motorised(); s.SpeedM >= 0 && n > 0 {
		o.SpeedN, o.Pace = n, n*pace(s.SpeedM)
	}
}

// split spreads the sample over the five minutes that its period touches, in
// proportion to the time in each; what does not divide goes to the largest
// remainders, the earlier first, so that the parts add up to the whole.
func (s *sample) split(each func(t int64, o *sums)) {
	from := s.End - s.PeriodMS
	first := floorTo(from, bucketMS)
	if s.End <= first+bucketMS {
		o := s.sums()
		each(first, &o)
		return
	}
	var overlaps []int64
	for t := first; t < s.End; t += bucketMS {
		overlaps = append(overlaps, min(t+bucketMS, s.End)-max(t, from))
	}
	parts := make([]sums, len(overlaps))
	if s.Counted {
		for _, c := range []struct {
			n   uint32
			put func(*sums, int64)
		}{
			{s.SM, func(o *sums, n int64) { o.SM = n }},
			{s.KR, func(o *sums, n int64) { o.KR = n }},
			{s.KB, func(o *sums, n int64) { o.KB = n }},
			{s.KTB, func(o *sums, n int64) { o.KTB = n }},
			{s.Unknown, func(o *sums, n int64) { o.Unknown = n }},
		} {
			for i, n := range proRata(int64(c.n), overlaps, s.PeriodMS) {
				c.put(&parts[i], n)
			}
		}
	}
	for i := range parts {
		o := &parts[i]
		switch {
		case s.Counted:
			o.CoveredMS = overlaps[i]
			s.weigh(o)
		case s.SpeedM >= 0:
			o.BlindMS, o.BlindPace = overlaps[i], overlaps[i]*pace(s.SpeedM)
		}
		each(first+int64(i)*bucketMS, o)
	}
}

// proRata shares n by the weights, whose sum is total.
func proRata(n int64, weights []int64, total int64) []int64 {
	out := make([]int64, len(weights))
	if n == 0 {
		return out
	}
	left := n
	rest := make([]int64, len(weights))
	for i, w := range weights {
		out[i], rest[i] = n*w/total, n*w%total
		left -= out[i]
	}
	for ; left > 0; left-- {
		best := 0
		for i := range rest {
			if rest[i] > rest[best] {
				best = i
			}
		}
		out[best]++
		rest[best] = -1
	}
	return out
}

// floorTo rounds t down to a multiple of step, before 1970 too.
func floorTo(t, step int64) int64 {
	r := t % step
	if r < 0 {
		r += step
	}
	return t - r
}
