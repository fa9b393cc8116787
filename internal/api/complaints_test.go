package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/token"
)

// aComplaint is a citizen's, at noon, of a site.
func aComplaint(t *testing.T, st *stage, service, site string) string {
	t.Helper()
	c, err := st.Register.Receive(t.Context(), apitest.Noon.UnixMilli(), complaint.New{
		Source: complaint.SourceCitizen, Service: service, Subjects: complaint.Subjects{Sites: []string{site}}, Description: "Apa adanya",
		Private: complaint.Private{FirstName: "Budi", Phone: "0812"},
	})
	require.NoError(t, err)
	return c.ID
}

// oneLeak is a money incident of a site.
type oneLeak struct{}

// Changes returns it.
func (oneLeak) Changes(_ context.Context, after uint64, _ int) ([]complaint.Incident, uint64, error) {
	if after > 0 {
		return nil, after, nil
	}
	return []complaint.Incident{{
		ID: "in-7", Rule: "leak", Severity: "high", Money: true, Subject: "s-mall", Site: "s-mall", OpenedAt: apitest.Noon.UnixMilli() - 1,
		Sums: []complaint.Sum{{Name: "missing_rp", Value: 1_250_000}},
	}}, 1, nil
}

// withLeak gives the stage a register that has a money complaint, SPG-2026-000001.
func withLeak(t *testing.T) func(*api.Options) {
	t.Helper()
	return func(o *api.Options) {
		v := apitest.Inventory(t)
		r, err := complaint.Open(t.Context(), t.TempDir()+"/complaints.db", complaint.Options{
			Inventory: func() *inventory.Version { return v }, Zone: apitest.Zone, Incidents: oneLeak{}, Gather: time.Nanosecond,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, r.Close()) })
		require.NoError(t, r.Work(t.Context(), apitest.Noon.UnixMilli()))
		o.Complaints = r
	}
}

func (st *stage) update(t *testing.T, role token.Role, id, body string) answer {
	t.Helper()
	return st.do(t, http.MethodPost, "/v1/complaints/"+id+"/updates", st.Secrets[role], body)
}

func TestComplaintsFromReceiptToEnd(t *testing.T) {
	st := newStage(t)
	id := aComplaint(t, st, "illegal_parking", "s-alun")
	second := aComplaint(t, st, "illegal_parking", "s-alun")
	st.Clock.Move(3 * 24 * time.Hour) // Thursday, the last of the three days
	var list api.List[api.Complaint]
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Dishub, "/v1/complaints?state=received&overdue=true").body), &list))
	require.Empty(t, list.Items)
	st.Clock.Move(24 * time.Hour)
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Dishub, "/v1/complaints?overdue=true&limit=1").body), &list))
	require.Len(t, list.Items, 1)
	require.True(t, list.Items[0].Overdue)
	require.NotEmpty(t, list.Next)
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Dishub, "/v1/complaints?limit=1&cursor="+string(list.Next)).body), &list))
	require.Equal(t, id, list.Items[0].ID)

	a := st.update(t, token.Dishub, id, `{"status":"closed"}`)
	p := a.problem(t, http.StatusUnprocessableEntity)
	require.Equal(t, []string{"status"}, fields(p))
	require.Equal(t, http.StatusOK, st.update(t, token.Agency, id, `{"status":"verified"}`).StatusCode, "the office's own officers verify")
	require.Equal(t, http.StatusOK, st.update(t, token.Agency, id, `{"status":"answered","text":"Diderek"}`).StatusCode)
	require.Equal(t, http.StatusOK, st.update(t, token.Agency, id, `{"status":"closed"}`).StatusCode)
	st.update(t, token.Dishub, second, `{"status":"duplicate","duplicate_of":"SPG-2026-000099"}`).problem(t, http.StatusUnprocessableEntity)
	st.update(t, token.Dishub, second, `{"delivery":"resend"}`).problem(t, http.StatusNotFound)
	st.update(t, token.Dishub, second, `{"delivery":"resend","text":"x"}`).problem(t, http.StatusUnprocessableEntity)
	st.update(t, token.Dishub, second, `{"colour":"red"}`).problem(t, http.StatusBadRequest)
	require.Equal(t, http.StatusOK, st.update(t, token.Dishub, second, `{"status":"duplicate","duplicate_of":"`+id+`"}`).StatusCode)
	var one api.ComplaintDetail
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Dishub, "/v1/complaints/"+id).body), &one))
	require.Equal(t, "closed", one.Status)
	require.Equal(t, "0812", string(one.Reporter.Phone))
	require.Len(t, one.Updates, 4)
	csv := st.as(t, token.Dishub, "/v1/complaints?format=csv").body
	require.Contains(t, csv, id)
	require.NotContains(t, csv, "0812", "names are in no list")
	st.do(t, http.MethodGet, "/v1/complaints?agency=bapenda", st.Secrets[token.Dishub], "").problem(t, http.StatusForbidden)
	st.do(t, http.MethodGet, "/v1/complaints?from=2026-03-02&to=2026-03-01", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
}

// TestMoneyComplaintsAreForFewEyes: who may know sees them, who may know the
// figures sees those.
func TestMoneyComplaintsAreForFewEyes(t *testing.T) {
	st := newStage(t, withLeak(t))
	const path = "/v1/complaints/SPG-2026-000001"
	for role, figures := range map[token.Role]bool{token.Admin: true, token.Bapenda: true, token.Auditor: true} {
		body := st.as(t, role, path).body
		require.Equal(t, figures, jsonHas(body, "1250000"), role)
		require.Contains(t, st.as(t, role, "/v1/complaints").body, "SPG-2026-000001")
	}
	own := st.Token(t, token.Request{Role: token.Agency, Name: "x", Agency: "bapenda"})
	a := st.do(t, http.MethodGet, path, own, "")
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.NotContains(t, a.body, "1250000")
	handed := st.Token(t, token.Request{Role: token.Dishub, Name: "x", Agency: "bapenda"})
	for _, secret := range []string{st.Secrets[token.Dishub], st.Secrets[token.Agency], handed} {
		st.do(t, http.MethodGet, path, secret, "").problem(t, http.StatusNotFound)
		require.NotContains(t, st.do(t, http.MethodGet, "/v1/complaints", secret, "").body, "SPG-2026-000001")
	}
}

func jsonHas(body, text string) bool {
	var one struct {
		Internal string `json:"internal"`
	}
	return json.Unmarshal([]byte(body), &one) == nil && one.Internal == "leak s-mall: missing_rp="+text
}

func TestMonev(t *testing.T) {
	st := newStage(t, withLeak(t))
	st.Reports.Year = report.Realisasi{Year: 2026, Rows: []report.RealisasiRow{
		{Period: "2026-03", Account: "4.1.01.19.04.0001", Name: "PBJT", Realized: city.SomeInt(5), ToDate: city.SomeInt(30), YearTarget: city.SomeInt(120)},
		{Period: "2026-02", Account: "4.1.01.19.04.0001", ToDate: city.SomeInt(25), YearTarget: city.SomeInt(120)},
	}}
	var m struct {
		Note  string
		Items []struct {
			Agency         string
			Received       int
			Open           api.OpenAges
			VerifyMedianH  any `json:"verify_median_h"`
			RealizedToDate int `json:"realized_to_date"`
			Percent        float64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Executive, "/v1/monev?month=2026-03").body), &m))
	require.Len(t, m.Items, 1)
	a := m.Items[0]
	require.Equal(t, "bapenda", a.Agency)
	require.Equal(t, 1, a.Received)
	require.Equal(t, api.OpenAges{To3: 1}, a.Open)
	require.Equal(t, 30, a.RealizedToDate)
	require.InDelta(t, 25, a.Percent, 1e-9)
	require.Nil(t, a.VerifyMedianH, "nothing was verified")
	require.Contains(t, m.Note, "belanja APBD tidak diketahui")
	require.NotContains(t, st.as(t, token.Dishub, "/v1/monev?month=2026-03").body, "bapenda")
	for _, format := range []string{"csv", "xlsx", "html", "metadata"} {
		require.NotEmpty(t, st.as(t, token.Executive, "/v1/monev?month=2026-03&format="+format).body, format)
	}
	require.Contains(t, st.as(t, token.Executive, "/v1/monev?format=html").body, "belanja APBD")
	st.do(t, http.MethodGet, "/v1/monev?month=2026-13", st.Secrets[token.Admin], "").problem(t, http.StatusBadRequest)
}

// TestReportsAreEvidence: what citizens report of a site stands beside its day.
func TestReportsAreEvidence(t *testing.T) {
	st := newStage(t)
	st.Reports.Day = report.Reconciliation{Sites: []report.SiteDay{{Site: "s-alun"}, {Site: "s-mall"}}}
	aComplaint(t, st, "overcharged", "s-alun")
	aComplaint(t, st, "overcharged", "s-alun")
	aComplaint(t, st, "illegal_parking", "s-alun")
	rejected := aComplaint(t, st, "no_karcis", "s-alun")
	require.Equal(t, http.StatusOK, st.update(t, token.Dishub, rejected, `{"status":"rejected","text":"tidak benar"}`).StatusCode)
	var got struct {
		Items []struct {
			Evidence struct {
				Reports []api.SiteReports `json:"reports"`
			} `json:"evidence"`
		} `json:"items"`
	}
	for date, want := range map[string][]api.SiteReports{"2026-03-02": {{Service: "overcharged", Count: 2}}, "2026-03-01": {}} {
		require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Bapenda, "/v1/revenue/reconciliation?date="+date).body), &got))
		require.Len(t, got.Items, 2)
		require.Equal(t, want, got.Items[0].Evidence.Reports, date)
		require.Empty(t, got.Items[1].Evidence.Reports)
	}
}

// TestAnOfficeWithoutARoleOfItsOwn: its officers, role agency, do for it all that
// dishub and bapenda do for theirs: nobody has to ask an admin. What is about
// money of Bapenda only its own role confirms, which sees the figures.
func TestAnOfficeWithoutARoleOfItsOwn(t *testing.T) {
	st := newStage(t, withLeak(t))
	const id = "SPG-2026-000001"
	own := st.Token(t, token.Request{Role: token.Agency, Name: "x", Agency: "bapenda"})
	act := func(secret, body string) answer {
		return st.do(t, http.MethodPost, "/v1/complaints/"+id+"/updates", secret, body)
	}
	act(own, `{"status":"verified"}`).problem(t, http.StatusForbidden)
	require.Equal(t, http.StatusOK, act(st.Secrets[token.Bapenda], `{"agency":"dishub"}`).StatusCode)
	for _, step := range []string{`{"status":"verified"}`, `{"status":"rejected","text":"bukan kebocoran"}`, `{"status":"verified","text":"ternyata ada"}`, `{"agency":"bapenda"}`} {
		require.Equal(t, http.StatusOK, act(st.Secrets[token.Agency], step).StatusCode, step)
	}
	act(st.Secrets[token.Agency], `{"text":"x"}`).problem(t, http.StatusNotFound)
}

// TestComplaintsOnPaper: one complaint, and the list for entry by hand, as pages
// to print: escaped, with the photo and what the sensors saw, without a name in
// the list.
func TestComplaintsOnPaper(t *testing.T) {
	st := newStage(t)
	photo, err := st.Register.PutPhoto(t.Context(), apitest.Noon.UnixMilli(), "image/jpeg", picture(t, 30, 20))
	require.NoError(t, err)
	c, err := st.Register.Receive(t.Context(), apitest.Noon.UnixMilli(), complaint.New{
		Source: complaint.SourceCitizen, Service: "illegal_parking", Subjects: complaint.Subjects{Sites: []string{"s-alun"}}, Description: "<b>Truk</b> di trotoar",
		Private: complaint.Private{FirstName: "Budi"}, Photos: []string{photo},
	})
	require.NoError(t, err)
	a := st.as(t, token.Dishub, "/v1/complaints/"+c.ID+"?format=html")
	require.Contains(t, a.Header.Get("Content-Type"), "text/html")
	require.Contains(t, a.Header.Get("Content-Security-Policy"), "img-src data:")
	for _, part := range []string{`<html lang="id">`, "Pengaduan " + c.ID, "&lt;b&gt;Truk&lt;/b&gt;", "Verifikasi paling lambat", `lang="en">Verify by`, "Budi", "data:image/jpeg;base64,", "Riwayat"} {
		require.Contains(t, a.body, part)
	}
	require.NotContains(t, a.body, "<b>Truk")
	list := st.as(t, token.Dishub, "/v1/complaints?format=html").body
	for _, part := range []string{"Daftar pengaduan", c.ID, "Batas waktu", "&lt;b&gt;Truk"} {
		require.Contains(t, list, part)
	}
	require.NotContains(t, list, "Budi")
	st.do(t, http.MethodGet, "/v1/complaints/"+c.ID+"?format=csv", st.Secrets[token.Dishub], "").problem(t, http.StatusBadRequest)
}

// TestTheBacklogIsTold: what is to go to the city's system, what is for a person,
// and which complaints those are.
func TestTheBacklogIsTold(t *testing.T) {
	up := true
	st := newStage(t, func(o *api.Options) {
		v := apitest.Inventory(t)
		r, err := complaint.Open(t.Context(), t.TempDir()+"/complaints.db", complaint.Options{
			Inventory: func() *inventory.Version { return v }, Zone: apitest.Zone, Destination: complaint.Destination{Set: true},
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, r.Close()) })
		o.Complaints, o.CityUp = r, func() bool { return up }
		now := apitest.Noon.UnixMilli()
		for range 3 {
			c, err := r.Receive(t.Context(), now, complaint.New{Source: complaint.SourceCitizen, Service: "illegal_parking", Subjects: complaint.Subjects{Sites: []string{"s-alun"}}})
			require.NoError(t, err)
			_, _, err = r.Update(t.Context(), now, c.ID, complaint.NewUpdate{State: complaint.StateVerified, By: "t"})
			require.NoError(t, err)
		}
		require.NoError(t, r.Sending(t.Context(), now, "SPG-2026-000001"))
		require.NoError(t, r.Unsure(t.Context(), now, "SPG-2026-000001", now+1, "?"))
		require.NoError(t, r.Sending(t.Context(), now, "SPG-2026-000002"))
		require.NoError(t, r.Sent(t.Context(), now, "SPG-2026-000002", "POT-1", ""))
		_, _, err = r.Update(t.Context(), now, "SPG-2026-000002", complaint.NewUpdate{State: complaint.StateAnswered, Text: "Diderek", By: "t"})
		require.NoError(t, err)
	})
	var told api.Outbox
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Executive, "/v1/outbox").body), &told))
	require.Equal(t, "well", told.Endpoint)
	require.Equal(t, []int{1, 0, 1, 0, 0, 1}, []int{told.Waiting, told.Sending, told.Unsure, told.Refused, told.Held, told.Updates.Waiting})
	require.NotEmpty(t, told.OldestAt)
	up = false
	require.Contains(t, st.as(t, token.Executive, "/v1/outbox").body, `"silent"`)
	var list api.List[api.Complaint]
	require.NoError(t, json.Unmarshal([]byte(st.as(t, token.Dishub, "/v1/complaints?delivery=unsure,refused").body), &list))
	require.Len(t, list.Items, 1)
	require.Equal(t, "SPG-2026-000001", list.Items[0].ID)
	require.Contains(t, newStage(t).as(t, token.Admin, "/v1/outbox").body, `"none"`)
}
