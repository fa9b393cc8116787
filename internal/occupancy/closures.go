package occupancy

import (
	"database/sql"
	"math"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// lostPlaces is how many places of a site a closure takes, from inclusive, to
// exclusive.
type lostPlaces struct{ from, to, places int64 }

// lostPlaces returns what closures take of a space's site in [from, to).
func (f *Follower) lostPlaces(sp *space, from, to int64) []lostPlaces {
	var lost []lostPlaces
	for _, x := range f.closedSpans(sp.key.site, from, to) {
		if x.PlacesLost.OK {
			lost = append(lost, lostPlaces{x.From, x.To, x.PlacesLost.V})
		}
	}
	return lost
}

// closedSpans returns the closures of a site that hold in [from, to), each by
// the version of the inventory that holds then, cut to its time.
func (f *Follower) closedSpans(site string, from, to int64) []inventory.Span {
	var found []inventory.Span
	for i, a := range f.accepted {
		begin, end := from, to
		if i > 0 {
			begin = max(begin, a.at)
		}
		if i+1 < len(f.accepted) {
			end = min(end, f.accepted[i+1].at)
		}
		s := a.version.Site(site)
		if begin >= end || s == nil {
			continue
		}
		for _, x := range f.closures.Spans(a.version, site, roadOf(s), begin, end) {
			if x.To == 0 {
				x.To = math.MaxInt64
			}
			x.From, x.To = max(x.From, begin), min(x.To, end)
			x.PlacesLost.OK = x.PlacesLost.OK && x.Site != "" // a road's loss is not the site's
			if x.From < x.To {
				found = append(found, x)
			}
		}
	}
	return found
}

// roadOf returns the segment whose closures close a site too: places at the
// kerb of a closed road cannot be reached.
func roadOf(s *inventory.Site) string {
	if s.Kind == inventory.OnStreet {
		return s.Segment
	}
	return ""
}

// closure sets a closure of the API.
func (f *Follower) closure(c *journal.Closure) {
	f.closures.Put(inventory.Closure{
		ID: c.ID, Site: c.Site, Segment: c.Segment, From: c.From, Until: c.Until,
		Reason: c.Reason, Note: c.Note, PlacesLost: c.PlacesLost,
	})
	f.closuresDirty = true
	f.reclose(c.Site, c.From, c.PlacesLost.OK)
}

// reopen ends a closure of the API at a time.
func (f *Follower) reopen(c *journal.Closure, at int64) {
	for _, known := range f.closures.Closures() {
		if known.ID == c.ID && f.closures.Reopen(c.ID, at) {
			f.closuresDirty = true
			f.reclose(known.Site, at, known.PlacesLost.OK)
		}
	}
}

// reclose says that what is closed changed from a time on; where the site is
// smaller or larger for it, its roll-ups change.
func (f *Follower) reclose(id string, from int64, resized bool) {
	f.sweep = true
	for _, sp := range f.spaces {
		if resized && sp.key.site == id {
			sp.touch(max(0, from), maxAt)
		}
	}
}

// forgetClosures drops the closures that ended before a time.
func (f *Follower) forgetClosures(before int64) {
	for _, c := range f.closures.Closures() {
		if c.Until != 0 && c.Until < before && f.closures.Remove(c.ID) {
			f.closuresDirty = true
		}
	}
}

func (f *Follower) loadClosures() error {
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT id, site, segment, from_at, until_at, reason, note, places, sum FROM closure ORDER BY id")
	if err != nil {
		return err
	}
	defer closeRows(rows)
	for rows.Next() {
		var c inventory.Closure
		var places sql.NullInt64
		var sum int64
		if err := rows.Scan(&c.ID, &c.Site, &c.Segment, &c.From, &c.Until, &c.Reason, &c.Note, &places, &sum); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, "closure", c.ID, c.Site, c.Segment, c.From, c.Until, c.Reason, c.Note, places); err != nil {
			return err
		}
		c.PlacesLost.V, c.PlacesLost.OK = places.Int64, places.Valid
		f.closures.Put(c)
	}
	return rows.Err()
}

// saveClosures replaces what is stored by what is known.
func (f *Follower) saveClosures(tx *sql.Tx) error {
	if _, err := tx.ExecContext(f.ctx, "DELETE FROM closure"); err != nil {
		return err
	}
	for _, c := range f.closures.Closures() {
		row := []any{c.ID, c.Site, c.Segment, c.From, c.Until, c.Reason, c.Note, sql.NullInt64{Int64: c.PlacesLost.V, Valid: c.PlacesLost.OK}}
		_, err := tx.ExecContext(f.ctx, "INSERT INTO closure (id, site, segment, from_at, until_at, reason, note, places, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			append(row, sqlite.Sum("closure", row...))...)
		if err != nil {
			return err
		}
	}
	return nil
}
