package app_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// Four days are played in two goes; then the gateway itself finds its store
// whole: days put away, money exact, everything else as of then.
func TestAReplayLeavesWhatAGatewayWouldHave(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	cfg := load(t, dir)
	cfg.Retention.Journal.Duration = 48 * time.Hour
	o := app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler)}
	now := time.Now().In(cfg.City.Zone)
	end := time.Date(now.Year(), now.Month(), now.Day()-1, 13, 0, 0, 0, cfg.City.Zone)
	begin := end.AddDate(0, 0, -4)
	at, n, receipts := begin, 0, 0
	for _, until := range []time.Time{begin.AddDate(0, 0, 2).Add(time.Hour), end} {
		r, err := app.OpenReplay(t.Context(), o, 100)
		require.NoError(t, err)
		require.NotNil(t, r.Inventory().Device("d1"))
		for ; at.Before(until); at = at.Add(time.Minute) {
			n++
			stamp := at.UTC().Format(time.RFC3339)
			messages := map[string]string{
				"d1": fmt.Sprintf(`{"kind":"spot","boot":1,"seq":%d,"at":%q,"occupied":%v}`, n, stamp, n%2 == 0),
				"g1": fmt.Sprintf(`{"kind":"gate","boot":1,"seq":%d,"at":%q,"direction":"in","class":"car"}`, n, stamp),
			}
			if n%60 == 0 {
				receipts++
				messages["m1"] = fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"R-%d","amount":2000,"method":"cash"}`, receipts, stamp, receipts)
				messages["stranger"] = messages["d1"]
			}
			for _, device := range []string{"d1", "g1", "m1", "stranger"} {
				if payload, ok := messages[device]; ok {
					m := source.Message{Source: "b", Device: device, Payload: []byte(payload), Decoded: native.Decode(device, []byte(payload))}
					require.NoError(t, r.Take(t.Context(), at, m))
				}
			}
		}
		require.ErrorContains(t, r.Step(t.Context(), begin), "cannot go back")
		require.NoError(t, r.Close(t.Context()))
	}
	archived, err := filepath.Glob(filepath.Join(cfg.DataDir, "archive", "days", "*.json"))
	require.NoError(t, err)
	require.Len(t, archived, 4)
	kept, err := filepath.Glob(filepath.Join(cfg.DataDir, "journal", "????-??-??.db"))
	require.NoError(t, err)
	require.Len(t, kept, 3, "the older ones were retired")
	require.NoError(t, app.Verify(t.Context(), cfg, t.Logf))
	_, err = os.Stat(filepath.Join(cfg.DataDir, "dedupe.db"))
	require.NoError(t, err)

	run := start(t, dir)
	defer func() { require.NoError(t, run.stop()) }()
	run.caughtUp()
	admin := run.admin()
	var daily struct {
		Items []struct{ Receipts, Recorded int }
	}
	span := "from=" + begin.UTC().Format("2006-01-02T15:04:05Z") + "&to=" + end.UTC().Format("2006-01-02T15:04:05Z")
	require.Equal(t, http.StatusOK, run.get("/v1/revenue/daily?group=site&"+span, admin, &daily))
	sum, money := 0, 0
	for _, d := range daily.Items {
		sum, money = sum+d.Receipts, money+d.Recorded
	}
	require.Equal(t, receipts, sum)
	require.Equal(t, receipts*2000, money)
	readings := 0
	for cursor := ""; ; {
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		require.Equal(t, http.StatusOK, run.get("/v1/devices/d1/readings?limit=1000&"+span+cursor, admin, &page))
		readings += len(page.Items)
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	require.Equal(t, n, readings, "each reading once, from archive and journal")
	var aside struct{ Items []json.RawMessage }
	require.Equal(t, http.StatusOK, run.get("/v1/quarantine?limit=1000", admin, &aside))
	require.Len(t, aside.Items, receipts)
}
