package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/influx/influxtest"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// page is an answer of /v1/devices/ID/readings.
type page struct {
	Items            []json.RawMessage
	Next             string
	Quality, Missing string
}

// history returns all pages of a device as one.
func (r *running) history(device, span, admin string) page {
	r.t.Helper()
	return r.pages(device, span, admin, 700)
}

func (r *running) pages(device, span, admin string, limit int) (all page) {
	r.t.Helper()
	for cursor := ""; ; {
		var p page
		require.Equal(r.t, http.StatusOK, r.get(fmt.Sprintf("/v1/devices/%s/readings?limit=%d&%s%s", device, limit, span, cursor), admin, &p))
		all.Items = append(all.Items, p.Items...)
		all.Quality, all.Missing = max(all.Quality, p.Quality), max(all.Missing, p.Missing)
		if p.Next == "" {
			return all
		}
		cursor = "&cursor=" + p.Next
	}
}

// streamLine is what readyz tells of a stream.
type streamLine struct {
	Lag    uint64
	Detail string
}

// streams returns readyz's lines of the targets, by name.
func (r *running) streams() (lines map[string]streamLine, reasons string) {
	r.t.Helper()
	var ready struct {
		Followers []struct {
			Name   string
			Lag    uint64
			Detail string
		}
		Reasons []struct{ Code, Detail string }
	}
	r.get("/readyz", "", &ready)
	lines = map[string]streamLine{}
	for _, f := range ready.Followers {
		if strings.HasPrefix(f.Name, "influx/") {
			lines[f.Name] = streamLine{f.Lag, f.Detail}
		}
	}
	var all []string
	for _, x := range ready.Reasons {
		if x.Code == "influx" {
			all = append(all, x.Detail)
		}
	}
	return lines, strings.Join(all, "\n")
}

// ofDevices is what devices say, one after the other, of every kind.
var ofDevices = map[string][]string{
	"d1": {
		`{"kind":"spot","boot":1,"seq":SEQ,"at":"AT","occupied":BIT,"battery_v":3.4,"dwell_s":SEQ}`,
		`{"kind":"spot","boot":1,"seq":SEQ,"at":"AT","occupied":BIT,"temperature_c":31.5,"rssi_dbm":-101}`,
		`{"kind":"health","boot":1,"seq":SEQ,"at":"AT","battery_v":3.3,"uptime_s":SEQ,"firmware":"1.0, \"b\"","errors":["e1","e \\ 2"]}`,
	},
	"g1": {`{"kind":"gate","boot":1,"seq":SEQ,"at":"AT","direction":"in","class":"car"}`, `{"kind":"gate","boot":1,"seq":SEQ,"at":"AT","direction":"out","class":"motorcycle","count":2}`},
	"c1": {`{"kind":"count","boot":1,"seq":SEQ,"at":"AT","class":"car","occupied":4}`},
	"t1": {
		`{"kind":"traffic","boot":1,"seq":SEQ,"at":"AT","period_s":60,"lanes":[{"lane":2,"counts":{"SM":12,"KR":7,"KB":1},"speed_kmh":41.5},{"lane":1,"counts":{"KR":4},"speed_kmh":38,"occupancy_pct":7.25}]}`,
		`{"kind":"traffic","boot":1,"seq":SEQ,"at":"AT","period_s":60,"lanes":[{"lane":1,"counts":{},"speed_kmh":40},{"lane":2,"direction":"backward","counts":{"SM":1,"KR":2,"KB":0}}]}`,
	},
	"m1": {`{"kind":"receipt","boot":1,"seq":SEQ,"at":"AT","receipt":"R-SEQ","amount":2000,"method":"cash"}`},
}

// A gateway that keeps two days answers for a week: what it sent to a server
// before comes back as it was, point by point over the border; what it did not
// keep is told where the server is away.
func TestHistoryOverTheBorderOfHereAndThere(t *testing.T) {
	s, err := influxtest.New(t.Context(), t.TempDir())
	require.NoError(t, err)
	starting, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.Start(starting))
	t.Cleanup(func() { s.Stop(syscall.SIGKILL) })
	dir := newDir(t)
	writeFiles(t, dir, storeFiles)
	writeFiles(t, dir, map[string]string{
		"inventory/sites.geojson": strings.TrimSuffix(storeCity, "]}") + `,{"type":"Feature","geometry":{"type":"Point","coordinates":[107.02,-6.24]},
 "properties":{"id":"s3","name":"Tiga","kind":"off_street","kecamatan":"Bekasi Timur","levy":"pbjt","operator":"op-1","detection":"count","capacity":{"car":9}}}]}`,
		"inventory/devices.csv": storeFiles["inventory/devices.csv"] + "c1,count,s3,,,\n",
	})
	cfg := load(t, dir)
	cfg.Retention.Journal.Duration = 48 * time.Hour
	now := time.Now().In(cfg.City.Zone)
	end := time.Date(now.Year(), now.Month(), now.Day()-1, 13, 0, 0, 0, cfg.City.Zone)
	begin := end.AddDate(0, 0, -6)
	play := func(do func(r *app.Replay)) {
		r, err := app.OpenReplay(t.Context(), app.Options{Config: cfg, Log: discard}, 100)
		require.NoError(t, err)
		do(r)
		require.NoError(t, r.Close(t.Context()))
	}
	sent := map[string]int{}
	var midnights []time.Time // the border is one of them
	play(func(r *app.Replay) {
		take := func(at, stamp time.Time) {
			for device, format := range ofDevices {
				sent[device]++
				n := sent[device]
				payload := strings.NewReplacer("SEQ", strconv.Itoa(n), "AT", stamp.UTC().Format("2006-01-02T15:04:05.000Z"), "BIT", strconv.FormatBool(n%2 == 0)).Replace(format[n%len(format)])
				m := source.Message{Source: "b", Device: device, Payload: []byte(payload), Decoded: native.Decode(device, []byte(payload))}
				require.NoError(t, r.Take(t.Context(), at, m))
			}
		}
		for at := begin; at.Before(end); at = at.Add(5 * time.Minute) {
			if at.Hour() == 0 && at.Minute() == 0 {
				midnights = append(midnights, at)
				for _, stamp := range []time.Time{at.Add(-time.Millisecond), at, at} {
					take(at, stamp)
				}
			}
			take(at, at.Add(-time.Duration(sent["d1"]%3)*time.Hour)) // some come late, over midnights too
			if at.Hour() == 1 && at.Minute() == 0 {
				take(at, at.Add(-time.Hour)) // late, and of one time with others
			}
		}
	})
	n := sent["d1"]
	span := "from=" + begin.AddDate(0, 0, -1).UTC().Format("2006-01-02T15:04:05Z") + "&to=" + end.UTC().Format("2006-01-02T15:04:05Z")
	target := fmt.Sprintf("influx: [{id: pusat, url: %q, bucket: %q, timeout: 5s}]\n", s.URL, s.Bucket)
	plain, err := os.ReadFile(filepath.Join(dir, "simpang.yaml"))
	require.NoError(t, err)
	writeFiles(t, dir, map[string]string{"simpang.yaml": string(plain) + target})

	clock := func(from time.Time) func() time.Time {
		began := time.Now()
		return func() time.Time { return from.Add(time.Since(began)) }
	}
	run := startAt(t, dir, clock(end))
	run.caughtUp()
	admin := run.admin()
	truth, around := map[string]page{}, map[string]page{}
	atMidnights := func(run *running, each func(device, span string, few page)) {
		for _, midnight := range midnights {
			second := "from=" + midnight.Add(-time.Second).UTC().Format("2006-01-02T15:04:05Z") + "&to=" + midnight.Add(time.Second).UTC().Format("2006-01-02T15:04:05Z")
			for device := range ofDevices {
				each(device, second, run.pages(device, second, admin, 2))
			}
		}
	}
	for device := range ofDevices {
		truth[device] = run.history(device, span, admin)
		require.Len(t, truth[device].Items, n)
	}
	atMidnights(run, func(device, second string, few page) {
		require.GreaterOrEqual(t, len(few.Items), 4, "several of one time at each midnight")
		around[device+second] = few
	})
	run.until("the server has everything", func() bool {
		lines, reasons := run.streams()
		require.Empty(t, reasons)
		return len(lines) == 3 && lines["influx/pusat/readings"].Lag == 0 && lines["influx/pusat/books"].Lag == 0
	})
	for _, measurement := range []string{"gate", "count", "receipt", "traffic WHERE lane = '1'", "books WHERE kind = 'receipt'"} {
		text, err := s.Influx(t.Context(), "SELECT count(pos) FROM "+measurement)
		require.NoError(t, err)
		require.Contains(t, text, fmt.Sprintf(",%d\n", n), measurement)
	}
	// Another gateway has devices of the same names in the same bucket.
	var foreign strings.Builder
	for _, midnight := range midnights {
		fmt.Fprintf(&foreign, "spot,city=%[1]s,gateway=lain,device=d1,site=s1 occupied=1i,seq=7i,pos=7i,recv=7i,source=\"b\" %[2]d\ngate,city=%[1]s,gateway=lain,device=g1 in=5i,seq=7i,pos=7i,recv=7i %[2]d\n", cfg.City.ID, midnight.UnixNano())
	}
	require.NoError(t, s.Write(t.Context(), foreign.String()))
	run.until("roll-ups come", func() bool {
		text, err := s.Influx(t.Context(), "SELECT count(covered_ms) FROM parking_5m WHERE site = 's1'")
		require.NoError(t, err)
		return strings.Contains(text, "parking_5m,")
	})
	require.NoError(t, run.stop())

	// What is past its retention goes.
	cfg.Retention.Readings.Duration = 48 * time.Hour
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, cfg.City.Zone)
	play(func(r *app.Replay) {
		require.NoError(t, r.Step(t.Context(), midnight.Add(-time.Minute)))
		require.NoError(t, r.Step(t.Context(), midnight))
	})
	short := "retention: {readings: 2d, journal: 2d}\n"
	writeFiles(t, dir, map[string]string{"simpang.yaml": string(plain) + target + short})
	run = startAt(t, dir, clock(midnight.Add(time.Minute)))
	run.caughtUp()
	here := run.history("d1", span, admin)
	require.Less(t, len(here.Items), n/2, "the store keeps less than half")
	require.Empty(t, here.Missing)
	require.NoError(t, run.stop())

	writeFiles(t, dir, map[string]string{"simpang.yaml": string(plain) + target + short + "series: influx\n"})
	run = startAt(t, dir, clock(midnight.Add(3*time.Minute)))
	run.caughtUp()
	for device, want := range truth {
		got := run.history(device, span, admin)
		require.Len(t, got.Items, n)
		for i := range want.Items {
			require.JSONEq(t, string(want.Items[i]), string(got.Items[i]), "%s %d", device, i)
		}
		require.Empty(t, got.Quality)
	}
	atMidnights(run, func(device, second string, few page) {
		require.Equal(t, around[device+second], few, "%s %s, two a page", device, second)
	})
	concluded := func() (all []json.RawMessage) {
		day := "from=" + end.AddDate(0, 0, -1).UTC().Format("2006-01-02T15:04:05Z") + "&to=" + end.UTC().Format("2006-01-02T15:04:05Z")
		for _, path := range []string{"/v1/parking/sites/s1/history?class=car&step=1h&", "/v1/traffic/segments/r1/history?step=1h&"} {
			var answer json.RawMessage
			require.Equal(t, http.StatusOK, run.get(path+day, admin, &answer), "%s: %s", path, answer)
			all = append(all, answer)
		}
		return all
	}
	before := concluded()
	for what, end := range []func(){
		func() { require.NoError(t, s.Signal(syscall.SIGSTOP)) }, // it takes connections and says nothing
		func() { s.Stop(syscall.SIGKILL) },
	} {
		end()
		gone := run.history("d1", span, admin)
		require.Equal(t, here.Items, gone.Items, "what is here is told: %d", what)
		require.Equal(t, "partial", gone.Quality)
		require.Contains(t, gone.Missing, "does not answer")
		require.Equal(t, before, concluded(), "what was concluded is kept here")
	}
	require.NoError(t, run.stop())
	require.NoError(t, app.Verify(t.Context(), run.cfg, t.Logf))
}
