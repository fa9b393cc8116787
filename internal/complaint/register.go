package complaint

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Options say what the register stands on. Inventory and Zone are required.
type Options struct {
	Inventory func() *inventory.Version // the newest; never nil
	Zone      *time.Location            // the city's
	Incidents Incidents                 // nil: no anomaly becomes a complaint
	Log       *slog.Logger              // nil: none
	Random    io.Reader                 // of the photos' ids; nil: crypto/rand

	Destination  Destination
	From         string        // the least severity that makes a complaint: low, medium, high; default medium
	Limit        int           // new complaints out of anomalies, an agency and working day; default 10
	Gather       time.Duration // what comes within it may be filed together; default 10 min
	Digest       int           // so many of one rule, agency and kecamatan are filed as one; default 3
	ReopenDays   int           // working days after its end in which what comes again reopens a complaint; default 10
	PersonalDays int           // days after its end after which the reporter's name goes; default 180
	PhotoBytes   int64         // of all photos; default 1 GiB
}

// Destination says where complaints are sent on to.
type Destination struct {
	Set          bool // there is one: the city's system is the register, and ours mirrors it
	Confidential bool // it may get what is about money
}

func (o *Options) setDefaults() error {
	if o.Inventory == nil || o.Zone == nil {
		return errors.New("complaint: inventory and zone are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.From == "" {
		o.From = "medium"
	}
	if rankOf[o.From] == 0 {
		return fmt.Errorf("complaint: %q is no severity: use low, medium or high", o.From)
	}
	const (
		limit, digest, reopen, personal = 10, 3, 10, 180
		gather                          = 10 * time.Minute
		photos                          = 1 << 30
	)
	o.Limit, o.Digest, o.ReopenDays, o.PersonalDays = or(o.Limit, limit), or(o.Digest, digest), or(o.ReopenDays, reopen), or(o.PersonalDays, personal)
	o.Gather, o.PhotoBytes = or(o.Gather, gather), or(o.PhotoBytes, photos)
	return nil
}

func or[T int | int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Register keeps complaints. It may be used by any number of goroutines; each
// call that changes something is one transaction, durable when it returns.
type Register struct {
	o  Options
	db *sqlite.DB

	tried  int64             // Unix ms at which File was called last by Work
	warned map[string]string // by agency: the working day whose limit was told of; only Work's goroutine and those in its place
}

// Open opens the register's file and makes it where it is not.
func Open(ctx context.Context, path string, o Options) (*Register, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Full, Migrations: files, CacheKiB: 1000})
	if err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	return &Register{o: o, db: db, warned: map[string]string{}}, nil
}

// Close closes the file.
func (r *Register) Close() error { return r.db.Close() }

// closeRows ends a reading; what went wrong is in rows.Err.
func closeRows(rows *sql.Rows) { _ = rows.Close() }

// change is one transaction, at one time and by one inventory.
type change struct {
	*Register
	ctx context.Context
	tx  *sql.Tx
	now int64
	v   *inventory.Version
}

// change runs f in one writing transaction. Errors of city's kinds come back as
// they are.
func (r *Register) change(ctx context.Context, now int64, f func(*change) error) error {
	ctx = context.WithoutCancel(ctx) // who asked may go; what began ends
	err := r.db.Tx(ctx, func(tx *sql.Tx) error {
		return f(&change{r, ctx, tx, now, r.o.Inventory()})
	})
	if err != nil {
		return fmt.Errorf("complaints: %w", err)
	}
	return nil
}

func (x *change) meta(name string) (value int64, err error) { return metaOf(x.ctx, x.tx, name) }

func metaOf(ctx context.Context, q sqlite.Queryer, name string) (value int64, err error) {
	value, _, err = sqlite.LoadNumber(ctx, q, name)
	return value, err
}

func (x *change) setMeta(name string, value int64) error {
	return sqlite.SaveNumber(x.ctx, x.tx, name, value)
}

// Mark keeps a number under a name for who works with the register: how far
// their system was pulled, say.
func (r *Register) Mark(ctx context.Context, name string, value int64) error {
	return r.change(ctx, 0, func(x *change) error { return x.setMeta("mark "+name, value) })
}

// Marked returns what Mark kept, 0 where it kept nothing.
func (r *Register) Marked(ctx context.Context, name string) (int64, error) {
	return metaOf(ctx, r.db.R, "mark "+name)
}

// unguessable returns an id that nobody can guess.
func (r *Register) unguessable() (string, error) {
	raw := make([]byte, 20)
	if _, err := io.ReadFull(r.o.Random, raw); err != nil {
		return "", err
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw)), nil
}
