package certificate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// reviseSome looks at closed days again of which something came. What comes
// meanwhile waits for the next day: a day has one revision a day at most.
func (f *Follower) reviseSome(ctx context.Context, m moment) (more bool, err error) {
	if f.run == 0 {
		f.run = max(m.applied, 1)
	}
	list, err := f.amends(ctx, f.run)
	if err != nil {
		return false, err
	}
	if len(list) == 0 {
		if err := f.listAll(ctx, m); err != nil {
			return false, err
		}
		f.run = 0
		return false, f.set(ctx, func(x *meta) { x.revised = m.today }, f.purge(m))
	}
	v := f.view(m, list[0].date)
	places := map[string][]amend{}
	for _, a := range list {
		key := "" // of a device that is in no version any more
		if d := v.device(a.device); d != nil {
			key = placeKey(d)
		}
		places[key] = append(places[key], a)
	}
	keys := make([]string, 0, len(places))
	for key := range places {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for left, i := portion, 0; i < len(keys) && left > 0; i++ {
		left -= len(places[keys[i]])
		if err := f.revisePlace(ctx, v, keys[i], places[keys[i]]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// revisePlace asks for a place's devices again, and writes a revision where
// what is known of one has changed.
func (f *Follower) revisePlace(ctx context.Context, v *dayView, key string, list []amend) error {
	p := newPlaceDoc(key)
	rows, err := f.placeRows(ctx, ofPlace, v.date, key)
	if err != nil {
		return err
	}
	if err := p.read(rows); err != nil {
		return err
	}
	var onward []amend
	for _, a := range list {
		d := v.device(a.device)
		if d == nil {
			continue
		}
		x, later, err := v.askOnward(ctx, d, &a)
		if _, ok := errors.AsType[*forgottenError](err); ok {
			continue // what was certified stays
		}
		if err != nil {
			return err
		}
		if before := p.devices[a.device]; before == nil || !same(before, x) {
			if err := p.put(x); err != nil {
				return err
			}
		}
		onward = append(onward, later...)
	}
	with := func(tx *sql.Tx) error {
		for i := range list {
			// What came meanwhile has raised its position, and waits.
			if _, err := tx.ExecContext(f.ctx, "DELETE FROM amend WHERE date = ? AND device = ? AND pos <= ?", list[i].date, list[i].device, int64(list[i].pos)); err != nil {
				return err
			}
		}
		for _, a := range onward {
			if err := f.putAmend(tx, a); err != nil {
				return err
			}
		}
		return nil
	}
	if len(p.fresh) == 0 {
		return f.db.Tx(ctx, with)
	}
	return f.write(ctx, v, p, with)
}

// askOnward makes a device's certificate, and tells which days after it are to
// be looked at: those up to the next of each of its runs.
func (v *dayView) askOnward(ctx context.Context, d *inventory.Device, a *amend) (*DeviceDay, []amend, error) {
	dates := []string{dateText(v.date)}
	for date := v.date; a.onward != 0 && date < v.m.closed && len(dates) <= reachDays; {
		date = shift(date, 1)
		dates = append(dates, dateText(date))
	}
	list, err := v.askAll(ctx, d, dates, a.pos)
	if err != nil {
		return nil, nil, err
	}
	runs := map[health.Run]bool{}
	for _, r := range list[0].Runs {
		runs[r] = true
	}
	var later []amend
	for i := 1; i < len(list) && (len(runs) > 0 || v.first()); i++ {
		found := false
		for _, r := range list[i].Runs {
			found = found || runs[r] || v.first()
			delete(runs, r)
		}
		if found {
			later = append(later, amend{date: dateNumber(dates[i]), device: d.ID, pos: a.pos})
		}
	}
	return v.of(d, &list[0]), later, nil
}

// first tells whether the day is the first that is certified: what came before
// it is noted for it, of whatever run.
func (v *dayView) first() bool { return v.date == v.m.first }

// listAll makes the lists of all days of which places changed.
func (f *Follower) listAll(ctx context.Context, m moment) error {
	rows, err := f.db.R.QueryContext(ctx, "SELECT date, sum FROM unlisted ORDER BY date")
	if err != nil {
		return err
	}
	defer closeRows(rows)
	var dates []int64
	for rows.Next() {
		var date, sum int64
		if err := rows.Scan(&date, &sum); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, "unlisted", date); err != nil {
			return err
		}
		dates = append(dates, date)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, date := range dates {
		if err := f.list(ctx, f.view(m, date)); err != nil {
			return err
		}
	}
	return nil
}

// list makes the next revision of a day's list.
func (f *Follower) list(ctx context.Context, v *dayView) error {
	places, err := f.placeRows(ctx, newestOnly, v.date)
	if err != nil {
		return err
	}
	before, err := f.cityRows(ctx, "date = ?1 AND revision = (SELECT max(revision) FROM city WHERE date = ?1)", v.date)
	if err != nil {
		return err
	}
	x := CityDay{Head: v.head(0), List: make([]CityPlace, 0, len(places))}
	x.Revision = 1
	if len(before) > 0 {
		x.Revision, x.Before = before[0].revision+1, hashOf(before[0].doc)
	}
	for i := range places {
		p, err := decode[PlaceDay](places[i].docs[0])
		if err != nil {
			return err
		}
		x.Position = max(x.Position, p.Position)
		x.join(&p.Totals)
		x.List = append(x.List, CityPlace{Site: p.Site, Segment: p.Segment, Part: Part{p.Revision, hashOf(places[i].docs[0])}, Totals: p.Totals})
	}
	doc, err := json.Marshal(&x)
	if err != nil {
		return err
	}
	return f.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := f.putCity(tx, &cityRow{date: v.date, revision: x.Revision, doc: doc}); err != nil {
			return err
		}
		_, err := tx.ExecContext(f.ctx, "DELETE FROM unlisted WHERE date = ?", v.date)
		return err
	})
}
