package watch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// place of an incident in a list: the newest opening first.
type listed struct {
	opened int64
	id     string
}

func compareListed(a, b listed) int {
	switch {
	case a.opened > b.opened:
		return -1
	case a.opened < b.opened:
		return 1
	default:
		return strings.Compare(b.id, a.id)
	}
}

func (l listed) cursor() string { return strconv.FormatInt(l.opened, 10) + " " + l.id }

func parseCursor(text string) (l listed, err error) {
	opened, id, _ := strings.Cut(text, " ")
	l.id = id
	l.opened, err = strconv.ParseInt(opened, 10, 64)
	if err != nil || id == "" {
		return l, &city.Error{Kind: city.KindInvalid, Message: "cursor: use the `next` of the page before", Fields: []city.FieldError{{Field: "cursor", Detail: "must be what `next` said"}}}
	}
	return l, nil
}

// Incidents returns a page and the cursor of the next, "" at the end. An error
// of KindInvalid: the cursor is none of ours.
func (f *Follower) Incidents(ctx context.Context, q Query) (list []Incident, next string, err error) {
	after := listed{opened: 1<<63 - 1, id: "~"}
	if q.After != "" {
		if after, err = parseCursor(q.After); err != nil {
			return nil, "", err
		}
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	// What changed since the last flush is taken from memory, all else from the
	// file: while the lock is held the two go together, before a flush and after.
	for _, r := range f.incidents.dirty {
		i, err := f.answer(ctx, r)
		if err != nil {
			return nil, "", err
		}
		if q.selects(&i) && compareListed(listed{i.OpenedAt, i.ID}, after) > 0 {
			list = append(list, i)
		}
	}
	if list, err = f.stored(ctx, &q, after, list); err != nil {
		return nil, "", fmt.Errorf("watch: incidents: %w", err)
	}
	slices.SortFunc(list, func(a, b Incident) int {
		return compareListed(listed{a.OpenedAt, a.ID}, listed{b.OpenedAt, b.ID})
	})
	if q.Limit > 0 && len(list) > q.Limit {
		list = list[:q.Limit]
		last := &list[q.Limit-1]
		next = listed{last.OpenedAt, last.ID}.cursor()
	}
	return list, next, nil
}

// stored adds what the file has, as much as a page needs.
func (f *Follower) stored(ctx context.Context, q *Query, after listed, list []Incident) ([]Incident, error) {
	from := q.From
	rows, err := f.db.R.QueryContext(ctx, `SELECT i.opened, i.id, i.closed, i.data, i.seq, i.sum, a.by_token, a.note, a.at, a.sum
		FROM incident i LEFT JOIN ack a ON a.incident = i.id
		WHERE (i.opened, i.id) < (?, ?) AND i.opened >= ? AND (? OR i.closed = 0) ORDER BY i.opened DESC, i.id DESC`,
		after.opened, after.id, from, q.State == "" || q.State == StateClosed)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	found := 0
	for rows.Next() {
		r, ack, err := scanWithAck(rows)
		if err != nil {
			return nil, err
		}
		if f.incidents.dirty[r.ID] != nil {
			continue
		}
		i := r.with(ack)
		if !q.selects(&i) {
			continue
		}
		list = append(list, i)
		if found++; q.Limit > 0 && found > q.Limit {
			break
		}
	}
	return list, rows.Err()
}

// alsoInto scans further columns behind those that are asked for.
type alsoInto struct {
	rows *sql.Rows
	more []any
}

// Scan implements scanner.
func (a alsoInto) Scan(dest ...any) error { return a.rows.Scan(append(dest, a.more...)...) }

func (q *Query) selects(i *Incident) bool {
	return (q.Rules == nil || slices.Contains(q.Rules, i.Rule)) &&
		(q.State == "" || i.State == q.State) && (q.Site == "" || i.Site == q.Site) && (q.Device == "" || i.Device == q.Device) &&
		(q.From == 0 || i.OpenedAt >= q.From) && (q.To == 0 || i.OpenedAt < q.To)
}

// Incident returns one incident. An error of KindNotFound: there is none.
func (f *Follower) Incident(ctx context.Context, id string) (Incident, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	r := f.incidents.dirty[id]
	if r == nil {
		stored, err := scanIncident(f.db.R.QueryRowContext(ctx, "SELECT opened, id, closed, data, seq, sum FROM incident WHERE id = ?", id))
		if errors.Is(err, sql.ErrNoRows) {
			return Incident{}, &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("there is no anomaly %q", id)}
		}
		if err != nil {
			return Incident{}, fmt.Errorf("watch: %w", err)
		}
		r = &stored.record
	}
	return f.answer(ctx, r)
}

// answer adds the acknowledgement.
func (f *Follower) answer(ctx context.Context, r *record) (Incident, error) {
	ack, err := ackOf(ctx, f.db.R, r.ID)
	if err != nil {
		return Incident{}, fmt.Errorf("watch: %w", err)
	}
	return r.with(ack), nil
}

// with is the incident as it is shown: with its links, and with who
// acknowledged it.
func (r *record) with(ack *Ack) Incident {
	i := r.Incident
	if i.Evidence.Links == nil { // else it is one of a file of before
		i.Evidence.Links = r.links()
	}
	if ack == nil {
		return i
	}
	i.Ack = ack
	if i.State == StateOpen {
		i.State = StateAcknowledged
	}
	i.Changes = append(slices.Clone(i.Changes), Change{At: ack.At, What: string(StateAcknowledged), By: ack.By, Note: ack.Note})
	slices.SortStableFunc(i.Changes, func(a, b Change) int { return int(min(max(a.At-b.At, -1), 1)) })
	i.Changed++
	return i
}

type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func ackOf(ctx context.Context, q rowQuerier, id string) (*Ack, error) {
	var by, note string
	var at, sum int64
	err := q.QueryRowContext(ctx, "SELECT by_token, note, at, sum FROM ack WHERE incident = ?", id).Scan(&by, &note, &at, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return checkedAck(id, by, note, at, sum)
}

func checkedAck(id, by, note string, at, sum int64) (*Ack, error) {
	if err := sqlite.CheckSum(sum, "ack", id, by, note, at); err != nil {
		return nil, fmt.Errorf("acknowledgement of %s: %w", id, err)
	}
	return &Ack{By: by, Note: note, At: at}, nil
}

// Acknowledge notes who knows of an incident, and returns it; it is durable
// then. The first one stays: twice is once. by is the id of a token, at our
// clock (Unix ms). Errors: KindNotFound; KindInvalid: the note is too long.
func (f *Follower) Acknowledge(ctx context.Context, id, by, note string, at int64) (Incident, error) {
	if len(note) > NoteMost {
		return Incident{}, &city.Error{Kind: city.KindInvalid, Message: fmt.Sprintf("note: must have %d bytes at most", NoteMost), Fields: []city.FieldError{{Field: "note", Detail: "too long"}}}
	}
	if _, err := f.Incident(ctx, id); err != nil {
		return Incident{}, err
	}
	err := f.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO ack (incident, by_token, note, at, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (incident) DO NOTHING",
			id, by, note, at, sqlite.Sum("ack", id, by, note, at))
		if err != nil {
			return err
		}
		// One that is not in the file yet comes with the next flush.
		if err := moveToEnd(ctx, tx, id); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return nil
	})
	if err != nil {
		return Incident{}, fmt.Errorf("watch: acknowledge: %w", err)
	}
	return f.Incident(ctx, id)
}

// Standing counts the incidents that are not closed.
func (f *Follower) Standing() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.standing)
}
