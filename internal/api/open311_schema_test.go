package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/token"
)

const schemaFolder = "/work/shared/data/open311"

// schemas reads the JSON schemas of Open311's own validation.
func schemas(t *testing.T) map[string]map[string]any {
	t.Helper()
	if _, err := os.Stat(schemaFolder); err != nil {
		t.Skip("no JSON schemas of Open311 at " + schemaFolder)
	}
	out := map[string]map[string]any{}
	for _, name := range []string{"request.json", "requests.json", "service.json", "services.json", "service-definition.json", "swagger.json"} {
		data, err := os.ReadFile(filepath.Join(schemaFolder, name))
		require.NoError(t, err)
		var s map[string]any
		require.NoError(t, json.Unmarshal(data, &s))
		out[name] = s
	}
	for name, s := range out["swagger.json"]["definitions"].(map[string]any) {
		out["#/definitions/"+name] = s.(map[string]any)
	}
	return out
}

// wrong lists where a value does not fit a schema: the keywords that those of
// Open311 use.
func wrong(all map[string]map[string]any, s map[string]any, v any, at string) []string {
	if ref, ok := s["$ref"].(string); ok {
		return wrong(all, all[ref], v, at)
	}
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	if choices, ok := s["anyOf"].([]any); ok {
		if !slices.ContainsFunc(choices, func(c any) bool { return len(wrong(all, c.(map[string]any), v, at)) == 0 }) {
			fault("%v is none of %v", v, choices)
		}
	}
	if kind, ok := s["type"].(string); ok && kind != kindOf(v) && (kind != "number" || kindOf(v) != "integer") {
		fault("%v is no %s", v, kind)
	}
	if words, ok := s["enum"].([]any); ok && !slices.Contains(words, v) {
		fault("%v is none of %v", v, words)
	}
	text, isText := v.(string)
	if most, ok := s["maxLength"].(float64); ok && isText && utf8.RuneCountInString(text) > int(most) {
		fault("is too long")
	}
	switch s["format"] {
	case "date-time":
		if _, err := time.Parse(time.RFC3339, text); isText && err != nil {
			fault("%q is no date-time", text)
		}
	case "uri":
		if u, err := url.Parse(text); isText && (err != nil || !u.IsAbs()) {
			fault("%q is no uri", text)
		}
	}
	if members, ok := v.(map[string]any); ok {
		for _, name := range list(s["required"]) {
			if _, there := members[name.(string)]; !there {
				fault("%v is missing", name)
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for name, value := range members {
			if p, ok := properties[name].(map[string]any); ok {
				faults = append(faults, wrong(all, p, value, at+"."+name)...)
			}
		}
	}
	if items, ok := s["items"].(map[string]any); ok {
		for i, item := range list(v) {
			faults = append(faults, wrong(all, items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return faults
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func kindOf(v any) string {
	switch n := v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if n == float64(int64(n)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

// Open311's own schemas, and the definitions of its OpenAPI document, accept
// what we answer.
func TestOpen311FitsItsSchemas(t *testing.T) {
	all := schemas(t)
	st := newStage(t, withRegister(t))
	st.withReports(t)
	bare := st.file(t, "overcharged", "&description=x")
	addressed := st.form(t, "/open311/v2/requests.json", st.Secrets[token.Reporter], "service_code=no_karcis&address_string=Jl.+Veteran+1")
	require.Equal(t, http.StatusOK, addressed.StatusCode, addressed.body)
	st.post311(t, token.Admin, bare, "no_further_action", "u-1")
	check := func(path string, names ...string) {
		t.Helper()
		var v any
		require.NoError(t, json.Unmarshal([]byte(st.get(t, "/open311/v2/"+path).body), &v))
		for _, name := range names {
			if name[0] == '#' {
				one := all[name]
				for _, item := range append(list(v), map[bool][]any{true: {v}}[kindOf(v) == "object"]...) {
					require.Empty(t, wrong(all, one, item, path), name)
				}
				continue
			}
			require.Empty(t, wrong(all, all[name], v, path), name)
		}
	}
	check("services.json", "services.json", "#/definitions/Service")
	var services []map[string]any
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/open311/v2/services.json").body), &services))
	require.Greater(t, len(services), 6)
	for _, s := range services {
		check("services/"+s["service_code"].(string)+".json", "service-definition.json", "#/definitions/ServiceDefinition")
	}
	for _, path := range []string{"requests.json", "requests.json?extensions=true", "requests/" + bare + ".json"} {
		check(path, "requests.json", "#/definitions/Request")
	}
	check("tokens/"+bare+".json", "#/definitions/TokenResponse")
	var made any
	require.NoError(t, json.Unmarshal([]byte(addressed.body), &made))
	require.Empty(t, wrong(all, all["#/definitions/RequestResponse"], list(made)[0], "created"))
	require.NotEmpty(t, wrong(all, all["requests.json"], []any{map[string]any{"service_request_id": 1.0, "status": "done"}}, ""), "the check can fail")
}
