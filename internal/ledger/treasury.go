package ledger

import (
	"context"
	"fmt"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// EachCredit calls each with every deposit that holds (none that was taken
// back, and none that takes another one back) whose period begins in
// [fromDate, toDate).
func (f *Follower) EachCredit(ctx context.Context, fromDate, toDate string, each func(*journal.Deposit)) error {
	for field, date := range map[string]string{"from": fromDate, "to": toDate} {
		if _, err := parseDate(date); err != nil {
			return invalid(field, "write the date as YYYY-MM-DD")
		}
	}
	return f.standing(ctx, journal.TypeDeposit, fromDate, toDate, func(line journal.Line, _ *Entry) {
		if d, ok := line.(*journal.Deposit); ok {
			each(d)
		}
	})
}

// EachDeclaration calls each with every SPTPD that holds for a month (YYYY-MM)
// and the operator that filed it.
func (f *Follower) EachDeclaration(ctx context.Context, month string, each func(d *journal.Declaration, operator string)) error {
	if _, ok := parseMonth(month); !ok {
		return invalid("month", "write the month as YYYY-MM")
	}
	const after = "\x0b" // the byte after the one that ends the month in about
	return f.standing(ctx, journal.TypeDeclaration, month+"\n", month+after, func(line journal.Line, e *Entry) {
		if d, ok := line.(*journal.Declaration); ok {
			each(d, e.Operator)
		}
	})
}

// standing calls each with every line of a type that holds and is about what
// lies in [from, to), in the order in which they were booked.
func (f *Follower) standing(ctx context.Context, t journal.Type, from, to string, each func(journal.Line, *Entry)) error {
	rows, err := f.db.R.QueryContext(ctx, `SELECT l.ref, l.n, l.pos, l.day, l.about, l.undone, l.sum, e.data, e.hash, e.sum
		FROM line l LEFT JOIN entry e ON e.n = l.n
		WHERE l.about >= ?1 AND l.about < ?2 AND l.about != '' AND l.type = ?3 ORDER BY l.n`, from, to, int64(t))
	if err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		l := row{typ: t}
		var data, hash []byte
		var lineSum, entrySum int64
		err := rows.Scan(&l.ref, &l.n, &l.pos, &l.day, &l.about, &l.undone, &lineSum, &data, &hash, &entrySum)
		if err == nil {
			err = sqlite.CheckSum(lineSum, "line", l.values()...)
		}
		if err == nil {
			err = sqlite.CheckSum(entrySum, "entry", int64(l.n), data, hash)
		}
		if err != nil {
			return fmt.Errorf("line %q, entry %d: %w", l.ref, l.n, err)
		}
		if l.undone != 0 {
			continue
		}
		e, err := DecodeEntry(data)
		if err != nil {
			return fmt.Errorf("entry %d: %w", l.n, err)
		}
		line, err := e.line()
		if err != nil {
			return fmt.Errorf("entry %d: %w", l.n, err)
		}
		each(line, e)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("lines: %w", err)
	}
	return nil
}
