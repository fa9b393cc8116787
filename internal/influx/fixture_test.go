package influx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/influx"
	"github.com/simpang-id/simpang/internal/influx/influxtest"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
)

// shared is one server for all tests: it takes seconds to start.
var shared struct {
	sync.Mutex

	server *influxtest.Server
	dir    string
	n      int
}

// TestMain: when all tests have ended, no goroutine is left.
func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.Stop(syscall.SIGKILL)
		_ = os.RemoveAll(shared.dir)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			code = 1
		}
	}
	os.Exit(code)
}

// begin is a Monday noon in Jakarta.
const begin = int64(1_790_000_000_000) / 300_000 * 300_000

// start returns an empty database of a real InfluxDB.
func start(t *testing.T) *influxtest.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if shared.server == nil {
		dir, err := os.MkdirTemp("", "influx") //nolint:usetesting // it outlives the test
		require.NoError(t, err)
		s, err := influxtest.New(t.Context(), dir)
		require.NoError(t, err)
		shared.server, shared.dir = s, dir
		require.NoError(t, s.Start(ctx))
	}
	shared.n++
	s, err := shared.server.Fresh(ctx, fmt.Sprintf("test%d", shared.n))
	require.NoError(t, err)
	return s
}

// log is a journal in memory whose first entries may have been retired.
type log struct {
	mu      sync.Mutex
	all     []journal.Entry
	first   uint64 // the journal begins here
	changed chan struct{}
}

func newLog() *log { return &log{first: 1, changed: make(chan struct{})} }

func (l *log) append(entries ...journal.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		e.Pos = uint64(len(l.all) + 1)
		l.all = append(l.all, e)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *log) read(r city.Reading) {
	l.append(journal.Entry{Type: journal.TypeReading, Recv: r.At + 1500, Source: "b", Reading: &r})
}

func (l *log) tick(at int64) { l.append(journal.Entry{Type: journal.TypeTick, Recv: at}) }

// Head is the last position.
func (l *log) Head() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.all))
}

// Next waits for what follows.
func (l *log) Next(ctx context.Context, after uint64) ([]journal.Entry, error) {
	for {
		l.mu.Lock()
		all, first, changed := l.all, l.first, l.changed
		l.mu.Unlock()
		switch head := uint64(len(all)); {
		case after > head:
			return nil, &journal.BeyondHeadError{Cursor: after, Head: head}
		case after+1 < first:
			return nil, &journal.RetiredError{After: after, First: first}
		case after < head:
			return all[after:min(head, after+4096)], nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// Archived gives what was retired, as a day in the order of the archive does.
func (l *log) Archived(ctx context.Context, after uint64, each func([]journal.Entry) error) (uint64, error) {
	l.mu.Lock()
	all := l.all[:l.first-1]
	l.mu.Unlock()
	for after < uint64(len(all)) && ctx.Err() == nil {
		to := min(after+1000, uint64(len(all)))
		if err := each(all[after:to]); err != nil {
			return after, err
		}
		after = to
	}
	return after, ctx.Err()
}

// town is an inventory of some sites, two segments, some devices.
func town(t *testing.T, l *log) *inventory.Timeline {
	t.Helper()
	timeline := &inventory.Timeline{}
	accept(t, l, timeline, begin-3600_000)
	return timeline
}

// accept has a version be accepted, with more sites of spots.
func accept(t *testing.T, l *log, timeline *inventory.Timeline, at int64, more ...string) {
	t.Helper()
	site := func(id, detection string) map[string]any {
		return map[string]any{"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": []float64{107, -6.2}}, "properties": map[string]any{
			"id": id, "name": "Pasar, baru", "kind": "on_street", "kecamatan": "Bekasi Timur", "detection": detection, "capacity": map[string]int{"car": 4}, "levy": "street", "segment": "R1",
		}}
	}
	road := func(id, opposite string) map[string]any {
		return map[string]any{"type": "Feature", "geometry": map[string]any{"type": "LineString", "coordinates": [][]float64{{107, -6.2}, {107.01, -6.2}}}, "properties": map[string]any{
			"id": id, "name": "Jalan " + id, "direction": "utara", "opposite": opposite, "road_type": "4/2-T", "lanes": 2, "lane_width_m": 3.5, "side_friction": "R", "edge": "kerb", "edge_width_m": 1, "free_flow_kmh": 50, "road_class": "arteri",
		}}
	}
	collection := func(features ...map[string]any) []byte {
		data, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
		require.NoError(t, err)
		return data
	}
	sites := []map[string]any{site("S1", "spots"), site("S2", "gates"), site("S3", "count")}
	for _, id := range more {
		sites = append(sites, site(id, "spots"))
	}
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": collection(sites...), "segments.geojson": collection(road("R1", "R2"), road("R2", "R1")),
		"devices.csv": []byte("id,kind,site,spot,segment,class,interval_s\nP1,spot,S1,1,,car,60\nP2,spot,S1,2,,car,60\nT1,traffic,,,R1,,60\nM1,meter,S1,,,,\nG1,gate,S2,,,,\nC1,count,S3,,,,\n"),
	}, time.FixedZone("WIB", 7*3600))
	require.Empty(t, faults)
	l.append(journal.Entry{Type: journal.TypeInventory, Recv: at, Inventory: &journal.InventoryVersion{Hash: v.Hash}})
	timeline.Accept(l.Head(), at, v)
}

// books is a ledger of some entries.
type books []*ledger.Entry

// Entries returns those after n.
func (b books) Entries(_ context.Context, after uint64, limit int) ([]*ledger.Entry, uint64, error) {
	rest := b[min(int(after), len(b)):]
	return rest[:min(limit, len(rest))], uint64(len(b)), nil
}

// Cursor is beyond everything.
func (b books) Cursor() uint64 { return 1 << 40 }

// rolled is a history by site or segment.
type rolled struct {
	mu    sync.Mutex
	sites map[string][]occupancy.Rollup
	roads map[string][]traffic.HistoryPoint
}

// Reached is always so.
func (*rolled) Reached(uint64) bool { return true }

// Parking returns what lies in the span.
func (r *rolled) Parking(_ context.Context, site string, _ city.Class, from, to int64) (out []occupancy.Rollup, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.sites[site] {
		if x.T >= from && x.T < to {
			out = append(out, x)
		}
	}
	return out, nil
}

// Road returns what lies in the span.
func (r *rolled) Road(_ context.Context, id string, from, to int64) (out []traffic.HistoryPoint, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.roads[id] {
		if x.T >= from && x.T < to {
			out = append(out, x)
		}
	}
	return out, nil
}

// bed is a log and what follows it to a server.
type bed struct {
	t        *testing.T
	dir      string
	log      *log
	timeline *inventory.Timeline
	o        influx.Options
}

func newBed(t *testing.T, s influx.Server) *bed {
	t.Helper()
	b := &bed{t: t, dir: t.TempDir(), log: newLog()}
	b.timeline = town(t, b.log)
	b.o = influx.Options{
		ID: "pusat", Server: s, Origin: origin, Readings: true, Dir: b.dir, Log: b.log, Timeline: b.timeline,
		Metrics: influx.NewMetrics(prometheus.NewRegistry()), Now: time.Now,
	}
	return b
}

var origin = influx.Origin{Gateway: "gw-1", City: "bekasi"}

func serverOf(s *influxtest.Server) influx.Server {
	return influx.Server{URL: s.URL, Bucket: s.Bucket, Timeout: 3 * time.Second, Gzip: true}
}

// run opens a target and runs it; the returned function ends it, as a crash
// would as far as what is in flight goes.
func (b *bed) run() (*influx.Target, func()) {
	b.t.Helper()
	store, err := influx.OpenStore(b.t.Context(), filepath.Join(b.dir, "influx.db"))
	require.NoError(b.t, err)
	o := b.o
	o.Store = store
	target, err := influx.New(b.t.Context(), o)
	require.NoError(b.t, err)
	ctx, cancel := context.WithCancel(b.t.Context())
	var running sync.WaitGroup
	for _, s := range target.Streams() {
		running.Go(func() { s.Run(ctx) })
	}
	var once sync.Once
	end := func() {
		once.Do(func() {
			cancel()
			running.Wait()
			require.NoError(b.t, target.Close())
			require.NoError(b.t, store.Close())
		})
	}
	b.t.Cleanup(end)
	return target, end
}

// level waits until a stream has sent what there is.
func (b *bed) level(t *influx.Target, stream string) {
	b.t.Helper()
	b.until(func() bool {
		for _, s := range t.Status() {
			if s.Stream == stream && s.Lag > 0 {
				return false
			}
		}
		return true
	}, func() any { return t.Status() })
}

func (b *bed) until(ok func() bool, say func() any) {
	b.t.Helper()
	deadline := time.Now().Add(2 * time.Minute) // of a machine that does much else
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("it did not happen: %+v", say())
		}
		time.Sleep(20 * time.Millisecond) // what another process does has no event here
	}
}

// any makes a reading of a device of the town.
func anyReading(r *rand.Rand, boot, seq uint64, at int64) city.Reading {
	some := func(n int64) city.Int {
		if r.IntN(3) == 0 {
			return city.Int{}
		}
		return city.SomeInt(r.Int64N(n))
	}
	milli := func(n int64) city.Milli { return city.Milli(some(n)) }
	x := city.Reading{HasBoot: true, Boot: boot, Seq: seq, At: at}
	classes := city.Classes
	class := classes[r.IntN(len(classes))]
	switch r.IntN(7) {
	case 0, 1:
		x.Device, x.Kind = "P1", city.KindSpot
		x.Spot = &city.Spot{Occupied: r.IntN(2) == 0, DwellS: some(9000), Battery: milli(4000), Temperature: milli(60_000), RSSI: milli(1000), SNR: milli(9000)}
		x.Spot.Temperature.V -= 20_000
		if !x.Spot.Temperature.OK {
			x.Spot.Temperature.V = 0
		}
	case 2:
		x.Device, x.Kind = "G1", city.KindGate
		x.Gate = &city.Gate{Out: r.IntN(2) == 0, Class: class, Count: uint32(r.IntN(4)), Total: some(1 << 40)}
	case 3:
		x.Device, x.Kind = "C1", city.KindCount
		x.Count = &city.Count{Class: class, Occupied: uint32(r.IntN(90))}
	case 4, 5:
		x.Device, x.Kind = "T1", city.KindTraffic
		x.Traffic = &city.Traffic{PeriodS: uint32(1 + r.IntN(3600))}
		for _, n := range r.Perm(4)[:1+r.IntN(4)] {
			l := city.Lane{Lane: uint16(n/2 + 1), Backward: n%2 == 1, Speed: milli(90_000), Occupancy: milli(100_000)}
			if r.IntN(4) > 0 {
				l.HasCounts, l.SM, l.KR, l.KB, l.KTB, l.Unknown = true, r.Uint32N(90), r.Uint32N(90), r.Uint32N(9), r.Uint32N(9), r.Uint32()
				l.Total = some(1 << 50)
			}
			x.Traffic.Lanes = append(x.Traffic.Lanes, l)
		}
	default:
		x.Device, x.Kind = "P2", city.KindHealth
		x.Health = &city.Health{Battery: milli(4000), BatteryPct: milli(100_000), RSSI: milli(9), SNR: milli(9), UptimeS: some(1 << 40), Firmware: []string{"", "1.0", `a\b"c" é, d=e`}[r.IntN(3)]}
		if r.IntN(2) == 0 {
			x.Health.Errors = []string{"low, battery", "x=\"y\"\nz\\"}[:1+r.IntN(2)]
		}
	}
	return x
}

// points returns how often a query finds each (device, seq), in order.
func points(t *testing.T, s *influxtest.Server, measurement string) (seqs []string) {
	t.Helper()
	text, err := s.Influx(t.Context(), `SELECT device, seq FROM `+measurement)
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if i == 0 || line == "" {
			continue
		}
		cols := strings.Split(line, ",")
		seqs = append(seqs, cols[len(cols)-2]+":"+cols[len(cols)-1])
	}
	sort.Strings(seqs)
	return seqs
}
