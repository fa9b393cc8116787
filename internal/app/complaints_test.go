package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/complaint"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch"
)

type complaintTold struct {
	ID       string  `json:"id"`
	Status   string  `json:"status"`
	Delivery *string `json:"delivery"`
	Agency   string  `json:"agency"`
}

func (r *running) complaints(bearer string) []complaintTold {
	r.t.Helper()
	var list struct {
		Items []complaintTold `json:"items"`
	}
	require.Equal(r.t, http.StatusOK, r.get("/v1/complaints", bearer, &list))
	return list.Items
}

func (r *running) postAs(path, kind, body, bearer string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, "http://"+r.at.HTTP+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Content-Type", kind)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	require.NoError(r.t, resp.Body.Close())
	return resp.StatusCode, string(text)
}

// TestAReportLivesThroughABackup: from a citizen's report over Open311 to an
// officer's word, its deadline in E-Monev, and a backup that has it all, whose
// deliveries are looked for before they are sent.
func TestAReportLivesThroughABackup(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	dir := newDir(t)
	files := map[string]string{"key": "their-key", "inventory/agencies.yaml": "agencies:\n  - {id: dishub, name: Dishub}\n  - {id: bapenda, name: Bapenda}\n"}
	maps.Copy(files, storeFiles)
	writeFiles(t, dir, files)
	r := start(t, dir)
	admin := r.admin()
	form := url.Values{"api_key": {admin}, "service_code": {"illegal_parking"}, "lat": {"-6.24"}, "long": {"107.0"}, "description": {"Truk di trotoar"}, "phone": {"0812"}}
	status, body := r.postAs("/open311/v2/requests.json", "application/x-www-form-urlencoded", form.Encode(), "")
	require.Equal(t, http.StatusOK, status, body)
	told := r.complaints(admin)
	require.Len(t, told, 1)
	require.Contains(t, body, told[0].ID)
	require.Equal(t, "dishub", told[0].Agency)
	require.InDelta(t, 1, r.value(`simpang_complaints{state="received"}`), 0)
	require.NoError(t, r.stop())

	// The city gets a system of its own, which does not answer.
	writeFiles(t, dir, map[string]string{"simpang.yaml": `city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta}
http: {listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0", rate_limit: 0}
data_dir: data
inventory: inventory
complaints: {endpoint: "http://127.0.0.1:9/open311/v2", key_file: key}
sources: [{id: b, type: broker, format: native, listen: "127.0.0.1:0"}]
`})
	r = start(t, dir)
	status, body = r.postAs("/v1/complaints/"+told[0].ID+"/updates", "application/json", `{"status":"verified"}`, admin)
	require.Equal(t, http.StatusOK, status, body)
	told = r.complaints(admin)
	require.Equal(t, "verified", told[0].Status)
	require.NotNil(t, told[0].Delivery)
	var monev struct {
		Items []struct {
			Agency   string
			Received int
			Verified int
		}
	}
	require.Equal(t, http.StatusOK, r.get("/v1/monev", admin, &monev))
	require.Len(t, monev.Items, 1)
	require.Equal(t, 1, monev.Items[0].Verified)
	r.until("the delivery failed for sure, and waits", func() bool { return *r.complaints(admin)[0].Delivery == "waiting" })
	to := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, take(t, r.cfg, to))
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, func(string, ...any) {}))

	fresh := other(t)
	require.NoError(t, restore(t, fresh, to))
	v := &inventory.Version{Zone: r.cfg.City.Zone}
	reg, err := complaint.Open(t.Context(), filepath.Join(fresh, "data", "complaints.db"), complaint.Options{
		Inventory: func() *inventory.Version { return v }, Zone: r.cfg.City.Zone,
	})
	require.NoError(t, err)
	d, ok, err := reg.DeliveryOf(t.Context(), told[0].ID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, complaint.DeliverySending, d.State, "it may have been sent since the backup")
	require.Positive(t, d.Began)
	_, err = reg.Complaint(t.Context(), fmt.Sprintf("SPG-%d-000002", time.Now().In(r.cfg.City.Zone).Year()))
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	require.NoError(t, reg.Close())
	r = start(t, fresh)
	require.Len(t, r.complaints(admin), 1)
	require.NoError(t, r.stop())
}

// TestAnAnomalyBecomesAComplaint: a meter's second paper of one number waits
// for an officer at Bapenda, with its figures for few eyes and out of the public
// list, through to the agency's answer and the end, which E-Monev counts.
func TestAnAnomalyBecomesAComplaint(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	writeFiles(t, dir, map[string]string{"simpang.yaml": `city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta}
http: {listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0", rate_limit: 0}
data_dir: data
inventory: inventory
complaints: {gather: 1s}
sources: [{id: b, type: broker, format: native, listen: "127.0.0.1:0"}]
`, "inventory/agencies.yaml": "agencies:\n  - {id: dishub, name: Dishub}\n  - {id: bapenda, name: Bapenda}\n"})
	r := start(t, dir)
	admin := r.admin()
	for seq, amount := range []int{5000, 9000} {
		r.publish("m1", fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"A-1","amount":%d,"method":"cash","class":"car"}`,
			seq+1, time.Now().Format(time.RFC3339), amount))
	}
	r.until("there is a complaint of it", func() bool { return len(r.complaints(admin)) == 1 })
	c := r.complaints(admin)[0]
	require.Equal(t, "received", c.Status, "what is about money waits for an officer")
	require.Equal(t, "bapenda", c.Agency)
	var public []any
	require.Equal(t, http.StatusOK, r.get("/open311/v2/requests.json", "", &public))
	require.Empty(t, public)
	for _, step := range []string{`{"status":"verified"}`, `{"status":"answered","text":"Alat diganti"}`, `{"status":"closed"}`} {
		status, body := r.postAs("/v1/complaints/"+c.ID+"/updates", "application/json", step, admin)
		require.Equal(t, http.StatusOK, status, body)
	}
	var monev struct {
		Items []struct {
			Agency                     string
			Received, Answered, Closed int
		}
	}
	require.Equal(t, http.StatusOK, r.get("/v1/monev", admin, &monev))
	require.Len(t, monev.Items, 1)
	require.Equal(t, [3]int{1, 1, 1}, [3]int{monev.Items[0].Received, monev.Items[0].Answered, monev.Items[0].Closed})
	require.NoError(t, r.stop())
}

// TestEveryRuleHasAService: what watch finds goes to an agency, and what is of
// money alone to a confidential service.
func TestEveryRuleHasAService(t *testing.T) {
	t.Parallel()
	v, faults, err := inventory.Load("../../configs/bekasi/inventory", time.UTC)
	require.NoError(t, err)
	require.Empty(t, faults)
	for _, rule := range watch.Rules {
		s := v.ServiceOfRule(string(rule))
		require.NotNil(t, s, "%s is of no service in agencies.yaml", rule)
		require.NotEmpty(t, s.Agency, rule)
		require.Equal(t, rule.Money(), s.Confidential, rule)
	}
	for i := range v.Services {
		for _, rule := range v.Services[i].Rules {
			require.Contains(t, watch.Rules, watch.Rule(rule), "no detector says %s", rule)
		}
	}
}

// TestACodeOfNoServiceStopsTheStart: with the key's line, and what was meant.
func TestACodeOfNoServiceStopsTheStart(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, map[string]string{"key": "their-key", "simpang.yaml": `city: {id: bekasi, name: Kota Bekasi, timezone: Asia/Jakarta}
http: {listen: "127.0.0.1:0", admin_listen: "127.0.0.1:0", rate_limit: 0}
data_dir: data
inventory: inventory
complaints: {endpoint: "http://127.0.0.1:9/v2", key_file: key, codes: {no_karcs: X}}
sources: [{id: b, type: broker, format: native, listen: "127.0.0.1:0"}]
`})
	err := app.Run(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler)})
	var faults *app.FaultsError
	require.ErrorAs(t, err, &faults)
	require.Contains(t, err.Error(), "simpang.yaml:5: complaints.codes.no_karcs is no service of agencies.yaml: did you mean no_karcis?")
}
