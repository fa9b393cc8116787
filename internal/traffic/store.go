package traffic

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

func closing(db *sqlite.DB, err error) error { return errors.Join(err, db.Close()) }

// load reads everything but the roll-ups into memory.
func (f *Follower) load(ctx context.Context) error {
	var one, sum int64
	err := f.db.R.QueryRowContext(ctx, `SELECT one, cursor, now, sum FROM meta`).Scan(&one, &f.applied, &f.now, &sum)
	if err == nil {
		err = sqlite.CheckSum(sum, "meta", one, f.applied, f.now)
	}
	if err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	f.durable = f.applied
	if err := f.loadSeries(ctx); err != nil {
		return err
	}
	return f.loadClosures(ctx)
}

func (f *Follower) loadSeries(ctx context.Context) error {
	rows, err := f.db.R.QueryContext(ctx, `SELECT id, segment, lane, device, recent, sum FROM series ORDER BY id`)
	if err != nil {
		return fmt.Errorf("lanes: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var id, sum int64
		var segment, device string
		var lane uint16
		var recent []byte
		if err := rows.Scan(&id, &segment, &lane, &device, &recent, &sum); err != nil {
			return fmt.Errorf("lanes: %w", err)
		}
		if err := sqlite.CheckSum(sum, "series", id, segment, lane, device, recent); err != nil {
			return fmt.Errorf("lane %d of %s: %w", lane, segment, err)
		}
		s := f.makeSeries(segment, lane, device)
		if s.id != id {
			return fmt.Errorf("lane %d of %s: %w", lane, segment, errWindow)
		}
		if s.recent, err = decodeWindow(recent); err != nil {
			return fmt.Errorf("lane %d of %s: %w", lane, segment, err)
		}
	}
	return rows.Err()
}

func (f *Follower) loadClosures(ctx context.Context) error {
	rows, err := f.db.R.QueryContext(ctx, `SELECT id, site, segment, begins, ends, reason, note, places_lost, sum FROM closure ORDER BY id`)
	if err != nil {
		return fmt.Errorf("closures: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var c inventory.Closure
		var lost sql.NullInt64
		var sum int64
		if err := rows.Scan(&c.ID, &c.Site, &c.Segment, &c.From, &c.Until, &c.Reason, &c.Note, &lost, &sum); err != nil {
			return fmt.Errorf("closures: %w", err)
		}
		if err := sqlite.CheckSum(sum, "closure", c.ID, c.Site, c.Segment, c.From, c.Until, c.Reason, c.Note, lost); err != nil {
			return fmt.Errorf("closures: %w", err)
		}
		c.PlacesLost = city.Int{V: lost.Int64, OK: lost.Valid}
		f.closures.Put(c)
	}
	return rows.Err()
}

// Flush makes everything applied durable with the cursor, in one transaction.
func (f *Follower) Flush() error {
	// Only Apply, on this goroutine, changes what is read here; questions may
	// read along.
	if f.applied == f.durable {
		return nil
	}
	err := f.db.Tx(f.ctx, func(tx *sql.Tx) error { return f.write(f.ctx, tx) })
	if err != nil {
		return fmt.Errorf("traffic: flush: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.dirty {
		s.touched = false
		s.pending, s.newest = s.pending[:0], nil
	}
	f.dirty, f.closing = f.dirty[:0], false
	f.durable = f.applied
	return nil
}

func (f *Follower) write(ctx context.Context, tx *sql.Tx) error {
	buckets, err := openBuckets(ctx, tx)
	if err != nil {
		return err
	}
	defer buckets.close()
	lane, err := tx.PrepareContext(ctx, `INSERT INTO series (id, segment, lane, device, recent, sum) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET recent = excluded.recent, sum = excluded.sum`)
	if err != nil {
		return err
	}
	defer func() { _ = lane.Close() }() // the transaction tells
	for _, s := range f.dirty {
		recent := s.recent.encode()
		if _, err := lane.ExecContext(ctx, s.id, s.segment, s.lane, s.device, recent, sqlite.Sum("series", s.id, s.segment, s.lane, s.device, recent)); err != nil {
			return fmt.Errorf("lane %d of %s: %w", s.lane, s.segment, err)
		}
		for _, b := range s.pending {
			if err := buckets.add(ctx, s.id, b.t, b.o, f.now); err != nil {
				return fmt.Errorf("roll-up of lane %d of %s: %w", s.lane, s.segment, err)
			}
		}
	}
	if f.closing {
		if err := f.writeClosures(ctx, tx); err != nil {
			return err
		}
	}
	if err := f.retire(ctx, tx); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE meta SET cursor = ?, now = ?, sum = ? WHERE one = 1`, f.applied, f.now, sqlite.Sum("meta", int64(1), f.applied, f.now))
	return err
}

func (f *Follower) writeClosures(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM closure`); err != nil {
		return fmt.Errorf("closures: %w", err)
	}
	for _, c := range f.closures.Closures() {
		lost := sql.NullInt64{Int64: c.PlacesLost.V, Valid: c.PlacesLost.OK}
		row := []any{c.ID, c.Site, c.Segment, c.From, c.Until, c.Reason, c.Note, lost}
		if _, err := tx.ExecContext(ctx, `INSERT INTO closure (id, site, segment, begins, ends, reason, note, places_lost, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			append(row, sqlite.Sum("closure", row...))...); err != nil {
			return fmt.Errorf("closures: %w", err)
		}
	}
	return nil
}

// retire removes the roll-ups that are too old, once a day of the clock.
func (f *Follower) retire(ctx context.Context, tx *sql.Tx) error {
	if f.o.Retain <= 0 || f.o.Hold != nil && f.o.Hold() {
		return nil
	}
	year, month, day := time.UnixMilli(f.now).In(f.o.Zone).Add(-f.o.Retain).Date()
	before := time.Date(year, month, day, 0, 0, 0, 0, f.o.Zone).UnixMilli()
	if before <= f.pruned {
		return nil
	}
	for _, s := range f.all {
		if _, err := tx.ExecContext(ctx, `DELETE FROM bucket WHERE series = ? AND t < ? AND seen < ?`, s.id, before, before); err != nil {
			return fmt.Errorf("retention: %w", err)
		}
	}
	f.pruned = before
	return nil
}
