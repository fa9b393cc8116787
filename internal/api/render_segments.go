package api

import (
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/traffic"
)

// segmentSource is what a segment's tile was made of.
type segmentSource struct {
	segment *inventory.Segment
	state   traffic.SegmentState
}

func (s *Server) renderSegments(b, old *board) {
	states := s.Traffic.Segments() // sorted by id, as the version's segments are
	b.segments.tiles = make([]*tile, 0, len(b.version.Segments))
	for _, segment := range b.version.Segments {
		for len(states) > 0 && states[0].ID < segment.ID {
			states = states[1:]
		}
		source := segmentSource{segment: segment}
		if len(states) > 0 && states[0].ID == segment.ID {
			source.state = states[0]
		} else {
			source.state = traffic.SegmentState{ID: segment.ID, Status: "open", Quality: "none"}
		}
		t := old.segments.at(segment.ID)
		if t == nil || *t.about.(*segmentSource) != source {
			t = s.segmentTile(source, t)
		}
		b.segments.tiles = append(b.segments.tiles, t)
	}
	b.segments.stock(&old.segments)
	s.renderCongestion(b)
}

func (s *Server) segmentTile(source segmentSource, old *tile) *tile {
	state := &source.state
	t := newTile(state.ID, Segment{
		ID: state.ID, Name: source.segment.Name, Direction: TextOrNull(source.segment.Direction), Status: state.Status,
		FlowVPH: state.FlowVPH, FlowSMPH: state.FlowSMPH, CapacitySMPH: state.CapacitySMP,
		DJ: state.DJ, DJCounted: state.DJCounted, Regime: TextOrNull(state.Regime),
		SpeedKmh: state.SpeedKmh, FreeFlowKmh: state.FreeFlowKmh, TTI: state.TTI, Index: state.Index,
		LOS: TextOrNull(state.LOS), LOSPM96: TextOrNull(state.LOSPM96), Trend: TextOrNull(state.Trend),
		Quality: state.Quality, ObservedAt: s.atOrNull(state.ObservedAt), Source: TextOrNull(state.Source),
	}, nil, state.ObservedAt)
	t.about = &source
	if old != nil && old.about.(*segmentSource).segment == source.segment {
		t.geometry = old.geometry
	} else {
		t.geometry = compact(source.segment.Geometry)
	}
	return t
}

// renderCongestion assembles the city's answer from the segments' tiles.
func (s *Server) renderCongestion(b *board) {
	c := s.Traffic.Congestion()
	body := append([]byte(`{"index":`), encode(c.Index)...)
	body = append(body, `,"levels":`...)
	body = append(body, encode(levels(c.Levels))...)
	tag := fnv.New64a()
	_, _ = tag.Write(body)
	body = append(body, `,"worst":[`...)
	first := true
	for _, worst := range c.Worst {
		t := b.segments.at(worst.ID)
		if t == nil {
			continue
		}
		if !first {
			body = append(body, ',')
		}
		first = false
		body = t.append(body, b.at, nil)
		_, _ = tag.Write(strconv.AppendUint(nil, t.hash, 16))
	}
	observed := encode(s.atOrNull(c.ObservedAt))
	_, _ = tag.Write(observed)
	body = append(body, `],"observed_at":`...)
	body = append(body, observed...)
	body = append(body, `,"age_s":`...)
	if c.ObservedAt == 0 {
		body = append(body, "null"...)
	} else {
		body = strconv.AppendInt(body, ageS(c.ObservedAt, b.at), 10)
	}
	body = append(body, '}')
	b.congestion = page{body: body, etag: etag(tag.Sum64())}
}

// levels makes every level stand in the answer, also one without a segment.
func levels(counted map[string]int) map[string]int {
	all := map[string]int{"A": 0, "B": 0, "C": 0, "D": 0, "E": 0, "F": 0, "unknown": 0}
	for _, level := range slices.Collect(maps.Keys(counted)) {
		all[level] += counted[level]
	}
	return all
}
