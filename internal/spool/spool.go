// Package spool keeps the copied print streams of tills as they came, encrypted
// (AES-256-GCM) and with their SHA-256, cut into jobs at the ends of receipts.
// A job is durable before anything is made of it, so that a crash neither loses
// a receipt that was printed to its end nor hands it on as a new one.
package spool

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// KeySize is the length of the key, bytes.
const KeySize = 32

// DefaultBytes is how much is kept at most, bytes of the streams.
const DefaultBytes = 512 << 20

// ErrFull says that all room is taken by jobs that wait to be handed on.
var ErrFull = errors.New("the spool is full of prints that wait for their commit")

// The states of a job. Their numbers are written in the file.
const (
	stateOpen    = 0
	stateWaiting = 1
	stateTaken   = 2
)

// Job is what was printed between two ends.
type Job struct {
	ID     int64
	Source string
	Began  int64 // our clock, Unix ms
	Ended  int64 // likewise
	Whole  bool  // it was seen from its beginning on
	Ending string
	Boot   uint64 // its identity once it was handed on, 0: not yet
	Seq    uint64
	Size   int // bytes

	Data   []byte // set by Next and Get
	SHA256 string // of Data, hex; set by Next and Get

	state  int64
	pieces int64
	digest []byte
}

// Counts are the numbers now.
type Counts struct {
	Jobs    int
	Waiting int   // to be handed on, or going on
	Bytes   int64 // of the streams
	Evicted uint64
}

// Spool is the file. It may be used by any number of goroutines.
type Spool struct {
	db   *sqlite.DB
	seal cipher.AEAD
	most int64

	mu     sync.Mutex // one writer at a time; guards what follows
	counts Counts
}

// Open opens the file and makes it where it is not. most bounds what is kept,
// bytes of the streams; 0 is DefaultBytes. Another key than before makes what
// is there unreadable.
func Open(ctx context.Context, path string, key [KeySize]byte, most int64) (*Spool, error) {
	seal, err := sealer(key)
	if err != nil {
		return nil, err
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Full, Migrations: sub, Readers: 1, CacheKiB: 200})
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if most <= 0 {
		most = DefaultBytes
	}
	s := &Spool{db: db, seal: seal, most: most}
	if err := s.count(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("spool: %w", err), db.Close())
	}
	return s, nil
}

func sealer(key [KeySize]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return seal, nil
}

func (s *Spool) count(ctx context.Context) error {
	var c Counts
	err := s.db.R.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(state < 2), 0), coalesce(sum(size), 0) FROM job").Scan(&c.Jobs, &c.Waiting, &c.Bytes)
	if err != nil {
		return err
	}
	if c.Evicted, err = readCounter(ctx, s.db.R, "evicted"); err != nil {
		return err
	}
	s.counts = c
	return nil
}

// Counts returns the numbers, from memory.
func (s *Spool) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Capacity returns the most that is kept, bytes of the streams.
func (s *Spool) Capacity() int64 { return s.most }

// DB returns the file, for the backup.
func (s *Spool) DB() *sqlite.DB { return s.db }

// Close closes the file.
func (s *Spool) Close() error { return s.db.Close() }

// tx runs f as the one writer. Where it fails the numbers are read anew.
func (s *Spool) tx(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	if err := s.db.Tx(ctx, func(tx *sql.Tx) error { return f(ctx, tx) }); err != nil {
		return errors.Join(fmt.Errorf("spool: %w", err), s.count(ctx))
	}
	return nil
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readCounter(ctx context.Context, q querier, name string) (n uint64, err error) {
	var value, sum int64
	err = q.QueryRowContext(ctx, "SELECT n, sum FROM counter WHERE name = ?", name).Scan(&value, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err == nil {
		err = sqlite.CheckSum(sum, "counter", name, value)
	}
	return uint64(value), err
}

func writeCounter(ctx context.Context, tx *sql.Tx, name string, n uint64) error {
	row := []any{name, int64(n)}
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO counter (name, n, sum) VALUES (?, ?, ?)", append(row, sqlite.Sum("counter", row...))...)
	return err
}

// Boot begins a new boot of a source and returns its number: the clock's
// seconds, and more than any before.
func (s *Spool) Boot(ctx context.Context, source string, now int64) (boot uint64, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		last, err := readCounter(ctx, tx, "boot "+source)
		if err != nil {
			return err
		}
		boot = max(last+1, uint64(max(now, 0)/1000))
		return writeCounter(ctx, tx, "boot "+source, boot)
	})
	return boot, err
}

func notThere(id int64) error {
	return &city.Error{Kind: city.KindNotFound, Message: fmt.Sprintf("there is no print %d: it was never there, or is past its retention", id)}
}
