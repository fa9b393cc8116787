package api

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
)

func (a *siteAbout) same(b *siteAbout) bool {
	x, y := &a.state, &b.state
	return a.site == b.site && x.Rev == y.Rev && x.Quality == y.Quality && x.Confidence == y.Confidence &&
		x.ObservedAt == y.ObservedAt && x.Closed == y.Closed && x.AccessibleCapacity == y.AccessibleCapacity &&
		x.AccessibleFree == y.AccessibleFree && slices.Equal(x.Classes, y.Classes)
}

func (s *Server) renderSites(b, old *board) {
	states := s.Parking.Sites() // sorted by id, as the version's sites are
	b.sites.tiles = make([]*tile, 0, len(b.version.Sites))
	for _, site := range b.version.Sites {
		for len(states) > 0 && states[0].ID < site.ID {
			states = states[1:]
		}
		about := siteAbout{site: site}
		if len(states) > 0 && states[0].ID == site.ID {
			about.state = states[0]
		} else {
			about.state = neverHeard(site)
		}
		t := old.sites.at(site.ID)
		if t == nil || !t.about.(*siteAbout).same(&about) {
			t = s.siteTile(about, t)
		}
		b.sites.tiles = append(b.sites.tiles, t)
	}
	b.sites.stock(&old.sites)
}

// neverHeard is a site that its follower does not know yet.
func neverHeard(site *inventory.Site) occupancy.SiteState {
	state := occupancy.SiteState{ID: site.ID, Quality: occupancy.QualityNone, AccessibleCapacity: site.Accessible}
	for _, class := range site.Classes {
		n := site.Capacity[class]
		state.Classes = append(state.Classes, occupancy.ClassState{
			Class: class, Capacity: n, Unknown: n, State: occupancy.StateUnknown, Quality: occupancy.QualityNone,
		})
	}
	return state
}

// siteAbout is what a site's tile was made of; filters and formats look at it.
type siteAbout struct {
	site  *inventory.Site
	state occupancy.SiteState
}

// siteTile renders a site and its spots; old is the tile before, or nil.
func (s *Server) siteTile(about siteAbout, old *tile) *tile {
	site, state := about.site, &about.state
	classes := make([][]byte, 0, len(state.Classes))
	for _, c := range state.Classes {
		classes = append(classes, encode(SiteClass{
			Class: c.Class.String(), Capacity: c.Capacity, Free: c.Free, Occupied: c.Occupied,
			Unknown: c.Unknown, State: string(c.State), Quality: string(c.Quality),
		}))
	}
	item := s.siteItem(site, state)
	item.Classes = []SiteClass{}
	t := newTile(site.ID, item, classes, state.ObservedAt)
	t.about = &about
	if old != nil && old.about.(*siteAbout).site == site {
		t.geometry = old.geometry
	} else {
		t.geometry = compact(site.Geometry)
	}
	t.add(append([]byte(`,"spots":`), encode(s.spots(site.ID))...))
	return t
}

// siteItem returns the item without classes and age.
func (s *Server) siteItem(site *inventory.Site, state *occupancy.SiteState) Site {
	return Site{
		ID: site.ID, Name: site.Name, Kind: string(site.Kind), Location: site.Location,
		Address: TextOrNull(site.Address), Kecamatan: TextOrNull(site.Kecamatan), Segment: TextOrNull(site.Segment),
		Accessible: Accessible{state.AccessibleCapacity, state.AccessibleFree},
		Quality:    string(state.Quality), Confidence: math.Round(state.Confidence*1000) / 1000,
		ObservedAt: s.atOrNull(state.ObservedAt), Tariff: TextOrNull(site.Tariff),
		Payment: orEmpty(site.Payment), Restrictions: orEmpty(site.Restrictions),
		Official: site.Official, OpeningHours: TextOrNull(site.OpeningHours),
	}
}

// spots returns a site's spots, which are valid until the next call.
func (s *Server) spots(site string) []SiteSpot {
	_, states, _ := s.Parking.Site(site)
	spots := slices.Grow(s.shown[:0], len(states))
	for _, spot := range states {
		spots = append(spots, SiteSpot{ID: spot.Spot, Class: TextOrNull(spot.Class.String()), State: spot.State, Accessible: spot.Accessible})
	}
	if s.shown = spots; spots == nil {
		return []SiteSpot{}
	}
	return spots
}

// orEmpty makes a list that is not there an empty one.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// compact takes the blanks out of a GeoJSON geometry; null where there is none.
func compact(geometry []byte) []byte {
	var b bytes.Buffer
	if len(geometry) == 0 || json.Compact(&b, geometry) != nil {
		return []byte("null")
	}
	return b.Bytes()
}

// classAt returns the index of a class among a site's, -1 if it has none.
func (a *siteAbout) classAt(class city.Class) int {
	return slices.IndexFunc(a.state.Classes, func(c occupancy.ClassState) bool { return c.Class == class })
}
