package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations
var migrations embed.FS

func migrationsOf(name string) fs.FS {
	sub, err := fs.Sub(migrations, "migrations/"+name)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}

// day is one day's file. Its connections are opened when they are needed.
type day struct {
	date  string
	path  string
	first uint64

	last     atomic.Uint64 // last committed position
	readings atomic.Int64
	hash     Hash // of the last batch; the writer's
	recv     int64
	written  int // pages, about, since the WAL was tended; the writer's

	mu      sync.RWMutex // held for reading while db is used
	db      *sqlite.DB
	insert  *sql.Stmt // of one batch; nil: db has no writer
	retired bool
}

var errRetired = errors.New("the day was retired")

// acquire returns the open file; release must be called after use.
func (d *day) acquire(ctx context.Context) (db *sqlite.DB, release func(), err error) {
	for {
		d.mu.RLock()
		if d.retired {
			d.mu.RUnlock()
			return nil, nil, errRetired
		}
		if d.db != nil {
			return d.db, d.mu.RUnlock, nil
		}
		d.mu.RUnlock()
		if err := d.open(ctx, false); err != nil {
			return nil, nil, err
		}
	}
}

// open opens the file where it is not open yet; a writer is made only for the
// newest day.
func (d *day) open(ctx context.Context, writes bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.retired {
		return errRetired
	}
	if d.db != nil && (d.insert != nil || !writes) {
		return nil
	}
	if d.db != nil {
		if err := d.shut(); err != nil {
			return err
		}
	}
	o := sqlite.Options{Sync: sqlite.Full, Readers: 4, ReadOnly: !writes, Aside: writes}
	if writes {
		o.Migrations = migrationsOf("day")
	}
	db, err := sqlite.Open(ctx, d.path, o)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	var insert *sql.Stmt
	if writes {
		if insert, err = db.W.PrepareContext(ctx, insertBatch); err != nil {
			return errors.Join(fmt.Errorf("journal: %w", err), db.Close())
		}
	}
	d.db, d.insert = db, insert
	return nil
}

func (d *day) writable() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.insert != nil
}

// close closes the connections; the day can be opened again.
func (d *day) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut()
}

func (d *day) shut() error {
	if d.db == nil {
		return nil
	}
	var err error
	if d.insert != nil {
		err = d.insert.Close()
	}
	err = errors.Join(err, d.db.Close())
	d.db, d.insert = nil, nil
	return err
}

// idle closes the connections unless somebody uses them just now.
func (d *day) idle() error {
	if !d.mu.TryLock() {
		return nil
	}
	defer d.mu.Unlock()
	return d.shut()
}

// row is one batch as stored.
type row struct {
	first    uint64
	n        int
	readings int64
	types    uint64
	crc      uint32
	prev     []byte
	hash     []byte
	data     []byte
}

const rowColumns = "first, n, readings, types, crc32c, prev_hash, hash, data"

func (w *row) scan(rows *sql.Rows) error {
	var data sql.RawBytes
	if err := rows.Scan(&w.first, &w.n, &w.readings, &w.types, &w.crc, &w.prev, &w.hash, &data); err != nil {
		return err
	}
	w.data = data
	return nil
}

// check compares the row with its checksum, its hash and the hash before it.
func (w *row) check(prev Hash) error {
	if crc := crc32.Checksum(w.data, castagnoli); crc != w.crc {
		return fmt.Errorf("its CRC32C is %08x, stored is %08x", crc, w.crc)
	}
	if Hash(padded(w.prev)) != prev {
		return fmt.Errorf("it says that the hash before it is %x, which is %x", w.prev, prev[:])
	}
	if sum := hashBatch(prev, w.first, w.n, w.data); sum != Hash(padded(w.hash)) {
		return fmt.Errorf("its hash is %x, stored is %x", sum[:], w.hash)
	}
	return nil
}

func padded(b []byte) []byte {
	if len(b) == len(Hash{}) {
		return b
	}
	return make([]byte, len(Hash{}))
}

// tailCheck is how many of the newest batches are checked when a journal is
// opened; verify checks them all.
const tailCheck = 16

// load reads where the day begins and ends. An empty file (the program died
// while it was made) is reported by ok false. The newest day's tail is checked.
func (d *day) load(ctx context.Context, newest bool) (ok bool, err error) {
	db, release, err := d.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	var tables int
	if err := db.R.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'batch'").Scan(&tables); err != nil {
		return false, d.damagedUnless(ctx, err)
	}
	if tables == 0 {
		return false, nil
	}
	err = db.R.QueryRowContext(ctx, "SELECT first FROM batch ORDER BY first LIMIT 1").Scan(&d.first)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	} else if err != nil {
		return false, d.damagedUnless(ctx, err)
	}
	limit := 1
	if newest {
		limit = tailCheck
	}
	rows, err := db.R.QueryContext(ctx, "SELECT "+rowColumns+" FROM batch ORDER BY first DESC LIMIT ?", limit)
	if err != nil {
		return false, d.damagedUnless(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	if err := d.tail(ctx, rows, newest); err != nil || !newest {
		return err == nil, err
	}
	if err := rows.Close(); err != nil {
		return false, d.damagedUnless(ctx, err)
	}
	return true, d.loadRecv(ctx, db)
}

// tail goes through the newest batches, newest first.
func (d *day) tail(ctx context.Context, rows *sql.Rows, check bool) error {
	var after *row
	for rows.Next() {
		w := &row{}
		if err := w.scan(rows); err != nil {
			return d.damagedUnless(ctx, err)
		}
		if check {
			if err := w.check(Hash(padded(w.prev))); err != nil {
				return d.damaged(w.first, "it is not as it was written", err)
			}
		}
		if after == nil {
			d.last.Store(w.first + uint64(w.n) - 1)
			d.readings.Store(w.readings)
			d.hash = Hash(padded(w.hash))
		} else if w.first+uint64(w.n) != after.first || string(w.hash) != string(after.prev) {
			return d.damaged(after.first, fmt.Sprintf("it does not follow the batch before it (at position %d)", w.first), nil)
		}
		w.data = nil
		after = w
	}
	if err := rows.Err(); err != nil {
		return d.damagedUnless(ctx, err)
	}
	return nil
}

// loadRecv finds the day's newest receive time. Entries that were taken up from
// quarantine do not tell it: they keep their first one.
func (d *day) loadRecv(ctx context.Context, db *sqlite.DB) error {
	rows, err := db.R.QueryContext(ctx, "SELECT "+rowColumns+" FROM batch ORDER BY first DESC")
	if err != nil {
		return d.damagedUnless(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	var dec decoder
	for told := false; !told && rows.Next(); {
		var w row
		if err := w.scan(rows); err != nil {
			return d.damagedUnless(ctx, err)
		}
		entries, n, err := dec.entries(nil, w.first, w.data, nil)
		if err != nil || n != w.n {
			return d.damaged(w.first, fmt.Sprintf("it cannot be decoded (%d of %d entries)", n, w.n), err)
		}
		for i := range entries {
			d.recv = max(d.recv, entries[i].Recv)
			told = told || entries[i].Flags&FlagRetried == 0
		}
	}
	if err := rows.Err(); err != nil {
		return d.damagedUnless(ctx, err)
	}
	return nil
}

func (d *day) damaged(first uint64, detail string, err error) error {
	return &DamageError{File: d.path, First: first, Detail: detail, Err: err}
}

// fsyncDir makes the folder's list of files durable.
func fsyncDir(dir string) error {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
