package influx_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/influx"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
	"github.com/simpang-id/simpang/internal/series/seriestest"
)

// asSource is a Past of which nothing may be missing.
type asSource struct {
	t *testing.T
	p *influx.Past
}

// Readings asks, and fails where something is said to be missing.
func (s asSource) Readings(ctx context.Context, q series.Query) (series.Page, error) {
	page, missing, err := s.p.Readings(ctx, q)
	require.Empty(s.t, missing)
	return page, err
}

// Readings that are only there, only here, or on both sides of the border come
// back as they were sent, point by point; another gateway's in the same bucket
// do not. The model and the embedded series (internal/series) pass the same
// suite.
func TestReadingsComeBackAsTheyWereSent(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	r := rand.New(rand.NewPCG(7, 1))
	var truth []journal.Entry
	at := begin
	for i := range uint64(1500) {
		if r.IntN(3) > 0 {
			at += r.Int64N(600_000) * int64(r.IntN(2)) // some of one time
		}
		sent := at
		if r.IntN(20) == 0 {
			sent -= r.Int64N(86_400_000) // late
		}
		x := anyReading(r, 1+i/700, i%700, sent)
		b.log.append(journal.Entry{Type: journal.TypeReading, Recv: at + 1500, Source: "b", Flags: journal.Flags(r.IntN(2) * 2), Reading: &x})
		truth = append(truth, b.log.all[len(b.log.all)-1])
	}
	target, end := b.run()
	b.level(target, "readings")
	end()
	b.o.ID, b.o.Origin.Gateway = "other", "gw-2"
	other, _ := b.run()
	b.level(other, "readings")

	for name, border := range map[string]int64{"all there": at + 1, "all here": begin - 86_400_000, "half": begin + (at-begin)/2} {
		t.Run(name, func(t *testing.T) {
			var local seriestest.Model
			for _, e := range truth {
				if e.Recv-1500 >= border {
					local = append(local, e)
				}
			}
			reader, err := influx.NewReader(serverOf(s), origin)
			require.NoError(t, err)
			defer func() { require.NoError(t, reader.Close()) }()
			p := &influx.Past{Local: local, Remote: reader, Whole: func() int64 { return border }, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			seriestest.Run(t, asSource{t, p}, truth, 12)
		})
	}
	t.Run("the server does not answer", func(t *testing.T) {
		local := seriestest.Model(truth[1000:])
		ask := func(o influx.Server, from int64) (series.Page, string) {
			reader, err := influx.NewReader(o, origin)
			require.NoError(t, err)
			defer func() { require.NoError(t, reader.Close()) }()
			p := &influx.Past{Local: local, Remote: reader, Whole: func() int64 { return local[0].Recv }, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			page, missing, err := p.Readings(t.Context(), series.Query{Device: "T1", From: from, To: at + 1, Limit: 10_000})
			require.NoError(t, err)
			return page, missing
		}
		whole, missing := ask(serverOf(s), begin)
		require.Empty(t, missing)
		here, err := local.Readings(t.Context(), series.Query{Device: "T1", From: begin, To: at + 1, Limit: 10_000})
		require.NoError(t, err)
		require.Greater(t, len(whole.Entries), len(here.Entries))

		hangs, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections and says nothing
		require.NoError(t, err)
		page, missing := ask(influx.Server{URL: "http://" + hangs.Addr().String(), Bucket: s.Bucket, Timeout: 300 * time.Millisecond}, begin)
		require.Equal(t, here, page)
		require.Contains(t, missing, "older than what is kept here are missing")
		require.NoError(t, hangs.Close())
		page, missing = ask(influx.Server{URL: "http://" + hangs.Addr().String(), Bucket: s.Bucket, Timeout: 300 * time.Millisecond}, begin)
		require.Equal(t, here, page)
		require.Contains(t, missing, "does not answer")
		asked := 0
		slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		defer slow.Close()
		reader, err := influx.NewReader(influx.Server{URL: slow.URL, Bucket: s.Bucket, Timeout: time.Second}, origin)
		require.NoError(t, err)
		now := time.Unix(0, 0)
		p := &influx.Past{Local: local, Remote: reader, Whole: func() int64 { return at }, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
		for i := range 3 {
			_, missing, err := p.Readings(t.Context(), series.Query{Device: "T1", From: begin, To: at + 1, Limit: 10})
			require.NoError(t, err)
			require.Contains(t, missing, "503")
			require.Equal(t, 1+i/2, asked, "it has a respite")
			now = now.Add(3 * time.Second)
		}
		require.NoError(t, reader.Close())

		recent, missing := ask(influx.Server{URL: "http://" + hangs.Addr().String(), Bucket: s.Bucket, Timeout: 300 * time.Millisecond}, local[0].Recv)
		require.Empty(t, missing, "what is all here is not asked for")
		require.NotEmpty(t, recent.Entries)
	})
}

// No id ends the literal in which it stands; those that are no ids are not
// asked for, and the rest is quoted.
func TestNoIDIsMoreThanAnID(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	b.log.read(spot("P1", 1, begin))
	target, _ := b.run()
	b.level(target, "readings")
	for _, evil := range []string{`P1") |> drop(columns: ["x"]) //`, `${r.device}`, `P1" or r.device != "`, `P1\`, "P1\n", `P1' or 'a'='a`, ""} {
		for _, o := range []influx.Origin{origin, {Gateway: evil, City: "bekasi"}, {Gateway: "gw-1", City: evil}} {
			device := evil
			if o != origin {
				device = "P1"
			}
			reader, err := influx.NewReader(serverOf(s), o)
			require.NoError(t, err)
			p := &influx.Past{Local: seriestest.Model{}, Remote: reader, Whole: func() int64 { return begin + 1 }, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			page, missing, err := p.Readings(t.Context(), series.Query{Device: device, From: begin, To: begin + 1, Limit: 10})
			require.NoError(t, err)
			require.Empty(t, page.Entries, "%q", evil)
			if o == origin {
				require.Contains(t, missing, "no id")
			} else {
				require.Empty(t, missing, "it is quoted: %q", evil)
			}
			require.NoError(t, reader.Close())
		}
	}
	reader, err := influx.NewReader(influx.Server{URL: s.URL, Bucket: s.Bucket + `") |> yield() //`, Timeout: time.Second}, origin)
	require.NoError(t, err)
	p := &influx.Past{Local: seriestest.Model{}, Remote: reader, Whole: func() int64 { return begin + 1 }, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	_, missing, err := p.Readings(t.Context(), series.Query{Device: "P1", Kinds: []city.Kind{city.KindSpot}, From: begin, To: begin + 1, Limit: 10})
	require.NoError(t, err)
	require.NotEmpty(t, missing)
	require.NotContains(t, missing, "yield")
	require.NoError(t, reader.Close())
}

// Receipts are never asked for elsewhere.
func TestReceiptsAreReadHereOnly(t *testing.T) {
	reader, err := influx.NewReader(influx.Server{URL: "http://127.0.0.1:1", Bucket: "x", Timeout: time.Second}, origin)
	require.NoError(t, err)
	p := &influx.Past{Local: seriestest.Model{}, Remote: reader, Whole: func() int64 { return begin }, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	_, missing, err := p.Readings(t.Context(), series.Query{Device: "M1", Kinds: []city.Kind{city.KindReceipt}, From: 0, To: begin, Limit: 10})
	require.NoError(t, err)
	require.Empty(t, missing)
	require.NoError(t, reader.Close())
}
