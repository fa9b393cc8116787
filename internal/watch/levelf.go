package watch

import (
	"github.com/simpang-id/simpang/internal/inventory"
)

// levelF looks for a road at level of service F: each five minutes for `minutes`
// on end its ratio is over the table's bound of E, or it is oversaturated; it is
// well again after half of that without. Source: facts/traffic.md 2.3.
type levelF struct {
	Since int64 // 0: it is not at F
	Well  int64 // since when it is not; 0: it is
	Said  bool
}

func (s *levelF) pause(x *moment) {
	if s.Said {
		x.out.calm(RuleLevelF)
	}
	*s = levelF{}
}

func (s *levelF) step(x *moment, at int64, r *RoadStep) {
	p := &x.rules.LevelF
	vc, known := ratio(r)
	if !known || p.Off {
		return
	}
	if vc <= boundOfE(x.place.version.PKJI) {
		s.Since = 0
		if s.Well == 0 {
			s.Well = at - stepMs
		}
		if s.Said && at-s.Well >= int64(p.Minutes)*minuteMs/2 {
			s.Said = false
			x.out.calm(RuleLevelF)
		}
		return
	}
	s.Well = 0
	if s.Since == 0 {
		s.Since = at - stepMs
	}
	if s.Said || at-s.Since < int64(p.Minutes)*minuteMs {
		return
	}
	s.Said = true
	f := finding{at: at, count: 1, asked: true, recover: int64(p.RecoverMin) * minuteMs, sums: []Sum{{"minutes", (at - s.Since) / minuteMs}}}
	if r.DJ.OK {
		f.sums = append(f.sums, Sum{"dj_permille", r.DJ.V})
	}
	if r.SpeedKmh.OK {
		f.sums = append(f.sums, Sum{"speed_seen_kmh", r.SpeedKmh.V / 1000})
	}
	x.out.raise(RuleLevelF, f)
}

// saturated is the ratio of a road of which more want to pass than can.
const saturated = 1.01

// ratio is flow to capacity; an oversaturated road carries what it can.
func ratio(r *RoadStep) (vc float64, known bool) {
	if vc, ok := r.DJ.Float(); ok {
		return vc, true
	}
	return saturated, r.FlowVPH.OK && r.SpeedKmh.OK
}

// boundOfE is the ratio over which the table says F.
func boundOfE(p *inventory.PKJI) float64 {
	if p == nil || len(p.LOS) < 2 || p.LOS[len(p.LOS)-2].UpTo == nil {
		return 1
	}
	return *p.LOS[len(p.LOS)-2].UpTo
}
