package sheet

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // of form.html
	"encoding/base64"
	"fmt"
	"html/template"
)

//go:embed form.html
var formText string

//go:embed form.css
var formStyle string

var formPage = template.Must(template.New("form").Parse(formText))

// Form is one thing as a page to print: its fields, pictures and lists.
type Form struct {
	Title    string // Indonesian
	EN       string
	Fields   []FormField
	Pictures []Picture
	Lists    []FormList
	Notes    []string // Indonesian
	Signs    []string // who signs it
	About    About
}

// FormField is a line of a form.
type FormField struct{ Title, EN, Text string }

// Picture is a picture in a form.
type Picture struct {
	Title, EN string
	Type      string // its media type
	Data      []byte
}

// Source is the picture as an address that holds it.
func (p Picture) Source() template.URL {
	return template.URL("data:" + p.Type + ";base64," + base64.StdEncoding.EncodeToString(p.Data)) //nolint:gosec // our own chart, or a photo that was encoded anew
}

// FormList is a table in a form; all its cells are texts.
type FormList struct {
	Title, EN string
	Columns   []Column
	Rows      [][]string
}

// Add adds a field, unless nothing is known of it.
func (f *Form) Add(title, en, text string) {
	if text != "" {
		f.Fields = append(f.Fields, FormField{title, en, text})
	}
}

// FormPolicy is the Content-Security-Policy of a form: its own style and the
// pictures that it holds.
func FormPolicy() string {
	sum := sha256.Sum256([]byte(formStyle))
	return "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}

// HTML writes the form as a page to print.
func (f *Form) HTML() ([]byte, error) {
	d := struct {
		*Form

		Style   template.CSS
		Printed string
	}{f, template.CSS(formStyle), f.About.Updated.Format("2006-01-02 15:04 -07:00")} //nolint:gosec // our own file
	var b bytes.Buffer
	if err := formPage.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("page of %s: %w", f.Title, err)
	}
	return b.Bytes(), nil
}
