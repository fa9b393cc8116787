package command

import (
	"cmp"
	"context"
	"database/sql"
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
