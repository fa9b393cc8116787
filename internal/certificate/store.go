package certificate

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// closeRows ends a reading; what went wrong is in rows.Err.
func closeRows(rows *sql.Rows) { _ = rows.Close() }

// names are the rows of table meta.
func (m *meta) names() sqlite.Numbers {
	return sqlite.Numbers{
		"cursor": &m.cursor, "clock": &m.clock, "first": &m.first, "closed": &m.closed, "closing": &m.closing, "after": &m.after, "revised": &m.revised,
	}
}

func (f *Follower) load(ctx context.Context) error {
	if err := f.meta.names().Load(ctx, f.db.R); err != nil {
		return err
	}
	if f.meta.closing != 0 { // what came meanwhile, up to the cursor, may not have been noted
		f.meta.after = max(f.meta.after, f.meta.cursor)
	}
	f.applied, f.flushed, f.clock = uint64(f.meta.cursor), uint64(f.meta.cursor), f.meta.clock
	return f.countUnproved(ctx)
}

func (f *Follower) setMeta(tx *sql.Tx, name string, value int64) error {
	return sqlite.SaveNumber(f.ctx, tx, name, value)
}

// Flush makes what was noted durable together with the cursor. After an error
// it may be called again.
func (f *Follower) Flush() error {
	if f.applied == f.flushed {
		return nil
	}
	f.mu.RLock()
	first := f.meta.first
	f.mu.RUnlock()
	cursor := f.applied // only Apply changes it, and what was noted, from the same goroutine
	if err := f.db.Tx(f.ctx, func(tx *sql.Tx) error {
		for k, pos := range f.amended {
			if err := f.putAmend(tx, amend{k.date, k.device, pos, 1}); err != nil {
				return err
			}
		}
		return errors.Join(f.setMeta(tx, "cursor", int64(cursor)), f.setMeta(tx, "clock", f.clock), f.setMeta(tx, "first", first))
	}); err != nil {
		return fmt.Errorf("certificates: flush: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.amended)
	f.flushed = cursor
	return nil
}

// amend is a device's closed day that is to be looked at again.
type amend struct {
	date   int64
	device string
	pos    uint64 // which the answer must have onwarded
	onward int64  // 1: days after it may differ too
}

func (a *amend) values() []any { return []any{a.date, a.device, int64(a.pos), a.onward} }

// putAmend notes one, beside what is noted of it already.
func (f *Follower) putAmend(tx *sql.Tx, a amend) error {
	var pos, onward, sum int64
	err := tx.QueryRowContext(f.ctx, "SELECT pos, onward, sum FROM amend WHERE date = ? AND device = ?", a.date, a.device).Scan(&pos, &onward, &sum)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	default:
		if err := sqlite.CheckSum(sum, "amend", a.date, a.device, pos, onward); err != nil {
			return err
		}
		a.pos, a.onward = max(a.pos, uint64(pos)), max(a.onward, onward)
	}
	_, err = tx.ExecContext(f.ctx, "INSERT OR REPLACE INTO amend (date, device, pos, onward, sum) VALUES (?, ?, ?, ?, ?)", append(a.values(), sqlite.Sum("amend", a.values()...))...)
	return err
}

// amends returns what was noted up to a position of the first day that has
// something.
func (f *Follower) amends(ctx context.Context, upTo uint64) (list []amend, err error) {
	rows, err := f.db.R.QueryContext(ctx, `SELECT date, device, pos, onward, sum FROM amend
		WHERE pos <= ?1 AND date = (SELECT min(date) FROM amend WHERE pos <= ?1) ORDER BY device`, int64(upTo))
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	for rows.Next() {
		var a amend
		var pos, sum int64
		if err := rows.Scan(&a.date, &a.device, &pos, &a.onward, &sum); err != nil {
			return nil, err
		}
		a.pos = uint64(pos)
		if err := sqlite.CheckSum(sum, "amend", a.values()...); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

// unlisted notes that a day's list is to be made.
func (f *Follower) unlisted(tx *sql.Tx, date int64) error {
	_, err := tx.ExecContext(f.ctx, "INSERT OR REPLACE INTO unlisted (date, sum) VALUES (?, ?)", date, sqlite.Sum("unlisted", date))
	return err
}

// putPlace writes a place's certificate with those of its devices.
func (f *Follower) putPlace(tx *sql.Tx, date int64, place string, revision int64, docs [][]byte) error {
	data, err := pack(docs)
	if err != nil {
		return err
	}
	v := []any{date, place, revision, data}
	if _, err := tx.ExecContext(f.ctx, "INSERT INTO place (date, place, revision, data, sum) VALUES (?, ?, ?, ?, ?)", append(v, sqlite.Sum("place", v...))...); err != nil {
		return fmt.Errorf("%s of %s: %w", place, dateText(date), err)
	}
	return f.unlisted(tx, date)
}

// placeRow is a stored revision of a place.
type placeRow struct {
	place    string
	revision int64
	docs     [][]byte // the place's, then those of the devices that are new with it
}

// placeRows returns revisions of a day, in the order of places and revisions.
func (f *Follower) placeRows(ctx context.Context, where string, date int64, args ...any) (list []placeRow, err error) {
	rows, err := f.db.R.QueryContext(ctx, "SELECT place, revision, data, sum FROM place p WHERE date = ?1 AND "+where+" ORDER BY place, revision", append([]any{date}, args...)...) //nolint:gosec // our own conditions
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	for rows.Next() {
		var r placeRow
		var data []byte
		var sum int64
		if err := rows.Scan(&r.place, &r.revision, &data, &sum); err != nil {
			return nil, err
		}
		if err := sqlite.CheckSum(sum, "place", date, r.place, r.revision, data); err != nil {
			return nil, fmt.Errorf("%s of %s: %w", r.place, dateText(date), err)
		}
		if r.docs, err = unpack(data); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// ofPlace and newestOnly choose rows for placeRows.
const (
	ofPlace    = "place = ?2"
	newestOnly = "revision = (SELECT max(revision) FROM place WHERE date = p.date AND place = p.place)"
)

// cityRow is a stored list of a day.
type cityRow struct {
	date, revision, entry int64
	doc                   []byte
}

// putCity writes a list.
func (f *Follower) putCity(tx *sql.Tx, r *cityRow) error {
	data, err := pack([][]byte{r.doc})
	if err != nil {
		return err
	}
	v := []any{r.date, r.revision, r.entry, data}
	if _, err = tx.ExecContext(f.ctx, "INSERT OR REPLACE INTO city (date, revision, entry, data, sum) VALUES (?, ?, ?, ?, ?)", append(v, sqlite.Sum("city", v...))...); err != nil {
		return fmt.Errorf("list of %s: %w", dateText(r.date), err)
	}
	return nil
}

// cityRows returns lists, by day and revision.
func (f *Follower) cityRows(ctx context.Context, where string, args ...any) (list []cityRow, err error) {
	rows, err := f.db.R.QueryContext(ctx, "SELECT date, revision, entry, data, sum FROM city WHERE "+where+" ORDER BY date, revision", args...) //nolint:gosec // our own conditions
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	for rows.Next() {
		var r cityRow
		var data []byte
		var sum int64
		if err := rows.Scan(&r.date, &r.revision, &r.entry, &data, &sum); err != nil {
			return nil, err
		}
		if err := sqlite.CheckSum(sum, "city", r.date, r.revision, r.entry, data); err != nil {
			return nil, fmt.Errorf("list of %s: %w", dateText(r.date), err)
		}
		docs, err := unpack(data)
		if err != nil {
			return nil, err
		}
		r.doc = docs[0]
		list = append(list, r)
	}
	return list, rows.Err()
}
