package archive

import (
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// batch holds the values of some rows that lie one after the other, column by
// column as the file has them: to make rows of them first takes longer than
// all else.
type batch struct {
	columns []column
	rows    int
}

// column is one column of a row group from a row on.
type column struct {
	pages  parquet.Pages
	page   parquet.Page
	from   parquet.ValueReader // of the page
	values []parquet.Value
	list   bool  // a row has any number of values
	starts []int // of a list: where each row begins in values
}

// batches keeps the memory of batches that were closed.
var batches sync.Pool

// open goes to a row of a group; the rows that the batch has stay.
func (b *batch) open(group parquet.RowGroup, from int64) error {
	chunks := group.ColumnChunks()
	if b.rows == 0 {
		b.columns = slices.Grow(b.columns[:0], len(chunks))[:len(chunks)]
	}
	for i, chunk := range chunks {
		c := &b.columns[i]
		c.pages, c.list = chunk.Pages(), isList(chunk)
		if from == 0 {
			continue
		}
		if err := c.pages.SeekToRow(from); err != nil {
			return err
		}
	}
	return nil
}

// isList tells whether a row may have other than one value of a column.
func isList(chunk parquet.ColumnChunk) bool {
	column, ok := chunk.(*parquet.FileColumnChunk)
	if !ok {
		return true
	}
	node, ok := column.Node().(*parquet.Column)
	return !ok || node.MaxRepetitionLevel() > 0
}

// read adds n rows.
func (b *batch) read(n int) error {
	for i := range b.columns {
		c := &b.columns[i]
		read := c.read
		if c.list {
			read = c.readLists
		}
		if err := read(b.rows, n); errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
	}
	b.rows += n
	return nil
}

// read adds n values to those of some rows.
func (c *column) read(rows, n int) error {
	c.values = slices.Grow(c.values[:rows], n)[:rows+n]
	for n > 0 {
		got, err := c.next(c.values[rows:])
		if err != nil {
			return err
		}
		rows, n = rows+got, n-got
	}
	return nil
}

// readLists adds what n rows have to what some rows have. A row ends where the
// next one begins, or with the column.
func (c *column) readLists(rows, n int) error {
	for len(c.starts) <= rows+n {
		at := len(c.values)
		c.values = slices.Grow(c.values, n)
		got, err := c.next(c.values[at : at+n])
		if errors.Is(err, io.EOF) && len(c.starts) == rows+n {
			return nil
		}
		if err != nil {
			return err
		}
		c.values = c.values[:at+got]
		for i := range got {
			if c.values[at+i].RepetitionLevel() == 0 {
				c.starts = append(c.starts, at+i)
			}
		}
	}
	return nil
}

// next reads one value or more; the error is io.EOF at the column's end.
func (c *column) next(dst []parquet.Value) (int, error) {
	for {
		if c.from == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return 0, err
			}
			c.page, c.from = page, page.Values()
		}
		n, err := c.from.ReadValues(dst)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, io.ErrNoProgress
		case !errors.Is(err, io.EOF):
			return 0, err
		}
		c.leave()
	}
}

// leave gives the page's memory back, unless values lie in it: those of a
// dictionary do not.
func (c *column) leave() {
	if c.page != nil && (c.page.Dictionary() != nil || c.page.Type().Kind() != parquet.ByteArray) {
		parquet.Release(c.page)
	}
	c.page, c.from = nil, nil
}

// value returns the first value of a row.
func (c *column) value(row int) parquet.Value {
	if c.list {
		return c.values[c.starts[row]]
	}
	return c.values[row]
}

// all returns every value of a row.
func (c *column) all(row int) []parquet.Value {
	switch {
	case !c.list:
		return c.values[row : row+1]
	case row+1 < len(c.starts):
		return c.values[c.starts[row]:c.starts[row+1]]
	}
	return c.values[c.starts[row]:]
}

// drop forgets the first rows.
func (b *batch) drop(rows int) {
	b.rows -= rows
	for i := range b.columns {
		c := &b.columns[i]
		cut := rows
		if c.list {
			cut = len(c.values)
			if rows < len(c.starts) {
				cut = c.starts[rows]
			}
			c.starts = slices.Delete(c.starts, 0, rows)
			for k := range c.starts {
				c.starts[k] -= cut
			}
		}
		c.values = c.values[:copy(c.values, c.values[cut:])]
	}
}

// leave closes the group.
func (b *batch) leave() (err error) {
	for i := range b.columns {
		c := &b.columns[i]
		c.leave()
		if c.pages != nil {
			err = errors.Join(err, c.pages.Close())
			c.pages = nil
		}
	}
	return err
}

// close gives the batch's memory back, so that it holds no page.
func (b *batch) close() {
	b.rows = 0
	for i := range b.columns {
		c := &b.columns[i]
		clear(c.values[:cap(c.values)])
		c.values, c.starts = c.values[:0], c.starts[:0]
	}
	batches.Put(b)
}
