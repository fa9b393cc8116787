package watch

import "github.com/simpang-id/simpang/internal/inventory"

// boxWait is how long after its end a day waits for a word on meters that say
// nothing, ms.
const boxWait = 7 * dayMs

// boxes is what is known of a site's meters on a day: what one that was out did not
// record was not kept back, as far as anybody can tell, and its silence is told.
type boxes struct {
	out   bool // one was silent on the day, and that is or was told
	waits bool // one was not heard since the day's end, and nothing is told yet
}

// boxesOf looks at a site's meters in [from, to), Unix ms.
func (f *Follower) boxesOf(site string, from, to int64) (b boxes) {
	for _, d := range f.inv.SiteDevices(site) {
		s := f.subjects[subjectKey{ofMeter, d.ID}]
		if d.Kind != inventory.DeviceMeter || s == nil {
			continue
		}
		for _, w := range s.watch {
			if m, ok := w.(*silent); ok {
				b.out = b.out || m.wasOut(from, to)
				b.waits = b.waits || !f.inv.Rules.Silent.Off && !m.Said && m.At != 0 && m.Heard < to
			}
		}
	}
	return b
}

// boxes tells of the site's meters on a day that is over; wait is set while the day
// is not to be judged.
func (x *moment) boxes(from, to int64) (out, wait bool) {
	if x.boxesOf == nil {
		return false, false
	}
	b := x.boxesOf(x.place.site.ID, from, to)
	return b.out, b.waits && !b.out && x.now < to+boxWait
}
