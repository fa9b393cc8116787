package api

import (
	"bytes"
	"encoding/csv"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/simpang-id/simpang/internal/city"
)

// table is an answer in rows, for spreadsheets. A cell is nil, string, bool,
// int64 or float64.
type table struct {
	name    string // of the file, without its ending
	columns []string
	rows    [][]any
}

// maxSheetRows is how many rows a workbook may have; CSV takes more.
const maxSheetRows = 20_000

const sheetType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

func (t *table) add(cells ...any) { t.rows = append(t.rows, cells) }

// writeTable answers with a table as csv or xlsx. tag may be "".
func (s *Server) writeTable(w http.ResponseWriter, q *request, t *table, cache []string, tag string) error {
	var body []byte
	var err error
	kind := []string{"text/csv; charset=utf-8; header=present"}
	if q.format() == "xlsx" {
		kind = []string{sheetType}
		body, err = t.xlsx()
	} else {
		body, err = t.csv()
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+t.name+"."+q.format()+`"`)
	switch {
	case tag != "":
		writeBytes(w, q.Request, kind, cache, tag, body)
	case q.route.public():
		writePublic(w, q, kind, body)
	default:
		h := w.Header()
		h["Content-Type"] = kind
		h["Cache-Control"] = notStored
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
	return nil
}

// csv writes the table by RFC 4180.
func (t *table) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write(t.columns); err != nil {
		return nil, err
	}
	record := make([]string, len(t.columns))
	for _, row := range t.rows {
		for i, cell := range row {
			record[i] = csvCell(cell)
		}
		if err := w.Write(record); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// lineEnds makes every end of a line one that CSV keeps.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func csvCell(cell any) string {
	switch c := cell.(type) {
	case string:
		return harmless(lineEnds.Replace(c))
	case bool:
		return strconv.FormatBool(c)
	case int64:
		return strconv.FormatInt(c, 10)
	case float64:
		return strconv.FormatFloat(c, 'f', -1, 64)
	default:
		return ""
	}
}

// harmless keeps a spreadsheet from taking a text for a formula (OWASP, CSV
// injection): such a text gets an apostrophe before it, and so does one that
// begins with a tab or the end of a line.
func harmless(text string) string {
	trimmed := strings.TrimLeft(text, " \u00a0\ufeff")
	if trimmed != "" && strings.ContainsAny(firstRune(trimmed), "\t\n=+-@|%＝＋－＠") {
		return "'" + text
	}
	return text
}

func firstRune(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// xlsx writes the table as a workbook: a header that stays, real numbers, and real
// dates and times, those in the city's zone. Its texts are cells of type text,
// which no spreadsheet takes for a formula.
func (t *table) xlsx() (_ []byte, err error) {
	if len(t.rows) > maxSheetRows {
		return nil, badParameter("format", "xlsx takes "+strconv.Itoa(maxSheetRows)+" rows at most: use csv, or ask for less")
	}
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	sheet, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	if err := sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	look, err := newTimeStyles(f)
	if err != nil {
		return nil, err
	}
	header := make([]any, len(t.columns))
	for i, name := range t.columns {
		header[i] = name
	}
	if err := sheet.SetRow("A1", header); err != nil {
		return nil, err
	}
	cells := make([]any, len(t.columns))
	for i, row := range t.rows {
		for n, cell := range row {
			cells[n] = look.cell(cell)
		}
		if err := sheet.SetRow("A"+strconv.Itoa(i+2), cells[:len(row)]); err != nil {
			return nil, err
		}
	}
	if err := sheet.Flush(); err != nil {
		return nil, err
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// timeStyles are the numbers of a workbook's styles of dates and times.
type timeStyles struct{ date, at int }

func newTimeStyles(f *excelize.File) (s timeStyles, err error) {
	date, at := "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
	if s.date, err = f.NewStyle(&excelize.Style{CustomNumFmt: &date}); err != nil {
		return s, err
	}
	s.at, err = f.NewStyle(&excelize.Style{CustomNumFmt: &at})
	return s, err
}

// cell makes a text that is a date or a time one; a workbook's times have no zone.
func (s *timeStyles) cell(cell any) any {
	text, ok := cell.(string)
	if !ok {
		return cell
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return excelize.Cell{StyleID: s.date, Value: day}
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		y, m, d := at.Date()
		return excelize.Cell{StyleID: s.at, Value: time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)}
	}
	return cell
}

// Cells of values that may be unknown.
func cellInt(i city.Int) any {
	if !i.OK {
		return nil
	}
	return i.V
}

// cellUint is a number where a table's column has room for it, else its digits.
func cellUint(u city.Uint) any {
	switch {
	case !u.OK:
		return nil
	case u.V > math.MaxInt64:
		return strconv.FormatUint(u.V, 10)
	}
	return int64(u.V)
}

func cellMilli(m city.Milli) any {
	if f, ok := m.Float(); ok {
		return f
	}
	return nil
}

func cellAge(observed, now int64) any {
	if observed == 0 {
		return nil
	}
	return ageS(observed, now)
}
