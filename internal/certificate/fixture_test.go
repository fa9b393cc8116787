package certificate_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/certificate"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

var zone = time.FixedZone("WIB", 7*60*60)

// begin is noon in the city.
var begin = time.Date(2026, 3, 2, 12, 0, 0, 0, zone).UnixMilli()

const (
	minute = int64(60_000)
	hour   = 60 * minute
	day    = 24 * hour
	window = 2 * day
)

// version makes an inventory of spot sensors, each "id,site,eui,interval_s".
func version(tb testing.TB, devices ...string) *inventory.Version {
	tb.Helper()
	site := func(id string) any {
		return map[string]any{
			"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": []float64{107.0, -6.24}},
			"properties": map[string]any{
				"id": id, "name": id, "kind": "off_street", "kecamatan": "Bekasi Timur", "levy": "street",
				"detection": "spots", "capacity": map[string]int{"car": 10_000},
			},
		}
	}
	sites, seen := []any{site("a"), site("b")}, map[string]bool{"a": true, "b": true}
	rows := []string{"id,site,eui,interval_s,kind,spot"}
	for _, d := range devices {
		id, rest, _ := strings.Cut(d, ",")
		if at, _, _ := strings.Cut(rest, ","); !seen[at] {
			seen[at] = true
			sites = append(sites, site(at))
		}
		rows = append(rows, d+",spot,"+id)
	}
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": sites})
	require.NoError(tb, err)
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": geo, "segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv": []byte(strings.Join(rows, "\n") + "\n"),
	}, zone)
	require.Empty(tb, faults)
	return v
}

// world is a journal with health and certificates behind it.
type world struct {
	t        testing.TB
	f        *certificate.Follower
	health   *health.Follower
	dir      string
	timeline *inventory.Timeline
	pos      uint64
	now      int64
	entries  []journal.Entry // all that was made
	keep     time.Duration
}

func newWorld(tb testing.TB, devices ...string) *world {
	tb.Helper()
	w := &world{t: tb, dir: tb.TempDir(), timeline: new(inventory.Timeline), now: begin}
	w.accept(version(tb, devices...))
	var err error
	w.health, err = health.Open(tb.Context(), filepath.Join(w.dir, "health.db"), health.Options{Timeline: w.timeline, Zone: zone})
	require.NoError(tb, err)
	w.f = w.open(w.dir)
	tb.Cleanup(func() { require.NoError(tb, w.f.Close()); require.NoError(tb, w.health.Close()) })
	return w
}

func (w *world) open(dir string) *certificate.Follower {
	w.t.Helper()
	f, err := certificate.Open(w.t.Context(), filepath.Join(dir, "certificates.db"), certificate.Options{
		Timeline: w.timeline, Zone: zone, City: "bekasi", Source: w.health, Window: time.Duration(window) * time.Millisecond, Keep: w.keep,
	})
	require.NoError(w.t, err)
	return f
}

func (w *world) put(e journal.Entry) {
	w.pos++
	e.Pos, e.Recv = w.pos, w.now
	w.entries = append(w.entries, e)
}

func (w *world) accept(v *inventory.Version) {
	w.timeline.Accept(w.pos+1, w.now, v)
	w.put(journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}})
}

func (w *world) tick(at int64) {
	w.now = max(w.now, at)
	w.put(journal.Entry{Type: journal.TypeTick})
}

func (w *world) sent(device string, boot, seq uint64, at int64) {
	w.put(journal.Entry{Type: journal.TypeReading, Reading: &city.Reading{
		Device: device, HasBoot: true, Boot: boot, Seq: seq, At: at, Kind: city.KindSpot, Spot: &city.Spot{},
	}})
}

func (w *world) tally(device string, duplicates uint32, aside ...journal.Quarantined) {
	w.put(journal.Entry{Type: journal.TypeTally, Tally: &journal.Tally{Device: device, Duplicates: duplicates, Quarantined: aside}})
}

// apply brings both followers to the journal's head.
func (w *world) apply() {
	w.t.Helper()
	require.NoError(w.t, w.health.Apply(w.entries))
	require.NoError(w.t, w.f.Apply(w.entries))
}

func (w *world) flush() {
	w.t.Helper()
	w.apply()
	require.NoError(w.t, w.health.Flush())
	require.NoError(w.t, w.f.Flush())
}

// crash lets certificates begin again behind its last flush.
func (w *world) crash() {
	w.t.Helper()
	require.NoError(w.t, w.f.Close())
	w.f = w.open(w.dir)
}

// work does all that is due.
func (w *world) work() {
	w.t.Helper()
	w.flush()
	for more := true; more; {
		var err error
		more, err = w.f.Work(w.t.Context())
		require.NoError(w.t, err)
	}
}

func dateOf(at int64) string { return time.UnixMilli(at).In(zone).Format(time.DateOnly) }

// device returns a device's certificate.
func (w *world) device(id, date string, revision int64) (*certificate.DeviceDay, *certificate.Kept) {
	w.t.Helper()
	kept, err := w.f.Device(w.t.Context(), id, date, revision)
	require.NoError(w.t, err)
	return decode[certificate.DeviceDay](w.t, kept.Bytes), kept
}

func (w *world) place(key, date string, revision int64) (*certificate.PlaceDay, *certificate.Kept) {
	w.t.Helper()
	kept, err := w.f.Place(w.t.Context(), key, date, revision)
	require.NoError(w.t, err)
	return decode[certificate.PlaceDay](w.t, kept.Bytes), kept
}

func (w *world) city(date string, revision int64) (*certificate.CityDay, *certificate.Kept) {
	w.t.Helper()
	kept, _, err := w.f.City(w.t.Context(), date, revision)
	require.NoError(w.t, err)
	return decode[certificate.CityDay](w.t, kept.Bytes), kept
}

func decode[T any](tb testing.TB, doc []byte) *T {
	tb.Helper()
	x := new(T)
	require.NoError(tb, json.Unmarshal(doc, x), string(doc))
	return x
}
