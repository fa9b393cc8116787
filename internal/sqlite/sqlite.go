// Package sqlite opens, migrates, copies and checks the gateway's SQLite
// files, and hides the driver. It knows no table of the domain.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Sync is SQLite's `synchronous` level.
type Sync string

// Full syncs every commit; Normal only at checkpoints: a power cut may then
// take back whole commits, never a part of one.
const (
	Full   Sync = "FULL"
	Normal Sync = "NORMAL"
)

// Options say how a file is opened.
type Options struct {
	Sync       Sync  // default Full
	Migrations fs.FS // goose SQL files at its root; nil: none
	SumsAt     int64 // the migration, none of the files, that fills the checksums of what is there; 0: none
	Readers    int   // size of the reading pool, default 2
	ReadOnly   bool  // no writer, no migration
	Aside      bool  // checkpoints are made beside the writer, which calls Tend
	CacheKiB   int   // page cache of the writer, in KiB, as far as the pages of all files have room for it; default 500
}

// readerCache is the page cache of each reading connection, KiB with a minus.
// There are some twenty of them, and behind them stands the kernel's.
const readerCache = "-128"

// DB is one file with one writing connection and a pool of readers.
type DB struct {
	W *sql.DB // one connection; every transaction takes the write lock at its begin
	R *sql.DB // read only; no query may hold a snapshot over 5 s

	aside *aside // nil: SQLite makes checkpoints itself

	writing *sql.Conn // that of the transaction which Tx runs

	path string
	one  bool // W, where there is one, is R: the file is on another driver
}

// Open opens the file in WAL mode, makes it where it is not (mode 0600, which
// SQLite gives to the files beside it too), and migrates it.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if o.Sync == "" {
		o.Sync = Full
	}
	if o.Readers == 0 {
		o.Readers = 2
	}
	if o.CacheKiB == 0 {
		o.CacheKiB = 500
	}
	d := &DB{path: path}
	if !o.ReadOnly {
		if err := reserve(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if other := otherDriver(path); other != nil {
		if err := d.openOther(ctx, other, o); err != nil {
			return nil, err
		}
		return d, nil
	}
	if !o.ReadOnly {
		w, err := connect(path, 1, "_txlock=immediate", writerPragmas(o)...)
		if err != nil {
			return nil, err
		}
		d.W = w
		if err := migrate(ctx, w, o); err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), w.Close())
		}
		if o.Aside {
			if d.aside, err = openAside(path, o); err != nil {
				return nil, errors.Join(err, w.Close())
			}
		}
	}
	r, err := connect(path, o.Readers, "", readerPragmas()...)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.R = r
	if err := r.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), d.Close())
	}
	return d, nil
}

// reserve makes an empty file that nobody but its owner reads. SQLite itself
// would make one that the umask decides on.
func reserve(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func writerPragmas(o Options) []Pragma {
	pragmas := []Pragma{
		{"journal_mode", "WAL"},
		{"synchronous", string(o.Sync)},
		{"busy_timeout", busyMs},
		{"foreign_keys", "1"},
		{"cache_size", strconv.Itoa(-o.CacheKiB)},
	}
	if o.Aside {
		pragmas = append(pragmas, Pragma{"wal_autocheckpoint", "0"})
	}
	return pragmas
}

func readerPragmas() []Pragma {
	return []Pragma{{"busy_timeout", busyMs}, {"query_only", "1"}, {"cache_size", readerCache}}
}

// busyMs is how long a lock is waited for.
const busyMs = "5000"

func connect(path string, conns int, param string, pragmas ...Pragma) (*sql.DB, error) {
	if err := setPages(); err != nil {
		return nil, err
	}
	var dsn strings.Builder
	dsn.WriteString("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + param)
	for _, p := range pragmas {
		dsn.WriteString("&_pragma=" + p.Name + "(" + p.Value + ")")
	}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// Path returns the file's path.
func (d *DB) Path() string { return d.path }

// Close closes every connection; the last one folds the WAL into the file.
func (d *DB) Close() error {
	var errs []error
	if d.aside != nil {
		errs = append(errs, d.aside.close())
	}
	if d.R != nil {
		errs = append(errs, d.R.Close())
	}
	if d.W != nil && d.W != d.R {
		errs = append(errs, d.W.Close())
	}
	return errors.Join(errs...)
}

// Tx runs f in one writing transaction and commits it, or rolls back where f
// fails or panics.
func (d *DB) Tx(ctx context.Context, f func(*sql.Tx) error) error {
	c, err := d.W.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = c.Close() }() // it goes back to the pool
	// Were it rolled back by the end of ctx, what Rows writes would be committed.
	tx, err := c.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	d.writing = c
	returned := false
	defer func() {
		if !returned { // else the one connection, and the file's lock, would be held for good
			_ = tx.Rollback()
		}
	}()
	err = f(tx)
	returned = true
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Check lets SQLite check the file's structure: quickly, or deep with every
// index. It does not see a flipped bit inside a value.
func (d *DB) Check(ctx context.Context, deep bool) error {
	query := "PRAGMA quick_check(1)"
	if deep {
		query = "PRAGMA integrity_check(1)"
	}
	var verdict string
	if err := d.R.QueryRowContext(ctx, query).Scan(&verdict); err != nil {
		return fmt.Errorf("check %s: %w", d.path, err)
	}
	if verdict != "ok" {
		return fmt.Errorf("check %s: %s", d.path, verdict)
	}
	return nil
}

// CopyTo writes a consistent copy of the running file, as Copy does.
func (d *DB) CopyTo(ctx context.Context, path string) error {
	if d.one {
		return copyBy(ctx, d.R, d.path, path)
	}
	return Copy(ctx, d.path, path)
}

// Copy writes a consistent copy of a file that others may be writing, this
// process or another, to a path that must not exist (mode 0600), and syncs it.
// What a copy that failed leaves is no copy.
func Copy(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil { // SQLite would make it
		return fmt.Errorf("copy %s: %w", from, err)
	}
	c, err := connect(from, 1, "", Pragma{"busy_timeout", busyMs})
	if err != nil {
		return err
	}
	return errors.Join(copyBy(ctx, c, from, to), c.Close())
}

func copyBy(ctx context.Context, c *sql.DB, from, to string) error {
	if err := reserve(to); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	if _, err := c.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	f, err := os.Open(to)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// IsFull tells whether err says that the disk has no room.
func IsFull(err error) bool { return hasCode(err, sqlite3.SQLITE_FULL) }

// IsIO tells whether err says that the system did not let a file be read,
// written or made.
func IsIO(err error) bool {
	return hasCode(err, sqlite3.SQLITE_IOERR) || hasCode(err, sqlite3.SQLITE_CANTOPEN)
}

// IsDamaged tells whether err says that the file is not whole.
func IsDamaged(err error) bool {
	return hasCode(err, sqlite3.SQLITE_CORRUPT) || hasCode(err, sqlite3.SQLITE_NOTADB)
}

func hasCode(err error, code int) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()&0xff == code
	}
	return otherCode(err) == code
}
