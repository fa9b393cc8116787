package occupancy_test

import (
	"slices"
	"sort"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// model says what the follower must say, slowly: it keeps every observation
// and looks at all of them for every question.
type model struct {
	clock    int64
	versions []modelVersion
	seen     map[string][]modelObs // series -> observations in the order they came
	lost     []modelLost
}

type modelVersion struct {
	from     int64
	reset    int64                       // of the gates' site, minute of the day
	capacity map[string]int64            // site -> places
	interval map[string]map[string]int64 // site -> device -> s
}

type modelObs struct {
	at, v int64 // v as the detection wants it
	ended bool
	class city.Class
	dwell int64 // s, -1 none
}

type modelLost struct {
	site             string
	from, to, places int64
}

// home returns the site to which a device's reading at a time belongs.
func (m *model) home(device string, at int64) string {
	v := m.versions[0]
	for _, x := range m.versions {
		if x.from <= at {
			v = x
		}
	}
	for _, v := range []modelVersion{v, m.versions[len(m.versions)-1]} {
		for site, devices := range v.interval {
			if _, ok := devices[device]; ok {
				return site
			}
		}
	}
	return ""
}

func (m *model) accept(v modelVersion) {
	m.clock = max(m.clock, v.from)
	if n := len(m.versions); n > 0 {
		for site, devices := range m.versions[n-1].interval {
			for device := range devices {
				if _, ok := v.interval[site][device]; !ok {
					key := site + "/" + device
					if list := m.seen[key]; len(list) == 0 || !m.sorted(key)[len(list)-1].ended {
						m.seen[key] = append(list, modelObs{at: v.from, ended: true, dwell: -1})
					}
				}
			}
		}
	}
	m.versions = append(m.versions, v)
}

// steps returns the value that holds at a time: the last version's that has
// one and began by then, else the first that has one.
func (m *model) step(at int64, value func(modelVersion) (int64, bool)) (found int64) {
	first := true
	for _, v := range m.versions {
		if x, ok := value(v); ok && (first || v.from <= at) {
			found, first = x, false
		}
	}
	return found
}

func (m *model) capacity(site string, at int64) int64 {
	c := m.step(at, func(v modelVersion) (int64, bool) { c, ok := v.capacity[site]; return c, ok })
	for _, l := range m.lost {
		if l.site == site && l.from <= at && at < l.to {
			c -= l.places
		}
	}
	return max(0, c)
}

func (m *model) until(site, device string, o modelObs) int64 {
	if o.ended {
		return o.at
	}
	if site == "g" {
		return o.at + 24*hour
	}
	return o.at + 3*second*m.step(o.at, func(v modelVersion) (int64, bool) { i, ok := v.interval[site][device]; return i, ok })
}

// sorted returns a series in event time; all of those at one time.
func (m *model) sorted(key string) []modelObs {
	list := slices.Clone(m.seen[key])
	sort.SliceStable(list, func(i, j int) bool { return list[i].at < list[j].at })
	return list
}

// lasting returns a series in event time, of those at one time the last.
func (m *model) lasting(key string) (list []modelObs) {
	all := m.sorted(key)
	for i, o := range all {
		if i+1 == len(all) || all[i+1].at != o.at {
			list = append(list, o)
		}
	}
	return list
}

func (m *model) devices(site string) (list []string) {
	for key := range m.seen {
		if len(key) > 2 && key[:2] == site+"/" {
			list = append(list, key[2:])
		}
	}
	sort.Strings(list)
	return list
}

// at returns what is known of a site just after a time.
func (m *model) at(site string, t int64) (free, occ int64, ok bool) {
	capacity := m.capacity(site, t)
	if site == "g" {
		occ, known := m.gate(t)
		return max(0, capacity-occ), occ, known
	}
	var frees, known, heard int64
	all := m.step(t, func(v modelVersion) (int64, bool) { return int64(len(v.interval[site])), true })
	for _, d := range m.devices(site) {
		var last *modelObs
		for _, o := range m.lasting(site + "/" + d) {
			if o.at <= t {
				last = &o
			}
		}
		if last == nil || last.ended {
			continue
		}
		heard++
		if m.until(site, d, *last) <= t {
			continue
		}
		known++
		switch {
		case site == "c":
			occ += last.v
		case last.v == 1:
			occ++
		default:
			frees++
		}
	}
	if known == 0 {
		return 0, 0, false
	}
	left := max(0, capacity-occ)
	if site == "c" {
		return left * known / max(all, heard), occ, true // who was never heard is a counter, too
	}
	return min(frees, left), occ, true
}

// resets returns every reset of the gates' site up to a time.
func (m *model) resets(to int64) (list []int64) {
	for at := begin - 24*hour; at <= to; at += minute {
		day := (at - begin + 24*hour) % (24 * hour)
		if m.step(at, func(v modelVersion) (int64, bool) { return v.reset, true })*minute == day {
			list = append(list, at)
		}
	}
	return list
}

func (m *model) gate(t int64) (occ int64, known bool) {
	level := map[city.Class]int64{}
	resets := m.resets(t)
	reset := func(to int64) {
		for len(resets) > 0 && resets[0] <= to {
			clear(level)
			resets = resets[1:]
		}
	}
	until := int64(0)
	for _, o := range m.sorted("g/") {
		if o.at > t {
			break
		}
		reset(o.at)
		level[o.class] = max(0, level[o.class]+o.v)
		until = m.until("g", "", o)
	}
	reset(t)
	for _, n := range level {
		occ += n
	}
	return occ, t < until
}

// moments returns every time at which something may change in [from, to].
func (m *model) moments(site string, from, to int64) []int64 {
	list := []int64{from, to}
	for t := from; t < to; t += occupancy.BucketMs {
		list = append(list, t)
	}
	for _, d := range append(m.devices(site), "") {
		for _, o := range m.seen[site+"/"+d] {
			list = append(list, o.at, m.until(site, d, o))
		}
	}
	list = append(list, m.resets(to)...)
	for _, v := range m.versions {
		list = append(list, v.from)
	}
	for _, l := range m.lost {
		list = append(list, l.from, l.to)
	}
	slices.Sort(list)
	return slices.Compact(slices.DeleteFunc(list, func(t int64) bool { return t < from || t > to }))
}

// history returns the five-minute points in [from, to).
func (m *model) history(site string, from, to int64) []occupancy.HistoryPoint {
	points := make([]occupancy.HistoryPoint, (to-from)/occupancy.BucketMs)
	covered, frees, occs := make([]int64, len(points)), make([]int64, len(points)), make([]int64, len(points))
	moments := m.moments(site, from, min(to, m.clock))
	for i := 0; i+1 < len(moments); i++ {
		t, ms := moments[i], moments[i+1]-moments[i]
		free, occ, ok := m.at(site, t)
		if !ok {
			continue
		}
		at := (t - from) / occupancy.BucketMs
		if covered[at] == 0 || free < points[at].FreeMin.V {
			points[at].FreeMin = city.SomeInt(free)
		}
		covered[at] += ms
		frees[at] += free * ms
		occs[at] += occ * ms
	}
	for i := range points {
		p := &points[i]
		p.T = from + int64(i)*occupancy.BucketMs
		p.Coverage = city.SomeMilli(covered[i] * 1000 / occupancy.BucketMs)
		p.Closed = city.SomeMilli(0)
		if covered[i] == 0 {
			continue
		}
		p.FreeAvg, p.OccupiedAvg = city.MilliOf(float64(frees[i])/float64(covered[i])), city.MilliOf(float64(occs[i])/float64(covered[i]))
		if site != "c" {
			arr, dep := m.moved(site, p.T, min(p.T+occupancy.BucketMs, m.clock))
			p.Arrivals, p.Departures = city.SomeInt(arr), city.SomeInt(dep)
		}
	}
	return points
}

func (m *model) moved(site string, from, to int64) (arr, dep int64) {
	if site == "g" {
		for _, o := range m.seen["g/"] {
			if o.at >= from && o.at < to {
				arr += max(0, o.v)
				dep += max(0, -o.v)
			}
		}
		return arr, dep
	}
	for _, d := range m.devices(site) {
		list := m.lasting(site + "/" + d)
		for i := 1; i < len(list); i++ {
			was, is := list[i-1], list[i]
			if is.at < from || is.at >= to || was.ended || is.ended || m.until(site, d, was) < is.at {
				continue
			}
			arr += max(0, is.v-was.v)
			dep += max(0, was.v-is.v)
		}
	}
	return arr, dep
}

// stays returns the stays at a site with spots, by time and device.
func (m *model) stays(site string) (stays []occupancy.Stay) {
	for _, d := range m.devices(site) {
		list := m.lasting(site + "/" + d)
		for i, o := range list {
			if o.v != 0 || o.ended {
				continue
			}
			// Back over the occupied ones without a silence.
			var from int64
			var known bool
			sure := i > 0 && m.until(site, d, list[i-1]) >= o.at
			j := i - 1
			for ; j >= 0 && list[j].v == 1 && !list[j].ended && m.until(site, d, list[j]) >= list[j+1].at; j-- {
				from = list[j].at
			}
			switch {
			case from != 0:
				known = j >= 0 && list[j].v == 0 && !list[j].ended && m.until(site, d, list[j]) >= list[j+1].at
				if !known && o.dwell >= 0 {
					from, known = o.at-o.dwell*1000, true
				}
			case !sure && o.dwell >= 0 && (i == 0 || list[i-1].v == 1 && !list[i-1].ended || o.at-o.dwell*1000 > list[i-1].at):
				from, known = o.at-o.dwell*1000, true
			default:
				continue
			}
			stays = append(stays, occupancy.Stay{Device: d, Class: city.Car, From: from, Until: o.at, Known: known})
		}
	}
	sort.SliceStable(stays, func(i, j int) bool { return stays[i].Until < stays[j].Until })
	return stays
}

// lulls returns the silences of a site's spots that are over, by device and
// time.
func (m *model) lulls(site string) []occupancy.Lull {
	lulls := []occupancy.Lull{}
	for _, d := range m.devices(site) {
		list := m.lasting(site + "/" + d)
		for i := 1; i < len(list); i++ {
			a, b := list[i-1], list[i]
			until := m.until(site, d, a)
			if a.ended || b.ended || b.at-a.at <= (until-a.at)/2 {
				continue
			}
			l := occupancy.Lull{Device: d, Class: city.Car, From: a.at, Until: b.at, Heard: b.at, Held: min(until, b.at), Before: a.v == 1, After: b.v == 1}
			if l.Before != l.After && b.dwell >= 0 {
				since := b.at - b.dwell*1000
				if since <= a.at+1000 {
					if since = a.at; b.at <= until {
						continue
					}
				}
				l.Until, l.Told = since, since < b.at
			}
			lulls = append(lulls, l)
		}
	}
	sort.SliceStable(lulls, func(i, j int) bool {
		return lulls[i].Device < lulls[j].Device || lulls[i].Device == lulls[j].Device && lulls[i].From < lulls[j].From
	})
	return lulls
}
