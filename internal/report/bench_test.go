package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/report/expect"
)

const (
	benchSites = 200
	benchStays = 250 // a site and day, where it has 20 places
	benchDays  = 9
	minuteMs   = int64(60_000)
	dayMs      = 24 * 60 * minuteMs
)

// benchBegin is a Monday.
var benchBegin = time.Date(2026, 3, 2, 0, 0, 0, 0, zone)

// benchSite is a site of the city that the bench reconciles.
type benchSite struct {
	places, dead int // dead: places whose sensor never speaks
	intervalS    int
	shortest     int64 // minutes, of a stay
	longest      int64
}

// benchTowns are cities of 200 sites. In the blind one a place in ten has no
// working sensor, so that every site's day is estimated in part. In the silent
// one the sensors of a fifth of the sites, which are as large as the reference
// city's, speak only when something changes, though each five minutes is what
// they should: every stay is a silence.
func benchTowns() map[string][]benchSite {
	towns := map[string][]benchSite{}
	for i := range benchSites {
		towns["blind"] = append(towns["blind"], benchSite{20, 2, 86_400, 30, 30})
		silent := benchSite{15, 0, 86_400, 10, 50}
		if i%5 == 0 {
			silent = benchSite{30 + i*9/20, 0, 300, 10, 50}
		}
		towns["silent"] = append(towns["silent"], silent)
	}
	return towns
}

func benchVersion(tb testing.TB, town []benchSite) *inventory.Version {
	tb.Helper()
	var sites []string
	var devices strings.Builder
	devices.WriteString("id,kind,site,class,interval_s\n")
	for i, x := range town {
		sites = append(sites, fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{"id":"s%03d","name":"S","kind":"off_street",
"kecamatan":"K%d","operator":"dishub","levy":"street","tariff":"t","detection":"spots","capacity":{"car":%d}}}`, i, i%12, x.places))
		for p := range x.places {
			fmt.Fprintf(&devices, "s%03d-%02d,spot,s%03d,car,%d\n", i, p, i, x.intervalS)
		}
		fmt.Fprintf(&devices, "m%03d,meter,s%03d,,300\n", i, i)
	}
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson":    []byte(`{"type":"FeatureCollection","features":[` + strings.Join(sites, ",") + `]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv":      []byte(devices.String()),
		"operators.csv":    []byte("id,name,npwpd\ndishub,Dinas Perhubungan,\n"),
		"accounts.csv":     []byte("account,name,levy,agency,rate,share,from\n" + street + ",Tepi Jalan,street,dishub,,,\n"),
		"tariffs.yaml": []byte("tariffs:\n- {id: t, name: t, versions: [{from: 2020-01-01, legal_basis: t, classes: {car: {first: {minutes: 60, amount: 4000}, next: {minutes: 60, amount: 2000}, daily_max: 20000, " +
			"rules: [{name: malam, from: \"22:00\", until: \"06:00\", flat: 0}]}}}]}\n"),
	}, zone)
	require.Empty(tb, faults)
	return v
}

// benchSensors is occupancy as the gateway asks it.
type benchSensors struct{ *occupancy.Follower }

func (s benchSensors) History(ctx context.Context, site string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error) {
	return s.Follower.History(ctx, site, class, from, to, step.Milliseconds())
}

type benchInventory struct{ v *inventory.Version }

func (i benchInventory) At(int64) *inventory.Version { return i.v }

// benchCity lets the sites live for some days.
func benchCity(tb testing.TB, name string, town []benchSite) (report.Options, expect.Sensors) {
	tb.Helper()
	v := benchVersion(tb, town)
	timeline := &inventory.Timeline{}
	timeline.Accept(1, benchBegin.UnixMilli()-dayMs, v)
	dir, made := benchStore(tb, name)
	places, err := occupancy.Open(tb.Context(), filepath.Join(dir, "occupancy.db"), occupancy.Options{Timeline: timeline, Zone: zone})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, places.Close()) })
	books, err := ledger.Open(tb.Context(), filepath.Join(dir, "ledger.db"), ledger.Options{Timeline: timeline, Zone: zone})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, books.Close()) })
	if !made {
		benchLives(tb, town, v, places, books)
	}
	sensors := benchSensors{places}
	return report.Options{Books: books, Expected: expect.New(sensors, zone), Inventory: benchInventory{v}, Treasury: &fake{v: v}, Zone: zone}, sensors
}

// benchStore returns where a city lies, and whether it was made before: with
// SIMPANG_RECONCILE_STORE a folder, it is kept there, and two states of the
// code answer for the same.
func benchStore(tb testing.TB, name string) (dir string, made bool) {
	tb.Helper()
	kept := os.Getenv("SIMPANG_RECONCILE_STORE")
	if kept == "" {
		return tb.TempDir(), false
	}
	dir = filepath.Join(kept, name)
	_, err := os.Stat(dir)
	require.NoError(tb, os.MkdirAll(dir, 0o700))
	return dir, err == nil
}

// benchLives lets the sites live, with a receipt for every fourth stay.
func benchLives(tb testing.TB, town []benchSite, v *inventory.Version, places *occupancy.Follower, books *ledger.Follower) {
	tb.Helper()
	pos, seq := uint64(1), uint64(0)
	batch := []journal.Entry{{Pos: 1, Recv: benchBegin.UnixMilli() - dayMs, Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}}}
	flush := func() {
		require.NoError(tb, places.Apply(batch))
		require.NoError(tb, books.Apply(batch))
		batch = batch[:0:0]
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const slots = benchStays / 20
	for slot := range int64(benchDays * slots) {
		from := benchBegin.UnixMilli() + slot*dayMs/slots
		for site, x := range town {
			for place := range x.places - x.dead {
				at := from + rng.Int64N(20)*minuteMs
				for _, occupied := range []bool{true, false} {
					pos, seq = pos+1, seq+1
					batch = append(batch, journal.Entry{Pos: pos, Recv: at, Type: journal.TypeReading, Reading: &city.Reading{
						Device: fmt.Sprintf("s%03d-%02d", site, place), Kind: city.KindSpot, Seq: seq, At: at, Spot: &city.Spot{Occupied: occupied},
					}})
					if occupied {
						at += (x.shortest + rng.Int64N(x.longest-x.shortest+1)) * minuteMs
						continue
					}
					if (place+int(slot))%4 != 0 {
						continue
					}
					pos, seq = pos+1, seq+1
					batch = append(batch, journal.Entry{Pos: pos, Recv: at, Type: journal.TypeReading, Reading: &city.Reading{
						Device: fmt.Sprintf("m%03d", site), Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: seq, At: at,
						Receipt: &city.Receipt{Number: strconv.FormatUint(seq, 10), Amount: 4000, Method: city.Cash, Class: city.Car},
					}})
				}
			}
		}
		pos++
		batch = append(batch, journal.Entry{Pos: pos, Recv: benchBegin.UnixMilli() + (slot+1)*dayMs/slots, Type: journal.TypeTick})
		flush()
	}
	require.NoError(tb, places.Flush())
	require.NoError(tb, books.Flush())
}

// cpu is the time that this process has used; on a busy machine the clock
// says less.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkReconcile compares a day of 200 sites: the first time, and again
// while other days are still known. The bar is 500 ms.
func BenchmarkReconcile(b *testing.B) {
	for name, town := range benchTowns() {
		o, sensors := benchCity(b, name, town)
		last := benchBegin.AddDate(0, 0, benchDays-1) // a Tuesday
		q := report.ReconcileQuery{Date: last.Format(time.DateOnly), Now: benchBegin.AddDate(0, 0, benchDays).UnixMilli(), Sample: 5}
		for _, first := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/first=%v", name, first), func(b *testing.B) {
				used := cpu()
				for b.Loop() {
					if first {
						b.StopTimer()
						o.Expected = expect.New(sensors, zone)
						b.StartTimer()
					}
					r, err := report.New(o)
					require.NoError(b, err)
					out, err := r.Reconcile(b.Context(), q)
					require.NoError(b, err)
					require.Len(b, out.Sites, benchSites)
					require.NotNil(b, out.Sites[1].Leak1, out.Sites[1].Expected.Why)
					require.NotEmpty(b, out.Sites[0].Expected.Gaps)
					if file := os.Getenv("SIMPANG_RECONCILED"); file != "" { // to compare two states of the code
						data, err := json.MarshalIndent(out, "", " ")
						require.NoError(b, err)
						require.NoError(b, os.WriteFile(fmt.Sprintf("%s.%s.%v", file, name, first), data, 0o600))
					}
				}
				b.ReportMetric(float64((cpu()-used).Milliseconds())/float64(b.N), "cpu-ms/day")
			})
		}
	}
}
