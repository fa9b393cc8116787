package api

import (
	"net/http"
	"reflect"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
)

// BookedLines is what became of lines that were written into the books.
type BookedLines struct {
	Verdict string   `json:"verdict" enum:"new,known" doc:"known: every line is booked already, word for word"`
	Lines   int      `json:"lines" doc:"in the request"`
	New     int      `json:"new" doc:"lines that were not known"`
	Entry   city.Int `json:"entry" doc:"number of the first new entry; null: none is new"`
}

// Standing is how a line stands in the books.
type Standing struct {
	Entry    uint64   `json:"entry"`
	BookedAt Time     `json:"booked_at"`
	By       string   `json:"by" doc:"id of the token"`
	UndoneBy city.Int `json:"undone_by" doc:"entry that took it back, or stands for it; null: it holds"`
}

// newLine is a line as it is sent.
type newLine[T any] interface {
	*T
	// line returns the line, and which numbers are missing.
	line() (journal.Line, []city.FieldError)
	// show sets the members from a line of the books.
	show(line journal.Line)
}

// booking answers a POST of lines of a type: all of them are booked, or none.
type booking[T any, P newLine[T]] struct{ t journal.Type }

func (b booking[T, P]) handle(s *Server, w http.ResponseWriter, q *request) error {
	in, err := readLines[T](q)
	if err != nil {
		return err
	}
	lines := make([]journal.Line, len(in.lines))
	faults := in.faults
	for i := range in.lines {
		line, missing := P(&in.lines[i]).line()
		lines[i] = line
		for _, f := range append(missing, ledger.CheckLine(line)...) {
			if field := in.where(i, f.Field); !named(faults, field) {
				faults = append(faults, city.FieldError{Field: field, Detail: f.Detail})
			}
		}
		if len(faults) > 100 {
			break
		}
	}
	if len(faults) > 0 {
		return problem(http.StatusUnprocessableEntity, faults[0].Field+": "+faults[0].Detail+"; nothing was booked", faults...)
	}
	v, err := s.Gate.Book(q.Context(), journal.Entry{Type: b.t, Act: &journal.Act{By: q.token.ID, Lines: lines}})
	if err != nil {
		return err
	}
	return answerVerdict(w, q, &v, len(lines), in.where)
}

func named(faults []city.FieldError, field string) bool {
	for _, f := range faults {
		if f.Field == field {
			return true
		}
	}
	return false
}

// answerVerdict tells what the books said.
func answerVerdict(w http.ResponseWriter, q *request, v *ledger.Verdict, lines int, where func(int, string) string) error {
	faults := make([]city.FieldError, 0, len(v.Faults))
	for _, f := range v.Faults {
		faults = append(faults, city.FieldError{Field: where(min(f.Line, lines-1), f.Field), Detail: f.Detail})
	}
	switch v.Outcome {
	case ledger.Booked:
		writeJSON(w, q, http.StatusCreated, BookedLines{Verdict: "new", Lines: lines, New: v.New, Entry: city.SomeInt(int64(v.Entry))})
		return nil
	case ledger.Known:
		writeJSON(w, q, http.StatusOK, BookedLines{Verdict: "known", Lines: lines})
		return nil
	case ledger.Conflict:
		return problem(http.StatusConflict, "a reference is booked already with other content; nothing was booked", faults...)
	case ledger.Refused:
	}
	detail := "the books refuse it; nothing was booked"
	if len(faults) > 0 {
		detail = faults[0].Field + ": " + faults[0].Detail + "; nothing was booked"
	}
	return problem(http.StatusUnprocessableEntity, detail, faults...)
}

// listing answers a GET of lines of a type, in the order in which they were
// booked. D is T with its Standing.
type listing[T, D any, P newLine[T]] struct {
	t    journal.Type
	name string // of the sheet
	with func(Standing, T) D
}

func (b listing[T, D, P]) handle(s *Server, w http.ResponseWriter, q *request) error {
	query := ledger.LineQuery{Type: b.t, Reference: q.text("reference"), After: q.text("cursor"), Limit: q.limit()}
	if q.given("from") {
		query.FromDate = q.text("from")
	}
	if q.given("to") {
		query.ToDate = q.text("to")
	}
	if q.given("from") && q.given("to") && query.FromDate > query.ToDate {
		return badParameter("from", "lies after to")
	}
	found, next, err := s.Books.Lines(q.Context(), query)
	if err != nil {
		return err
	}
	list := List[D]{Items: make([]D, 0, len(found)), Next: cursorOf(next)}
	members := membersOf(reflect.TypeFor[T]())
	sheet := &table{name: "revenue-" + b.name, columns: []string{"entry", "booked_at", "by", "undone_by"}}
	for _, m := range members {
		sheet.columns = append(sheet.columns, m.name)
	}
	for i := range found {
		l := &found[i]
		standing := Standing{Entry: l.Entry, BookedAt: s.at(l.At), By: l.By, UndoneBy: city.Int{V: int64(l.Undone), OK: l.Undone != 0}}
		var shown T
		P(&shown).show(l.Line)
		list.Items = append(list.Items, b.with(standing, shown))
		sheet.add(append([]any{int64(l.Entry), string(standing.BookedAt), l.By, cellInt(standing.UndoneBy)}, cellsOf(&shown, members)...)...)
	}
	if q.format() != "json" {
		linkNext(w, q, list.Next)
		return s.writeTable(w, q, sheet, notStored, "")
	}
	writeJSON(w, q, http.StatusOK, list)
	return nil
}

// cellsOf returns the members of a line as cells.
func cellsOf(line any, members []member) []any {
	v := reflect.ValueOf(line).Elem()
	cells := make([]any, len(members))
	for i, m := range members {
		switch f := v.Field(m.field).Interface().(type) {
		case string:
			cells[i] = f
		case *int64:
			cells[i] = cellInt(city.SomeInt(*f))
		}
	}
	return cells
}

// number reads a number that must be there.
func number(missing *[]city.FieldError, field string, n *int64) int64 {
	if n == nil {
		*missing = append(*missing, city.FieldError{Field: field, Detail: "is required"})
		return 0
	}
	return *n
}

func shownNumber[N ~int64 | ~uint64](n N) *int64 {
	v := int64(n)
	return &v
}
