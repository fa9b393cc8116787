package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/proof"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations
var migrations embed.FS

// rulesVersion is the version of the rules that make entries out of readings.
// Rules that would make other entries of the same readings get a new one.
const rulesVersion = 1

// sumsAt is the migration that fills the checksums.
const sumsAt = 3

const (
	// most is how many readings wait for a flush before Apply writes by itself.
	most = 16384
	// tooMany is how many may wait while writing fails.
	tooMany = 8 * most
)

// Options say what the books need to know.
type Options struct {
	Timeline *inventory.Timeline // which inventory holds when
	Zone     *time.Location      // the city's
	Log      *slog.Logger        // nil: no log
	Closed   func()              // told after a commit that closes a period, which is to be signed; nil: nobody
}

// Follower keeps the books. Apply, Flush and Close are called from one
// goroutine, queries from any.
type Follower struct {
	ctx  context.Context // of Open, without its end: what Apply and Flush write under
	db   *sqlite.DB
	o    Options
	days calendar

	since   uint64 // acts after this position count karcis, have blocks, and deposits fit their account; set once
	applied uint64
	pending []journal.Entry
	cursor  atomic.Uint64
	state   *state // nil after a failed flush: loaded anew by the next

	stmts statements
	mem   *shelf // of a recomputation: in place of the tables that grow; nil: none

	mu      sync.RWMutex
	parties []party       // what is committed, by id
	moved   chan struct{} // closed when the cursor moves
}

// state is what the writer knows beside the file: the end of the chain and
// the dictionaries.
type state struct {
	n       uint64
	hash    [32]byte
	cursor  uint64
	tree    *proof.Tree
	parties *parties
	devices map[string]int64
	meters  map[int64]*reached
	closed  map[int32]bool // months
	karcis  map[int32]bool // days for which something was written about karcis
}

// Open opens the books in the file, and makes them where there are none.
func Open(ctx context.Context, path string, o Options) (*Follower, error) {
	return open(ctx, path, o, sqlite.Full)
}

func open(ctx context.Context, path string, o Options, sync sqlite.Sync) (*Follower, error) {
	if o.Timeline == nil || o.Zone == nil {
		return nil, errors.New("ledger: no timeline or no time zone given")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sync, Migrations: files, SumsAt: sumsAt, CacheKiB: 4000})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	f := &Follower{ctx: context.WithoutCancel(ctx), db: db, o: o, days: calendar{zone: o.Zone}, moved: make(chan struct{})}
	if err := errors.Join(f.load(), f.prepare()); err != nil {
		return nil, errors.Join(fmt.Errorf("ledger: %w", err), f.Close())
	}
	if err := db.W.QueryRowContext(ctx, "SELECT since FROM cursor WHERE id = 1").Scan(&f.since); err != nil {
		return nil, errors.Join(fmt.Errorf("ledger: cursor: %w", err), f.Close())
	}
	f.applied = f.state.cursor
	return f, nil
}

// Name is the follower's name in logs and readyz.
func (f *Follower) Name() string { return "ledger" }

// Cursor is the last position whose effect is durable.
func (f *Follower) Cursor() uint64 { return f.cursor.Load() }

// Pending is the number of money readings that wait for a flush; while it is 0
// a flush only moves the cursor. Called from the goroutine of Apply.
func (f *Follower) Pending() int { return len(f.pending) }

// Apply takes the next entries; those at or before what was applied already
// are ignored. What is no receipt costs next to nothing. Queries see a reading
// once it is flushed.
func (f *Follower) Apply(entries []journal.Entry) error {
	for i := range entries {
		e := &entries[i]
		if e.Pos <= f.applied {
			continue
		}
		if isMoney(e) {
			f.pending = append(f.pending, *e)
		}
		f.applied = e.Pos
		if len(f.pending) > 0 && len(f.pending)%most == 0 && isMoney(e) {
			// A disk that is full now may have room at the next flush, which
			// tells of the fault; what waits is bounded.
			if err := f.Flush(); err != nil && len(f.pending) >= tooMany {
				return err
			}
		}
	}
	return nil
}

// isMoney tells whether an entry of the journal belongs in the books.
func isMoney(e *journal.Entry) bool {
	return e.Type == journal.TypeReading && e.Reading.Kind == city.KindReceipt || e.Type.IsAct()
}

// Reached waits until the effect of a position is durable, or ctx ends.
func (f *Follower) Reached(ctx context.Context, pos uint64) error {
	for {
		f.mu.RLock()
		moved := f.moved
		f.mu.RUnlock()
		if f.Cursor() >= pos {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Flush writes everything applied and the cursor in one transaction. After an
// error nothing is written and it may be called again.
func (f *Follower) Flush() error {
	if f.applied == f.Cursor() {
		return nil
	}
	if f.state == nil {
		if err := f.load(); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	s := f.state
	f.state = nil // until the commit what the writer believes is not what the file holds
	closed := false
	err := f.db.Tx(f.ctx, func(tx *sql.Tx) error {
		w := newWriter(f, tx, s)
		defer func() { closed = w.closed }()
		for i := range f.pending {
			if err := w.take(&f.pending[i]); err != nil {
				return fmt.Errorf("position %d: %w", f.pending[i].Pos, err)
			}
		}
		return w.finish(f.applied)
	})
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	s.cursor = f.applied
	f.state = s
	f.publish()
	if closed && f.o.Closed != nil {
		f.o.Closed()
	}
	if cap(f.pending) > most/4 {
		f.pending = nil
	}
	clear(f.pending)
	f.pending = f.pending[:0]
	return nil
}

// publish lets queries see what the commit made.
func (f *Follower) publish() {
	f.mu.Lock()
	f.parties = slices.Clip(f.state.parties.list)
	f.cursor.Store(f.state.cursor)
	close(f.moved)
	f.moved = make(chan struct{})
	f.mu.Unlock()
}

func (f *Follower) partyList() []party {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.parties
}

// Verify is the function Verify on the follower's own file, while it runs.
func (f *Follower) Verify(ctx context.Context, o VerifyOptions) (Verified, error) {
	o.Options = f.o
	return verify(ctx, f.db, o)
}

// Close closes the file; what was not flushed is applied again after the next
// Open.
func (f *Follower) Close() error {
	return errors.Join(f.stmts.close(), f.db.Close())
}

func (f *Follower) load() error {
	s := &state{parties: newParties(&f.o, &f.days), devices: map[string]int64{}, meters: map[int64]*reached{}}
	var rules int
	if err := f.db.W.QueryRowContext(f.ctx, "SELECT pos, rules FROM cursor WHERE id = 1").Scan(&s.cursor, &rules); err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	if rules != rulesVersion {
		return fmt.Errorf("%s was written under rules %d, this program has %d: use the program that wrote it", f.db.Path(), rules, rulesVersion)
	}
	var hash []byte
	err := f.db.W.QueryRowContext(f.ctx, "SELECT n, hash FROM entry ORDER BY n DESC LIMIT 1").Scan(&s.n, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("last entry: %w", err)
	}
	copy(s.hash[:], hash)
	if err := s.loadTree(f); err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	if err := s.loadParties(f); err != nil {
		return fmt.Errorf("parties: %w", err)
	}
	if err := s.loadDevices(f); err != nil {
		return fmt.Errorf("devices: %w", err)
	}
	if s.closed, err = closedMonths(f.ctx, f.db.W); err != nil {
		return fmt.Errorf("closed months: %w", err)
	}
	if err := s.loadKarcis(f); err != nil {
		return fmt.Errorf("days of karcis: %w", err)
	}
	f.state = s
	f.publish()
	return nil
}

func (s *state) loadParties(f *Follower) error {
	rows, err := f.db.W.QueryContext(f.ctx, selectParties+" ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		id, p, err := scanParty(rows)
		if err != nil {
			return err
		}
		if got := s.parties.id(p); got != id {
			return fmt.Errorf("party %d stands where %d should be: the file is damaged, restore the last backup", id, got)
		}
	}
	return rows.Err()
}

func (s *state) loadDevices(f *Follower) error {
	rows, err := f.db.W.QueryContext(f.ctx, "SELECT id, name FROM device ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		s.devices[name] = id
	}
	return rows.Err()
}
