package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/watch"
)

type operation struct {
	OperationID string
	Security    []map[string][]string
	RequestBody *struct{ Required bool }
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   map[string]any
	}
	Responses map[string]struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

type document struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]map[string]any }
}

func readDocument(t *testing.T, st *stage) document {
	t.Helper()
	var d document
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/openapi.json").body), &d))
	return d
}

func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	d := readDocument(t, newStage(t))
	require.Equal(t, "3.1.0", d.OpenAPI)
	seen := map[string]bool{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			require.False(t, seen[op.OperationID], op.OperationID)
			seen[op.OperationID] = true
			staff := may[strings.ToUpper(method)+" "+path] != nil
			require.Equal(t, staff, len(op.Security) == 1, "%s %s", method, path)
			form := keyed[strings.ToUpper(method)+" "+path] != nil
			require.Equal(t, staff || form, op.Responses["403"].Content != nil, "%s %s", method, path)
			for name := range op.Responses {
				if strings.HasPrefix(path, "/open311/") {
					require.NotContains(t, op.Responses[name].Content, "application/problem+json", "%s %s %s", method, path, name)
				} else if name[0] == '4' || name[0] == '5' && path != "/readyz" {
					require.Contains(t, op.Responses[name].Content, "application/problem+json", "%s %s %s", method, path, name)
				}
			}
			for _, p := range op.Parameters {
				require.Equal(t, strings.Contains(path, "{"+p.Name+"}"), p.In == "path", "%s %s", path, p.Name)
				require.Equal(t, p.In == "path" || path == "/v1/parking/nearby" && (p.Name == "lat" || p.Name == "lon"), p.Required, "%s %s", path, p.Name)
			}
		}
	}
	site := d.Components.Schemas["Site"]["properties"].(map[string]any)
	for _, member := range []string{
		"id", "name", "kind", "location", "address", "kecamatan", "segment", "classes", "accessible", "quality", "confidence",
		"observed_at", "age_s", "tariff", "payment", "restrictions", "official", "opening_hours",
	} {
		require.Contains(t, site, member)
	}
	require.ElementsMatch(t, []any{"integer", "null"}, site["age_s"].(map[string]any)["type"])
	trend := d.Components.Schemas["Segment"]["properties"].(map[string]any)["trend"].(map[string]any)
	require.ElementsMatch(t, []any{"rising", "steady", "falling", nil}, trend["enum"])
}

// Every answer that the server gives is as its document says.
func TestAnswersFitTheirSchemas(t *testing.T) {
	st := newStage(t)
	fillCity(st)
	aComplaint(t, st, "illegal_parking", "s-alun")
	d := readDocument(t, st)
	tried := 0
	for path, methods := range d.Paths {
		for method, op := range methods {
			status := "200"
			if _, created := op.Responses["201"]; created {
				status = "201"
			}
			media, described := op.Responses[status].Content["application/json"]
			if !described || media.Schema == nil {
				continue
			}
			tried++
			route := strings.ToUpper(method) + " " + path
			a := st.do(t, strings.ToUpper(method), fill(path), st.Secrets[token.Admin], bodyFor(route))
			require.Less(t, a.StatusCode, 300, a.body)
			var got any
			require.NoError(t, json.Unmarshal([]byte(a.body), &got))
			for _, fault := range validate(t, d, media.Schema, got) {
				require.Fail(t, route, "%v\n%s", fault, a.body)
			}
		}
	}
	require.Greater(t, tried, 20)
	require.NotEmpty(t, validate(t, d, map[string]any{"$ref": "#/components/schemas/Site"}, map[string]any{"id": "x"}), "the check can fail")
	p := st.do(t, http.MethodGet, "/v1/parking/sites?x=1", "", "").body
	var got any
	require.NoError(t, json.Unmarshal([]byte(p), &got))
	require.Empty(t, validate(t, d, map[string]any{"$ref": "#/components/schemas/Problem"}, got))
}

// validate checks a value against a schema of the document, read back from
// its JSON.
func validate(t *testing.T, d document, schema map[string]any, value any) []error {
	t.Helper()
	reg := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	for name, s := range d.Components.Schemas {
		reg.Map()[name] = schemaOf(t, s)
	}
	result := &huma.ValidateResult{}
	huma.Validate(reg, schemaOf(t, schema), huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, result)
	return result.Errors
}

// schemaOf makes a schema of its JSON; `type` may be a list with null.
func schemaOf(t *testing.T, m map[string]any) *huma.Schema {
	t.Helper()
	s := &huma.Schema{}
	s.Ref, _ = m["$ref"].(string)
	switch kind := m["type"].(type) {
	case string:
		s.Type = kind
	case []any:
		s.Type = kind[0].(string)
		s.Nullable = kind[len(kind)-1] == "null"
	}
	s.Format, _ = m["format"].(string)
	s.Enum, _ = m["enum"].([]any)
	if low, ok := m["minimum"].(float64); ok {
		s.Minimum = &low
	}
	if items, ok := m["items"].(map[string]any); ok {
		s.Items = schemaOf(t, items)
	}
	if members, ok := m["properties"].(map[string]any); ok {
		s.Properties = map[string]*huma.Schema{}
		for name, member := range members {
			s.Properties[name] = schemaOf(t, member.(map[string]any))
		}
	}
	if required, ok := m["required"].([]any); ok {
		for _, name := range required {
			s.Required = append(s.Required, name.(string))
		}
	}
	s.AdditionalProperties = true
	if more, ok := m["additionalProperties"].(map[string]any); ok {
		s.AdditionalProperties = schemaOf(t, more)
	}
	s.PrecomputeMessages()
	return s
}

// written is a line of each type.
func written(at int64) []ledger.Line {
	var all []ledger.Line
	for i, line := range []journal.Line{
		&journal.Deposit{Reference: "d-1", Kind: "STS", Account: "4.1", Operator: "dishub", PeriodFrom: "2026-03-01", PeriodTo: "2026-03-01", CreditedOn: "2026-03-02", Gross: 10, Fee: 1, Net: 9},
		&journal.Karcis{Reference: "k-1", State: "sold", Series: "A", First: 1, Last: 2, Class: city.Car, Price: 2000, Site: "s-alun", Date: "2026-03-01"},
		&journal.Handover{Reference: "h-1", Hop: "sts", From: "b", To: "d-1", CollectedOn: "2026-03-01", HandedOn: "2026-03-02", Amount: 5},
		&journal.Declaration{Reference: "s-1", NPWPD: "P", NOPD: "N", Period: "2026-02", FiledOn: "2026-03-02", Gross: 10, Tax: 1},
		&journal.Close{Period: "2026-02"},
	} {
		all = append(all, ledger.Line{Entry: uint64(i + 1), Pos: 7, At: at, By: "tok-1", Undone: uint64(i % 2), Line: line})
	}
	return all
}

// fillCity sets something for every path to tell.
func fillCity(st *stage) {
	noon := apitest.Noon.UnixMilli()
	st.Parking.Set(alun(2, 1, 1), occupancy.SpotState{Spot: "A1", Class: city.Car, State: "free"})
	st.Parking.Points = []occupancy.HistoryPoint{{T: noon, FreeAvg: city.SomeMilli(1500), FreeMin: city.SomeInt(1), Coverage: city.SomeMilli(500)}, {T: noon + 1}}
	st.Traffic.Points = []traffic.HistoryPoint{{T: noon, FlowVPH: city.SomeMilli(1), Coverage: city.SomeMilli(1000)}, {T: noon + 1}}
	st.Traffic.City = traffic.Congestion{Index: city.SomeMilli(1), Worst: []traffic.SegmentState{veteran(1)}, ObservedAt: noon}
	st.Books.Accounts = []ledger.AccountTotal{{Account: "4.1", Name: "x", Suppressed: true}, {Account: "4.2", Target: city.SomeInt(9), Realized: city.SomeInt(3)}}
	st.Books.Rows = []ledger.DailyRow{{Date: "2026-03-01", Key: "x"}}
	st.Books.Paper = []ledger.Receipt{{ID: "m:1:1", Method: city.Cash, At: noon, Recv: noon}}
	st.Devices.States = []health.DeviceState{{ID: "spot-1", LastSeen: noon, Battery: city.SomeMilli(3600)}}
	st.Devices.Day = health.Completeness{Gaps: []health.Gap{{FromSeq: 1, ToSeq: 2}}}
	st.Readings.Entries = []journal.Entry{
		reading(1, city.Reading{Kind: city.KindSpot, Spot: &city.Spot{Battery: city.SomeMilli(3600), DwellS: city.SomeInt(4)}}),
		reading(2, city.Reading{Kind: city.KindTraffic, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1, HasCounts: true}}}}),
	}
	st.Books.Written = written(noon)
	st.Books.Reads = []ledger.AccessLine{{Entry: 9, Read: journal.Access{Token: "t", At: noon, Route: "listReceipts", Filter: "00"}}}
	st.Books.Hands = []ledger.Hop{{Stage: "sts", Holder: "d-1", Received: 5}, {Stage: "collector", Date: "2026-03-01", Holder: "co-1", Passed: 5}}
	st.Quarantine.Items = []journal.Item{{ID: 1, Recv: noon, Reason: city.ReasonNotJSON}}
	st.Gate.Verdict = api.RetryResult{Verdict: "accepted"}
	st.State.Sources = []api.SourceReady{{ID: "broker", Type: "broker", LagS: city.SomeInt(1), LastMessage: api.FormatTime(noon, apitest.Zone)}}
	st.State.Followers = []api.FollowerReady{{Name: "ledger", LagS: city.SomeMilli(20)}}
	st.Anomalies.All = append(twoAnomalies(), watch.Incident{ID: "in-1", Rule: watch.RuleLeak, Severity: watch.High, State: watch.StateOpen, OpenedAt: noon, LastAt: noon})
	st.render()
}
