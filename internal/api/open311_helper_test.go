package api_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/api/apitest"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/token"
)

// withRegister gives the server a real register on the small city's inventory.
func withRegister(t *testing.T, change ...func(*inventory.Version)) func(*api.Options) {
	t.Helper()
	return func(o *api.Options) {
		version := o.Inventory.Current()
		for _, f := range change {
			f(version)
		}
		reg, err := complaint.Open(t.Context(), filepath.Join(t.TempDir(), "complaints.db"), complaint.Options{
			Inventory: func() *inventory.Version { return version }, Zone: apitest.Zone,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, reg.Close()) })
		o.Open311 = api.Open311{Reports: reg, Jurisdiction: "contoh"}
	}
}

// form posts a form with a role's key, "" none.
func (st *stage) form(t *testing.T, path, secret, form string) answer {
	t.Helper()
	if secret != "" {
		form += "&api_key=" + url.QueryEscape(secret)
	}
	return st.do(t, http.MethodPost, path, "", form, "Content-Type", "application/x-www-form-urlencoded")
}

const place = "&lat=-6.2379&long=107.0011"

// file files a report as citizens do, and returns its id.
func (st *stage) file(t *testing.T, service, more string) string {
	t.Helper()
	a := st.form(t, "/open311/v2/requests.json", st.Secrets[token.Reporter], "service_code="+service+place+more)
	require.Equal(t, http.StatusOK, a.StatusCode, a.body)
	var made []map[string]string
	require.NoError(t, json.Unmarshal([]byte(a.body), &made))
	require.Len(t, made, 1)
	require.NotEmpty(t, made[0]["service_request_id"])
	return made[0]["service_request_id"]
}

// faults checks that an answer is a list of the standard's errors.
func (a answer) faults(t *testing.T, status int) []string {
	t.Helper()
	require.Equal(t, status, a.StatusCode, a.body)
	var list []struct{ Code, Description string }
	require.NoError(t, json.Unmarshal([]byte(a.body), &list), a.body)
	require.NotEmpty(t, list)
	out := make([]string, len(list))
	for i, f := range list {
		require.Regexp(t, "^[45][0-9][0-9]$", f.Code)
		require.NotEmpty(t, f.Description)
		out[i] = f.Description
	}
	return out
}

// reported is a report with a photo.
type reported struct{ id, photo string }

func (r reported) fill(path string) string {
	for from, to := range map[string]string{"services/{id}": "services/overcharged", "requests/{id}": "requests/" + r.id, "tokens/{id}": "tokens/" + r.id, "photos/{id}": "photos/" + r.photo} {
		path = strings.Replace(path, "/open311/v2/"+from, "/open311/v2/"+to, 1)
	}
	return path
}

// withReports files a report with a photo, and has it verified.
func (st *stage) withReports(t *testing.T) reported {
	t.Helper()
	a := st.multipart(t, st.Secrets[token.Reporter], map[string]string{"service_code": "illegal_parking", "lat": "-6.2379", "long": "107.0011", "description": "Mobil di trotoar"}, picture(t, 40, 30))
	require.Equal(t, http.StatusOK, a.StatusCode, a.body)
	var made []map[string]string
	require.NoError(t, json.Unmarshal([]byte(a.body), &made))
	id := made[0]["service_request_id"]
	st.post311(t, token.Admin, id, "investigating", "v-1")
	r := st.request311(t, id)
	require.NotEmpty(t, r["media_url"])
	at, _ := r["media_url"].(string)
	return reported{id, at[strings.LastIndex(at, "/")+1:]}
}

// post311 posts an update that must be taken.
func (st *stage) post311(t *testing.T, role token.Role, id, status, update string) {
	t.Helper()
	a := st.form(t, "/open311/v2/servicerequestupdates.json", st.Secrets[role], updateForm(id, status, update))
	require.Equal(t, http.StatusOK, a.StatusCode, a.body)
}

func updateForm(id, status, update string) string {
	return url.Values{
		"service_request_id": {id}, "status": {strings.ToUpper(status)}, "update_id": {update}, "updated_datetime": {"2026-03-02T12:00:00+07:00"}, "description": {"sudah diperiksa"},
	}.Encode()
}

func (st *stage) request311(t *testing.T, id string) map[string]any {
	t.Helper()
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(st.get(t, "/open311/v2/requests/"+id+".json?extensions=true").body), &list))
	require.Len(t, list, 1)
	return list[0]
}

// walkKeyed asks with the key of every role, and with none.
func (st *stage) walkKeyed(t *testing.T, route string, filed reported, allowed []token.Role) {
	t.Helper()
	_, path, _ := strings.Cut(route, " ")
	form := "service_code=no_karcis" + place
	if strings.HasSuffix(path, "updates") {
		form = updateForm(filed.id, "unchanged", "w-"+route)
	}
	for _, secret := range []string{"", "smp_nobody"} {
		st.form(t, path, secret, form).faults(t, http.StatusForbidden)
	}
	for role, secret := range st.Secrets {
		a := st.form(t, path, secret, form)
		if slices.Contains(allowed, role) {
			require.Equal(t, http.StatusOK, a.StatusCode, "%s as %s: %s", route, role, a.body)
		} else {
			a.faults(t, http.StatusForbidden)
		}
	}
}

// multipart files a report with photos.
func (st *stage) multipart(t *testing.T, secret string, fields map[string]string, photos ...[]byte) answer {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	require.NoError(t, m.WriteField("api_key", secret))
	for name, value := range fields {
		require.NoError(t, m.WriteField(name, value))
	}
	for _, photo := range photos {
		part, err := m.CreateFormFile("media", "IMG_1.jpg")
		require.NoError(t, err)
		_, err = part.Write(photo)
		require.NoError(t, err)
	}
	require.NoError(t, m.Close())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/open311/v2/requests.json", &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	st.s.ServeHTTP(w, r)
	return answer{w.Result(), w.Body.String()}
}

// picture is a JPEG, its left half red.
func picture(t *testing.T, wide, high int) []byte {
	t.Helper()
	p := image.NewRGBA(image.Rect(0, 0, wide, high))
	for y := range high {
		for x := range wide {
			p.Set(x, y, map[bool]color.RGBA{true: {R: 255, A: 255}, false: {B: 255, A: 255}}[x < wide/2])
		}
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, p, nil))
	return b.Bytes()
}
