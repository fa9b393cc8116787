package command

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Due returns what is to be sent now, in the order in which it was ordered, and
// when the next is; next is 0 where nothing is open. What has expired is over.
func (s *Store) Due(ctx context.Context, now int64) (due []Command, next int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var late []*Command
	for _, p := range s.open {
		at := p.due(p.tried)
		if p.heard && p.hurried < maxHurried {
			at = min(at, max(p.Sent+heardMs, p.tried+heardMs, p.At))
		}
		switch {
		case now >= p.Expires:
			c := p.Command
			c.State, c.Detail = Expired, cmp.Or(c.Detail, p.why, notAnswered(&c))
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

// Try is what came of handing a command to whatever leads to its device.
type Try struct {
	ID      string
	At      int64  // Unix ms
	Reached bool   // what leads there took it
	Why     string // why it could not be reached, "" where that is not known
}

// Tried notes a round of attempts, in one transaction.
func (s *Store) Tried(ctx context.Context, round []Try) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent []*Command
	for _, t := range round {
		p := s.open[t.ID]
		if p == nil {
			continue // replaced meanwhile
		}
		if p.heard && t.Reached {
			p.hurried++
		}
		p.tried, p.heard, p.why = t.At, false, t.Why
		if t.Reached {
			c := p.Command
			c.State, c.Sent = Sent, t.At
			c.Sends++
			sent = append(sent, &c)
		}
	}
	return s.change(ctx, sent)
}

// TakeIn takes in what devices said since it was last called. An answer to what is
// over already changes nothing, but that a late one of an expired command counts.
func (s *Store) TakeIn(ctx context.Context, now int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	spoke, answers := s.inbox.take()
	for device, source := range spoke {
		for _, p := range s.devices[device] {
			p.Source, p.heard = source, true
		}
	}
	changed := make([]*Command, 0, len(answers))
	seen := map[string]bool{}
	var errs []error
	for _, a := range answers {
		c, err := s.find(ctx, a)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("commands: %w", err))
			continue
		case c == nil:
			s.counts.Unknown++
			continue
		case seen[c.ID] || !c.State.Open() && c.State != Expired:
			continue
		}
		c.State, c.Answered, c.Detail = Acknowledged, now, a.Detail
		if !a.OK {
			c.State = Failed
		}
		seen[c.ID] = true
		changed = append(changed, c)
	}
	return errors.Join(append(errs, s.change(ctx, changed))...)
}

// find returns the command that a device answers, as it is; nil: nobody ordered it.
func (s *Store) find(ctx context.Context, a Answer) (*Command, error) {
	if p := s.open[a.ID]; p != nil {
		if p.Device != a.Device {
			return nil, nil //nolint:nilnil // as told
		}
		c := p.Command
		return &c, nil
	}
	list, err := s.query(ctx, "WHERE id = ? AND device = ?", a.ID, a.Device)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
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
	s.know(list)
	return nil
}

// know takes in what was written down.
func (s *Store) know(list []*Command) {
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
}
