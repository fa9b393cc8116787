package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Outcome is what became of an act.
type Outcome uint8

// The outcomes. They are in the books' file: append only.
const (
	Booked   Outcome = 1 // at least one line is new, and all have their effect
	Known    Outcome = 2 // every line is booked already, word for word
	Conflict Outcome = 3 // a reference is booked already with other content: nothing has an effect
	Refused  Outcome = 4 // a line cannot be: nothing has an effect
)

// Fault is what is wrong with a line of an act.
type Fault struct {
	Line   int    `json:"line"` // from 0
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Verdict is what the books say of an act.
type Verdict struct {
	Outcome Outcome
	Entry   uint64  // number of its first entry, 0 before it has one
	New     int     // lines that have an effect by it
	Faults  []Fault // why it has no effect
}

// mostFaults is how many faults are told.
const mostFaults = 50

// desk decides about one act within a transaction: the same way when it is
// tried and when it is booked. It numbers its entries after n.
type desk struct {
	ctx      context.Context
	tx       *sql.Tx
	timeline *inventory.Timeline
	zone     *time.Location
	today    int32          // day of the act's receipt
	since    uint64         // acts after this position count karcis, have blocks, and deposits fit their account
	closes   map[int32]bool // months that it closes
	sold     []sale         // karcis
	blocks   map[blockKey]int64
	e        *journal.Entry  // of the act
	n        uint64          // last number given
	at       int             // the line
	content  [16]byte        // of the act
	entries  []*Entry        // made by the act
	fresh    map[string]*row // lines of this act, by reference
	faults   []Fault
	clean    int // faults before the line
	conflict bool
	known    int
}

// row is a line that stands in the books.
type row struct {
	typ    journal.Type
	ref    string
	n      uint64
	pos    uint64
	day    int32
	about  string
	undone uint64
	entry  *Entry
}

func (r *row) values() []any {
	return []any{int64(r.typ), r.ref, int64(r.n), int64(r.pos), int64(r.day), r.about, int64(r.undone)}
}

// book decides about the act, and writes what its lines do but for entries.
// Without an effect everything is as before, and it has one entry that says so.
func (d *desk) book(body []byte) (Verdict, error) {
	sum := sha256.Sum256(body)
	copy(d.content[:], sum[:])
	d.fresh, d.closes, d.blocks = map[string]*row{}, map[int32]bool{}, map[blockKey]int64{}
	if err := d.exec("SAVEPOINT act"); err != nil {
		return Verdict{}, err
	}
	first := d.n + 1
	if d.e.Type == journal.TypeAccess {
		d.reads(body)
	} else if err := d.lines(); err != nil {
		return Verdict{}, err
	}
	v := Verdict{Outcome: Booked, Entry: first, New: len(d.entries), Faults: d.faults}
	switch {
	case d.conflict:
		v.Outcome = Conflict
	case len(d.faults) > 0:
		v.Outcome = Refused
	case len(d.entries) == 0:
		v.Outcome = Known
	}
	if v.Outcome != Booked {
		if err := d.exec("ROLLBACK TO act"); err != nil {
			return v, err
		}
		d.entries, d.sold, d.n, v.New = nil, nil, first-1, 0
		clear(d.closes)
		d.add(&Entry{Kind: KindUnused, Day: d.today})
	}
	return v, d.exec("RELEASE act")
}

func (d *desk) exec(query string, args ...any) error {
	_, err := d.tx.ExecContext(d.ctx, query, args...)
	return err
}

// reads makes the one entry of the reads of money.
func (d *desk) reads(body []byte) {
	d.add(&Entry{Kind: KindAccess, Day: d.today, Count: int64(len(d.e.Act.Lines)), Body: body})
}

func (d *desk) lines() error {
	for i, line := range d.e.Act.Lines {
		d.at = i
		if len(d.faults) >= mostFaults {
			break
		}
		faults := CheckLine(line)
		for _, f := range faults {
			d.fault(f.Field, f.Detail)
		}
		if len(faults) > 0 {
			continue
		}
		if err := d.line(line); err != nil {
			return fmt.Errorf("line %d of position %d: %w", i+1, d.e.Pos, err)
		}
	}
	return nil
}

// line books a line that is well formed, unless it is known.
func (d *desk) line(line journal.Line) error {
	before, err := d.find(line.Type(), line.Key())
	if err != nil {
		return err
	}
	body := journal.EncodeLine(nil, line)
	if before != nil {
		if bytes.Equal(before.entry.Body, body) {
			d.known++
			return nil
		}
		d.conflict = true
		d.fault("reference", fmt.Sprintf("entry %d is booked under it with other content: an entry is never changed, take it back or use another reference", before.n))
		return nil
	}
	e := &Entry{Kind: kindOf(line.Type()), Body: body, Count: 1}
	d.clean = len(d.faults)
	switch l := line.(type) {
	case *journal.Deposit:
		err = d.deposit(l, e)
	case *journal.Karcis:
		err = d.karcis(l, e)
	case *journal.Handover:
		err = d.handover(l, e)
	case *journal.Declaration:
		err = d.declaration(l, e)
	case *journal.Close:
		d.close(l, e)
	case *journal.Certificates:
		e.Day, _ = parseDate(l.Date)
	}
	if err != nil || d.faulty() {
		return err
	}
	d.add(e)
	return d.put(&row{typ: line.Type(), ref: line.Key(), n: e.N, pos: d.e.Pos, day: e.Day, about: d.about(line), entry: e})
}

// add numbers an entry of the act.
func (d *desk) add(e *Entry) {
	d.n++
	e.N, e.Pos, e.Cause, e.At, e.Content = d.n, d.e.Pos, d.e.Pos, d.e.Recv, d.content
	d.entries = append(d.entries, e)
}

func (d *desk) fault(field, detail string) {
	if len(d.faults) < mostFaults {
		d.faults = append(d.faults, Fault{d.at, field, detail})
	}
}

// faulty tells whether the line has a fault: it gets no entry, so that nothing may
// name one.
func (d *desk) faulty() bool { return len(d.faults) > d.clean }

// find returns the line that stands under a reference, nil for none.
func (d *desk) find(t journal.Type, ref string) (*row, error) {
	if r := d.fresh[ref]; r != nil {
		return r, nil
	}
	r := &row{typ: t, ref: ref}
	var sum int64
	err := d.tx.QueryRowContext(d.ctx, "SELECT n, pos, day, about, undone, sum FROM line WHERE type = ? AND ref = ?", int64(t), ref).
		Scan(&r.n, &r.pos, &r.day, &r.about, &r.undone, &sum)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err == nil:
		err = sqlite.CheckSum(sum, "line", r.values()...)
	}
	if err != nil {
		return nil, fmt.Errorf("line %q: %w", ref, err)
	}
	r.entry, err = d.entryOf(r.n)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// put saves where a line stands.
func (d *desk) put(r *row) error {
	d.fresh[r.ref] = r
	v := r.values()
	return d.exec("INSERT INTO line (type, ref, n, pos, day, about, undone, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET undone = excluded.undone, sum = excluded.sum",
		append(v, sqlite.Sum("line", v...))...)
}

// undo finds the line that a new one, to be the next entry, takes back or
// stands for, and marks it; nil where it cannot, which is then told.
func (d *desk) undo(field string, t journal.Type, ref string) (*row, error) {
	r, err := d.find(t, ref)
	switch {
	case err != nil:
		return nil, err
	case r == nil:
		d.fault(field, "nothing is booked under this reference: send that first")
		return nil, nil
	case r.undone != 0:
		d.fault(field, fmt.Sprintf("entry %d stands for it, or took it back, already", r.undone))
		return nil, nil
	}
	r.undone = d.n + 1
	return r, d.put(r)
}
