package inventory

import (
	"sort"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// cross checks what one file says of another.
func (p *parser) cross() {
	for _, s := range p.v.Sites {
		f := p.sites[s.ID]
		if s.Segment != "" && p.v.segments[s.Segment] == nil {
			f.fault("segment", "segment %s is not in %s: correct it, add the segment or remove the property", short(s.Segment), fileSegments)
		}
		if s.Operator != "" && p.v.Operator(s.Operator) == nil {
			f.fault("operator", "operator %s is not in %s: correct it or add the operator", short(s.Operator), fileOperators)
		}
		p.tariffOf(f, s)
		if s.Levy != "" && p.has(fileAccounts) && p.v.AccountFor(s.Levy, "9999-12-31") == nil {
			f.fault("levy", "levy %s has no account in %s: add the account that its money goes to", s.Levy, fileAccounts)
		}
	}
	for _, s := range p.v.Segments {
		p.opposite(p.segments[s.ID], s)
	}
	p.far()
}

func (p *parser) tariffOf(f *props, s *Site) {
	if s.Tariff == "" {
		return
	}
	if !p.has(fileTariffs) {
		f.fault("tariff", "tariff %s is not there, nor is %s: add the file or remove the property", short(s.Tariff), fileTariffs)
		return
	}
	if p.tariffsRead && p.v.Tariffs.Tariff(s.Tariff) == nil {
		f.fault("tariff", "tariff %s is not in %s: %s", short(s.Tariff), fileTariffs, strictyaml.Suggest(s.Tariff, p.v.Tariffs.IDs()))
	}
}

func (p *parser) opposite(f *props, s *Segment) {
	if s.Opposite == "" {
		return
	}
	o := p.v.segments[s.Opposite]
	switch {
	case s.Opposite == s.ID:
		f.fault("opposite", "opposite is the segment itself: name the other direction")
	case o == nil:
		f.fault("opposite", "opposite %s is not in the file: correct it or add the segment", short(s.Opposite))
	case o.Opposite != s.ID:
		f.fault("opposite", "opposite %s names %q as its own opposite: let both name each other", o.ID, o.Opposite)
	case s.RoadType != o.RoadType && (s.RoadType == Road22TT || o.RoadType == Road22TT) && s.RoadType != "" && o.RoadType != "":
		f.fault("road_type", "road_type is %s, that of its opposite %s is %s: both directions of a 2/2-TT road are one road, make them equal", s.RoadType, o.ID, o.RoadType)
	case s.RoadType == Road22TT && s.ID < o.ID && (s.WidthM != o.WidthM || s.LaneWidthM != o.LaneWidthM):
		f.fault("width_m", "the width differs from that of its opposite %s: both directions of a 2/2-TT road are one road, make them equal", o.ID)
	case s.RoadType == Road22TT && s.ID < o.ID && s.Split != "" && o.Split != "" && s.LargerShare() != o.LargerShare():
		f.fault("split", "split %s differs from that of its opposite %s (%s): both directions of a 2/2-TT road are one road, make them equal", s.Split, o.ID, o.Split)
	}
}

const maxFarM = 200_000 // no city is larger

// far finds positions that lie far from all others, as swapped or mistyped
// coordinates do.
func (p *parser) far() {
	type place struct {
		f  *props
		at LatLon
	}
	var places []place
	for _, s := range p.v.Sites {
		if s.Location != (LatLon{}) {
			places = append(places, place{p.sites[s.ID], s.Location})
		}
	}
	for _, s := range p.v.Segments {
		if len(s.Line) > 0 {
			places = append(places, place{p.segments[s.ID], midpoint(s.Line)})
		}
	}
	if len(places) < 3 {
		return
	}
	median := func(of func(LatLon) float64) float64 {
		all := make([]float64, len(places))
		for i := range places {
			all[i] = of(places[i].at)
		}
		sort.Float64s(all)
		return all[len(all)/2]
	}
	middle := LatLon{median(func(p LatLon) float64 { return p.Lat }), median(func(p LatLon) float64 { return p.Lon })}
	for _, pl := range places {
		d := DistanceM(middle, pl.at)
		if d <= maxFarM {
			continue
		}
		hint := "correct the position"
		if swapped := (LatLon{pl.at.Lon, pl.at.Lat}); DistanceM(middle, swapped) < maxFarM {
			hint = "GeoJSON wants [lon, lat], swap them"
		}
		pl.f.p.fault(pl.f.file, pl.f.line, "%s: lies %.0f km from the middle of the city: %s", pl.f.what, d/1000, hint)
	}
}

// finish sorts what is sorted by id and builds the look-ups.
func (v *Version) finish() {
	sort.Slice(v.Sites, func(i, j int) bool { return v.Sites[i].ID < v.Sites[j].ID })
	sort.Slice(v.Segments, func(i, j int) bool { return v.Segments[i].ID < v.Segments[j].ID })
	sort.Slice(v.Devices, func(i, j int) bool { return v.Devices[i].ID < v.Devices[j].ID })
	v.bySite, v.bySegm = map[string][]*Device{}, map[string][]*Device{}
	for _, d := range v.Devices {
		if d.Site != "" {
			v.bySite[d.Site] = append(v.bySite[d.Site], d)
		}
		if d.Segment != "" {
			v.bySegm[d.Segment] = append(v.bySegm[d.Segment], d)
		}
	}
	v.days = holidayIndex(v.Holidays)
	v.closed = newClosureIndex(v.Closures, v.Zone)
}
