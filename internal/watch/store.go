package watch

import (
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// closeRows ends a reading; what went wrong is in rows.Err.
func closeRows(rows *sql.Rows) { _ = rows.Close() }

// closeStmt ends a statement; what it did failed or not before.
func closeStmt(stmt *sql.Stmt) { _ = stmt.Close() }

// ofCity is the kind of the row that holds the closures of the API.
const ofCity subjectKind = "city"

// ofUsual is the kind of the rows that hold what devices of a place notice.
const ofUsual subjectKind = "usual"

func (f *Follower) meta() sqlite.Numbers {
	return sqlite.Numbers{"cursor": &f.cursor, "clock": &f.clock, "ticked": &f.ticked, "still": &f.still, "back": &f.back, "passed": &f.passed, "judged": &f.judgedAt}
}

func (f *Follower) load() error {
	if err := f.meta().Load(f.ctx, f.db.R); err != nil {
		return err
	}
	f.flushed = uint64(f.cursor)
	if err := f.loadStates(); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := f.loadPacks(); err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT opened, id, closed, data, seq, sum FROM incident WHERE closed = 0")
	if err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	defer closeRows(rows)
	for rows.Next() {
		r, err := scanIncident(rows)
		if err != nil {
			return fmt.Errorf("incidents: %w", err)
		}
		f.standing[r.key()] = &r.record
	}
	return rows.Err()
}

func (f *Follower) loadStates() error {
	rows, err := f.db.R.QueryContext(f.ctx, "SELECT kind, subject, unit, data, sum FROM state")
	if err != nil {
		return err
	}
	defer closeRows(rows)
	for rows.Next() {
		var k subjectKey
		var unit string
		var data sql.RawBytes
		var sum int64
		if err := rows.Scan(&k.kind, &k.id, &unit, &data, &sum); err != nil {
			return err
		}
		if err := sqlite.CheckSum(sum, "state", string(k.kind), k.id, unit, []byte(data)); err != nil {
			return fmt.Errorf("%s %s: %w", k.kind, k.id, err)
		}
		if err := f.loadState(k, unit, data); err != nil {
			return fmt.Errorf("%s %s, %s: %w", k.kind, k.id, unit, err)
		}
	}
	return rows.Err()
}

func (f *Follower) loadState(k subjectKey, unit string, data []byte) error {
	if k.kind == ofCity {
		var closures []inventory.Closure
		if err := json.Unmarshal(data, &closures); err != nil {
			return err
		}
		for _, c := range closures {
			f.closures.Put(c)
		}
		return nil
	}
	if k.kind == ofUsual {
		u := new(usual)
		f.gadgets.usuals[k.id] = u
		return json.Unmarshal(data, u)
	}
	s := f.subject(k.kind, k.id)
	for i := range s.units {
		if s.units[i].name == unit {
			return json.Unmarshal(data, s.watch[i])
		}
	}
	return nil // a unit of another version of the program
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// row is an incident as the file has it.
type row struct {
	record
	seq  int64
	data []byte
}

func scanIncident(from scanner) (*row, error) {
	var r row
	var opened, closed, sum int64
	var id string
	if err := from.Scan(&opened, &id, &closed, &r.data, &r.seq, &sum); err != nil {
		return nil, err
	}
	if err := sqlite.CheckSum(sum, "incident", opened, id, closed, r.data, r.seq); err != nil {
		return nil, fmt.Errorf("incident %s: %w", id, err)
	}
	if err := json.Unmarshal(r.data, &r.record); err != nil {
		return nil, fmt.Errorf("incident %s: %w", id, err)
	}
	return &r, nil
}

// scanWithAck reads an incident and who acknowledged it, nil where nobody did.
func scanWithAck(rows *sql.Rows) (*row, *Ack, error) {
	var by, note sql.NullString
	var at, sum sql.NullInt64
	r, err := scanIncident(alsoInto{rows, []any{&by, &note, &at, &sum}})
	if err != nil || !sum.Valid {
		return r, nil, err
	}
	ack, err := checkedAck(r.ID, by.String, note.String, at.Int64, sum.Int64)
	return r, ack, err
}

// Flush makes everything that was applied durable together with the cursor.
// After an error it may be called again.
func (f *Follower) Flush() error {
	if f.applied == f.flushed {
		return nil
	}
	// Only Apply and Flush change what is written, and they are called from
	// one goroutine: queries need not wait for the disk.
	if err := f.db.Tx(f.ctx, f.write); err != nil {
		return fmt.Errorf("watch: flush: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.dirty {
		s.dirty = false
		clear(s.soiled)
	}
	f.dirty = f.dirty[:0]
	clear(f.gadgets.soiled)
	for _, u := range f.gadgets.usuals {
		u.soiled = false
	}
	if len(f.incidents.dirty) > 0 { // a map that is cleared stays as large as it was
		f.incidents.dirty = map[string]*record{}
	}
	f.reclosed = false
	f.flushed = f.applied
	f.purged = f.clock / dayMs
	return nil
}

func (f *Follower) write(tx *sql.Tx) error {
	if err := f.writeStates(tx); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := f.writePacks(); err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	if err := f.writeIncidents(tx); err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	if f.clock/dayMs > f.purged && (f.o.Hold == nil || !f.o.Hold()) {
		if err := f.purge(tx); err != nil {
			return fmt.Errorf("old incidents: %w", err)
		}
	}
	numbers, cursor := f.meta(), int64(f.applied)
	numbers["cursor"] = &cursor
	return numbers.Save(f.ctx, tx)
}

func (f *Follower) writeStates(tx *sql.Tx) error {
	stmt, err := tx.PrepareContext(f.ctx, `INSERT INTO state (kind, subject, unit, data, sum) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (kind, subject, unit) DO UPDATE SET data = excluded.data, sum = excluded.sum`)
	if err != nil {
		return err
	}
	defer closeStmt(stmt)
	if f.reclosed {
		if err := f.writeState(stmt, ofCity, "", "closures", f.closures.Closures()); err != nil {
			return err
		}
	}
	for _, place := range f.gadgets.places {
		u := f.gadgets.usuals[place]
		if !u.soiled {
			continue
		}
		if err := f.writeState(stmt, ofUsual, place, "usual", u); err != nil {
			return err
		}
	}
	slices.SortFunc(f.dirty, compareSubjects)
	for _, s := range f.dirty {
		for i, soiled := range s.soiled {
			if !soiled {
				continue
			}
			if err := f.writeState(stmt, s.kind, s.id, s.units[i].name, s.watch[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Follower) writeState(stmt *sql.Stmt, kind subjectKind, id, unit string, state any) error {
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(f.ctx, string(kind), id, unit, data, sqlite.Sum("state", string(kind), id, unit, data))
	return err
}

func (f *Follower) writeIncidents(tx *sql.Tx) error {
	if len(f.incidents.dirty) == 0 {
		return nil
	}
	seq, err := seqOf(f.ctx, tx)
	if err != nil {
		return err
	}
	stmt, err := tx.PrepareContext(f.ctx, `INSERT INTO incident (opened, id, closed, data, seq, sum) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (opened, id) DO UPDATE SET closed = excluded.closed, data = excluded.data, seq = excluded.seq, sum = excluded.sum`)
	if err != nil {
		return err
	}
	defer closeStmt(stmt)
	for _, id := range slices.Sorted(maps.Keys(f.incidents.dirty)) {
		r := f.incidents.dirty[id]
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		seq++
		if _, err := stmt.ExecContext(f.ctx, r.OpenedAt, id, r.ClosedAt, data, seq, sqlite.Sum("incident", r.OpenedAt, id, r.ClosedAt, data, seq)); err != nil {
			return err
		}
	}
	return setSeq(f.ctx, tx, seq)
}

// purge drops closed incidents that are older than what is kept.
func (f *Follower) purge(tx *sql.Tx) error {
	before := f.clock - int64(f.o.Days)*dayMs
	if _, err := tx.ExecContext(f.ctx, "DELETE FROM ack WHERE incident IN (SELECT id FROM incident WHERE opened < ? AND closed > 0)", before); err != nil {
		return err
	}
	_, err := tx.ExecContext(f.ctx, "DELETE FROM incident WHERE opened < ? AND closed > 0", before)
	return err
}
