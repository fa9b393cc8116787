package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// actRow is a row of the table act.
type actRow struct {
	pos     uint64
	recv    int64
	marks   journal.Flags
	source  string
	typ     journal.Type
	data    []byte
	own     uint64
	outcome Outcome
	faults  string
}

const actSelect = "SELECT recv, marks, source, type, data, own, outcome, faults, sum FROM act WHERE pos = ?"

// values are the row without its checksum.
func (r *actRow) values() []any {
	return []any{int64(r.pos), r.recv, int64(r.marks), r.source, int64(r.typ), r.data, int64(r.own), int64(r.outcome), r.faults}
}

// act books what staff wrote, or who read money.
func (w *writer) act(e *journal.Entry) error {
	if e.Type != journal.TypeAccess { // a line may be about an earlier one
		if err := w.write(); err != nil {
			return err
		}
	}
	data, err := journal.EncodeBody(nil, e)
	if err != nil {
		return err
	}
	d := w.f.desk(w.f.ctx, w.tx, e, w.s.n)
	v, err := d.book(data)
	if err != nil {
		return err
	}
	r := actRow{pos: e.Pos, recv: e.Recv, marks: e.Flags, source: e.Source, typ: e.Type, data: data, own: v.Entry, outcome: v.Outcome}
	if r.faults, err = encodeFaults(v.Faults); err != nil {
		return err
	}
	record := &recordRow{recv: e.Recv, marks: e.Flags, source: e.Source, data: data}
	for _, entry := range d.entries {
		if err := w.number(entry, 0, record); err != nil {
			return err
		}
		record = nil
	}
	for _, s := range d.sold {
		if err := w.sell(s); err != nil {
			return err
		}
	}
	w.closed = w.closed || len(d.closes) > 0
	for month := range d.closes {
		w.s.closed[month] = true
	}
	return w.exec(qAct, withSum("act", r.values(), len(r.values()))...)
}

// desk returns the desk that decides about an act within a transaction.
func (f *Follower) desk(ctx context.Context, tx *sql.Tx, e *journal.Entry, n uint64) *desk {
	days := calendar{zone: f.o.Zone}
	return &desk{ctx: ctx, tx: tx, timeline: f.o.Timeline, zone: f.o.Zone, today: days.dayOf(e.Recv), since: f.since, e: e, n: n}
}

func encodeFaults(faults []Fault) (string, error) {
	if len(faults) == 0 {
		return "", nil
	}
	b, err := json.Marshal(faults)
	return string(b), err
}

// errTried ends a trial, so that nothing of it stays.
var errTried = errors.New("tried")

// Try tells what the books, as they are now, would say of an act, whose Recv is
// now. It changes nothing.
func (f *Follower) Try(ctx context.Context, e *journal.Entry) (v Verdict, err error) {
	data, err := journal.EncodeBody(nil, e)
	if err != nil {
		return v, fmt.Errorf("ledger: %w", err)
	}
	trial := *e
	trial.Pos = math.MaxInt64 // after every version of the inventory
	err = f.db.Tx(ctx, func(tx *sql.Tx) error {
		var n uint64
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(n), 0) FROM entry").Scan(&n); err != nil {
			return err
		}
		d := f.desk(ctx, tx, &trial, n)
		if v, err = d.book(data); err != nil {
			return err
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		return v, nil
	}
	return v, fmt.Errorf("ledger: %w", err)
}

// VerdictAt returns what became of the act at a position that the cursor has
// reached.
func (f *Follower) VerdictAt(ctx context.Context, pos uint64) (v Verdict, err error) {
	r := actRow{pos: pos}
	var sum int64
	err = f.db.R.QueryRowContext(ctx, actSelect, int64(pos)).Scan(&r.recv, &r.marks, &r.source, &r.typ, &r.data, &r.own, &r.outcome, &r.faults, &sum)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, &city.Error{Kind: city.KindNotFound, Message: "the books have no act at this position"}
	case err == nil:
		err = sqlite.CheckSum(sum, "act", r.values()...)
	}
	if err != nil {
		return v, fmt.Errorf("ledger: act at position %d: %w", pos, err)
	}
	v = Verdict{Outcome: r.outcome, Entry: r.own}
	if r.outcome == Booked {
		err := f.db.R.QueryRowContext(ctx, "SELECT count(*) FROM line WHERE type = ? AND n >= ? AND pos = ?", int64(r.typ), int64(r.own), int64(pos)).Scan(&v.New)
		if err != nil {
			return v, fmt.Errorf("ledger: act at position %d: %w", pos, err)
		}
	}
	if r.faults != "" {
		if err := json.Unmarshal([]byte(r.faults), &v.Faults); err != nil {
			return v, fmt.Errorf("ledger: act at position %d: %w", pos, err)
		}
	}
	return v, nil
}

// closedMonths reads which months are closed.
func closedMonths(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
},
) (map[int32]bool, error) {
	rows, err := q.QueryContext(ctx, "SELECT ref, n, pos, day, about, undone, sum FROM line WHERE type = ?", int64(journal.TypeClose))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	closed := map[int32]bool{}
	for rows.Next() {
		r := row{typ: journal.TypeClose}
		var sum int64
		if err := rows.Scan(&r.ref, &r.n, &r.pos, &r.day, &r.about, &r.undone, &sum); err != nil {
			return nil, err
		}
		if err := sqlite.CheckSum(sum, "line", r.values()...); err != nil {
			return nil, err
		}
		month, ok := parseMonth(r.ref)
		if !ok {
			return nil, fmt.Errorf("%q is no month", r.ref)
		}
		closed[month] = true
	}
	return closed, rows.Err()
}

// afterClose returns FlagAfterClose for a day whose month is closed.
func (w *writer) afterClose(day int32) Flags {
	if len(w.s.closed) > 0 && w.s.closed[monthOf(day)] {
		return FlagAfterClose
	}
	return 0
}

// filedDay returns the day on which what came after the close of its month is
// filed: that of its receipt, within the next month that is open.
func (w *writer) filedDay(day int32) int32 {
	month := monthOf(day)
	for w.s.closed[month] {
		month++
	}
	days := calendar{zone: w.f.o.Zone}
	return min(max(days.dayOf(w.recv), firstOf(month)), firstOf(month+1)-1)
}
