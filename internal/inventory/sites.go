package inventory

import (
	"cmp"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
)

var siteProperties = []string{
	"id", "name", "kind", "address", "kecamatan", "kelurahan", "segment", "operator", "nopd", "levy", "tariff",
	"opening_hours", "detection", "capacity", "reset_at", "shared", "kerb_length_m", "observed", "accessible",
	"payment", "restrictions", "official",
}

const maxPlaces = 100_000 // of one class at one site

func (p *parser) readSites() {
	for _, f := range p.features(fileSites, siteProperties) {
		s := &Site{
			ID: f.id("id"), Name: f.text("name"), Kind: SiteKind(f.word("kind", string(OnStreet), string(OffStreet))),
			Address: f.text("address"), Kecamatan: f.text("kecamatan"), Kelurahan: f.text("kelurahan"),
			Segment: f.text("segment"), Operator: f.text("operator"), NOPD: f.text("nopd"),
			Levy:   Levy(f.word("levy", string(LevyStreet), string(LevySpecial), string(LevyPBJT))),
			Tariff: f.text("tariff"), OpeningHours: f.text("opening_hours"),
			Detection: Detection(f.word("detection", string(DetectSpots), string(DetectGates), string(DetectCount))),
			ResetAt:   f.checked("reset_at", checkClock), KerbLengthM: f.number("kerb_length_m", 0, 100_000),
			Accessible: f.whole("accessible", 0, maxPlaces), Payment: f.list("payment"),
			Restrictions: f.list("restrictions"), Official: f.yes("official"),
		}
		f.capacity(s)
		if s.Kind == "" && !f.has("kind") {
			f.fault("kind", "kind is missing: write on_street or off_street")
		}
		if s.OpeningHours != "" {
			hours, err := ParseOpeningHours(s.OpeningHours)
			if err != nil {
				f.fault("opening_hours", "opening_hours %s", err)
			}
			s.hours = hours
		}
		if at, ok := f.location(); ok {
			s.Location = at
		}
		if f.geo != nil {
			s.Geometry = f.geo.raw
		}
		if s.ID == "" {
			continue
		}
		s.Name = cmp.Or(s.Name, s.ID)
		if first, ok := p.sites[s.ID]; ok {
			f.fault("id", "the id is there twice (first on line %d): give each site its own", first.lineOf("id"))
			continue
		}
		p.sites[s.ID] = f
		p.v.sites[s.ID] = s
		p.v.Sites = append(p.v.Sites, s)
	}
}

// capacity reads what depends on the classes of a site.
func (f *props) capacity(s *Site) {
	if !f.has("capacity") {
		f.fault("capacity", "capacity is missing: write the places of each class, like {\"car\": 20}")
	}
	s.Capacity = map[city.Class]int{}
	f.byClass("capacity", func(class city.Class, n *node) {
		places, wrong := n.whole(0, maxPlaces)
		if wrong != "" {
			f.fault("capacity", "capacity of %s %s", class, wrong)
		}
		s.Capacity[class] = places
	})
	if n := f.unfold("capacity", '{'); n != nil && n.kind == '{' && len(n.members) == 0 {
		f.fault("capacity", "capacity names no class: write the places of each, like {\"car\": 20}")
	}
	for _, class := range city.Classes {
		if _, ok := s.Capacity[class]; ok {
			s.Classes = append(s.Classes, class)
		}
	}
	f.byClass("observed", func(class city.Class, n *node) {
		share, wrong := n.number(0, 1)
		if wrong != "" {
			f.fault("observed", "observed of %s %s", class, wrong)
			return
		}
		if !slices.Contains(s.Classes, class) {
			f.fault("observed", "observed names %s, which has no capacity here: add it to capacity or remove it", class)
			return
		}
		if s.Observed == nil {
			s.Observed = map[city.Class]float64{}
		}
		s.Observed[class] = share
	})
	shared := f.list("shared")
	for _, name := range shared {
		class, wrong := parseSiteClass(name)
		if wrong != "" {
			f.fault("shared", "shared: class %s", wrong)
			continue
		}
		if !slices.Contains(s.Classes, class) {
			f.fault("shared", "shared names %s, which has no capacity here: add it to capacity or remove it", class)
			continue
		}
		s.Shared = append(s.Shared, class)
	}
	if len(shared) == 1 {
		f.fault("shared", "shared names %s alone: name every class that uses the space, or leave it out", short(shared[0]))
	}
	total := 0
	for _, places := range s.Capacity {
		total += places
	}
	if s.Accessible > total && total > 0 {
		f.fault("accessible", "accessible is %d of %d places: correct one of them", s.Accessible, total)
	}
}
