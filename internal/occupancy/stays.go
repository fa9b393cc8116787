package occupancy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// Stay is one vehicle's time on one place that has a sensor.
type Stay struct {
	Device string
	Class  city.Class
	From   int64 // Unix ms
	Until  int64 // Unix ms, when the sensor saw the place free again
	Known  bool  // From was seen, or told by dwell_s; false: the vehicle was there before
}

type stayRow struct {
	space       int64
	series      int64
	from, until int64
	known       bool
}

// staySpan says that a series' stays that end in [from, to] are replaced.
type staySpan struct {
	space    int64
	series   int64
	from, to int64
}

// settleStays computes the stays anew that the observations since the last
// settling could have changed.
func (f *Follower) settleStays(s *series) error {
	if s.stays == nil {
		return nil
	}
	s.stays.merge(1)
	done := int64(-1)
	for _, x := range s.stays {
		if x.to <= done {
			continue
		}
		end, err := f.staysFrom(s, x.from, x.to)
		if err != nil {
			return err
		}
		done = end
	}
	s.stays = s.stays[:0]
	return nil
}

// staysFrom replaces the stays that end at or after from, up to the first
// observation past to at which no vehicle stands. It returns its time.
func (f *Follower) staysFrom(s *series, from, to int64) (int64, error) {
	var run stayRun
	list, pred, err := f.read(s, from, to+1)
	if err != nil {
		return 0, err
	}
	if pred {
		run.begin(s, list[0])
		run.open = run.occupied // where it began is not known yet
		list = list[1:]
	}
	at := len(f.stayRows)
	end := to
	for {
		for i, o := range list {
			if i+1 < len(list) && list[i+1].at == o.at {
				continue // another one at the same time holds
			}
			if run.open && o.state() == vFree && o.at <= run.until {
				if run.from, run.known, err = f.runBegin(s, from); err != nil {
					return 0, err
				}
			}
			if row, ok := run.lull(s, o); ok {
				f.lullRows = append(f.lullRows, row)
			}
			if row, ok := run.next(s, o); ok {
				f.stayRows = append(f.stayRows, row)
			}
			if end = max(end, o.at); o.at > to && o.state() != vOccupied {
				f.replaceStays(s, from, o.at, at)
				return o.at, nil
			}
		}
		next, err := f.nextObs(s, end+1)
		if err != nil {
			return 0, err
		}
		if next > maxAt {
			f.replaceStays(s, from, end, at)
			return end, nil
		}
		if list, pred, err = f.read(s, next, next+stretchMs); err != nil {
			return 0, err
		}
		if pred {
			list = list[1:]
		}
	}
}

func (f *Follower) replaceStays(s *series, from, to int64, at int) {
	if from <= s.saved { // else no stay can have ended there
		f.staySpans = append(f.staySpans, staySpan{s.sp.id, s.id, from, to})
	}
	kept := f.stayRows[:at]
	for _, row := range f.stayRows[at:] {
		if row.until >= from {
			kept = append(kept, row)
		}
	}
	f.stayRows = kept
}

// stretchMs is how much of a series is read at once.
const stretchMs = 6 * 60 * 60 * 1000

// runBegin looks back from t for the begin of the run of occupied observations
// that holds there.
func (f *Follower) runBegin(s *series, t int64) (from int64, known bool, err error) {
	for {
		list, err := f.back(s, t)
		if err != nil {
			return 0, false, err
		}
		if len(list) == 0 {
			return from, false, nil
		}
		for _, o := range slices.Backward(list) {
			switch {
			case from != 0 && o.at == from: // another one at the same time holds
				continue
			case from != 0 && s.until(o) < from: // a silence: another vehicle may have come
				return from, false, nil
			case o.state() == vFree:
				return from, true, nil
			case o.state() != vOccupied:
				return from, false, nil
			}
			from = o.at
		}
		t = list[0].at
	}
}

// back returns the observations before t that lie together with the last of
// them.
func (f *Follower) back(s *series, t int64) ([]obs, error) {
	if i := before(s.tail.obs, t); i > 0 || s.tail.lo == 0 {
		return s.tail.obs[:i], nil
	}
	chunks, err := f.chunks(s, t-1, t)
	if err != nil || len(chunks) == 0 {
		return nil, err
	}
	list := chunks[0].obs
	return list[:before(list, t)], nil
}

// stayRun walks over one series' observations.
type stayRun struct {
	any      bool
	occupied bool
	ended    bool // the device had left
	open     bool // occupied since before the walk
	from     int64
	known    bool
	last     int64 // time of the last observation
	until    int64 // what it says ends
}

func (r *stayRun) begin(s *series, o obs) {
	r.any, r.occupied, r.ended = true, o.state() == vOccupied, o.state() == vEnded
	r.last, r.until = o.at, s.until(o)
}

// next takes the next observation; ok tells that a stay ended with it.
func (r *stayRun) next(s *series, o obs) (row stayRow, ok bool) {
	sure := r.any && o.at <= r.until
	row = stayRow{space: s.sp.id, series: s.id, until: o.at}
	dwell, told := o.dwell()
	switch {
	case o.state() == vOccupied && (!r.occupied || !sure):
		r.from, r.known, r.open = o.at, sure && !r.occupied, false
	case o.state() == vFree && sure && r.occupied:
		row.from, row.known, ok = r.from, r.known, true
		if !row.known && told {
			row.from, row.known = o.at-dwell, true
		}
	case o.state() == vFree && !sure && told && (!r.any || r.occupied || o.at-dwell > r.last):
		row.from, row.known, ok = o.at-dwell, true, true
	}
	r.begin(s, o)
	return row, ok
}

// spotsOf returns the places of a site's spots with their class, and the names
// of their devices by series; only what was flushed has an id.
func (f *Follower) spotsOf(site string) (spaces map[int64]city.Class, devices map[int64]string) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	spaces, devices = map[int64]city.Class{}, map[int64]string{}
	for _, sp := range f.spaces {
		if sp.key.site != site || sp.key.detection != spots {
			continue
		}
		for _, s := range sp.series {
			if s.id != 0 {
				spaces[sp.id], devices[s.id] = sp.key.class, s.device
			}
		}
	}
	return spaces, devices
}

// Stays returns the stays at a site that ended in [from, to), by time and
// device, at most limit of each class. They are as of the last flush.
func (f *Follower) Stays(ctx context.Context, site string, from, to int64, limit int) ([]Stay, error) {
	spaces, devices := f.spotsOf(site)
	var stays []Stay
	for id, class := range spaces {
		list, err := f.staysOf(ctx, id, from, to, limit)
		if err != nil {
			return nil, fmt.Errorf("stays of %s: %w", site, err)
		}
		for _, r := range list {
			stays = append(stays, Stay{Device: devices[r.series], Class: class, From: r.from, Until: r.until, Known: r.known})
		}
	}
	slices.SortFunc(stays, func(a, b Stay) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), strings.Compare(a.Device, b.Device))
	})
	return stays, nil
}

func (f *Follower) staysOf(ctx context.Context, space, from, to int64, limit int) ([]stayRow, error) {
	rows, err := f.reads.stays.QueryContext(ctx, space, from, to, limit)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	var list []stayRow
	row := newSummed("stay", space, 6)
	var known, touched int64
	for rows.Next() {
		r := stayRow{space: space}
		if err := row.next(rows, &r.until, &r.series, &r.from, &known, &touched); err != nil {
			return nil, err
		}
		r.known = known != 0
		list = append(list, r)
	}
	return list, rows.Err()
}
