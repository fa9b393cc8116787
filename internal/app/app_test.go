package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/source/sourcetest"
	"github.com/simpang-id/simpang/internal/token"
)

const sites = `{"type":"FeatureCollection","features":[{"type":"Feature",
 "geometry":{"type":"Point","coordinates":[107.0,-6.24]},
 "properties":{"id":"s1","name":"Satu","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","detection":"spots","capacity":{"car":2}}}]}`

const devices = "id,kind,site,spot,interval_s\nd1,spot,s1,1,60\nd2,spot,s1,2,60\n"

var discard = slog.New(slog.DiscardHandler)

// running is a whole gateway in this process.
type running struct {
	t      *testing.T
	cfg    *config.Config
	dir    string
	at     app.Addresses
	reload chan struct{}
	stop   func() error
	now    func() time.Time
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
}

func load(t *testing.T, dir string) *config.Config {
	t.Helper()
	cfg, faults := config.Load(filepath.Join(dir, "simpang.yaml"), nil, nil)
	require.Empty(t, faults)
	return cfg
}

func newDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"simpang.yaml": `city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta}
http: {listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0", rate_limit: 0}
data_dir: data
inventory: inventory
sources: [{id: b, type: broker, format: native, listen: "127.0.0.1:0"}]
`,
		"inventory/sites.geojson": sites, "inventory/devices.csv": devices,
	})
	return dir
}

func start(t *testing.T, dir string) *running {
	t.Helper()
	return startAt(t, dir, time.Now)
}

// startAt starts it on another wall clock.
func startAt(t *testing.T, dir string, now func() time.Time) *running {
	t.Helper()
	return startWith(t, dir, app.Options{Now: now})
}

// startWith starts with what the test wants beside the usual.
func startWith(t *testing.T, dir string, o app.Options) *running {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &running{t: t, dir: dir, cfg: load(t, dir), reload: make(chan struct{}), now: o.Now}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan app.Addresses, 1), make(chan error, 1)
	go func() {
		o.Config, o.Version, o.Log, o.Reload = r.cfg, "test", discard, r.reload
		o.Reread = func() (*config.Config, []config.Fault) {
			return config.Load(filepath.Join(dir, "simpang.yaml"), nil, nil)
		}
		o.Ready = func(a app.Addresses) { ready <- a }
		ended <- app.Run(ctx, o)
	}()
	r.stop = func() error {
		cancel()
		return <-ended
	}
	select {
	case r.at = <-ready:
	case err := <-ended:
		cancel()
		t.Fatalf("the gateway did not start: %v", err)
	}
	return r
}

func (r *running) publish(device, payload string) {
	r.t.Helper()
	issued, err := broker.Issue(r.cfg.Sources[0].CredentialsFile, device)
	require.NoError(r.t, err)
	r.until("the broker knows the device", func() bool {
		c := sourcetest.Dial(r.t, r.at.Brokers["b"], nil)
		defer c.Close()
		pk := c.Hello(sourcetest.Hello{ID: device, User: device, Secret: issued[0].Secret})
		if pk.ReasonCode != 0 {
			return false
		}
		c.Publish("sg/v1/"+device+"/up", []byte(payload), 1, 7)
		c.Expect(4) // PUBACK: committed
		return true
	})
}

func (r *running) until(what string, ok func() bool) {
	r.t.Helper()
	require.Eventually(r.t, ok, 2*time.Minute, 20*time.Millisecond, what) // of a machine that does much else
}

func (r *running) get(path, bearer string, into any) int {
	r.t.Helper()
	return r.do(http.MethodGet, path, bearer, into)
}

func (r *running) do(method, path, bearer string, into any) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.at.HTTP+path, nil)
	require.NoError(r.t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	if into != nil {
		require.NoError(r.t, json.Unmarshal(data, into), string(data))
	}
	return resp.StatusCode
}

func (r *running) admin() string {
	r.t.Helper()
	store, err := token.Open(r.t.Context(), app.TokensPath(r.cfg), slog.New(slog.DiscardHandler))
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, store.Close(r.t.Context())) }()
	_, secret, err := store.Create(r.t.Context(), token.Request{Role: token.Admin, Name: "test"}, r.now())
	require.NoError(r.t, err)
	return secret
}

type site struct {
	Classes []struct {
		Free     *int `json:"free"`
		Occupied *int `json:"occupied"`
	} `json:"classes"`
}

func (r *running) occupied() int {
	var s site
	if r.get("/v1/parking/sites/s1", "", &s) != http.StatusOK || s.Classes[0].Occupied == nil {
		return -1
	}
	return *s.Classes[0].Occupied
}

func reading(seq int, occupied bool) string {
	return fmt.Sprintf(`{"kind":"spot","boot":1,"seq":%d,"at":%q,"occupied":%t}`, seq, time.Now().Format(time.RFC3339Nano), occupied)
}

func TestAReadingTravelsFromADeviceToTheAPIAndSurvivesARestart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer http.DefaultClient.CloseIdleConnections()
	dir := newDir(t)
	r := start(t, dir)
	require.Equal(t, http.StatusOK, r.get("/healthz", "", nil))
	r.publish("d1", reading(1, true))
	r.until("the API shows it", func() bool { return r.occupied() == 1 })
	require.NoError(t, r.stop())

	r = start(t, dir)
	require.Equal(t, 1, r.occupied(), "shown again after a restart")
	r.publish("d2", reading(1, true))
	r.until("and goes on", func() bool { return r.occupied() == 2 })
	var said []string
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }))
	require.Len(t, said, 7)
	http.DefaultClient.CloseIdleConnections()
}

func TestOneGatewayADataDir(t *testing.T) {
	dir := newDir(t)
	r := start(t, dir)
	err := app.Run(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler)})
	require.ErrorContains(t, err, "another gateway runs")
	require.NoError(t, r.stop())
}

func TestAFaultyInventoryStopsTheStartWithEveryFault(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, map[string]string{"inventory/devices.csv": "id,kind,site,spot\nd1,lamp,s1,1\nd2,spot,nowhere,2\n"})
	err := app.Run(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler)})
	var faults *app.FaultsError
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults.Faults, 2)
	require.Contains(t, err.Error(), "devices.csv:2")
	require.Contains(t, err.Error(), "devices.csv:3")
}

func TestAReloadIsAllOrNothingAndTakesUpWhoSpokeBefore(t *testing.T) {
	dir := newDir(t)
	r := start(t, dir)
	admin := r.admin()
	r.publish("late", reading(1, true))
	var list struct {
		Items []struct {
			ID     int64  `json:"id"`
			Reason string `json:"reason"`
		} `json:"items"`
	}
	require.Equal(t, http.StatusOK, r.get("/v1/quarantine", admin, &list))
	require.Len(t, list.Items, 1)
	require.Equal(t, "unknown_device", list.Items[0].Reason)

	writeFiles(t, dir, map[string]string{"inventory/devices.csv": devices + "late,lamp,s1,3\n"})
	var problem struct {
		Errors []struct{ Field, Detail string } `json:"errors"`
	}
	require.Equal(t, http.StatusUnprocessableEntity, r.do(http.MethodPost, "/v1/admin/reload", admin, &problem))
	require.NotEmpty(t, problem.Errors)
	require.Equal(t, http.StatusNotFound, r.get("/v1/devices/late", admin, nil), "the old inventory stays")

	writeFiles(t, dir, map[string]string{
		"inventory/devices.csv":   devices + "late,spot,s1,3,60\n",
		"inventory/sites.geojson": strings.Replace(sites, `"car":2`, `"car":3`, 1),
	})
	require.Equal(t, http.StatusOK, r.do(http.MethodPost, "/v1/admin/reload", admin, nil))
	r.until("its follower has seen the new inventory", func() bool { return r.get("/v1/devices/late", admin, nil) == http.StatusOK })
	for i, want := range []string{"accepted", "duplicate"} {
		var got struct {
			Verdict string `json:"verdict"`
		}
		require.Equal(t, http.StatusOK, r.do(http.MethodPost, fmt.Sprintf("/v1/quarantine/%d/retry", list.Items[0].ID), admin, &got))
		require.Equal(t, want, got.Verdict, "time %d", i+1)
	}
	r.until("what it said before is shown", func() bool { return r.occupied() == 1 })
	require.NoError(t, r.stop())
}
