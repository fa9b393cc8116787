package inventory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/strictyaml"
)

// column is one column of a table; the order in a file is free.
type column struct {
	name     string
	required bool // the column, and a value in each row
}

// table is one CSV file.
type table struct {
	p      *parser
	file   string
	comma  bool     // the separator is a comma, so that a decimal comma is none
	header []string // names by place, "" for a place without a name
	known  []string // every column of this kind of file
	rows   []row
}

// row is one line of a table.
type row struct {
	t     *table
	line  int
	cells []string
}

// readTable reads a CSV file with `,` or `;`, with or without BOM, LF or CRLF.
// Rows with a fault of form are left out; rows without any value are skipped.
func (p *parser) readTable(file string, columns []column) *table {
	data, ok := p.files[file]
	t := &table{p: p, file: file}
	for _, c := range columns {
		t.known = append(t.known, c.name)
	}
	if !ok {
		return t
	}
	if f := checkUTF8(data); f != nil {
		p.fault(file, f.line, "%s", f.message)
		return t
	}
	data = bytes.TrimPrefix(data, bom)
	head, _, _ := bytes.Cut(data, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	if bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		r.Comma = ';'
	}
	t.comma = r.Comma == ','
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 1
			if pe, ok := errors.AsType[*csv.ParseError](err); ok {
				line, err = pe.Line, pe.Err
			}
			p.fault(file, line, "not CSV (%s): close every quote, and write a quote inside of quotes twice", err)
			continue
		}
		line, _ := r.FieldPos(0)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if t.header == nil {
			if !t.head(line, cells, columns) {
				return t
			}
			continue
		}
		t.row(line, cells)
	}
	if t.header == nil {
		p.fault(file, 1, "the file is empty: give it a line of column names (%s) or remove it", strings.Join(t.known, ", "))
	}
	return t
}

// head takes the names of the columns. Rows are read on beside a column that is
// unknown or there twice, so that their faults are told too; false where a
// required one is missing, since every row would only say so again.
func (t *table) head(line int, cells []string, columns []column) bool {
	whole := true
	t.header = cells
	for i, name := range cells {
		switch {
		case name == "" || slices.Contains(t.known, name) && !slices.Contains(cells[:i], name):
		case slices.Contains(cells[:i], name):
			t.p.fault(t.file, line, "column %s is there twice: keep one", name)
		default:
			t.p.fault(t.file, line, "unknown column %s: %s", short(name), strictyaml.Suggest(name, t.known))
		}
	}
	for _, c := range columns {
		if c.required && !slices.Contains(cells, c.name) {
			t.p.fault(t.file, line, "column %s is missing: add it", c.name)
			whole = false
		}
	}
	return whole
}

func (t *table) row(line int, cells []string) {
	if !slices.ContainsFunc(cells, func(s string) bool { return s != "" }) {
		return
	}
	if len(cells) != len(t.header) {
		t.p.fault(t.file, line, "the row has %d values, the header %d names: put a value that holds the separator in quotes, or fill the row up", len(cells), len(t.header))
		return
	}
	for i, cell := range cells {
		if cell != "" && t.header[i] == "" {
			t.p.fault(t.file, line, "value %q stands in no named column: name the column or mend the separators", short(cell))
			return
		}
	}
	t.rows = append(t.rows, row{t, line, cells})
}

// fault tells a fault of this row.
func (r row) fault(format string, args ...any) {
	r.t.p.fault(r.t.file, r.line, format, args...)
}

// text returns a value, "" where the column or the value is left out.
func (r row) text(name string) string {
	i := slices.Index(r.t.header, name)
	if i < 0 {
		return ""
	}
	s := r.cells[i]
	if f := checkText(s); f != "" {
		r.fault("%s %s", name, f)
		return ""
	}
	return s
}

// need returns a value that must be there.
func (r row) need(name string) string {
	s := r.text(name)
	if s == "" {
		r.fault("%s is empty: fill it in", name)
	}
	return s
}

// checked returns a value that check accepts, "" where it is left out or has a
// fault; check says what is wrong, and what to do.
func (r row) checked(name string, check func(string) string) string {
	s := r.text(name)
	if s == "" {
		return ""
	}
	if f := check(s); f != "" {
		r.fault("%s %s", name, f)
		return ""
	}
	return s
}

// id returns an id that must be there.
func (r row) id(name string) string {
	if r.need(name) == "" {
		return ""
	}
	return r.checked(name, checkID)
}

// word returns one of the words, "" where it is left out.
func (r row) word(name string, words ...string) string {
	return r.checked(name, func(s string) string { return checkWord(s, words) })
}

// whole returns a whole number between bounds; ok is false where it is left
// out or has a fault.
func (r row) whole(name string, low, high int64) (n int64, ok bool) {
	s := r.text(name)
	if s == "" {
		return 0, false
	}
	n, f := parseWhole(s, low, high)
	if f != "" {
		r.fault("%s %s", name, f)
		return 0, false
	}
	return n, true
}

// yes returns a 0/1 column, false where it is left out.
func (r row) yes(name string) bool {
	switch s := r.text(name); strings.ToLower(s) {
	case "", "0", "false":
		return false
	case "1", "true":
		return true
	default:
		r.fault("%s is %q: write 1 or 0", name, short(s))
		return false
	}
}

// date returns a date, "" where it is left out or has a fault.
func (r row) date(name string) string { return r.checked(name, checkDate) }

// twice reports a key that an earlier row has too.
func (r row) twice(seen map[string]int, key, what string) bool {
	if first, ok := seen[key]; ok {
		r.fault("%s is there twice (first on line %d): keep one", what, first)
		return true
	}
	seen[key] = r.line
	return false
}

func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
