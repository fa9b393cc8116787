package archive

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

const (
	rowsPerGroup = 1 << 16
	pageBytes    = 16 << 10 // a device's day lies in few small pages
)

// table knows the rows of one kind of file.
type table interface {
	name() string
	kind() city.Kind
	writer(to io.Writer) tableWriter
	// read calls f with the entries of n rows from a row on; f keeps no pointer
	// to them.
	read(file *parquet.File, from, n int64, f func(*journal.Entry) error) error
}

type tableWriter interface {
	add(e *journal.Entry) (rows int, err error)
	close(metadata map[string]string) error
}

// kindTable turns entries into rows of T and back. toEntry takes one entry
// from the row at which the cells stand and tells how many rows it was.
type kindTable[T any] struct {
	named   string
	of      city.Kind
	toRows  func([]T, *journal.Entry) ([]T, error)
	toEntry func(*cells) (e journal.Entry, rows int, err error)
}

func (t kindTable[T]) name() string    { return t.named }
func (t kindTable[T]) kind() city.Kind { return t.of }

func (t kindTable[T]) writer(to io.Writer) tableWriter {
	order := []parquet.SortingColumn{parquet.Ascending("device"), parquet.Ascending("at"), parquet.Ascending("pos")}
	if t.of == city.KindNone {
		order = order[2:]
	}
	return &rowWriter[T]{table: t, w: parquet.NewGenericWriter[T](to,
		parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowsPerGroup), parquet.PageBufferSize(pageBytes),
		parquet.CreatedBy("simpang", "1", ""), parquet.SortingWriterConfig(parquet.SortingColumns(order...)))}
}

const (
	bufferedRows = 1024
	readRows     = 512 // a device's day, most often
)

type rowWriter[T any] struct {
	table kindTable[T]
	w     *parquet.GenericWriter[T]
	rows  []T
}

func (w *rowWriter[T]) add(e *journal.Entry) (int, error) {
	before := len(w.rows)
	rows, err := w.table.toRows(w.rows, e)
	if err != nil {
		return 0, err
	}
	w.rows = rows
	n := len(rows) - before
	if len(rows) < bufferedRows {
		return n, nil
	}
	return n, w.flush()
}

func (w *rowWriter[T]) flush() error {
	_, err := w.w.Write(w.rows)
	clear(w.rows)
	w.rows = w.rows[:0]
	return err
}

func (w *rowWriter[T]) close(metadata map[string]string) error {
	if err := w.flush(); err != nil {
		return err
	}
	for key, value := range metadata {
		w.w.SetKeyValueMetadata(key, value)
	}
	return w.w.Close()
}

func (t kindTable[T]) read(file *parquet.File, from, n int64, f func(*journal.Entry) error) error {
	b, ok := batches.Get().(*batch)
	if !ok {
		b = &batch{}
	}
	r := &rowReader{cells: cells{batch: b}, toEntry: t.toEntry, f: f}
	err := r.read(file, from, n)
	b.close() // not after a panic: who knows what it has then
	return err
}

// rowReader makes entries of rows. A row that may belong with the next is
// held back.
type rowReader struct {
	cells
	toEntry func(*cells) (e journal.Entry, rows int, err error)
	f       func(*journal.Entry) error
	entry   journal.Entry
}

// read makes entries of n rows from a row on.
func (r *rowReader) read(file *parquet.File, from, n int64) error {
	for _, group := range file.RowGroups() {
		rows := group.NumRows()
		if from >= rows {
			from -= rows
			continue
		}
		take := min(n, rows-from)
		if err := r.group(group, from, take); err != nil {
			return err
		}
		if from, n = 0, n-take; n == 0 {
			break
		}
	}
	if n > 0 {
		return fmt.Errorf("%d rows are missing: %w", n, io.ErrUnexpectedEOF)
	}
	return r.pass(false)
}

// group reads n rows of one row group from a row on.
func (r *rowReader) group(group parquet.RowGroup, from, n int64) (err error) {
	defer func() { err = errors.Join(err, r.batch.leave()) }()
	if err := r.batch.open(group, from); err != nil {
		return err
	}
	for n > 0 {
		some := min(n, readRows)
		if err := r.batch.read(int(some)); err != nil {
			return fmt.Errorf("%d rows are missing: %w", n, err)
		}
		n -= some
		if err := r.pass(true); err != nil {
			return err
		}
	}
	return nil
}

// pass makes entries of the rows. The last one waits where more may follow.
func (r *rowReader) pass(more bool) error {
	used := 0
	for used < r.batch.rows {
		r.row, r.column = used, 0
		e, took, err := r.toEntry(&r.cells)
		if err != nil {
			return err
		}
		if more && used+took == r.batch.rows {
			break
		}
		used += took
		r.entry = e
		if err := r.f(&r.entry); err != nil {
			return err
		}
	}
	r.batch.drop(used)
	return nil
}
