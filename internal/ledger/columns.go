package ledger

import (
	"database/sql"
	"errors"
)

var errColumn = errors.New("a value is not of its column's type")

// columns reads row after row as SQLite holds the values, which spares the
// conversions of Rows.Scan.
type columns struct {
	values []any
	into   []any
	bad    bool // one was not of the type that was asked for
}

func columnsOfRows(rows *sql.Rows) (*columns, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	c := &columns{values: make([]any, len(names)), into: make([]any, len(names))}
	for i := range c.values {
		c.into[i] = &c.values[i]
	}
	return c, nil
}

func (c *columns) next(rows *sql.Rows) error {
	c.bad = false
	return rows.Scan(c.into...)
}

func (c *columns) int(i int) int64 {
	v, ok := c.values[i].(int64)
	c.bad = c.bad || !ok
	return v
}

// maybe is int of a column that may be NULL.
func (c *columns) maybe(i int) (v int64, there bool) {
	if c.values[i] == nil {
		return 0, false
	}
	return c.int(i), true
}

func (c *columns) text(i int) string {
	v, ok := c.values[i].(string)
	c.bad = c.bad || !ok
	return v
}

func (c *columns) bytes(i int) []byte {
	v, ok := c.values[i].([]byte)
	c.bad = c.bad || !ok
	return v
}

func (c *columns) err() error {
	if c.bad {
		return errColumn
	}
	return nil
}
