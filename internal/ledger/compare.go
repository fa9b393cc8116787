package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// tables are all tables, with the order in which they are compared.
var tables = []struct{ name, key string }{
	{"entry", "n"},
	{"record", "pos"},
	{"party", "id"},
	{"device", "id"},
	{"paper", "device, number, class, amount, at, boot, seq, pos"},
	{"meter", "device, boot, at, seq, pos"},
	{"listing", "party, at, pos"},
	{"book", "day, shelf"},
	{"act", "pos"},
	{"line", "type, ref"},
	{"credit", "month, account, masa, operator, npwpd, site, kind, block"},
	{"karcis", "series, state, first"},
	{"filed", "day, shelf"},
	{"tile", "level, n"},
}

// actTables came with the fourth migration.
var actTables = []string{"act", "line", "credit", "karcis", "filed"}

// compare compares a table row by row with the recomputed one.
func (c *check) compare(table, key string) error {
	if there, err := hasTable(c.ctx, c.tx, table); err == nil && !there && table == "tile" {
		return nil // a file that this program has not opened yet
	} else if err != nil {
		return err
	}
	query := "SELECT * FROM " + table + " ORDER BY " + key //nolint:gosec // both are from the list above
	want, err := c.again.db.R.QueryContext(c.ctx, query)
	if err != nil {
		return err
	}
	defer want.Close()
	is, err := c.tx.QueryContext(c.ctx, query)
	if err != nil {
		return err
	}
	defer is.Close()
	all, err := want.Columns()
	if err != nil {
		return err
	}
	columns, err := is.Columns() // a file that this program has not opened yet has fewer, the last ones missing
	if err != nil {
		return err
	}
	a, b := newRow(all), newRow(columns)
	for row := 1; ; row++ {
		wantMore, isMore := want.Next(), is.Next()
		if !wantMore && !isMore {
			return errors.Join(want.Err(), is.Err())
		}
		if err := errors.Join(scanRow(want, wantMore, a), scanRow(is, isMore, b)); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
		switch {
		case !isMore:
			return a.disagreement(table, columns, "row "+strconv.Itoa(row)+" is missing")
		case !wantMore:
			return b.disagreement(table, columns, "row "+strconv.Itoa(row)+" is one too many")
		}
		for i := range columns {
			if !bytes.Equal(a[i], b[i]) {
				return a.disagreement(table, columns, fmt.Sprintf("row %d differs in %s", row, columns[i]))
			}
		}
	}
}

// tableRow is the columns of a row as SQLite writes them.
type tableRow []sql.RawBytes

func newRow(columns []string) tableRow { return make(tableRow, len(columns)) }

func scanRow(rows *sql.Rows, there bool, into tableRow) error {
	if !there {
		return nil
	}
	args := make([]any, len(into))
	for i := range into {
		args[i] = &into[i]
	}
	return rows.Scan(args...)
}

// disagreement names the entry and position where the row has them.
func (r tableRow) disagreement(table string, columns []string, detail string) error {
	d := &DisagreementError{Table: table, Detail: detail}
	for i, column := range columns {
		v, err := strconv.ParseUint(string(r[i]), 10, 64)
		if err != nil {
			continue
		}
		switch column {
		case "n", "own":
			d.Entry = v
		case "pos":
			d.Pos = v
		case "day":
			d.Detail += ", the sums of " + dateOf(int32(v))
		}
	}
	return d
}
