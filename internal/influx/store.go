package influx

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store keeps how far each target is. Without it everything is sent again, to
// the same points.
type Store struct{ db *sqlite.DB }

// OpenStore opens or makes the file at path.
func OpenStore(ctx context.Context, path string) (*Store, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Normal, Migrations: files, CacheKiB: 200})
	if err != nil {
		return nil, fmt.Errorf("influx: %w", err)
	}
	return &Store{db: db}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// cursor is how far a stream is.
type cursor struct {
	pos  uint64
	sent int64
}

// load returns a stream's cursor, the zero one where there is none yet.
func (s *Store) load(ctx context.Context, target, stream string) (c cursor, err error) {
	var pos, sum int64
	err = s.db.R.QueryRowContext(ctx, "SELECT pos, sent, sum FROM cursor WHERE target = ? AND stream = ?", target, stream).Scan(&pos, &c.sent, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return cursor{}, nil
	}
	if err == nil {
		err = sqlite.CheckSum(sum, "cursor", target, stream, pos, c.sent)
	}
	if err != nil {
		return cursor{}, fmt.Errorf("influx: cursor of %s: %w", target, err)
	}
	c.pos = uint64(pos)
	return c, nil
}

const putCursor = "INSERT OR REPLACE INTO cursor (target, stream, pos, sent, sum) VALUES (?, ?, ?, ?, ?)"

func cursorRow(target, stream string, c cursor) []any {
	row := []any{target, stream, int64(c.pos), c.sent}
	return append(row, sqlite.Sum("cursor", row...))
}

// save makes a stream's cursor durable.
func (s *Store) save(ctx context.Context, target, stream string, c cursor) error {
	if _, err := s.db.W.ExecContext(ctx, putCursor, cursorRow(target, stream, c)...); err != nil {
		return fmt.Errorf("influx: cursor of %s: %w", target, err)
	}
	return nil
}

// loadPast returns what a stream knew of its last minutes.
func (s *Store) loadPast(ctx context.Context, target, stream string) (p past, err error) {
	var data string
	var sum int64
	err = s.db.R.QueryRowContext(ctx, "SELECT data, sum FROM past WHERE target = ? AND stream = ?", target, stream).Scan(&data, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return past{}, nil
	}
	if err == nil {
		err = sqlite.CheckSum(sum, "past", target, stream, data)
	}
	if err == nil {
		err = json.Unmarshal([]byte(data), &p)
	}
	if err != nil {
		return past{}, fmt.Errorf("influx: last minutes of %s: %w", target, err)
	}
	return p, nil
}

// savePast makes it durable.
func (s *Store) savePast(ctx context.Context, target, stream string, p *past) error {
	data, err := json.Marshal(p)
	if err == nil {
		_, err = s.db.W.ExecContext(ctx, "INSERT OR REPLACE INTO past (target, stream, data, sum) VALUES (?, ?, ?, ?)",
			target, stream, string(data), sqlite.Sum("past", target, stream, string(data)))
	}
	if err != nil {
		return fmt.Errorf("influx: last minutes of %s: %w", target, err)
	}
	return nil
}

// marks returns what a target must be sent again.
func (s *Store) marks(ctx context.Context, target string) (map[string]int64, error) {
	rows, err := s.db.R.QueryContext(ctx, "SELECT subject, since, sum FROM mark WHERE target = ?", target)
	if err != nil {
		return nil, fmt.Errorf("influx: marks of %s: %w", target, err)
	}
	defer rows.Close()
	marks := map[string]int64{}
	for rows.Next() {
		var subject string
		var since, sum int64
		if err := rows.Scan(&subject, &since, &sum); err != nil {
			return nil, fmt.Errorf("influx: marks of %s: %w", target, err)
		}
		if err := sqlite.CheckSum(sum, "mark", target, subject, since); err != nil {
			return nil, fmt.Errorf("influx: mark of %s: %w", target, err)
		}
		marks[subject] = since
	}
	return marks, rows.Err()
}

// saveMarks makes the cursor of the roll-ups durable together with the marks
// that changed; one of 0 is gone.
func (s *Store) saveMarks(ctx context.Context, target string, c cursor, changed map[string]int64) error {
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		for subject, since := range changed {
			query, row := "INSERT OR REPLACE INTO mark (target, subject, since, sum) VALUES (?, ?, ?, ?)", []any{target, subject, since}
			if since == 0 {
				query, row = "DELETE FROM mark WHERE target = ? AND subject = ?", row[:2]
			} else {
				row = append(row, sqlite.Sum("mark", row...))
			}
			if _, err := tx.ExecContext(ctx, query, row...); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, putCursor, cursorRow(target, streamRollups, c)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("influx: roll-ups of %s: %w", target, err)
	}
	return nil
}
