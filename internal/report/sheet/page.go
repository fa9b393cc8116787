package sheet

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // of page.html
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("page").Parse(pageText))

// PagePolicy is the Content-Security-Policy of a page: its own style, nothing
// else.
func PagePolicy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}

type pageCell struct {
	Text  string
	Right bool
}

type pageData struct {
	*Sheet

	Style   template.CSS
	Body    [][]pageCell
	Totals  []pageCell
	Printed string
}

// HTML writes the sheet as a page to print.
func (s *Sheet) HTML() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("page of %s: %w", s.Name, err)
	}
	d := pageData{Sheet: s, Style: template.CSS(pageStyle), Printed: s.About.Updated.Format("2006-01-02 15:04 -07:00")} //nolint:gosec // our own file
	d.Body = make([][]pageCell, len(s.Rows))
	for i, row := range s.Rows {
		d.Body[i] = s.line(row)
	}
	if sums, ok := s.totals(); ok {
		d.Totals = s.line(sums)
		for i, c := range s.Columns {
			if !c.Total {
				d.Totals[i].Text = ""
			}
		}
		if sums[0] == nil {
			d.Totals[0].Text = "Jumlah / Total"
		}
	}
	var b bytes.Buffer
	if err := page.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("page of %s: %w", s.Name, err)
	}
	return b.Bytes(), nil
}

func (s *Sheet) line(row []any) []pageCell {
	out := make([]pageCell, len(row))
	for i, v := range row {
		out[i] = pageCell{Right: s.Columns[i].Kind == Count || s.Columns[i].Kind == Rupiah || s.Columns[i].Kind == Number}
		switch v := v.(type) {
		case nil:
			if s.Columns[i].Kind != Text {
				out[i].Text = "–"
			}
		case int64:
			out[i].Text = dots(v)
		case float64:
			out[i].Text = comma(v)
		case bool:
			out[i].Text = map[bool]string{true: "ya", false: "tidak"}[v]
		default:
			out[i].Text = fmt.Sprint(v)
		}
	}
	return out
}

// RupiahText writes an amount for a note: Rp1.234.567.
func RupiahText(v int64) string {
	if v < 0 {
		return "-Rp" + dots(-v)
	}
	return "Rp" + dots(v)
}

// dots writes a whole number as Indonesians do: 1.234.567.
func dots(v int64) string {
	digits := strconv.FormatInt(v, 10)
	sign := ""
	if v < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteRune(r)
	}
	return sign + b.String()
}

// comma writes a number with a comma and two places at most.
func comma(v float64) string {
	return strings.Replace(strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64), ".", ",", 1)
}
