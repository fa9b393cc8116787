package occupancy

import (
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

const (
	spots = inventory.DetectSpots
	gates = inventory.DetectGates
	count = inventory.DetectCount
)

// spaceKey names a space: the first of the classes that use it.
type spaceKey struct {
	site      string
	class     city.Class
	detection inventory.Detection
}

// config is what the inventory says of a space.
type config struct {
	Capacity int64
	Seen     int64 // places that gates or counters can see
	Before   int64 // capacity of the site's spaces before this one, which lose their places first
	Reset    int64 // minute of the day, -1 never
	Counters int64 `json:",omitempty"` // devices that count here, as far as their class tells
}

// unheard returns how many counters said nothing, where so many did. The
// share of the places that they would see is not known.
func (c config) unheard(spoke int) int64 { return max(0, c.Counters-int64(spoke)) }

// space is the places of one site that are counted as one: those of a class,
// or of the classes that share them.
type space struct {
	id      int64
	key     spaceKey
	configs steps[config]
	series  []*series // all that ever fed it
	fresh   bool      // its row is to be written

	touched     spans // event time before settled whose roll-ups are to be computed anew
	settled     int64 // roll-ups are computed up to here, but for touched
	activeUntil int64 // what was observed says nothing after this
	floor       int64 // roll-ups before are not computed anew: retention dropped their observations
	checkpoint  checkpoint
	blocks      map[int64]*block // changed since the last flush

	site   *site // nil where no present site has it
	gate   *series
	cur    gateCur
	states [4]int // current spot or count series by what they say
}

// checkpoint is a fold that was stopped at a time, to go on from there.
type checkpoint struct {
	ok     bool
	at     int64
	acc    bucket
	levels levels
}

// gateCur is the present of a space with gates.
type gateCur struct {
	at        int64 // passages and resets up to here are in levels
	levels    levels
	nextReset int64
	stale     bool  // an observation came late: levels are to be computed anew
	lateFrom  int64 // the time of the earliest of those
	anchor    anchor
}

// anchor is a recent state of a space with gates, so that what comes a little
// late costs little: just before what happened at a time.
type anchor struct {
	ok     bool
	at     int64
	levels levels
}

// late says that an observation came behind others.
func (c *gateCur) late(at int64) {
	if !c.stale || at < c.lateFrom {
		c.lateFrom = at
	}
	c.stale = true
}

// holds says that what was observed speaks until then.
func (sp *space) holds(until int64) { sp.activeUntil = max(sp.activeUntil, until) }

// touch says that what is known of [from, to] changed.
func (sp *space) touch(from, to int64) {
	if from >= sp.settled {
		return
	}
	sp.touched.add(from, min(to, sp.settled))
	if c := &sp.checkpoint; c.ok && from < c.at && (sp.key.detection == gates || to >= floorTo(c.at, BucketMs)) {
		c.ok = false
	}
}

// resetAfter returns the first reset after t, maxAt+1 for never.
func (sp *space) resetAfter(t int64, zone *time.Location) int64 {
	for {
		change := sp.configs.change(t)
		if minute := sp.configs.at(t).Reset; minute >= 0 && len(sp.configs) > 0 {
			local := time.UnixMilli(t).In(zone)
			for day := range 3 {
				r := time.Date(local.Year(), local.Month(), local.Day()+day, int(minute/60), int(minute%60), 0, 0, zone).UnixMilli()
				if r > t && r < change {
					return r
				}
			}
		}
		if change > maxAt {
			return maxAt + 1
		}
		t = change
		if sp.resetAt(t, zone) {
			return t
		}
	}
}

// resetAt tells whether t itself is the time of a reset.
func (sp *space) resetAt(t int64, zone *time.Location) bool {
	minute := sp.configs.at(t).Reset
	local := time.UnixMilli(t).In(zone)
	return minute >= 0 && int64(local.Hour()*60+local.Minute()) == minute && t%60_000 == 0
}

// pass lets vehicles pass a gate: levels do not fall below 0, and do not grow
// past what could be true. It returns the vehicles that left and were not there.
func (l *levels) pass(class city.Class, n, capacity int64) (drift int64) {
	v := l[class] + n
	if v < 0 {
		drift, v = -v, 0
	}
	if most := max(10_000, 10*capacity); n > 0 && v > most {
		v = max(most, l[class])
	}
	l[class] = v
	return drift
}

// figures are what is known of a space at one time.
type figures struct {
	free, occ int64
	ok        bool // false: nothing is known
}

// placesFigures makes figures of spots: places of which nothing is heard are
// neither free nor occupied.
func placesFigures(capacity, free, occ int64) figures {
	return figures{free: min(free, max(0, capacity-occ)), occ: occ, ok: free+occ > 0}
}

// countFigures makes figures of a count by how many of the counters are known
// of those that there are: those that were heard, and those that never were.
// Where not every one speaks, only their share of the places that are left is
// said to be free.
func countFigures(seen, occ, known, all int64) figures {
	free := max(0, seen-occ)
	if known < all {
		free = free * known / all
	}
	return figures{free: free, occ: occ, ok: known > 0}
}

// lose takes n places that a closure took from a space's capacity.
func (c config) lose(n int64) config {
	n = min(max(0, n-c.Before), c.Capacity)
	c.Capacity -= n
	c.Seen = min(c.Seen, c.Capacity)
	return c
}
