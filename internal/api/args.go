package api

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/token"
)

// request is a request that passed the checks of its route.
type request struct {
	*http.Request
	route *route
	token *token.Token // nil without a valid one
	now   time.Time
	args  args
}

// args are the parameters of a request: few, so that a list is faster than a
// map, and much smaller.
type args []arg

type arg struct {
	name string
	value
}

// get returns a parameter, the zero value where there is none.
func (a args) get(name string) value {
	if i := a.find(name); i >= 0 {
		return a[i].value
	}
	return value{}
}

func (a args) find(name string) int {
	for i := range a {
		if a[i].name == name {
			return i
		}
	}
	return -1
}

// value is one parameter as read by its type.
type value struct {
	text  string
	whole int64 // Unix ms of a moment or day, minutes of a step
	num   float64
	box   [4]float64
	list  []string
	flag  bool
	given bool // in the request, not by default
}

func (q *request) text(name string) string { return q.args.get(name).text }

func (q *request) whole(name string) int { return int(q.args.get(name).whole) }

func (q *request) given(name string) bool { return q.args.get(name).given }

// format returns the format asked for.
func (q *request) format() string {
	if f := q.text("format"); f != "" {
		return f
	}
	return "json"
}

// class returns the class asked for, ClassNone without one.
func (q *request) class() city.Class {
	class, _ := city.ParseClass(q.text("class"))
	return class
}

// limit returns the page size of a route with pageParams.
func (q *request) limit() int {
	if i := q.args.find("limit"); i >= 0 {
		return int(q.args[i].whole)
	}
	return 100
}

// parse reads the parameters of a request by the route's table. Every fault
// is told at once.
func (s *Server) parse(t *route, r *http.Request) (args, error) {
	if t.Open311 {
		return s.pathArgs(t, r), nil
	}
	if r.URL.RawQuery == "" && t.plain {
		return s.defaults[t], nil
	}
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem(http.StatusBadRequest, "the query cannot be read: "+err.Error())
	}
	var faults []city.FieldError
	read := make(args, 0, len(t.all))
	for i := range t.all {
		p := &t.all[i]
		v, fault := s.argument(p, given, r)
		if fault != "" {
			faults = append(faults, city.FieldError{Field: p.Name, Detail: fault})
		}
		read = append(read, arg{p.Name, v})
		if !p.Path {
			delete(given, p.Name)
		}
	}
	var unknown []string
	for name := range given {
		unknown = append(unknown, name)
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		faults = append(faults, city.FieldError{Field: cut(name), Detail: "unknown parameter; " + t.known()})
	}
	if len(faults) > 0 {
		return nil, problem(http.StatusBadRequest, faults[0].Field+": "+faults[0].Detail, faults...)
	}
	return read, nil
}

// pathArgs reads the parameters of the path only: the handler reads the others,
// and leaves alone what it does not know.
func (s *Server) pathArgs(t *route, r *http.Request) args {
	var read args
	for i := range t.all {
		if p := &t.all[i]; p.Path {
			read = append(read, arg{p.Name, value{text: pathValue(r, p.Name), given: true}})
		}
	}
	return read
}

// defaultArgs returns what a request without a query asks for. It is shared
// and never changed.
func (s *Server) defaultArgs(t *route) args {
	read := make(args, 0, len(t.all))
	for i := range t.all {
		if p := &t.all[i]; p.Default != "" {
			v, _ := s.read(p, p.Default)
			read = append(read, arg{p.Name, v})
		}
	}
	return read
}

// known tells which parameters there are.
func (t *route) known() string {
	var names []string
	for _, p := range t.all {
		if !p.Path {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return "there are none"
	}
	return "known are " + strings.Join(names, ", ")
}

// argument reads one parameter; fault is "" where it is right.
func (s *Server) argument(p *param, given url.Values, r *http.Request) (v value, fault string) {
	raw, isGiven := p.Default, false
	switch values := given[p.Name]; {
	case p.Path:
		raw, isGiven = pathValue(r, p.Name), true
	case len(values) > 1:
		return v, "given more than once"
	case len(values) == 1:
		raw, isGiven = values[0], true
	}
	if !isGiven && raw == "" {
		if p.Required {
			return v, "is required"
		}
		return v, ""
	}
	v, fault = s.read(p, raw)
	v.given = isGiven
	return v, fault
}

// pathValue returns a path parameter, decoded.
func pathValue(r *http.Request, name string) string {
	raw := chi.URLParam(r, name)
	if r.URL.RawPath != "" {
		if decoded, err := url.PathUnescape(raw); err == nil {
			return decoded
		}
	}
	return raw
}

// read reads the text of one parameter by its type.
func (s *Server) read(p *param, raw string) (v value, fault string) {
	v.text = raw
	switch p.Type {
	case isText:
		if len(p.Enum) > 0 && !slices.Contains(p.Enum, raw) {
			return v, oneOf(p.Enum)
		}
	case isWhole:
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || float64(n) < p.Min || float64(n) > p.Max {
			return v, fmt.Sprintf("must be a whole number from %.0f to %.0f", p.Min, p.Max)
		}
		v.whole = n
	case isNumber:
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil || math.IsNaN(f) || f < p.Min || f > p.Max {
			return v, fmt.Sprintf("must be a number from %v to %v", p.Min, p.Max)
		}
		v.num = f
	case isFlag:
		if raw != "true" && raw != "false" {
			return v, "must be true or false"
		}
		v.flag = raw == "true"
	case isMoment:
		v.whole, fault = s.moment(raw)
	case isDay:
		day, err := time.ParseInLocation(time.DateOnly, raw, s.zone)
		if err != nil || day.Year() < 1 {
			return v, "must be a day like 2026-03-02"
		}
		v.whole = day.UnixMilli()
	case isStep:
		v.whole, fault = stepMinutes(raw)
	case isBox:
		v.box, fault = box(raw)
	case isList:
		v.list = strings.Split(raw, ",")
		for _, word := range v.list {
			if !slices.Contains(p.Enum, word) {
				return v, oneOf(p.Enum) + ", or several with commas"
			}
		}
	case isCursor:
		var ok bool
		if v.text, ok = keyOf(raw); !ok {
			return v, "must be what `next` said"
		}
	}
	return v, fault
}

func oneOf(words []string) string { return "must be one of " + strings.Join(words, ", ") }

// cursorOf makes a cursor of the last item's key, "" stays "". It carries a
// checksum: one that was mistyped or cut off is refused, not answered with some
// page or an empty one.
func cursorOf(key string) TextOrNull {
	if key == "" {
		return ""
	}
	return TextOrNull(base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32([]byte(key), crc32.ChecksumIEEE([]byte(key)))))
}

// keyOf returns the key of a cursor, false if it is none of cursorOf's.
func keyOf(cursor string) (string, bool) {
	decoded, err := base64.RawURLEncoding.DecodeString(cursor)
	n := len(decoded) - crc32.Size
	if err != nil || n <= 0 || binary.BigEndian.Uint32(decoded[n:]) != crc32.ChecksumIEEE(decoded[:n]) {
		return "", false
	}
	return string(decoded[:n]), true
}

func cut(text string) string {
	if len(text) > 100 {
		return text[:100]
	}
	return text
}
