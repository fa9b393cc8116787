package api_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/expect"
	"github.com/simpang-id/simpang/internal/token"
)

// reconciled is a day of three sites: one known, one not, and receipts of none.
func reconciled() report.Reconciliation {
	ten := apitest.Noon.UnixMilli() - 26*3600_000
	known := report.SiteDay{
		Date: "2026-03-01", Site: "s-alun", Name: "Alun-alun", Operator: "dishub", Account: "4.1.02.01.04.0001", Levy: "street",
		Expected: expect.Answer{
			Known: true, Expected: expect.Interval{Low: 9000, Mid: 10_000, High: 12_000}, Share: 0.8, Coverage: 0.75, Stays: 7, Charged: 5, Whole: true,
			Classes: []city.Class{city.Car}, Unseen: []city.Class{city.Motorcycle}, Days: []string{"2026-02-22"},
			Gaps:   []expect.Gap{{Class: city.Car, From: ten, To: ten + 3600_000, Known: 0.5}},
			Sample: []expect.Priced{{Stay: occupancy.Stay{Device: "spot-1", Class: city.Car, From: ten, Until: ten + 60_000, Known: true}, Amount: 4000}},
		},
		Receipts: 2, Recorded: 8000, Compared: 8000, Owing: report.Owing{
			Due: city.SomeInt(8000), DueBy: "2026-03-02", Settled: city.SomeInt(0), Fee: city.SomeInt(0), Deposited: city.SomeInt(7000),
			Overdue: city.SomeInt(1000), Leak2: city.SomeInt(1000), Leak2State: report.LeakKnown,
		},
		Leak1: &report.Leak1{Interval: expect.Interval{Low: 1000, Mid: 2000, High: 4000}, Sure: true},
	}
	unknown := report.SiteDay{Date: "2026-03-01", Site: "s-mall", Expected: expect.Answer{Why: expect.NoDays}, Owing: report.Owing{Due: city.SomeInt(0), Leak2State: report.LeakByPeriod}}
	return report.Reconciliation{
		Date: "2026-03-01", Sites: []report.SiteDay{known, unknown},
		Periods: []report.Period{{Month: "2026-03", Operator: "op-01", NPWPD: "P.2.1", NOPD: "N.1", Sites: []string{"s-mall"}, Declared: city.SomeInt(5), Due: city.SomeInt(9), Leak2State: report.LeakNotYet}},
	}
}

func TestReconciliation(t *testing.T) {
	st := newStage(t)
	st.Reports.Day = reconciled()
	a := st.do(t, http.MethodGet, "/v1/revenue/reconciliation?limit=1", st.Secrets[token.Bapenda], "")
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Equal(t, "2026-03-01", st.Reports.Asked[0].(report.ReconcileQuery).Date, "yesterday by default")
	var day map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.body), &day))
	item := day["items"].([]any)[0].(map[string]any)
	for _, field := range []string{"expected", "recorded", "declared", "due", "settled", "deposited", "overdue", "leak_1", "leak_2", "confidence", "evidence"} {
		require.Contains(t, item, field)
	}
	require.Equal(t, map[string]any{"low": 9000.0, "mid": 10_000.0, "high": 12_000.0}, item["expected"])
	require.Equal(t, map[string]any{"low": 1000.0, "mid": 2000.0, "high": 4000.0, "sure": true}, item["leak_1"])
	require.InDelta(t, 0.8, item["confidence"], 1e-9)
	require.Nil(t, item["declared"])
	evidence := item["evidence"].(map[string]any)
	require.Len(t, evidence["sample"], 1)
	require.Equal(t, "2026-03-01T10:00:00+07:00", evidence["gaps"].([]any)[0].(map[string]any)["from"])
	for _, link := range evidence["links"].([]any) {
		require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, link.(string), st.Secrets[token.Bapenda], "").StatusCode, link)
	}
	require.Len(t, day["periods"], 1)
	require.NotNil(t, day["next"])

	a = st.do(t, http.MethodGet, "/v1/revenue/reconciliation?limit=1&cursor="+day["next"].(string), st.Secrets[token.Bapenda], "")
	require.NoError(t, json.Unmarshal([]byte(a.body), &day))
	item = day["items"].([]any)[0].(map[string]any)
	require.Equal(t, "s-mall", item["site"])
	require.Nil(t, item["expected"])
	require.Nil(t, item["leak_1"])
	require.Nil(t, item["confidence"])
	require.Equal(t, "no_days", item["expected_unknown"])
	require.Nil(t, day["next"])
	require.Empty(t, day["periods"])

	st.do(t, http.MethodGet, "/v1/revenue/reconciliation?site=nowhere", st.Secrets[token.Bapenda], "").problem(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/v1/revenue/reconciliation?date=yesterday", st.Secrets[token.Bapenda], "").problem(t, http.StatusBadRequest)
	require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, "/v1/revenue/reconciliation?site=s-alun", st.Secrets[token.Auditor], "").StatusCode)
	require.Equal(t, 200, st.Reports.Asked[len(st.Reports.Asked)-1].(report.ReconcileQuery).Sample)
}

// TestReportsInEveryForm holds that each report has each form, and that the
// forms agree on their columns.
func TestReportsInEveryForm(t *testing.T) {
	st := newStage(t)
	st.Reports.Day = reconciled()
	st.Reports.Statements = map[string]report.Statement{"op-01": {
		Name: "=Operator", NPWPD: "P.2.1", FileBy: "2026-03-15", DepositBy: "2026-03-15", AsOf: "2026-03-02", Base: report.Base{Gross: 1000, Due: city.SomeInt(100)},
		Objects: []report.Object{{NOPD: "N.1", Site: "s-mall", Account: "4.1.01.19.04.0001", RatePPM: 100_000, Receipts: 2, Gross: 1000, Due: city.SomeInt(100)}},
		Owed:    &report.Owed{Due: 100, Paid: 40, Unpaid: 60, Interest: 1, Late: []report.Part{{Until: "2026-03-02", Amount: 60, Months: 2, Interest: 1}}},
		Credits: []report.Credit{{Reference: "S-1", Kind: "SSPD", CreditedOn: "2026-03-01", Net: 40}},
	}}
	st.Reports.Year = report.Realisasi{
		Rows:        []report.RealisasiRow{{Period: "2026-01", Account: "a", Target: city.SomeInt(300), Realized: city.SomeInt(100), ToDate: city.SomeInt(100), YearTarget: city.SomeInt(0)}},
		Projections: []report.Projection{{Account: "4.1.01", Of: "realized", Target: city.SomeInt(9_000_000), Months: 4, Known: true, Low: 1_000_000, Mid: 2_000_000, High: 3_000_000}, {Account: "4.1.01", Of: "due"}},
	}
	for path, title := range map[string]string{
		"/v1/revenue/reconciliation":    "Rekonsiliasi",
		"/v1/revenue/statements/op-01":  "SPTPD",
		"/v1/revenue/realisasi":         "Realisasi",
		"/v1/revenue/daily?group=class": "harian",
		"/v1/revenue/summary":           "Ringkasan",

		"/v1/revenue/handovers/differences": "serah terima",
	} {
		ask := func(format string) answer {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			a := st.do(t, http.MethodGet, path+sep+"format="+format, st.Secrets[token.Bapenda], "")
			require.Equal(t, http.StatusOK, a.StatusCode, "%s %s: %s", path, format, a.body)
			if path != "/v1/revenue/summary" { // public
				require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			}
			return a
		}
		rows, err := csv.NewReader(strings.NewReader(ask("csv").body)).ReadAll()
		require.NoError(t, err)
		var meta struct {
			Judul   string
			Kolom   []struct{ Nama, Judul string }
			Wilayah struct {
				Kode string `json:"kode_wilayah"`
			}
			Produsen string
		}
		require.NoError(t, json.Unmarshal([]byte(ask("metadata").body), &meta))
		require.Contains(t, meta.Judul, title)
		require.Equal(t, "32.75", meta.Wilayah.Kode)
		require.Equal(t, "Bapenda Kota Contoh", meta.Produsen)
		require.Len(t, meta.Kolom, len(rows[0]))
		require.Contains(t, rows[0], "kode_wilayah")
		for i, c := range meta.Kolom {
			require.Equal(t, rows[0][i], c.Nama)
		}
		page := ask("html")
		if strings.HasSuffix(path, "realisasi") {
			require.Contains(t, page.body, "Proyeksi realisasi 4.1.01 sampai akhir tahun: Rp2.000.000, dengan peluang 90 % antara Rp1.000.000 dan Rp3.000.000, menurut 4 bulan penuh, tanpa musim; target Rp9.000.000.")
			require.Contains(t, page.body, "Proyeksi terutang 4.1.01 sampai akhir tahun: belum dapat dihitung")
		}
		require.Contains(t, page.body, title)
		require.Contains(t, page.Header.Get("Content-Security-Policy"), "style-src 'sha256-")
		require.True(t, strings.HasPrefix(page.Header.Get("Content-Disposition"), "inline"))
		f, err := excelize.OpenReader(bytes.NewReader([]byte(ask("xlsx").body)))
		require.NoError(t, err)
		sheetRows, err := f.GetRows("Sheet1")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Len(t, sheetRows[0], len(rows[0]))
		require.GreaterOrEqual(t, len(sheetRows), len(rows))
	}
}

// TestAStatementsSheetAddsUp: what was paid late is not told as unpaid, and the
// rule is the one that was used.
func TestAStatementsSheetAddsUp(t *testing.T) {
	st := newStage(t)
	st.Reports.Statements = map[string]report.Statement{"op-01": {
		Base: report.Base{Due: city.SomeInt(100)}, Rule: report.Late{PPM: 18_000, MostMonths: 12},
		Owed: &report.Owed{Due: 100, Paid: 40, Unpaid: 60, Interest: 2, Late: []report.Part{
			{Reference: "S-1", Until: "2026-04-01", Amount: 40, Months: 1, Interest: 1}, {Until: "2026-04-02", Amount: 60, Months: 1, Interest: 1},
		}},
	}}
	rows, err := csv.NewReader(strings.NewReader(st.as(t, token.Bapenda, "/v1/revenue/statements/op-01?format=csv").body)).ReadAll()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	of := func(row int, name string) string { return rows[row][column[name]] }
	require.Len(t, rows, 4)
	require.Equal(t, []string{"40", "", "60", ""}, []string{of(1, "late"), of(1, "unpaid"), of(2, "late"), of(2, "unpaid")})
	require.Equal(t, []string{"", "60", "2"}, []string{of(3, "late"), of(3, "unpaid"), of(3, "interest")})
	page := st.as(t, token.Bapenda, "/v1/revenue/statements/op-01?format=html").body
	require.Contains(t, page, "Bunga 1,8 % per bulan")
	require.Contains(t, page, "paling lama 12 bulan")
}

func TestAnOperatorSeesItsOwnStatementOnly(t *testing.T) {
	st := newStage(t)
	st.Reports.Statements = map[string]report.Statement{"op-02": {}}
	require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, "/v1/revenue/statements/op-01?month=2026-02", st.Secrets[token.Operator], "").StatusCode)
	other := st.do(t, http.MethodGet, "/v1/revenue/statements/op-02?month=2026-02", st.Secrets[token.Operator], "")
	none := st.do(t, http.MethodGet, "/v1/revenue/statements/op-99?month=2026-02", st.Secrets[token.Operator], "")
	other.problem(t, http.StatusNotFound)
	require.Equal(t, none.body, other.body, "another's looks like none")
	require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, "/v1/revenue/statements/op-02", st.Secrets[token.Bapenda], "").StatusCode)
	asked := st.Reports.Asked[len(st.Reports.Asked)-1].(report.StatementQuery)
	require.Equal(t, report.StatementQuery{Operator: "op-02", Month: "2026-02", Now: asked.Now}, asked, "last month, as known now, by default")
	st.do(t, http.MethodGet, "/v1/revenue/statements/op-99", st.Secrets[token.Bapenda], "").problem(t, http.StatusNotFound)
}

// TestAStatementTellsBothViews, and which one the rest is of.
func TestAStatementTellsBothViews(t *testing.T) {
	st := newStage(t)
	known, filed := report.Base{Gross: 1500, Due: city.SomeInt(150)}, report.Base{Gross: 1000, Due: city.SomeInt(100)}
	st.Reports.Statements = map[string]report.Statement{"op-01": {ClosedOn: "2026-03-16", Known: known, Filed: filed, Base: filed}}
	path := "/v1/revenue/statements/op-01?month=2026-02"
	var told map[string]any
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Operator, path+"&view=filed").body), &told))
	require.True(t, st.Reports.Asked[len(st.Reports.Asked)-1].(report.StatementQuery).Filed)
	require.Equal(t, "filed", told["view"])
	require.Equal(t, "2026-03-16", told["closed_on"])
	require.Equal(t, map[string]any{"gross": 1500.0, "due": 150.0}, told["known"])
	require.Equal(t, map[string]any{"gross": 1000.0, "due": 100.0}, told["filed"])
	require.InDelta(t, 1000, told["gross"], 0)
	require.Contains(t, st.as(t, token.Bapenda, path+"&view=filed&format=html").body, "Sebagaimana dilaporkan")
	page := st.as(t, token.Bapenda, path+"&format=html").body
	require.Contains(t, page, "ditutup 2026-03-16")
	rows, err := csv.NewReader(strings.NewReader(st.as(t, token.Bapenda, path+"&format=csv").body)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"diketahui", "dilaporkan", "jumlah"}, []string{rows[1][2], rows[2][2], rows[3][2]})
	require.Contains(t, rows[1], "1500")
	require.Contains(t, rows[2], "1000")
	st.do(t, http.MethodGet, path+"&view=now", st.Secrets[token.Bapenda], "").problem(t, http.StatusBadRequest)
}

// TestADayOfTwoParties: each is told, and a sheet names both in one row.
func TestADayOfTwoParties(t *testing.T) {
	st := newStage(t)
	st.Reports.Day = reconciled()
	d := &st.Reports.Day.Sites[0]
	d.Operator, d.Parties = "", []report.PartyDay{
		{Operator: "dishub", Account: d.Account, Levy: d.Levy, Receipts: 1, Recorded: 5000, Owing: report.Owing{Due: city.SomeInt(5000), Leak2State: report.LeakKnown, Leak2: city.SomeInt(0)}},
		{Operator: "op-09", Account: d.Account, Levy: d.Levy, Receipts: 1, Recorded: 3000, Owing: report.Owing{Due: city.SomeInt(3000), Leak2State: report.LeakKnown, Leak2: city.SomeInt(1000)}},
	}
	var day struct {
		Items []struct {
			Operator *string
			Parties  []struct {
				Operator string
				Recorded int64
				Leak2    *int64 `json:"leak_2"`
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Bapenda, "/v1/revenue/reconciliation").body), &day))
	require.Nil(t, day.Items[0].Operator)
	require.Len(t, day.Items[0].Parties, 2)
	require.Equal(t, "op-09", day.Items[0].Parties[1].Operator)
	require.EqualValues(t, 3000, day.Items[0].Parties[1].Recorded)
	require.EqualValues(t, 1000, *day.Items[0].Parties[1].Leak2)
	require.Empty(t, day.Items[1].Parties)
	rows, err := csv.NewReader(strings.NewReader(st.as(t, token.Bapenda, "/v1/revenue/reconciliation?format=csv").body)).ReadAll()
	require.NoError(t, err)
	require.Contains(t, rows[1], "dishub + op-09")
}

func TestTheExecutiveSeesTotals(t *testing.T) {
	st := newStage(t)
	for role, totals := range map[token.Role]bool{token.Executive: true, token.Bapenda: false, token.Auditor: false} {
		require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, "/v1/revenue/realisasi?by=quarter&group=kecamatan", st.Secrets[role], "").StatusCode)
		q := st.Reports.Asked[len(st.Reports.Asked)-1].(report.RealisasiQuery)
		require.Equal(t, totals, q.Totals, role)
		require.Equal(t, 2026, q.Year)
	}
	st.do(t, http.MethodGet, "/v1/revenue/realisasi?by=week", st.Secrets[token.Bapenda], "").problem(t, http.StatusBadRequest)
}
