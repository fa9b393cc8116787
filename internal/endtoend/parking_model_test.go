package endtoend_test

import (
	"slices"
	"sort"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

// siteClass is one of a site's classes, as the API answers it.
type siteClass struct {
	Class    string `json:"class"`
	Capacity int    `json:"capacity"`
	Free     *int   `json:"free"`
	Occupied *int   `json:"occupied"`
	Unknown  int    `json:"unknown"`
	State    string `json:"state"`
	Quality  string `json:"quality"`
}

// parking says how full a city must be, by contract section 4 and nothing
// else: for every question it looks at every reading.
type parking struct {
	v   *inventory.Version
	all map[string][]reading // by device, in the order of their time
}

func newParking(v *inventory.Version, w *world) *parking {
	p := &parking{v: v, all: map[string][]reading{}}
	for id, f := range w.devices {
		list := slices.Clone(f.delivered)
		sort.SliceStable(list, func(i, j int) bool {
			if list[i].At.Equal(list[j].At) {
				return list[i].Pos < list[j].Pos
			}
			return list[i].At.Before(list[j].At)
		})
		p.all[id] = list
	}
	return p
}

// site answers for every class of a site at a moment.
func (p *parking) site(s *inventory.Site, now time.Time) []siteClass {
	out := make([]siteClass, 0, len(s.Classes))
	// Which closures hold is the inventory's to tell, and its own tests hold it.
	closed, lost, _ := inventory.NewClosureSet().State(p.v, s.ID, s.Segment, now.UnixMilli())
	for _, class := range s.Classes {
		classes := []city.Class{class}
		if slices.Contains(s.Shared, class) {
			classes = s.Shared
		}
		var c siteClass
		switch s.Detection {
		case inventory.DetectGates:
			c = p.gates(s, classes, lost, now)
		case inventory.DetectCount:
			c = p.counts(s, classes, lost, now)
		case inventory.DetectSpots:
			c = p.spots(s, classes, lost, now)
		}
		c.Class = class.String()
		switch {
		case c.Free == nil:
			c.State, c.Unknown = "unknown", c.Capacity
		case *c.Free == 0 && c.Unknown == 0:
			c.State = "full"
		case *c.Free*10 <= c.Capacity:
			c.State = "almost_full"
		default:
			c.State = "open"
		}
		if closed {
			c.State = "closed"
		}
		out = append(out, c)
	}
	return out
}

// last is the newest reading of a device that has what is asked for.
func (p *parking) last(device string, has func(reading) bool) *reading {
	for _, r := range slices.Backward(p.all[device]) {
		if has(r) {
			return &r
		}
	}
	return nil
}

func holds(d *inventory.Device, r *reading, now time.Time) bool {
	return now.Before(r.At.Add(3 * time.Duration(d.IntervalS) * time.Second))
}

func grade(speak, expired, never int) string {
	switch {
	case speak == 0 && expired == 0:
		return "none"
	case speak == 0:
		return "stale"
	case expired+never > 0:
		return "partial"
	}
	return "live"
}

func (p *parking) spots(s *inventory.Site, classes []city.Class, lost int, now time.Time) siteClass {
	c := siteClass{Capacity: max(0, s.Capacity[classes[0]]-lost)}
	var free, occupied, expired, never int
	for _, d := range p.v.SiteDevices(s.ID) {
		if d.Kind != inventory.DeviceSpot || !slices.Contains(classes, d.Class) {
			continue
		}
		r := p.last(d.ID, func(r reading) bool { return r.Kind == "spot" })
		switch {
		case r == nil:
			never++
		case !holds(d, r, now):
			expired++
		case r.Occupied.(bool):
			occupied++
		default:
			free++
		}
	}
	c.Quality = grade(free+occupied, expired, never)
	if free+occupied > 0 {
		free = min(free, max(0, c.Capacity-occupied))
		c.Unknown = max(0, c.Capacity-free-occupied)
		c.Free, c.Occupied = &free, &occupied
	}
	return c
}

func (p *parking) counts(s *inventory.Site, classes []city.Class, lost int, now time.Time) siteClass {
	c := siteClass{Capacity: max(0, s.Capacity[classes[0]]-lost)}
	var occupied, speak, expired, never int
	for _, d := range p.v.SiteDevices(s.ID) {
		if d.Kind != inventory.DeviceCount || (d.Class != city.ClassNone && !slices.Contains(classes, d.Class)) {
			continue
		}
		r := p.last(d.ID, func(r reading) bool { return r.Kind == "count" })
		switch {
		case r == nil:
			never++
		case !holds(d, r, now):
			expired++
		default:
			speak++
			occupied += int(r.Occupied.(float64))
		}
	}
	c.Quality = grade(speak, expired, never)
	if speak > 0 {
		free := max(0, c.Capacity-occupied)
		if expired+never > 0 { // of what the others would see nothing is known
			free = free * speak / (speak + expired + never)
		}
		c.Unknown = max(0, c.Capacity-free-occupied)
		c.Free, c.Occupied = &free, &occupied
	}
	return c
}

// gates counts from 0 at each reset: + in, - out in event time, never below 0.
func (p *parking) gates(s *inventory.Site, classes []city.Class, lost int, now time.Time) siteClass {
	c := siteClass{Capacity: max(0, s.Capacity[classes[0]]-lost), Quality: "none"}
	var passes []reading
	heard := false
	for _, d := range p.v.SiteDevices(s.ID) {
		for _, r := range p.all[d.ID] {
			// Who says only that it lives, or what else passed, would have told what passed here.
			counts := d.Class == city.ClassNone || slices.Contains(classes, d.Class)
			heard = heard || (d.Kind == inventory.DeviceGate && counts && (r.Kind == "gate" || r.Kind == "health"))
			if r.Kind == "gate" && slices.ContainsFunc(classes, func(c city.Class) bool { return c.String() == r.Class }) {
				passes = append(passes, r)
			}
		}
	}
	if len(passes) == 0 && !heard {
		return c
	}
	sort.SliceStable(passes, func(i, j int) bool {
		if passes[i].At.Equal(passes[j].At) {
			return passes[i].Pos < passes[j].Pos
		}
		return passes[i].At.Before(passes[j].At)
	})
	occupied := 0
	for i, r := range passes {
		if i > 0 && resetBetween(s.ResetAt, passes[i-1].At, r.At) {
			occupied = 0
		}
		n := 1
		if r.Count != nil {
			n = int(*r.Count)
		}
		if r.Direction == "out" {
			n = -n
		}
		occupied = max(0, occupied+n)
	}
	if n := len(passes); n > 0 && resetBetween(s.ResetAt, passes[n-1].At, now) {
		occupied = 0
	}
	free := max(0, c.Capacity-occupied)
	c.Free, c.Occupied, c.Quality = &free, &occupied, "estimated"
	return c
}

// resetBetween tells whether HH:MM of the city lies after from and not after to.
func resetBetween(clock string, from, to time.Time) bool {
	if clock == "" {
		return false
	}
	at, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	from = from.In(zone)
	for day := -1; day < 400; day++ {
		reset := time.Date(from.Year(), from.Month(), from.Day()+day, at.Hour(), at.Minute(), 0, 0, zone)
		if reset.After(to) {
			return false
		}
		if reset.After(from) {
			return true
		}
	}
	return false
}
