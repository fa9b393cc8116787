package occupancy

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Lull is a silence of a spot's sensor of more than half the time for which it
// is believed, which is one and a half intervals: at least one word is missing.
// The sensor may have been dead in it, or only a word was lost; nobody knows.
// Times are Unix ms.
type Lull struct {
	Device string
	Class  city.Class
	From   int64 // its last word
	Until  int64 // its next word, or earlier: since then the state held by that word's dwell_s; From: in all of it
	Heard  int64 // its next word
	Held   int64 // until when its last word was believed, at most Heard
	Before bool  // occupied at From
	After  bool  // occupied at Heard
	Told   bool  // dwell_s told Until, and that the state was the other than After from then to Heard
}

type lullRow struct {
	space, series      int64
	heard, from, until int64
	held               int64
	before, after      bool
}

// states packs what a row says of occupied.
func (r *lullRow) states() (v int64) {
	if r.before {
		v |= 1
	}
	if r.after {
		v |= 2
	}
	return v
}

// lull tells whether the next observation ends a silence.
func (r *stayRun) lull(s *series, o obs) (row lullRow, ok bool) {
	if !r.any || r.ended || o.state() == vEnded || o.at-r.last <= (r.until-r.last)/2 {
		return row, false
	}
	row = lullRow{
		space: s.sp.id, series: s.id, heard: o.at, from: r.last, until: o.at, held: min(r.until, o.at),
		before: r.occupied, after: o.state() == vOccupied,
	}
	const rounding = 1000                                          // dwell_s is whole seconds
	if dwell, told := o.dwell(); told && row.before != row.after { // some say it each time
		since := o.at - dwell
		switch {
		case since > r.last+rounding:
			row.until = min(since, o.at)
		case o.at <= r.until:
			return row, false // nothing changed before, and nothing had expired
		default:
			row.until = row.from
		}
	}
	return row, true
}

// writeLulls writes with the stays, in whose spans they lie.
func (f *Follower) writeLulls(tx *sql.Tx) error {
	if len(f.staySpans) > 0 {
		p := prepare(f.ctx, tx, "DELETE FROM lull WHERE space = ? AND heard_at BETWEEN ? AND ? AND series = ?")
		for _, x := range f.staySpans {
			p.exec(x.space, x.from, x.to, x.series)
		}
		if err := p.done("silences"); err != nil {
			return err
		}
	}
	if len(f.lullRows) == 0 {
		return nil
	}
	slices.SortStableFunc(f.lullRows, func(a, b lullRow) int {
		return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.heard, b.heard), cmp.Compare(a.series, b.series))
	})
	p := prepare(f.ctx, tx, "INSERT OR REPLACE INTO lull (space, heard_at, series, from_at, until_at, held, states, touched, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
	for i := range f.lullRows {
		r := &f.lullRows[i]
		row := []any{r.space, r.heard, r.series, r.from, r.until, r.held, r.states(), f.clock}
		p.exec(append(row, sqlite.Sum("lull", row...))...)
	}
	return p.done("silences")
}

// lullReach is how long after a span a silence that began in it is looked for;
// who is silent for longer has long expired.
const lullReach = 35 * dayMs

// Lulls returns the silences of a site's spots that are over and overlap
// [from, to), by device and time. They are as of the last flush.
func (f *Follower) Lulls(ctx context.Context, site string, from, to int64) ([]Lull, error) {
	spaces, devices := f.spotsOf(site)
	later := f.heardSince(devices, site, to)
	by, n := map[string][]Lull{}, 0 // by device; in the order of time, unless it has more than one space
	for id, class := range spaces {
		list, err := f.lullsOf(ctx, id, from, to, later[id])
		if err != nil {
			return nil, fmt.Errorf("silences of %s: %w", site, err)
		}
		for i := range list {
			r := &list[i]
			device := devices[r.series]
			by[device] = append(by[device], Lull{
				Device: device, Class: class, From: r.from, Until: r.until, Heard: r.heard, Held: r.held,
				Before: r.before, After: r.after, Told: r.until < r.heard,
			})
		}
		n += len(list)
	}
	lulls := make([]Lull, 0, n)
	for _, device := range slices.Sorted(maps.Keys(by)) {
		lulls = append(lulls, by[device]...)
	}
	inOrder := func(a, b Lull) int { return cmp.Or(strings.Compare(a.Device, b.Device), cmp.Compare(a.From, b.From)) }
	if !slices.IsSortedFunc(lulls, inOrder) {
		slices.SortFunc(lulls, inOrder)
	}
	return lulls, nil
}

// heardSince returns by place those of a site's series of which something may
// have been heard at or after a time.
func (f *Follower) heardSince(devices map[int64]string, site string, at int64) map[int64]map[int64]bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	found := map[int64]map[int64]bool{}
	for _, sp := range f.spaces {
		if sp.key.site != site || sp.key.detection != spots {
			continue
		}
		series := map[int64]bool{}
		for _, s := range sp.series {
			o, ok := s.last()
			if _, known := devices[s.id]; known && (!ok || o.at >= at) {
				series[s.id] = true
			}
		}
		found[sp.id] = series
	}
	return found
}

// lullsOf reads the silences of a space. Those of a series do not overlap, so
// that of those which were over after the span only the first of each can have
// begun in it: when each of later has been seen, nothing more is read. Where
// one that was never silent again keeps that from coming, SQLite looks through
// the rest.
func (f *Follower) lullsOf(ctx context.Context, space, from, to int64, later map[int64]bool) (list []lullRow, err error) {
	const each = 8 // rows, of those that begin after the span
	if err := f.eachLull(ctx, space, from+1, to, maxAt+1, func(r *lullRow) bool {
		list = append(list, *r)
		return true
	}); err != nil {
		return nil, err
	}
	at, end, most, rows := max(to, from+1), to+lullReach, each*len(later), 0
	take := func(r *lullRow) bool {
		if later[r.series] && r.from < to {
			list = append(list, *r)
		}
		delete(later, r.series)
		at, rows = r.heard, rows+1
		return len(later) > 0 && rows < most
	}
	if len(later) == 0 {
		return list, nil
	}
	if err := f.eachLull(ctx, space, at, end, maxAt+1, take); err != nil || len(later) == 0 || rows < most {
		return list, err
	}
	return list, f.eachLull(ctx, space, at, end, to, func(r *lullRow) bool {
		if later[r.series] {
			list = append(list, *r)
			delete(later, r.series)
		}
		return len(later) > 0
	})
}

// eachLull calls do with the silences that were over in [heard, end) and began
// before a time, as they were over, until it returns false.
func (f *Follower) eachLull(ctx context.Context, space, heard, end, before int64, do func(*lullRow) bool) error {
	rows, err := f.reads.lulls.QueryContext(ctx, space, heard, end, before)
	if err != nil {
		return err
	}
	defer closeRows(rows)
	r := lullRow{space: space}
	row := newSummed("lull", space, 8)
	var states, touched int64
	for rows.Next() {
		if err := row.next(rows, &r.heard, &r.series, &r.from, &r.until, &r.held, &states, &touched); err != nil {
			return err
		}
		if r.before, r.after = states&1 != 0, states&2 != 0; !do(&r) {
			return nil
		}
	}
	return rows.Err()
}
