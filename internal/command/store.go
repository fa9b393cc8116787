package command

import (
	"bytes"
	"cmp"
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

	mu      sync.Mutex // one change at a time; guards what follows
	open    map[string]*pending
	devices map[string][]*pending // the same, by device
	counts  Counts
}

// pending is an open command and what need not survive a restart.
type pending struct {
	Command
	tried int64 // last attempt
	heard bool  // the device spoke: it may be there now
}

// Counts are since the start, but for Queued and Sent.
type Counts struct {
	Queued, Sent                  int
	Acknowledged, Failed, Expired uint64
	Unknown                       uint64 // answers to what nobody ordered
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
	s := &Store{db: db, limits: limits, wake: make(chan struct{}, 1), open: map[string]*pending{}, devices: map[string][]*pending{}}
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
}

func (s *Store) letGo(c *Command) {
	delete(s.open, c.ID)
	left := slices.DeleteFunc(s.devices[c.Device], func(p *pending) bool { return p.ID == c.ID })
	if s.devices[c.Device] = left; len(left) == 0 {
		delete(s.devices, c.Device)
	}
}

// Counts returns the numbers.
func (s *Store) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
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
// same kind and arguments while one is open is that one: created is false. Of
// c count Device, Kind, Args, By, At and Expires. KindConflict: too many are
// open.
func (s *Store) Order(ctx context.Context, c Command) (_ Command, created bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.devices[c.Device] {
		if p.Kind == c.Kind && bytes.Equal(p.Args, c.Args) && p.Expires > c.At {
			return p.Command, false, nil
		}
	}
	switch {
	case len(c.Args) > MaxArgs:
		return c, false, &city.Error{Kind: city.KindUnprocessed, Message: fmt.Sprintf("the arguments have %d bytes, %d at most", len(c.Args), MaxArgs)}
	case len(s.devices[c.Device]) >= s.limits.PerDevice:
		return c, false, &city.Error{Kind: city.KindConflict, Message: fmt.Sprintf("%d commands for this device are open: wait until it answers or they expire", s.limits.PerDevice)}
	case len(s.open) >= s.limits.Open:
		return c, false, &city.Error{Kind: city.KindConflict, Message: fmt.Sprintf("%d commands are open in all: wait until devices answer or they expire", s.limits.Open)}
	}
	c.ID, c.State, c.Sends, c.Sent, c.Answered, c.Detail = newID(), Queued, 0, 0, 0, ""
	err = s.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(no), 0) + 1 FROM command").Scan(&c.No); err != nil {
			return err
		}
		if err := put(ctx, tx, &c); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM command WHERE device = ?1 AND state NOT IN ('queued', 'sent') AND no <=
			(SELECT no FROM command WHERE device = ?1 AND state NOT IN ('queued', 'sent') ORDER BY no DESC LIMIT 1 OFFSET ?2)`, c.Device, s.limits.Kept)
		return err
	})
	if err != nil {
		return c, false, fmt.Errorf("commands: %w", err)
	}
	s.hold(&c)
	s.poke()
	return c, true, nil
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
// sent soon.
func (s *Store) Heard(spoke iter.Seq2[string, string]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return
	}
	poke := false
	for device, source := range spoke {
		for _, p := range s.devices[device] {
			p.Source = source
			if !p.heard {
				p.heard, poke = true, true
			}
		}
	}
	if poke {
		s.poke()
	}
}

// Due returns what is to be sent now, in the order in which it was ordered, and
// when the next is; next is 0 where nothing is open. What has expired is over.
func (s *Store) Due(ctx context.Context, now int64) (due []Command, next int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var late []*Command
	for _, p := range s.open {
		at := p.due(p.tried)
		if p.heard {
			at = min(at, max(p.Sent+heardMs, p.tried+heardMs, p.At))
		}
		switch {
		case now >= p.Expires:
			c := p.Command
			c.State, c.Detail = Expired, cmp.Or(c.Detail, notAnswered(&c))
			late = append(late, &c)
			continue
		case at <= now:
			due = append(due, p.Command)
			continue
		}
		if at = min(at, p.Expires); next == 0 || at < next {
			next = at
		}
	}
	slices.SortFunc(due, func(a, b Command) int { return cmp.Compare(a.No, b.No) })
	if len(late) > 0 {
		err = s.change(ctx, late)
	}
	return due, next, err
}

func notAnswered(c *Command) string {
	if c.Sends == 0 {
		return "the device was never there"
	}
	return "the device did not answer"
}

// Tried notes that a command was handed to whatever leads to its device, or
// that nothing did. why: there is no way, and it fails.
func (s *Store) Tried(ctx context.Context, id string, now int64, reached bool, why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.open[id]
	if p == nil {
		return nil // answered or expired meanwhile
	}
	p.tried, p.heard = now, false
	c := p.Command
	switch {
	case why != "":
		c.State, c.Detail = Failed, why
	case reached:
		c.State, c.Sent = Sent, now
		c.Sends++
	default:
		return nil
	}
	return s.change(ctx, []*Command{&c})
}

// Answer takes in what devices say. An answer to what is over already changes
// nothing, but that a late one of an expired command counts.
func (s *Store) Answer(ctx context.Context, now int64, answers []Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed []*Command
	for _, a := range answers {
		list, err := s.query(ctx, "WHERE id = ? AND device = ?", a.ID, a.Device)
		if err != nil {
			return fmt.Errorf("commands: %w", err)
		}
		if len(list) == 0 {
			s.counts.Unknown++
			continue
		}
		c := &list[0]
		if !c.State.Open() && c.State != Expired {
			continue
		}
		c.State, c.Answered, c.Detail = Acknowledged, now, a.Detail
		if !a.OK {
			c.State = Failed
		}
		if !slices.ContainsFunc(changed, func(x *Command) bool { return x.ID == c.ID }) {
			changed = append(changed, c)
		}
	}
	return s.change(ctx, changed)
}

// change writes commands down, and then knows them.
func (s *Store) change(ctx context.Context, list []*Command) error {
	if len(list) == 0 {
		return nil
	}
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		for _, c := range list {
			if err := put(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("commands: %w", err)
	}
	for _, c := range list {
		p := s.open[c.ID]
		switch {
		case c.State.Open():
			c.Source = p.Source
			p.Command = *c
			continue
		case p != nil:
			s.letGo(c)
		}
		switch c.State { //nolint:exhaustive // the others are open
		case Acknowledged:
			s.counts.Acknowledged++
		case Failed:
			s.counts.Failed++
		case Expired:
			s.counts.Expired++
		}
	}
	return nil
}
