package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
)

const pbjtAccount = "4.1.01.19.04.0001"

// post sends a body and returns status and answer.
func (r *running) post(path, bearer, media, body string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, "http://"+r.at.HTTP+path, strings.NewReader(body))
	require.NoError(r.t, err)
	req.Header.Set("Content-Type", media)
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(answer)
}

// asked is what the books answer, but for who read them.
func (r *running) asked(admin, from, to string) map[string]string {
	r.t.Helper()
	told := map[string]string{}
	for _, path := range []string{
		"/v1/revenue/deposits", "/v1/revenue/closes", "/v1/revenue/declarations", "/v1/revenue/summary", "/v1/revenue/summary?view=filed",
		"/v1/revenue/daily?group=site&from=" + from + "&to=" + to, "/v1/revenue/daily?group=site&view=filed&from=" + from + "&to=" + to,
	} {
		var answer json.RawMessage
		require.Equal(r.t, http.StatusOK, r.get(path, admin, &answer), path)
		told[path] = string(answer)
	}
	return told
}

// TestStaffWriteIntoTheBooks: over the API, the journal and the books, through
// a restart, a rebuild from the journal, and verify.
func TestStaffWriteIntoTheBooks(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	r := start(t, dir)
	admin := r.admin()
	now := time.Now().In(r.cfg.City.Zone)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, r.cfg.City.Zone)
	before := first.AddDate(0, -1, 0)
	today, month, period := now.Format(time.DateOnly), before.Format(time.DateOnly), before.Format("2006-01")
	deposit := func(reference string, gross int) string {
		return fmt.Sprintf(`{"reference":%q,"kind":"SSPD","account":%q,"operator":"op-1","site":"s2","period_from":%q,"period_to":%q,"credited_on":%q,"gross":%d,"fee":0,"net":%d}`,
			reference, pbjtAccount, month, month, today, gross, gross)
	}
	const path = "/v1/revenue/deposits"
	status, body := r.post(path, admin, "application/json", deposit("d-1", 5000))
	require.Equal(t, http.StatusCreated, status, body)
	require.JSONEq(t, `{"verdict":"new","lines":1,"new":1,"entry":1}`, body)
	file := "\xef\xbb\xbfreference;kind;account;operator;site;period_from;period_to;credited_on;gross;fee;net;channel;reverses\r\n" +
		fmt.Sprintf("d-1;SSPD;%s;op-1;s2;%s;%s;%s;5000;0;5000;;\r\n\r\nd-2;settlement;%s;op-1;;%s;%s;%s;1000;7;993;qris;\r\n", pbjtAccount, month, month, today, pbjtAccount, month, month, today)
	status, body = r.post(path, admin, "text/csv", file)
	require.Equal(t, http.StatusCreated, status, body)
	require.JSONEq(t, `{"verdict":"new","lines":2,"new":1,"entry":2}`, body)
	status, body = r.post(path, admin, "text/csv; charset=utf-8", file)
	require.Equal(t, http.StatusOK, status, body)
	status, body = r.post(path, admin, "application/json", "["+deposit("d-9", 1)+","+deposit("d-1", 6000)+"]")
	require.Equal(t, http.StatusConflict, status, body)
	require.Contains(t, body, "[1].reference")
	status, body = r.post(path, admin, "text/csv", strings.ReplaceAll(file, ";op-1;", ";nobody;"))
	require.Equal(t, http.StatusConflict, status, "d-1 again, as nobody's: "+body)
	status, body = r.post(path, admin, "text/csv", strings.ReplaceAll(strings.ReplaceAll(file, "d-", "e-"), "op-1", "nobody"))
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	require.Contains(t, body, "line 2: operator")
	require.Contains(t, body, "line 4: operator")

	// A month closes; what comes for it later is filed with the next.
	receipt := func(seq int, at time.Time, amount int) string {
		return fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"A-%d","amount":%d,"method":"cash"}`, seq, at.Format(time.RFC3339), seq, amount)
	}
	r.publish("m1", receipt(1, before.Add(time.Hour), 4000))
	r.caughtUp()
	status, body = r.post("/v1/revenue/closes", admin, "application/json", `{"period":"`+first.Format("2006-01")+`"}`)
	require.Equal(t, http.StatusUnprocessableEntity, status, "it is not over: "+body)
	status, body = r.post("/v1/revenue/closes", admin, "application/json", `{"period":"`+period+`"}`)
	require.Equal(t, http.StatusCreated, status, body)
	status, body = r.post("/v1/revenue/closes", admin, "application/json", `{"period":"`+period+`"}`)
	require.Equal(t, http.StatusOK, status, body)
	r.publish("m1", receipt(2, before.Add(2*time.Hour), 3000))
	r.caughtUp()
	from, to := month, now.AddDate(0, 0, 1).Format(time.DateOnly)
	want := r.asked(admin, from, to)
	row := func(date string, receipts, recorded int) string {
		return fmt.Sprintf(`{"date":%q,"key":"s2","name":"Dua","receipts":%d,"voids":0,"recorded":%d,"due":%d,"due_known":true}`, date, receipts, recorded, recorded/10)
	}
	daily := "/v1/revenue/daily?group=site&from=" + from + "&to=" + to
	require.JSONEq(t, `{"items":[`+row(month, 2, 7000)+`],"next":null}`, want[daily])
	filed := strings.Replace(daily, "&from", "&view=filed&from", 1)
	require.JSONEq(t, `{"items":[`+row(month, 1, 4000)+`,`+row(today, 1, 3000)+`],"next":null}`, want[filed])

	// Every read of it was logged, under the token's id.
	require.Equal(t, http.StatusOK, r.get("/v1/revenue/receipts", admin, nil))
	logged := map[string]int{"listDeposit": 1, "listDeclaration": 1, "listDailyRevenue": 2, "listReceipts": 1}
	r.until("the books have the log", func() bool {
		var log struct {
			Items []struct{ Token, Route, Filter string }
		}
		require.Equal(t, http.StatusOK, r.get("/v1/revenue/access?limit=1000", admin, &log))
		routes := map[string]int{}
		for _, item := range log.Items {
			routes[item.Route]++
			require.NotEmpty(t, item.Token)
			require.Len(t, item.Filter, 32)
		}
		return maps.Equal(logged, routes)
	})

	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))
	r = start(t, dir)
	r.caughtUp()
	require.Equal(t, want, r.asked(admin, from, to))
	status, body = r.post(path, admin, "application/json", deposit("d-1", 5000))
	require.Equal(t, http.StatusOK, status, "known after a restart: "+body)
	require.NoError(t, r.stop())

	for _, suffix := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.RemoveAll(filepath.Join(r.cfg.DataDir, "ledger.db"+suffix)))
	}
	r = start(t, dir)
	r.caughtUp()
	require.Equal(t, want, r.asked(admin, from, to), "built again from the journal")
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))
	http.DefaultClient.CloseIdleConnections()
}
