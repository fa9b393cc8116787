// Package sheet writes a report as a workbook, as a page to print and as the
// Satu Data metadata of its data set. Titles are Indonesian, English beside.
package sheet

import (
	"fmt"
	"time"
)

// MostRows is how many rows a workbook or page may have; CSV takes more.
const MostRows = 20_000

// Kind is what the cells of a column are.
type Kind uint8

// The kinds of column, with the Go type of their cells; nil is an empty cell.
const (
	Text   Kind = iota // string
	Count              // int64
	Rupiah             // int64
	Number             // float64
	Date               // string, YYYY-MM-DD
	Flag               // bool
)

// Column is a column of a report.
type Column struct {
	Name  string // in CSV and JSON
	Title string // Indonesian
	EN    string
	Kind  Kind
	Unit  string // for the metadata; "" by kind
	Total bool   // the column adds up
}

// Sheet is a report in rows. A cell has its column's type, or is nil.
type Sheet struct {
	Name    string // of the file, without its ending
	Title   string // Indonesian
	EN      string
	Notes   []string // under the table, Indonesian
	Columns []Column
	Rows    [][]any
	About   About
}

// About is what the metadata file says besides the columns.
type About struct {
	Concept    string // konsep
	Definition string // definisi
	Class      string // klasifikasi
	Measure    string // ukuran
	Period     string // what the data are of: a day, month or year
	Producer   string // produsen data
	Custodian  string // walidata
	City       string
	Region     string // kode wilayah, of the ministry
	Licence    string
	Updated    time.Time // when the data were as they are
}

// Add adds a row.
func (s *Sheet) Add(cells ...any) { s.Rows = append(s.Rows, cells) }

// totals returns the sums of the columns that add up, nil for others. A column
// with an unknown cell has no sum.
func (s *Sheet) totals() ([]any, bool) {
	sums := make([]any, len(s.Columns))
	any := false
	for i, c := range s.Columns {
		if !c.Total || len(s.Rows) == 0 {
			continue
		}
		var sum int64
		known := true
		for _, row := range s.Rows {
			v, ok := row[i].(int64)
			known = known && ok
			sum += v
		}
		if known {
			sums[i], any = sum, true
		}
	}
	return sums, any
}

func (s *Sheet) check() error {
	if len(s.Rows) > MostRows {
		return fmt.Errorf("%d rows are more than %d", len(s.Rows), MostRows)
	}
	for i, row := range s.Rows {
		if len(row) != len(s.Columns) {
			return fmt.Errorf("row %d has %d cells for %d columns", i, len(row), len(s.Columns))
		}
	}
	return nil
}
