package api

import (
	"net/http"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/token"
)

// historySpan reads from, to and step of a request.
func (s *Server) historySpan(q *request) (span, time.Duration, error) {
	step := time.Duration(q.args.get("step").whole) * time.Minute
	sp, err := q.span(24 * time.Hour)
	if err != nil {
		return sp, step, err
	}
	sp, err = s.steps(sp, step)
	return sp, step, err
}

// siteHistory serves /v1/parking/sites/{id}/history.
func (s *Server) siteHistory(w http.ResponseWriter, q *request) error {
	site := s.board.Load().version.Site(q.text("id"))
	if site == nil {
		return notFound("there is no such site")
	}
	class := q.class()
	if class == city.ClassNone && len(site.Classes) > 0 {
		class = site.Classes[0]
	}
	if _, has := site.Capacity[class]; !has {
		return badParameter("class", "the site has no places for it")
	}
	sp, step, err := s.historySpan(q)
	if err != nil {
		return err
	}
	points, err := s.Parking.History(q.Context(), site.ID, class, sp.from, sp.to, step)
	if err != nil {
		return err
	}
	answer := ParkingHistory{Site: site.ID, Class: class.String(), StepS: int64(step / time.Second), Points: make([]ParkingPoint, 0, len(points))}
	hidden := !maySeeTurnover(q, site)
	t := &table{name: "parking-history-" + fileName(site.ID), columns: []string{
		"t", "free_avg", "free_min", "occupied_avg", "arrivals", "departures", "coverage", "closed",
	}}
	for _, p := range points {
		if hidden {
			p.Arrivals, p.Departures = city.Int{}, city.Int{}
		}
		covered, _ := p.Coverage.Float()
		closed, _ := p.Closed.Float()
		answer.Points = append(answer.Points, ParkingPoint{
			T: s.at(p.T), FreeAvg: p.FreeAvg, FreeMin: p.FreeMin, OccupiedAvg: p.OccupiedAvg,
			Arrivals: p.Arrivals, Departures: p.Departures, Coverage: covered, Closed: closed,
		})
		t.add(string(s.at(p.T)), cellMilli(p.FreeAvg), cellInt(p.FreeMin), cellMilli(p.OccupiedAvg), cellInt(p.Arrivals), cellInt(p.Departures), covered, closed)
	}
	if q.format() != "json" {
		return s.writeTable(w, q, t, aWhile, "")
	}
	writeJSON(w, q, http.StatusOK, answer)
	return nil
}

// maySeeTurnover tells whether arrivals may be shown: those of a taxpayer's
// site would tell the public its turnover.
func maySeeTurnover(q *request, site *inventory.Site) bool {
	return site.Levy != inventory.LevyPBJT ||
		q.is(token.Dishub, token.Bapenda, token.Auditor, token.Executive, token.Admin) ||
		q.is(token.Operator) && q.token.Operator == site.Operator
}

// segmentHistory serves /v1/traffic/segments/{id}/history.
func (s *Server) segmentHistory(w http.ResponseWriter, q *request) error {
	segment := s.board.Load().version.Segment(q.text("id"))
	if segment == nil {
		return notFound("there is no such segment")
	}
	sp, step, err := s.historySpan(q)
	if err != nil {
		return err
	}
	points, err := s.Traffic.History(q.Context(), segment.ID, sp.from, sp.to, step)
	if err != nil {
		return err
	}
	answer := TrafficHistory{Segment: segment.ID, StepS: int64(step / time.Second), Points: make([]TrafficPoint, 0, len(points))}
	t := &table{name: "traffic-history-" + fileName(segment.ID), columns: []string{"t", "flow_vph", "flow_smp_h", "speed_kmh", "dj", "coverage"}}
	for _, p := range points {
		covered, _ := p.Coverage.Float()
		answer.Points = append(answer.Points, TrafficPoint{
			T: s.at(p.T), FlowVPH: p.FlowVPH, FlowSMPH: p.FlowSMPH, SpeedKmh: p.SpeedKmh, DJ: p.DJ, Coverage: covered,
		})
		t.add(string(s.at(p.T)), cellMilli(p.FlowVPH), cellMilli(p.FlowSMPH), cellMilli(p.SpeedKmh), cellMilli(p.DJ), covered)
	}
	if q.format() != "json" {
		return s.writeTable(w, q, t, aWhile, "")
	}
	writeJSON(w, q, http.StatusOK, answer)
	return nil
}

// fileName keeps of an id what no file system and no header minds.
func fileName(id string) string {
	safe := []byte(id)
	for i, c := range safe {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			safe[i] = '_'
		}
	}
	return string(safe)
}
