package token

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/sqlite"
)

type hashed struct {
	hash  [32]byte
	token Token
}

const columns = "id, hash, role, name, operator, agency, created, expires, revoked, last_used, sum"

// row is a row of the table without its checksum.
func (h *hashed) row() []any {
	t := &h.token
	return []any{t.ID, h.hash[:], string(t.Role), t.Name, t.Operator, t.Agency, t.Created, t.Expires, t.Revoked, t.LastUsed}
}

// scan reads columns; sqlite.ErrSum tells that they are not what was written.
func (h *hashed) scan(scan func(...any) error) error {
	var hash []byte
	var sum int64
	t := &h.token
	if err := scan(&t.ID, &hash, &t.Role, &t.Name, &t.Operator, &t.Agency, &t.Created, &t.Expires, &t.Revoked, &t.LastUsed, &sum); err != nil {
		return err
	}
	if copy(h.hash[:], hash) != len(h.hash) {
		return sqlite.ErrSum
	}
	return sqlite.CheckSum(sum, "token", h.row()...)
}

func get(ctx context.Context, tx *sql.Tx, id string) (h hashed, err error) {
	err = h.scan(tx.QueryRowContext(ctx, "SELECT "+columns+" FROM token WHERE id = ?", id).Scan)
	return h, err
}

func put(ctx context.Context, tx *sql.Tx, h *hashed) error {
	row := h.row()
	_, err := tx.ExecContext(ctx, "INSERT INTO token ("+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET revoked = excluded.revoked, last_used = excluded.last_used, sum = excluded.sum`, append(row, sqlite.Sum("token", row...))...)
	return err
}

// all reads every token, the oldest first. One that is not what was written is
// left out, since nobody knows what it may; the log tells.
func (s *Store) all(ctx context.Context) (tokens []hashed, err error) {
	rows, err := s.db.R.QueryContext(ctx, "SELECT "+columns+" FROM token ORDER BY created, id")
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var h hashed
		if err := h.scan(rows.Scan); errors.Is(err, sqlite.ErrSum) {
			s.log.ErrorContext(ctx, "a token is damaged and holds no more: issue another", "id", h.token.ID, "file", s.db.Path())
			continue
		} else if err != nil {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
		tokens = append(tokens, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	return tokens, nil
}

// use notes that a token was used; the file learns it about once a minute.
func (s *Store) use(t Token, now time.Time) {
	ms := now.UnixMilli()
	s.mu.RLock()
	last := max(s.used[t.ID], t.LastUsed)
	s.mu.RUnlock()
	if ms-last < usedEvery.Milliseconds() {
		return
	}
	s.mu.Lock()
	s.used[t.ID] = ms
	s.mu.Unlock()
}

// writeUsed writes what use noted. The caller holds the lock.
func (s *Store) writeUsed(ctx context.Context) error {
	if len(s.used) == 0 {
		return nil
	}
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		for id, at := range s.used {
			h, err := get(ctx, tx, id)
			if errors.Is(err, sql.ErrNoRows) || errors.Is(err, sqlite.ErrSum) {
				continue // it holds no more
			}
			if err == nil && at > h.token.LastUsed {
				h.token.LastUsed = at
				err = put(ctx, tx, &h)
			}
			if err != nil {
				return fmt.Errorf("write last use of %s: %w", id, err)
			}
		}
		return nil
	})
	if err == nil {
		clear(s.used)
	}
	return err
}
