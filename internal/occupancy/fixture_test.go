package occupancy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
)

var zone = time.FixedZone("WIB", 7*60*60)

// begin is the time at which the tests' journals begin: midnight in the city.
var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, zone).UnixMilli()

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
)

// siteFile is a site as the tests write it: properties over the usual ones.
type siteFile map[string]any

// folder makes the files of an inventory.
func folder(sites map[string]siteFile, devices ...string) map[string][]byte {
	features := []any{}
	for id, s := range sites {
		props := map[string]any{
			"id": id, "name": "Lot " + id, "kind": "off_street", "kecamatan": "Bekasi Timur", "levy": "street",
		}
		maps.Copy(props, s)
		features = append(features, map[string]any{
			"type": "Feature", "properties": props,
			"geometry": map[string]any{"type": "Point", "coordinates": []float64{107.0, -6.24}},
		})
	}
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	if err != nil {
		panic(err)
	}
	segments := `{"type":"FeatureCollection","features":[]}`
	return map[string][]byte{
		"sites.geojson": geo, "segments.geojson": []byte(segments),
		"devices.csv": []byte("id,kind,site,spot,class,interval_s,accessible\n" + strings.Join(devices, "\n") + "\n"),
	}
}

func parse(tb testing.TB, files map[string][]byte) *inventory.Version {
	tb.Helper()
	v, faults := inventory.Parse(files, zone)
	require.Empty(tb, faults)
	return v
}

// world is a journal in the making with the follower that reads it.
type world struct {
	t        testing.TB
	f        *occupancy.Follower
	path     string
	timeline *inventory.Timeline
	pos      uint64
	now      int64
	options  occupancy.Options
	entries  []journal.Entry // all that was made
	queue    []journal.Entry // made and not applied
	seq      uint64
}

func newWorld(tb testing.TB, files map[string][]byte, options ...func(*occupancy.Options)) *world {
	tb.Helper()
	w := &world{t: tb, path: filepath.Join(tb.TempDir(), "occupancy.db"), timeline: new(inventory.Timeline), now: begin}
	w.options = occupancy.Options{Timeline: w.timeline, Zone: zone}
	for _, set := range options {
		set(&w.options)
	}
	w.open()
	w.version(files)
	tb.Cleanup(func() { require.NoError(tb, w.f.Close()) })
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.f, err = occupancy.Open(w.t.Context(), w.path, w.options)
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
	e.Pos = w.pos
	if e.Recv == 0 {
		e.Recv = w.now
	}
	w.entries = append(w.entries, e)
	w.queue = append(w.queue, e)
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

func (w *world) version(files map[string][]byte) {
	w.t.Helper()
	v := parse(w.t, files)
	w.timeline.Accept(w.pos+1, w.now, v)
	w.put(journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}})
	w.apply()
}

// tick moves the clock on.
func (w *world) tick(at int64) {
	w.now = max(w.now, at)
	w.put(journal.Entry{Type: journal.TypeTick})
}

func (w *world) reading(r city.Reading) {
	w.seq++
	r.Seq = w.seq
	w.put(journal.Entry{Type: journal.TypeReading, Reading: &r})
}

func (w *world) spot(device string, at int64, occupied bool, dwell ...int64) {
	s := &city.Spot{Occupied: occupied}
	if len(dwell) > 0 {
		s.DwellS = city.SomeInt(dwell[0])
	}
	w.reading(city.Reading{Device: device, Kind: city.KindSpot, At: at, Spot: s})
}

func (w *world) gate(device string, at int64, class city.Class, n int) {
	g := &city.Gate{Class: class, Count: uint32(max(n, -n)), Out: n < 0}
	w.reading(city.Reading{Device: device, Kind: city.KindGate, At: at, Gate: g})
}

func (w *world) counted(device string, at int64, cars uint32) {
	w.reading(city.Reading{Device: device, Kind: city.KindCount, At: at, Count: &city.Count{Class: city.Car, Occupied: cars}})
}

func (w *world) site(id string) occupancy.SiteState {
	w.t.Helper()
	w.apply()
	state, _, ok := w.f.Site(id)
	require.True(w.t, ok)
	return state
}

func (w *world) history(site string, class city.Class, from, to, step int64) []occupancy.HistoryPoint {
	w.t.Helper()
	w.apply()
	points, err := w.f.History(w.t.Context(), site, class, from, to, step)
	require.NoError(w.t, err)
	return points
}

// row is a class as free/occupied/unknown of capacity, state and quality.
func row(c occupancy.ClassState) string {
	num := func(i city.Int) string {
		if !i.OK {
			return "-"
		}
		return strconv.FormatInt(i.V, 10)
	}
	return fmt.Sprintf("%s+%s+%d=%d %s %s", num(c.Free), num(c.Occupied), c.Unknown, c.Capacity, c.State, c.Quality)
}
