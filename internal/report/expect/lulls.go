package expect

import (
	"cmp"
	"context"
	"slices"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
)

// lull is a sensor's silence, and when in it it was probably dead.
type lull struct {
	occupancy.Lull
	interval    int64 // ms, of its sensor
	dead, alive int64 // Unix ms
}

// lulls returns the silences of a site's spots that overlap [from, to). Those
// of a sensor that speaks less often than the inventory has it are no
// silences: it has them all day.
func (d *asked) lulls(ctx context.Context, from, to int64) ([]lull, error) {
	found, err := d.sensors.Lulls(ctx, d.Site.ID, from, to)
	if err != nil {
		return nil, err
	}
	return d.bounded(found, from, to), nil
}

// bounded makes them of what occupancy found, which it takes over.
func (d *asked) bounded(found []occupancy.Lull, from, to int64) []lull {
	if len(found) == 0 {
		return nil
	}
	quiet := map[string]int64{}
	short := func(l *occupancy.Lull) bool { return l.Heard <= l.Held }
	for i := range found {
		if l := &found[i]; short(l) {
			quiet[l.Device] += min(l.Heard, to) - max(l.From, from)
		}
	}
	found = slices.DeleteFunc(found, func(l occupancy.Lull) bool { return short(&l) && quiet[l.Device] > (to-from)/2 })
	list := make([]lull, len(found))
	sensors := 0
	for _, x := range d.Version.SiteDevices(d.Site.ID) {
		if x.Kind == inventory.DeviceSpot {
			sensors++
		}
	}
	for i, l := range found { // by device
		list[i].Lull = l
		if i > 0 && l.Device == found[i-1].Device {
			list[i].interval = list[i-1].interval
			continue
		}
		list[i].interval = d.interval(l.Device)
	}
	tell := slices.ContainsFunc(found, func(l occupancy.Lull) bool { return l.Told })
	fell, rose := edgesOf(list)
	for i := range list {
		list[i].bound(fell, rose, sensors, tell)
	}
	return list
}

// edges are when the sensors of each interval (ms) fell silent, or were heard
// again, in order.
type edges map[int64][]int64

func edgesOf(all []lull) (fell, rose edges) {
	fell, rose = edges{}, edges{}
	for i := range all {
		l := &all[i]
		fell[l.interval] = append(fell[l.interval], l.From)
		rose[l.interval] = append(rose[l.interval], l.Heard)
	}
	for interval := range fell {
		slices.Sort(fell[interval])
		slices.Sort(rose[interval])
	}
	return fell, rose
}

// within returns those of a list in order that lie over low and under high.
func within(list []int64, low, high int64) []int64 {
	from, _ := slices.BinarySearch(list, low+1)
	to, _ := slices.BinarySearch(list, high)
	return list[from:max(from, to)]
}

// alone is what part of its interval a sensor lived on after its last word, and
// before its next, where it fell silent alone.
const alone = 0.3

// bound estimates when the sensor died and came back. Each speaks once an
// interval at least. Where most of a site fell silent within that time, it was
// at once, after the last word of any of them; likewise when they came back. But
// where they do not tell how long the state before lasted, the next word may be
// that of a change, which is not told from an older one: then all who left up to
// it are estimated, and it is not counted.
func (l *lull) bound(falls, rises edges, sensors int, tell bool) {
	most := max(3, (sensors+1)/2)
	own := l.interval
	some := int64(alone * float64(own))
	dead, fell := l.From, 0
	for interval, list := range falls {
		if near := within(list, l.From-interval, l.From+own); len(near) > 0 {
			fell += len(near)
			dead = max(dead, near[len(near)-1])
		}
	}
	if fell < most {
		dead = l.From + some
	}
	alive, rose := l.Heard, 0
	switch {
	case l.Told:
		alive = l.Until
	case tell:
		for interval, list := range rises {
			if near := within(list, l.Heard-own, l.Heard+interval); len(near) > 0 {
				rose += len(near)
				alive = min(alive, near[0])
			}
		}
		if rose < most {
			alive = l.Heard - some
		}
	}
	if dead > alive {
		middle := l.From + (l.Until-l.From)/2
		dead, alive = middle, middle
	}
	l.dead, l.alive = max(dead, l.From), min(alive, l.Until)
}

// silence takes what is not known out of the hours of a class that begin at
// begin: occupancy believes a sensor's last word for three intervals, and
// nothing until its next.
func (out *hours) silence(lulls []lull, class city.Class, capacity float64, begin, end int64) {
	if capacity <= 0 {
		return
	}
	var known [24]float64 // place hours more or less
	add := func(sign float64, from, to int64) {
		for from, to = max(from, begin), min(to, end); from < to; {
			h := hourOf(from, begin)
			next := min(to, begin+int64(h+1)*hourMs)
			known[h] += sign * float64(next-from) / hourMs
			from = next
		}
	}
	left := func(at int64, n float32) {
		if at >= begin && at < end {
			out[hourOf(at, begin)].exits += n
		}
	}
	for i := range lulls {
		l := &lulls[i]
		if l.Class != class {
			continue
		}
		add(-1, max(l.dead, l.From), min(l.alive, l.Held))
		add(1, max(l.From, l.Held), l.dead)
		add(1, max(l.alive, l.Held), l.Heard)
		counted := l.Before && !l.After && l.Heard <= l.Held
		switch {
		case counted && !l.Told:
			left(l.Heard, -1)
		case l.Told && !counted && !l.After:
			left(l.Heard, 1)
		case l.Told && l.After && l.Until > l.From:
			left(l.Until, 1)
		}
	}
	for h := range out {
		x := &out[h]
		x.exits = max(0, x.exits)
		if known[h] != 0 && x.open > 0 {
			past := min(1, float64(end-begin-int64(h)*hourMs)/hourMs)
			x.known = float32(min(1, max(0, float64(x.known)+known[h]/capacity/past)))
		}
	}
}

// cut takes out of stays what nobody saw: those that ended while their sensor
// was silent, and the time before a silence. It adds those of whom a later
// word told when they left.
func cut(stays []occupancy.Stay, lulls []lull, from, to int64) []occupancy.Stay {
	if len(lulls) == 0 {
		return stays
	}
	by := map[string][]*lull{}
	for i := range lulls {
		by[lulls[i].Device] = append(by[lulls[i].Device], &lulls[i])
	}
	kept := make([]occupancy.Stay, 0, len(stays))
	for _, st := range stays {
		seen := true
		for _, l := range by[st.Device] {
			switch {
			case l.Heard <= st.From || l.From >= st.Until || l.Until == l.From:
			case l.Heard == st.Until && l.Told:
				st.From, st.Known = l.Until, true
			case l.Heard == st.Until:
				seen = st.Known && st.From >= l.Until
			case st.From < l.Until:
				st.From, st.Known = l.Until, false
			}
		}
		if seen {
			kept = append(kept, st)
		}
	}
	for i := range lulls {
		if l := &lulls[i]; l.Told && l.After && l.Until > l.From && l.Until >= from && l.Until < to {
			kept = append(kept, occupancy.Stay{Device: l.Device, Class: l.Class, From: l.Until, Until: l.Until})
		}
	}
	slices.SortFunc(kept, func(a, b occupancy.Stay) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), cmp.Compare(a.Device, b.Device))
	})
	return kept
}
