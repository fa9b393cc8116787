package report_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	benchSites  = 200
	benchPlaces = 20
	benchStays  = 250 // a site and day
	benchDays   = 9
	minuteMs    = int64(60_000)
	dayMs       = 24 * 60 * minuteMs
)

// benchBegin is a Monday.
var benchBegin = time.Date(2026, 3, 2, 0, 0, 0, 0, zone)

func benchVersion(tb testing.TB) *inventory.Version {
	tb.Helper()
	var sites []string
	var devices strings.Builder
	devices.WriteString("id,kind,site,class,interval_s\n")
	for i := range benchSites {
		sites = append(sites, fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},"properties":{"id":"s%03d","name":"S","kind":"off_street",
"kecamatan":"K%d","operator":"dishub","levy":"street","tariff":"t","detection":"spots","capacity":{"car":%d}}}`, i, i%12, benchPlaces))
		for p := range benchPlaces {
			fmt.Fprintf(&devices, "s%03d-%02d,spot,s%03d,car,86400\n", i, p, i)
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

// benchCity lets 200 sites live for some days. One place in ten has no working
// sensor, so that every site's day is estimated in part.
func benchCity(tb testing.TB) (report.Options, expect.Sensors) {
	tb.Helper()
	v := benchVersion(tb)
	timeline := &inventory.Timeline{}
	timeline.Accept(1, benchBegin.UnixMilli()-dayMs, v)
	places, err := occupancy.Open(tb.Context(), filepath.Join(tb.TempDir(), "occupancy.db"), occupancy.Options{Timeline: timeline, Zone: zone})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, places.Close()) })
	books, err := ledger.Open(tb.Context(), filepath.Join(tb.TempDir(), "ledger.db"), ledger.Options{Timeline: timeline, Zone: zone})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, books.Close()) })
	pos, seq := uint64(1), uint64(0)
	batch := []journal.Entry{{Pos: 1, Recv: benchBegin.UnixMilli() - dayMs, Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}}}
	flush := func() {
		require.NoError(tb, places.Apply(batch))
		require.NoError(tb, books.Apply(batch))
		batch = batch[:0:0]
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const slots = benchStays / benchPlaces
	for slot := range int64(benchDays * slots) {
		for _, leave := range []bool{false, true} {
			for site := range benchSites {
				for place := range benchPlaces - benchPlaces/10 {
					at := benchBegin.UnixMilli() + slot*dayMs/slots + rng.Int64N(20)*minuteMs
					if leave {
						at += 30 * minuteMs
					}
					pos, seq = pos+1, seq+1
					batch = append(batch, journal.Entry{Pos: pos, Recv: at, Type: journal.TypeReading, Reading: &city.Reading{
						Device: fmt.Sprintf("s%03d-%02d", site, place), Kind: city.KindSpot, Seq: seq, At: at, Spot: &city.Spot{Occupied: !leave},
					}})
					if leave {
						pos, seq = pos+1, seq+1
						batch = append(batch, journal.Entry{Pos: pos, Recv: at, Type: journal.TypeReading, Reading: &city.Reading{
							Device: fmt.Sprintf("m%03d", site), Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: seq, At: at,
							Receipt: &city.Receipt{Number: strconv.FormatUint(seq, 10), Amount: 4000, Method: city.Cash, Class: city.Car},
						}})
					}
				}
			}
		}
		pos++
		batch = append(batch, journal.Entry{Pos: pos, Recv: benchBegin.UnixMilli() + (slot+1)*dayMs/slots, Type: journal.TypeTick})
		flush()
	}
	require.NoError(tb, places.Flush())
	require.NoError(tb, books.Flush())
	sensors := benchSensors{places}
	return report.Options{Books: books, Expected: expect.New(sensors, zone), Inventory: benchInventory{v}, Treasury: &fake{v: v}, Zone: zone}, sensors
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
	o, sensors := benchCity(b)
	last := benchBegin.AddDate(0, 0, benchDays-1) // a Tuesday
	q := report.ReconcileQuery{Date: last.Format(time.DateOnly), Now: benchBegin.AddDate(0, 0, benchDays).UnixMilli(), Sample: 5}
	for _, first := range []bool{true, false} {
		b.Run(fmt.Sprintf("first=%v", first), func(b *testing.B) {
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
				require.NotNil(b, out.Sites[0].Leak1, out.Sites[0].Expected.Why)
				require.NotEmpty(b, out.Sites[0].Expected.Gaps)
			}
			b.ReportMetric(float64((cpu()-used).Milliseconds())/float64(b.N), "cpu-ms/day")
		})
	}
}
