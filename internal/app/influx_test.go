package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
func (r *running) history(device, span, admin string) (all page) {
	r.t.Helper()
	for cursor := ""; ; {
		var p page
		require.Equal(r.t, http.StatusOK, r.get("/v1/devices/"+device+"/readings?limit=700&"+span+cursor, admin, &p))
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
	n := 0
	play(func(r *app.Replay) {
		for at := begin; at.Before(end); at = at.Add(5 * time.Minute) {
			n++
			stamp := at.Add(-time.Duration(n%3) * time.Hour).UTC().Format(time.RFC3339) // some come late, over midnights too
			for device, payload := range map[string]string{
				"d1": fmt.Sprintf(`{"kind":"spot","boot":1,"seq":%d,"at":%q,"occupied":%v,"battery_v":3.%d}`, n, stamp, n%2 == 0, n),
				"g1": fmt.Sprintf(`{"kind":"gate","boot":1,"seq":%d,"at":%q,"direction":"in","class":"car"}`, n, stamp),
				"m1": fmt.Sprintf(`{"kind":"receipt","boot":1,"seq":%d,"at":%q,"receipt":"R-%d","amount":2000,"method":"cash"}`, n, stamp, n),
			} {
				m := source.Message{Source: "b", Device: device, Payload: []byte(payload), Decoded: native.Decode(device, []byte(payload))}
				require.NoError(t, r.Take(t.Context(), at, m))
			}
		}
	})
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
	truth := map[string]page{}
	for _, device := range []string{"d1", "g1", "m1"} {
		truth[device] = run.history(device, span, admin)
		require.Len(t, truth[device].Items, n)
	}
	run.until("the server has everything", func() bool {
		lines, reasons := run.streams()
		require.Empty(t, reasons)
		return len(lines) == 3 && lines["influx/pusat/readings"].Lag == 0 && lines["influx/pusat/books"].Lag == 0
	})
	for _, measurement := range []string{"spot", "gate", "receipt", "books WHERE kind = 'receipt'"} {
		text, err := s.Influx(t.Context(), "SELECT count(pos) FROM "+measurement)
		require.NoError(t, err)
		require.Contains(t, text, fmt.Sprintf(",%d\n", n), measurement)
	}
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
	s.Stop(syscall.SIGKILL)
	gone := run.history("d1", span, admin)
	require.Equal(t, here.Items, gone.Items, "what is here is told")
	require.Equal(t, "partial", gone.Quality)
	require.Contains(t, gone.Missing, "does not answer")
	require.NoError(t, run.stop())
	require.NoError(t, app.Verify(t.Context(), run.cfg, t.Logf))
}
