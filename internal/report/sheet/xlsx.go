package sheet

import (
	"fmt"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// styles are the numbers of a workbook's styles.
type styles struct{ head, rupiah, number, date, total, totalText int }

func newStyles(f *excelize.File) (s styles, err error) {
	bold := &excelize.Font{Bold: true}
	money, date := "#,##0", "yyyy-mm-dd"
	top := []excelize.Border{{Type: "top", Style: 1, Color: "000000"}}
	for _, x := range []struct {
		into  *int
		style excelize.Style
	}{
		{&s.head, excelize.Style{Font: bold, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDE6F0"}}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}},
		{&s.rupiah, excelize.Style{CustomNumFmt: &money}},
		{&s.number, excelize.Style{NumFmt: 2}},
		{&s.date, excelize.Style{CustomNumFmt: &date}},
		{&s.total, excelize.Style{Font: bold, CustomNumFmt: &money, Border: top}},
		{&s.totalText, excelize.Style{Font: bold, Border: top}},
	} {
		if *x.into, err = f.NewStyle(&x.style); err != nil {
			return s, err
		}
	}
	return s, nil
}

// XLSX writes the sheet as a workbook: real numbers and dates, a header that
// stays, totals in the last row, the notes on a second sheet. Its texts are cells of type text, which no
// spreadsheet takes for a formula.
func (s *Sheet) XLSX() (_ []byte, err error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("xlsx of %s: %w", s.Name, err)
	}
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	b, err := s.fill(f)
	if err != nil {
		return nil, fmt.Errorf("xlsx of %s: %w", s.Name, err)
	}
	return b, nil
}

func (s *Sheet) fill(f *excelize.File) ([]byte, error) {
	look, err := newStyles(f)
	if err != nil {
		return nil, err
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	if err := w.SetColWidth(1, len(s.Columns), 16); err != nil {
		return nil, err
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	header := make([]any, len(s.Columns))
	for i, c := range s.Columns {
		header[i] = excelize.Cell{StyleID: look.head, Value: c.Title}
	}
	if err := w.SetRow("A1", header); err != nil {
		return nil, err
	}
	cells := make([]any, len(s.Columns))
	for n, row := range s.Rows {
		for i, c := range s.Columns {
			cells[i] = look.cell(c.Kind, row[i])
		}
		if err := w.SetRow("A"+strconv.Itoa(n+2), cells); err != nil {
			return nil, err
		}
	}
	if sums, ok := s.totals(); ok {
		for i := range cells {
			cells[i] = excelize.Cell{StyleID: look.totalText}
			if sums[i] != nil {
				cells[i] = excelize.Cell{StyleID: look.total, Value: sums[i]}
			}
		}
		if sums[0] == nil {
			cells[0] = excelize.Cell{StyleID: look.totalText, Value: "Jumlah"}
		}
		if err := w.SetRow("A"+strconv.Itoa(len(s.Rows)+2), cells); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if err := s.notes(f); err != nil {
		return nil, err
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// notes writes what stands under the table of a page into a sheet of its own.
func (s *Sheet) notes(f *excelize.File) error {
	if len(s.Notes) == 0 {
		return nil
	}
	const name = "Catatan"
	if _, err := f.NewSheet(name); err != nil {
		return err
	}
	for i, note := range append([]string{s.Title}, s.Notes...) {
		if err := f.SetCellStr(name, "A"+strconv.Itoa(i+1), note); err != nil {
			return err
		}
	}
	return nil
}

func (l *styles) cell(kind Kind, v any) any {
	switch {
	case v == nil:
		return nil
	case kind == Rupiah:
		return excelize.Cell{StyleID: l.rupiah, Value: v}
	case kind == Number:
		return excelize.Cell{StyleID: l.number, Value: v}
	case kind == Date:
		if day, err := time.Parse(time.DateOnly, fmt.Sprint(v)); err == nil {
			return excelize.Cell{StyleID: l.date, Value: day}
		}
	}
	return v
}
