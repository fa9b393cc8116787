package api_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/token"
)

// read311 reads a list of requests as our own reader does.
func (st *stage) read311(t *testing.T, path string) []open311.Request {
	t.Helper()
	list, err := open311.Reader{Zone: apitest.Zone}.Requests([]byte(st.get(t, path).body))
	require.NoError(t, err)
	return list
}

func ids311(list []open311.Request) []string {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids
}

func TestOpen311Formats(t *testing.T) {
	st := newStage(t, withRegister(t))
	st.file(t, "no_karcis", "&description=%3Ctidak+ada%3E+karcis%00")
	for path, root := range map[string]string{
		"discovery": "discovery", "services": "services", "services/overcharged": "service_definition", "requests": "service_requests",
		"requests/SPG-2026-000001": "service_requests", "tokens/SPG-2026-000001": "service_requests", "servicerequestupdates": "service_request_updates",
	} {
		path = "/open311/v2/" + path
		a := st.get(t, path+".json")
		require.Equal(t, "application/json; charset=utf-8", a.Header.Get("Content-Type"))
		require.Equal(t, "*", a.Header.Get("Access-Control-Allow-Origin"))
		require.NotEmpty(t, a.Header.Get("Etag"))
		require.True(t, json.Valid([]byte(a.body)))
		require.Equal(t, a.body, st.get(t, path).body, "JSON without a wish")
		x := st.get(t, path+".xml")
		require.Equal(t, "text/xml; charset=utf-8", x.Header.Get("Content-Type"))
		var doc struct{ XMLName xml.Name }
		require.NoError(t, xml.Unmarshal([]byte(x.body), &doc), x.body)
		require.Equal(t, root, doc.XMLName.Local)
		wish := st.do(t, http.MethodGet, path, "", "", "Accept", "text/html, application/xml;q=0.9")
		require.Equal(t, x.body, wish.body)
		require.Equal(t, "Accept", wish.Header.Get("Vary"))
		require.Equal(t, http.StatusNotModified, st.do(t, http.MethodGet, path+".json", "", "", "If-None-Match", a.Header.Get("Etag")).StatusCode)
		require.Equal(t, http.StatusOK, st.do(t, http.MethodHead, path+".json", "", "").StatusCode)
	}
	a := st.do(t, http.MethodOptions, "/open311/v2/requests.json", "", "")
	require.Equal(t, http.StatusNoContent, a.StatusCode)
	require.Contains(t, a.Header.Get("Access-Control-Allow-Methods"), "POST")
}

func TestOpen311Errors(t *testing.T) {
	st := newStage(t, withRegister(t))
	key := st.Secrets[token.Reporter]
	for path, status := range map[string]int{
		"/open311/v2/requests/SPG-2026-000099.json": 404, "/open311/v2/requests/x": 404, "/open311/v2/services/none.json": 404, "/open311/v2/tokens/none.json": 404,
		"/open311/v2/services.json?jurisdiction_id=other": 404, "/open311/v2/nothing": 404, "/open311/v2/photos/none": 404, "/open311/v2/requests.json?status=done": 400,
		"/open311/v2/requests.json?start_date=soon": 400, "/open311/v2/requests.json?page=0": 400, "/open311/v2/requests.json?page_size=1001": 400,
		"/open311/v2/requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-05-01T00:00:00Z": 400,
		"/open311/v2/requests.json?start_date=2026-03-02T00:00:00Z&end_date=2026-03-01T00:00:00Z": 400,
	} {
		a := st.do(t, http.MethodGet, path, "", "")
		a.faults(t, status)
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	}
	a := st.do(t, http.MethodGet, "/open311/v2/services/none.xml", "", "")
	require.Equal(t, http.StatusNotFound, a.StatusCode)
	require.Contains(t, a.body, "<errors><error><code>404</code><description>")
	require.Equal(t, http.StatusMethodNotAllowed, st.do(t, http.MethodPut, "/open311/v2/requests.json", "", "").StatusCode)
	require.Equal(t, http.StatusOK, st.get(t, "/open311/v2/services.json?jurisdiction_id=contoh").StatusCode)

	post := func(form string) answer { return st.form(t, "/open311/v2/requests.json", key, form) }
	require.Contains(t, post(strings.TrimPrefix(place, "&")).faults(t, 400)[0], "service_code was not provided")
	post("service_code=none"+place).faults(t, http.StatusNotFound)
	post("service_code=no_karcis").faults(t, http.StatusBadRequest)
	require.Contains(t, post("service_code=no_karcis&lat=0&long=0").faults(t, 400)[0], "outside this city")
	require.Contains(t, post("service_code=overcharged"+place+"&attribute[amount_paid]=much").faults(t, 400)[0], "must be a number")
	require.Len(t, post("service_code=overcharged&lat=99&attribute[amount_paid]=much").faults(t, 400), 2, "every fault at once")
	post("service_code=no_karcis&jurisdiction_id=x"+place).faults(t, http.StatusNotFound)
	post("service_code=no_karcis"+place+"&description="+strings.Repeat("x", 4001)).faults(t, http.StatusBadRequest)
	require.Equal(t, http.StatusRequestEntityTooLarge, post("service_code=no_karcis&description="+strings.Repeat("x", 300<<10)).StatusCode)
	st.do(t, http.MethodPost, "/open311/v2/requests.json", "", `{"service_code":"x"}`).faults(t, http.StatusBadRequest)
	require.Empty(t, st.read311(t, "/open311/v2/requests.json"))
}

// A word that ends a report ends it wherever it stands, and an update_id is of
// its request.
func TestOpen311UpdatesAtOnce(t *testing.T) {
	st := newStage(t, withRegister(t))
	a, b := st.file(t, "no_karcis", ""), st.file(t, "illegal_parking", "")
	for _, id := range []string{a, b} {
		st.post311(t, token.Admin, id, "closed", "1")
		require.Equal(t, "closed", st.request311(t, id)["status"])
	}
	for i, word := range []string{"in_progress", "planned", "action_scheduled", "fixed", "duplicate", "for_triage", "open", "unchanged", "reopen"} {
		id := st.file(t, "no_karcis", "")
		st.post311(t, token.Admin, id, word, strconv.Itoa(i))
		st.post311(t, token.Admin, id, word, strconv.Itoa(i)+" again")
	}
	id := st.file(t, "no_karcis", "")
	st.post311(t, token.Agency, id, "investigating", "z")
	require.Equal(t, "verified", st.request311(t, id)["extended_attributes"].(map[string]any)["state"])
}

// A request reads the same in a list and alone.
func TestOpen311ListAndOneAgree(t *testing.T) {
	st := newStage(t, withRegister(t))
	a, b := st.file(t, "no_karcis", ""), st.file(t, "illegal_parking", "&description=x")
	st.post311(t, token.Admin, a, "investigating", "1")
	st.post311(t, token.Admin, b, "closed", "2")
	st.file(t, "overcharged", "")
	for _, more := range []string{"", "?extensions=true"} {
		all := st.read311(t, "/open311/v2/requests.json"+more)
		require.Len(t, all, 3)
		var raw []json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(st.get(t, "/open311/v2/requests.json"+more).body), &raw))
		for i := range all {
			require.JSONEq(t, "["+string(raw[i])+"]", st.get(t, "/open311/v2/requests/"+all[i].ID+".json"+more).body)
		}
		require.Equal(t, "sudah diperiksa", all[1].StatusNotes, "what was said last")
		require.NotEmpty(t, all[0].StatusNotes, "else how it stands")
	}
}

// Nothing of a person comes out again, and no picture before an officer saw it.
func TestOpen311HoldsNoPersonalData(t *testing.T) {
	st := newStage(t, withRegister(t))
	id := st.file(t, "overcharged", "&email=budi%40contoh.id&phone=0812-3456-7890&first_name=Budi&last_name=Santoso&device_id=DEV9&account_id=ACC9"+
		"&description=Hubungi+0812-3456-7890+atau+budi%40contoh.id,+NIK+3275011203900001,+karcis+Rp+5000&media_url=https://foto.example/1.jpg&attribute[receipt]=R-77&attribute[amount_paid]=5000")
	for _, path := range []string{"requests.json?extensions=true", "requests/" + id + ".json?extensions=true", "requests/" + id + ".xml", "servicerequestupdates.json"} {
		body := st.get(t, "/open311/v2/"+path).body
		for _, secret := range []string{"budi", "Budi", "Santoso", "3456", "DEV9", "ACC9", "foto.example", "R-77", "3275011203900001"} {
			require.NotContains(t, body, secret, path)
		}
	}
	require.Equal(t, "Hubungi […] atau […], NIK […], karcis Rp 5000", st.request311(t, id)["description"])
	require.NotContains(t, st.request311(t, id), "media_url")
	st.post311(t, token.Admin, id, "investigating", "u-1")
	require.Equal(t, "https://foto.example/1.jpg", st.request311(t, id)["media_url"])
}

func TestOpen311Queries(t *testing.T) {
	st := newStage(t, withRegister(t))
	a := st.file(t, "no_karcis", "")
	st.Clock.Move(time.Hour)
	b := st.file(t, "illegal_parking", "")
	st.Clock.Move(100 * 24 * time.Hour)
	c := st.file(t, "no_karcis", "")
	require.Equal(t, []string{"SPG-2026-000001", "SPG-2026-000002", "SPG-2026-000003"}, []string{a, b, c})
	st.post311(t, token.Admin, c, "no_further_action", "u-1")
	begin := "start_date=2026-03-02T11:00:00%2B07:00&"
	for query, want := range map[string][]string{
		"":                               {c},
		begin:                            {c, b, a},
		begin + "service_code=no_karcis": {c, a},
		begin + "service_code=no_karcis,illegal_parking":            {c, b, a},
		begin + "end_date=2026-03-02T12:30:00%2B07:00":              {a},
		begin + "page=2&page_size=1":                                {b},
		begin + "page=4&page_size=1":                                {},
		"status=closed":                                             {c},
		"status=open":                                               {},
		"status=open,closed":                                        {c},
		"service_request_id=" + a + "," + b + ",none&status=closed": {b, a},
		"service_request_id=none":                                   {},
		begin + "unknown=1&api_key=x":                               {c, b, a},
	} {
		require.Equal(t, want, ids311(st.read311(t, "/open311/v2/requests.json?"+query)), query)
		require.Equal(t, want, ids311(st.read311(t, "/open311/v2/requests.xml?"+query)), query)
	}
	require.Equal(t, open311.Closed, st.read311(t, "/open311/v2/requests/"+c+".xml")[0].Status)
	updates, err := open311.Reader{Zone: apitest.Zone}.Updates([]byte(st.get(t, "/open311/v2/servicerequestupdates.json?"+begin).body))
	require.NoError(t, err)
	require.Len(t, updates, 4, "one when it was received, of each in the window, and one at an end")
}

func TestOpen311OffersDuplicates(t *testing.T) {
	st := newStage(t, withRegister(t))
	first := st.file(t, "illegal_parking", "")
	a := st.form(t, "/open311/v2/requests.json", st.Secrets[token.Reporter], "service_code=illegal_parking&lat=-6.2380&long=107.0012")
	require.Contains(t, a.body, first)
	a = st.form(t, "/open311/v2/requests.json", st.Secrets[token.Reporter], "service_code=no_karcis&lat=-6.2380&long=107.0012")
	require.NotContains(t, a.body, first, "another kind")
	a = st.form(t, "/open311/v2/requests.json", st.Secrets[token.Reporter], "service_code=illegal_parking&lat=-6.2500&long=107.0012")
	require.NotContains(t, a.body, first, "another place")
}

func TestOpen311Updates(t *testing.T) {
	st := newStage(t, withRegister(t))
	id := st.file(t, "illegal_parking", "")
	st.post311(t, token.Dishub, id, "investigating", "u-1")
	st.post311(t, token.Dishub, id, "investigating", "u-1")
	st.post311(t, token.Dishub, id, "in_progress", "u-2")
	st.post311(t, token.Agency, id, "fixed", "u-3")
	r := st.request311(t, id)
	require.Equal(t, "open", r["status"])
	require.Equal(t, "sudah diperiksa", r["status_notes"])
	require.Equal(t, "answered", r["extended_attributes"].(map[string]any)["state"])
	require.Len(t, r["notes"], 4, "received, and each once")
	st.form(t, "/open311/v2/servicerequestupdates.json", st.Secrets[token.Bapenda], updateForm(id, "closed", "u-4")).faults(t, http.StatusForbidden)
	st.form(t, "/open311/v2/servicerequestupdates.json", st.Secrets[token.Admin], updateForm("SPG-2026-000077", "closed", "u-4")).faults(t, http.StatusNotFound)
	st.post311(t, token.Admin, id, "closed", "u-5")
	require.Equal(t, "closed", st.request311(t, id)["status"])
}

// A photo is what its bytes are, and comes back without what stood beside the
// pixels.
func TestOpen311Photos(t *testing.T) {
	st := newStage(t, withRegister(t))
	fields := map[string]string{"service_code": "illegal_parking", "lat": "-6.2379", "long": "107.0011"}
	key := st.Secrets[token.Reporter]
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00GPS-107.0011-KAMERA-BUDI"
	plain := picture(t, 60, 20)
	tagged := append(append(append([]byte{}, plain[:2]...), append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)...), plain[2:]...)
	a := st.multipart(t, key, fields, tagged)
	require.Equal(t, http.StatusOK, a.StatusCode, a.body)
	st.post311(t, token.Admin, "SPG-2026-000001", "investigating", "u-1")
	at, _ := st.request311(t, "SPG-2026-000001")["media_url"].(string)
	require.True(t, strings.HasPrefix(at, "http://example.com/open311/v2/photos/"), at)
	require.Greater(t, len(at), len("http://example.com/open311/v2/photos/")+20, "nobody guesses it")
	p := st.get(t, strings.TrimPrefix(at, "http://example.com"))
	require.Equal(t, "image/jpeg", p.Header.Get("Content-Type"))
	require.NotContains(t, p.body, "BUDI")
	require.NotContains(t, p.body, "Exif")
	got, err := jpeg.Decode(strings.NewReader(p.body))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 20, 60), got.Bounds(), "it stands upright")
	red, _, blue, _ := got.At(10, 5).RGBA()
	require.Greater(t, red, blue, "what was left is above")

	var flat bytes.Buffer
	require.NoError(t, png.Encode(&flat, image.NewGray(image.Rect(0, 0, 8, 8))))
	require.Equal(t, http.StatusOK, st.multipart(t, key, fields, flat.Bytes(), plain, plain).StatusCode)
	var huge bytes.Buffer
	require.NoError(t, png.Encode(&huge, image.NewGray(image.Rect(0, 0, 9000, 1000))))
	for name, photos := range map[string][][]byte{
		"text": {[]byte("hello")}, "gif": {[]byte("GIF89a\x01\x00\x01\x00")}, "cut": {plain[:len(plain)/3]}, "svg": {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
		"many pixels": {huge.Bytes()}, "too many": {plain, plain, plain, plain}, "large": {append(plain, make([]byte, 8<<20)...)},
	} {
		t.Run(name, func(t *testing.T) {
			st.multipart(t, key, fields, photos...).faults(t, http.StatusBadRequest)
		})
	}
	require.Len(t, st.read311(t, "/open311/v2/requests.json"), 2, "what was refused is not there")
}

// A key that citizens share files so much an hour and address, and no more.
func TestOpen311FilingIsBounded(t *testing.T) {
	st := newStage(t, withRegister(t), func(o *api.Options) { o.Open311.Filings = 3 })
	for range 3 {
		st.file(t, "no_karcis", "")
	}
	a := st.form(t, "/open311/v2/requests.json", st.Secrets[token.Reporter], "service_code=no_karcis"+place)
	a.faults(t, http.StatusTooManyRequests)
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	require.Equal(t, http.StatusOK, st.form(t, "/open311/v2/requests.json", st.Secrets[token.Dishub], "service_code=no_karcis"+place).StatusCode)
}

// Without a register, and where the rate is passed, errors are the standard's.
func TestOpen311WithoutRegister(t *testing.T) {
	st := newStage(t, func(o *api.Options) { o.RateLimit = 1 })
	st.do(t, http.MethodGet, "/open311/v2/requests.json", "", "").faults(t, http.StatusServiceUnavailable)
	for range 50 {
		if a := st.do(t, http.MethodGet, "/open311/v2/requests.json", "", ""); a.StatusCode == http.StatusTooManyRequests {
			a.faults(t, http.StatusTooManyRequests)
			return
		}
	}
	t.Fatal("the rate was never passed")
}

// What is of money is never there, whatever asks for it.
func TestOpen311NeverShowsMoney(t *testing.T) {
	var reg *complaint.Register
	st := newStage(t, withRegister(t), func(o *api.Options) { reg, _ = o.Open311.Reports.(*complaint.Register) })
	var code string
	for i := range st.Version.Services {
		if one := &st.Version.Services[i]; one.Confidential {
			code = one.Code
		}
	}
	require.NotEmpty(t, code, "the services as shipped have one of money")
	c, err := reg.Receive(t.Context(), st.Clock.Now().UnixMilli(), complaint.New{Source: complaint.SourceCity, Service: code, Description: "Rp 1.000.000", Theirs: "x", Agency: "bapenda", Located: true, Lat: -6.2379, Long: 107.0011})
	require.NoError(t, err)
	require.Empty(t, st.read311(t, "/open311/v2/requests.json"))
	require.Empty(t, st.read311(t, "/open311/v2/requests.json?service_request_id="+c.ID))
	require.Equal(t, "[]\n", st.get(t, "/open311/v2/servicerequestupdates.json").body)
	st.do(t, http.MethodGet, "/open311/v2/requests/"+c.ID+".json", "", "").faults(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/open311/v2/tokens/"+c.ID+".json", "", "").faults(t, http.StatusNotFound)
	st.do(t, http.MethodGet, "/open311/v2/services/"+code+".json", "", "").faults(t, http.StatusNotFound)
	require.NotContains(t, st.get(t, "/open311/v2/services.json").body, `"`+code+`"`)
	st.form(t, "/open311/v2/servicerequestupdates.json", st.Secrets[token.Dishub], updateForm(c.ID, "closed", "u")).faults(t, http.StatusNotFound)
	officer := st.Token(t, token.Request{Role: token.Agency, Name: "x", Agency: c.Agency})
	st.form(t, "/open311/v2/servicerequestupdates.json", officer, updateForm(c.ID, "investigating", "u")).faults(t, http.StatusNotFound)
	c, err = reg.Complaint(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, complaint.StateReceived, c.State, "role bapenda confirms money, as in /v1")
	st.post311(t, token.Bapenda, c.ID, "investigating", "u")
	st.form(t, "/open311/v2/requests.json", st.Secrets[token.Admin], "service_code="+code+place).faults(t, http.StatusNotFound)
}
