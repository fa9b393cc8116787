package watch

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// changesMost is the most that one question for changes gets.
const changesMost = 1000

// Changes returns incidents in the order in which they were made durable last,
// those after a place in that order, at most limit (0: 1,000, which is the
// most), and the place to go on from. An incident that changes again, or is
// acknowledged, moves to the end; so who asks again and again with the next of
// before sees each change that stood at a flush, and the newest state of each
// incident. A place beyond the end belongs to another file (a backup was
// restored): it begins from the first again.
func (f *Follower) Changes(ctx context.Context, after uint64, limit int) (list []Incident, next uint64, err error) {
	if limit <= 0 || limit > changesMost {
		limit = changesMost
	}
	tx, err := f.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, after, fmt.Errorf("watch: changes: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	if list, next, err = changes(ctx, tx, after, limit); err != nil {
		return nil, after, fmt.Errorf("watch: changes: %w", err)
	}
	return list, next, nil
}

func changes(ctx context.Context, tx *sql.Tx, after uint64, limit int) (list []Incident, next uint64, err error) {
	newest, err := seqOf(ctx, tx)
	if err != nil {
		return nil, after, err
	}
	if after > uint64(newest) {
		after = 0
	}
	rows, err := tx.QueryContext(ctx, `SELECT i.opened, i.id, i.closed, i.data, i.seq, i.sum, a.by_token, a.note, a.at, a.sum
		FROM incident i LEFT JOIN ack a ON a.incident = i.id WHERE i.seq > ? ORDER BY i.seq LIMIT ?`, int64(after), limit)
	if err != nil {
		return nil, after, err
	}
	defer closeRows(rows)
	next = after
	for rows.Next() {
		r, ack, err := scanWithAck(rows)
		if err != nil {
			return nil, after, err
		}
		list, next = append(list, r.with(ack)), uint64(r.seq)
	}
	return list, next, rows.Err()
}

// seqOf is the last place that was given out.
func seqOf(ctx context.Context, q rowQuerier) (int64, error) {
	var seq, sum int64
	if err := q.QueryRowContext(ctx, "SELECT value, sum FROM meta WHERE name = 'seq'").Scan(&seq, &sum); err != nil {
		return 0, err
	}
	return seq, sqlite.CheckSum(sum, "meta", "seq", seq)
}

// setSeq notes the last place that was given out.
func setSeq(ctx context.Context, tx *sql.Tx, seq int64) error {
	_, err := tx.ExecContext(ctx, "UPDATE meta SET value = ?, sum = ? WHERE name = 'seq'", seq, sqlite.Sum("meta", "seq", seq))
	return err
}

// moveToEnd gives an incident that is in the file the next place.
func moveToEnd(ctx context.Context, tx *sql.Tx, id string) error {
	r, err := scanIncident(tx.QueryRowContext(ctx, "SELECT opened, id, closed, data, seq, sum FROM incident WHERE id = ?", id))
	if err != nil {
		return err
	}
	seq, err := seqOf(ctx, tx)
	if err != nil {
		return err
	}
	seq++
	sum := sqlite.Sum("incident", r.OpenedAt, r.ID, r.ClosedAt, r.data, seq)
	if _, err := tx.ExecContext(ctx, "UPDATE incident SET seq = ?, sum = ? WHERE opened = ? AND id = ?", seq, sum, r.OpenedAt, r.ID); err != nil {
		return err
	}
	return setSeq(ctx, tx, seq)
}
