package watch

import (
	"slices"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// gadgets are the devices of a follower.
type gadgets struct {
	byID   map[string]*gadget
	all    []*gadget         // by place in the file
	free   []int             // places that are free
	soiled []bool            // packs that are to be written
	usuals map[string]*usual // by place and kind of device
	places []string          // their keys, sorted
	of     map[string][]*gadget
}

func newGadgets() gadgets {
	return gadgets{byID: map[string]*gadget{}, usuals: map[string]*usual{}, of: map[string][]*gadget{}}
}

// running is the journal's clock less the time in which the gateway was off.
func (f *Follower) running() int64 { return f.clock - f.still }

// hear gives a reading to its device.
func (f *Follower) hear(e *journal.Entry) {
	if e.Flags&journal.FlagRetried != 0 {
		return
	}
	if g := f.gadgets.byID[e.Reading.Device]; g != nil {
		g.hear(e, f.running())
		f.gadgets.soil(g)
	}
}

// equip makes the devices of the newest version the present ones.
func (f *Follower) equip() {
	s := &f.gadgets
	clear(s.of)
	for _, g := range s.all {
		if g != nil {
			g.d, g.site, g.usual = nil, nil, nil
		}
	}
	for _, d := range f.inv.Devices {
		g := s.byID[d.ID]
		if g == nil {
			g = s.add(d.ID)
			g.Heard, g.At = f.running(), f.running()
		}
		g.id = d.ID // one copy of the text
		g.d, g.site = d, f.inv.Site(d.Site)
		if place := placeOf(d); place != "" {
			if s.usuals[place] == nil {
				s.usuals[place] = new(usual)
			}
			g.usual = s.usuals[place]
			g.usual.zone = f.inv.Zone
			s.of[place] = append(s.of[place], g)
		}
	}
	for i, g := range s.all {
		if g != nil && g.d == nil {
			delete(s.byID, g.id)
			s.all[i], s.free = nil, append(s.free, i)
			s.soiled[i/packed] = true
		}
	}
	s.places = s.places[:0]
	for place := range s.usuals {
		if len(s.of[place]) > 0 {
			s.places = append(s.places, place)
		}
	}
	slices.Sort(s.places)
}

// placeOf names the devices that are alike: of one kind at one site or segment.
func placeOf(d *inventory.Device) string {
	switch {
	case d.Kind == inventory.DeviceMeter: // it has detectors of its own
		return ""
	case d.Kind == inventory.DeviceTraffic:
		return d.Segment + "|traffic"
	case d.Site != "":
		return d.Site + "|" + string(d.Kind)
	}
	return ""
}

func (s *gadgets) add(id string) *gadget {
	g := &gadget{id: id}
	s.byID[id] = g
	if n := len(s.free); n > 0 {
		i := slices.Min(s.free)
		s.free = slices.DeleteFunc(s.free, func(k int) bool { return k == i })
		s.put(i, g)
		return g
	}
	s.put(len(s.all), g)
	return g
}

func (s *gadgets) put(i int, g *gadget) {
	for len(s.all) <= i {
		s.all = append(s.all, nil)
	}
	for len(s.soiled) <= i/packed {
		s.soiled = append(s.soiled, false)
	}
	s.all[i], g.place = g, int32(i)
	s.soiled[i/packed] = true
}

func (s *gadgets) soil(g *gadget) { s.soiled[g.place/packed] = true }
