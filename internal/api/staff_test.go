package api_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/token"
)

func TestDevices(t *testing.T) {
	st := newStage(t)
	st.Devices.States = []health.DeviceState{{
		ID: "spot-1", LastSeen: apitest.Noon.UnixMilli() - 30_000, LastAt: apitest.Noon.UnixMilli() - 31_000, SkewMs: city.SomeInt(1000), ClockMs: city.SomeInt(-61_500),
		Boot: city.SomeInt(2), Seq: city.SomeInt(41), Battery: city.SomeMilli(3600), Firmware: "1.2", Readings: 41, Silent: true,
	}}
	a := st.as(t, token.Dishub, "/v1/devices/spot-1")
	require.JSONEq(t, `{"id":"spot-1","kind":"spot","site":"s-alun","spot":"A1","segment":null,"class":"car","profile":null,"interval_s":300,
"last_seen":"2026-03-02T11:59:30+07:00","last_at":"2026-03-02T11:59:29+07:00","age_s":30,"skew_ms":1000,"clock":"device","skew_s":-61.5,"skewed":true,"boot":2,"seq":41,"battery_v":3.6,
"temperature_c":null,"rssi_dbm":null,"snr_db":null,"battery_pct":null,"uptime_s":null,"firmware":"1.2","errors":[],"readings":41,"duplicates":0,"quarantined":0,"silent":true,
"battery_days":null,"battery_days_reason":"no_voltage","battery_low_v":3.1,"last_gap":null,"gap_days":null}`, a.body)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Equal(t, []string{"gate-1", "meter-1", "spot-1", "spot-2", "traf-1"}, ids(t, st.as(t, token.Admin, "/v1/devices").body))
	require.Equal(t, []string{"meter-1"}, ids(t, st.as(t, token.Admin, "/v1/devices?site=s-alun&kind=meter").body))
	require.Equal(t, []string{"spot-1"}, ids(t, st.as(t, token.Admin, "/v1/devices?silent=true").body))
	st.do(t, http.MethodGet, "/v1/devices/none", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/v1/devices/none/readings", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
}

func TestCompleteness(t *testing.T) {
	st := newStage(t)
	st.Devices.Day = health.Completeness{
		Expected: 10, Received: 7, Duplicate: 1, Late: 2, Quarantined: 1, Missing: 2,
		Gaps: []health.Gap{{HasBoot: true, Boot: 3, FromSeq: 5, ToSeq: 6}, {FromSeq: 1, ToSeq: 1}},
	}
	require.JSONEq(t, `{"device":"spot-1","date":"2026-03-01","expected":10,"received":7,"duplicate":1,"late":2,"quarantined":1,"missing":2,
"gaps":[{"boot":3,"from_seq":5,"to_seq":6},{"boot":null,"from_seq":1,"to_seq":1}],"basis":"sequence"}`,
		st.as(t, token.Dishub, "/v1/devices/spot-1/completeness?date=2026-03-01").body)
	st.as(t, token.Dishub, "/v1/devices/spot-1/completeness")
	require.Equal(t, []string{"2026-03-01", "2026-03-02"}, st.Devices.Dates)
	st.do(t, http.MethodGet, "/v1/devices/spot-1/completeness?date=2026-02-30", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
}

func reading(pos uint64, r city.Reading) journal.Entry {
	r.At, r.HasBoot, r.Boot, r.Seq = apitest.Noon.UnixMilli(), true, 1, pos
	return journal.Entry{Pos: pos, Recv: apitest.Noon.UnixMilli() + 250, Type: journal.TypeReading, Source: "broker", Reading: &r}
}

func TestReadingsOfEveryKind(t *testing.T) {
	st := newStage(t)
	st.Readings.Next = "abc"
	st.Readings.Entries = []journal.Entry{
		reading(1, city.Reading{Kind: city.KindSpot, Spot: &city.Spot{Battery: city.SomeMilli(3600)}}),
		reading(2, city.Reading{Kind: city.KindGate, Gate: &city.Gate{Out: true, Class: city.Car, Count: 1}}),
		reading(3, city.Reading{Kind: city.KindCount, Count: &city.Count{Class: city.Car}}),
		reading(4, city.Reading{Kind: city.KindTraffic, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{
			{Lane: 1, HasCounts: true, SM: 9, Speed: city.SomeMilli(31_500)}, {Lane: 2, Backward: true},
		}}}),
		reading(5, city.Reading{Kind: city.KindReceipt, Receipt: &city.Receipt{Number: "R1", Method: city.Cash, PlateHash: []byte("secret"), TotalCount: city.SomeInt(0)}}),
		reading(6, city.Reading{Kind: city.KindHealth, Health: &city.Health{UptimeS: city.SomeInt(5), Errors: []string{"E1"}}}),
	}
	st.Readings.Entries[0].Flags = journal.FlagLate | journal.FlagRetried
	a := st.as(t, token.Admin, "/v1/devices/meter-1/readings")
	common := func(seq, kind, flags, more string) string {
		return `{"pos":` + seq + `,"kind":"` + kind + `","boot":1,"seq":` + seq + `,"at":"2026-03-02T12:00:00+07:00",
"received_at":"2026-03-02T12:00:00.250+07:00","source":"broker","flags":` + flags + more + `}`
	}
	require.JSONEq(t, `{"items":[`+strings.Join([]string{
		common("1", "spot", `["late","retried"]`, `,"occupied":false,"battery_v":3.6`),
		common("2", "gate", `[]`, `,"direction":"out","class":"car","count":1`),
		common("3", "count", `[]`, `,"occupied":0,"class":"car"`),
		common("4", "traffic", `[]`, `,"period_s":60,"lanes":[{"lane":1,"direction":"forward","counts":{"SM":9,"KR":0,"KB":0,"KTB":0,"unknown":0},"speed_kmh":31.5},{"lane":2,"direction":"backward"}]`),
		common("5", "receipt", `[]`, `,"receipt":"R1","amount":0,"method":"cash","total_count":0`),
		common("6", "health", `[]`, `,"uptime_s":5,"errors":["E1"]`),
	}, ",")+`],"next":"YWJjNSRBwg"}`, a.body)

	// Dishub asks for no money, and gets none even where a follower gives some.
	a = st.as(t, token.Dishub, "/v1/devices/meter-1/readings")
	require.NotContains(t, a.body, "receipt\"")
	require.NotContains(t, st.Readings.Kinds[1], city.KindReceipt)
	require.Contains(t, st.Readings.Kinds[0], city.KindReceipt)
	st.do(t, http.MethodGet, "/v1/devices/meter-1/readings?kind=receipt", st.Secrets[token.Dishub], "").problem(t, http.StatusForbidden)
	csv := st.as(t, token.Dishub, "/v1/devices/meter-1/readings?format=csv")
	require.NotContains(t, csv.body, "R1")
	require.Contains(t, csv.Header.Get("Link"), `cursor=YWJjNSRBwg`)
}

func TestQuarantine(t *testing.T) {
	st := newStage(t)
	st.Quarantine.Items = []journal.Item{
		{ID: 1, Recv: apitest.Noon.UnixMilli(), Source: "broker", Device: "x-1", Topic: "sg/v1/x-1/up", Reason: city.ReasonUnknownDevice, Detail: "not in the inventory", Seq: city.SomeInt(4)},
		{ID: 2, Recv: apitest.Noon.UnixMilli(), Source: "serial", Reason: city.ReasonNotFrame, Retried: true, Verdict: "refused"},
	}
	a := st.as(t, token.Admin, "/v1/quarantine?limit=1")
	require.JSONEq(t, `{"items":[{"id":1,"received_at":"2026-03-02T12:00:00+07:00","source":"broker","device":"x-1","topic":"sg/v1/x-1/up","index":0,
"reason":"unknown_device","detail":"not in the inventory","seq":4,"retried":false,"verdict":null}],"next":"MYPc77c"}`, a.body)
	a = st.as(t, token.Admin, "/v1/quarantine?limit=1&cursor=MYPc77c")
	require.Contains(t, a.body, `"id":2`)
	require.Contains(t, a.body, `"next":null`)
	require.NotContains(t, st.as(t, token.Admin, "/v1/quarantine?pending=true").body, `"id":2`)

	st.Gate.Verdict = api.RetryResult{Verdict: "refused", Reason: city.ReasonUnknownDevice, Detail: "still not"}
	a = st.do(t, http.MethodPost, "/v1/quarantine/1/retry", st.Secrets[token.Admin], "")
	require.JSONEq(t, `{"id":1,"verdict":"refused","reason":"unknown_device","detail":"still not"}`, a.body)
	st.do(t, http.MethodPost, "/v1/quarantine/one/retry", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
	st.Gate.Err = &city.Error{Kind: city.KindNotFound, Message: "evicted"}
	st.do(t, http.MethodPost, "/v1/quarantine/9/retry", st.Secrets[token.Admin], "").problem(t, http.StatusNotFound)
}

func TestRevenueSummary(t *testing.T) {
	st := newStage(t)
	st.Books.Accounts = []ledger.AccountTotal{
		{Account: "4.1", Name: "Tepi Jalan", Target: city.SomeInt(3000), Recorded: city.SomeInt(500), Due: city.SomeInt(500), InSettlement: city.SomeInt(0), Realized: city.SomeInt(1000)},
		{Account: "4.2", Name: "PBJT", Target: city.SomeInt(10), Suppressed: true},
		{Account: "4.21", Name: "PBJT of two payers", Target: city.SomeInt(10), Recorded: city.SomeInt(77), Due: city.SomeInt(7), Suppressed: true, Withheld: true},
		{Account: "4.3", Name: "Tanpa target", Recorded: city.SomeInt(0), Realized: city.SomeInt(0)},
	}
	require.JSONEq(t, `{"year":2026,"accounts":[
{"account":"4.1","name":"Tepi Jalan","target":3000,"recorded":500,"due":500,"in_settlement":0,"realized":1000,"percent":33.33,"remaining":2000,"suppressed":false,"withheld":false},
{"account":"4.2","name":"PBJT","target":10,"recorded":null,"due":null,"in_settlement":null,"realized":null,"percent":null,"remaining":null,"suppressed":true,"withheld":false},
{"account":"4.21","name":"PBJT of two payers","target":10,"recorded":77,"due":7,"in_settlement":null,"realized":null,"percent":null,"remaining":null,"suppressed":true,"withheld":true},
{"account":"4.3","name":"Tanpa target","target":null,"recorded":0,"due":null,"in_settlement":null,"realized":0,"percent":null,"remaining":null,"suppressed":false,"withheld":false}]}`,
		st.get(t, "/v1/revenue/summary").body)
	st.get(t, "/v1/revenue/summary?year=2025")
	require.Equal(t, []int{2026, 2025}, st.Books.AskedYears)
}

func TestDailyIsCutToTheRole(t *testing.T) {
	st := newStage(t)
	st.Books.Rows = []ledger.DailyRow{{Date: "2026-03-01", Key: "s-alun", Name: "Alun-alun", Receipts: 2, Voids: 1, Recorded: 8000, Due: 8000}}
	ask := func(role token.Role, query string) ledger.DailyQuery {
		st.as(t, role, "/v1/revenue/daily"+query)
		return st.Books.AskedDaily[len(st.Books.AskedDaily)-1]
	}
	require.Equal(t, ledger.DailyQuery{FromDate: "2026-03-01", ToDate: "2026-03-03", Group: "account"}, ask(token.Bapenda, ""))
	require.Equal(t, ledger.DailyQuery{FromDate: "2026-02-27", ToDate: "2026-03-01", Group: "site"},
		ask(token.Auditor, "?group=site&from=2026-02-27&to=2026-03-01"))
	require.Equal(t, ledger.DailyQuery{FromDate: "2026-02-27", ToDate: "2026-03-02", Group: "method"},
		ask(token.Admin, "?group=method&from=2026-02-27T08:00:00%2B07:00&to=2026-03-01T00:00:01%2B07:00"), "days that the span touches")
	require.Equal(t, "op-01", ask(token.Operator, "?group=site").Operator)
	require.Equal(t, []string{"4.1.02.01.04.0001", "4.1.02.02.14.0001"}, ask(token.Dishub, "").Accounts, "those that it collects itself")
	require.Equal(t, "kecamatan", ask(token.Executive, "?group=kecamatan").Group)
	require.Nil(t, ask(token.Bapenda, "?group=kecamatan").Accounts)
	for _, query := range []string{"", "?group=kecamatan", "?group=account", "?group=class", "?group=method", "?view=filed"} {
		for _, format := range []string{"json", "csv", "xlsx", "html"} {
			told := ask(token.Executive, strings.Replace("?"+strings.TrimPrefix(query, "?")+"&format="+format, "?&", "?", 1)).Accounts
			require.NotEmpty(t, told, query)
			require.NotContains(t, told, "4.1.01.19.04.0001", "%s: a day may be of one taxpayer", query)
		}
	}
	for _, group := range []string{"operator", "site"} {
		st.do(t, http.MethodGet, "/v1/revenue/daily?group="+group, st.Secrets[token.Executive], "").problem(t, http.StatusForbidden)
	}
	nowhere := st.Token(t, token.Request{Role: token.Dishub, Name: "x", Agency: "satpol-pp"})
	require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, "/v1/revenue/daily", nowhere, "").StatusCode)
	require.Equal(t, []string{}, st.Books.AskedDaily[len(st.Books.AskedDaily)-1].Accounts, "none, and not all")

	require.JSONEq(t, `{"items":[{"date":"2026-03-01","key":"s-alun","name":"Alun-alun","receipts":2,"voids":1,"recorded":8000,"due":8000,"due_known":true}],"next":null}`,
		st.as(t, token.Bapenda, "/v1/revenue/daily?group=site").body)
	require.Equal(t, "date,kode_wilayah,site,name,receipts,voids,recorded,due,due_known\r\n2026-03-01,32.75,s-alun,Alun-alun,2,1,8000,8000,true\r\n",
		st.as(t, token.Bapenda, "/v1/revenue/daily?group=site&format=csv").body)
	st.do(t, http.MethodGet, "/v1/revenue/daily?from=2024-01-01&to=2026-01-01", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
}

func TestReceiptsAreLoggedAndKeptApart(t *testing.T) {
	var log bytes.Buffer
	st := newStage(t, func(o *api.Options) { o.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	st.Books.Paper = []ledger.Receipt{{
		ID: "meter-1:1:9", Device: "meter-1", Site: "s-alun", Operator: "dishub", Account: "4.1", Number: "=1+1", Amount: 4000,
		Method: city.QRIS, Class: city.Car, At: apitest.Noon.UnixMilli(), Recv: apitest.Noon.UnixMilli(), Counted: true, Flags: []string{"late"},
	}}
	a := st.as(t, token.Bapenda, "/v1/revenue/receipts?site=s-alun")
	require.JSONEq(t, `{"items":[{"id":"meter-1:1:9","device":"meter-1","site":"s-alun","kecamatan":null,"operator":"dishub","account":"4.1","receipt":"=1+1",
"amount":4000,"method":"qris","class":"car","at":"2026-03-02T12:00:00+07:00","received_at":"2026-03-02T12:00:00+07:00","entered_at":null,"left_at":null,
"void":false,"counted":true,"flags":["late"]}],"next":null}`, a.body)
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line))
	require.Equal(t, "receipts were read", line["msg"])
	require.Equal(t, "bapenda", line["role"])
	require.NotEmpty(t, line["token"])
	require.InDelta(t, 1, line["receipts"], 0)
	require.NotContains(t, log.String(), "test bapenda", "the token's id, no name")

	require.Contains(t, st.as(t, token.Bapenda, "/v1/revenue/receipts?format=csv").body, ",'=1+1,4000,")
	st.as(t, token.Operator, "/v1/revenue/receipts")
	require.Equal(t, "op-01", st.Books.AskedReceipts[len(st.Books.AskedReceipts)-1].Operator)
	st.as(t, token.Operator, "/v1/revenue/receipts?site=s-mall")
	st.do(t, http.MethodGet, "/v1/revenue/receipts?site=s-alun", st.Secrets[token.Operator], "").problem(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/v1/revenue/receipts?site=none", st.Secrets[token.Bapenda], "").problem(t, http.StatusNotFound)

	// What was another's, or has left the inventory, keeps its past.
	st.Books.Paper = []ledger.Receipt{
		{ID: "meter-1:1:1", Site: "s-alun", Operator: "op-01", Method: city.Cash, At: 1, Recv: 1},
		{ID: "meter-1:1:2", Site: "s-gone", Operator: "op-02", Method: city.Cash, At: 1, Recv: 1},
	}
	require.Contains(t, st.as(t, token.Operator, "/v1/revenue/receipts?site=s-alun").body, "meter-1:1:1")
	require.Contains(t, st.as(t, token.Auditor, "/v1/revenue/receipts?site=s-gone").body, "meter-1:1:2")
	st.do(t, http.MethodGet, "/v1/revenue/receipts?site=s-gone", st.Secrets[token.Operator], "").problem(t, http.StatusNotFound)
}
