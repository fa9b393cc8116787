package command

import (
	"context"
	"database/sql"

	"github.com/simpang-id/simpang/internal/sqlite"
)

const columns = "no, id, device, kind, args, token, at, expires, state, sends, sent, answered, detail"

// row is a row of the table without its checksum.
func (c *Command) row() []any {
	args := c.Args
	if args == nil {
		args = []byte{}
	}
	return []any{c.No, c.ID, c.Device, string(c.Kind), args, c.By, c.At, c.Expires, string(c.State), int64(c.Sends), c.Sent, c.Answered, c.Detail}
}

func put(ctx context.Context, tx *sql.Tx, c *Command) error {
	row := c.row()
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO command ("+columns+", sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", append(row, sqlite.Sum("command", row...))...)
	return err
}

// query reads commands; sqlite.ErrSum tells that one is not what was written.
func (s *Store) query(ctx context.Context, where string, args ...any) ([]Command, error) {
	rows, err := s.db.R.QueryContext(ctx, "SELECT "+columns+", sum FROM command "+where, args...) //nolint:gosec // where is a constant of this package
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []Command
	for rows.Next() {
		var c Command
		var sum int64
		if err := rows.Scan(&c.No, &c.ID, &c.Device, &c.Kind, &c.Args, &c.By, &c.At, &c.Expires, &c.State, &c.Sends, &c.Sent, &c.Answered, &c.Detail, &sum); err != nil {
			return nil, err
		}
		if err := sqlite.CheckSum(sum, "command", c.row()...); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
