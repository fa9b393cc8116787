package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Entries returns at most limit entries after a number, in order and without
// holes, and the number of the last there is: for who passes them on with a
// cursor of its own.
func (f *Follower) Entries(ctx context.Context, after uint64, limit int) (entries []*Entry, last uint64, err error) {
	err = f.db.R.QueryRowContext(ctx, "SELECT n FROM entry ORDER BY n DESC LIMIT 1").Scan(&last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil || last <= after {
		return nil, last, err
	}
	rows, err := f.db.R.QueryContext(ctx, "SELECT n, data, hash, sum FROM entry WHERE n > ? ORDER BY n LIMIT ?", int64(after), limit)
	if err != nil {
		return nil, 0, fmt.Errorf("entries: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n, sum int64
		var data, hash []byte
		if err := rows.Scan(&n, &data, &hash, &sum); err != nil {
			return nil, 0, fmt.Errorf("entries: %w", err)
		}
		if err := sqlite.CheckSum(sum, "entry", n, data, hash); err != nil {
			return nil, 0, fmt.Errorf("entry %d: %w", n, err)
		}
		e, err := DecodeEntry(data)
		if err != nil {
			return nil, 0, fmt.Errorf("entry %d: %w", n, err)
		}
		entries = append(entries, e)
	}
	return entries, last, rows.Err()
}
