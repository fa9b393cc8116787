package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/keys"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/proof"
)

// Checkpoints are signed once an hour where entries came, and tried again
// sooner where it failed.
const (
	signEvery = time.Hour
	signAgain = time.Minute
	signLimit = 2 * time.Hour // without a signature before the gateway says that it is not ready
)

// signer signs how far the books have come: at the start (what a crash left
// unsigned), each hour, at each close of a period, where somebody asks for the
// proof of an entry that is not signed yet, and at a clean stop. It is no
// follower: what it signs is committed, and what it concludes no book rests on.
type signer struct {
	books *ledgerSeat
	by    ledger.Signer
	at    func() int64 // Unix ms
	mono  func() int64 // ms, never set back
	log   *slog.Logger

	closed chan struct{} // a period was closed; room for one
	newest atomic.Pointer[ledger.Checkpoint]
	held   atomic.Int64 // mono at which all was last signed, or had been; from the start on
	failed atomic.Int64 // signatures since the start
	fault  atomic.Pointer[error]
	mu     sync.Mutex // one signature at a time
}

func newSigner() *signer { return &signer{closed: make(chan struct{}, 1)} }

// keyPath is where the signing key of the books is.
func keyPath(dataDir string) string { return filepath.Join(dataDir, "keys", "books.key") }

// loadKey reads the signing key of a data_dir.
func loadKey(dataDir string) (*proof.Key, error) {
	path := keyPath(dataDir)
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	key, err := proof.ParseKey(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: put the right file back from the backup", path, err)
	}
	return key, nil
}

// makeKey makes the signing key; one that is there is never replaced.
func makeKey(c *config.Config) (*proof.Key, error) {
	key, err := proof.NewKey(proof.Name(c.City.ID))
	if err != nil {
		return nil, err
	}
	path := keyPath(c.DataDir)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := keys.WriteNew(path, key.File()); err != nil {
		return nil, err
	}
	return key, ownedAs(c.DataDir, filepath.Dir(path))
}

// Keygen makes the signing key of the books and returns its public part. A key
// that is there is not replaced: that is an error.
func Keygen(c *config.Config) (public string, err error) {
	if err := notHalfRestored(c.DataDir); err != nil {
		return "", err
	}
	key, err := makeKey(c)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s is there already and is not replaced: simpang keygen -public prints its public part", keyPath(c.DataDir))
	}
	if err != nil {
		return "", err
	}
	return key.Public().String(), nil
}

// PublicKey returns the public part of the signing key that is there.
func PublicKey(c *config.Config) (string, error) {
	key, err := loadKey(c.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no signing key in %s yet: simpang keygen makes one, and so does the first start: %w", c.DataDir, err)
	}
	if err != nil {
		return "", err
	}
	return key.Public().String(), nil
}

// openSigner reads the signing key, and makes it where nothing was signed yet.
func (g *gateway) openSigner(ctx context.Context, _ *stack) error {
	g.signer.books, g.signer.log, g.signer.at = &g.ledger, g.log, g.signedAt
	g.signer.mono = func() int64 { return g.instant().Mono }
	g.signer.held.Store(g.signer.mono())
	last, err := g.ledger.Checkpoint(ctx)
	if err != nil {
		return err
	}
	key, err := loadKey(g.cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		if last != nil {
			return fmt.Errorf("%s is missing, and the books are signed with it: put it back from a backup; where it is lost for good, simpang keygen makes another one, and the books go on as a new log", keyPath(g.cfg.DataDir))
		}
		key, err = makeKey(g.cfg)
	}
	if err != nil {
		return err
	}
	g.signer.by = ledger.Signer{Key: key, City: g.cfg.City.ID}
	g.signer.newest.Store(last)
	return nil
}

// signedAt is our clock; while it is not to be trusted, the newest commit's.
func (g *gateway) signedAt() int64 {
	now := g.instant()
	if g.clock.Check(now) != nil {
		return g.journal.LastRecv()
	}
	return now.Wall
}

// periodClosed is told by the books of a commit that closes a period.
func (s *signer) periodClosed() {
	select {
	case s.closed <- struct{}{}:
	default:
	}
}

// run signs until ctx ends.
func (s *signer) run(ctx context.Context) {
	for {
		wait := signEvery
		if err := s.sign(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "the books could not be signed; it is tried again in a minute", "error", err)
			wait = signAgain
		}
		next := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.closed:
		case <-next.C:
		}
		next.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// sign signs what is committed.
func (s *signer) sign(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := ask(&s.books.seat, func(f *ledger.Follower) (*ledger.Checkpoint, error) { return f.Sign(ctx, s.by, s.at()) })
	if err != nil {
		if ctx.Err() == nil {
			s.failed.Add(1)
			s.fault.Store(&err)
		}
		return err
	}
	s.held.Store(s.mono())
	s.fault.Store(nil)
	if before := s.newest.Swap(c); before == nil || before.Note != c.Note {
		s.log.InfoContext(ctx, "the books were signed", "entries", c.Size, "root", c.Root.String(), "log", c.Origin)
	}
	return nil
}

// age is how long ago all that was committed was signed, or found to be.
func (s *signer) age() time.Duration {
	return time.Duration(max(s.mono()-s.held.Load(), 0)) * time.Millisecond
}

// status tells why the books are not signed for too long, "" where they are.
func (s *signer) status() string {
	age := s.age()
	if age <= signLimit {
		return ""
	}
	why := "the log has the error"
	if fault := s.fault.Load(); fault != nil {
		why = firstLine((*fault).Error())
	}
	return "the books could not be signed for " + age.Round(time.Minute).String() + ": " + why
}

// Checkpoint returns the newest signed checkpoint, nil before there is one.
func (s *signer) Checkpoint(context.Context) (*ledger.Checkpoint, error) { return s.newest.Load(), nil }

// Prove proves entries; what came after the newest checkpoint is signed first.
func (s *signer) Prove(ctx context.Context, q ledger.Selection) (*ledger.Proof, error) {
	prove := func(f *ledger.Follower) (*ledger.Proof, error) { return f.Prove(ctx, q) }
	found, err := ask(&s.books.seat, prove)
	if errors.Is(err, ledger.ErrUnsigned) {
		if err := s.sign(ctx); err != nil {
			return nil, err
		}
		return ask(&s.books.seat, prove)
	}
	return found, err
}

// Grown proves that the log goes on from what it was.
func (s *signer) Grown(ctx context.Context, from, to uint64) (*ledger.Growth, error) {
	return ask(&s.books.seat, func(f *ledger.Follower) (*ledger.Growth, error) { return f.Grown(ctx, from, to) })
}

// beginLog lets the restored books in a folder go on as a new log, linked to
// the one that the backup knows.
func beginLog(ctx context.Context, dir string, c *config.Config, now time.Time, say func(format string, args ...any)) error {
	books := filepath.Join(dir, "ledger.db")
	if _, err := os.Stat(books); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	key, err := loadKey(dir)
	if errors.Is(err, fs.ErrNotExist) {
		say("the backup has no signing key (keys/books.key): where its books are signed, put the key into data_dir before the start")
		return nil
	}
	if err != nil {
		return err
	}
	next, err := ledger.BeginLog(ctx, books, ledger.Signer{Key: key, City: c.City.ID}, now.UnixMilli())
	if err != nil || next == nil {
		return err
	}
	say("the books go on as the log %s, which follows %s of %d entries", next.Origin, next.Before.Origin, next.Before.Size)
	return nil
}
