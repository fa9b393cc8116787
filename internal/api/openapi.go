package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/simpang-id/simpang/internal/city"
)

const schemaPrefix = "#/components/schemas/"

// OpenAPI returns the OpenAPI 3.1 document, made from the table of routes and
// the types of the answers.
func OpenAPI(version string) ([]byte, error) {
	reg := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	reg.RegisterTypeAlias(reflect.TypeFor[city.Int](), reflect.TypeFor[*int64]())
	reg.RegisterTypeAlias(reflect.TypeFor[city.Uint](), reflect.TypeFor[*uint64]())
	reg.RegisterTypeAlias(reflect.TypeFor[city.Milli](), reflect.TypeFor[*float64]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Simpang", Version: version,
			Description: "Parking, traffic and parking revenue of a city. Times are RFC 3339 in the city's zone; money is whole rupiah; " +
				"`from` is inclusive, `to` exclusive; what is not known is null, never 0.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas: reg,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "an access token, in the header only"},
			},
		},
		Paths: map[string]*huma.PathItem{},
	}
	for _, tag := range []string{"parking", "traffic", "closures", "city", "revenue", "anomalies", "devices", "quarantine", "open311", "admin", "gateway"} {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: tag})
	}
	problem := reg.Schema(reflect.TypeFor[Problem](), true, "")
	for _, t := range allRoutes() {
		item := doc.Paths[t.Path]
		if item == nil {
			item = &huma.PathItem{}
			doc.Paths[t.Path] = item
		}
		op := operation(t, reg, problem)
		switch t.Method {
		case http.MethodPost:
			item.Post = op
		case http.MethodDelete:
			item.Delete = op
		default:
			item.Get = op
		}
	}
	for _, schema := range reg.Map() {
		soften(schema)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("api: openapi: %w", err)
	}
	return body, nil
}

// soften fits a generated schema to how answers are: arrays are never null, a
// nullable word may be null, and more members may be added later.
func soften(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	if s.Nullable && len(s.Enum) > 0 {
		s.Enum = append(s.Enum, nil)
	}
	if more, isBool := s.AdditionalProperties.(bool); isBool && !more {
		s.AdditionalProperties = nil
	}
	if more, isSchema := s.AdditionalProperties.(*huma.Schema); isSchema {
		soften(more)
	}
	soften(s.Items)
	for _, member := range s.Properties {
		soften(member)
	}
}

// operation describes one route.
func operation(t *route, reg huma.Registry, problem *huma.Schema) *huma.Operation {
	op := &huma.Operation{
		OperationID: t.Name, Summary: t.Summary, Description: describe(t), Tags: []string{t.Tag},
		Responses: map[string]*huma.Response{}, Security: security(t),
	}
	for i := range t.all {
		op.Parameters = append(op.Parameters, parameter(&t.all[i]))
	}
	if t.Body != nil {
		schema := reg.Schema(t.Body, true, "")
		op.RequestBody = &huma.RequestBody{Required: !t.Bare, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
		if t.Sheet {
			most := maxLines
			op.RequestBody.Content["application/json"].Schema = &huma.Schema{OneOf: []*huma.Schema{schema, {Type: huma.TypeArray, Items: schema, MaxItems: &most}}}
			op.RequestBody.Content["text/csv"] = &huma.MediaType{}
		}
	}
	status := t.Status
	if status == 0 {
		status = http.StatusOK
	}
	op.Responses[strconv.Itoa(status)] = success(t, reg, status)
	if t.Also != 0 {
		op.Responses[strconv.Itoa(t.Also)] = success(t, reg, t.Also)
	}
	if t.Open311 {
		describe311(t, op)
		return op
	}
	for _, status := range problems(t) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		}
	}
	if t.public() && t.Method == http.MethodGet && !t.Free && t.Media == "" {
		op.Responses["304"] = &huma.Response{Description: "the client has it already (If-None-Match)"}
	}
	return op
}

func describe(t *route) string {
	text := t.Doc
	if !t.public() {
		names := make([]string, len(t.Roles))
		for i, role := range t.Roles {
			names[i] = string(role)
		}
		text = strings.TrimSpace(text + " Roles: " + strings.Join(names, ", ") + ".")
	}
	return text
}

func security(t *route) []map[string][]string {
	if t.public() && !t.Staff {
		return nil
	}
	need := []map[string][]string{{"token": {}}}
	if t.Staff {
		need = append([]map[string][]string{{}}, need...) // or none
	}
	return need
}

func success(t *route, reg huma.Registry, status int) *huma.Response {
	r := &huma.Response{Description: http.StatusText(status)}
	if t.Answer == nil && t.Media == "" {
		return r
	}
	r.Content = map[string]*huma.MediaType{}
	switch {
	case t.Media != "" && t.Answer == nil:
		r.Content[t.Media] = &huma.MediaType{}
	default:
		r.Content["application/json"] = &huma.MediaType{Schema: reg.Schema(t.Answer, true, "")}
	}
	for _, format := range t.Formats {
		if format == "metadata" {
			continue // JSON too
		}
		r.Content[map[string]string{"csv": "text/csv", "xlsx": sheetType, "geojson": "application/geo+json", "html": "text/html"}[format]] = &huma.MediaType{}
	}
	return r
}

// problems returns the statuses that a route's problems may have.
func problems(t *route) []int {
	all := append([]int{http.StatusBadRequest, http.StatusInternalServerError}, t.Problem...)
	if !t.Free {
		all = append(all, http.StatusTooManyRequests)
	}
	if !t.public() {
		all = append(all, http.StatusUnauthorized, http.StatusForbidden)
	}
	if t.Body != nil {
		all = append(all, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return all
}

// parameter describes one parameter.
func parameter(p *param) *huma.Param {
	s := &huma.Schema{Type: huma.TypeString}
	switch p.Type {
	case isWhole:
		s.Type = huma.TypeInteger
		s.Minimum, s.Maximum = &p.Min, &p.Max
	case isNumber:
		s.Type = huma.TypeNumber
		s.Minimum, s.Maximum = &p.Min, &p.Max
	case isFlag:
		s.Type = huma.TypeBoolean
	case isMoment:
		s.AnyOf = []*huma.Schema{{Type: huma.TypeString, Format: "date-time"}, {Type: huma.TypeString, Format: "date"}}
	case isDay:
		s.Format = "date"
	case isStep:
		s.Pattern = stepPattern.String()
	case isBox:
		s.Pattern = `^[^,]+,[^,]+,[^,]+,[^,]+$`
	case isList:
		s.Type, s.Items = huma.TypeArray, &huma.Schema{Type: huma.TypeString}
	case isText, isCursor:
	}
	words := s
	if p.Type == isList {
		words = s.Items
	}
	for _, word := range p.Enum {
		words.Enum = append(words.Enum, word)
	}
	s.Default = defaultOf(p)
	out := &huma.Param{Name: p.Name, In: "query", Description: p.Doc, Required: p.Required, Schema: s}
	if p.Path {
		out.In = "path"
	}
	if p.Type == isList {
		joined := false
		out.Explode = &joined
	}
	return out
}

// defaultOf returns the default as the schema's type.
func defaultOf(p *param) any {
	if p.Default == "" {
		return nil
	}
	switch p.Type {
	case isWhole, isNumber:
		f, err := strconv.ParseFloat(p.Default, 64)
		if err != nil {
			return nil
		}
		return f
	case isList:
		return strings.Split(p.Default, ",")
	default:
		return p.Default
	}
}

// document serves /openapi.json.
func (s *Server) document(w http.ResponseWriter, q *request) error {
	writePublic(w, q, jsonType, s.openapi)
	return nil
}
