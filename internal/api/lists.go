package api

import (
	"net/http"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

func tileID(t *tile) string { return t.id }

// listSites serves /v1/parking/sites.
func (s *Server) listSites(w http.ResponseWriter, q *request) error {
	b := s.board.Load()
	if q.URL.RawQuery == "" {
		p := b.sites.whole(b.at)
		writeBytes(w, q.Request, jsonType, shortly, p.etag, p.body)
		return nil
	}
	tiles := s.filterSites(q, b)
	keep := keepClass(q.class())
	return s.writeTiles(w, q, b, pageAfter(q, tiles, tileID), keep, s.siteTable(q.class()))
}

// filterSites returns the tiles that the filters leave.
func (s *Server) filterSites(q *request, b *board) []*tile {
	kecamatan, kind, class, bounds := q.text("kecamatan"), q.text("kind"), q.class(), q.args.get("bbox")
	tiles := make([]*tile, 0, len(b.sites.tiles))
	for _, t := range b.sites.tiles {
		about := t.about.(*siteAbout)
		if kecamatan != "" && about.site.Kecamatan != kecamatan || kind != "" && string(about.site.Kind) != kind ||
			class != city.ClassNone && about.classAt(class) < 0 || bounds.given && !inside(bounds.box, about.site.Location) {
			continue
		}
		tiles = append(tiles, t)
	}
	return tiles
}

func inside(box [4]float64, at inventory.LatLon) bool {
	return at.Lon >= box[0] && at.Lat >= box[1] && at.Lon <= box[2] && at.Lat <= box[3]
}

// keepClass trims the classes of a site to one; nil keeps all.
func keepClass(class city.Class) func(*tile) func(int) bool {
	if class == city.ClassNone {
		return nil
	}
	return func(t *tile) func(int) bool {
		at := t.about.(*siteAbout).classAt(class)
		return func(i int) bool { return i == at }
	}
}

// listSegments serves /v1/traffic/segments.
func (s *Server) listSegments(w http.ResponseWriter, q *request) error {
	b := s.board.Load()
	if q.URL.RawQuery == "" {
		p := b.segments.whole(b.at)
		writeBytes(w, q.Request, jsonType, shortly, p.etag, p.body)
		return nil
	}
	return s.writeTiles(w, q, b, pageAfter(q, b.segments.tiles, tileID), nil, s.segmentTable)
}

// writeTiles answers with a page of tiles in the format asked for.
func (s *Server) writeTiles(w http.ResponseWriter, q *request, b *board, tiles []*tile,
	keep func(*tile) func(int) bool, table func(tiles []*tile, now int64) *table,
) error {
	p := listPage(tiles, b.at, keep, q.limit())
	if q.format() == "json" {
		b.kept.put(q, p)
		writeBytes(w, q.Request, jsonType, shortly, p.etag, p.body)
		return nil
	}
	tiles, next := firstPage(tiles, q.limit(), tileID)
	linkNext(w, q, next)
	if q.format() == "geojson" {
		writeBytes(w, q.Request, geojsonType, shortly, p.etag, features(tiles, b.at, keep, nil))
		return nil
	}
	return s.writeTable(w, q, table(tiles, b.at), shortly, p.etag)
}

// features writes tiles as a GeoJSON FeatureCollection (RFC 7946); more adds
// members to the properties.
func features(tiles []*tile, now int64, keep func(*tile) func(int) bool, more func(i int, dst []byte) []byte) []byte {
	body := []byte(`{"type":"FeatureCollection","features":[`)
	for i, t := range tiles {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"type":"Feature","id":`...)
		body = append(body, encode(t.id)...)
		body = append(body, `,"geometry":`...)
		body = append(body, t.geometry...)
		body = append(body, `,"properties":`...)
		var classes func(int) bool
		if keep != nil {
			classes = keep(t)
		}
		body = t.append(body, now, classes)
		if more != nil {
			body = append(more(i, body[:len(body)-1]), '}')
		}
		body = append(body, '}')
	}
	return append(body, `]}`...)
}

// oneSite serves /v1/parking/sites/{id}.
func (s *Server) oneSite(w http.ResponseWriter, q *request) error {
	b := s.board.Load()
	return writeTile(w, q, b, &b.sites, "there is no such site")
}

// oneSegment serves /v1/traffic/segments/{id}.
func (s *Server) oneSegment(w http.ResponseWriter, q *request) error {
	b := s.board.Load()
	return writeTile(w, q, b, &b.segments, "there is no such segment")
}

// writeTile answers with one item. It is written once a board, by who asks for
// it first.
func writeTile(w http.ResponseWriter, q *request, b *board, sh *shelf, missing string) error {
	i, ok := sh.place[q.text("id")]
	if !ok {
		return notFound(missing)
	}
	p := sh.alone[i].Load()
	if p == nil {
		fresh := sh.tiles[i].alone(b.at)
		p = &fresh
		sh.alone[i].Store(p)
	}
	writeBytes(w, q.Request, jsonType, shortly, p.etag, p.body)
	return nil
}

// congestionNow serves /v1/traffic/congestion.
func (s *Server) congestionNow(w http.ResponseWriter, q *request) error {
	b := s.board.Load()
	writeBytes(w, q.Request, jsonType, shortly, b.congestion.etag, b.congestion.body)
	return nil
}
