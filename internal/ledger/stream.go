package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// batch is some rows of a table in their order, and why there are no more.
type batch[T any] struct {
	rows []T
	err  error
}

// inBatches reads a query in a goroutine of its own, until ctx ends.
func inBatches[T any](ctx context.Context, tx *sql.Tx, query string, scan func(*columns, *T) error) <-chan batch[T] {
	out := make(chan batch[T], 4)
	go func() {
		defer close(out)
		var rows []T
		send := func(err error) bool {
			select {
			case out <- batch[T]{rows, err}:
				rows = make([]T, 0, verifyRows)
				return true
			case <-ctx.Done():
				return false
			}
		}
		send(func() error {
			list, err := tx.QueryContext(ctx, query)
			if err != nil {
				return err
			}
			defer list.Close()
			c, err := columnsOfRows(list)
			if err != nil {
				return err
			}
			for list.Next() {
				if err := c.next(list); err != nil {
					return err
				}
				var row T
				if err := scan(c, &row); err != nil {
					return err
				}
				if rows = append(rows, row); len(rows) == verifyRows && !send(nil) {
					return ctx.Err()
				}
			}
			return list.Err()
		}())
	}()
	return out
}

// keptRecord is a record or an act as it stands, and what it was in the
// journal.
type keptRecord struct {
	keptRow

	was journal.Entry
}

const (
	selectKept = "SELECT pos, recv, marks, source, 1, data, own, eff, party, flags, '', sum, 0 FROM record"
	selectActs = "SELECT pos, recv, marks, source, type, data, own, outcome, 0, 0, faults, sum, 1 FROM act"
)

// kept is the query of all that is kept, in the order of the journal.
func (c *check) kept() string {
	if c.acts {
		return selectKept + " UNION ALL " + selectActs + " ORDER BY 1"
	}
	return selectKept + " ORDER BY 1"
}

func scanKept(c *columns, r *keptRecord) error {
	marks, typ, party, flags, sum := c.int(2), c.int(4), c.int(8), c.int(9), c.int(11)
	faults, act := c.text(10), c.int(12) == 1
	r.pos, r.recv, r.marks, r.source, r.data = uint64(c.int(0)), c.int(1), journal.Flags(marks), c.text(3), c.bytes(5)
	r.typ, r.own, r.eff, r.party, r.flags = journal.Type(typ), uint64(c.int(6)), uint64(c.int(7)), int32(party), Flags(flags)
	table, err := "record", c.err()
	if act {
		table = "act"
	}
	switch { // of the numbers as they stand: none may be too large for what it is
	case err != nil:
	case act:
		err = sqlite.CheckSum(sum, table, int64(r.pos), r.recv, marks, r.source, typ, r.data, int64(r.own), int64(r.eff), faults)
	default:
		err = sqlite.CheckSum(sum, table, int64(r.pos), r.recv, marks, r.source, r.data, int64(r.own), int64(r.eff), party, flags)
	}
	if err == nil {
		r.was, err = r.entry()
	}
	if err != nil {
		return &DisagreementError{Entry: r.own, Pos: r.pos, Table: table, Detail: "what is kept cannot be taken: " + err.Error()}
	}
	return nil
}

func scanEntry(c *columns, e *entryBytes) error {
	n, sum := c.int(0), c.int(3)
	e.n, e.data, e.hash = uint64(n), c.bytes(1), c.bytes(2)
	err := c.err()
	if err == nil {
		err = sqlite.CheckSum(sum, "entry", n, e.data, e.hash)
	}
	if err != nil {
		return &DisagreementError{Entry: e.n, Table: "entry", Detail: fmt.Sprintf("the row of number %d: %v", n, err)}
	}
	return nil
}

// stream recomputes as recompute does, with the tables that grow in memory, and
// compares these too: each table is read once, in its own order.
func (c *check) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mem := c.again.mem
	kept := inBatches(ctx, c.tx, c.kept(), scanKept)
	stored := &entryStream{from: inBatches(ctx, c.also[0], "SELECT n, data, hash, sum FROM entry ORDER BY n", scanEntry)}
	index := make(chan indexRead, 1)
	go func() { index <- readIndex(ctx, c.also[1], hasher{seed: mem.seed}) }()
	mem.entries = func(rows []entryRow) error {
		for i := range rows {
			if err := c.entry(&rows[i], stored.next); err != nil {
				return err
			}
		}
		return nil
	}
	var is tableSums
	for b := range kept {
		if err := c.take(b.rows, &is); err != nil {
			return c.blame(err)
		}
		if b.err != nil {
			return b.err
		}
	}
	if extra, err := stored.next(); err != nil || extra != nil {
		if err == nil {
			err = &DisagreementError{Entry: extra.n, Table: "entry", Detail: "no kept reading makes it"}
		}
		return err
	}
	read := <-index
	if read.err != nil {
		return read.err
	}
	is.paper, is.meter, is.listing = read.sums.paper, read.sums.meter, read.sums.listing
	for _, t := range []struct {
		table    string
		is, want uint64
	}{
		{"record", is.record, mem.sums.record},
		{"paper", is.paper, mem.sums.paper},
		{"meter", is.meter, mem.sums.meter},
		{"listing", is.listing, mem.sums.listing},
	} {
		if t.is != t.want {
			return c.locate(t.table)
		}
	}
	return c.ctx.Err()
}

// take gives some kept records to the fresh books.
func (c *check) take(rows []keptRecord, is *tableSums) error {
	if len(rows) == 0 {
		return nil
	}
	entries := make([]journal.Entry, len(rows))
	for i := range rows {
		r := &rows[i]
		entries[i] = r.was
		if r.typ.IsAct() {
			continue
		}
		is.record += c.again.mem.record(r.pos, r.own, r.eff, int64(r.party), int64(r.flags))
	}
	if last := &rows[len(rows)-1]; last.pos > c.cursor {
		return &DisagreementError{Pos: last.pos, Table: last.table(), Detail: fmt.Sprintf("lies after the cursor %d", c.cursor)}
	}
	if err := errors.Join(c.again.Apply(entries), c.again.Flush()); err != nil {
		if d, ok := errors.AsType[*DisagreementError](err); ok {
			return d
		}
		return err
	}
	c.v.Records += uint64(len(rows))
	if c.o.Progress != nil {
		c.o.Progress(c.v.Records, c.all)
	}
	return nil
}

// blame names the record that was changed where its entry disagrees: what it
// makes instead is the lesser news.
func (c *check) blame(err error) error {
	d, ok := errors.AsType[*DisagreementError](err)
	if !ok || d.Table != "entry" {
		return err
	}
	rows, queryErr := c.tx.QueryContext(c.ctx, c.kept())
	if queryErr != nil {
		return errors.Join(err, queryErr)
	}
	defer rows.Close()
	row, columnsErr := columnsOfRows(rows)
	if columnsErr != nil {
		return errors.Join(err, columnsErr)
	}
	for rows.Next() {
		if scanErr := row.next(rows); scanErr != nil {
			return errors.Join(err, scanErr)
		}
		var r keptRecord
		if changed := scanKept(row, &r); changed != nil {
			return changed
		}
	}
	return errors.Join(err, rows.Err())
}

// entryStream gives the stored entries one by one.
type entryStream struct {
	from <-chan batch[entryBytes]
	have batch[entryBytes]
}

// next returns the next entry, nil at the end.
func (s *entryStream) next() (*entryBytes, error) {
	for len(s.have.rows) == 0 {
		if s.have.err != nil {
			return nil, s.have.err
		}
		b, more := <-s.from
		if !more {
			return nil, nil
		}
		s.have = b
	}
	e := &s.have.rows[0]
	s.have.rows = s.have.rows[1:]
	return e, nil
}

// entry compares a recomputed entry with the next that is stored.
func (c *check) entry(want *entryRow, next func() (*entryBytes, error)) error {
	is, err := next()
	if err != nil {
		return err
	}
	if is != nil && is.n == want.n && bytes.Equal(is.data, want.data) && bytes.Equal(is.hash, want.hash[:]) {
		c.v.Entries = want.n
		return nil
	}
	e, err := DecodeEntry(want.data)
	if err != nil {
		return err
	}
	d := &DisagreementError{Entry: want.n, Pos: e.Pos, Table: "entry"}
	switch {
	case is == nil || is.n != want.n:
		d.Detail = "it is missing"
	case !bytes.Equal(want.data, is.data):
		d.Detail = "it is not what the kept readings make" + difference(e, is.data)
	default:
		d.Detail = "its hash differs: it, its record or the hash was changed"
	}
	return d
}
