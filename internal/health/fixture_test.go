package health_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
)

// version makes an inventory of spot sensors, each "id,interval_s".
func version(tb testing.TB, devices ...string) *inventory.Version {
	tb.Helper()
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": []any{map[string]any{
		"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": []float64{107.0, -6.24}},
		"properties": map[string]any{
			"id": "a", "name": "A", "kind": "off_street", "kecamatan": "Bekasi Timur", "levy": "street",
			"detection": "spots", "capacity": map[string]int{"car": 10_000},
		},
	}}})
	require.NoError(tb, err)
	rows := []string{"id,kind,site,spot,interval_s"}
	for _, d := range devices {
		id, interval, _ := strings.Cut(d, ",")
		rows = append(rows, id+",spot,a,"+id+","+interval)
	}
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": geo, "segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv": []byte(strings.Join(rows, "\n") + "\n"),
	}, zone)
	require.Empty(tb, faults)
	return v
}

type world struct {
	t        testing.TB
	f        *health.Follower
	path     string
	timeline *inventory.Timeline
	pos      uint64
	now      int64
	hold     atomic.Bool
	entries  []journal.Entry // all that was made
	queue    []journal.Entry // made and not applied
}

func newWorld(tb testing.TB, devices ...string) *world {
	tb.Helper()
	w := &world{t: tb, path: filepath.Join(tb.TempDir(), "health.db"), timeline: new(inventory.Timeline), now: begin}
	w.open()
	w.accept(version(tb, devices...))
	tb.Cleanup(func() { require.NoError(tb, w.f.Close()) })
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.f, err = health.Open(w.t.Context(), w.path, health.Options{Timeline: w.timeline, Zone: zone, Hold: w.hold.Load})
	require.NoError(w.t, err)
}

// reopen lets the follower crash: it begins again behind its last flush.
func (w *world) reopen() {
	w.t.Helper()
	w.apply()
	require.NoError(w.t, w.f.Close())
	w.open()
	require.NoError(w.t, w.f.Apply(w.entries))
}

func (w *world) put(e journal.Entry) {
	w.pos++
	e.Pos, e.Recv = w.pos, w.now
	w.entries = append(w.entries, e)
	w.queue = append(w.queue, e)
}

func (w *world) accept(v *inventory.Version) {
	w.timeline.Accept(w.pos+1, w.now, v)
	w.put(journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}})
	w.apply()
}

func (w *world) apply() {
	w.t.Helper()
	require.NoError(w.t, w.f.Apply(w.queue))
	w.queue = nil
}

func (w *world) flush() {
	w.t.Helper()
	w.apply()
	require.NoError(w.t, w.f.Flush())
	require.Equal(w.t, w.pos, w.f.Cursor())
}

func (w *world) tick(at int64) {
	w.now = max(w.now, at)
	w.put(journal.Entry{Type: journal.TypeTick})
}

// sent is a reading with a boot.
func (w *world) sent(boot, seq uint64, at int64) {
	w.reading(city.Reading{HasBoot: true, Boot: boot, Seq: seq, At: at}, 0)
}

func (w *world) reading(r city.Reading, flags journal.Flags) {
	r.Device = "d"
	if r.Health == nil && r.Spot == nil {
		r.Kind, r.Spot = city.KindSpot, &city.Spot{}
	}
	w.put(journal.Entry{Type: journal.TypeReading, Flags: flags, Reading: &r})
}

func (w *world) tally(duplicates uint32, aside ...journal.Quarantined) {
	w.put(journal.Entry{Type: journal.TypeTally, Tally: &journal.Tally{Device: "d", Duplicates: duplicates, Quarantined: aside}})
}

func (w *world) completeness(date string) health.Completeness {
	w.t.Helper()
	w.apply()
	c, err := w.f.Completeness(w.t.Context(), "d", date)
	require.NoError(w.t, err)
	return c
}

func aside(boot, seq uint64, at int64, reason city.Reason) journal.Quarantined {
	return journal.Quarantined{HasSeq: true, HasBoot: true, Boot: boot, Seq: seq, At: at, Reason: reason}
}
