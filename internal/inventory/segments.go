package inventory

import (
	"fmt"
	"strconv"
	"strings"
)

var segmentProperties = []string{
	"id", "name", "direction", "opposite", "road_type", "lanes", "lane_width_m", "width_m", "split",
	"side_friction", "edge", "edge_width_m", "free_flow_kmh", "road_class",
}

// The road types of contract section 5.
const (
	Road22TT  = "2/2-TT"
	Road42T   = "4/2-T"
	Road62T   = "6/2-T"
	Road82T   = "8/2-T"
	RoadOne   = "one_way"
	evenSplit = "50-50"
)

// lanesOf is the lanes of one direction where `lanes` is left out.
var lanesOf = map[string]int{Road22TT: 1, Road42T: 2, Road62T: 3, Road82T: 4}

func (p *parser) readSegments() {
	for _, f := range p.features(fileSegments, segmentProperties) {
		s := &Segment{
			ID: f.id("id"), Name: f.need("name"), Direction: f.text("direction"), Opposite: f.text("opposite"),
			RoadType: f.word("road_type", Road22TT, Road42T, Road62T, Road82T, RoadOne),
			Lanes:    f.whole("lanes", 1, 16), LaneWidthM: f.number("lane_width_m", 1, 20), WidthM: f.number("width_m", 2, 100),
			Split: f.checked("split", checkSplit), SideFriction: f.word("side_friction", Frictions...),
			Edge: f.word("edge", "shoulder", "kerb"), EdgeWidthM: f.number("edge_width_m", 0, 50),
			FreeFlowKmh: f.number("free_flow_kmh", 5, 200), RoadClass: f.text("road_class"),
		}
		f.road(s)
		if kind, at := f.shape("LineString"); kind != "" {
			if line, ok := f.lineString(at); ok {
				s.Line, s.LengthM = line, lengthM(line)
			}
		}
		if f.geo != nil {
			s.Geometry = f.geo.raw
		}
		if s.ID == "" {
			continue
		}
		if first, ok := p.segments[s.ID]; ok {
			f.fault("id", "the id is there twice (first on line %d): give each direction its own", first.lineOf("id"))
			continue
		}
		p.segments[s.ID] = f
		p.v.segments[s.ID] = s
		p.v.Segments = append(p.v.Segments, s)
	}
}

// road checks what the road's type asks for, and warns of what is missing for
// a capacity.
func (f *props) road(s *Segment) {
	if !f.has("road_type") {
		f.fault("road_type", "road_type is missing: write 2/2-TT, 4/2-T, 6/2-T, 8/2-T or one_way")
	}
	if s.RoadType == "" {
		return
	}
	if s.Lanes == 0 && !f.has("lanes") {
		if s.Lanes = lanesOf[s.RoadType]; s.Lanes == 0 {
			f.fault("lanes", "lanes is missing: write how many lanes the one-way road has")
		}
	}
	if s.RoadType == Road22TT {
		if s.Opposite == "" && !f.has("opposite") {
			f.fault("opposite", "opposite is missing: a 2/2-TT road has one capacity for both directions, name the other one's id")
		}
		if s.Split == "" && !f.has("split") {
			s.Split = evenSplit
		}
	}
	var missing []string
	if s.LaneWidthM == 0 && s.WidthM == 0 {
		missing = append(missing, "lane_width_m or width_m")
	}
	if s.SideFriction == "" {
		missing = append(missing, "side_friction")
	}
	if s.Edge == "" {
		missing = append(missing, "edge")
	} else if !f.has("edge_width_m") {
		f.warn("edge", "edge_width_m is missing: the narrowest %s of the tables is taken, fill it in", s.Edge)
	}
	if len(missing) > 0 {
		f.warn("id", "no capacity can be told without %s: fill it in, or dj and los stay unknown", strings.Join(missing, ", "))
	}
}

// HasCapacity tells whether everything is given that a capacity needs.
func (s *Segment) HasCapacity() bool {
	return s.RoadType != "" && (s.LaneWidthM > 0 || s.WidthM > 0) && s.SideFriction != "" && s.Edge != "" && s.Lanes > 0
}

// checkSplit accepts two shares that make 100, like 60-40.
func checkSplit(s string) string {
	if _, ok := splitShare(s); !ok {
		return fmt.Sprintf("is %q: write the shares of both directions that make 100, like 60-40", short(s))
	}
	return ""
}

// splitShare returns the larger share of a split, per cent.
func splitShare(s string) (int, bool) {
	a, b, _ := strings.Cut(s, "-")
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	return max(x, y), errX == nil && errY == nil && x >= 0 && y >= 0 && x+y == 100
}

// LargerShare returns the larger share of Split, per cent; 50 where there is
// none.
func (s *Segment) LargerShare() float64 {
	if share, ok := splitShare(s.Split); ok {
		return float64(share)
	}
	return 50
}
