package certificate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/simpang-id/simpang/internal/inventory"
)

// portion is how many devices one call of Work asks for; each costs health a
// look at all days that it keeps of it.
const portion = 200

// moment is the follower as it was at one position.
type moment struct {
	meta

	applied uint64
	clock   int64
	today   int64
}

func (f *Follower) moment() moment {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := moment{meta: f.meta, applied: f.applied, clock: f.clock}
	if m.clock != 0 {
		m.today = f.days.Date(m.clock)
	}
	return m
}

// Work does a portion of what is due: closes days, revises closed ones, lets go
// of what is past its retention. more tells that there is more to do right away.
// It is called from one goroutine; after an error, or later, it goes on where it
// was.
func (f *Follower) Work(ctx context.Context) (more bool, err error) {
	m := f.moment()
	if m.clock == 0 {
		return false, nil // no tick yet
	}
	switch {
	case f.lost(m.upcoming(), m.clock):
		return true, f.skip(ctx, m.clock)
	case m.closing != 0:
		more, err = f.closeSome(ctx, m)
	case f.due(m):
		more, err = true, f.beginClose(ctx, m)
	case m.today > m.revised:
		more, err = f.reviseSome(ctx, m)
	}
	if errors.Is(err, errBehind) {
		return false, nil
	}
	if lost, ok := errors.AsType[*forgottenError](err); ok { // the journal is replayed here, and health is ahead
		return true, f.skip(ctx, lost.clock)
	}
	if err != nil {
		return false, fmt.Errorf("certificates: %w", err)
	}
	return more, nil
}

// next is the day that is to be closed next.
func (m *moment) next() int64 {
	if m.closed == 0 {
		return m.first
	}
	return shift(m.closed, 1)
}

// closesAt returns when a day is closed, Unix ms.
func (f *Follower) closesAt(date int64) int64 {
	_, to := f.span(date)
	return to + f.o.Window.Milliseconds()
}

func (f *Follower) due(m moment) bool { return m.clock >= f.closesAt(m.next()) }

// upcoming is the day that is being closed, or is to be closed next.
func (m *moment) upcoming() int64 {
	if m.closing != 0 {
		return m.closing
	}
	return m.next()
}

// lost tells whether health may have forgotten a day at a time, Unix ms.
func (f *Follower) lost(date, clock int64) bool {
	_, to := f.span(date)
	return to <= clock-reviseMs
}

// skip goes on with the first day that health still knows whole at a time, Unix
// ms: of those before it there are no certificates, which is not the same as
// nothing having come.
func (f *Follower) skip(ctx context.Context, clock int64) error {
	f.mu.Lock()
	next := f.days.Date(clock - reviseMs)
	f.mu.Unlock()
	f.o.Log.WarnContext(ctx, "days before this one get no certificates of completeness: health has forgotten them", "date", dateText(next))
	err := f.set(ctx, func(x *meta) {
		x.closing, x.after = 0, 0
		if x.closed == 0 {
			x.first = next
		} else {
			x.closed = shift(next, -1)
		}
	}, nil)
	if err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	return nil
}

// set changes what is stored beside the certificates, with what write writes.
// Only Work calls it. Nobody waits for the file: change is made once for the
// file and once for the memory, under the lock.
func (f *Follower) set(ctx context.Context, change func(*meta), write func(*sql.Tx) error) error {
	f.mu.RLock()
	was := f.meta
	next := was
	change(&next)
	f.mu.RUnlock()
	if err := f.db.Tx(ctx, func(tx *sql.Tx) error {
		before := was.names()
		for name, p := range next.names() {
			if *p != *before[name] {
				if err := f.setMeta(tx, name, *p); err != nil {
					return err
				}
			}
		}
		if write != nil {
			return write(tx)
		}
		return nil
	}); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.meta)
	return nil
}

// beginClose begins to close a day: what comes for it from now on is noted, and
// what came before is in the answers that are waited for. After a start those
// are waited for up to the cursor: see load.
func (f *Follower) beginClose(ctx context.Context, m moment) error {
	return f.set(ctx, func(x *meta) { x.closing, x.after = m.next(), int64(f.applied) }, nil)
}

// closeSome makes certificates of the day that is being closed.
func (f *Follower) closeSome(ctx context.Context, m moment) (more bool, err error) {
	v := f.view(m, m.closing)
	places := v.places()
	done, err := f.placesOf(ctx, m.closing)
	if err != nil {
		return false, err
	}
	keys := make([]string, 0, len(places))
	for key := range places {
		if !done[key] {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	left := portion
	for _, key := range keys {
		if left <= 0 {
			return true, nil
		}
		left -= len(places[key])
		if err := f.closePlace(ctx, v, key, places[key]); err != nil {
			return false, err
		}
	}
	if err := f.list(ctx, v); err != nil {
		return false, err
	}
	f.o.Log.InfoContext(ctx, "a day's certificates of completeness are closed", "date", dateText(m.closing), "places", len(places))
	return true, f.set(ctx, func(x *meta) { x.closed, x.closing, x.after = m.closing, 0, 0 }, nil)
}

func (f *Follower) placesOf(ctx context.Context, date int64) (map[string]bool, error) {
	rows, err := f.db.R.QueryContext(ctx, "SELECT DISTINCT place FROM place WHERE date = ?", date)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	done := map[string]bool{}
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		done[key] = true
	}
	return done, rows.Err()
}

func (f *Follower) closePlace(ctx context.Context, v *dayView, key string, devices []*inventory.Device) error {
	p := newPlaceDoc(key)
	for _, d := range devices {
		x, err := v.ask(ctx, d, uint64(v.m.after))
		if err != nil {
			return err
		}
		if err := p.put(x); err != nil {
			return err
		}
	}
	return f.write(ctx, v, p, nil)
}

// write writes a place's next revision, with what goes with it.
func (f *Follower) write(ctx context.Context, v *dayView, p *placeDoc, with func(*sql.Tx) error) error {
	doc, err := p.doc(v)
	if err != nil {
		return err
	}
	return f.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := f.putPlace(tx, v.date, p.key, p.revision+1, append([][]byte{doc}, p.fresh...)); err != nil {
			return err
		}
		if with != nil {
			return with(tx)
		}
		return nil
	})
}

// purge lets go of days past their retention.
func (f *Follower) purge(m moment) func(*sql.Tx) error {
	f.mu.Lock()
	before := f.days.Date(m.clock - f.o.Keep.Milliseconds())
	f.mu.Unlock()
	return func(tx *sql.Tx) error {
		if f.o.Hold != nil && f.o.Hold() {
			return nil
		}
		for _, table := range []string{"place", "city", "unlisted", "amend"} {
			if _, err := tx.ExecContext(f.ctx, "DELETE FROM "+table+" WHERE date < ?", before); err != nil { //nolint:gosec // our own names
				return fmt.Errorf("old certificates: %w", err)
			}
		}
		return nil
	}
}
