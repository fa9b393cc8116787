package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
)

// strictJSON decodes one JSON value into a struct or a list of them. Its members
// are those of the struct, written as there, each once: encoding/json would take
// Gross for gross, and the last of two.
func strictJSON(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badBody(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return problem(http.StatusBadRequest, "the body holds more than one JSON value")
	}
	t := reflect.TypeOf(into).Elem()
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	var names []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return checkMembers(json.NewDecoder(bytes.NewReader(body)), names)
}

// checkMembers looks through the objects of a value that was decoded, whose
// members have no members themselves.
func checkMembers(d *json.Decoder, names []string) error {
	var seen []string
	inObject, isName := false, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return badBody(err)
		}
		switch token {
		case json.Delim('{'):
			inObject, isName, seen = true, true, seen[:0]
			continue
		case json.Delim('}'):
			inObject = false
			continue
		}
		if !inObject {
			continue
		}
		if name, ok := token.(string); ok && isName {
			switch {
			case !slices.Contains(names, name):
				return badMember(name, "unknown member")
			case slices.Contains(seen, name):
				return badMember(name, "stands twice")
			}
			seen = append(seen, name)
		}
		isName = !isName
	}
}

func badMember(name, detail string) error {
	return problem(http.StatusBadRequest, cut(name)+": "+detail, city.FieldError{Field: cut(name), Detail: detail})
}
