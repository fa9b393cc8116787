package api

import (
	"cmp"
	"hash/fnv"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// near is a site within the radius.
type near struct {
	tile *tile
	m    float64 // distance, m
	rank int
	more []byte // the members that the list of sites lacks
}

// nearby serves /v1/parking/nearby.
func (s *Server) nearby(w http.ResponseWriter, q *request) error {
	b := s.board.Load()
	found := findNear(q, b)
	if limit := q.limit(); len(found) > limit {
		found = found[:limit]
	}
	tiles := make([]*tile, len(found))
	for i := range found {
		tiles[i] = found[i].tile
	}
	arrival := q.now.Add(time.Duration(q.whole("arrive_in_min")) * time.Minute).UnixMilli()
	keep := keepClass(q.class())
	tag := fnv.New64a()
	for i := range found {
		found[i].more = appendNear(nil, b.version, &found[i], q.class(), arrival)
		_, _ = tag.Write(strconv.AppendUint(nil, found[i].tile.hash, 16))
		_, _ = tag.Write(found[i].more)
	}
	more := func(i int, dst []byte) []byte { return append(dst, found[i].more...) }
	switch q.format() {
	case "geojson":
		writeBytes(w, q.Request, geojsonType, shortly, etag(tag.Sum64()), features(tiles, b.at, keep, more))
		return nil
	case "json":
		body := []byte(`{"items":[`)
		for i, t := range tiles {
			if i > 0 {
				body = append(body, ',')
			}
			var classes func(int) bool
			if keep != nil {
				classes = keep(t)
			}
			body = t.append(body, b.at, classes)
			body = append(more(i, body[:len(body)-1]), '}')
		}
		p := page{body: append(body, `],"next":null}`...), etag: etag(tag.Sum64())}
		b.kept.put(q, p)
		writeBytes(w, q.Request, jsonType, shortly, p.etag, p.body)
		return nil
	default:
		return s.writeTable(w, q, s.nearTable(found, b, q.class(), arrival), shortly, etag(tag.Sum64()))
	}
}

// findNear returns the sites within the radius, the best first.
func findNear(q *request, b *board) []near {
	lat, lon, radius := q.args.get("lat").num, q.args.get("lon").num, q.args.get("radius_m").num
	class, accessible := q.class(), q.args.get("accessible").flag
	var found []near
	for _, t := range b.sites.tiles {
		about := t.about.(*siteAbout)
		m := haversine(lat, lon, about.site.Location)
		if m > radius || class != city.ClassNone && about.classAt(class) < 0 || accessible && about.state.AccessibleCapacity == 0 {
			continue
		}
		found = append(found, near{tile: t, m: m, rank: rank(about, class, accessible)})
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.m, b.m), cmp.Compare(a.tile.id, b.tile.id))
	})
	return found
}

var rankOf = map[occupancy.State]int{
	occupancy.StateOpen: 0, occupancy.StateAlmostFull: 0, occupancy.StateUnknown: 1, occupancy.StateFull: 2, occupancy.StateClosed: 3,
}

// rank sorts a site for who wants to park there: open and not full, then
// unknown, then full, then closed. Of several classes the best counts.
func rank(about *siteAbout, class city.Class, accessible bool) int {
	best := 3
	for _, c := range about.state.Classes {
		if class == city.ClassNone || c.Class == class {
			best = min(best, rankOf[c.State])
		}
	}
	if accessible && best < 2 {
		switch free := about.state.AccessibleFree; {
		case !free.OK:
			best = 1
		case free.V <= 0:
			best = 2
		}
	}
	return best
}

// priceOf returns what an hour from arrival costs; unset where no tariff tells.
func priceOf(v *inventory.Version, about *siteAbout, class city.Class, arrival int64) city.Int {
	if class == city.ClassNone && len(about.state.Classes) > 0 {
		class = about.state.Classes[0].Class
	}
	price, err := v.Tariffs.PriceOneHour(about.site.Tariff, class, arrival, v.Calendar())
	if err != nil {
		return city.Int{}
	}
	return city.SomeInt(int64(price))
}

// walkMin is the walk in minutes, to a hundredth: the way is 1.3 times the
// distance, at 80 m/min.
func walkMin(m float64) float64 { return math.Round(math.Round(m)*1.3/80*100) / 100 }

// appendNear writes the further members of a near site, with a leading comma.
func appendNear(dst []byte, v *inventory.Version, n *near, class city.Class, arrival int64) []byte {
	dst = append(dst, `,"distance_m":`...)
	dst = strconv.AppendInt(dst, int64(math.Round(n.m)), 10)
	dst = append(dst, `,"walk_min":`...)
	dst = strconv.AppendFloat(dst, walkMin(n.m), 'f', -1, 64)
	dst = append(dst, `,"p_free_on_arrival":null,"price_1h":`...)
	return append(dst, encode(priceOf(v, n.tile.about.(*siteAbout), class, arrival))...)
}

// haversine returns the distance on a sphere of 6,371,008.8 m, m.
func haversine(lat, lon float64, to inventory.LatLon) float64 {
	const rad, radius = math.Pi / 180, 6_371_008.8
	sinLat, sinLon := math.Sin((to.Lat-lat)*rad/2), math.Sin((to.Lon-lon)*rad/2)
	h := sinLat*sinLat + math.Cos(lat*rad)*math.Cos(to.Lat*rad)*sinLon*sinLon
	return 2 * radius * math.Asin(math.Sqrt(min(1, h)))
}

func (s *Server) nearTable(found []near, b *board, class city.Class, arrival int64) *table {
	t := &table{name: "parking-nearby", columns: []string{
		"id", "name", "kind", "lat", "lon", "address", "class", "capacity", "free", "state", "distance_m", "walk_min", "price_1h", "observed_at", "age_s",
	}}
	for i := range found {
		about := found[i].tile.about.(*siteAbout)
		site, state := about.site, &about.state
		for _, c := range state.Classes {
			if class != city.ClassNone && c.Class != class {
				continue
			}
			t.add(site.ID, site.Name, string(site.Kind), site.Location.Lat, site.Location.Lon, site.Address,
				c.Class.String(), int64(c.Capacity), cellInt(c.Free), string(c.State), int64(math.Round(found[i].m)), walkMin(found[i].m),
				cellInt(priceOf(b.version, about, c.Class, arrival)), string(s.atOrNull(state.ObservedAt)), cellAge(state.ObservedAt, b.at))
		}
	}
	return t
}
