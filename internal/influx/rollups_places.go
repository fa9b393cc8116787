package influx

import (
	"slices"

	"github.com/simpang-id/simpang/internal/inventory"
)

// until is the end of what is looked up at once from a time on: most, or where
// another version of the inventory begins.
func (s *rollups) until(from, most int64) int64 {
	for _, at := range s.t.o.Timeline.Accepted(s.at.pos) {
		if end := at + (stepMs-at%stepMs)%stepMs; end > from && end < most {
			return end
		}
	}
	return most
}

// places are the sites and segments of a time in which versions change in its
// last five minutes at most: as they were at its begin, and those that came.
func (s *rollups) places(from, to int64) (sites []*inventory.Site, segments []*inventory.Segment) {
	for _, at := range []int64{from, to - 1} {
		v := s.t.o.Timeline.At(s.at.pos, at)
		if v == nil {
			continue
		}
		for _, site := range v.Sites {
			if !slices.ContainsFunc(sites, func(x *inventory.Site) bool { return x.ID == site.ID }) {
				sites = append(sites, site)
			}
		}
		for _, segment := range v.Segments {
			if !slices.ContainsFunc(segments, func(x *inventory.Segment) bool { return x.ID == segment.ID }) {
				segments = append(segments, segment)
			}
		}
	}
	return sites, segments
}
