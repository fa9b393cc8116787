package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/traffic"
)

const alunItem = `{"id":"s-alun","name":"Alun-alun","kind":"on_street","location":{"lat":-6.237,"lon":107.0002},"address":"Jl. Veteran",
"kecamatan":"Bekasi Selatan","segment":"veteran-s","classes":[
{"class":"car","capacity":4,"free":2,"occupied":1,"unknown":1,"state":"open","quality":"partial"},
{"class":"motorcycle","capacity":10,"free":null,"occupied":null,"unknown":10,"state":"unknown","quality":"stale"}],
"accessible":{"capacity":1,"free":1},"quality":"partial","confidence":0.75,"observed_at":"2026-03-02T11:58:29.500+07:00","age_s":90,
"tariff":"street","payment":["cash","qris"],"restrictions":["no trucks"],"official":true,"opening_hours":"Mo-Su 06:00-22:00"}`

func TestSitesAreAsTheContractSays(t *testing.T) {
	st := newStage(t)
	a := st.get(t, "/v1/parking/sites")
	require.Equal(t, "application/json; charset=utf-8", a.Header.Get("Content-Type"))
	require.Equal(t, "*", a.Header.Get("Access-Control-Allow-Origin"))
	require.NotEmpty(t, a.Header.Get("Cache-Control"))
	var list struct {
		Items []json.RawMessage
		Next  *string
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &list))
	require.Len(t, list.Items, 3)
	require.Nil(t, list.Next)
	require.JSONEq(t, alunItem, string(list.Items[0]))
	// A site that nobody has heard of yet: all unknown, nothing made up.
	require.JSONEq(t, `{"id":"s-mall","name":"Mal \"Contoh\" <1>","kind":"off_street","location":{"lat":-6.237,"lon":107.003},
"address":"Jl. Ahmad Yani","kecamatan":"Bekasi Selatan","segment":null,"classes":[
{"class":"car","capacity":500,"free":null,"occupied":null,"unknown":500,"state":"unknown","quality":"none"}],
"accessible":{"capacity":0,"free":null},"quality":"none","confidence":0,"observed_at":null,"age_s":null,"tariff":"mall",
"payment":["emoney"],"restrictions":[],"official":true,"opening_hours":"24/7"}`, string(list.Items[1]))

	one := st.get(t, "/v1/parking/sites/s-alun")
	require.JSONEq(t, strings.TrimSuffix(alunItem, "}")+`,"spots":[]}`, one.body)
}

func TestSiteTellsItsSpots(t *testing.T) {
	st := newStage(t)
	st.Parking.Set(alun(2, 1, 1),
		occupancy.SpotState{Spot: "A1", Class: city.Car, State: "free", Accessible: true},
		occupancy.SpotState{Spot: "A2", State: "occupied"})
	before := st.get(t, "/v1/parking/sites/s-alun").Header.Get("Etag")
	st.render()
	a := st.get(t, "/v1/parking/sites/s-alun")
	require.NotEqual(t, before, a.Header.Get("Etag"), "the spots are part of the tag")
	var site struct{ Spots json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(a.body), &site))
	require.JSONEq(t, `[{"id":"A1","class":"car","state":"free","accessible":true},{"id":"A2","class":null,"state":"occupied","accessible":false}]`, string(site.Spots))
	st.do(t, http.MethodGet, "/v1/parking/sites/none", "", "").problem(t, http.StatusNotFound)
}

func ids(t *testing.T, body string) []string {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	names := []string{}
	for _, i := range list.Items {
		names = append(names, i.ID)
	}
	return names
}

func TestFiltersAndPages(t *testing.T) {
	st := newStage(t)
	for query, want := range map[string][]string{
		"":                                  {"s-alun", "s-mall", "s-pasar"},
		"?class=motorcycle":                 {"s-alun", "s-pasar"},
		"?class=bus":                        {},
		"?kecamatan=Bekasi%20Timur":         {"s-pasar"},
		"?kind=off_street":                  {"s-mall", "s-pasar"},
		"?kind=off_street&class=motorcycle": {"s-pasar"},
		"?bbox=106.99,-6.24,107.001,-6.23":  {"s-alun"},
		"?bbox=107.001,-6.23,106.99,-6.24":  {"s-alun"},
		"?limit=2":                          {"s-alun", "s-mall"},
	} {
		require.Equal(t, want, ids(t, st.get(t, "/v1/parking/sites"+query).body), query)
	}
	require.Empty(t, ids(t, st.get(t, "/v1/parking/sites?bbox=0,0,1,1&limit=1000&cursor=cxsOzws").body))
	a := st.get(t, "/v1/parking/sites?class=motorcycle")
	require.NotContains(t, a.body, `"class":"car"`, "classes are trimmed")

	var got []string
	next := "/v1/parking/sites?limit=1"
	for next != "" {
		a := st.get(t, next)
		got = append(got, ids(t, a.body)...)
		var list struct{ Next string }
		require.NoError(t, json.Unmarshal([]byte(a.body), &list))
		next = ""
		if list.Next != "" {
			next = "/v1/parking/sites?limit=1&cursor=" + list.Next
		}
	}
	require.Equal(t, []string{"s-alun", "s-mall", "s-pasar"}, got)
}

func TestAgeGrowsAndTheTagDoesNot(t *testing.T) {
	st := newStage(t)
	for _, path := range []string{
		"/v1/parking/sites", "/v1/parking/sites?limit=2", "/v1/parking/sites/s-alun", "/v1/parking/nearby?lat=-6.237&lon=107",
		"/v1/traffic/segments", "/v1/traffic/segments/veteran-s", "/v1/traffic/congestion", "/v1/parking/sites?format=geojson",
	} {
		first := st.get(t, path)
		tag := first.Header.Get("Etag")
		require.Regexp(t, `^W/"[0-9a-f]+"$`, tag, path)
		st.Clock.Move(5 * time.Second)
		st.render()
		later := st.get(t, path)
		require.Equal(t, tag, later.Header.Get("Etag"), path)
		if path != "/v1/traffic/congestion" {
			require.NotEqual(t, first.body, later.body, "%s: the age has grown", path)
		}
		for _, match := range []string{tag, `"x", ` + tag, strings.TrimPrefix(tag, "W/"), "*"} {
			a := st.do(t, http.MethodGet, path, "", "", "If-None-Match", match)
			require.Equal(t, http.StatusNotModified, a.StatusCode, path)
			require.Empty(t, a.body)
			require.Equal(t, tag, a.Header.Get("Etag"))
		}
		require.Equal(t, http.StatusOK, st.do(t, http.MethodGet, path, "", "", "If-None-Match", `W/"0"`).StatusCode)
	}
	tag := st.get(t, "/v1/parking/sites").Header.Get("Etag")
	st.Parking.Set(alun(1, 2, 1))
	st.render()
	require.NotEqual(t, tag, st.get(t, "/v1/parking/sites").Header.Get("Etag"))
}

func TestSegmentsAreAsTheContractSays(t *testing.T) {
	st := newStage(t)
	require.JSONEq(t, `{"id":"veteran-s","name":"Jl. Veteran","direction":"selatan","status":"open","flow_vph":1200,"flow_smp_h":null,
"capacity_smp_h":null,"dj":0.512,"dj_counted":0.512,"regime":"dense","speed_kmh":30,"free_flow_kmh":null,"tti":null,"index":null,
"los":"C","los_pm96":"E","trend":"steady","quality":"live","observed_at":"2026-03-02T11:59:00+07:00","age_s":60,"source":"PKJI2023-sekunder"}`,
		st.get(t, "/v1/traffic/segments/veteran-s").body)
	// The other direction was never measured: nulls, no zero.
	require.JSONEq(t, `{"id":"veteran-u","name":"Jl. Veteran","direction":"utara","status":"open","flow_vph":null,"flow_smp_h":null,
"capacity_smp_h":null,"dj":null,"dj_counted":null,"regime":null,"speed_kmh":null,"free_flow_kmh":null,"tti":null,"index":null,
"los":null,"los_pm96":null,"trend":null,"quality":"none","observed_at":null,"age_s":null,"source":null}`,
		st.get(t, "/v1/traffic/segments/veteran-u").body)
	require.Equal(t, []string{"veteran-s", "veteran-u"}, ids(t, st.get(t, "/v1/traffic/segments").body))
	st.do(t, http.MethodGet, "/v1/traffic/segments/none", "", "").problem(t, http.StatusNotFound)
}

func TestCongestion(t *testing.T) {
	st := newStage(t)
	require.JSONEq(t, `{"index":null,"levels":{"A":0,"B":0,"C":0,"D":0,"E":0,"F":0,"unknown":0},"worst":[],"observed_at":null,"age_s":null}`,
		st.get(t, "/v1/traffic/congestion").body)
	st.Traffic.City = traffic.Congestion{
		Index: city.SomeMilli(3400), Levels: map[string]int{"C": 1, "unknown": 1},
		Worst: []traffic.SegmentState{veteran(30_000)}, ObservedAt: apitest.Noon.UnixMilli() - 60_000,
	}
	st.render()
	var c struct {
		Index  float64
		Levels map[string]int
		Worst  []struct{ ID string }
		AgeS   int `json:"age_s"`
	}
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/v1/traffic/congestion").body), &c))
	require.InDelta(t, 3.4, c.Index, 1e-9)
	require.Equal(t, 1, c.Levels["C"])
	require.Equal(t, "veteran-s", c.Worst[0].ID)
	require.Equal(t, 60, c.AgeS)
}

func TestHistory(t *testing.T) {
	st := newStage(t)
	noon := apitest.Noon.UnixMilli()
	st.Parking.Points = []occupancy.HistoryPoint{
		{T: noon, FreeAvg: city.SomeMilli(1500), FreeMin: city.SomeInt(1), OccupiedAvg: city.SomeMilli(2500), Arrivals: city.SomeInt(3), Departures: city.SomeInt(2), Coverage: city.SomeMilli(1000)},
		{T: noon + 300_000},
	}
	const query = "/history?from=2026-03-02T12:00:00 07:00&to=2026-03-02T12:10:00%2B07:00"
	a := st.get(t, strings.ReplaceAll("/v1/parking/sites/s-alun"+query, " ", "%20"))
	require.JSONEq(t, `{"site":"s-alun","class":"car","step_s":300,"points":[
{"t":"2026-03-02T12:00:00+07:00","free_avg":1.5,"free_min":1,"occupied_avg":2.5,"arrivals":3,"departures":2,"coverage":1,"closed":0},
{"t":"2026-03-02T12:05:00+07:00","free_avg":null,"free_min":null,"occupied_avg":null,"arrivals":null,"departures":null,"coverage":0,"closed":0}]}`, a.body)
	require.Equal(t, apitest.Span{ID: "s-alun", Class: city.Car, From: noon, To: noon + 600_000, Step: 5 * time.Minute}, st.Parking.Asked[0])

	st.get(t, "/v1/parking/sites/s-pasar/history?class=motorcycle&from=2026-03-01&to=2026-03-02&step=1d")
	midnight := time.Date(2026, 3, 1, 0, 0, 0, 0, apitest.Zone).UnixMilli()
	require.Equal(t, apitest.Span{ID: "s-pasar", Class: city.Motorcycle, From: midnight, To: midnight + 86_400_000, Step: 24 * time.Hour}, st.Parking.Asked[1])

	st.get(t, "/v1/parking/sites/s-alun/history?from=2026-03-02T11:58:00Z&to=2026-03-02T12:02:00Z")
	asked := st.Parking.Asked[2]
	require.Equal(t, int64(600_000), asked.To-asked.From, "widened to whole steps")

	st.get(t, "/v1/traffic/segments/veteran-s/history?step=15m")
	require.Equal(t, 15*time.Minute, st.Traffic.Asked[0].Step)
	require.Equal(t, noon, st.Traffic.Asked[0].To)
	require.Equal(t, noon-86_400_000, st.Traffic.Asked[0].From)
}

func TestTurnoverOfTaxpayersIsHidden(t *testing.T) {
	st := newStage(t)
	st.Parking.Points = []occupancy.HistoryPoint{{T: apitest.Noon.UnixMilli(), Arrivals: city.SomeInt(7), Departures: city.SomeInt(7), Coverage: city.SomeMilli(1000)}}
	sees := func(secret, site string) bool {
		a := st.do(t, http.MethodGet, "/v1/parking/sites/"+site+"/history", secret, "")
		require.Equal(t, http.StatusOK, a.StatusCode, a.body)
		require.Contains(t, a.Header.Get("Vary"), "Authorization")
		if secret != "" {
			require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		}
		return strings.Contains(a.body, `"arrivals":7,"departures":7`)
	}
	require.True(t, sees("", "s-alun"), "no taxpayer's site")
	require.False(t, sees("", "s-mall"))
	require.True(t, sees(st.Secrets[token.Dishub], "s-mall"))
	require.True(t, sees(st.Secrets[token.Operator], "s-mall"), "its own")
	other := st.Token(t, token.Request{Role: token.Operator, Name: "other", Operator: "dishub"})
	require.False(t, sees(other, "s-mall"))
	require.False(t, sees(st.Secrets[token.Agency], "s-mall"))
	st.do(t, http.MethodGet, "/v1/parking/sites/s-mall/history", "smp_wrong", "").problem(t, http.StatusUnauthorized)
}

func TestClosuresFromFileAndAPI(t *testing.T) {
	st := newStage(t)
	type closure struct{ ID, Site, Segment, From, To, Reason, Source string }
	list := func() []closure {
		var got struct{ Items []closure }
		require.NoError(t, json.Unmarshal([]byte(st.get(t, "/v1/closures").body), &got))
		return got.Items
	}
	items := list()
	// Sundays within 30 days but the excepted 8 March: 15, 22, 29 March; and the works in June.
	require.Len(t, items, 4)
	require.Equal(t, "2026-03-15T06:00:00+07:00", items[0].From)
	require.Equal(t, "2026-03-15T10:00:00+07:00", items[0].To)
	require.Equal(t, "veteran-s", items[0].Segment)
	require.Equal(t, "cfd", items[0].Reason)
	require.Equal(t, "works", items[3].Reason)

	body := `{"site":"s-alun","from":"2026-03-02T11:00:00+07:00","reason":"flood","note":"Banjir"}`
	a := st.do(t, http.MethodPost, "/v1/closures", st.Secrets[token.Dishub], body)
	require.Equal(t, http.StatusCreated, a.StatusCode, a.body)
	require.JSONEq(t, `{"id":"cl-s-alun","site":"s-alun","segment":null,"from":"2026-03-02T11:00:00+07:00","to":null,"reason":"flood","places_lost":null,"note":"Banjir","source":"api"}`, a.body)
	require.Equal(t, http.StatusOK, st.do(t, http.MethodPost, "/v1/closures", st.Secrets[token.Dishub], body).StatusCode, "known already")
	items = list()
	require.Len(t, items, 5)
	require.Equal(t, "cl-s-alun", items[0].ID)

	gone := st.do(t, http.MethodDelete, "/v1/closures/cl-s-alun", st.Secrets[token.Dishub], "")
	require.Equal(t, http.StatusNoContent, gone.StatusCode)
	require.Len(t, list(), 4)
	st.do(t, http.MethodDelete, "/v1/closures/cl-s-alun", st.Secrets[token.Dishub], "").problem(t, http.StatusNotFound)
}

func TestClosuresAreChecked(t *testing.T) {
	st := newStage(t)
	for body, want := range map[string][]string{
		`{"from":"2026-03-02T11:00:00+07:00","reason":"flood"}`:                                                            {"site"},
		`{"site":"s-alun","segment":"veteran-s","from":"2026-03-02","reason":"flood"}`:                                     {"site"},
		`{"site":"none","from":"2026-03-02T11:00:00","reason":"rain"}`:                                                     {"site", "from", "reason"},
		`{"segment":"none","from":"2026-03-02","to":"2026-03-01","reason":"cfd"}`:                                          {"segment", "to"},
		`{"site":"s-alun","from":"2026-03-02","reason":"works","places_lost":0,"note":"` + strings.Repeat("x", 501) + `"}`: {"note", "places_lost"},
	} {
		p := st.do(t, http.MethodPost, "/v1/closures", st.Secrets[token.Admin], body).problem(t, http.StatusUnprocessableEntity)
		require.Equal(t, want, fields(p), body)
	}
	require.Empty(t, st.Gate.Did)
}

// The inventory that was accepted counts, not the one that is shown.
func TestAClosureRightAfterTheStart(t *testing.T) {
	st := newStage(t)
	v := st.Version
	st.Version = nil
	st.render()
	const body = `{"site":"s-alun","from":"2026-03-02T11:00:00+07:00","reason":"flood"}`
	a := st.do(t, http.MethodPost, "/v1/closures", st.Secrets[token.Dishub], body)
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode, a.body)
	st.Version = v
	a = st.do(t, http.MethodPost, "/v1/closures", st.Secrets[token.Dishub], body)
	require.Equal(t, http.StatusCreated, a.StatusCode, a.body)
}

func TestAgencies(t *testing.T) {
	st := newStage(t)
	var list api.List[api.Agency]
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/v1/agencies").body), &list))
	require.Len(t, list.Items, 2)
	bapenda, dishub := list.Items[0], list.Items[1]
	require.Equal(t, []api.Handled{
		{Code: "meter_out_of_order", Name: "Alat perekam transaksi tidak bekerja", NameEN: "Meter out of order"},
		{Code: "money_records", Name: "Catatan transaksi parkir", NameEN: "Records of parking money"},
	}, bapenda.Handles)
	require.Contains(t, dishub.Handles, api.Handled{Code: "overcharged", Name: "Ditarik lebih dari tarif", NameEN: "Overcharged for parking", Public: true})
	bapenda.Handles = nil
	require.Equal(t, api.Agency{
		ID: "bapenda", Name: "Badan Pendapatan Daerah", PIC: "Kepala Bidang Pendapatan", Duties: []string{"PBJT"}, Services: []string{"setoran"}, Contact: "Kantor",
	}, bapenda)
}
