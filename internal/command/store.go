package command

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sync"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Limits bound a store; zero values stand for the defaults.
type Limits struct {
	PerDevice int // open commands of a device; default 8
	Open      int // open commands in all; default 10,000
	Kept      int // commands of a device that are over and still told; default 100
}

func (l *Limits) fill() {
	for p, v := range map[*int]int{&l.PerDevice: 8, &l.Open: 10_000, &l.Kept: 100} {
		if *p == 0 {
			*p = v
		}
	}
}

// MaxArgs is how long the arguments of a command may be, bytes.
const MaxArgs = 48 << 10

// Store is the commands' file. It may be used by any number of goroutines.
type Store struct {
	db     *sqlite.DB
	limits Limits
	wake   chan struct{}
	inbox  *inbox

	mu      sync.Mutex // one change at a time; guards what follows
	open    map[string]*pending
	devices map[string][]*pending // the same, by device
	counts  Counts
}

// pending is an open command and what need not survive a restart.
type pending struct {
	Command
	tried   int64  // last attempt
	heard   bool   // the device spoke: it may be there now
	hurried int    // sendings that were earlier since it spoke
	why     string // it cannot be reached, by the last attempt
}

// Counts are since the start, but for Queued and Sent.
type Counts struct {
	Queued, Sent                  int
	Acknowledged, Failed, Expired uint64
	Unknown                       uint64 // answers to what nobody ordered
	Dropped                       uint64 // answers for which there was no room
}

// Open opens the file and makes it where it is not.
func Open(ctx context.Context, path string, limits Limits) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Full, Migrations: sub, CacheKiB: 200})
	if err != nil {
		return nil, fmt.Errorf("commands: %w", err)
	}
	limits.fill()
	s := &Store{db: db, limits: limits, wake: make(chan struct{}, 1), inbox: newInbox(), open: map[string]*pending{}, devices: map[string][]*pending{}}
	list, err := s.query(ctx, "WHERE state IN ('queued', 'sent') ORDER BY no")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("commands: %w", err), db.Close())
	}
	for i := range list {
		s.hold(&list[i])
	}
	return s, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Wake is signalled when something may be due earlier than was known.
func (s *Store) Wake() <-chan struct{} { return s.wake }

func (s *Store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Store) hold(c *Command) {
	p := &pending{Command: *c}
	s.open[c.ID] = p
	s.devices[c.Device] = append(s.devices[c.Device], p)
	s.inbox.await(c.Device, true)
}

func (s *Store) letGo(c *Command) {
	delete(s.open, c.ID)
	left := slices.DeleteFunc(s.devices[c.Device], func(p *pending) bool { return p.ID == c.ID })
	if s.devices[c.Device] = left; len(left) == 0 {
		delete(s.devices, c.Device)
		s.inbox.await(c.Device, false)
	}
}

// Counts returns the numbers.
func (s *Store) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Dropped = s.inbox.lost()
	for _, p := range s.open {
		if p.State == Sent {
			c.Sent++
		} else {
			c.Queued++
		}
	}
	return c
}

// Order keeps a command for a device, durably, and returns it with its id. The
// same kind and arguments as the newest open one of that kind is that one:
// created is false. Open ones of the kind with other arguments are replaced: they
// fail, so that none of them reaches the device after this one. Of c count
// Device, Kind, Args, By, At and Expires. KindConflict: too many are open.
func (s *Store) Order(ctx context.Context, c Command) (_ Command, created bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest, others := s.rivals(&c)
	if newest != nil && bytes.Equal(newest.Args, c.Args) && newest.Expires > c.At {
		return newest.Command, false, s.change(ctx, replace(others, newest.ID))
	}
	switch {
	case len(c.Args) > MaxArgs:
		return c, false, &city.Error{Kind: city.KindUnprocessed, Message: fmt.Sprintf("the arguments have %d bytes, %d at most", len(c.Args), MaxArgs)}
	case len(s.devices[c.Device])-len(others) >= s.limits.PerDevice:
		return c, false, &city.Error{Kind: city.KindConflict, Message: fmt.Sprintf("%d commands for this device are open: wait until it answers or they expire", s.limits.PerDevice)}
	case len(s.open)-len(others) >= s.limits.Open:
		return c, false, &city.Error{Kind: city.KindConflict, Message: fmt.Sprintf("%d commands are open in all: wait until devices answer or they expire", s.limits.Open)}
	}
	c.ID, c.State, c.Sends, c.Sent, c.Answered, c.Detail = newID(), Queued, 0, 0, 0, ""
	replaced := replace(others, c.ID)
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(no), 0) + 1 FROM command").Scan(&c.No); err != nil {
			return err
		}
		for _, o := range append(replaced, &c) {
			if err := put(ctx, tx, o); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM command WHERE device = ?1 AND state NOT IN ('queued', 'sent') AND no <=
			(SELECT no FROM command WHERE device = ?1 AND state NOT IN ('queued', 'sent') ORDER BY no DESC LIMIT 1 OFFSET ?2)`, c.Device, s.limits.Kept)
		return err
	})
	if err != nil {
		return c, false, fmt.Errorf("commands: %w", err)
	}
	s.know(replaced)
	s.hold(&c)
	s.poke()
	return c, true, nil
}

// rivals returns the newest open command of c's device and kind, and those of
// them that ask for something else than c.
func (s *Store) rivals(c *Command) (newest *pending, others []*pending) {
	for _, p := range s.devices[c.Device] {
		if p.Kind != c.Kind {
			continue
		}
		if newest == nil || p.No > newest.No {
			newest = p
		}
		if !bytes.Equal(p.Args, c.Args) {
			others = append(others, p)
		}
	}
	return newest, others
}

// replace returns commands as they are once a newer one is in their place.
func replace(list []*pending, by string) (replaced []*Command) {
	for _, p := range list {
		c := p.Command
		c.State, c.Detail = Failed, "replaced by "+by
		replaced = append(replaced, &c)
	}
	return replaced
}

// List returns a device's commands before a number (0: all), the newest first.
func (s *Store) List(ctx context.Context, device string, before int64, limit int) ([]Command, error) {
	if before <= 0 {
		before = 1 << 62
	}
	list, err := s.query(ctx, "WHERE device = ? AND no < ? ORDER BY no DESC LIMIT ?", device, before, limit)
	if err != nil {
		return nil, fmt.Errorf("commands: %w", err)
	}
	return list, nil
}

// Heard notes which devices spoke over which source: what is open for them may be
// sent soon after the next TakeIn. It waits for no disk.
func (s *Store) Heard(spoke iter.Seq2[string, string]) {
	if s.inbox.hear(spoke) {
		s.poke()
	}
}

// Answered keeps what devices say until the next TakeIn, as far as there is room:
// what is dropped is said again, since its command is sent again. It waits for no
// disk.
func (s *Store) Answered(answers []Answer) {
	s.inbox.put(answers)
	s.poke()
}
