package influx_test

import (
	"compress/gzip"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/influx"
	"github.com/simpang-id/simpang/internal/series"
	"github.com/simpang-id/simpang/internal/series/seriestest"
)

// past reads from a server of which at most so many bytes and rows of an answer
// are read.
func past(t *testing.T, server influx.Server, most int64, rows int) *influx.Past {
	t.Helper()
	reader, err := influx.NewReader(server, origin)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reader.Close()) })
	reader.Bound(most)
	reader.BoundRows(rows)
	return &influx.Past{Local: seriestest.Model{}, Remote: reader, Whole: func() int64 { return 1 << 50 }, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// After long silence a device that speaks often is not asked for at once: the
// spans that grew shrink again, and nothing is cut off.
func TestDenseAfterSparse(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	const sparse, dense = 200, 3000
	at := begin
	for i := range uint64(sparse + dense) {
		if i < sparse {
			at += 86_400_000
		} else {
			at += 5_000
		}
		b.log.read(spot("P1", i, at))
	}
	target, _ := b.run()
	b.level(target, "readings")
	patient := serverOf(s)
	patient.Timeout = time.Minute // of a machine that does much else
	for name, p := range map[string]*influx.Past{
		"bounded in bytes": past(t, patient, 100_000, 1<<16),
		"bounded in rows":  past(t, patient, 16<<20, 250),
	} {
		t.Run(name, func(t *testing.T) {
			page, missing, err := p.Readings(t.Context(), series.Query{Device: "P1", From: begin, To: at + 1, Limit: 10_000})
			require.NoError(t, err)
			require.Empty(t, missing)
			require.Len(t, page.Entries, sparse+dense)
			for i := range page.Entries {
				require.Equal(t, uint64(i), page.Entries[i].Reading.Seq)
			}
		})
	}
}

// Of rows that are small, and each a reading, no more are taken than of large
// ones, whatever the server was asked for.
func TestAnAnswerOfSmallRows(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "text/csv")
		fmt.Fprint(w, "#datatype,string,long,dateTime:RFC3339Nano,string,long,long,long,long\r\n#group,false,false,false,true,false,false,false,false\r\n"+
			"#default,_result,,,,,,,\r\n,result,table,_time,_measurement,seq,pos,recv,occupied\r\n")
		for range 1001 {
			fmt.Fprint(w, ",,0,2026-03-02T00:00:00Z,spot,1,1,1,1\r\n")
		}
	}))
	defer server.Close()
	ask := func(rows int) (series.Page, string) {
		p := past(t, influx.Server{URL: server.URL, Bucket: "b", Timeout: time.Minute}, 16<<20, rows)
		page, missing, err := p.Readings(t.Context(), series.Query{Device: "P1", From: begin, To: begin + 1000, Limit: 10})
		require.NoError(t, err)
		return page, missing
	}
	page, missing := ask(1001)
	require.Empty(t, missing)
	require.Len(t, page.Entries, 1, "the same reading over and over is one")
	page, missing = ask(1000)
	require.Empty(t, page.Entries)
	require.Contains(t, missing, "too much at once")
	require.Equal(t, 2, asked)
}

// A server that answers without end, packed small, costs no more than what is
// read of it, and is told.
func TestAnAnswerWithoutEnd(t *testing.T) {
	row := []byte(",,0,2026-03-02T00:00:00Z," + string(make([]byte, 1000)) + "\r\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprint(z, "#datatype,string,long,dateTime:RFC3339,string\r\n#group,false,false,false,false\r\n#default,_result,,,\r\n,result,table,_time,x\r\n")
		for r.Context().Err() == nil {
			if _, err := z.Write(row); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	page, missing, err := past(t, influx.Server{URL: server.URL, Bucket: "b", Timeout: time.Minute, Gzip: true}, 1<<16, 1<<16).
		Readings(t.Context(), series.Query{Device: "P1", From: begin, To: begin + 86_400_000, Limit: 10})
	require.NoError(t, err)
	require.Empty(t, page.Entries)
	require.Contains(t, missing, "too much at once")
}

// A reading of which a lane was lost, and what somebody else wrote among ours,
// is left out and told; the others are answered.
func TestABrokenReadingHidesNoOther(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	for i := range uint64(4) {
		lanes := []city.Lane{{Lane: 1, HasCounts: true, SM: 3}}
		if i == 2 {
			lanes = append(lanes, city.Lane{Lane: 2, HasCounts: true, SM: 4})
		}
		b.log.read(city.Reading{Device: "T1", Kind: city.KindTraffic, Seq: i, At: begin + int64(i)*60_000, Traffic: &city.Traffic{PeriodS: 60, Lanes: lanes}})
	}
	target, _ := b.run()
	b.level(target, "readings")
	_, err := s.Influx(t.Context(), "DELETE FROM traffic WHERE lane = '2'")
	require.NoError(t, err)
	require.NoError(t, s.Write(t.Context(), "health,gateway=gw-1,city=bekasi,device=T1 mood=\"good\" "+ns(begin+90_000)))
	patient := serverOf(s)
	patient.Timeout = time.Minute
	page, missing, err := past(t, patient, 1<<20, 1<<16).Readings(t.Context(), series.Query{Device: "T1", From: begin, To: begin + 3_600_000, Limit: 10})
	require.NoError(t, err)
	require.Contains(t, missing, "2 readings of this time")
	var seqs []uint64
	for i := range page.Entries {
		seqs = append(seqs, page.Entries[i].Reading.Seq)
	}
	require.Equal(t, []uint64{0, 1, 3}, seqs)
}
