package influx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/influx/influxtest"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
)

const five = int64(300_000)

// ask returns the rows of an InfluxQL answer without its head, and without name
// and tags in front.
func ask(t *testing.T, s *influxtest.Server, q string) (rows []string) {
	t.Helper()
	text, err := s.Influx(t.Context(), q)
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if i > 0 && line != "" {
			rows = append(rows, strings.SplitN(line, ",", 3)[2])
		}
	}
	return rows
}

func ns(ms int64) string { return strconv.FormatInt(ms*1_000_000, 10) }

// Five minutes are sent once they are over, and again when something late
// changes them; what is not over is not sent.
func TestRollupsAreSentWhenTheyAreOverAndAgainWhenTheyChange(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	b.o.Readings, b.o.Rollups = false, true
	h := &rolled{sites: map[string][]occupancy.Rollup{}, roads: map[string][]traffic.HistoryPoint{}}
	b.o.History = h
	for i := range int64(4) {
		at := begin + i*five
		h.sites["S1"] = append(h.sites["S1"], occupancy.Rollup{T: at, CoveredMS: five / 2, FreeMS: 3 * five / 2, OccMS: five / 2, FreeMin: 2, Arrivals: i, Detection: inventory.DetectSpots})
		h.roads["R1"] = append(h.roads["R1"], traffic.HistoryPoint{T: at, Coverage: city.SomeMilli(1000), FlowVPH: city.SomeMilli(600_000), DJ: city.SomeMilli(412)})
	}
	_, end := b.run()
	parking := "SELECT arrivals, free_avg, occupied_avg, free_min, coverage, covered_ms, free_ms FROM parking_5m WHERE site = 'S1' AND class = 'car' AND kecamatan = 'Bekasi Timur'"
	there := func(rows ...string) {
		b.until(func() bool { return len(ask(t, s, parking)) == len(rows) }, func() any { return ask(t, s, parking) })
		require.Equal(t, rows, ask(t, s, parking))
	}
	row := func(i, arrivals int64) string {
		return fmt.Sprintf("%s,%d,3,1,2,0.5,%d,%d", ns(begin+i*five), arrivals, five/2, 3*five/2)
	}
	b.log.tick(begin + 2*five + 119_999) // the grace of the second is not over
	there(row(0, 0))
	b.log.tick(begin + 2*five + 120_000)
	there(row(0, 0), row(1, 1))
	require.Equal(t, []string{ns(begin) + ",600,0.412,1,0,", ns(begin+five) + ",600,0.412,1,0,"},
		ask(t, s, "SELECT flow_vph, dj, dj_known, speed_known, speed_kmh FROM traffic_5m WHERE segment = 'R1' AND gateway = 'gw-1'"))

	h.mu.Lock()
	h.sites["S1"][0].Arrivals, h.sites["S1"][1].Arrivals = 7, 8
	h.roads["R1"][1].DJ = city.Milli{}
	h.mu.Unlock()
	end() // what is marked survives
	target, _ := b.run()
	b.log.read(spot("P1", 1, begin+1000))
	b.log.read(city.Reading{Device: "T1", Kind: city.KindTraffic, Seq: 1, At: begin + five + 60_000, Traffic: &city.Traffic{PeriodS: 60, Lanes: []city.Lane{{Lane: 1}}}})
	b.log.tick(begin + 3*five + 120_000)
	there(row(0, 7), row(1, 8), row(2, 2))
	b.until(func() bool {
		return strings.HasSuffix(strings.Join(ask(t, s, "SELECT dj_known FROM traffic_5m WHERE segment = 'R1'"), " "), ",0 "+ns(begin+2*five)+",1")
	}, func() any { return ask(t, s, "SELECT dj_known FROM traffic_5m WHERE segment = 'R1'") })
	b.level(target, "rollups")
}

// A site that came in the middle of what is caught up with has its roll-ups from
// the five minutes on in which it came.
func TestASiteThatCameMeanwhileIsCaughtUpWith(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	b.o.Readings, b.o.Rollups = false, true
	h := &rolled{sites: map[string][]occupancy.Rollup{}}
	b.o.History = h
	want := map[string][]string{}
	for i := range int64(8) {
		for _, id := range []string{"S1", "S9"} {
			if id == "S1" || i >= 3 {
				h.sites[id] = append(h.sites[id], occupancy.Rollup{T: begin + i*five, CoveredMS: five, Arrivals: i, Detection: inventory.DetectSpots})
				want[id] = append(want[id], fmt.Sprintf("%s,%d", ns(begin+i*five), i))
			}
		}
	}
	accept(t, b.log, b.timeline, begin+3*five+120_000, "S9")
	b.log.tick(begin + 8*five + 120_000)
	target, _ := b.run()
	b.level(target, "rollups")
	for id, rows := range want {
		q := "SELECT arrivals FROM parking_5m WHERE class = 'car' AND site = '" + id + "'"
		b.until(func() bool { return len(ask(t, s, q)) >= len(rows) }, func() any { return ask(t, s, q) })
		require.Equal(t, rows, ask(t, s, q))
	}
}

// Entries of the books are there once each, without anything personal.
func TestEntriesOfTheBooksAreThereOnce(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	b.o.Books = true
	var all books
	for i := range uint64(7000) {
		e := &ledger.Entry{
			N: i + 1, Kind: ledger.KindReceipt, Pos: i + 1, Device: "M1", HasBoot: true, Boot: 1, Seq: i, At: begin + int64(i/5)*1000, Number: "SECRET-1", Site: "S1", Kecamatan: "Bekasi Timur",
			Operator: "OP-SECRET", NPWPD: "NPWPD-SECRET", NOPD: "NOPD-SECRET", Levy: inventory.LevyStreet, Account: "4.1.02", Class: city.Car, Method: city.Cash, Face: 3000, Amount: 3000, Count: 1, Day: 20_000,
		}
		if i%10 == 3 {
			e.Kind, e.Device, e.Boot, e.Seq, e.Method, e.Body = ledger.KindDeposit, "", 0, 0, city.MethodNone, []byte("SECRET")
		}
		all = append(all, e)
	}
	b.o.Ledger = all
	receipt := city.Reading{Device: "M1", Kind: city.KindReceipt, Seq: 1, At: begin, Receipt: &city.Receipt{Number: "SECRET-2", Amount: 2000, Method: city.QRIS, Class: city.Car, PlateHash: []byte("SECRET")}}
	b.log.read(receipt)
	target, end := b.run()
	b.level(target, "books")
	b.level(target, "readings")
	b.until(func() bool { return len(ask(t, s, "SELECT count(n), sum(amount) FROM books")) > 0 }, func() any { return "nothing" })
	require.Equal(t, []string{"0,7000,21000000"}, ask(t, s, "SELECT count(n), sum(amount) FROM books"))
	require.Equal(t, []string{"0,700"}, ask(t, s, "SELECT count(n) FROM books WHERE kind = 'deposit' AND account = '4.1.02' AND site = 'S1'"))
	require.Equal(t, []string{ns(begin) + ",2000,0"}, trimTie(ask(t, s, "SELECT amount, void FROM receipt WHERE method = 'qris'")))
	end()
	require.NoError(t, os.Remove(filepath.Join(b.dir, "influx.db")))
	target, _ = b.run()
	b.level(target, "books")
	require.Equal(t, []string{"0,7000,21000000"}, ask(t, s, "SELECT count(n), sum(amount) FROM books"))
	for _, m := range []string{"books", "receipt"} {
		text, err := s.Influx(t.Context(), "SELECT * FROM "+m+" LIMIT 5000")
		require.NoError(t, err)
		require.NotContains(t, text, "SECRET")
	}

	// Without books there is no money at all.
	quiet := newBed(t, serverOf(s))
	quiet.o.Origin.Gateway = "gw-quiet"
	quiet.log.read(receipt)
	quiet.log.read(spot("P1", 1, begin))
	target, _ = quiet.run()
	quiet.level(target, "readings")
	require.Len(t, ask(t, s, "SELECT seq FROM spot WHERE gateway = 'gw-quiet'"), 1)
	require.Empty(t, ask(t, s, "SELECT seq FROM receipt WHERE gateway = 'gw-quiet'"))
}

// trimTie cuts what is below a millisecond off the times.
func trimTie(rows []string) []string {
	for i, r := range rows {
		at, rest, _ := strings.Cut(r, ",")
		rows[i] = at[:len(at)-6] + "000000," + rest
	}
	return rows
}
