package series

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// indexFile is the index of positions on disk.
type indexFile struct {
	db   *sqlite.DB
	find *sql.Stmt
	at   extent // as stored
}

// extent is what the index's file has.
type extent struct {
	since    uint64 // its segments are whole from here
	pos      uint64 // up to here
	recorded string // see Follower
}

// findPlaces finds the rows of a device in the segments that begin at or after
// a position, end at or before another, and touch a range of time.
const findPlaces = `SELECT s.first, p.sum, p.data FROM segment s CROSS JOIN place p ON p.segment = s.first AND p.device = ?1
	WHERE s.first >= ?2 AND s.last <= ?3 AND s.max_at >= ?4 AND s.min_at < ?5 AND s.kinds & ?6 != 0`

func openIndex(ctx context.Context, path string) (*indexFile, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Normal, Migrations: files, SumsAt: 3})
	if err != nil {
		return nil, err
	}
	x := &indexFile{db: db}
	if err := x.load(ctx); err != nil {
		return nil, fmt.Errorf("%w (%w)", err, db.Close())
	}
	if x.find, err = db.R.PrepareContext(ctx, findPlaces); err != nil {
		return nil, fmt.Errorf("prepare: %w (%w)", err, db.Close())
	}
	return x, nil
}

// load reads how far the index is, and compares what its segments are found by.
func (x *indexFile) load(ctx context.Context) error {
	var id, sum int64
	err := x.db.R.QueryRowContext(ctx, "SELECT id, since, pos, recorded, sum FROM cursor").Scan(&id, &x.at.since, &x.at.pos, &x.at.recorded, &sum)
	if err != nil {
		return fmt.Errorf("cursor of %s: %w", x.db.Path(), err)
	}
	if sqlite.CheckSum(sum, "cursor", id, x.at.since, x.at.pos, x.at.recorded) != nil {
		return errIndex
	}
	rows, err := x.db.R.QueryContext(ctx, "SELECT first, last, min_at, max_at, kinds, sum FROM segment")
	if err != nil {
		return fmt.Errorf("segments of %s: %w", x.db.Path(), err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var first, last, minAt, maxAt, kinds int64
		if err := rows.Scan(&first, &last, &minAt, &maxAt, &kinds, &sum); err != nil {
			return fmt.Errorf("segments of %s: %w", x.db.Path(), err)
		}
		if sqlite.CheckSum(sum, "segment", first, last, minAt, maxAt, kinds) != nil {
			return errIndex
		}
	}
	return rows.Err()
}

func (x *indexFile) close() error {
	if err := x.find.Close(); err != nil {
		return fmt.Errorf("%w (%w)", err, x.db.Close())
	}
	return x.db.Close()
}

// placesAtOnce is how many rows one statement inserts.
const placesAtOnce = 64

const insertPlace = "INSERT OR REPLACE INTO place (segment, device, data, sum) VALUES (?, ?, ?, ?)"

var insertPlaces = insertPlace + strings.Repeat(", (?, ?, ?, ?)", placesAtOnce-1)

// write adds a segment and moves the cursor, in one transaction.
func (x *indexFile) write(ctx context.Context, f *fresh, names []string, at extent) error {
	err := x.db.Tx(ctx, func(tx *sql.Tx) error {
		first, last := f.pos[0], f.pos[f.len()-1]
		minAt, maxAt, kinds := f.span()
		// What a run that was cut off left beyond the cursor cannot be there:
		// one transaction. A segment of the same first may be, where the file
		// was older than the archive.
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO segment (first, last, min_at, max_at, kinds, sum) VALUES (?, ?, ?, ?, ?, ?)",
			int64(first), int64(last), minAt, maxAt, int64(kinds), sqlite.Sum("segment", first, last, minAt, maxAt, int64(kinds))); err != nil {
			return err
		}
		if err := x.writePlaces(ctx, f, names); err != nil {
			return err
		}
		return moveCursor(ctx, tx, at)
	})
	if err == nil {
		x.at = at
	}
	return err
}

// placeRow is a row that waits for others.
type placeRow struct {
	device string
	data   []byte
}

// writePlaces writes the rows of a segment's devices, within a transaction.
func (x *indexFile) writePlaces(ctx context.Context, f *fresh, names []string) (err error) {
	many, one := x.db.Rows(ctx, insertPlaces), x.db.Rows(ctx, insertPlace)
	defer func() { err = errors.Join(err, many.Close(), one.Close()) }()
	first := f.pos[0]
	set := func(rows *sqlite.Rows, r *placeRow) {
		rows.Int(int64(first))
		rows.Text(r.device)
		rows.Blob(r.data)
		rows.Sum("place")
	}
	var data []byte // of those that wait
	wait := make([]placeRow, 0, placesAtOnce)
	err = f.byDevice(names, func(device string, chunks []chunk) error {
		from := len(data)
		data = packChunks(data, first, chunks)
		wait = append(wait, placeRow{device, data[from:]})
		if len(wait) == placesAtOnce {
			for i := range wait {
				set(many, &wait[i])
			}
			many.Exec()
			wait, data = wait[:0], data[:0]
		}
		return nil
	})
	for i := range wait {
		set(one, &wait[i])
		one.Exec()
	}
	return err
}

func moveCursor(ctx context.Context, tx *sql.Tx, at extent) error {
	_, err := tx.ExecContext(ctx, "UPDATE cursor SET since = ?, pos = ?, recorded = ?, sum = ? WHERE id = 1",
		int64(at.since), int64(at.pos), at.recorded, sqlite.Sum("cursor", int64(1), at.since, at.pos, at.recorded))
	return err
}

// chunks returns the chunks of a device in the segments from first to last
// that may touch [from, to).
func (x *indexFile) chunks(ctx context.Context, device string, first, last uint64, from, to int64, mask uint8) ([]chunk, error) {
	rows, err := x.find.QueryContext(ctx, device, int64(first), int64(last), from, to, int64(mask))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var found []chunk
	for rows.Next() {
		var segment uint64
		var sum int64
		var data []byte // kept by the chunks
		if err := rows.Scan(&segment, &sum, &data); err != nil {
			return nil, err
		}
		if sqlite.CheckSum(sum, "place", segment, device, data) != nil {
			return nil, errIndex
		}
		if found, err = decodeChunks(found, segment, data); err != nil {
			return nil, err
		}
	}
	return found, rows.Err()
}

// sweepAtOnce bounds how many segments one sweep removes: whoever applies
// waits for it.
const sweepAtOnce = 4

// sweep removes segments that begin before a position.
func (x *indexFile) sweep(ctx context.Context, before uint64) error {
	var some int
	if err := x.db.R.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM segment WHERE first < ? LIMIT 1)", int64(before)).Scan(&some); err != nil || some == 0 {
		return err
	}
	at := x.at
	at.since = max(at.since, before)
	err := x.db.Tx(ctx, func(tx *sql.Tx) error {
		const old = "(SELECT first FROM segment WHERE first < ? ORDER BY first LIMIT ?)"
		for _, statement := range []string{"DELETE FROM place WHERE segment IN " + old, "DELETE FROM segment WHERE first IN " + old} {
			if _, err := tx.ExecContext(ctx, statement, int64(before), sweepAtOnce); err != nil {
				return err
			}
		}
		return moveCursor(ctx, tx, at)
	})
	if err == nil {
		x.at = at
	}
	return err
}

// clear begins anew.
func (x *indexFile) clear(ctx context.Context) error {
	err := x.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{"DELETE FROM place", "DELETE FROM segment"} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return moveCursor(ctx, tx, extent{})
	})
	if err == nil {
		x.at = extent{}
	}
	return err
}
