package occupancy

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Flush makes everything that was applied durable together with the cursor.
// After an error it may be called again.
func (f *Follower) Flush() error {
	if f.applied == f.flushed {
		return nil
	}
	err := f.settleAll()
	// Only Apply and Flush change what is written below, and they are called
	// from one goroutine; a query's settling finds nothing to do.
	if err == nil {
		err = f.db.Tx(f.ctx, f.write)
	}
	if err != nil {
		return fmt.Errorf("occupancy: flush: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written()
	return nil
}

func (f *Follower) settleAll() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	slices.SortFunc(f.dirty, func(a, b *series) int { return int(a.id - b.id) }) // rows are written in the order of the file
	for _, s := range f.dirty {
		if err := f.settleStays(s); err != nil {
			return err
		}
	}
	for _, sp := range f.spaces {
		if err := f.settle(sp); err != nil {
			return err
		}
	}
	return nil
}

// written forgets what has become durable.
func (f *Follower) written() {
	for _, s := range f.dirty {
		s.dirty, s.held = false, nil
		if o, ok := s.last(); ok {
			s.saved = o.at
		}
	}
	for _, sp := range f.dirtySpaces {
		clear(sp.blocks)
	}
	for _, sp := range f.spaces {
		sp.fresh = false
	}
	clear(f.dirty)
	f.dirty, f.freshSeries, f.dirtySpaces = f.dirty[:0], nil, f.dirtySpaces[:0]
	f.stayRows, f.staySpans, f.lullRows = f.stayRows[:0], f.staySpans[:0], f.lullRows[:0]
	f.closuresDirty = false
	f.flushed = f.applied
	f.purged()
}

func (f *Follower) write(tx *sql.Tx) error {
	for _, step := range []func(*sql.Tx) error{f.writeSpaces, f.writeSeries, f.writeChunks, f.writeBlocks, f.writeStays, f.writeLulls, f.writePurge} {
		if err := step(tx); err != nil {
			return err
		}
	}
	if f.closuresDirty {
		if err := f.saveClosures(tx); err != nil {
			return err
		}
	}
	f.cursor = int64(f.applied)
	return f.meta().Save(f.ctx, tx)
}

func (f *Follower) writeSpaces(tx *sql.Tx) error {
	for _, sp := range f.spaces {
		if !sp.fresh {
			continue
		}
		configs, err := sp.configs.encode()
		if err != nil {
			return err
		}
		row := []any{sp.id, sp.key.site, int64(sp.key.class), string(sp.key.detection), configs}
		_, err = tx.ExecContext(f.ctx, `INSERT INTO space (id, site, class, detection, configs, sum) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET configs = excluded.configs, sum = excluded.sum`, append(row, sqlite.Sum("space", row...))...)
		if err != nil {
			return fmt.Errorf("space: %w", err)
		}
	}
	return nil
}

func (f *Follower) writeSeries(tx *sql.Tx) error {
	for _, s := range f.freshSeries {
		ttls, err := s.ttls.encode()
		if err != nil {
			return err
		}
		row := []any{s.id, s.sp.id, s.device, int64(s.class), ttls}
		_, err = tx.ExecContext(f.ctx, `INSERT INTO series (id, space, device, class, ttls, sum) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET ttls = excluded.ttls, sum = excluded.sum`, append(row, sqlite.Sum("series", row...))...)
		if err != nil {
			return fmt.Errorf("series: %w", err)
		}
	}
	return nil
}

// prepared runs one statement for many rows.
type prepared struct {
	ctx  context.Context
	stmt *sql.Stmt
	err  error
}

func prepare(ctx context.Context, tx *sql.Tx, query string) *prepared {
	stmt, err := tx.PrepareContext(ctx, query)
	return &prepared{ctx: ctx, stmt: stmt, err: err}
}

func (p *prepared) exec(args ...any) {
	if p.err == nil {
		_, p.err = p.stmt.ExecContext(p.ctx, args...)
	}
}

func (p *prepared) done(what string) error {
	if p.stmt != nil {
		if err := p.stmt.Close(); p.err == nil {
			p.err = err
		}
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w", what, p.err)
	}
	return nil
}

func (f *Follower) writeChunks(*sql.Tx) error {
	if len(f.dirty) == 0 {
		return nil
	}
	rows := f.db.Rows(f.ctx, `INSERT INTO chunk (series, lo, touched, data, sum) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (series, lo) DO UPDATE SET touched = excluded.touched, data = excluded.data, sum = excluded.sum`)
	var data []byte
	put := func(s *series, c *chunk) {
		data = encodeObs(data[:0], c.obs)
		rows.Int(s.id)
		rows.Int(c.lo)
		rows.Int(f.clock)
		rows.Blob(data)
		rows.Sum("chunk")
		rows.Exec()
	}
	for _, s := range f.dirty {
		for _, c := range s.held {
			put(s, c)
		}
		put(s, &s.tail)
	}
	return named("observations", rows.Close())
}

func (f *Follower) writeBlocks(*sql.Tx) error {
	if len(f.dirtySpaces) == 0 {
		return nil
	}
	rows := f.db.Rows(f.ctx, `INSERT INTO rollup (id, touched, data, sum) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET touched = excluded.touched, data = excluded.data, sum = excluded.sum`)
	var data []byte
	for _, sp := range f.dirtySpaces {
		for no, b := range sp.blocks {
			data = b.encode(data[:0])
			id := rollupID(sp.id, no)
			rows.Int(id)
			rows.Int(f.clock)
			rows.Blob(data)
			rows.Sum("rollup")
			rows.Exec()
		}
	}
	return named("roll-ups", rows.Close())
}

// rowsAtOnce is how many rows one statement inserts.
const rowsAtOnce = 64

const insertStay = "INSERT OR REPLACE INTO stay (space, until_at, series, from_at, known, touched, sum) VALUES (?, ?, ?, ?, ?, ?, ?)"

func (f *Follower) writeStays(tx *sql.Tx) error {
	if len(f.staySpans) > 0 {
		p := prepare(f.ctx, tx, "DELETE FROM stay WHERE space = ? AND until_at BETWEEN ? AND ? AND series = ?")
		for _, x := range f.staySpans {
			p.exec(x.space, x.from, x.to, x.series)
		}
		if err := p.done("stays"); err != nil {
			return err
		}
	}
	rows := f.stayRows
	slices.SortStableFunc(rows, func(a, b stayRow) int {
		return cmp.Or(cmp.Compare(a.space, b.space), cmp.Compare(a.until, b.until), cmp.Compare(a.series, b.series))
	})
	if len(rows) >= rowsAtOnce {
		many := f.db.Rows(f.ctx, insertStay+strings.Repeat(", (?, ?, ?, ?, ?, ?, ?)", rowsAtOnce-1))
		for ; len(rows) >= rowsAtOnce; rows = rows[rowsAtOnce:] {
			for i := range rows[:rowsAtOnce] {
				f.setStay(many, &rows[i])
			}
			many.Exec()
		}
		if err := named("stays", many.Close()); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	one := f.db.Rows(f.ctx, insertStay)
	for i := range rows {
		f.setStay(one, &rows[i])
		one.Exec()
	}
	return named("stays", one.Close())
}

// setStay sets the values of a row.
func (f *Follower) setStay(rows *sqlite.Rows, r *stayRow) {
	rows.Int(r.space)
	rows.Int(r.until)
	rows.Int(r.series)
	rows.Int(r.from)
	rows.Bool(r.known)
	rows.Int(f.clock)
	rows.Sum("stay")
}

// named says of what an error is.
func named(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
