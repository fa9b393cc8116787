package world

import (
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

const fiveMinutes = 5 * minute

// history returns the five-minute points in [from, to).
func (p *parking) history(s *site, from, to int64) []occupancy.HistoryPoint {
	points := make([]occupancy.HistoryPoint, (to-from)/fiveMinutes)
	covered, frees, occs := make([]int64, len(points)), make([]int64, len(points)), make([]int64, len(points))
	moments := p.moments(s, from, min(to, p.clock))
	for i := 0; i+1 < len(moments); i++ {
		t, ms := moments[i], moments[i+1]-moments[i]
		free, occ, ok := p.at(s, t)
		if !ok {
			continue
		}
		at := (t - from) / fiveMinutes
		if covered[at] == 0 || free < points[at].FreeMin.V {
			points[at].FreeMin = city.SomeInt(free)
		}
		covered[at] += ms
		frees[at] += free * ms
		occs[at] += occ * ms
	}
	for i := range points {
		x := &points[i]
		x.T = from + int64(i)*fiveMinutes
		x.Coverage = city.SomeMilli(covered[i] * 1000 / fiveMinutes)
		x.Closed = city.SomeMilli(p.closedIn(s, x.T, x.T+fiveMinutes) * 1000 / fiveMinutes)
		if covered[i] == 0 {
			continue
		}
		x.FreeAvg, x.OccupiedAvg = mean(frees[i], covered[i]), mean(occs[i], covered[i])
		if s.detection != "count" {
			arrived, left := p.moved(s, x.T, min(x.T+fiveMinutes, p.clock))
			x.Arrivals, x.Departures = city.SomeInt(arrived), city.SomeInt(left)
		}
	}
	return points
}

// mean is rounded half up, in thousandths.
func mean(sum, n int64) city.Milli { return city.SomeMilli((sum*1000 + n/2) / n) }

// moments returns every time at which something may change in [from, to].
func (p *parking) moments(s *site, from, to int64) []int64 {
	list := []int64{from, to}
	for t := from; t < to; t += fiveMinutes {
		list = append(list, t)
	}
	for id, obs := range p.seen[s.id] {
		for _, o := range obs {
			list = append(list, o.at, p.until(id, o))
		}
	}
	list = append(list, resets(s, from, to)...)
	for _, v := range p.m.versions {
		list = append(list, v.at)
	}
	for _, x := range p.shut {
		list = append(list, x.from, x.until)
	}
	slices.Sort(list)
	return slices.Compact(slices.DeleteFunc(list, func(t int64) bool { return t < from || t > to }))
}

// closedIn returns the ms of [from, to) in which the whole site was closed.
func (p *parking) closedIn(s *site, from, to int64) (ms int64) {
	list := []int64{from, to}
	for _, x := range p.shut {
		list = append(list, min(max(x.from, from), to), min(max(x.until, from), to))
	}
	slices.Sort(list)
	for i := 0; i+1 < len(list); i++ {
		if slices.ContainsFunc(p.shut, func(x closed) bool {
			return x.site == s.id && x.places < 0 && x.from <= list[i] && list[i] < x.until
		}) {
			ms += list[i+1] - list[i]
		}
	}
	return ms
}

// moved returns the vehicles that came and left in [from, to).
func (p *parking) moved(s *site, from, to int64) (arrived, left int64) {
	for id, obs := range p.seen[s.id] {
		if id == "" {
			for _, o := range obs {
				if o.at >= from && o.at < to {
					arrived += max(0, o.v)
					left += max(0, -o.v)
				}
			}
			continue
		}
		list := lasting(obs)
		i := sort.Search(len(list), func(i int) bool { return list[i].at >= from })
		for i = max(i, 1); i < len(list) && list[i].at < to; i++ {
			if p.until(id, list[i-1]) < list[i].at {
				continue // nobody knows what was in between
			}
			arrived += max(0, list[i].v-list[i-1].v)
			left += max(0, list[i-1].v-list[i].v)
		}
	}
	return arrived, left
}
