package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Numbers are what a store keeps once, by name, beside its rows: a cursor, a
// clock. They lie in its table meta (name, value, sum).
type Numbers map[string]*int64

// Queryer reads one row: a connection or a transaction.
type Queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Load reads the numbers; one that was never saved stays as it is. A row whose
// checksum differs is an error with its name.
func (n Numbers) Load(ctx context.Context, q Queryer) error {
	for name, p := range n {
		v, ok, err := LoadNumber(ctx, q, name)
		if err != nil {
			return err
		}
		if ok {
			*p = v
		}
	}
	return nil
}

// Save writes the numbers.
func (n Numbers) Save(ctx context.Context, tx *sql.Tx) error {
	for name, p := range n {
		if err := SaveNumber(ctx, tx, name, *p); err != nil {
			return err
		}
	}
	return nil
}

// LoadNumber reads one number of table meta; ok is false where there is none.
func LoadNumber(ctx context.Context, q Queryer, name string) (v int64, ok bool, err error) {
	var sum int64
	err = q.QueryRowContext(ctx, "SELECT value, sum FROM meta WHERE name = ?", name).Scan(&v, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err == nil {
		err = CheckSum(sum, "meta", name, v)
	}
	if err != nil {
		return 0, false, fmt.Errorf("%s: %w", name, err)
	}
	return v, true, nil
}

// SaveNumber writes one number to table meta.
func SaveNumber(ctx context.Context, tx *sql.Tx, name string, v int64) error {
	if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)", name, v, Sum("meta", name, v)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
