package api

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/token"
)

// handler answers one request that passed every check of its route. An error
// becomes a problem; nothing may have been written then.
type handler func(s *Server, w http.ResponseWriter, q *request) error

// route is one row of the table that the router, the checks and the OpenAPI
// document are made of.
type route struct {
	Method  string
	Path    string // chi's pattern
	Name    string // operationId
	Tag     string
	Summary string
	Doc     string
	Params  []param
	Formats []string     // values of `format` besides json
	Roles   []token.Role // nil: public
	Body    reflect.Type // JSON body that is required; nil: none
	Answer  reflect.Type // of status 200, or of Status; nil: no body
	Media   string       // media type of the answer; "" application/json
	Status  int          // of success; 0: 200
	Also    int          // another status with the same body; 0: none
	Problem []int        // statuses that problems may have besides those every route has
	Staff   bool         // public, but a token widens the answer
	Free    bool         // not rate limited
	Sheet   bool         // the body may be an array of Body, or CSV
	Kept    bool         // answers are kept with the board, by query
	Open311 bool         // of the Open311 face: endings, errors and loose parameters as the standard has them
	Keyed   bool         // public, but the form holds a key that the handler checks
	MaxBody int64        // bytes; 0: maxBody
	Bare    bool         // without a body it is an empty object
	Handle  handler

	// Logged tells whether a request reads money, so that it is written down
	// before it is answered; nil: never.
	Logged func(s *Server, q *request) bool

	all   []param // with format; made once by finish
	plain bool    // no parameter is required: a request without a query has the defaults
}

func (t *route) public() bool { return t.Roles == nil }

// paths returns where the route is served: one of the Open311 face with each
// ending too, but where a parameter at its end holds it.
func (t *route) paths() []string {
	if !t.Open311 || strings.HasSuffix(t.Path, "}") {
		return []string{t.Path}
	}
	return []string{t.Path, t.Path + ".json", t.Path + ".xml"}
}

// typeOf returns the Go type that OpenAPI describes an answer by.
func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// List is an answer of items.
type List[T any] struct {
	Items []T        `json:"items"`
	Next  TextOrNull `json:"next" doc:"cursor of the next page, null at the end"`
}

// paramType is how a parameter is read and what OpenAPI calls it.
type paramType uint8

const (
	isText   paramType = iota
	isWhole            // integer within Min..Max
	isNumber           // finite number within Min..Max
	isFlag             // true or false
	isMoment           // RFC 3339 with zone, or a day: its begin in the city's zone
	isDay              // YYYY-MM-DD in the city's zone
	isStep             // 5m, 15m, 1h, 1d: a multiple of five minutes
	isBox              // lon,lat,lon,lat
	isList             // words of Enum with commas
	isCursor           // what `next` said
)

// param is one parameter of a query or path.
type param struct {
	Name     string
	Type     paramType
	Doc      string
	Enum     []string
	Default  string // as it would stand in the query
	Min, Max float64
	Required bool
	Path     bool
}

func pathID(doc string) param { return param{Name: "id", Doc: doc, Required: true, Path: true} }

func pageParams() []param {
	return []param{
		{Name: "limit", Type: isWhole, Min: 1, Max: 1000, Default: "100", Doc: "items at most"},
		{Name: "cursor", Type: isCursor, Doc: "`next` of the page before"},
	}
}

func spanParams(doc string) []param {
	return []param{
		{Name: "from", Type: isMoment, Doc: "begin, inclusive: RFC 3339 with zone, or a day; default " + doc},
		{Name: "to", Type: isMoment, Doc: "end, exclusive: RFC 3339 with zone, or a day; default now"},
	}
}

func formatParam(formats []string) param {
	return param{Name: "format", Enum: append([]string{"json"}, formats...), Default: "json", Doc: "how the answer is written"}
}

// finish works out what is asked of every request.
func (t *route) finish() {
	t.all = t.Params
	if len(t.Formats) > 0 {
		t.all = append(slices.Clip(t.all), formatParam(t.Formats))
	}
	t.plain = !slices.ContainsFunc(t.all, func(p param) bool { return p.Required })
}

func join(lists ...[]param) []param {
	var all []param
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
