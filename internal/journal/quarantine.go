package journal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// RawKept is how much of what was sent the quarantine keeps, bytes.
const RawKept = 64 << 10

// Item is one message, or one element of a message, that was set aside.
type Item struct {
	ID     int64
	Recv   int64 // Unix ms; a retry keeps it
	Source string
	Device string // "" where it could not be told
	Topic  string
	Index  int // place in the message's array
	Reason city.Reason
	Detail string   // for a person; holds no personal data
	Seq    city.Int // where it could still be read

	Raw       []byte // as sent, cut at RawKept; List leaves it out
	RawSize   int    // bytes as sent; set by Get
	RawSHA256 string // of all that was sent, hex; set by Get

	Retried bool
	Verdict string // what came of the retry
}

// Limits bound a quarantine. Where one is reached, the oldest item goes and is
// counted as evicted.
type Limits struct {
	PerDevice int   // items a device (what names none counts as one device); default 1,000
	Total     int   // items; default 100,000
	Bytes     int64 // of what was sent; default 256 MiB
}

func (l Limits) orDefault() Limits {
	if l.PerDevice <= 0 {
		l.PerDevice = 1000
	}
	if l.Total <= 0 {
		l.Total = 100_000
	}
	if l.Bytes <= 0 {
		l.Bytes = 256 << 20
	}
	return l
}

// Filter selects items; zero values select all.
type Filter struct {
	Device  string
	Reason  city.Reason
	Pending bool // only what was not tried again yet
}

// Counts are the quarantine's numbers now.
type Counts struct {
	Items    int
	Bytes    int64
	ByReason map[city.Reason]int // items kept
	Pending  map[city.Reason]int // of these: not tried again yet
	Evicted  uint64              // since the file was made
}

// Quarantine keeps what was refused, encrypted, in a file of its own. It may
// be used by any number of goroutines.
type Quarantine struct {
	db     *sqlite.DB
	limits Limits
	seal   cipher.AEAD
	ident  []byte // key of the idents

	mu      sync.Mutex // one Put, MarkRetried or Expire at a time; guards what follows
	counts  Counts
	devices map[string]int
}

// OpenQuarantine opens the quarantine at path and makes it where there is
// none. key encrypts what is kept; another key than before makes what is there
// unreadable.
func OpenQuarantine(ctx context.Context, path string, key [32]byte, limits Limits) (*Quarantine, error) {
	seal, err := sealer(key)
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Full, Migrations: migrationsOf("quarantine"), SumsAt: 3})
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("simpang quarantine ident"))
	q := &Quarantine{db: db, limits: limits.orDefault(), seal: seal, ident: mac.Sum(nil)}
	if err := q.count(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("quarantine: %w", err), db.Close())
	}
	return q, nil
}

func sealer(key [32]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return seal, nil
}

// count reads the numbers from the file.
func (q *Quarantine) count(ctx context.Context) error {
	counts := Counts{ByReason: map[city.Reason]int{}, Pending: map[city.Reason]int{}}
	devices := map[string]int{}
	rows, err := q.db.R.QueryContext(ctx, "SELECT device, reason, verdict IS NULL, count(*), sum(size) FROM item GROUP BY 1, 2, 3")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var device string
		var reason city.Reason
		var pending bool
		var n int
		var size int64
		if err := rows.Scan(&device, &reason, &pending, &n, &size); err != nil {
			return err
		}
		devices[device] += n
		counts.Items += n
		counts.Bytes += size
		counts.ByReason[reason] += n
		if pending {
			counts.Pending[reason] += n
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := q.db.R.QueryRowContext(ctx, "SELECT coalesce(sum(n), 0) FROM counter WHERE name = 'evicted'").Scan(&counts.Evicted); err != nil {
		return err
	}
	q.counts, q.devices = counts, devices
	return nil
}

// Capacity returns the most that is kept in all.
func (q *Quarantine) Capacity() (items int, bytes int64) { return q.limits.Total, q.limits.Bytes }

// Counts returns the numbers, from memory.
func (q *Quarantine) Counts() Counts {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.counts
	c.ByReason, c.Pending = maps.Clone(c.ByReason), maps.Clone(c.Pending)
	return c
}

// Close closes the file.
func (q *Quarantine) Close() error { return q.db.Close() }

const itemColumns = "id, recv, source, device, topic, place, reason, detail, seq, verdict"

func scanItem(scan func(...any) error, more ...any) (Item, error) {
	var i Item
	var seq sql.NullInt64
	var verdict sql.NullString
	err := scan(append([]any{&i.ID, &i.Recv, &i.Source, &i.Device, &i.Topic, &i.Index, &i.Reason, &i.Detail, &seq, &verdict}, more...)...)
	i.Seq = city.Int{V: seq.Int64, OK: seq.Valid}
	i.Retried, i.Verdict = verdict.Valid, verdict.String
	return i, err
}

// itemRow is a row of the table without its checksum.
func itemRow(i *Item, ident []byte, size int64, sealed []byte) []any {
	var verdict any
	if i.Retried {
		verdict = i.Verdict
	}
	seq := sql.NullInt64{Int64: i.Seq.V, Valid: i.Seq.OK}
	return []any{i.ID, ident, i.Recv, i.Source, i.Device, i.Topic, int64(i.Index), string(i.Reason), i.Detail, seq, verdict, size, sealed}
}

// List returns items after an id, oldest first, without what was sent.
func (q *Quarantine) List(ctx context.Context, f Filter, afterID int64, limit int) ([]Item, error) {
	rows, err := q.db.R.QueryContext(ctx, "SELECT "+itemColumns+` FROM item
		WHERE id > ?1 AND (?2 = '' OR device = ?2) AND (?3 = '' OR reason = ?3) AND (NOT ?4 OR verdict IS NULL) ORDER BY id LIMIT ?5`,
		afterID, f.Device, string(f.Reason), f.Pending, limit)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var items []Item
	for rows.Next() {
		i, err := scanItem(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("quarantine: %w", err)
		}
		items = append(items, i)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return items, nil
}

// Get returns one item with what was sent. An id that is not there (any more)
// is an error of city.KindNotFound.
func (q *Quarantine) Get(ctx context.Context, id int64) (Item, error) {
	var ident, sealed []byte
	var size, sum int64
	row := q.db.R.QueryRowContext(ctx, "SELECT "+itemColumns+", ident, size, sealed, sum FROM item WHERE id = ?", id)
	i, err := scanItem(row.Scan, &ident, &size, &sealed, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return Item{}, notThere(id)
	}
	if err == nil {
		err = sqlite.CheckSum(sum, "item", itemRow(&i, ident, size, sealed)...)
	}
	if err != nil {
		return Item{}, fmt.Errorf("quarantine: item %d: %w", id, err)
	}
	if err := q.unseal(&i, ident, sealed); err != nil {
		return Item{}, fmt.Errorf("quarantine: item %d: %w", id, err)
	}
	return i, nil
}

func notThere(id int64) error {
	return &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("quarantine has no item %d: it was never there or has been evicted", id)}
}

// MarkRetried notes what came of a retry. The first verdict stays: an item
// that is marked already is left as it is. An id that is not there is an error
// of city.KindNotFound.
func (q *Quarantine) MarkRetried(ctx context.Context, id int64, verdict string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var reason city.Reason
	marked := false
	err := q.db.Tx(ctx, func(tx *sql.Tx) error {
		var ident, sealed []byte
		var size, sum int64
		row := tx.QueryRowContext(ctx, "SELECT "+itemColumns+", ident, size, sealed, sum FROM item WHERE id = ?", id)
		i, err := scanItem(row.Scan, &ident, &size, &sealed, &sum)
		if errors.Is(err, sql.ErrNoRows) {
			return notThere(id)
		}
		if err == nil {
			err = sqlite.CheckSum(sum, "item", itemRow(&i, ident, size, sealed)...)
		}
		if err != nil || i.Retried {
			return err
		}
		reason, marked = i.Reason, true
		i.Retried, i.Verdict = true, verdict
		_, err = tx.ExecContext(ctx, "UPDATE item SET verdict = ?, sum = ? WHERE id = ?", verdict, sqlite.Sum("item", itemRow(&i, ident, size, sealed)...), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	if marked {
		q.counts.Pending[reason]--
	}
	return nil
}
