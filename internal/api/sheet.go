package api

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// What a request may hold that writes lines into the books.
const (
	maxSheet = 1 << 20 // bytes
	maxLines = 2000
)

// sent is the lines of a request with where each stands in it.
type sent[T any] struct {
	lines  []T
	where  func(line int, field string) string
	faults []city.FieldError // of cells that could not be read
}

// readLines reads the lines of a request: a JSON object, an array of them, or
// CSV with `,` or `;`.
func readLines[T any](q *request) (*sent[T], error) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, badBody(err)
	}
	media, _, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil {
		return nil, problem(http.StatusUnsupportedMediaType, "send Content-Type: application/json or text/csv")
	}
	var s *sent[T]
	if media == "text/csv" {
		s, err = readSheet[T](body)
	} else {
		s, err = readObjects[T](body)
	}
	switch {
	case err != nil:
		return nil, err
	case len(s.lines) > maxLines:
		return nil, problem(http.StatusRequestEntityTooLarge, "over "+strconv.Itoa(maxLines)+" lines in one request: send them in parts")
	case len(s.lines) == 0 && len(s.faults) == 0:
		return nil, problem(http.StatusUnprocessableEntity, "there is no line in it")
	}
	return s, nil
}

func readObjects[T any](body []byte) (*sent[T], error) {
	s := &sent[T]{where: func(_ int, field string) string { return field }}
	var err error
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		s.where = func(line int, field string) string { return "[" + strconv.Itoa(line) + "]." + field }
		err = strictJSON(body, &s.lines)
	} else {
		s.lines = make([]T, 1)
		err = strictJSON(body, &s.lines[0])
	}
	for i := range s.lines {
		trim(&s.lines[i])
	}
	return s, err
}

// trim takes the blanks from around the texts of a line, as from around cells:
// a line is the same in JSON and CSV.
func trim(line any) {
	for _, f := range reflect.ValueOf(line).Elem().Fields() {
		if f.Kind() == reflect.String {
			f.SetString(strings.TrimSpace(f.String()))
		}
	}
}

// member is a member of a line, and its column.
type member struct {
	name     string
	field    int
	required bool
}

// membersOf lists the members of a line's type, which are texts and whole numbers.
func membersOf(t reflect.Type) []member {
	list := make([]member, 0, t.NumField())
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		list = append(list, member{name, i, options != "omitempty"})
	}
	return list
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func readSheet[T any](body []byte) (*sent[T], error) {
	body = bytes.TrimPrefix(body, byteOrderMark)
	head, _, _ := bytes.Cut(body, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	if bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		r.Comma = ';'
	}
	var numbers []int
	s := &sent[T]{where: func(line int, field string) string { return "line " + strconv.Itoa(numbers[line]) + ": " + field }}
	var columns []*member
	for len(s.lines) <= maxLines {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, problem(http.StatusBadRequest, "the body is not CSV: "+err.Error())
		}
		line, _ := r.FieldPos(0)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case columns == nil:
			if columns, err = columnsOf(cells, membersOf(reflect.TypeFor[T]())); err != nil {
				return nil, err
			}
		case !slices.ContainsFunc(cells, func(c string) bool { return c != "" }):
		case len(cells) != len(columns):
			s.fault("line "+strconv.Itoa(line), "has "+strconv.Itoa(len(cells))+" values, the header "+strconv.Itoa(len(columns))+" names")
		default:
			numbers = append(numbers, line)
			s.lines = append(s.lines, *new(T))
			s.fill(columns, cells)
		}
	}
	return s, nil
}

func (s *sent[T]) fault(field, detail string) {
	const most = 100
	if len(s.faults) < most {
		s.faults = append(s.faults, city.FieldError{Field: field, Detail: detail})
	}
}

// columnsOf finds the members by the names in the header.
func columnsOf(names []string, members []member) ([]*member, error) {
	columns := make([]*member, len(names))
	var faults []city.FieldError
	for i, name := range names {
		at := slices.IndexFunc(members, func(m member) bool { return m.name == name })
		switch {
		case name == "":
			faults = append(faults, city.FieldError{Field: "column " + strconv.Itoa(i+1), Detail: "has no name: take it out"})
		case at < 0:
			faults = append(faults, city.FieldError{Field: cut(name), Detail: "unknown column"})
		case slices.Contains(names[:i], name):
			faults = append(faults, city.FieldError{Field: name, Detail: "the column is there twice"})
		default:
			columns[i] = &members[at]
		}
	}
	for i := range members {
		if members[i].required && !slices.Contains(names, members[i].name) {
			faults = append(faults, city.FieldError{Field: members[i].name, Detail: "the column is missing"})
		}
	}
	if len(faults) > 0 {
		return nil, problem(http.StatusUnprocessableEntity, "line 1: "+faults[0].Field+": "+faults[0].Detail, faults...)
	}
	return columns, nil
}

// fill sets the members of the last line.
func (s *sent[T]) fill(columns []*member, cells []string) {
	at := len(s.lines) - 1
	v := reflect.ValueOf(&s.lines[at]).Elem()
	for i, m := range columns {
		f := v.Field(m.field)
		if f.Kind() == reflect.String {
			f.SetString(cells[i])
			continue
		}
		if cells[i] == "" {
			continue
		}
		n, err := strconv.ParseInt(cells[i], 10, 64)
		if err != nil || cells[i][0] == '+' {
			s.fault(s.where(at, m.name), "must be a whole number in digits only")
			n = 0
		}
		f.Set(reflect.ValueOf(&n))
	}
}
