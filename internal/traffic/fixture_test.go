package traffic_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/traffic"
)

// minute and hour in ms; noon is the tests' begin, on a multiple of an hour.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC).UnixMilli()

// seg is the properties of one segment.
type seg map[string]any

// Worked roads of facts/traffic.md.
func divided(id string) seg {
	return seg{
		"id": id, "name": "Jl. " + id, "road_type": "4/2-T", "lanes": 2, "lane_width_m": 3.5,
		"side_friction": "S", "edge": "kerb", "edge_width_m": 1.0, "free_flow_kmh": 60,
	}
}

func shared(id, opposite string) seg {
	return seg{
		"id": id, "name": "Jl. " + id, "road_type": "2/2-TT", "lanes": 1, "width_m": 7, "split": "60-40", "opposite": opposite,
		"side_friction": "T", "edge": "shoulder", "edge_width_m": 1.0,
	}
}

// files renders an inventory of segments, traffic devices (a CSV line each:
// id,segment,interval_s) and closures.
func files(tb testing.TB, devices string, closures string, segments ...seg) map[string][]byte {
	tb.Helper()
	var features []any
	for i, s := range segments {
		x := 107.0 + float64(i)/1000
		features = append(features, map[string]any{
			"type": "Feature", "properties": s,
			"geometry": map[string]any{"type": "LineString", "coordinates": [][]float64{{x, -6.23}, {x, -6.24}}},
		})
	}
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	require.NoError(tb, err)
	out := map[string][]byte{"segments.geojson": geo, "devices.csv": []byte("id,kind,segment,interval_s\n" + devices)}
	if closures != "" {
		out["closures.csv"] = []byte(closures)
	}
	return out
}

func parse(tb testing.TB, files map[string][]byte) *inventory.Version {
	tb.Helper()
	v, faults := inventory.Parse(files, time.UTC)
	require.Empty(tb, faults)
	return v
}

// rig is a follower with a journal of its own.
type rig struct {
	t        testing.TB
	path     string
	timeline *inventory.Timeline
	f        *traffic.Follower
	pos      uint64
	seq      uint64
	now      int64
	entries  []journal.Entry
}

func newRig(tb testing.TB, v *inventory.Version) *rig {
	tb.Helper()
	r := &rig{t: tb, path: filepath.Join(tb.TempDir(), "traffic.db"), timeline: &inventory.Timeline{}, now: noon}
	r.open()
	r.accept(v)
	return r
}

func (r *rig) open() {
	r.t.Helper()
	f, err := traffic.Open(r.t.Context(), r.path, traffic.Options{Timeline: r.timeline, Zone: time.UTC, Log: slog.New(slog.DiscardHandler)})
	require.NoError(r.t, err)
	r.f = f
	r.t.Cleanup(func() { _ = f.Close() })
}

// reopen forgets what was not flushed and applies the journal's tail again.
func (r *rig) reopen() {
	r.t.Helper()
	require.NoError(r.t, r.f.Close())
	r.open()
	require.NoError(r.t, r.f.Apply(r.entries[r.f.Cursor():]))
}

func (r *rig) append(e journal.Entry) {
	r.t.Helper()
	r.pos++
	e.Pos, e.Recv = r.pos, r.now
	r.entries = append(r.entries, e)
	require.NoError(r.t, r.f.Apply(r.entries[len(r.entries)-1:]))
}

func (r *rig) accept(v *inventory.Version) {
	r.t.Helper()
	r.timeline.Accept(r.pos+1, r.now, v)
	r.append(journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}})
}

func (r *rig) tick(now int64) {
	r.t.Helper()
	r.now = max(r.now, now)
	r.append(journal.Entry{Type: journal.TypeTick})
}

// reading of some lanes; the clock follows the readings.
func (r *rig) reading(device string, at int64, periodS uint32, lanes ...city.Lane) {
	r.t.Helper()
	r.now = max(r.now, at)
	r.seq++
	r.append(journal.Entry{Type: journal.TypeReading, Source: "s", Reading: &city.Reading{
		Device: device, Kind: city.KindTraffic, Seq: r.seq, At: at, Traffic: &city.Traffic{PeriodS: periodS, Lanes: lanes},
	}})
}

func (r *rig) segment(id string) traffic.SegmentState {
	r.t.Helper()
	s, ok := r.f.Segment(id)
	require.True(r.t, ok, id)
	return s
}

func (r *rig) counts(id string, from, to int64) traffic.Counts {
	r.t.Helper()
	c, err := r.f.Counts(r.t.Context(), id, from, to)
	require.NoError(r.t, err)
	return c
}

func (r *rig) history(id string, from, to, step int64) []traffic.HistoryPoint {
	r.t.Helper()
	p, err := r.f.History(r.t.Context(), id, from, to, step)
	require.NoError(r.t, err)
	return p
}

// ln is a lane with counts of motorcycles, light and heavy vehicles.
func ln(number uint16, sm, kr, kb uint32) city.Lane {
	return city.Lane{Lane: number, HasCounts: true, SM: sm, KR: kr, KB: kb}
}

func speed(l city.Lane, kmh float64) city.Lane {
	l.Speed = city.MilliOf(kmh)
	return l
}

func back(l city.Lane) city.Lane {
	l.Backward = true
	return l
}

func device(id, segment string, intervalS int) string {
	return fmt.Sprintf("%s,traffic,%s,%d\n", id, segment, intervalS)
}

// many is n segments s00, s01 .. with a counter each: ds00, ds01 ..
func many(n int) (devices string, segments []seg) {
	var csv strings.Builder
	for i := range n {
		id := fmt.Sprintf("s%02d", i)
		segments = append(segments, divided(id))
		csv.WriteString(device("d"+id, id, 60))
	}
	return csv.String(), segments
}

func val(m city.Milli) float64 { f, _ := m.Float(); return f }
