package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// VerifyQuarantine decrypts every item in the file and compares its hash. It
// only reads, and may run beside a gateway. It returns how many there are.
func VerifyQuarantine(ctx context.Context, path string, key [32]byte) (items int, err error) {
	seal, err := sealer(key)
	if err != nil {
		return 0, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{ReadOnly: true, Readers: 1})
	if err != nil {
		return 0, fmt.Errorf("quarantine: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	q := &Quarantine{db: db, seal: seal}
	for after := int64(0); ; {
		n, err := q.verifySome(ctx, &after)
		items += n
		if err != nil || n == 0 {
			return items, err
		}
	}
}

// verifySome checks the items after an id, as many as one snapshot may take.
func (q *Quarantine) verifySome(ctx context.Context, after *int64) (n int, err error) {
	const portion = 1000
	rows, err := q.db.R.QueryContext(ctx, "SELECT id, ident, sealed FROM item WHERE id > ? ORDER BY id LIMIT ?", *after, portion)
	if err != nil {
		return 0, fmt.Errorf("quarantine: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for ; rows.Next(); n++ {
		var ident, sealed []byte
		var i Item
		if err := rows.Scan(after, &ident, &sealed); err != nil {
			return n, fmt.Errorf("quarantine: %w", err)
		}
		if err := q.unseal(&i, ident, sealed); err != nil {
			return n, fmt.Errorf("quarantine: item %d: %w", *after, err)
		}
		if sum := sha256.Sum256(i.Raw); i.RawSize == len(i.Raw) && hex.EncodeToString(sum[:]) != i.RawSHA256 {
			return n, fmt.Errorf("quarantine: item %d: its hash is another one than when it was kept", *after)
		}
	}
	return n, rows.Err()
}
