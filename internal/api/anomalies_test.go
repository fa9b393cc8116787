package api_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/watch"
)

func twoAnomalies() []watch.Incident {
	at := apitest.Noon.UnixMilli()
	return []watch.Incident{
		{
			ID: "in-gap", Rule: watch.RuleTotalGap, Severity: watch.High, State: watch.StateOpen, Subject: "meter-1", Site: "s-alun", Device: "meter-1",
			OpenedAt: at, LastAt: at + 60_000, Count: 2, Evidence: watch.Evidence{
				Readings: []string{"meter-1:1:9"}, Ranges: []watch.Range{{From: "meter-1:1:5", To: "meter-1:1:9"}},
				Sums: []watch.Sum{{Name: "receipts", Value: 2}, {Name: "amount_rp", Value: 8000}}, Links: []string{"/v1/devices/meter-1"},
			},
			Changes: []watch.Change{{At: at, What: "opened"}}, Changed: 1,
		},
		{
			ID: "in-silent", Rule: watch.RuleMeterSilent, Severity: watch.Medium, State: watch.StateClosed, Subject: "meter-1", Site: "s-alun", Device: "meter-1",
			OpenedAt: at, LastAt: at, ClosedAt: at + 120_000, Count: 1,
		},
	}
}

func TestAnomaliesAreCutToTheRole(t *testing.T) {
	st := newStage(t)
	st.Anomalies.All = twoAnomalies()
	for role, want := range map[token.Role][]string{
		token.Admin: {"in-gap", "in-silent"}, token.Bapenda: {"in-gap", "in-silent"}, token.Auditor: {"in-gap", "in-silent"}, token.Dishub: {"in-silent"},
	} {
		require.Equal(t, want, ids(t, st.as(t, role, "/v1/anomalies").body), role)
	}
	money := st.do(t, http.MethodGet, "/v1/anomalies/in-gap", st.Secrets[token.Dishub], "").problem(t, http.StatusNotFound)
	none := st.do(t, http.MethodGet, "/v1/anomalies/in-none", st.Secrets[token.Dishub], "").problem(t, http.StatusNotFound)
	require.Equal(t, none.Status, money.Status)
	st.do(t, http.MethodPost, "/v1/anomalies/in-gap/ack", st.Secrets[token.Dishub], "").problem(t, http.StatusNotFound)
	require.Nil(t, st.Anomalies.All[0].Ack)
	require.Empty(t, ids(t, st.as(t, token.Dishub, "/v1/anomalies?rule=meter_total_gap").body))
	require.Equal(t, []string{"in-gap"}, ids(t, st.as(t, token.Bapenda, "/v1/anomalies?rule=meter_total_gap").body))
	require.NotContains(t, st.as(t, token.Dishub, "/v1/anomalies").body, "_rp")
}

func TestAnomalies(t *testing.T) {
	st := newStage(t)
	st.Anomalies.All = twoAnomalies()
	gap := `"id":"in-gap","rule":"meter_total_gap","severity":"high","state":"open","subject":"meter-1","site":"s-alun","device":"meter-1","segment":null,
"opened_at":"2026-03-02T12:00:00+07:00","last_at":"2026-03-02T12:01:00+07:00","closed_at":null,"count":2,"acknowledged_by":null,"acknowledged_at":null,"note":null,
"evidence":{"readings":["meter-1:1:9"],"ranges":[{"from":"meter-1:1:5","to":"meter-1:1:9"}],"sums":{"receipts":2,"amount_rp":8000},"links":["/v1/devices/meter-1"],"sites":[],"unseen":false}`
	require.JSONEq(t, `{"items":[{`+gap+`}],"next":null}`, st.as(t, token.Auditor, "/v1/anomalies?rule=meter_total_gap").body)
	require.JSONEq(t, `{`+gap+`,"changes":[{"at":"2026-03-02T12:00:00+07:00","what":"opened","by":null,"note":null}],"change_count":1}`,
		st.as(t, token.Auditor, "/v1/anomalies/in-gap").body)
	csv := st.as(t, token.Bapenda, "/v1/anomalies?format=csv").body
	require.Contains(t, csv, "in-gap,meter_total_gap,high,open,s-alun,meter-1,,2026-03-02T12:00:00+07:00,2026-03-02T12:01:00+07:00,,2,,,,amount_rp=8000 receipts=2,meter-1:1:5..meter-1:1:9,meter-1:1:9\r\n")
	require.Equal(t, 3, strings.Count(csv, "\r\n"))

	st.as(t, token.Bapenda, "/v1/anomalies?state=closed&site=s-alun&device=meter-1&from=2026-03-01&to=2026-03-02&limit=7")
	asked := st.Anomalies.Asked[len(st.Anomalies.Asked)-1]
	require.Equal(t, watch.StateClosed, asked.State)
	require.Equal(t, []string{"s-alun", "meter-1"}, []string{asked.Site, asked.Device})
	require.Equal(t, int64(24*60*60*1000), asked.To-asked.From)
	require.Equal(t, 7, asked.Limit)
	before := len(st.Anomalies.Asked)
	require.JSONEq(t, `{"items":[],"next":null}`, st.as(t, token.Bapenda, "/v1/anomalies?from=2026-03-02&to=2026-03-02").body, "a span of no length")
	require.Len(t, st.Anomalies.Asked, before)
	for _, query := range []string{"?rule=x", "?state=x", "?from=2026-03-02&to=2026-03-01", "?limit=0", "?cursor=x", "?operator=1"} {
		st.do(t, http.MethodGet, "/v1/anomalies"+query, st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
	}
	st.Anomalies.Next = "5 in-gap"
	var page struct{ Next string }
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Admin, "/v1/anomalies").body), &page))
	st.as(t, token.Admin, "/v1/anomalies?cursor="+page.Next)
	require.Equal(t, "5 in-gap", st.Anomalies.Asked[len(st.Anomalies.Asked)-1].After)
}

func TestAcknowledgeTwiceIsOnce(t *testing.T) {
	st := newStage(t)
	st.Anomalies.All = twoAnomalies()
	post := func(role token.Role, body string) answer {
		return st.do(t, http.MethodPost, "/v1/anomalies/in-gap/ack", st.Secrets[role], body)
	}
	post(token.Auditor, `{"note":"x"}`).problem(t, http.StatusForbidden)
	post(token.Bapenda, `{"note":"`+strings.Repeat("x", 1001)+`"}`).problem(t, http.StatusUnprocessableEntity)
	post(token.Bapenda, `{"nota":"x"}`).problem(t, http.StatusBadRequest)
	require.Nil(t, st.Anomalies.All[0].Ack)
	first := post(token.Bapenda, `{"note":"I look into it"}`)
	require.Equal(t, http.StatusOK, first.StatusCode)
	require.Contains(t, first.body, `"state":"acknowledged"`)
	require.Contains(t, first.body, `"note":"I look into it"`)
	require.NotContains(t, first.body, "test bapenda", "the token's id, no name")
	require.Equal(t, first.body, post(token.Admin, `{"note":"me too"}`).body)
	require.Contains(t, st.as(t, token.Auditor, "/v1/anomalies?format=csv").body, "I look into it")
}

// TestMoneyIsHidden: an incident of both kinds shows its rupiah to who looks
// after money only.
func TestMoneyIsHidden(t *testing.T) {
	st := newStage(t)
	st.Anomalies.All = []watch.Incident{{
		ID: "in-park", Rule: watch.RuleParkingLimit, State: watch.StateOpen, Subject: "seg", Segment: "seg", OpenedAt: apitest.Noon.UnixMilli(),
		Evidence: watch.Evidence{Sums: []watch.Sum{{Name: "sites", Value: 2}, {Name: "income_forgone_a_day_rp", Value: 5000}}, Sites: []string{"a", "b"}},
	}}
	for _, path := range []string{"/v1/anomalies", "/v1/anomalies/in-park", "/v1/anomalies?format=csv"} {
		require.Contains(t, st.as(t, token.Bapenda, path).body, "income_forgone_a_day_rp", path)
		own := st.as(t, token.Dishub, path).body
		require.NotContains(t, own, "_rp", path)
		require.Contains(t, own, "in-park")
	}
}

// TestACharts: a band where there is one, and no money.
func TestChartOfAnAnomaly(t *testing.T) {
	st := newStage(t)
	at := apitest.Noon.UnixMilli()
	st.Anomalies.All = append(twoAnomalies(), watch.Incident{
		ID: "in-jam", Rule: watch.RuleIncident, State: watch.StateOpen, Subject: "seg<1>", Segment: "seg<1>", OpenedAt: at,
		Evidence: watch.Evidence{Unit: "km/h", Chart: []watch.Point{{At: at - 300_000, V: 48, Mid: 50, Lo: 40, Hi: 60}, {At: at, V: 9, Mid: 50, Lo: 40, Hi: 60}}},
	})
	chart := st.as(t, token.Dishub, "/v1/anomalies/in-jam/chart.svg")
	require.Equal(t, "image/svg+xml; charset=utf-8", chart.Header.Get("Content-Type"))
	require.NoError(t, xml.Unmarshal([]byte(chart.body), new(struct{})))
	require.Contains(t, chart.body, "seg&lt;1&gt;")
	require.Contains(t, chart.body, "km/h")
	require.Contains(t, chart.body, "<path")
	require.Contains(t, st.as(t, token.Dishub, "/v1/anomalies/in-silent/chart.svg").body, "<svg")
	st.do(t, http.MethodGet, "/v1/anomalies/in-gap/chart.svg", st.Secrets[token.Dishub], "").problem(t, http.StatusNotFound)
}
