package traffic_test

import (
	"math"
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/traffic"
)

// model is the follower as slow and plain as can be: it keeps every reading
// and computes every answer from all of them. It knows one version of the
// inventory, whose segments are a and b (2/2-TT) and c (4/2-T).
type model struct {
	v   *inventory.Version
	now int64
	all map[string]map[int]map[string][]seen // segment, lane, device

	capacity map[string]float64
	free     map[string]float64
	lanes    map[string]int
}

// seen is one lane of one reading.
type seen struct {
	end, period int64
	l           city.Lane
}

func newModel(v *inventory.Version, entries []journal.Entry) *model {
	m := &model{
		v: v, all: map[string]map[int]map[string][]seen{},
		capacity: map[string]float64{"a": 2800 * 0.94 * 0.86, "b": 2800 * 0.94 * 0.86, "c": 3162},
		free:     map[string]float64{"a": 42, "b": 42, "c": 60},
		lanes:    map[string]int{"a": 1, "b": 1, "c": 2},
	}
	for i := range entries {
		e := &entries[i]
		m.now = max(m.now, e.Recv)
		if e.Type != journal.TypeReading {
			continue
		}
		d := v.Device(e.Reading.Device)
		for _, l := range e.Reading.Traffic.Lanes {
			id := d.Segment
			if l.Backward {
				id = v.Segment(id).Opposite
			}
			if id == "" {
				continue
			}
			if m.all[id] == nil {
				m.all[id] = map[int]map[string][]seen{}
			}
			if m.all[id][int(l.Lane)] == nil {
				m.all[id][int(l.Lane)] = map[string][]seen{}
			}
			m.all[id][int(l.Lane)][d.ID] = append(m.all[id][int(l.Lane)][d.ID], seen{e.Reading.At, int64(e.Reading.Traffic.PeriodS) * 1000, l})
		}
	}
	return m
}

// remembered is what of a lane the present may look at, in order of time.
func remembered(all []seen, t int64) []seen {
	s := append([]seen(nil), all...)
	sort.SliceStable(s, func(i, j int) bool { return s[i].end < s[j].end })
	var out []seen
	for i, x := range s {
		if (x.end > s[len(s)-1].end-45*minute || i >= len(s)-3) && x.end <= t {
			out = append(out, x)
		}
	}
	return out
}

// laneNow is the quarter of an hour of one device before its newest reading.
type laneNow struct {
	sm, kr, kb           float64 // vehicles
	covered, blind       int64
	driven, pace         float64 // vehicles with a speed, and their paces
	blindTime, blindPace float64
	end                  int64
	heard, fresh         bool
	periods              []seen
	limit                int64
}

func (m *model) look(device string, all []seen, t, now int64) laneNow {
	s := remembered(all, t)
	if len(s) == 0 {
		return laneNow{}
	}
	last := s[len(s)-1]
	interval := int64(m.v.Device(device).IntervalS) * 1000
	n := laneNow{end: last.end, heard: true, periods: s, limit: interval}
	for _, x := range s { // of readings of one time, the longest period is the last
		if x.end == last.end {
			last.period = max(last.period, x.period)
		}
	}
	n.fresh = now <= last.end+3*max(interval, last.period)
	if !n.fresh {
		return n
	}
	for _, x := range s {
		if x.end <= last.end-15*minute {
			continue
		}
		kmh, known := x.l.Speed.Float()
		kmh = max(kmh, 1)
		if !x.l.HasCounts {
			if known {
				n.blind += x.period
				n.blindTime += float64(x.period)
				n.blindPace += float64(x.period) / kmh
			}
			continue
		}
		n.covered += x.period
		n.sm += float64(x.l.SM)
		n.kr += float64(x.l.KR) + float64(x.l.Unknown)
		n.kb += float64(x.l.KB)
		if v := float64(x.l.SM) + float64(x.l.KR) + float64(x.l.Unknown) + float64(x.l.KB); known && v > 0 {
			n.driven += v
			n.pace += v / kmh
		}
	}
	return n
}

// laneAt chooses the device that covers most.
func (m *model) laneAt(id string, lane int, t, now int64) laneNow {
	var devices []string
	for d := range m.all[id][lane] {
		devices = append(devices, d)
	}
	sort.Strings(devices)
	var best laneNow
	for i, d := range devices {
		n := m.look(d, m.all[id][lane][d], t, now)
		end := max(best.end, n.end)
		if i == 0 || n.covered > best.covered || (n.covered == best.covered && n.blind > best.blind) {
			best = n
		}
		best.end = end
	}
	best.heard = best.end != 0
	return best
}

// roadNow is one direction.
type roadNow struct {
	sm, kr, kb       float64 // vehicles/h
	known, some, all bool
	heard            bool
	kmh              float64
	end              int64
	lanes            []laneNow
}

func (r *roadNow) vehicles() float64 { return r.sm + r.kr + r.kb }

func (m *model) road(id string, t, now int64) roadNow {
	r := roadNow{known: true, all: true}
	var numbers []int
	for n := range m.all[id] {
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	var weight, pace, blind, blindPace float64
	found := 0
	for _, number := range numbers {
		n := m.laneAt(id, number, t, now)
		if !n.heard {
			continue
		}
		r.heard = true
		r.end = max(r.end, n.end)
		if number-numbers[0] < m.lanes[id] { // from the lowest ever heard on
			found++
		} else if now-n.end > 24*hour {
			continue
		}
		r.lanes = append(r.lanes, n)
		switch {
		case n.covered > 0:
			r.some = true
			h := float64(hour) / float64(n.covered)
			r.sm, r.kr, r.kb = r.sm+n.sm*h, r.kr+n.kr*h, r.kb+n.kb*h
			if n.driven > 0 {
				weight += n.driven * h
				pace += n.pace * h
			}
		case n.blind > 0:
			r.some, r.known, r.all = true, false, false
			blind += n.blindTime
			blindPace += n.blindPace
		default:
			r.known, r.all = false, false
		}
	}
	if found < m.lanes[id] {
		r.known, r.all = false, false
	}
	switch {
	case weight > 0:
		r.kmh = weight / pace
	case blind > 0:
		r.kmh = blind / blindPace
	}
	r.known = r.known && r.some
	return r
}

// smp and ratio by facts/traffic.md, section 2.3.
func (m *model) smp(id string, own, other roadNow) float64 {
	sm, kb := 0.40, 1.3
	if (id == "c" && own.vehicles()/2 >= 1050) || (id != "c" && own.vehicles()+other.vehicles() >= 1800) {
		sm, kb = 0.25, 1.2
	}
	return own.sm*sm + own.kr + own.kb*kb
}

func (m *model) ratio(id string, own, other roadNow) float64 {
	switch {
	case !own.known || (id != "c" && !other.known):
		return math.NaN()
	case id == "c":
		return m.smp(id, own, roadNow{}) / m.capacity[id]
	default:
		return (m.smp(id, own, other) + m.smp(id, other, own)) / m.capacity[id]
	}
}

var bounds = []struct {
	letter string
	upTo   float64
}{{"A", 0.20}, {"B", 0.44}, {"C", 0.74}, {"D", 0.84}, {"E", 1}, {"F", math.Inf(1)}}

func letter(ratio float64) string {
	for _, b := range bounds {
		if ratio <= b.upTo {
			return b.letter
		}
	}
	return ""
}

func sticky(before string, ratio float64) string {
	plain := letter(ratio)
	if before == "" || plain >= before {
		return plain
	}
	return min(before, letter(ratio+0.02))
}

func other(id string) string { return map[string]string{"a": "b", "b": "a", "c": ""}[id] }

func (m *model) state(id string) traffic.SegmentState {
	own, opp := m.road(id, math.MaxInt64, m.now), m.road(other(id), math.MaxInt64, m.now)
	s := traffic.SegmentState{
		ID: id, Status: "open", Quality: "none", Source: "PKJI2023-sekunder", ObservedAt: own.end,
		CapacitySMP: city.MilliOf(m.capacity[id]), FreeFlowKmh: city.MilliOf(m.free[id]),
	}
	switch {
	case !own.heard:
		return s
	case !own.some:
		s.Quality = "stale"
		return s
	case own.all:
		s.Quality = "live"
	default:
		s.Quality = "partial"
	}
	ratio := m.ratio(id, own, opp)
	if own.known {
		s.FlowVPH = city.MilliOf(own.vehicles())
		if id == "c" || opp.known {
			s.FlowSMPH = city.MilliOf(m.smp(id, own, opp))
		}
	}
	if own.kmh > 0 {
		s.SpeedKmh = city.MilliOf(own.kmh)
		s.TTI = city.MilliOf(m.free[id] / own.kmh)
		s.Index = city.MilliOf(min(10, max(0, 10-10*own.kmh/m.free[id])))
		for _, b := range []struct {
			letter string
			kmh    float64
		}{{"F", 0}, {"E", 10}, {"D", 50}, {"C", 60}, {"B", 70}, {"A", 80}} {
			if own.kmh >= b.kmh {
				s.LOSPM96 = b.letter
			}
		}
	}
	jam := false
	if !math.IsNaN(ratio) {
		s.DJCounted = city.MilliOf(ratio)
		if jam = ratio < 1 && m.slow(id, own); jam {
			s.Regime, s.LOS = "oversaturated", "F"
		} else {
			s.DJ, s.Regime = s.DJCounted, "free"
			if s.LOS = sticky(m.before(id, max(own.end, opp.end)), ratio); s.LOS >= "D" {
				s.Regime = "dense"
			}
		}
	}
	s.Trend = m.trend(id, own, jam)
	return s
}

// before goes through the half hour before the newest reading.
func (m *model) before(id string, last int64) string {
	was := ""
	for t := int64(0); t < last; t += minute {
		if t == 0 {
			t = (last - 30*minute) / minute * minute
			continue
		}
		if ratio := m.ratio(id, m.road(id, t, t), m.road(other(id), t, t)); math.IsNaN(ratio) {
			was = ""
		} else {
			was = sticky(was, ratio)
		}
	}
	return was
}

func (m *model) slow(id string, own roadNow) bool {
	for k := range 2 {
		var weight, pace, blind, blindPace float64
		for _, n := range own.lanes {
			if !n.fresh || n.covered+n.blind == 0 {
				continue
			}
			var usable []seen // newest first, until a gap
			after := n.end
			for _, x := range slices.Backward(n.periods) {
				if after-x.end > 3*max(x.period, n.limit) {
					break
				}
				after = x.end
				if occ, _ := x.l.Occupancy.Float(); x.l.HasCounts && x.l.SM+x.l.KR+x.l.KB+x.l.Unknown == 0 && occ >= 50 {
					continue
				}
				usable = append(usable, x)
			}
			if len(usable) <= k {
				continue
			}
			x := usable[k]
			kmh, known := x.l.Speed.Float()
			kmh = max(kmh, 1)
			v := float64(x.l.SM + x.l.KR + x.l.KB + x.l.Unknown)
			switch {
			case known && x.l.HasCounts && v > 0:
				weight += v / float64(x.period)
				pace += v / float64(x.period) / kmh
			case known && !x.l.HasCounts:
				blind += float64(x.period)
				blindPace += float64(x.period) / kmh
			}
		}
		kmh := math.Inf(1)
		if weight > 0 {
			kmh = weight / pace
		} else if blind > 0 {
			kmh = blind / blindPace
		}
		if kmh >= m.free[id]/2 {
			return false
		}
	}
	return true
}

func (m *model) trend(id string, own roadNow, jam bool) string {
	past := m.road(id, own.end-15*minute, own.end-15*minute)
	var change, least float64
	switch {
	case jam && own.kmh > 0 && past.kmh > 0:
		change, least = past.kmh-own.kmh, past.kmh/10
	case !jam && own.known && past.known:
		change, least = own.vehicles()-past.vehicles(), max(20, past.vehicles()/10)
	default:
		return ""
	}
	switch {
	case change > least:
		return "rising"
	case -change > least:
		return "falling"
	}
	return "steady"
}
