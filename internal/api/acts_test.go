package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/token"
)

const depositsPath = "/v1/revenue/deposits"

func oneDeposit(reference string) string {
	return strings.Replace(bodyFor("POST "+depositsPath), "d-1", reference, 1)
}

func (st *stage) postAs(t *testing.T, path, media, body string) answer {
	t.Helper()
	return st.do(t, http.MethodPost, path, st.Secrets[token.Bapenda], body, "Content-Type", media)
}

func TestDepositsAreReadAsJSONAndCSV(t *testing.T) {
	header := "reference,kind,account,operator,site,period_from,period_to,credited_on,gross,fee,net,channel,reverses\n"
	line := "%s,STS,4.1.02.01.04.0001,dishub,,2026-03-01,2026-03-01,2026-03-02,1000,0,1000,,\n"
	semicolons := strings.NewReplacer(",", ";", "\n", "\r\n")
	for name, x := range map[string]struct {
		media, body string
		lines       int
	}{
		"object":     {"application/json", oneDeposit("d-1"), 1},
		"array":      {"application/json; charset=utf-8", " \n[" + oneDeposit("d-1") + "," + oneDeposit("d-2") + "]", 2},
		"csv":        {"text/csv", header + fmt.Sprintf(line, "d-1") + "\n" + fmt.Sprintf(line, "d-2"), 2},
		"blanks":     {"application/json", strings.NewReplacer(`"d-1"`, `" d-1 "`, `"dishub"`, `"dishub "`).Replace(oneDeposit("d-1")), 1},
		"excel":      {"text/csv; charset=utf-8", "\xef\xbb\xbf" + semicolons.Replace(header+fmt.Sprintf(line, "d-1")), 1},
		"no options": {"text/csv", "net,fee,gross,credited_on,period_to,period_from,operator,account,kind,reference\n1000,0,1000,2026-03-02,2026-03-01,2026-03-01,dishub,4.1.02.01.04.0001,STS, d-1 \n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t)
			a := st.postAs(t, depositsPath, x.media, x.body)
			require.Equal(t, http.StatusCreated, a.StatusCode, a.body)
			require.JSONEq(t, fmt.Sprintf(`{"verdict":"new","lines":%d,"new":%d,"entry":7}`, x.lines, x.lines), a.body)
			require.Len(t, st.Gate.Acts, 1, "all of it is one act")
			act := st.Gate.Acts[0]
			require.Equal(t, journal.TypeDeposit, act.Type)
			require.NotEmpty(t, act.Act.By)
			require.NotContains(t, act.Act.By, "test", "the id, no name")
			require.Len(t, act.Act.Lines, x.lines)
			require.Equal(t, &journal.Deposit{
				Reference: "d-1", Kind: "STS", Account: "4.1.02.01.04.0001", Operator: "dishub", PeriodFrom: "2026-03-01", PeriodTo: "2026-03-01",
				CreditedOn: "2026-03-02", Gross: 1000, Net: 1000,
			}, act.Act.Lines[0])
		})
	}
}

func TestWhatIsWrongWithASheetIsNamed(t *testing.T) {
	const header = "reference,kind,account,operator,period_from,period_to,credited_on,gross,fee,net\n"
	const good = "d-1,STS,4.1,dishub,2026-03-01,2026-03-01,2026-03-02,1000,0,1000\n"
	for name, x := range map[string]struct {
		media, body string
		status      int
		fields      []string
	}{
		"not JSON":        {"application/json", "{", http.StatusBadRequest, nil},
		"unknown member":  {"application/json", strings.Replace(oneDeposit("d"), `"gross"`, `"grss"`, 1), http.StatusBadRequest, []string{"grss"}},
		"another case":    {"application/json", strings.Replace(oneDeposit("d"), `"gross"`, `"Gross"`, 1), http.StatusBadRequest, []string{"Gross"}},
		"case in a list":  {"application/json", "[" + oneDeposit("d") + "," + strings.Replace(oneDeposit("e"), `"kind"`, `"KIND"`, 1) + "]", http.StatusBadRequest, []string{"KIND"}},
		"twice":           {"application/json", strings.Replace(oneDeposit("d"), `"gross"`, `"gross":1,"gross"`, 1), http.StatusBadRequest, []string{"gross"}},
		"twice, escaped":  {"application/json", strings.Replace(oneDeposit("d"), `"gross"`, `"gro\u0073s":1,"gross"`, 1), http.StatusBadRequest, []string{"gross"}},
		"a text":          {"application/json", strings.Replace(oneDeposit("d"), `"gross":1000`, `"gross":"1000"`, 1), http.StatusBadRequest, []string{"gross"}},
		"a fraction":      {"application/json", strings.Replace(oneDeposit("d"), `"gross":1000`, `"gross":1000.5`, 1), http.StatusBadRequest, []string{"gross"}},
		"two values":      {"application/json", oneDeposit("d") + oneDeposit("e"), http.StatusBadRequest, nil},
		"nothing":         {"application/json", "[]", http.StatusUnprocessableEntity, nil},
		"missing":         {"application/json", `[` + oneDeposit("d") + `,{"reference":"e"}]`, http.StatusUnprocessableEntity, []string{"[1].gross", "[1].fee", "[1].net", "[1].kind", "[1].account", "[1].operator", "[1].period_from", "[1].period_to", "[1].credited_on"}},
		"net":             {"application/json", strings.Replace(oneDeposit("d"), `"net":1000`, `"net":999`, 1), http.StatusUnprocessableEntity, []string{"net"}},
		"other media":     {"text/plain", good, http.StatusUnsupportedMediaType, nil},
		"no media":        {"", good, http.StatusUnsupportedMediaType, nil},
		"header only":     {"text/csv", header, http.StatusUnprocessableEntity, nil},
		"empty":           {"text/csv", "\n", http.StatusUnprocessableEntity, nil},
		"columns":         {"text/csv", "reference,grozz,reference\n", http.StatusUnprocessableEntity, []string{"grozz", "reference", "kind", "account", "operator", "period_from", "period_to", "credited_on", "gross", "fee", "net"}},
		"rows":            {"text/csv", header + good + "\nd-2,STS\n" + strings.Replace(good, ",1000,0", ",1.000,0", 1) + strings.Replace(good, "STS", "sts", 1), http.StatusUnprocessableEntity, []string{"line 4", "line 5: gross", "line 5: net", "line 6: kind"}},
		"a plus":          {"text/csv", header + strings.Replace(good, "1000,0,", "+1000,0,", 1), http.StatusUnprocessableEntity, []string{"line 2: gross", "line 2: net"}},
		"empty columns":   {"text/csv", strings.Replace(header, "\n", ",\n", 1) + strings.Replace(good, "\n", ",\n", 1), http.StatusUnprocessableEntity, []string{"column 11"}},
		"quotes":          {"text/csv", header + `"d-1` + "\n", http.StatusBadRequest, nil},
		"an empty number": {"text/csv", header + strings.Replace(good, "1000,0,", "1000,,", 1), http.StatusUnprocessableEntity, []string{"line 2: fee"}},
		"too many":        {"text/csv", header + strings.Repeat(good, 2001), http.StatusRequestEntityTooLarge, nil},
		"too large":       {"text/csv", strings.Repeat("x", 1<<20+1), http.StatusRequestEntityTooLarge, nil},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t)
			p := st.postAs(t, depositsPath, x.media, x.body).problem(t, x.status)
			require.Equal(t, x.fields, fields(p), "%+v", p)
			require.Empty(t, st.Gate.Acts, "nothing of it is booked")
		})
	}
}

func TestTheBooksVerdictIsTold(t *testing.T) {
	st := newStage(t)
	two := "[" + oneDeposit("d-1") + "," + oneDeposit("d-2") + "]"
	st.Gate.Said = ledger.Verdict{Outcome: ledger.Known}
	a := st.postAs(t, depositsPath, "application/json", two)
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.JSONEq(t, `{"verdict":"known","lines":2,"new":0,"entry":null}`, a.body)
	st.Gate.Said = ledger.Verdict{Outcome: ledger.Conflict, Faults: []ledger.Fault{{Line: 1, Field: "reference", Detail: "other content"}}}
	p := st.postAs(t, depositsPath, "application/json", two).problem(t, http.StatusConflict)
	require.Equal(t, []string{"[1].reference"}, fields(p))
	st.Gate.Said.Outcome = ledger.Refused
	st.postAs(t, depositsPath, "application/json", two).problem(t, http.StatusUnprocessableEntity)
	st.Gate.Err = &city.Error{Kind: city.KindUnavailable, Message: "behind"}
	a = st.postAs(t, depositsPath, "application/json", two)
	a.problem(t, http.StatusServiceUnavailable)
	require.NotEmpty(t, a.Header.Get("Retry-After"))
}

func TestLinesAreListed(t *testing.T) {
	st := newStage(t)
	st.Books.Written, st.Books.Next = written(apitest.Noon.UnixMilli()), "5"
	a := st.as(t, token.Auditor, depositsPath+"?limit=1&from=2026-03-01&to=2026-04-01&reference=d-1")
	require.JSONEq(t, `{"items":[{"entry":1,"booked_at":"2026-03-02T12:00:00+07:00","by":"tok-1","undone_by":null,"reference":"d-1","kind":"STS","account":"4.1",
"operator":"dishub","period_from":"2026-03-01","period_to":"2026-03-01","credited_on":"2026-03-02","gross":10,"fee":1,"net":9}],"next":"`+nextOf(t, a.body)+`"}`, a.body)
	require.Equal(t, ledger.LineQuery{Type: journal.TypeDeposit, Reference: "d-1", FromDate: "2026-03-01", ToDate: "2026-04-01", Limit: 1}, st.Books.AskedLines[0])
	st.as(t, token.Auditor, depositsPath+"?cursor="+nextOf(t, a.body))
	require.Equal(t, "5", st.Books.AskedLines[1].After)
	a = st.as(t, token.Admin, "/v1/revenue/karcis?format=csv")
	require.Equal(t, "entry,booked_at,by,undone_by,reference,state,series,first,last,class,price,site,attendant,date,reverses\r\n"+
		"2,2026-03-02T12:00:00+07:00,tok-1,1,k-1,sold,A,1,2,car,2000,s-alun,,2026-03-01,\r\n", a.body)
	st.do(t, http.MethodGet, depositsPath+"?from=2026-02-30", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
	st.do(t, http.MethodGet, depositsPath+"?from=2026-03-02&to=2026-03-01", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
}

func nextOf(t *testing.T, body string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `"next":"`)
	require.True(t, ok, body)
	next, _, _ := strings.Cut(rest, `"`)
	return next
}

// TestReadsOfMoneyAreLogged: before they are answered, under the token's id;
// where that cannot be, there is no answer.
func TestReadsOfMoneyAreLogged(t *testing.T) {
	st := newStage(t)
	for path, logged := range map[string]string{
		"/v1/revenue/receipts":                       "listReceipts",
		"/v1/revenue/daily?group=site":               "listDailyRevenue",
		"/v1/revenue/daily?group=operator":           "listDailyRevenue",
		"/v1/revenue/daily?group=account":            "",
		"/v1/revenue/daily":                          "",
		depositsPath:                                 "listDeposit",
		"/v1/revenue/karcis":                         "listKarcis",
		"/v1/revenue/handovers":                      "listHandover",
		"/v1/revenue/handovers/differences":          "listHandoverDifferences",
		"/v1/revenue/declarations":                   "listDeclaration",
		"/v1/revenue/closes":                         "",
		"/v1/revenue/summary":                        "",
		"/v1/revenue/access":                         "",
		"/v1/devices/meter-1/readings":               "listReadings",
		"/v1/devices/spot-1/readings":                "",
		"/v1/devices/spot-1/readings?kind=receipt":   "listReadings",
		"/v1/devices/meter-1/readings?kind=health":   "",
		"/v1/devices/meter-1/readings?format=csv":    "listReadings",
		"/v1/devices/meter-1/completeness":           "",
		"/v1/revenue/receipts?site=s-alun&limit=3":   "listReceipts",
		"/v1/revenue/receipts?limit=3&site=s-alun":   "listReceipts",
		"/v1/revenue/receipts?limit=4&site=s-alun":   "listReceipts",
		"/v1/revenue/receipts?limit=3&format=csv":    "listReceipts",
		"/v1/revenue/daily?group=site&format=xlsx":   "listDailyRevenue",
		"/v1/revenue/daily?group=method&format=xlsx": "",
		"/v1/revenue/realisasi":                      "getRealisasi",
		"/v1/anomalies":                              "listAnomalies",
		"/v1/anomalies?rule=meter_total_gap":         "listAnomalies",
		"/v1/anomalies?rule=meter_silent":            "",
	} {
		st.Gate.Reads, st.Gate.NoAccess = nil, nil
		st.as(t, token.Admin, path)
		if logged == "" {
			require.Empty(t, st.Gate.Reads, path)
			continue
		}
		require.Len(t, st.Gate.Reads, 1, path)
		r := st.Gate.Reads[0]
		require.Equal(t, logged, r.Route, path)
		require.Equal(t, apitest.Noon.UnixMilli(), r.At)
		require.NotContains(t, r.Token, "test")
		require.Len(t, r.Filter, 32)
		st.Gate.NoAccess = &city.Error{Kind: city.KindUnavailable, Message: "not now"}
		asked := len(st.Books.AskedReceipts)
		st.do(t, http.MethodGet, path, st.Secrets[token.Admin], "").problem(t, http.StatusServiceUnavailable)
		require.Len(t, st.Books.AskedReceipts, asked, "an unlogged read does not happen")
	}
	st.Gate.NoAccess = errors.New("broken")
	st.do(t, http.MethodGet, depositsPath, st.Secrets[token.Admin], "").problem(t, http.StatusInternalServerError)
	st.do(t, http.MethodGet, depositsPath, st.Secrets[token.Operator], "").problem(t, http.StatusForbidden)

	st.Gate.Reads, st.Gate.NoAccess = nil, nil
	for _, query := range []string{"?site=s-alun&limit=3", "?limit=3&site=s-alun", "?limit=4&site=s-alun"} {
		st.as(t, token.Auditor, "/v1/revenue/receipts"+query)
	}
	require.Equal(t, st.Gate.Reads[0].Filter, st.Gate.Reads[1].Filter, "the order does not matter")
	require.NotEqual(t, st.Gate.Reads[0].Filter, st.Gate.Reads[2].Filter)
	// A meter's readings hide money from dishub, and totals from the executive
	// whose it is: nothing is read.
	st.Gate.Reads = nil
	st.as(t, token.Dishub, "/v1/devices/meter-1/readings")
	st.as(t, token.Dishub, "/v1/anomalies")
	st.as(t, token.Executive, "/v1/revenue/realisasi")
	require.Empty(t, st.Gate.Reads)
}

func TestViews(t *testing.T) {
	st := newStage(t)
	st.as(t, token.Auditor, "/v1/revenue/daily?view=filed")
	st.as(t, token.Auditor, "/v1/revenue/daily")
	require.True(t, st.Books.AskedDaily[0].Filed)
	require.False(t, st.Books.AskedDaily[1].Filed)
	st.get(t, "/v1/revenue/summary?view=filed")
	st.get(t, "/v1/revenue/summary")
	require.Equal(t, []bool{true, false}, st.Books.AskedFiled)
	st.do(t, http.MethodGet, "/v1/revenue/summary?view=now", "", "").problem(t, http.StatusBadRequest)
}
