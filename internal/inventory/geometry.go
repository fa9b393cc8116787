package inventory

import (
	"math"
	"sort"
)

const earthRadiusM = 6371008.8

// DistanceM returns the great-circle distance of two positions, m (haversine).
func DistanceM(a, b LatLon) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*rad, (b.Lon-a.Lon)*rad
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * earthRadiusM * math.Asin(math.Min(1, math.Sqrt(h)))
}

func lengthM(line []LatLon) float64 {
	sum := 0.0
	for i := 1; i < len(line); i++ {
		sum += DistanceM(line[i-1], line[i])
	}
	return sum
}

// midpoint returns the position half way along a line.
func midpoint(line []LatLon) LatLon {
	left := lengthM(line) / 2
	for i := 1; i < len(line); i++ {
		d := DistanceM(line[i-1], line[i])
		if d > 0 && left <= d {
			t := left / d
			return LatLon{line[i-1].Lat + t*(line[i].Lat-line[i-1].Lat), line[i-1].Lon + t*(line[i].Lon-line[i-1].Lon)}
		}
		left -= d
	}
	return line[0]
}

// inside returns a position in a polygon: its centroid, or where that lies
// outside or in a hole, the middle of the widest stretch of the same latitude.
func inside(rings [][]LatLon) LatLon {
	c := centroid(rings[0])
	if contains(rings, c) {
		return c
	}
	best, width := rings[0][0], 0.0
	for _, lat := range []float64{c.Lat, middleLat(rings[0])} {
		cuts := crossings(rings, lat)
		for i := 1; i < len(cuts); i += 2 {
			if w := cuts[i] - cuts[i-1]; w > width {
				best, width = LatLon{lat, (cuts[i] + cuts[i-1]) / 2}, w
			}
		}
		if width > 0 {
			break
		}
	}
	return best
}

func centroid(ring []LatLon) LatLon {
	origin := ring[0] // small numbers keep the area exact
	var area, lat, lon float64
	for i := 1; i < len(ring); i++ {
		x1, y1 := ring[i-1].Lon-origin.Lon, ring[i-1].Lat-origin.Lat
		x2, y2 := ring[i].Lon-origin.Lon, ring[i].Lat-origin.Lat
		cross := x1*y2 - x2*y1
		area += cross
		lon += (x1 + x2) * cross
		lat += (y1 + y2) * cross
	}
	if area == 0 {
		return origin
	}
	return LatLon{origin.Lat + lat/(3*area), origin.Lon + lon/(3*area)}
}

// middleLat returns a latitude between two different ones of a ring, so that
// it meets the inside of every ring that has one.
func middleLat(ring []LatLon) float64 {
	lats := make([]float64, len(ring))
	for i := range ring {
		lats[i] = ring[i].Lat
	}
	sort.Float64s(lats)
	best, gap := lats[0], 0.0
	for i := 1; i < len(lats); i++ {
		if d := lats[i] - lats[i-1]; d > gap {
			best, gap = (lats[i]+lats[i-1])/2, d
		}
	}
	return best
}

// crossings returns the longitudes at which a latitude enters and leaves the
// polygon, sorted: inside between the first and second, third and fourth, ...
func crossings(rings [][]LatLon, lat float64) []float64 {
	var out []float64
	for _, ring := range rings {
		for i := 1; i < len(ring); i++ {
			a, b := ring[i-1], ring[i]
			if (a.Lat > lat) != (b.Lat > lat) {
				out = append(out, a.Lon+(lat-a.Lat)/(b.Lat-a.Lat)*(b.Lon-a.Lon))
			}
		}
	}
	sort.Float64s(out)
	return out
}

func contains(rings [][]LatLon, p LatLon) bool {
	in := false
	for _, lon := range crossings(rings, p.Lat) {
		if lon > p.Lon {
			in = !in
		}
	}
	return in
}

// point reads a position [lon, lat] and perhaps a height.
func (f *props) point(n *node) (LatLon, bool) {
	if n.kind != '[' || len(n.items) < 2 || len(n.items) > 3 {
		f.p.fault(f.file, n.line, "%s: a position is not [lon, lat]: export the layer again", f.what)
		return LatLon{}, false
	}
	lon, wrongLon := n.items[0].number(-180, 180)
	lat, wrongLat := n.items[1].number(-90, 90)
	if wrongLon == "" && wrongLat == "" {
		return LatLon{lat, lon}, true
	}
	if _, wrong := n.items[0].number(-90, 90); wrong == "" {
		if _, wrong := n.items[1].number(-180, 180); wrong == "" {
			f.p.fault(f.file, n.line, "%s: the position [%s, %s] has a latitude over 90: GeoJSON wants [lon, lat], swap them", f.what, short(n.items[0].text), short(n.items[1].text))
			return LatLon{}, false
		}
	}
	if wrongLon != "" {
		f.p.fault(f.file, n.line, "%s: longitude %s", f.what, wrongLon)
	} else {
		f.p.fault(f.file, n.line, "%s: latitude %s", f.what, wrongLat)
	}
	return LatLon{}, false
}

// points reads a list of positions, at least low of them; one fault a list.
func (f *props) points(n *node, low int) ([]LatLon, bool) {
	if n.kind != '[' || len(n.items) < low {
		f.p.fault(f.file, n.line, "%s: a line has %d positions: draw at least %d", f.what, len(n.items), low)
		return nil, false
	}
	out := make([]LatLon, len(n.items))
	for i := range n.items {
		at, ok := f.point(&n.items[i])
		if !ok {
			return nil, false
		}
		out[i] = at
	}
	return out, true
}

// shape returns the geometry's type and coordinates; a Multi... with a single
// part, as QGIS likes to make them, is that part.
func (f *props) shape(allowed string) (kind string, at *node) {
	if f.geo == nil || f.geo.kind != '{' {
		f.fault("", "has no geometry: draw it")
		return "", nil
	}
	t, at := f.geo.member("type"), f.geo.member("coordinates")
	if t == nil || at == nil || at.kind != '[' {
		f.p.fault(f.file, f.geo.line, "%s: the geometry has no type or no coordinates: export the layer again", f.what)
		return "", nil
	}
	kind = t.text
	if single, ok := map[string]string{"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}[kind]; ok {
		if len(at.items) != 1 {
			f.p.fault(f.file, f.geo.line, "%s: the geometry is a %s of %d parts: split it, or keep one part", f.what, short(kind), len(at.items))
			return "", nil
		}
		kind, at = single, &at.items[0]
	}
	if wrong := checkWord(kind, splitWords(allowed)); wrong != "" {
		f.p.fault(f.file, f.geo.line, "%s: the geometry's type %s", f.what, wrong)
		return "", nil
	}
	return kind, at
}

// line reads a LineString that is longer than nothing.
func (f *props) lineString(at *node) ([]LatLon, bool) {
	line, ok := f.points(at, 2)
	if ok && lengthM(line) < 1 {
		f.p.fault(f.file, at.line, "%s: the line is shorter than 1 m: draw it again", f.what)
		return nil, false
	}
	return line, ok
}

// polygon reads a Polygon's rings.
func (f *props) polygon(at *node) ([][]LatLon, bool) {
	if len(at.items) == 0 {
		f.p.fault(f.file, at.line, "%s: the polygon has no ring: draw it again", f.what)
		return nil, false
	}
	rings := make([][]LatLon, 0, len(at.items))
	for i := range at.items {
		ring, ok := f.points(&at.items[i], 4)
		if !ok {
			return nil, false
		}
		if ring[0] != ring[len(ring)-1] {
			f.p.fault(f.file, at.items[i].line, "%s: a ring of the polygon is open: let it end where it begins", f.what)
			return nil, false
		}
		rings = append(rings, ring)
	}
	return rings, true
}

// location reads any geometry of a site and a position on or in it.
func (f *props) location() (LatLon, bool) {
	kind, at := f.shape("Point LineString Polygon")
	switch kind {
	case "Point":
		return f.point(at)
	case "LineString":
		if line, ok := f.lineString(at); ok {
			return midpoint(line), true
		}
	case "Polygon":
		if rings, ok := f.polygon(at); ok {
			return inside(rings), true
		}
	}
	return LatLon{}, false
}
