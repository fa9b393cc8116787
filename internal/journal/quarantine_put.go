package journal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Put keeps the items in one commit and returns their ids. What is there
// already (same source, device, topic, reason and bytes) keeps its id: putting
// the same again after a crash or an error changes nothing. The oldest items
// make room where a limit is reached. sqlite.IsFull tells that the disk has no
// room.
func (q *Quarantine) Put(ctx context.Context, items []Item) ([]int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ids := make([]int64, len(items))
	err := q.db.Tx(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		for i := range items {
			id, err := q.put(ctx, tx, &items[i])
			if err != nil {
				return err
			}
			ids[i] = id
		}
		return q.evict(ctx, tx)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("quarantine: %w", err), q.count(ctx))
	}
	return ids, nil
}

func (q *Quarantine) put(ctx context.Context, tx *sql.Tx, i *Item) (id int64, err error) {
	ident := q.identOf(i)
	err = tx.QueryRowContext(ctx, "SELECT id FROM item WHERE ident = ?", ident).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	sealed, err := q.sealed(i, ident)
	if err != nil {
		return 0, err
	}
	// AUTOINCREMENT would give the same id, but after the checksum.
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'item'").Scan(&id); err != nil {
		return 0, err
	}
	fresh := *i
	fresh.ID, fresh.Retried = id, false
	row := itemRow(&fresh, ident, int64(len(sealed)), sealed)
	_, err = tx.ExecContext(ctx, `INSERT INTO item (id, ident, recv, source, device, topic, place, reason, detail, seq, verdict, size, sealed, sum)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(row, sqlite.Sum("item", row...))...)
	if err != nil {
		return 0, err
	}
	q.counts.Items++
	q.counts.Bytes += int64(len(sealed))
	q.counts.ByReason[i.Reason]++
	q.counts.Pending[i.Reason]++
	q.devices[i.Device]++
	if q.devices[i.Device] > q.limits.PerDevice {
		if err := q.drop(ctx, tx, q.devices[i.Device]-q.limits.PerDevice, " WHERE device = ? ORDER BY id LIMIT ?", i.Device); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// evict makes room until the whole is within its limits.
func (q *Quarantine) evict(ctx context.Context, tx *sql.Tx) error {
	for q.counts.Items > q.limits.Total || q.counts.Bytes > q.limits.Bytes {
		n := max(q.counts.Items-q.limits.Total, 1)
		if err := q.drop(ctx, tx, n, " ORDER BY id LIMIT ?"); err != nil {
			return err
		}
	}
	return nil
}

// drop removes the n oldest items that the end of a query selects, to make
// room.
func (q *Quarantine) drop(ctx context.Context, tx *sql.Tx, n int, where string, args ...any) error {
	gone, err := q.remove(ctx, tx, n, where, args...)
	if err != nil {
		return err
	}
	if gone == 0 {
		return errors.New("nothing is left to make room: the numbers of the quarantine disagree with its file")
	}
	q.counts.Evicted += uint64(gone)
	row := []any{"evicted", int64(q.counts.Evicted)}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO counter (name, n, sum) VALUES (?, ?, ?)", append(row, sqlite.Sum("counter", row...))...)
	return err
}

// remove removes up to n items that the end of a query selects, and returns
// how many there were.
func (q *Quarantine) remove(ctx context.Context, tx *sql.Tx, n int, where string, args ...any) (int, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, device, reason, verdict IS NULL, size FROM item"+where, append(args, n)...) //nolint:gosec // both ends of the query are constants of this file
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	var ids []int64
	for rows.Next() {
		var id, size int64
		var device string
		var reason city.Reason
		var pending bool
		if err := rows.Scan(&id, &device, &reason, &pending, &size); err != nil {
			return 0, err
		}
		ids = append(ids, id)
		q.forget(device, reason, pending, size)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, "DELETE FROM item WHERE id = ?", id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

func (q *Quarantine) forget(device string, reason city.Reason, pending bool, size int64) {
	q.counts.Items--
	q.counts.Bytes -= size
	if q.counts.ByReason[reason]--; q.counts.ByReason[reason] == 0 {
		delete(q.counts.ByReason, reason)
	}
	if pending {
		q.counts.Pending[reason]--
	}
	if q.devices[device]--; q.devices[device] == 0 {
		delete(q.devices, device)
	}
}

// expireAtOnce is how many items go in one transaction, so that no Put waits
// long for its turn.
const expireAtOnce = 256

// Expire removes what was received before a time (Unix ms) and returns how
// many items went. What has expired does not count as evicted.
func (q *Quarantine) Expire(ctx context.Context, before int64) (n int, err error) {
	for {
		gone, err := q.expireSome(ctx, before)
		n += gone
		if err != nil {
			return n, fmt.Errorf("quarantine: %w", err)
		}
		if gone < expireAtOnce {
			return n, nil
		}
		if err := ctx.Err(); err != nil {
			return n, err
		}
	}
}

func (q *Quarantine) expireSome(ctx context.Context, before int64) (gone int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	err = q.db.Tx(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		gone, err = q.remove(ctx, tx, expireAtOnce, " WHERE recv < ? ORDER BY id LIMIT ?", before)
		return err
	})
	if err != nil {
		return 0, errors.Join(err, q.count(ctx))
	}
	return gone, nil
}

// identOf is what makes two items the same. The key keeps it from being a
// means to guess what was sent.
func (q *Quarantine) identOf(i *Item) []byte {
	mac := hmac.New(sha256.New, q.ident)
	var size [8]byte
	for _, part := range [...][]byte{[]byte(i.Source), []byte(i.Device), []byte(i.Topic), []byte(i.Reason), i.Raw} {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write(part)
	}
	return mac.Sum(nil)[:16]
}

const sealedHead = 8 + sha256.Size

func (q *Quarantine) sealed(i *Item, ident []byte) ([]byte, error) {
	sum := sha256.Sum256(i.Raw)
	plain := binary.BigEndian.AppendUint64(nil, uint64(len(i.Raw)))
	plain = append(append(plain, sum[:]...), i.Raw[:min(len(i.Raw), RawKept)]...)
	nonce := make([]byte, q.seal.NonceSize(), q.seal.NonceSize()+len(plain)+q.seal.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return q.seal.Seal(nonce, nonce, plain, ident), nil
}

func (q *Quarantine) unseal(i *Item, ident, sealed []byte) error {
	if len(sealed) < q.seal.NonceSize() {
		return errors.New("what was kept is damaged")
	}
	plain, err := q.seal.Open(nil, sealed[:q.seal.NonceSize()], sealed[q.seal.NonceSize():], ident)
	if err != nil || len(plain) < sealedHead {
		return errors.New("what was kept cannot be decrypted: the key file is another one than when it was kept, or the file is damaged")
	}
	i.RawSize = int(binary.BigEndian.Uint64(plain))
	i.RawSHA256 = hex.EncodeToString(plain[8:sealedHead])
	i.Raw = plain[sealedHead:]
	return nil
}
