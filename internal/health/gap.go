package health

import (
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// maxHoles is how many gaps of a device are remembered: the newest, since what
// comes late may close some of them.
const maxHoles = 8

// hole is numbers of a run that did not come, both inclusive, before the reading
// at a time.
type hole struct {
	key    runKey
	lo, hi uint64
	at     int64
}

// mark is where a device's numbers stood before a reading.
type mark struct {
	key   runKey
	seq   uint64
	at    int64
	known bool
}

// mark returns where the numbers stand.
func (d *device) mark() mark {
	if d.has&hasSeq == 0 {
		return mark{}
	}
	return mark{key: d.runOf(d.has&hasBoot != 0, uint64(d.boot), d.lastAt), seq: uint64(d.seq), at: d.lastAt, known: true}
}

// gap tells whether numbers are missing before a reading.
func (m *mark) gap(key runKey, r *city.Reading) bool {
	return m.known && m.key == key && r.At >= m.at && r.Seq > m.seq && r.Seq-m.seq > 1
}

// asideSince returns the numbers of a run that were set aside: those of a day,
// and where the reading before was of an earlier one, of that day and of the day
// before this one.
func (f *Follower) asideSince(d *device, before *mark, today *day, r *run) (seqRanges, error) {
	all, date := r.aside, f.days.Date(before.at)
	if date >= today.date {
		return all, nil
	}
	all = slices.Clone(all)
	y, m, n := int(today.date/10_000), time.Month(today.date/100%100), int(today.date%100)
	dates := []int64{date, f.days.Date(time.Date(y, m, n-1, 12, 0, 0, 0, f.zone).UnixMilli())}
	for _, date := range slices.Compact(dates) {
		x := d.days
		for x != nil && x.date != date {
			x = x.other
		}
		if x == nil {
			var err error
			if x, err = f.storedDay(f.ctx, d, date); err != nil {
				return nil, err
			}
		}
		for i := range x.runs {
			if x.runs[i].key == r.key {
				all.join(x.runs[i].aside)
			}
		}
	}
	return all, nil
}

// number notes the number of a reading in its run: it opens a gap, or closes a
// part of one. aside are the run's numbers that were set aside: no gap.
func (d *device) number(before mark, key runKey, e *journal.Entry, aside seqRanges) {
	r := e.Reading
	if d.trend != nil {
		d.trend.fill(key, r.Seq, r.Seq)
	}
	if !before.gap(key, r) {
		return
	}
	t := d.trends()
	t.holes = append(t.holes, hole{key, before.seq + 1, r.Seq - 1, r.At})
	if len(t.holes) > maxHoles {
		t.holes = slices.Delete(t.holes, 0, len(t.holes)-maxHoles)
	}
	t.dirty = true
	for _, x := range aside {
		t.fill(key, x.lo, x.hi)
	}
}

// fill closes what of the gaps came after all.
func (t *trend) fill(key runKey, lo, hi uint64) {
	for i := 0; i < len(t.holes); i++ {
		h := t.holes[i]
		if h.key != key || hi < h.lo || lo > h.hi {
			continue
		}
		t.dirty = true
		var left []hole
		if lo > h.lo {
			left = append(left, hole{key, h.lo, lo - 1, h.at})
		}
		if hi < h.hi {
			left = append(left, hole{key, hi + 1, h.hi, h.at})
		}
		t.holes = slices.Replace(t.holes, i, i+1, left...)
		i += len(left) - 1
	}
	if len(t.holes) > maxHoles {
		t.holes = slices.Delete(t.holes, 0, len(t.holes)-maxHoles)
	}
}

// lastGap is the time of the reading behind the newest gap.
func (t *trend) lastGap() (at city.Int) {
	for _, h := range t.holes {
		if !at.OK || h.at > at.V {
			at = city.SomeInt(h.at)
		}
	}
	return at
}
