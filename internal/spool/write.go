package spool

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"

	"github.com/simpang-id/simpang/internal/sqlite"
)

const jobColumns = "id, source, began, ended, whole, ending, state, boot, seq, pieces, size, digest"

func (j *Job) row() []any {
	digest := j.digest
	if digest == nil {
		digest = []byte{}
	}
	return []any{j.ID, j.Source, j.Began, j.Ended, j.Whole, j.Ending, j.state, int64(j.Boot), int64(j.Seq), j.pieces, int64(j.Size), digest}
}

func (j *Job) write(ctx context.Context, tx *sql.Tx) error {
	row := j.row()
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO job ("+jobColumns+", sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", append(row, sqlite.Sum("job", row...))...)
	return err
}

func scanJob(scan func(...any) error) (Job, error) {
	var j Job
	var sum int64
	err := scan(&j.ID, &j.Source, &j.Began, &j.Ended, &j.Whole, &j.Ending, &j.state, &j.Boot, &j.Seq, &j.pieces, &j.Size, &j.digest, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "job", j.row()...)
	}
	return j, err
}

// Append makes more bytes of a job durable; a job without an id begins. After
// an error the same bytes are appended again.
func (s *Spool) Append(ctx context.Context, j *Job, data []byte) error {
	return s.put(ctx, j, data, false)
}

// End makes the last bytes of a job durable, and that it ended: it waits to be
// handed on from now on. After an error it is called again with the same.
func (s *Spool) End(ctx context.Context, j *Job, data []byte) error {
	return s.put(ctx, j, data, true)
}

func (s *Spool) put(ctx context.Context, j *Job, data []byte, end bool) error {
	fresh := *j
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if fresh.ID == 0 {
			last, err := readCounter(ctx, tx, "job")
			if err != nil {
				return err
			}
			fresh.ID = int64(last + 1)
			if err := writeCounter(ctx, tx, "job", last+1); err != nil {
				return err
			}
			s.counts.Jobs++
			s.counts.Waiting++
		}
		if len(data) > 0 {
			if err := s.room(ctx, tx, len(data)); err != nil {
				return err
			}
			if err := s.putPiece(ctx, tx, &fresh, data); err != nil {
				return err
			}
		}
		if end {
			whole, err := s.data(ctx, tx, &fresh)
			if err != nil {
				return err
			}
			digest := sha256.Sum256(whole)
			if fresh.digest, err = s.sealed(digest[:], fresh.ID, -1); err != nil {
				return err
			}
			fresh.state = stateWaiting
		}
		return fresh.write(ctx, tx)
	})
	if err == nil {
		*j = fresh
	}
	return err
}

func (s *Spool) putPiece(ctx context.Context, tx *sql.Tx, j *Job, data []byte) error {
	sealed, err := s.sealed(data, j.ID, j.pieces)
	if err != nil {
		return err
	}
	row := []any{j.ID, j.pieces, sealed}
	if _, err := tx.ExecContext(ctx, "INSERT INTO piece (job, n, sealed, sum) VALUES (?, ?, ?, ?)", append(row, sqlite.Sum("piece", row...))...); err != nil {
		return err
	}
	j.pieces++
	j.Size += len(data)
	s.counts.Bytes += int64(len(data))
	return nil
}

// sealed encrypts what belongs to place n of a job and to no other.
func (s *Spool) sealed(data []byte, job, n int64) ([]byte, error) {
	nonce := make([]byte, s.seal.NonceSize(), s.seal.NonceSize()+len(data)+s.seal.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return s.seal.Seal(nonce, nonce, data, place(job, n)), nil
}

func (s *Spool) unsealed(sealed []byte, job, n int64) ([]byte, error) {
	size := s.seal.NonceSize()
	if len(sealed) < size {
		return nil, errors.New("it is too short to be decrypted")
	}
	data, err := s.seal.Open(nil, sealed[:size], sealed[size:], place(job, n))
	if err != nil {
		return nil, errors.New("it cannot be decrypted: another key, or another place, than it was kept under")
	}
	return data, nil
}

func place(job, n int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(job)), uint64(n))
}

// room lets the oldest jobs go that were taken, until there is room for n bytes.
func (s *Spool) room(ctx context.Context, tx *sql.Tx, n int) error {
	for s.counts.Bytes+int64(n) > s.most {
		var id int64
		err := tx.QueryRowContext(ctx, "SELECT id FROM job WHERE state = 2 ORDER BY id LIMIT 1").Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrFull
		}
		if err == nil {
			err = s.remove(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		s.counts.Evicted++
		if err := writeCounter(ctx, tx, "evicted", s.counts.Evicted); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spool) remove(ctx context.Context, tx *sql.Tx, id int64) error {
	var state, size int64
	err := tx.QueryRowContext(ctx, "DELETE FROM job WHERE id = ? RETURNING state, size", id).Scan(&state, &size)
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM piece WHERE job = ?", id)
	}
	if err != nil {
		return err
	}
	s.counts.Jobs--
	s.counts.Bytes -= size
	if state != stateTaken {
		s.counts.Waiting--
	}
	return nil
}

// Drop removes a job that goes on: it was noise.
func (s *Spool) Drop(ctx context.Context, j *Job) error {
	if j.ID == 0 {
		return nil
	}
	return s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.remove(ctx, tx, j.ID) })
}

// Number gives a job the identity under which it is handed on, for good.
func (s *Spool) Number(ctx context.Context, j *Job, boot, seq uint64) error {
	fresh := *j
	fresh.Boot, fresh.Seq = boot, seq
	err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error { return fresh.write(ctx, tx) })
	if err == nil {
		*j = fresh
	}
	return err
}

// Taken notes that jobs are committed, known, or in quarantine.
func (s *Spool) Taken(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, id := range ids {
			j, err := scanJob(tx.QueryRowContext(ctx, "SELECT "+jobColumns+", sum FROM job WHERE id = ?", id).Scan)
			if err != nil {
				return err
			}
			if j.state == stateTaken {
				continue
			}
			j.state = stateTaken
			if err := j.write(ctx, tx); err != nil {
				return err
			}
			s.counts.Waiting--
		}
		return nil
	})
}

// Expire removes what was taken and ended before a time, Unix ms, and returns
// how many jobs that were.
func (s *Spool) Expire(ctx context.Context, before int64) (gone int, err error) {
	const atOnce = 500
	for {
		n := 0
		err := s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
			ids, err := idsOf(ctx, tx, "SELECT id FROM job WHERE state = 2 AND ended < ? ORDER BY id LIMIT ?", before, atOnce)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := s.remove(ctx, tx, id); err != nil {
					return err
				}
			}
			n = len(ids)
			return nil
		})
		gone += n
		if err != nil || n < atOnce || ctx.Err() != nil {
			return gone, err
		}
	}
}
