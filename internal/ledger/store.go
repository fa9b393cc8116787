package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// query names a statement; all are prepared when the file is opened.
type query int

const (
	qKnown query = iota
	qLastHead
	qFirst
	qLess
	qMore
	qReclass
	qMove
	qSave
	qRecord
	qEntry
	qBefore
	qBehind
	qHere
	qBook
	qPutBook
	qDropBook
	qFiled
	qPutFiled
	qDropFiled
	qAct
	qParty
	qDevice
	qCursor
	queries // how many there are
)

const (
	paperSelect = "SELECT class, amount, at, boot, seq, pos FROM paper WHERE device = ? AND number = ? AND class = "
	meterSelect = "SELECT boot, at, seq, pos, count, amount FROM meter WHERE device = ? AND (boot, at, seq, pos) "
)

var queryTexts = [queries]string{
	qKnown:     "SELECT 1 FROM paper WHERE device = ? AND number = ? LIMIT 1",
	qLastHead:  paperSelect + "0 AND amount = ? AND (at, boot, seq, pos) <= (?, ?, ?, ?) ORDER BY at DESC, boot DESC, seq DESC, pos DESC LIMIT 1",
	qFirst:     paperSelect + "? AND amount = ? AND (at, boot, seq, pos) >= (?, ?, ?, ?) ORDER BY at, boot, seq, pos LIMIT 1",
	qLess:      paperSelect + "0 AND amount < ? LIMIT 1",
	qMore:      paperSelect + "0 AND amount > ? LIMIT 1",
	qReclass:   "UPDATE paper SET class = ? WHERE device = ? AND number = ? AND class = ? AND amount = ? AND at = ? AND boot = ? AND seq = ? AND pos = ?",
	qMove:      "UPDATE listing SET party = ? WHERE party = ? AND at = ? AND pos = ?",
	qSave:      "UPDATE record SET eff = ?, party = ?, flags = ?, sum = ? WHERE pos = ?",
	qRecord:    "SELECT " + recordSelect + " FROM record r WHERE r.pos = ?",
	qEntry:     "SELECT data, hash, sum FROM entry WHERE n = ?",
	qBefore:    meterSelect + "< (?, ?, ?, ?) ORDER BY boot DESC, at DESC, seq DESC, pos DESC LIMIT 1",
	qBehind:    meterSelect + "> (?, ?, ?, ?) ORDER BY boot, at, seq, pos LIMIT 1",
	qHere:      meterSelect + "= (?, ?, ?, ?)",
	qBook:      "SELECT data, sum FROM book WHERE day = ? AND shelf = ?",
	qPutBook:   "INSERT INTO book (day, shelf, data, sum) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data, sum = excluded.sum",
	qDropBook:  "DELETE FROM book WHERE day = ? AND shelf = ?",
	qFiled:     "SELECT data, sum FROM filed WHERE day = ? AND shelf = ?",
	qPutFiled:  "INSERT INTO filed (day, shelf, data, sum) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data, sum = excluded.sum",
	qDropFiled: "DELETE FROM filed WHERE day = ? AND shelf = ?",
	qAct:       "INSERT INTO act (pos, recv, marks, source, type, data, own, outcome, faults, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	qParty:     "INSERT INTO party (id, site, kecamatan, operator, npwpd, nopd, levy, account, rate, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	qDevice:    "INSERT INTO device (id, name) VALUES (?, ?)",
	qCursor:    "UPDATE cursor SET pos = ? WHERE id = 1",
}

// growing is a table whose rows are written many at once. OR FAIL spares SQLite
// the journal by which it could take back one statement: a row that is refused
// ends the whole transaction here.
type growing struct {
	insert  string
	columns int
}

var growingTables = [...]growing{
	{"INSERT OR FAIL INTO entry (n, data, hash, sum) VALUES ", 4},
	{"INSERT OR FAIL INTO record (pos, recv, marks, source, data, own, eff, party, flags, sum) VALUES ", 10},
	{"INSERT OR FAIL INTO paper (device, number, class, amount, at, boot, seq, pos) VALUES ", 8},
	{"INSERT OR FAIL INTO meter (device, boot, at, seq, pos, count, amount) VALUES ", 7},
	{"INSERT OR FAIL INTO listing (party, at, pos) VALUES ", 3},
}

// rowsAtOnce are the numbers of rows for which there is a statement.
var rowsAtOnce = [...]int{64, 8, 1}

// statements are the prepared ones.
type statements struct {
	once [queries]*sql.Stmt
	many [len(growingTables)][len(rowsAtOnce)]*sql.Stmt
}

func (f *Follower) prepare() (err error) {
	prepare := func(into **sql.Stmt, text string) {
		if err != nil {
			return
		}
		if *into, err = f.db.W.PrepareContext(f.ctx, text); err != nil { //nolint:sqlclosecheck // Follower.Close closes them
			err = fmt.Errorf("prepare %q: %w", text, err)
		}
	}
	for q, text := range queryTexts {
		prepare(&f.stmts.once[q], text)
	}
	for t, table := range growingTables {
		row := "(?" + strings.Repeat(", ?", table.columns-1) + ")"
		for i, n := range rowsAtOnce {
			prepare(&f.stmts.many[t][i], table.insert+row+strings.Repeat(", "+row, n-1))
		}
	}
	return err
}

func (s *statements) close() error {
	var errs []error
	for _, stmt := range s.once {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	for _, table := range s.many {
		for _, stmt := range table {
			if stmt != nil {
				errs = append(errs, stmt.Close())
			}
		}
	}
	return errors.Join(errs...)
}

// stmt returns a statement in this transaction.
func (w *writer) stmt(q query) *sql.Stmt {
	if w.once[q] == nil {
		w.once[q] = w.tx.StmtContext(w.f.ctx, w.f.stmts.once[q])
	}
	return w.once[q]
}

// row asks for one row.
func (w *writer) row(q query, args ...any) *sql.Row {
	return w.stmt(q).QueryRowContext(w.f.ctx, args...) //nolint:sqlclosecheck // closed with the transaction
}

func (w *writer) exec(q query, args ...any) error {
	s := w.stmt(q) //nolint:sqlclosecheck // closed with the transaction
	_, err := s.ExecContext(w.f.ctx, args...)
	return err
}

// write writes the rows that were gathered.
func (w *writer) write() error {
	for _, id := range w.dirty {
		w.fresh[id] = false
	}
	w.dirty = w.dirty[:0]
	w.grow()
	if m := w.f.mem; m != nil {
		return m.keep(w)
	}
	return errors.Join(
		insertAll(w, 0, w.entries, bindEntry, &w.entries),
		insertAll(w, 1, w.records, func(args []any, r *recordRow) []any {
			return withSum("record", r.values(args), recordColumns)
		}, &w.records),
		insertAll(w, 2, w.papers, func(args []any, p *paper) []any {
			return append(args, p.device, p.number, int64(p.class), p.amount, p.at, p.boot, p.seq, p.pos)
		}, &w.papers),
		insertAll(w, 3, w.meters, func(args []any, r *meterRow) []any {
			return append(args, r.device, r.boot, r.at, r.seq, r.pos, orNull(r.count.OK, r.count.V), orNull(r.amount.OK, r.amount.V))
		}, &w.meters),
		insertAll(w, 4, w.listing, func(args []any, r *listRow) []any { return append(args, int64(r.party), r.at, int64(r.pos)) }, &w.listing),
	)
}

func bindEntry(args []any, r *entryRow) []any {
	return withSum("entry", append(args, int64(r.n), r.data, r.hash[:]), 3)
}

// withSum appends the checksum of the last n values, which are a row's.
func withSum(table string, args []any, n int) []any {
	return append(args, sqlite.Sum(table, args[len(args)-n:]...))
}

func orNull(ok bool, v int64) any {
	if !ok {
		return nil
	}
	return v
}

func insertAll[T any](w *writer, table int, rows []T, bind func([]any, *T) []any, gathered *[]T) error {
	for i, n := range rowsAtOnce {
		for len(rows) >= n {
			args := w.args[:0]
			for j := range n {
				args = bind(args, &rows[j])
			}
			w.args = args
			if w.many[table][i] == nil {
				w.many[table][i] = w.tx.StmtContext(w.f.ctx, w.f.stmts.many[table][i])
			}
			if _, err := w.many[table][i].ExecContext(w.f.ctx, args...); err != nil {
				return fmt.Errorf("%s: %w", growingTables[table].insert, err)
			}
			rows = rows[n:]
		}
	}
	clear(*gathered)
	*gathered = (*gathered)[:0]
	return nil
}

// finish writes what is left, the dictionaries, the sums and the cursor.
func (w *writer) finish(applied uint64) error {
	if err := w.write(); err != nil {
		return err
	}
	for id := w.parties; id < len(w.s.parties.list); id++ {
		p := &w.s.parties.list[id]
		if err := w.exec(qParty, withSum("party", p.values(int32(id)), partyColumns)...); err != nil {
			return fmt.Errorf("party: %w", err)
		}
	}
	for i, name := range w.devices {
		if err := w.exec(qDevice, len(w.s.devices)-len(w.devices)+i+1, name); err != nil {
			return fmt.Errorf("device: %w", err)
		}
	}
	if err := w.writeBook(); err != nil {
		return fmt.Errorf("sums: %w", err)
	}
	if err := writeTiles(w.f.ctx, w.tx, w.s.tree); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	if err := w.exec(qCursor, int64(applied)); err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	return nil
}

// writeBook adds the changes to the sums of their days.
func (w *writer) writeBook() error {
	return errors.Join(w.writeCells("book", w.book, qBook, qPutBook, qDropBook), w.writeCells("filed", w.filed, qFiled, qPutFiled, qDropFiled))
}

// writeCells adds changes to the rows of a table of sums.
func (w *writer) writeCells(table string, of map[bookKey]sums, get, put, drop query) error {
	type row struct {
		day   int32
		shelf int32
	}
	changes := map[row][]cell{}
	for key, s := range of {
		r := row{key.day, key.party / shelfSize}
		changes[r] = append(changes[r], cell{key.party, key.class, key.method, s})
	}
	for r, c := range changes {
		var data []byte
		var sum int64
		err := w.row(get, r.day, r.shelf).Scan(&data, &sum)
		if err == nil {
			err = sqlite.CheckSum(sum, table, int64(r.day), int64(r.shelf), data)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("%s: %w", dateOf(r.day), err)
		}
		var cells []cell
		if data != nil {
			if cells, err = decodeCells(nil, data); err != nil {
				return fmt.Errorf("%s: %w", dateOf(r.day), err)
			}
		}
		slices.SortFunc(c, func(a, b cell) int { return a.compare(&b) })
		if cells = mergeCells(cells, c); len(cells) == 0 {
			err = w.exec(drop, r.day, r.shelf)
		} else {
			err = w.exec(put, withSum(table, []any{int64(r.day), int64(r.shelf), appendCells(nil, cells)}, 3)...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
