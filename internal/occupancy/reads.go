package occupancy

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/sqlite"
)

const (
	selectChunks = `SELECT lo, touched, data, sum FROM chunk WHERE series = ?1 AND lo <= ?2 AND lo < ?3
		AND lo >= max(?4, coalesce((SELECT max(lo) FROM chunk WHERE series = ?1 AND lo <= ?5), ?5)) ORDER BY lo`
	selectNext = "SELECT coalesce(min(lo), ?) FROM chunk WHERE series = ? AND lo > ?"

	selectCursor  = "SELECT value FROM meta WHERE name = 'cursor'"
	selectRollups = "SELECT id, touched, data, sum FROM rollup WHERE id BETWEEN ? AND ? ORDER BY id"
	selectStays   = `SELECT until_at, series, from_at, known, touched, sum FROM stay
		WHERE space = ? AND until_at >= ? AND until_at < ? ORDER BY until_at, series LIMIT ?`
	selectLulls = `SELECT heard_at, series, from_at, until_at, held, states, touched, sum FROM lull
		WHERE space = ? AND heard_at >= ? AND heard_at < ? AND from_at < ? ORDER BY heard_at, series`
)

// reads are what is read many times.
type reads struct {
	chunks, next                  *sql.Stmt // for late observations
	cursor, rollups, stays, lulls *sql.Stmt // for those who ask
}

// prepareReads prepares them: to read the text of a query takes SQLite longer
// than to find a day's rows.
func (f *Follower) prepareReads() (err error) {
	for _, x := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&f.reads.chunks, selectChunks},
		{&f.reads.next, selectNext},
		{&f.reads.cursor, selectCursor},
		{&f.reads.rollups, selectRollups},
		{&f.reads.stays, selectStays},
		{&f.reads.lulls, selectLulls},
	} {
		if *x.to, err = f.db.R.PrepareContext(f.ctx, x.text); err != nil { //nolint:sqlclosecheck // reads.close does
			return fmt.Errorf("prepare: %w", err)
		}
	}
	return nil
}

// close closes those that were prepared.
func (r *reads) close() error {
	return errors.Join(r.chunks.Close(), r.next.Close(), r.cursor.Close(), r.rollups.Close(), r.stays.Close(), r.lulls.Close())
}

// summed reads rows of a table whose columns are integers: the key's first of
// all, which is given, and a checksum at the end. Columns that are taken as
// they come cost half of those that database/sql converts.
type summed struct {
	table  string
	values []any // the key's first, then the columns
	to     []any
}

func newSummed(table string, first int64, columns int) *summed {
	r := &summed{table, make([]any, 1+columns), make([]any, columns)}
	r.values[0] = first
	for i := range r.to {
		r.to[i] = &r.values[1+i]
	}
	return r
}

// next takes a row; into gets the columns without the checksum.
func (r *summed) next(rows *sql.Rows, into ...*int64) error {
	if err := rows.Scan(r.to...); err != nil {
		return err
	}
	for i, x := range into {
		v, ok := r.values[1+i].(int64)
		if !ok {
			return fmt.Errorf("%s: %w", r.table, sqlite.ErrSum)
		}
		*x = v
	}
	last := len(r.values) - 1
	sum, ok := r.values[last].(int64)
	if !ok {
		return fmt.Errorf("%s: %w", r.table, sqlite.ErrSum)
	}
	return sqlite.CheckSum(sum, r.table, r.values[:last]...)
}
