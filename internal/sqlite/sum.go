package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

// SumColumn is the column that holds a row's checksum: Sum of the table's name
// and of every other column, in their order. SQLite sees a damaged page, but no
// bit that was flipped inside a value. Columns behind the checksum's came with a
// later migration: those of them at the end that are 0 are left out, so that a
// row of before keeps its checksum.
const SumColumn = "sum"

// ErrSum says that a row is not what was written.
var ErrSum = errors.New("a stored row is not what was written: its checksum differs")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum is the CRC32C over a table's name and the values of a row, as SQLite
// holds them: integers, texts, blobs, NULL.
func Sum(table string, values ...any) int64 {
	head := make([]byte, 0, 64)
	head = append(head, table...)
	crc := uint32(0)
	for _, value := range values {
		switch v := value.(type) {
		case nil:
			head = append(head, 'n')
		case bool:
			n := int64(0)
			if v {
				n = 1
			}
			head = appendInt(head, n)
		case int64:
			head = appendInt(head, v)
		case uint64:
			head = appendInt(head, int64(v))
		case uint16:
			head = appendInt(head, int64(v))
		case sql.NullInt64:
			if !v.Valid {
				head = append(head, 'n')
				continue
			}
			head = appendInt(head, v.Int64)
		case string:
			head = appendText(head, v)
		case []byte:
			crc, head = crc32.Update(crc, castagnoli, appendLength(head, v)), head[:0]
			crc = crc32.Update(crc, castagnoli, v)
		default:
			panic(fmt.Sprintf("sqlite: a %T has no checksum", value)) // a fault of ours, which every test of the table finds
		}
	}
	return int64(crc32.Update(crc, castagnoli, head))
}

func appendInt(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
}

// CheckSum compares a row that was read with the checksum that it carries.
func CheckSum(sum int64, table string, values ...any) error {
	if sum != Sum(table, values...) {
		return fmt.Errorf("%s: %w", table, ErrSum)
	}
	return nil
}

// CheckSums compares the schema and every row of every table that has
// checksums, and returns how many rows there were. No snapshot is held for long.
func (d *DB) CheckSums(ctx context.Context) (rows int, err error) {
	if err := checkSchema(ctx, d.R); err != nil {
		return 0, fmt.Errorf("check %s: %w", d.path, err)
	}
	tables, err := summed(ctx, d.R)
	if err != nil {
		return 0, fmt.Errorf("check %s: %w", d.path, err)
	}
	for _, t := range tables {
		n, err := t.each(ctx, d.R, func(key []any, stored, sum int64) error {
			if stored != sum {
				return fmt.Errorf("row %v: %w", key, ErrSum)
			}
			return nil
		})
		if rows += n; err != nil {
			return rows, fmt.Errorf("check %s: %s: %w", d.path, t.name, err)
		}
	}
	return rows, nil
}

// fillSums gives every row of a file of before the checksum of what it holds.
func fillSums(ctx context.Context, tx *sql.Tx) error {
	tables, err := summed(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.fill(ctx, tx); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

func (t *table) fill(ctx context.Context, tx *sql.Tx) error {
	update, err := tx.PrepareContext(ctx, t.update())
	if err != nil {
		return err
	}
	defer func() { _ = update.Close() }() // the transaction tells
	_, err = t.each(ctx, tx, func(key []any, _, sum int64) error {
		_, err := update.ExecContext(ctx, append([]any{sum}, key...)...)
		return err
	})
	return err
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// table is one that has checksums.
type table struct {
	name    string
	columns []string // without the checksum's
	before  int      // columns that stand before the checksum's
	key     []int    // places among the columns, in the key's order
}

// summed lists the tables that have checksums.
func summed(ctx context.Context, q querier) (tables []*table, err error) {
	rows, err := q.QueryContext(ctx, `SELECT s.name, c.name, c.pk FROM sqlite_schema s, pragma_table_info(s.name) c
		WHERE s.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(s.name) WHERE name = ?) ORDER BY s.name, c.cid`, SumColumn)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	keys := map[int]int{} // of the last table: place in the key to place among the columns
	for rows.Next() {
		var name, column string
		var pk int
		if err := rows.Scan(&name, &column, &pk); err != nil {
			return nil, err
		}
		n := len(tables)
		if n == 0 || tables[n-1].name != name {
			tables, keys, n = append(tables, &table{name: name}), map[int]int{}, n+1
		}
		t := tables[n-1]
		if column == SumColumn {
			t.before = len(t.columns)
			continue
		}
		if pk > 0 {
			keys[pk] = len(t.columns)
			t.key = t.key[:0]
			for i := 1; i <= len(keys); i++ {
				t.key = append(t.key, keys[i])
			}
		}
		t.columns = append(t.columns, column)
	}
	return tables, rows.Err()
}

// portion is how many rows one snapshot reads.
const portion = 512

// each calls f for every row with its key, the checksum that it carries and the
// one that it should.
func (t *table) each(ctx context.Context, q querier, f func(key []any, stored, sum int64) error) (n int, err error) {
	var after []any
	for {
		list, err := t.some(ctx, q, after)
		if err != nil {
			return n, err
		}
		for _, values := range list {
			stored, _ := values[len(t.columns)].(int64) // anything else is none
			after = after[:0]
			for _, i := range t.key {
				after = append(after, values[i])
			}
			if err := f(after, stored, Sum(t.name, t.summed(values[:len(t.columns)])...)); err != nil {
				return n, err
			}
			n++
		}
		if len(list) < portion {
			return n, nil
		}
	}
}

// summed returns the values that are in the checksum.
func (t *table) summed(values []any) []any {
	for len(values) > t.before && values[len(values)-1] == any(int64(0)) {
		values = values[:len(values)-1]
	}
	return values
}

// some returns the rows after a key: the columns, then the checksum.
func (t *table) some(ctx context.Context, q querier, after []any) (list [][]any, err error) {
	key := strings.Join(t.keyNames(), ", ")
	query := `SELECT "` + strings.Join(t.columns, `", "`) + `", "` + SumColumn + `" FROM "` + t.name + `"`
	if len(after) > 0 {
		query += " WHERE (" + key + ") > (" + strings.Repeat("?, ", len(after)-1) + "?)"
	}
	rows, err := q.QueryContext(ctx, query+fmt.Sprintf(" ORDER BY %s LIMIT %d", key, portion), after...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		values := make([]any, len(t.columns)+1)
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, v := range values {
			if f, ok := v.(float64); ok { // none of ours: damage
				values[i] = fmt.Sprint("real ", f)
			}
		}
		list = append(list, values)
	}
	return list, rows.Err()
}

func (t *table) keyNames() (names []string) {
	for _, i := range t.key {
		names = append(names, `"`+t.columns[i]+`"`)
	}
	return slices.Clip(names)
}

func (t *table) update() string {
	return `UPDATE "` + t.name + `" SET "` + SumColumn + `" = ? WHERE ` + strings.Join(t.keyNames(), " = ? AND ") + " = ?"
}
