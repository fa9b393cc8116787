package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/simpang-id/simpang/internal/proof"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Checkpoint is a signed one as the books keep it.
type Checkpoint struct {
	proof.Checkpoint

	Note string // as it was signed

	id  int64
	key string
}

const selectCheckpoint = "SELECT id, size, key, note, sum FROM checkpoint"

// scanCheckpoint reads a row of selectCheckpoint and checks its signature by
// the key that it names.
func scanCheckpoint(scan func(...any) error) (*Checkpoint, error) {
	c := &Checkpoint{}
	var size, sum int64
	if err := scan(&c.id, &size, &c.key, &c.Note, &sum); err != nil {
		return c, err
	}
	if err := sqlite.CheckSum(sum, "checkpoint", c.id, size, c.key, c.Note); err != nil {
		return c, err
	}
	key, err := proof.ParsePublicKey(c.key)
	if err != nil {
		return c, err
	}
	told, err := proof.OpenCheckpoint([]byte(c.Note), key)
	if err != nil {
		return c, err
	}
	c.Checkpoint = *told
	if c.Size != uint64(size) {
		return c, fmt.Errorf("it is signed for %d entries and kept as one of %d", c.Size, size)
	}
	return c, nil
}

// lastCheckpoint returns the newest, nil where nothing was signed yet.
func lastCheckpoint(ctx context.Context, q querier) (*Checkpoint, error) {
	c, err := scanCheckpoint(q.QueryRowContext(ctx, selectCheckpoint+" ORDER BY id DESC LIMIT 1").Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint %d: %w", c.id, err)
	}
	return c, nil
}

// Checkpoint returns the newest signed checkpoint, nil where nothing was signed
// yet.
func (f *Follower) Checkpoint(ctx context.Context) (*Checkpoint, error) {
	c, err := lastCheckpoint(ctx, f.db.R)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return c, nil
}

// Signer is what checkpoints are signed with.
type Signer struct {
	Key  *proof.Key
	City string // id; the names of logs are made of it
}

// Sign signs the entries that are committed, and returns the checkpoint that is
// the newest then; it is kept before it is returned. Where nothing came since
// the last one, that one stays the newest. at is our clock, Unix ms. A key that
// is another one than before begins another log, linked to the one before.
// Called from any goroutine.
func (f *Follower) Sign(ctx context.Context, s Signer, at int64) (*Checkpoint, error) {
	var c *Checkpoint
	err := f.db.Tx(ctx, func(tx *sql.Tx) (err error) {
		c, err = s.sign(ctx, tx, at, false)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: sign: %w", err)
	}
	return c, nil
}

// sign signs what the transaction sees: committed entries, since those of a
// flush are written by another one.
func (s Signer) sign(ctx context.Context, tx *sql.Tx, at int64, anew bool) (*Checkpoint, error) {
	last, err := lastCheckpoint(ctx, tx)
	if err != nil {
		return nil, err
	}
	var entries uint64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(n), 0) FROM entry").Scan(&entries); err != nil {
		return nil, err
	}
	next := &Checkpoint{id: 1, key: s.Key.Public().String()}
	next.Size, next.At = entries, at-at%1000
	tiles := tilesOf(ctx, tx)
	switch {
	case last == nil:
		next.Origin = proof.NewOrigin(s.City)
	case !anew && last.Size == entries && last.key == next.key:
		return last, nil
	default:
		// Nothing is signed that does not go on from what was signed before.
		if err := last.agrees(tiles); err != nil {
			return nil, err
		}
		next.id, next.Origin = last.id+1, last.Origin
	}
	if last != nil && (anew || last.key != next.key) {
		next.Origin = proof.NewOrigin(s.City)
		next.Before = &proof.Previous{Origin: last.Origin, Size: last.Size, Root: last.Root}
	}
	if next.Root, err = proof.Root(entries, tiles); err != nil {
		return nil, err
	}
	signed, err := next.Sign(s.Key)
	if err != nil {
		return nil, err
	}
	next.Note = string(signed)
	_, err = tx.ExecContext(ctx, "INSERT INTO checkpoint (id, size, key, note, sum) VALUES (?, ?, ?, ?, ?)",
		withSum("checkpoint", []any{next.id, int64(next.Size), next.key, next.Note}, 4)...)
	return next, err
}

// agrees compares the checkpoint with the tree.
func (c *Checkpoint) agrees(tiles proof.Tiles) error {
	root, err := proof.Root(c.Size, tiles)
	if err == nil && root == c.Root {
		return nil
	}
	d := &DisagreementError{Table: "checkpoint", Detail: fmt.Sprintf("number %d of %d entries was signed for another tree", c.id, c.Size)}
	return errors.Join(d, err)
}

// BeginLog makes restored books begin a log of their own, linked to the one
// that the backup knows: what was signed after the backup was taken would not
// agree with what is signed from now on. It returns nil where nothing was
// signed before. The file must not be open.
func BeginLog(ctx context.Context, path string, s Signer, at int64) (c *Checkpoint, err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Migrations: files, SumsAt: sumsAt})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	last, err := lastCheckpoint(ctx, db.R)
	if err != nil || last == nil {
		return nil, err
	}
	err = db.Tx(ctx, func(tx *sql.Tx) (err error) {
		c, err = s.sign(ctx, tx, at, true)
		return err
	})
	return c, err
}
