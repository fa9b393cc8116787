package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/proof"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// tilesOf reads tiles as they are kept, and compares their checksums.
func tilesOf(ctx context.Context, q querier) proof.Tiles {
	return func(level int, n uint64) ([]byte, error) {
		var data []byte
		var sum int64
		err := q.QueryRowContext(ctx, "SELECT data, sum FROM tile WHERE level = ? AND n = ?", level, int64(n)).Scan(&data, &sum)
		if err == nil {
			err = sqlite.CheckSum(sum, "tile", int64(level), int64(n), data)
		}
		if err != nil {
			return nil, fmt.Errorf("tile %d of level %d: %w", n, level, err)
		}
		return data, nil
	}
}

// grow makes leaves of the entries that are about to be written.
func (w *writer) grow() {
	for i := range w.entries {
		w.s.tree.Append(proof.LeafHash(w.entries[i].data))
	}
}

func writeTiles(ctx context.Context, tx *sql.Tx, tree *proof.Tree) error {
	for _, t := range tree.Changed() {
		_, err := tx.ExecContext(ctx, "INSERT INTO tile (level, n, data, sum) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data, sum = excluded.sum",
			withSum("tile", []any{int64(t.Level), int64(t.N), t.Data}, 3)...)
		if err != nil {
			return fmt.Errorf("tile %d of level %d: %w", t.N, t.Level, err)
		}
	}
	return nil
}

// treeSize is the number of leaves of which there are tiles.
func treeSize(ctx context.Context, q querier) (uint64, error) {
	var n, width uint64
	err := q.QueryRowContext(ctx, "SELECT n, length(data) / 32 FROM tile WHERE level = 0 ORDER BY n DESC LIMIT 1").Scan(&n, &width)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n*256 + width, err
}

// leavesAtOnce is how many leaves one transaction adds to the tree of books
// that had none.
const leavesAtOnce = 65_536

// loadTree opens the tree. Books that were written before there was one get it
// now, once.
func (s *state) loadTree(f *Follower) error {
	size, err := treeSize(f.ctx, f.db.W)
	if err != nil {
		return err
	}
	if size > s.n {
		return fmt.Errorf("it has %d leaves, and there are %d entries: the file is damaged, restore the last backup", size, s.n)
	}
	if s.tree, err = proof.OpenTree(size, tilesOf(f.ctx, f.db.W)); err != nil {
		return err
	}
	if size < s.n {
		f.o.Log.Info("the tree of the entries is made, once", "entries", s.n-size)
	}
	for s.tree.Size() < s.n {
		err := f.db.Tx(f.ctx, func(tx *sql.Tx) error {
			if err := addLeaves(f.ctx, tx, s.tree, min(s.tree.Size()+leavesAtOnce, s.n)); err != nil {
				return err
			}
			return writeTiles(f.ctx, tx, s.tree)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addLeaves adds the entries after the tree's end up to one.
func addLeaves(ctx context.Context, tx *sql.Tx, tree *proof.Tree, last uint64) error {
	rows, err := tx.QueryContext(ctx, "SELECT n, data, hash, sum FROM entry WHERE n > ? AND n <= ? ORDER BY n", int64(tree.Size()), int64(last))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n, sum int64
		var data, hash []byte
		if err := rows.Scan(&n, &data, &hash, &sum); err != nil {
			return err
		}
		if uint64(n) != tree.Size()+1 {
			return fmt.Errorf("entry %d is missing: the file is damaged, restore the last backup", tree.Size()+1)
		}
		if err := sqlite.CheckSum(sum, "entry", n, data, hash); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		tree.Append(proof.LeafHash(data))
	}
	return rows.Err()
}
