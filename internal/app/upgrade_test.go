package app_test

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
)

// The stores that older versions left behind are opened by this one, as an
// upgrade does. To keep the store of a new version:
//
//	SIMPANG_KEEP_STORE=internal/app/testdata/store-N.tar.gz go test -run TestKeepStore ./internal/app
const storeVar = "SIMPANG_KEEP_STORE"

const storeCity = `{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},
 "properties":{"id":"s1","name":"Satu","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","operator":"op-1","detection":"spots","capacity":{"car":2}}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[107.01,-6.24]},
 "properties":{"id":"s2","name":"Dua","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","operator":"op-1","detection":"gates","capacity":{"car":20}}}]}`

// storeFiles is the small city whose store is kept.
var storeFiles = map[string]string{
	"inventory/sites.geojson": storeCity,
	"inventory/segments.geojson": `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[107.0,-6.24],[107.01,-6.24]]},
 "properties":{"id":"r1","name":"Jl. Contoh","road_type":"4/2-T","lanes":2,"lane_width_m":3.5,"side_friction":"S","edge":"kerb","edge_width_m":1,"free_flow_kmh":50}}]}`,
	"inventory/devices.csv":   "id,kind,site,spot,segment,interval_s\nd1,spot,s1,1,,60\nd2,spot,s1,2,,60\ng1,gate,s2,,,\nt1,traffic,,,r1,60\nm1,meter,s2,,,300\n",
	"inventory/operators.csv": "id,name,npwpd\nop-1,Operator Contoh,P.1\n",
	"inventory/accounts.csv":  "account,name,levy,agency,rate\n4.1.01.19.04.0001,PBJT-Jasa Parkir,pbjt,bapenda,0.1\n",
}

// told is what a store is asked for: what was recorded, whatever day it is.
type told struct {
	Readings map[string]json.RawMessage `json:"readings"`
	Answers  map[string]json.RawMessage `json:"answers"`
}

func (r *running) ask(admin, day string) told {
	r.t.Helper()
	span := "from=" + day + "T00:00:00%2B07:00&to=" + day + "T23:59:59%2B07:00"
	out := told{Readings: map[string]json.RawMessage{}, Answers: map[string]json.RawMessage{}}
	for _, d := range []string{"d1", "d2", "g1", "t1", "m1"} {
		var list json.RawMessage
		require.Equal(r.t, http.StatusOK, r.get("/v1/devices/"+d+"/readings?"+span, admin, &list))
		out.Readings[d] = list
	}
	for _, path := range []string{
		"/v1/revenue/daily?group=site&from=" + day + "&to=" + next(r.t, day), "/v1/revenue/receipts?" + span,
		"/v1/devices/d1/completeness?date=" + day, "/v1/devices/m1/completeness?date=" + day, "/v1/quarantine",
		"/v1/traffic/segments/r1/history?step=1h&" + span,
	} {
		var answer json.RawMessage
		require.Equal(r.t, http.StatusOK, r.get(path, admin, &answer), path)
		out.Answers[path] = answer
	}
	return out
}

func next(t *testing.T, day string) string {
	t.Helper()
	d, err := time.Parse(time.DateOnly, day)
	require.NoError(t, err)
	return d.AddDate(0, 0, 1).Format(time.DateOnly)
}

func TestUpgradeFromOlderStores(t *testing.T) {
	stores, err := filepath.Glob("testdata/store-*.tar.gz")
	require.NoError(t, err)
	require.NotEmpty(t, stores, "the store of step 1 is kept")
	for _, store := range stores {
		t.Run(filepath.Base(store), func(t *testing.T) {
			dir := newDir(t)
			writeFiles(t, dir, storeFiles)
			unpack(t, store, dir)
			var want struct {
				Day   string
				Token string
				Told  told
			}
			data, err := os.ReadFile(filepath.Join(dir, "told.json"))
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(data, &want))
			r := start(t, dir)
			r.until("what the store has was read", func() bool { return r.get("/readyz", "", nil) == http.StatusOK })
			got := r.ask(want.Token, want.Day)
			for d, readings := range want.Told.Readings {
				require.JSONEq(t, string(readings), string(got.Readings[d]), d)
			}
			for path, answer := range want.Told.Answers {
				require.JSONEq(t, string(answer), withoutNew(t, answer, got.Answers[path]), path)
			}
			proved := r.text("/v1/revenue/proof/inclusion?receipt=m1:1:1", want.Token)
			require.Contains(t, proved, `"checkpoint"`, "what older versions booked is in the tree")
			require.NoError(t, r.stop())
			require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))
		})
	}
}

// withoutNew is an answer without the members that its older version had not:
// members are added, and none goes or changes.
func withoutNew(t *testing.T, before, now json.RawMessage) string {
	t.Helper()
	var old, fresh map[string]json.RawMessage
	if json.Unmarshal(before, &old) != nil || json.Unmarshal(now, &fresh) != nil {
		return string(now) // no object
	}
	maps.DeleteFunc(fresh, func(name string, _ json.RawMessage) bool { return old[name] == nil })
	text, err := json.Marshal(fresh)
	require.NoError(t, err)
	return string(text)
}

func TestKeepStore(t *testing.T) {
	to := os.Getenv(storeVar)
	if to == "" {
		t.Skip(storeVar + " is not set: no store is made")
	}
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	r := start(t, dir)
	admin := r.admin()
	begin := time.Now().Add(-10 * time.Minute)
	at := func(minute int) string { return begin.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339) }
	for i, m := range []struct{ device, format string }{
		{"d1", `{"kind":"spot","boot":1,"seq":1,"at":%q,"occupied":true,"battery_v":3.61}`},
		{"d1", `{"kind":"spot","boot":1,"seq":3,"at":%q,"occupied":false}`},
		{"d1", `{"kind":"spot","boot":1,"seq":3,"at":%q,"occupied":true}`}, // another time: a conflict
		{"d2", `{"kind":"spot","seq":7,"at":%q,"occupied":true}`},
		{"g1", `{"kind":"gate","boot":1,"seq":1,"at":%q,"direction":"in","class":"car","count":3}`},
		{"t1", `{"kind":"traffic","boot":1,"seq":1,"at":%q,"period_s":60,"lanes":[{"lane":1,"counts":{"SM":12,"KR":7,"KB":1},"speed_kmh":41.5},{"lane":2,"counts":{"KR":4},"speed_kmh":38}]}`},
		{"m1", `{"kind":"receipt","boot":1,"seq":1,"at":%q,"receipt":"A-1","amount":5000,"method":"qris","class":"car","plate":"B 1234 XY","total_count":1,"total_amount":5000}`},
		{"m1", `{"kind":"receipt","boot":1,"seq":2,"at":%q,"receipt":"A-2","amount":3000,"method":"cash"}`},
		{"m1", `{"kind":"receipt","boot":1,"seq":3,"at":%q,"receipt":"A-2","amount":3000,"method":"cash","void":true}`},
		{"m1", `{"kind":"health","boot":1,"seq":4,"at":%q,"battery_v":12.1,"firmware":"1.0"}`},
		{"stranger", `{"kind":"spot","boot":1,"seq":1,"at":%q,"occupied":true}`},
	} {
		r.publish(m.device, fmt.Sprintf(m.format, at(i%9)))
	}
	var kept struct {
		Day   string
		Token string
		Told  told
	}
	zone, err := time.LoadLocation("Asia/Jakarta")
	require.NoError(t, err)
	kept.Day, kept.Token = begin.In(zone).Format(time.DateOnly), admin
	r.until("the books hold three receipts", func() bool {
		var list struct{ Items []json.RawMessage }
		return r.get("/v1/revenue/receipts", admin, &list) == http.StatusOK && len(list.Items) == 3
	})
	kept.Told = r.ask(admin, kept.Day)
	require.NoError(t, r.stop())
	data, err := json.MarshalIndent(kept, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "told.json"), data, 0o600))
	pack(t, dir, filepath.Join("../..", to), "data", "told.json")
}

// pack writes names below dir into a tar.gz.
func pack(t *testing.T, dir, to string, names ...string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o750))
	f, err := os.Create(to)
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for _, name := range names {
		require.NoError(t, filepath.Walk(filepath.Join(dir, name), func(path string, info os.FileInfo, err error) error {
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			require.NoError(t, err)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, w.WriteHeader(&tar.Header{Name: filepath.ToSlash(rel), Mode: 0o600, Size: int64(len(data)), Typeflag: tar.TypeReg}))
			_, err = w.Write(data)
			return err
		}))
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
}

func unpack(t *testing.T, from, dir string) {
	t.Helper()
	f, err := os.Open(from)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		require.True(t, filepath.IsLocal(h.Name), h.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
}
