package ledger

import (
	"bytes"
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
}

// VerifyOptions say how to verify.
type VerifyOptions struct {
	Options
	Log      Log                    // nil: the journal is not asked
	Scratch  string                 // folder for the recomputed books, as large as the books; "": the system's
	Progress func(done, all uint64) // of records; nil: silent
}

// Verify recomputes the books in the file from their kept records, compares
// every entry, hash, sum and index, and compares the records with the journal
// where it still has their day. It only reads, and may run beside a gateway.
// What is not whole is a *DisagreementError that names the first entry.
func Verify(ctx context.Context, path string, o VerifyOptions) (v Verified, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return v, fmt.Errorf("verify: no books at %s: %w", path, err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true})
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return verify(ctx, db, o)
}

func verify(ctx context.Context, db *sqlite.DB, o VerifyOptions) (v Verified, err error) {
	tx, err := db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return v, fmt.Errorf("verify: %w", err)
	}
	defer tx.Rollback()
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
	c := &check{ctx: ctx, tx: tx, again: again, o: o}
	if err := c.run(); err != nil {
		return c.v, fmt.Errorf("verify %s: %w", db.Path(), err)
	}
	return c.v, nil
}

// check is one run of Verify.
type check struct {
	ctx    context.Context
	tx     *sql.Tx // the books as they are
	again  *Follower
	o      VerifyOptions
	cursor uint64
	all    uint64
	acts   bool // the file has acts: this program, or a newer one, has opened it
	v      Verified
}

const verifyRows = 4096

func (c *check) run() error {
	var rules int
	if err := c.tx.QueryRowContext(c.ctx, "SELECT pos, rules FROM cursor WHERE id = 1").Scan(&c.cursor, &rules); err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	if rules != rulesVersion {
		return &DisagreementError{Table: "cursor", Detail: fmt.Sprintf("written under rules %d, this program has %d", rules, rulesVersion)}
	}
	if err := c.count(); err != nil {
		return err
	}
	if c.o.Log != nil && c.cursor > c.o.Log.Head() {
		return &journal.BeyondHeadError{Cursor: c.cursor, Head: c.o.Log.Head()}
	}
	if err := c.recompute(); err != nil {
		return err
	}
	for _, t := range tables {
		if !c.acts && slices.Contains(actTables, t.name) {
			continue
		}
		// Of the entries, what was not compared as they came: their checksums.
		if err := c.compare(t.name, t.key); err != nil {
			return err
		}
	}
	if c.o.Log == nil {
		return nil
	}
	return c.journal()
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
	for want.Next() {
		var a, b entryBytes
		if err := want.Scan(&a.n, &a.data, &a.hash); err != nil {
			return err
		}
		e, err := DecodeEntry(a.data)
		if err != nil {
			return err
		}
		d := &DisagreementError{Entry: a.n, Pos: e.Pos, Table: "entry"}
		if !is.Next() {
			d.Detail = "it is missing"
			return errors.Join(d, is.Err())
		}
		if err := is.Scan(&b.n, &b.data, &b.hash); err != nil {
			return err
		}
		switch {
		case b.n != a.n:
			d.Detail = "it is missing"
		case !bytes.Equal(a.data, b.data):
			d.Detail = "it is not what the kept readings make" + difference(e, b.data)
		case !bytes.Equal(a.hash, b.hash):
			d.Detail = "its hash differs: it, its record or the hash was changed"
		default:
			c.v.Entries = a.n
			continue
		}
		return d
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
