package inventory

import (
	_ "embed" // the default tables
	"fmt"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// DefaultPKJI is pkji2023.yaml as it is shipped. It holds where the inventory
// brings no table of its own.
//
//go:embed pkji2023.yaml
var DefaultPKJI []byte

// PKJI is the capacity tables of pkji2023.yaml: data only, looked up in
// traffic. Each table's meaning, unit and origin stand in the file.
type PKJI struct {
	Source            string         `yaml:"source"`             // the API's `source`
	PopulationMillion float64        `yaml:"population_million"` // of the city
	C0                PKJIBase       `yaml:"c0"`                 // smp/h
	FCLJ              PKJIWidth      `yaml:"fc_lj"`
	FCPA              Curve          `yaml:"fc_pa"` // by the larger share of the split, per cent; 2/2-TT only
	FCHS              PKJIFriction   `yaml:"fc_hs"`
	SixLaneFriction   float64        `yaml:"six_lane_friction"` // FC_HS6 = 1 - this x (1 - FC_HS4)
	FCUK              []PKJICityBand `yaml:"fc_uk"`             // by PopulationMillion
	EKR               PKJIEkr        `yaml:"ekr"`
	FreeFlow          PKJIFreeFlow   `yaml:"free_flow"`
	LOS               []PKJILevel    `yaml:"los"`      // by DJ
	PM96              []PKJISpeed    `yaml:"los_pm96"` // by speed, PM 96/2015
}

// Curve is a function by its points, X strictly ascending, at least one. It is
// interpolated linearly and held at its ends.
type Curve []CurvePoint

// CurvePoint is one [x, y].
type CurvePoint [2]float64

// X returns the argument.
func (p CurvePoint) X() float64 { return p[0] }

// Y returns the value.
func (p CurvePoint) Y() float64 { return p[1] }

// PKJIBase is C0.
type PKJIBase struct {
	TwoWay  float64 `yaml:"two_way"`  // 2/2-TT, both directions together, smp/h
	PerLane float64 `yaml:"per_lane"` // all others, a lane, smp/h
}

// PKJIWidth is FC_LJ by width, m.
type PKJIWidth struct {
	Lane   Curve `yaml:"lane"`    // of one lane
	TwoWay Curve `yaml:"two_way"` // of the whole 2/2-TT road
}

// PKJIFriction is FC_HS by the edge of the road.
type PKJIFriction struct {
	Shoulder PKJIFrictionEdge `yaml:"shoulder"`
	Kerb     PKJIFrictionEdge `yaml:"kerb"`
}

// PKJIFrictionEdge is FC_HS by side friction (SR, R, S, T, ST) and then by
// the width of the edge, m.
type PKJIFrictionEdge struct {
	Divided map[string]Curve `yaml:"divided"` // 4/2-T; 6/2-T and 8/2-T by SixLaneFriction
	TwoWay  map[string]Curve `yaml:"two_way"` // 2/2-TT and one_way
}

// PKJICityBand is a factor for cities below or up to a size in million
// people; the last band has neither bound.
type PKJICityBand struct {
	Below  *float64 `yaml:"below"` // exclusive
	UpTo   *float64 `yaml:"up_to"` // inclusive
	Factor float64  `yaml:"factor"`
}

// PKJIEkr is the ekr tables. TwoWay's bands are bounded by the flow of both
// directions, the others' by that of one lane, vehicles/h.
type PKJIEkr struct {
	TwoWay   PKJIEkrTable `yaml:"two_way"`   // 2/2-TT
	FourLane PKJIEkrTable `yaml:"four_lane"` // 4/2-T, one_way of up to two lanes
	SixLane  PKJIEkrTable `yaml:"six_lane"`  // 6/2-T, 8/2-T, one_way of three lanes and more
}

// PKJIEkrTable is the ekr of one kind of road.
type PKJIEkrTable struct {
	NarrowUpToM float64       `yaml:"narrow_up_to_m"` // 0: no narrow column
	Bands       []PKJIEkrBand `yaml:"bands"`
}

// PKJIEkrBand is the ekr for flows below a bound; the last has none.
type PKJIEkrBand struct {
	Below    *float64 `yaml:"below"` // vehicles/h, exclusive
	KB       float64  `yaml:"kb"`
	SM       float64  `yaml:"sm"`
	SMNarrow float64  `yaml:"sm_narrow"` // roads up to NarrowUpToM wide
}

// PKJIFreeFlow gives the free-flow speed, km/h, of segments that name none.
type PKJIFreeFlow struct {
	DividedKmh float64        `yaml:"divided_kmh"`
	TwoWayKmh  float64        `yaml:"two_way_kmh"`
	Lane       Curve          `yaml:"lane"`    // added, by width of a lane, m
	TwoWay     Curve          `yaml:"two_way"` // added, by width of the road, m
	City       []PKJICityBand `yaml:"city"`    // factor, by PopulationMillion
}

// PKJILevel is a level of service up to a degree of saturation, inclusive; the
// last has no bound.
type PKJILevel struct {
	Level string   `yaml:"level"`
	UpTo  *float64 `yaml:"up_to"`
}

// PKJISpeed is a level of service from a speed on; the last has no bound.
type PKJISpeed struct {
	Level      string   `yaml:"level"`
	AtLeastKmh *float64 `yaml:"at_least_kmh"`
}

// Frictions lists the classes of side friction, lowest first.
var Frictions = []string{"SR", "R", "S", "T", "ST"}

// ParsePKJI reads a table file strictly; every table must be there.
func ParsePKJI(name string, data []byte) (*PKJI, []Fault) {
	p := &PKJI{}
	doc, found := strictyaml.Decode(data, p)
	c := &pkjiCheck{file: name, doc: doc}
	for _, f := range found {
		c.faults = append(c.faults, Fault{name, f.Line, f.Message})
	}
	if len(c.faults) == 0 {
		c.all(p)
	}
	if len(c.faults) > 0 {
		return nil, c.faults
	}
	return p, nil
}

type pkjiCheck struct {
	file   string
	doc    *strictyaml.Doc
	faults []Fault
}

func (c *pkjiCheck) fault(path, format string, args ...any) {
	c.faults = append(c.faults, Fault{c.file, c.doc.Line(path), path + " " + fmt.Sprintf(format, args...)})
}

func (c *pkjiCheck) all(p *PKJI) {
	if p.Source == "" {
		c.fault("source", "is missing: name the table's origin, the API shows it")
	}
	c.positive("population_million", p.PopulationMillion)
	c.positive("c0.two_way", p.C0.TwoWay)
	c.positive("c0.per_lane", p.C0.PerLane)
	c.curve("fc_lj.lane", p.FCLJ.Lane, true)
	c.curve("fc_lj.two_way", p.FCLJ.TwoWay, true)
	c.curve("fc_pa", p.FCPA, true)
	for _, e := range []struct {
		path string
		edge PKJIFrictionEdge
	}{{"fc_hs.shoulder", p.FCHS.Shoulder}, {"fc_hs.kerb", p.FCHS.Kerb}} {
		c.frictions(e.path+".divided", e.edge.Divided)
		c.frictions(e.path+".two_way", e.edge.TwoWay)
	}
	c.positive("six_lane_friction", p.SixLaneFriction)
	c.city("fc_uk", p.FCUK)
	c.ekr("ekr.two_way", p.EKR.TwoWay)
	c.ekr("ekr.four_lane", p.EKR.FourLane)
	c.ekr("ekr.six_lane", p.EKR.SixLane)
	c.positive("free_flow.divided_kmh", p.FreeFlow.DividedKmh)
	c.positive("free_flow.two_way_kmh", p.FreeFlow.TwoWayKmh)
	c.curve("free_flow.lane", p.FreeFlow.Lane, false)
	c.curve("free_flow.two_way", p.FreeFlow.TwoWay, false)
	c.city("free_flow.city", p.FreeFlow.City)
	c.levels(p)
}

func (c *pkjiCheck) positive(path string, v float64) {
	if !(v > 0) {
		c.fault(path, "must be there and over 0: see the shipped pkji2023.yaml")
	}
}

func (c *pkjiCheck) curve(path string, curve Curve, positive bool) {
	if len(curve) == 0 {
		c.fault(path, "has no points: give it as [[x, y], ...], see the shipped pkji2023.yaml")
	}
	for i, p := range curve {
		at := fmt.Sprintf("%s[%d]", path, i)
		if i > 0 && p.X() <= curve[i-1].X() {
			c.fault(at, "does not ascend: sort the points by their first number, each once")
		}
		if positive && p.Y() <= 0 {
			c.fault(at, "is %g: a factor must be over 0", p.Y())
		}
	}
}

func (c *pkjiCheck) frictions(path string, byClass map[string]Curve) {
	for _, class := range Frictions {
		c.curve(path+"."+class, byClass[class], true)
	}
	if len(byClass) > len(Frictions) {
		c.fault(path, "has a class that PKJI does not know: use SR, R, S, T and ST only")
	}
}

func (c *pkjiCheck) city(path string, bands []PKJICityBand) {
	last := 0.0
	for i, b := range bands {
		at := fmt.Sprintf("%s[%d]", path, i)
		c.positive(at+".factor", b.Factor)
		bound := b.Below
		if b.UpTo != nil {
			if b.Below != nil {
				c.fault(at, "has both below and up_to: keep one")
			}
			bound = b.UpTo
		}
		last = c.bound(at, bound, last, i == len(bands)-1)
	}
	if len(bands) == 0 {
		c.fault(path, "has no bands: see the shipped pkji2023.yaml")
	}
}

func (c *pkjiCheck) ekr(path string, t PKJIEkrTable) {
	last := 0.0
	for i, b := range t.Bands {
		at := fmt.Sprintf("%s.bands[%d]", path, i)
		c.positive(at+".kb", b.KB)
		c.positive(at+".sm", b.SM)
		if t.NarrowUpToM > 0 {
			c.positive(at+".sm_narrow", b.SMNarrow)
		}
		last = c.bound(at, b.Below, last, i == len(t.Bands)-1)
	}
	if len(t.Bands) == 0 {
		c.fault(path+".bands", "has no bands: see the shipped pkji2023.yaml")
	}
	if t.NarrowUpToM < 0 {
		c.fault(path+".narrow_up_to_m", "is below 0: give a width in m or leave it out")
	}
}

// bound checks that bounds ascend and that the last band alone has none.
func (c *pkjiCheck) bound(at string, bound *float64, last float64, isLast bool) float64 {
	switch {
	case isLast && bound != nil:
		c.fault(at, "is the last band and has a bound: leave it out, so that every value finds a band")
	case !isLast && bound == nil:
		c.fault(at, "has no bound: only the last band goes without")
	case bound != nil && *bound <= last:
		c.fault(at, "has the bound %g, which does not ascend: sort the bands", *bound)
	case bound != nil:
		return *bound
	}
	return last
}

func (c *pkjiCheck) levels(p *PKJI) {
	const letters = "ABCDEF"
	last := 0.0
	if len(p.LOS) != len(letters) {
		c.fault("los", "has %d levels: give A to F", len(p.LOS))
	}
	for i, l := range p.LOS {
		at := fmt.Sprintf("los[%d]", i)
		if i < len(letters) && l.Level != letters[i:i+1] {
			c.fault(at, "is level %q: give A to F in this order", l.Level)
		}
		last = c.bound(at, l.UpTo, last, i == len(p.LOS)-1)
	}
	if len(p.PM96) != len(letters) {
		c.fault("los_pm96", "has %d levels: give A to F", len(p.PM96))
	}
	for i, l := range p.PM96 {
		at := fmt.Sprintf("los_pm96[%d]", i)
		if i < len(letters) && l.Level != letters[i:i+1] {
			c.fault(at, "is level %q: give A to F in this order", l.Level)
		}
		switch isLast := i == len(p.PM96)-1; {
		case isLast != (l.AtLeastKmh == nil):
			c.fault(at, "must have at_least_kmh in every level but the last")
		case l.AtLeastKmh != nil && i > 0 && p.PM96[i-1].AtLeastKmh != nil && *l.AtLeastKmh >= *p.PM96[i-1].AtLeastKmh:
			c.fault(at, "does not descend: sort the levels by speed, the fastest first")
		}
	}
}
