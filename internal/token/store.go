package token

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// freshFor is how long the copy in memory is believed. What another
	// process changed is in effect after it, well inside the promised 5 s.
	freshFor = 2 * time.Second
	// staleAfter is when an unreadable file makes Lookup refuse: a revoked
	// token must not live on because the disk fails.
	staleAfter = 5 * time.Second
	// missEvery bounds how often an unknown secret may cause a reading.
	missEvery = 200 * time.Millisecond
	// usedEvery is how coarse last_used is.
	usedEvery = time.Minute
)

// Errors of Lookup.
var (
	ErrUnknown = errors.New("no such token")
	ErrExpired = errors.New("the token has expired")
	ErrRevoked = errors.New("the token was revoked")
)

// Store is the tokens' file. It may be used by any number of goroutines, and
// the file by several processes at once.
type Store struct {
	db  *sqlite.DB
	log *slog.Logger

	mu      sync.RWMutex
	byHash  map[[8]byte][]hashed // by the first bytes of the hash
	read    time.Time            // when byHash was read; zero: not yet
	missed  time.Time            // when an unknown secret last caused a reading
	used    map[string]int64
	written time.Time // when last_used was last written
}

// Open opens the file and makes it where it is not.
func Open(ctx context.Context, path string, log *slog.Logger) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Full, Migrations: sub, SumsAt: 3, CacheKiB: 200})
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return &Store{db: db, log: log, used: map[string]int64{}}, nil
}

// DB returns the file, for the backup.
func (s *Store) DB() *sqlite.DB { return s.db }

// Close writes what is known of last uses and closes the file.
func (s *Store) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.writeUsed(context.WithoutCancel(ctx)), s.db.Close())
}

// Create makes a token and returns its secret, which is nowhere kept.
func (s *Store) Create(ctx context.Context, q Request, now time.Time) (Token, string, error) {
	if err := q.check(now.UnixMilli()); err != nil {
		return Token{}, "", err
	}
	secret, id := newSecret()
	hash := hashOf(secret)
	t := Token{
		ID: id, Role: q.Role, Name: q.Name, Operator: q.Operator, Agency: q.Agency,
		Created: now.UnixMilli(), Expires: q.Expires,
	}
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		return put(ctx, tx, &hashed{hash: hash, token: t})
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("store the token: %w", err)
	}
	s.forget()
	return t, secret, nil
}

// List returns every token, the oldest first, the revoked and expired too.
func (s *Store) List(ctx context.Context) ([]Token, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	tokens := make([]Token, len(all))
	for i, h := range all {
		tokens[i] = h.token
	}
	return tokens, nil
}

// Revoke ends a token for good. To revoke one again changes nothing. An
// unknown id is an error of KindNotFound.
func (s *Store) Revoke(ctx context.Context, id string, now time.Time) error {
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		h, err := get(ctx, tx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return &city.Error{Kind: city.KindNotFound, Message: "no token has the id " + id + ": `simpang token -list` shows them"}
		}
		if err == nil && h.token.Revoked == 0 {
			h.token.Revoked = now.UnixMilli()
			err = put(ctx, tx, &h)
		}
		if err != nil {
			return fmt.Errorf("revoke %s: %w", id, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.forget()
	return nil
}

// Lookup returns the token of a secret that is valid at now. The error is one
// of ErrUnknown, ErrExpired and ErrRevoked, or an error of KindUnavailable
// where the file could not be read for over 5 s.
func (s *Store) Lookup(ctx context.Context, secret string, now time.Time) (Token, error) {
	if len(secret) == 0 || len(secret) > maxSecret {
		return Token{}, ErrUnknown
	}
	hash := hashOf(secret)
	s.mu.RLock()
	t, ok := s.find(hash)
	due := s.due(ok, now)
	s.mu.RUnlock()
	if due {
		var err error
		if t, ok, err = s.refresh(context.WithoutCancel(ctx), hash, now); err != nil {
			return Token{}, err
		}
	}
	switch {
	case !ok:
		return Token{}, ErrUnknown
	case t.Revoked != 0:
		return Token{}, ErrRevoked
	case !t.Valid(now.UnixMilli()):
		return Token{}, ErrExpired
	}
	s.use(t, now)
	return t, nil
}

// find looks a hash up: by its first bytes, and then whole in constant time.
// The caller holds the lock.
func (s *Store) find(hash [32]byte) (Token, bool) {
	for _, h := range s.byHash[[8]byte(hash[:8])] {
		if subtle.ConstantTimeCompare(h.hash[:], hash[:]) == 1 {
			return h.token, true
		}
	}
	return Token{}, false
}

// due tells whether the file has to be read: the copy is old, or an unknown
// secret may be one that was just made. The caller holds the lock.
func (s *Store) due(found bool, now time.Time) bool {
	if s.read.IsZero() || outside(s.read, now, freshFor) {
		return true
	}
	return !found && outside(s.missed, now, missEvery)
}

// outside tells whether now is not within d after since. A clock that was put
// back counts as outside.
func outside(since, now time.Time, d time.Duration) bool {
	age := now.Sub(since)
	return age < 0 || age >= d
}

// refresh reads the file anew, unless somebody else just did.
func (s *Store) refresh(ctx context.Context, hash [32]byte, now time.Time) (Token, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.find(hash); !s.due(ok, now) {
		return t, ok, nil
	}
	s.missed = now
	all, err := s.all(ctx)
	if err != nil {
		if s.read.IsZero() || outside(s.read, now, staleAfter) {
			return Token{}, false, &city.Error{Kind: city.KindUnavailable, Message: "tokens cannot be checked at present", Err: err}
		}
		s.log.Warn("tokens could not be read; the copy in memory holds for a moment", "error", err)
		t, ok := s.find(hash)
		return t, ok, nil
	}
	s.byHash = make(map[[8]byte][]hashed, len(all))
	for _, h := range all {
		key := [8]byte(h.hash[:8])
		s.byHash[key] = append(s.byHash[key], h)
	}
	s.read = now
	if outside(s.written, now, usedEvery) {
		s.written = now
		if err := s.writeUsed(ctx); err != nil {
			s.log.Warn("the last use of tokens could not be written", "error", err)
		}
	}
	t, ok := s.find(hash)
	return t, ok, nil
}

// forget makes the next Lookup read the file.
func (s *Store) forget() {
	s.mu.Lock()
	s.read = time.Time{}
	s.mu.Unlock()
}
