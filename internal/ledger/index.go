package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// indexRead is what the tables by which readings are found hold.
type indexRead struct {
	sums tableSums
	err  error
}

// indexRow is a row of one of them: the reading that it is of, and its hash.
type indexRow struct {
	pos  uint64
	hash uint64
}

// indexTable is how one of them is read.
type indexTable struct {
	name, query string
	scan        func(*hasher, *columns) indexRow
	want        func(*hasher, *shelfRow, *city.Receipt) uint64
	sum         func(*tableSums) *uint64
}

var indexTables = []indexTable{
	{
		"paper", "SELECT device, number, class, amount, at, boot, seq, pos FROM paper ORDER BY device, number, class, amount, at, boot, seq, pos",
		func(h *hasher, c *columns) indexRow {
			m := moment{c.int(4), c.int(5), c.int(6), c.int(7)}
			return indexRow{uint64(m.pos), h.paper(h.number(c.int(0), c.text(1)), int(c.int(2)), c.int(3), m)}
		},
		func(h *hasher, r *shelfRow, body *city.Receipt) uint64 {
			return h.paper(h.number(int64(r.device), body.Number), int(r.class), r.amount, r.moment())
		},
		func(s *tableSums) *uint64 { return &s.paper },
	},
	{
		"meter", "SELECT device, boot, at, seq, pos, count, amount FROM meter ORDER BY device, boot, at, seq, pos",
		func(h *hasher, c *columns) indexRow {
			m := meterRow{device: c.int(0), reached: reached{step: step{c.int(1), c.int(2), c.int(3), c.int(4)}}}
			m.count.V, m.count.OK = c.maybe(5)
			m.amount.V, m.amount.OK = c.maybe(6)
			return indexRow{uint64(m.pos), h.meter(&m)}
		},
		func(h *hasher, r *shelfRow, body *city.Receipt) uint64 {
			return h.meter(&meterRow{int64(r.device), reached{r.step(), body.TotalCount, body.TotalAmount}})
		},
		func(s *tableSums) *uint64 { return &s.meter },
	},
	{
		"listing", "SELECT party, at, pos FROM listing ORDER BY party, at, pos",
		func(h *hasher, c *columns) indexRow {
			pos := uint64(c.int(2))
			return indexRow{pos, h.listing(c.int(0), c.int(1), pos)}
		},
		func(h *hasher, r *shelfRow, _ *city.Receipt) uint64 {
			return h.listing(int64(r.party), r.listed(), r.pos)
		},
		func(s *tableSums) *uint64 { return &s.listing },
	},
}

// recordTable is what changes in a record, in the same way.
var recordTable = indexTable{
	name: "record", query: "SELECT pos, own, eff, party, flags FROM record ORDER BY pos",
	scan: func(h *hasher, c *columns) indexRow {
		pos := uint64(c.int(0))
		return indexRow{pos, h.record(pos, uint64(c.int(1)), uint64(c.int(2)), c.int(3), c.int(4))}
	},
	want: func(h *hasher, r *shelfRow, _ *city.Receipt) uint64 {
		return h.record(r.pos, r.own, r.eff, int64(r.party), int64(r.flags))
	},
}

// readIndex sums what the tables hold.
func readIndex(ctx context.Context, tx *sql.Tx, h hasher) (read indexRead) {
	for i := range indexTables {
		t := &indexTables[i]
		sum := t.sum(&read.sums)
		read.err = t.each(ctx, tx, &h, func(_ int, r indexRow) error {
			*sum += r.hash
			return nil
		})
		if read.err != nil {
			return read
		}
	}
	return read
}

// each reads a table row by row, from 1 on.
func (t *indexTable) each(ctx context.Context, tx *sql.Tx, h *hasher, f func(row int, r indexRow) error) error {
	rows, err := tx.QueryContext(ctx, t.query)
	if err != nil {
		return fmt.Errorf("table %s: %w", t.name, err)
	}
	defer rows.Close()
	c, err := columnsOfRows(rows)
	if err != nil {
		return fmt.Errorf("table %s: %w", t.name, err)
	}
	for n := 1; rows.Next(); n++ {
		if err := c.next(rows); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		r := t.scan(h, c)
		if err := c.err(); err != nil {
			return &DisagreementError{Pos: r.pos, Table: t.name, Detail: fmt.Sprintf("row %d cannot be read: %v", n, err)}
		}
		if err := f(n, r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// locate finds the first row that is not as the fresh books have it, in a table
// of which it is known that there is one.
func (c *check) locate(table string) error {
	t := &recordTable
	for i := range indexTables {
		if indexTables[i].name == table {
			t = &indexTables[i]
		}
	}
	mem := c.again.mem
	h := hasher{seed: mem.seed}
	seen := map[uint64]bool{}
	err := t.each(c.ctx, c.also[1], &h, func(n int, is indexRow) error {
		r, err := mem.at(int64(is.pos))
		if errors.Is(err, sql.ErrNoRows) || seen[is.pos] {
			return &DisagreementError{Pos: is.pos, Table: table, Detail: fmt.Sprintf("row %d is one too many: it is of no kept reading", n)}
		}
		seen[is.pos] = true
		body, err := c.body(is.pos)
		if err != nil {
			return err
		}
		if t.want(&h, r, body) != is.hash {
			return &DisagreementError{Entry: r.own, Pos: r.pos, Table: table, Detail: fmt.Sprintf("row %d is not what the kept readings make", n)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range mem.n {
		if r := mem.row(i); !seen[r.pos] {
			return &DisagreementError{Entry: r.own, Pos: r.pos, Table: table, Detail: "the row of the reading is missing"}
		}
	}
	return &DisagreementError{Table: table, Detail: "a row is there twice"}
}

// body reads the receipt of a kept record.
func (c *check) body(pos uint64) (*city.Receipt, error) {
	var data []byte
	if err := c.tx.QueryRowContext(c.ctx, "SELECT data FROM record WHERE pos = ?", int64(pos)).Scan(&data); err != nil {
		return nil, fmt.Errorf("record of position %d: %w", pos, err)
	}
	r, err := journal.DecodeReading(data)
	if err != nil {
		return nil, fmt.Errorf("record of position %d: %w", pos, err)
	}
	return r.Receipt, nil
}
