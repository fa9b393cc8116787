package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// LineQuery selects lines of acts that have an effect.
type LineQuery struct {
	Type      journal.Type
	Reference string // "" all
	FromDate  string // of the line's day, YYYY-MM-DD, inclusive; "" all
	ToDate    string // exclusive; "" all
	After     string // cursor of the previous page, "" the first
	Limit     int
}

// Line is a line of an act as the books hold it.
type Line struct {
	Entry  uint64
	Pos    uint64 // of its act in the journal
	At     int64  // our clock at its receipt, Unix ms
	By     string // id of the token
	Undone uint64 // entry that took it back or stands for it, 0 none
	Line   journal.Line
}

// Lines returns lines in the order in which they were booked, and the cursor of
// the next page, "" at the end.
func (f *Follower) Lines(ctx context.Context, q LineQuery) ([]Line, string, error) {
	after, err := parseNumber(q.After)
	if err != nil {
		return nil, "", err
	}
	from, err := dateOr(q.FromDate, "from", -1<<62)
	if err != nil {
		return nil, "", err
	}
	to, err := dateOr(q.ToDate, "to", 1<<62)
	if err != nil {
		return nil, "", err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, largestPage)
	rows, err := f.lineRows(ctx, q, after, from, to, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("lines: %w", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = strconv.FormatUint(rows[limit-1].Entry, 36)
	}
	return rows, next, nil
}

// dateOr returns the day of a date, or another where there is none.
func dateOr(date, field string, other int64) (int64, error) {
	if date == "" {
		return other, nil
	}
	day, err := parseDate(date)
	if err != nil {
		return 0, invalid(field, "write the date as YYYY-MM-DD")
	}
	return int64(day), nil
}

// lineRows joins so that a line whose entry or act is not found is an error,
// never left out.
func (f *Follower) lineRows(ctx context.Context, q LineQuery, after uint64, from, to int64, limit int) ([]Line, error) {
	query := `SELECT l.ref, l.n, l.pos, l.day, l.about, l.undone, l.sum, e.data, e.hash, e.sum, a.recv, a.marks, a.source, a.type, a.data, a.own, a.outcome, a.faults, a.sum
		FROM line l LEFT JOIN entry e ON e.n = l.n LEFT JOIN act a ON a.pos = l.pos
		WHERE l.type = ?1 AND l.n > ?2 AND l.day >= ?3 AND l.day < ?4`
	args := []any{int64(q.Type), int64(after), from, to, limit}
	if q.Reference != "" {
		query += " AND l.ref = ?6"
		args = append(args, q.Reference)
	}
	rows, err := f.db.R.QueryContext(ctx, query+" ORDER BY l.n LIMIT ?5", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []Line{}
	for rows.Next() {
		l := row{typ: q.Type}
		var a actRow
		var data, hash []byte
		var lineSum, entrySum, actSum int64
		err := rows.Scan(&l.ref, &l.n, &l.pos, &l.day, &l.about, &l.undone, &lineSum, &data, &hash, &entrySum,
			&a.recv, &a.marks, &a.source, &a.typ, &a.data, &a.own, &a.outcome, &a.faults, &actSum)
		if err != nil {
			return nil, err
		}
		a.pos = l.pos
		err = errors.Join(sqlite.CheckSum(lineSum, "line", l.values()...), sqlite.CheckSum(entrySum, "entry", int64(l.n), data, hash), sqlite.CheckSum(actSum, "act", a.values()...))
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", l.n, err)
		}
		e, err := DecodeEntry(data)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", l.n, err)
		}
		line, err := e.line()
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", l.n, err)
		}
		act, err := a.act()
		if err != nil {
			return nil, fmt.Errorf("act at position %d: %w", a.pos, err)
		}
		out = append(out, Line{Entry: l.n, Pos: l.pos, At: a.recv, By: act.By, Undone: l.undone, Line: line})
	}
	return out, rows.Err()
}

// act decodes what the row keeps.
func (r *actRow) act() (*journal.Act, error) {
	e := journal.Entry{Type: r.typ}
	err := journal.DecodeBody(&e, r.data)
	return e.Act, err
}

func parseNumber(cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(cursor, 36, 63)
	if err != nil {
		return 0, unknownCursor()
	}
	return n, nil
}

func unknownCursor() error {
	return &city.Error{Kind: city.KindInvalid, Message: "cursor is none of ours: begin without it", Fields: []city.FieldError{{Field: "cursor", Detail: "unknown"}}}
}

// AccessQuery selects reads of money.
type AccessQuery struct {
	From, To int64  // Unix ms of our clock, from inclusive, to exclusive
	Token    string // id, "" all
	After    string // cursor of the previous page, "" the first
	Limit    int
}

// AccessLine is one read of money.
type AccessLine struct {
	Entry uint64
	Read  journal.Access
}

// accessSlack is how much earlier than its act a read may have been, ms: it
// waits for a commit for a few seconds only.
const accessSlack = 60_000

// Accesses returns the reads of money in the order in which they were written,
// and the cursor of the next page, "" at the end.
func (f *Follower) Accesses(ctx context.Context, q AccessQuery) ([]AccessLine, string, error) {
	pos, skip := uint64(0), 0
	if q.After != "" {
		first, second, found := strings.Cut(q.After, ".")
		n, err := strconv.ParseUint(first, 36, 63)
		i, err2 := strconv.ParseUint(second, 36, 31)
		if !found || err != nil || err2 != nil {
			return nil, "", unknownCursor()
		}
		pos, skip = n, int(i)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, largestPage)
	rows, err := f.db.R.QueryContext(ctx, `SELECT pos, recv, marks, source, type, data, own, outcome, faults, sum FROM act
		WHERE type = ? AND pos >= ? AND recv >= ? AND recv < ? ORDER BY pos`, int64(journal.TypeAccess), int64(pos), q.From, orMost(q.To, accessSlack))
	if err != nil {
		return nil, "", fmt.Errorf("accesses: %w", err)
	}
	defer rows.Close()
	out := []AccessLine{}
	for rows.Next() {
		var a actRow
		if err := a.scan(rows); err != nil {
			return nil, "", fmt.Errorf("accesses: %w", err)
		}
		act, err := a.act()
		if err != nil {
			return nil, "", fmt.Errorf("accesses: position %d: %w", a.pos, err)
		}
		for i, line := range act.Lines {
			read, ok := line.(*journal.Access)
			if !ok || a.pos == pos && i < skip || read.At < q.From || read.At >= q.To || q.Token != "" && read.Token != q.Token {
				continue
			}
			if len(out) == limit {
				return out, strconv.FormatUint(a.pos, 36) + "." + strconv.FormatInt(int64(i), 36), nil
			}
			out = append(out, AccessLine{a.own, *read})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("accesses: %w", err)
	}
	return out, "", nil
}

// orMost adds without going over.
func orMost(v, more int64) int64 {
	if v > 1<<62 {
		return v
	}
	return v + more
}

func (r *actRow) scan(rows *sql.Rows) error {
	var sum int64
	err := rows.Scan(&r.pos, &r.recv, &r.marks, &r.source, &r.typ, &r.data, &r.own, &r.outcome, &r.faults, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "act", r.values()...)
	}
	if err != nil {
		return fmt.Errorf("act at position %d: %w", r.pos, err)
	}
	return nil
}
