package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Rows runs one statement for very many rows. database/sql allocates 0.7 KB
// each time; of this one a row costs its values. For one goroutine, within the
// function that Tx runs, and closed before that returns.
type Rows struct {
	ctx    context.Context
	within context.Context // of each run, which is short: the driver lets a goroutine wait for the end of another
	conn   *sql.Conn
	stmt   driver.Stmt
	args   []driver.NamedValue
	n      int // of args are set for the next run
	summed int // of them are under a checksum
	head   []byte
	run    func(any) error
	err    error
}

// Rows prepares a statement in the transaction that Tx runs. What fails is told
// by Close.
func (d *DB) Rows(ctx context.Context, query string) *Rows {
	r := &Rows{ctx: ctx, within: context.WithoutCancel(ctx), conn: d.writing}
	r.run = r.exec
	r.err = r.conn.Raw(func(c any) (err error) {
		switch c := c.(type) {
		case driver.ConnPrepareContext:
			r.stmt, err = c.PrepareContext(ctx, query)
		case driver.Conn:
			r.stmt, err = c.Prepare(query)
		}
		return err
	})
	if r.err != nil {
		r.stmt = nil // else a driver's nil in an interface
	}
	return r
}

func (r *Rows) next() *driver.NamedValue {
	if r.n == len(r.args) {
		r.args = append(r.args, driver.NamedValue{Ordinal: r.n + 1})
	}
	r.n++
	return &r.args[r.n-1]
}

// Int sets the next value of the row.
func (r *Rows) Int(v int64) {
	a := r.next()
	if before, ok := a.Value.(int64); !ok || before != v { // a value in an interface is allocated
		a.Value = v
	}
}

// Bool sets the next value of the row: 1 or 0.
func (r *Rows) Bool(v bool) {
	n := int64(0)
	if v {
		n = 1
	}
	r.Int(n)
}

// Text sets the next value of the row.
func (r *Rows) Text(v string) { r.next().Value = v }

// Blob sets the next value of the row; v must not change before Exec.
func (r *Rows) Blob(v []byte) { r.next().Value = v }

// Sum sets the next value of the row to the checksum of those that were set
// since Exec or the Sum before.
func (r *Rows) Sum(table string) {
	head, crc := append(r.head[:0], table...), uint32(0)
	for i := range r.args[r.summed:r.n] {
		switch v := r.args[r.summed+i].Value.(type) {
		case int64:
			head = appendInt(head, v)
		case string:
			head = appendText(head, v)
		case []byte:
			head = appendLength(head, v)
			crc = crc32.Update(crc32.Update(crc, castagnoli, head), castagnoli, v)
			head = head[:0]
		}
	}
	r.head = head
	r.Int(int64(crc32.Update(crc, castagnoli, head)))
	r.summed = r.n
}

func appendText(head []byte, v string) []byte {
	return append(binary.BigEndian.AppendUint64(append(head, 't'), uint64(len(v))), v...)
}

func appendLength(head, v []byte) []byte {
	return binary.BigEndian.AppendUint64(append(head, 'b'), uint64(len(v)))
}

// Exec runs the statement with the values that were set. After an error it does
// nothing.
func (r *Rows) Exec() {
	if r.err == nil {
		r.err = r.ctx.Err()
	}
	if r.err == nil {
		r.err = r.conn.Raw(r.run)
	}
	r.n, r.summed = 0, 0
}

func (r *Rows) exec(any) error {
	var err error
	switch s := r.stmt.(type) {
	case driver.StmtExecContext:
		_, err = s.ExecContext(r.within, r.args[:r.n])
	default:
		err = fmt.Errorf("a statement of %T cannot be run for rows", s)
	}
	return err
}

// Close ends the statement and returns the first error.
func (r *Rows) Close() error {
	if r.stmt == nil {
		return r.err
	}
	return errors.Join(r.err, r.conn.Raw(func(any) error { return r.stmt.Close() }))
}
