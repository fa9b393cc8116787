package ledger

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Log is what Verify asks of the journal.
type Log interface {
	Head() uint64
	Days() []journal.DayInfo
	Read(ctx context.Context, after uint64, max int) ([]journal.Entry, error)
}

var _ Log = (*journal.Journal)(nil)

// DisagreementError is the first thing that is not as it must be.
type DisagreementError struct {
	Entry  uint64 // number of the entry, 0 where it is none
	Pos    uint64 // journal position of its reading, 0 where it is not known
	Table  string // where it stands
	Detail string
}

// Error says what disagrees and what to do.
func (d *DisagreementError) Error() string {
	var at []string
	if d.Entry != 0 {
		at = append(at, fmt.Sprintf("entry %d", d.Entry))
	}
	if d.Pos != 0 {
		at = append(at, fmt.Sprintf("journal position %d", d.Pos))
	}
	at = append(at, "table "+d.Table)
	return fmt.Sprintf("the books disagree: %s: %s; keep a copy of the folder and restore the last backup", strings.Join(at, ", "), d.Detail)
}

// Verified counts what was found whole.
type Verified struct {
	Entries   uint64 // recomputed from the kept records
	Records   uint64
	InJournal uint64 // records that the journal still has, compared word for word

	Checkpoints uint64 // compared with the tree, their signatures checked
}

// VerifyOptions say how to verify.
type VerifyOptions struct {
	Options
	Log      Log                    // nil: the journal is not asked
	Scratch  string                 // folder for the recomputed books, as large as the books; "": the system's
	Progress func(done, all uint64) // of records; nil: silent
	Key      string                 // public key that must have signed the newest checkpoint; "": whichever it names
	Memory   int64                  // bytes that the recomputation may hold, 0: 2 GiB; books that need more are recomputed on disk, slower
}

// Verify recomputes the books in the file from their kept records, compares
// every entry, hash, sum and index, and compares the records with the journal
// where it still has their day. It only reads, and may run beside a gateway.
// What is not whole is a *DisagreementError that names the first entry.
func Verify(ctx context.Context, path string, o VerifyOptions) (v Verified, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("verify: no books at %s: %w", path, err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true, Readers: verifyReaders})
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return verify(ctx, db, o)
}

func verify(ctx context.Context, db *sqlite.DB, o VerifyOptions) (v Verified, err error) {
	tx, also, err := sameBooks(ctx, db)
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	defer rollBack(append(also, tx))
	dir, err := os.MkdirTemp(o.Scratch, "simpang-verify-")
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	again, err := open(ctx, filepath.Join(dir, "ledger.db"), o.Options, "OFF")
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	defer func() { err = errors.Join(err, again.Close()) }()
	c := &check{ctx: ctx, tx: tx, also: also, again: again, o: o}
	if err := c.run(ctx); err != nil {
		return c.v, fmt.Errorf("verify %s: %w", db.Path(), err)
	}
	return c.v, nil
}

// check is one run of Verify.
type check struct {
	ctx    context.Context
	tx     *sql.Tx   // the books as they are
	also   []*sql.Tx // the same, to be read beside it: two
	again  *Follower
	o      VerifyOptions
	cursor uint64
	all    uint64
	acts   bool // the file has acts: this program, or a newer one, has opened it
	v      Verified
}

const verifyRows = 4096

func (c *check) run(ctx context.Context) error {
	var rules int
	if err := c.tx.QueryRowContext(ctx, "SELECT pos, rules FROM cursor WHERE id = 1").Scan(&c.cursor, &rules); err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	if rules != rulesVersion {
		return &DisagreementError{Table: "cursor", Detail: fmt.Sprintf("written under rules %d, this program has %d", rules, rulesVersion)}
	}
	if err := c.sinceWhen(ctx); err != nil {
		return err
	}
	if err := c.count(); err != nil {
		return err
	}
	if c.o.Log != nil && c.cursor > c.o.Log.Head() {
		return &journal.BeyondHeadError{Cursor: c.cursor, Head: c.o.Log.Head()}
	}
	if err := c.entriesAndIndex(ctx); err != nil {
		return err
	}
	for _, t := range tables {
		if c.again.mem != nil && slices.Contains(growing5, t.name) {
			continue // compared already
		}
		if !c.acts && slices.Contains(actTables, t.name) {
			continue
		}
		// Of the entries, what was not compared as they came: their checksums.
		if err := c.compare(t.name, t.key); err != nil {
			return err
		}
	}
	if err := c.checkpoints(); err != nil {
		return err
	}
	if c.o.Log == nil {
		return nil
	}
	return c.journal()
}

// sinceWhen lets the fresh books count karcis, and make blocks, from where the
// file does; a file that this program has not opened yet does nowhere.
func (c *check) sinceWhen(ctx context.Context) error {
	there, err := hasColumn(ctx, c.tx, "cursor", "since")
	if err != nil {
		return err
	}
	c.again.since = c.cursor
	if there {
		if err := c.tx.QueryRowContext(ctx, "SELECT since FROM cursor WHERE id = 1").Scan(&c.again.since); err != nil {
			return fmt.Errorf("cursor: %w", err)
		}
	}
	return nil
}

// growing5 are the tables that stream compares.
var growing5 = []string{"entry", "record", "paper", "meter", "listing"}

// verifyMemory is how much a recomputation holds by default, in bytes.
const verifyMemory = 2 << 30

// entriesAndIndex recomputes in memory what fits there.
func (c *check) entriesAndIndex(ctx context.Context) error {
	summed, err := hasColumn(ctx, c.tx, "entry", sqlite.SumColumn)
	if err != nil {
		return err
	}
	if !summed || int64(c.all)*shelfBytes > cmp.Or(c.o.Memory, verifyMemory) {
		return c.recompute()
	}
	c.again.mem = newShelf(ctx, c.tx)
	return c.stream(ctx)
}

func hasTable(ctx context.Context, q querier, table string) (there bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = ?", table).Scan(&there)
	return there, err
}

func hasColumn(ctx context.Context, q querier, table, column string) (there bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pragma_table_info(?) WHERE name = ?", table, column).Scan(&there)
	return there, err
}

// verifyReaders are how many connections a verification reads by.
const verifyReaders = 4

// sameBooks begins three transactions that see the same books. A gateway that
// runs beside us may write between two of them: then they are begun again. Over
// a pool of fewer connections they are one and the same.
func sameBooks(ctx context.Context, db *sqlite.DB) (tx *sql.Tx, also []*sql.Tx, err error) {
	const most = 1000
	for range most {
		var all []*sql.Tx
		var cursors [3]uint64
		for i := range cursors {
			if i > 0 && db.R.Stats().MaxOpenConnections < verifyReaders {
				all, cursors[i] = append(all, all[0]), cursors[0]
				continue
			}
			t, err := db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
			if err == nil {
				all = append(all, t)
				err = t.QueryRowContext(ctx, "SELECT pos FROM cursor WHERE id = 1").Scan(&cursors[i])
			}
			if err != nil {
				rollBack(all)
				return nil, nil, err
			}
		}
		if cursors[0] == cursors[1] && cursors[0] == cursors[2] {
			return all[0], all[1:], nil
		}
		rollBack(all)
	}
	return nil, nil, errors.New("the books are written faster than they can be looked at: try again")
}

func rollBack(all []*sql.Tx) {
	for _, t := range all {
		_ = t.Rollback() // it only reads
	}
}

// recompute gives the kept records to fresh books, and compares the entries
// as they come.
func (c *check) recompute() error {
	for after := uint64(0); ; {
		records, err := c.records(after, verifyRows)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			break
		}
		entries := make([]journal.Entry, len(records))
		for i := range records {
			r := &records[i]
			if entries[i], err = r.entry(); err != nil {
				return &DisagreementError{Entry: r.own, Pos: r.pos, Table: r.table(), Detail: "what is kept cannot be read: " + err.Error()}
			}
		}
		after = records[len(records)-1].pos
		if after > c.cursor {
			return &DisagreementError{Pos: after, Table: records[len(records)-1].table(), Detail: fmt.Sprintf("lies after the cursor %d", c.cursor)}
		}
		if err := errors.Join(c.again.Apply(entries), c.again.Flush()); err != nil {
			return err
		}
		if err := c.entries(); err != nil {
			return err
		}
		c.v.Records += uint64(len(records))
		if c.o.Progress != nil {
			c.o.Progress(c.v.Records, c.all)
		}
	}
	var more uint64
	if err := c.tx.QueryRowContext(c.ctx, "SELECT coalesce(max(n), 0) FROM entry").Scan(&more); err != nil {
		return err
	}
	if more > c.v.Entries {
		return &DisagreementError{Entry: c.v.Entries + 1, Table: "entry", Detail: "no kept reading makes it"}
	}
	return nil
}

// entries compares the entries that were recomputed since the last call.
func (c *check) entries() error {
	const query = "SELECT n, data, hash FROM entry WHERE n > ? AND n <= ? ORDER BY n"
	want, err := c.again.db.R.QueryContext(c.ctx, query, c.v.Entries, c.again.state.n)
	if err != nil {
		return err
	}
	defer want.Close()
	is, err := c.tx.QueryContext(c.ctx, query, c.v.Entries, c.again.state.n)
	if err != nil {
		return err
	}
	defer is.Close()
	next := func() (*entryBytes, error) {
		b := &entryBytes{}
		if !is.Next() {
			return nil, is.Err()
		}
		return b, is.Scan(&b.n, &b.data, &b.hash)
	}
	for want.Next() {
		var a entryRow
		var hash []byte
		if err := want.Scan(&a.n, &a.data, &hash); err != nil {
			return err
		}
		copy(a.hash[:], hash)
		if err := c.entry(&a, next); err != nil {
			return err
		}
	}
	return errors.Join(want.Err(), is.Err())
}

type entryBytes struct {
	n          uint64
	data, hash []byte
}

func difference(want *Entry, data []byte) string {
	is, err := DecodeEntry(data)
	if err != nil {
		return ": its bytes cannot be read"
	}
	return fmt.Sprintf(": %s of %d on %s there, %s of %d on %s recomputed",
		is.Kind, is.Amount, dateOf(is.Day), want.Kind, want.Amount, dateOf(want.Day))
}

// count counts what is kept.
func (c *check) count() error {
	var acts int
	if err := c.tx.QueryRowContext(c.ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'act'").Scan(&acts); err != nil {
		return err
	}
	query := "SELECT count(*) FROM record"
	if c.acts = acts > 0; c.acts {
		query = "SELECT (SELECT count(*) FROM record) + (SELECT count(*) FROM act)"
	}
	return c.tx.QueryRowContext(c.ctx, query).Scan(&c.all)
}

// keptRow is a reading, or an act, as the books keep it.
type keptRow struct {
	recordRow
	typ journal.Type
}

func (r *keptRow) table() string {
	if r.typ.IsAct() {
		return "act"
	}
	return "record"
}

// entry returns the entry of the journal.
func (r *keptRow) entry() (e journal.Entry, err error) {
	e = journal.Entry{Pos: r.pos, Recv: r.recv, Type: r.typ, Flags: r.marks, Source: r.source}
	switch {
	case r.typ == journal.TypeReading:
		e.Reading, err = journal.DecodeReading(r.data)
	case r.typ.IsAct():
		err = journal.DecodeBody(&e, r.data)
	default:
		err = fmt.Errorf("type %d is none of the books", r.typ)
	}
	return e, err
}

// records returns the next kept records and acts.
func (c *check) records(after uint64, limit int) ([]keptRow, error) {
	query := "SELECT pos, recv, marks, source, data, own, 1 FROM record WHERE pos > ?1"
	if c.acts {
		query += " UNION ALL SELECT pos, recv, marks, source, data, own, type FROM act WHERE pos > ?1"
	}
	rows, err := c.tx.QueryContext(c.ctx, query+" ORDER BY 1 LIMIT ?2", int64(after), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []keptRow
	for rows.Next() {
		var r keptRow
		if err := rows.Scan(&r.pos, &r.recv, &r.marks, &r.source, &r.data, &r.own, &r.typ); err != nil {
			return nil, &DisagreementError{Pos: r.pos, Table: "record", Detail: err.Error()}
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// journal compares the records with the journal, word for word, from the
// first day on that it still has.
func (c *check) journal() error {
	days := c.o.Log.Days()
	if len(days) == 0 {
		return nil
	}
	pos := days[0].First - 1
	kept, err := c.records(pos, verifyRows)
	if err != nil {
		return err
	}
	var buf []byte
	for pos < c.cursor {
		entries, err := c.o.Log.Read(c.ctx, pos, verifyRows)
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if len(entries) == 0 {
			return &journal.BeyondHeadError{Cursor: c.cursor, Head: pos}
		}
		for i := range entries {
			e := &entries[i]
			if pos = e.Pos; pos > c.cursor {
				return nil
			}
			if !isMoney(e) {
				continue
			}
			if len(kept) == 0 {
				if kept, err = c.records(pos-1, verifyRows); err != nil {
					return err
				}
			}
			if buf, err = journal.EncodeBody(buf[:0], e); err != nil {
				return fmt.Errorf("journal: %w", err)
			}
			switch {
			case len(kept) == 0 || kept[0].pos > pos:
				return &DisagreementError{Pos: pos, Table: "record", Detail: "the journal has a record that the books lack"}
			case kept[0].pos < pos:
				return &DisagreementError{Entry: kept[0].own, Pos: kept[0].pos, Table: kept[0].table(), Detail: "the books keep a record that the journal does not have"}
			case kept[0].typ != e.Type || kept[0].recv != e.Recv || kept[0].marks != e.Flags || kept[0].source != e.Source || !bytes.Equal(kept[0].data, buf):
				return &DisagreementError{Entry: kept[0].own, Pos: pos, Table: kept[0].table(), Detail: "what is kept is not the journal's"}
			}
			kept = kept[1:]
			c.v.InJournal++
		}
	}
	if len(kept) > 0 && kept[0].pos <= c.cursor {
		return &DisagreementError{Entry: kept[0].own, Pos: kept[0].pos, Table: kept[0].table(), Detail: "the books keep a record that the journal does not have"}
	}
	return nil
}
