package endtoend_test

import (
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
)

// bucket is five minutes of a segment; From is Unix s.
type bucket struct {
	segment string
	from    int64
}

// laneSum is what one lane counted in some time.
type laneSum struct {
	vehicles int64 // motorised: SM, KR, KB and those of no class
	covered  int64 // s
}

// flows adds up each lane of each five minutes. Counters must speak of periods
// that end on whole five minutes.
func flows(v *inventory.Version, w *world) map[bucket]map[int]laneSum {
	out := map[bucket]map[int]laneSum{}
	for id, f := range w.devices {
		d := v.Device(id)
		if d == nil || d.Kind != inventory.DeviceTraffic {
			continue
		}
		for _, r := range f.delivered {
			if r.Kind != "traffic" {
				continue
			}
			for _, l := range r.Lanes {
				b := bucket{d.Segment, (r.At.Unix() - r.PeriodS) / 300 * 300}
				if l.Direction == "backward" {
					b.segment = v.Segment(d.Segment).Opposite
				}
				if l.Counts == nil {
					continue
				}
				if out[b] == nil {
					out[b] = map[int]laneSum{}
				}
				s := out[b][l.Lane]
				s.vehicles += l.Counts.SM + l.Counts.KR + l.Counts.KB + l.Counts.Unknown
				s.covered += r.PeriodS
				out[b][l.Lane] = s
			}
		}
	}
	return out
}

// trafficPoint is one step of a segment's history, as the API answers it.
type trafficPoint struct {
	T        time.Time `json:"t"`
	FlowVPH  *float64  `json:"flow_vph"`
	FlowSMPH *float64  `json:"flow_smp_h"`
	SpeedKmh *float64  `json:"speed_kmh"`
	DJ       *float64  `json:"dj"`
	Coverage float64   `json:"coverage"`
}

// pointOf is what five minutes must be answered as: the flow of the time that
// was counted, null where a lane has none.
func pointOf(s *inventory.Segment, lanes map[int]laneSum, length int64) (flow *float64, coverage float64) {
	var sum float64
	var covered int64
	known := true
	for lane := 1; lane <= s.Lanes; lane++ {
		l := lanes[lane]
		if l.covered == 0 {
			known = false
			continue
		}
		sum += float64(l.vehicles) * 3600 / float64(l.covered)
		covered += l.covered
	}
	if known {
		flow = &sum
	}
	return flow, float64(covered) / float64(int64(s.Lanes)*length)
}
