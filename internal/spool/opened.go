package spool

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Opening is one reading of a print by a person.
type Opening struct {
	At  int64 // our clock, Unix ms
	Job int64
	Who string
}

// Open returns one job as Get does, once it is written down who reads it.
func (s *Spool) Open(ctx context.Context, id, at int64, who string) (Job, error) {
	j, err := s.Get(ctx, id)
	if err != nil {
		return Job{}, err
	}
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM opened").Scan(&last); err != nil {
			return err
		}
		row := []any{last + 1, at, id, who}
		_, err := tx.ExecContext(ctx, "INSERT INTO opened (id, at, job, who, sum) VALUES (?, ?, ?, ?, ?)", append(row, sqlite.Sum("opened", row...))...)
		return err
	})
	if err != nil {
		return Job{}, err
	}
	return j, nil
}

// Openings lists who has read what, the newest first.
func (s *Spool) Openings(ctx context.Context, limit int) (out []Opening, err error) {
	rows, err := s.db.R.QueryContext(ctx, "SELECT id, at, job, who, sum FROM opened ORDER BY id DESC LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var o Opening
		var id, sum int64
		err := rows.Scan(&id, &o.At, &o.Job, &o.Who, &sum)
		if err == nil {
			err = sqlite.CheckSum(sum, "opened", id, o.At, o.Job, o.Who)
		}
		if err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// List returns the newest jobs that ended, of one source or ("") of all, the
// newest first and without what they hold.
func (s *Spool) List(ctx context.Context, source string, limit int) (out []Job, err error) {
	rows, err := s.db.R.QueryContext(ctx, "SELECT "+jobColumns+", sum FROM job WHERE state > 0 AND (?1 = '' OR source = ?1) ORDER BY id DESC LIMIT ?2", source, limit)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		j, err := scanJob(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
		out = append(out, j)
	}
	return out, rows.Err()
}

// Taken tells whether a job is committed, known, or in quarantine.
func (j *Job) Taken() bool { return j.state == stateTaken }
