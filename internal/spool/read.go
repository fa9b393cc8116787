package spool

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/sqlite"
)

type reader interface {
	querier
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func idsOf(ctx context.Context, q reader, query string, args ...any) (ids []int64, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// damage is what is wrong with a job for good; other errors pass.
type damage struct{ error }

// Unwrap returns what was found.
func (d damage) Unwrap() error { return d.error }

// snapshot reads a job and what it holds as of one moment: a gateway may be
// writing meanwhile.
func (s *Spool) snapshot(ctx context.Context, f func(q reader) error) (err error) {
	tx, err := s.db.R.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return f(tx)
}

// data is what a job holds so far.
func (s *Spool) data(ctx context.Context, q reader, j *Job) ([]byte, error) {
	rows, err := q.QueryContext(ctx, "SELECT n, sealed, sum FROM piece WHERE job = ? ORDER BY n", j.ID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	data := make([]byte, 0, j.Size)
	n := int64(0)
	for ; rows.Next(); n++ {
		var at, sum int64
		var sealed []byte
		if err := rows.Scan(&at, &sealed, &sum); err != nil {
			return nil, err
		}
		if err := sqlite.CheckSum(sum, "piece", j.ID, at, sealed); err != nil {
			return nil, damage{err}
		}
		piece, err := s.unsealed(sealed, j.ID, n)
		if err != nil {
			return nil, damage{err}
		}
		data = append(data, piece...)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n != j.pieces || len(data) != j.Size {
		return nil, damage{fmt.Errorf("print %d has %d pieces of %d bytes, and should have %d of %d", j.ID, n, len(data), j.pieces, j.Size)}
	}
	return data, nil
}

// fill reads what a job that ended holds and compares it with its SHA-256.
func (s *Spool) fill(ctx context.Context, q reader, j *Job) error {
	data, err := s.data(ctx, q, j)
	if err != nil {
		return err
	}
	digest, err := s.unsealed(j.digest, j.ID, -1)
	if err != nil {
		return damage{err}
	}
	sum := sha256.Sum256(data)
	if string(sum[:]) != string(digest) {
		return damage{fmt.Errorf("print %d is not what came: its SHA-256 differs", j.ID)}
	}
	j.Data, j.SHA256 = data, hex.EncodeToString(sum[:])
	return nil
}

// Next returns the first job of a source after an id that waits to be handed
// on; ok is false where there is none. An error with ok is that job's own: it
// is damaged, and the next one may be asked for.
func (s *Spool) Next(ctx context.Context, source string, after int64) (j Job, ok bool, err error) {
	err = s.snapshot(ctx, func(q reader) error {
		j, err = scanJob(q.QueryRowContext(ctx, "SELECT "+jobColumns+", sum FROM job WHERE source = ? AND state = 1 AND id > ? ORDER BY id LIMIT 1", source, after).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			j = Job{}
			return nil
		}
		if err != nil {
			j = Job{}
			return fmt.Errorf("spool: %w", err)
		}
		ok = true
		if err := s.fill(ctx, q, &j); err != nil {
			return fmt.Errorf("spool: print %d: %w", j.ID, err)
		}
		return nil
	})
	if _, damaged := errors.AsType[damage](err); err != nil && !damaged {
		return Job{}, false, err
	}
	return j, ok, err
}

// Get returns one job that ended. An id that is not there (any more) is an
// error of city.KindNotFound.
func (s *Spool) Get(ctx context.Context, id int64) (Job, error) {
	var j Job
	err := s.snapshot(ctx, func(q reader) (err error) {
		j, err = scanJob(q.QueryRowContext(ctx, "SELECT "+jobColumns+", sum FROM job WHERE id = ? AND state > 0", id).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return notThere(id)
		}
		if err == nil {
			err = s.fill(ctx, q, &j)
		}
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		return nil
	})
	if err != nil {
		return Job{}, err
	}
	return j, nil
}

// Recover ends the jobs of a source that went on when it last stopped, and
// returns how many there were.
func (s *Spool) Recover(ctx context.Context, source, ending string) (int, error) {
	ids, err := idsOf(ctx, s.db.R, "SELECT id FROM job WHERE source = ? AND state = 0 ORDER BY id", source)
	if err != nil {
		return 0, fmt.Errorf("spool: %w", err)
	}
	for i, id := range ids {
		j, err := scanJob(s.db.R.QueryRowContext(ctx, "SELECT "+jobColumns+", sum FROM job WHERE id = ?", id).Scan)
		if err != nil {
			return i, fmt.Errorf("spool: %w", err)
		}
		j.Ending = ending
		if err := s.End(ctx, &j, nil); err != nil {
			return i, err
		}
	}
	return len(ids), nil
}

// Verify reads every job of a file, a gateway running on it or not, and returns
// how many there are. The error names the first that is not what came.
func Verify(ctx context.Context, path string, key [KeySize]byte) (jobs int, err error) {
	seal, err := sealer(key)
	if err != nil {
		return 0, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true, Readers: 1})
	if err != nil {
		return 0, fmt.Errorf("spool: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Spool{db: db, seal: seal}
	for after := int64(0); ; jobs++ {
		last := after
		err := s.snapshot(ctx, func(q reader) error {
			j, err := scanJob(q.QueryRowContext(ctx, "SELECT "+jobColumns+", sum FROM job WHERE id > ? ORDER BY id LIMIT 1", last).Scan)
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			if err == nil && j.state == stateOpen {
				_, err = s.data(ctx, q, &j)
			} else if err == nil {
				err = s.fill(ctx, q, &j)
			}
			after = j.ID
			return err
		})
		if err != nil {
			return jobs, fmt.Errorf("spool: the print after %d: %w", last, err)
		}
		if after == last {
			return jobs, nil
		}
	}
}
