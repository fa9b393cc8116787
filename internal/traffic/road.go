package traffic

import "github.com/simpang-id/simpang/internal/inventory"

// road is what PKJI 2023 says of one segment of one version of the inventory.
type road struct {
	segment  *inventory.Segment
	opposite *road   // nil where there is none
	together bool    // 2/2-TT: both directions share the capacity
	lanes    int     // of this direction
	capacity float64 // smp/h, 0 unknown
	freeFlow float64 // km/h, 0 unknown
	pkji     *inventory.PKJI
	ekr      *inventory.PKJIEkrTable
	narrow   bool // 2/2-TT up to the table's narrow width
}

// roads prepares every segment of a version.
func roads(v *inventory.Version) map[string]*road {
	out := make(map[string]*road, len(v.Segments))
	for _, s := range v.Segments {
		out[s.ID] = newRoad(s, v.PKJI)
	}
	for _, r := range out {
		r.opposite = out[r.segment.Opposite]
	}
	return out
}

func newRoad(s *inventory.Segment, p *inventory.PKJI) *road {
	r := &road{segment: s, pkji: p, lanes: s.DirectionLanes(), together: s.RoadType == inventory.Road22TT}
	if r.together {
		r.twoWay()
	} else {
		r.divided()
	}
	if !s.HasCapacity() {
		r.capacity = 0
	}
	if s.LaneWidthM == 0 && s.WidthM == 0 {
		r.freeFlow = 0
	}
	if s.FreeFlowKmh > 0 {
		r.freeFlow = s.FreeFlowKmh
	}
	return r
}

// twoWay fills in a 2/2-TT road, both directions together.
func (r *road) twoWay() {
	s, p := r.segment, r.pkji
	width := s.WidthM
	if width == 0 {
		width = 2 * s.LaneWidthM
	}
	r.ekr, r.narrow = &p.EKR.TwoWay, width <= p.EKR.TwoWay.NarrowUpToM
	hs := at(r.friction().TwoWay[s.SideFriction], s.EdgeWidthM)
	r.capacity = p.C0.TwoWay * at(p.FCLJ.TwoWay, width) * at(p.FCPA, s.LargerShare()) * hs * cityFactor(p.FCUK, p.PopulationMillion)
	r.freeFlow = (p.FreeFlow.TwoWayKmh + at(p.FreeFlow.TwoWay, width)) * cityFactor(p.FreeFlow.City, p.PopulationMillion)
}

// divided fills in one direction of a divided road, or a one-way road.
func (r *road) divided() {
	s, p := r.segment, r.pkji
	width := s.LaneWidthM
	if width == 0 {
		width = s.WidthM / float64(r.lanes)
	}
	r.ekr = &p.EKR.FourLane
	var hs float64
	switch s.RoadType {
	case inventory.Road62T, inventory.Road82T:
		r.ekr = &p.EKR.SixLane
		hs = 1 - p.SixLaneFriction*(1-at(r.friction().Divided[s.SideFriction], s.EdgeWidthM))
	case inventory.RoadOne:
		if r.lanes >= 3 {
			r.ekr = &p.EKR.SixLane
		}
		hs = at(r.friction().TwoWay[s.SideFriction], s.EdgeWidthM)
	default:
		hs = at(r.friction().Divided[s.SideFriction], s.EdgeWidthM)
	}
	r.capacity = p.C0.PerLane * float64(r.lanes) * at(p.FCLJ.Lane, width) * hs * cityFactor(p.FCUK, p.PopulationMillion)
	r.freeFlow = (p.FreeFlow.DividedKmh + at(p.FreeFlow.Lane, width)) * cityFactor(p.FreeFlow.City, p.PopulationMillion)
}

func (r *road) friction() *inventory.PKJIFrictionEdge {
	if r.segment.Edge == "kerb" {
		return &r.pkji.FCHS.Kerb
	}
	return &r.pkji.FCHS.Shoulder
}

// at interpolates linearly and holds the ends; no curve is 0.
func at(c inventory.Curve, x float64) float64 {
	if len(c) == 0 {
		return 0
	}
	if x <= c[0].X() {
		return c[0].Y()
	}
	for i := 1; i < len(c); i++ {
		if x <= c[i].X() {
			a, b := c[i-1], c[i]
			return a.Y() + (b.Y()-a.Y())*(x-a.X())/(b.X()-a.X())
		}
	}
	return c[len(c)-1].Y()
}

func cityFactor(bands []inventory.PKJICityBand, million float64) float64 {
	for _, b := range bands {
		if (b.Below == nil && b.UpTo == nil) || (b.Below != nil && million < *b.Below) || (b.UpTo != nil && million <= *b.UpTo) {
			return b.Factor
		}
	}
	return 1
}

// flow is vehicles/h by class; unknown vehicles count as KR (contract,
// section 4).
type flow struct {
	SM, KR, KB float64
}

func (f *flow) plus(o flow) flow { return flow{f.SM + o.SM, f.KR + o.KR, f.KB + o.KB} }

func (f *flow) vehicles() float64 { return f.SM + f.KR + f.KB }

// perHour returns the flow of what was counted.
func (s *sums) perHour() flow {
	k := 3_600_000 / float64(s.CoveredMS)
	return flow{SM: float64(s.SM) * k, KR: float64(s.KR+s.Unknown) * k, KB: float64(s.KB) * k}
}

// smp weighs the flow of one direction by ekr; bound is the flow that the
// table's bands are about.
func (r *road) smp(f flow, bound float64) float64 {
	for i := range r.ekr.Bands {
		b := &r.ekr.Bands[i]
		if b.Below == nil || bound < *b.Below {
			sm := b.SM
			if r.narrow {
				sm = b.SMNarrow
			}
			return f.SM*sm + f.KR + f.KB*b.KB
		}
	}
	return f.vehicles()
}

// load is the flows of a segment in one time, as far as they are known.
type load struct {
	own, other           flow
	ownKnown, otherKnown bool
}

// smpH is the own direction's flow in smp/h. On a 2/2-TT road ekr hangs on
// both directions: unknown while one is.
func (r *road) smpH(l *load) (float64, bool) {
	switch {
	case !l.ownKnown:
		return 0, false
	case !r.together:
		return r.smp(l.own, l.own.vehicles()/float64(r.lanes)), true
	case l.otherKnown:
		return r.smp(l.own, l.own.vehicles()+l.other.vehicles()), true
	default:
		return 0, false
	}
}

// ratio is q / C; on a 2/2-TT road of both directions.
func (r *road) ratio(l *load) (float64, bool) {
	q, ok := r.smpH(l)
	if !ok || r.capacity <= 0 {
		return 0, false
	}
	if r.together {
		q += r.smp(l.other, l.own.vehicles()+l.other.vehicles())
	}
	return q / r.capacity, true
}

// losOf returns the letter of a degree of saturation. With a letter from
// before, a better one needs a margin: a ratio at a bound does not flicker.
func (r *road) losOf(ratio float64, before string) string {
	letter := r.plainLOS(ratio)
	if before != "" && letter < before {
		if with := r.plainLOS(ratio + losMargin); with < before {
			return with
		}
		return before
	}
	return letter
}

// losMargin is how far under a bound the ratio must fall before the level of
// service is called better.
const losMargin = 0.02

func (r *road) plainLOS(ratio float64) string {
	for _, l := range r.pkji.LOS {
		if l.UpTo == nil || ratio <= *l.UpTo {
			return l.Level
		}
	}
	return ""
}

// pm96 is the level of service by speed (PM 96/2015).
func (r *road) pm96(kmh float64) string {
	for _, l := range r.pkji.PM96 {
		if l.AtLeastKmh == nil || kmh >= *l.AtLeastKmh {
			return l.Level
		}
	}
	return ""
}
