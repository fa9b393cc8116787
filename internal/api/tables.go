package api

import (
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// siteTable makes a row of each class of each site.
func (s *Server) siteTable(only city.Class) func([]*tile, int64) *table {
	return func(tiles []*tile, now int64) *table {
		t := &table{name: "parking-sites", columns: []string{
			"id", "name", "kind", "lat", "lon", "address", "kecamatan", "segment",
			"class", "capacity", "free", "occupied", "unknown", "state", "quality",
			"accessible_capacity", "accessible_free", "site_quality", "confidence", "observed_at", "age_s",
			"tariff", "payment", "restrictions", "official", "opening_hours",
		}}
		for _, tl := range tiles {
			about := tl.about.(*siteAbout)
			site, state := about.site, &about.state
			for _, c := range state.Classes {
				if only != city.ClassNone && c.Class != only {
					continue
				}
				t.add(site.ID, site.Name, string(site.Kind), site.Location.Lat, site.Location.Lon, site.Address, site.Kecamatan, site.Segment,
					c.Class.String(), int64(c.Capacity), cellInt(c.Free), cellInt(c.Occupied), int64(c.Unknown), string(c.State), string(c.Quality),
					int64(state.AccessibleCapacity), cellInt(state.AccessibleFree), string(state.Quality), state.Confidence,
					string(s.atOrNull(state.ObservedAt)), cellAge(state.ObservedAt, now),
					site.Tariff, strings.Join(site.Payment, " "), strings.Join(site.Restrictions, " "), site.Official, site.OpeningHours)
			}
		}
		return t
	}
}

func (s *Server) segmentTable(tiles []*tile, now int64) *table {
	t := &table{name: "traffic-segments", columns: []string{
		"id", "name", "direction", "status", "flow_vph", "flow_smp_h", "capacity_smp_h", "dj", "dj_counted", "regime",
		"speed_kmh", "free_flow_kmh", "tti", "index", "los", "los_pm96", "trend", "quality", "observed_at", "age_s", "source",
	}}
	for _, tl := range tiles {
		about := tl.about.(*segmentSource)
		g, x := about.segment, &about.state
		t.add(g.ID, g.Name, g.Direction, x.Status, cellMilli(x.FlowVPH), cellMilli(x.FlowSMPH), cellMilli(x.CapacitySMP),
			cellMilli(x.DJ), cellMilli(x.DJCounted), x.Regime, cellMilli(x.SpeedKmh), cellMilli(x.FreeFlowKmh), cellMilli(x.TTI), cellMilli(x.Index),
			x.LOS, x.LOSPM96, x.Trend, x.Quality, string(s.atOrNull(x.ObservedAt)), cellAge(x.ObservedAt, now), x.Source)
	}
	return t
}
