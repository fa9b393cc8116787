package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// past writes a store whose journal has three days that are over, of the city
// in storeFiles, and returns the first day's midnight.
func past(t *testing.T, c *config.Config) time.Time {
	t.Helper()
	now := time.Now().In(c.City.Zone)
	day := time.Date(now.Year(), now.Month(), now.Day()-4, 0, 0, 0, 0, c.City.Zone)
	version, faults, err := inventory.Load(c.Inventory, c.City.Zone)
	require.NoError(t, err)
	require.Empty(t, faults)
	store, err := inventory.OpenStore(filepath.Join(c.DataDir, "inventory"))
	require.NoError(t, err)
	require.NoError(t, store.Save(version))
	var files []journal.FileHash
	for _, f := range version.FileHashes() {
		files = append(files, journal.FileHash{Name: f.Name, SHA256: f.SHA256})
	}
	j, err := journal.Open(t.Context(), filepath.Join(c.DataDir, "journal"), journal.Options{Zone: c.City.Zone})
	require.NoError(t, err)
	defer j.Close()
	var waiting []journal.Entry
	add := func(e journal.Entry) { waiting = append(waiting, e) }
	commit := func() {
		_, err := j.Append(t.Context(), waiting)
		require.NoError(t, err)
		waiting = nil
	}
	add(journal.Entry{Type: journal.TypeInventory, Recv: day.UnixMilli(), Inventory: &journal.InventoryVersion{Hash: version.Hash, Files: files}})
	for minute := range 3 * 24 * 60 {
		at := day.Add(time.Duration(minute) * time.Minute).UnixMilli()
		add(journal.Entry{Type: journal.TypeTick, Recv: at})
		if minute%60 == 59 {
			commit()
		}
		if minute%60 != 30 {
			continue
		}
		n := uint64(minute/60 + 1)
		for _, r := range []*city.Reading{
			{Device: "d1", Kind: city.KindSpot, Spot: &city.Spot{Occupied: n%2 == 1}},
			{Device: "g1", Kind: city.KindGate, Gate: &city.Gate{Class: city.Car, Count: 1}},
			{Device: "t1", Kind: city.KindTraffic, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1, HasCounts: true, SM: 12, KR: 7, Speed: city.SomeMilli(41500)}}}},
			{Device: "m1", Kind: city.KindReceipt, Receipt: &city.Receipt{Number: fmt.Sprint("A-", n), Amount: 5000, Method: city.Cash, Class: city.Car}},
		} {
			r.Boot, r.HasBoot, r.Seq, r.At = 1, true, n, at
			add(journal.Entry{Type: journal.TypeReading, Recv: at, Source: "b", Reading: r})
		}
	}
	return day
}

// letGo archives and retires the days that are over, but the newest, and
// removes what is built from them.
func letGo(t *testing.T, c *config.Config) {
	t.Helper()
	j, err := journal.Open(t.Context(), filepath.Join(c.DataDir, "journal"), journal.Options{Zone: c.City.Zone})
	require.NoError(t, err)
	defer j.Close()
	s, err := series.Open(t.Context(), filepath.Join(c.DataDir, "archive"), series.Options{Journal: j, Zone: c.City.Zone, Index: filepath.Join(c.DataDir, "series.db")})
	require.NoError(t, err)
	defer s.Close()
	entries, err := j.Read(t.Context(), 0, 1<<30)
	require.NoError(t, err)
	require.NoError(t, s.Apply(entries))
	due := s.Due()
	for _, date := range due {
		a, err := s.Seal(t.Context(), date)
		require.NoError(t, err)
		record := []journal.Entry{{Type: journal.TypeArchive, Recv: j.LastRecv(), Archive: &a}}
		_, err = j.Append(t.Context(), record)
		require.NoError(t, err)
		require.NoError(t, s.Apply(record))
	}
	retired, err := s.Retain(t.Context(), time.Now().UnixMilli(), series.Policy{}, j.Head())
	require.NoError(t, err)
	require.Equal(t, due, retired)
	require.GreaterOrEqual(t, len(retired), 2)
	for _, name := range []string{"occupancy.db", "traffic.db", "health.db", "dedupe.db", "series.db"} {
		require.FileExists(t, filepath.Join(c.DataDir, name))
		for _, suffix := range []string{"", "-wal", "-shm"} {
			require.NoError(t, os.RemoveAll(filepath.Join(c.DataDir, name+suffix)))
		}
	}
}

// caughtUp waits until every follower has what the journal has.
func (r *running) caughtUp() {
	r.t.Helper()
	r.until("every follower is up to the journal's head", func() bool {
		var ready struct {
			Head      uint64 `json:"head"`
			Followers []struct {
				Name   string `json:"name"`
				Cursor uint64 `json:"cursor"`
			} `json:"followers"`
		}
		r.get("/readyz", "", &ready)
		n := 0
		for _, f := range ready.Followers {
			if strings.HasPrefix(f.Name, "influx/") {
				continue // their cursors are no positions of the journal
			}
			n++
			if f.Cursor != ready.Head {
				return false
			}
		}
		return n == 6
	})
}

func (r *running) counter(name string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://"+r.at.Admin+"/metrics", nil)
	require.NoError(r.t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// age is what changes while nothing happens.
var age = regexp.MustCompile(`"age_s":[0-9]+,`)

// TestWhatIsDerivedIsBuiltAgainFromTheArchive: the followers' files and the
// memory of de-duplication are gone, and so are the journal's days.
func TestWhatIsDerivedIsBuiltAgainFromTheArchive(t *testing.T) {
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	day := past(t, load(t, dir))
	date := day.Format(time.DateOnly)
	ask := func(r *running, admin string) map[string]json.RawMessage {
		told := r.ask(admin, date)
		maps.Copy(told.Answers, told.Readings)
		span := "from=" + date + "T00:00:00%2B07:00&to=" + next(t, date) + "T23:59:59%2B07:00"
		for _, path := range []string{"/v1/parking/sites/s1/history?step=1h&" + span, "/v1/parking/sites/s2/history?step=1h&" + span, "/v1/devices/g1", "/v1/devices/t1"} {
			var answer json.RawMessage
			require.Equal(t, http.StatusOK, r.get(path, admin, &answer), path)
			told.Answers[path] = age.ReplaceAll(answer, nil)
		}
		return told.Answers
	}
	r := start(t, dir)
	admin := r.admin()
	r.caughtUp()
	want := ask(r, admin)
	require.NoError(t, r.stop())
	letGo(t, r.cfg)

	r = start(t, dir)
	r.caughtUp()
	got := ask(r, admin)
	require.Len(t, got, len(want))
	for path, answer := range want {
		require.JSONEq(t, string(answer), string(got[path]), path)
	}
	for path, word := range map[string]string{"sites/s1/history": `"occupied_avg":1`, "sites/s2/history": `"points":[{`, "segments/r1/history": "41.5", "d1/completeness": `24`} {
		found := 0
		for asked, answer := range want {
			if strings.Contains(asked, path) {
				found++
				require.Contains(t, string(answer), word, path)
			}
		}
		require.Equal(t, 1, found, path)
	}

	// A reading of a retired day comes again: it is known, and nothing changes.
	at := day.Add(30 * time.Minute).Format(time.RFC3339)
	require.Equal(t, "0", r.counter("simpang_duplicates_total"))
	r.publish("d1", fmt.Sprintf(`{"kind":"spot","boot":1,"seq":1,"at":%q,"occupied":true}`, at))
	require.Equal(t, "1", r.counter("simpang_duplicates_total"))
	r.publish("m1", fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":1,"at":%q,"receipt":"A-1","amount":5000,"method":"cash","class":"car"}`, at))
	require.Equal(t, "2", r.counter("simpang_duplicates_total"))
	require.NoError(t, r.stop())
	require.NoError(t, app.Verify(t.Context(), r.cfg, t.Logf))
	http.DefaultClient.CloseIdleConnections()
}
