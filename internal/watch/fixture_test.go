package watch

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

var zone = time.FixedZone("WIB", 7*60*60)

// monday is the midnight with which a Monday begins.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, zone).UnixMilli()

const tariffs = `tariffs:
- id: t
  name: t
  versions:
  - from: 2020-01-01
    legal_basis: test
    classes:
      car: {first: {minutes: 60, amount: 4000}, next: {minutes: 60, amount: 2000}, lost_ticket: 25000}
      motorcycle: {flat: 2000}
`

// town is an inventory of two sites: a, open by day, and b, always open; each
// with its meters.
func town(tb testing.TB, rules string, meters ...string) *inventory.Version {
	tb.Helper()
	feature := func(id, hours string) any {
		return map[string]any{
			"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": []float64{107.0, -6.24}},
			"properties": map[string]any{
				"id": id, "name": id, "kind": "off_street", "kecamatan": "Bekasi Timur", "levy": "street", "tariff": "t",
				"detection": "spots", "capacity": map[string]int{"car": 100}, "opening_hours": hours,
			},
		}
	}
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": []any{feature("a", "Mo-Su 06:00-22:00"), feature("b", "24/7")}})
	require.NoError(tb, err)
	rows := []string{"id,kind,site,spot,interval_s", "s1,spot,a,1,"}
	for _, m := range meters {
		id, site, _ := strings.Cut(m, "@")
		rows = append(rows, id+",meter,"+site+",,")
	}
	files := map[string][]byte{
		"sites.geojson": geo, "segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv": []byte(strings.Join(rows, "\n") + "\n"), "tariffs.yaml": []byte(tariffs),
		"holidays.csv": []byte("date,until,kind,name\n2026-03-19,,national,Nyepi\n"),
		"closures.csv": []byte("site,from,to,reason\na,2026-03-11T00:00:00+07:00,2026-03-12T00:00:00+07:00,event\n"),
	}
	if rules != "" {
		files["rules.yaml"] = []byte("detectors:\n  " + strings.ReplaceAll(rules, "\n", "\n  "))
	}
	v, faults := inventory.Parse(files, zone)
	require.Empty(tb, faults)
	return v
}

// rig calls one detector by hand.
type rig struct {
	t        testing.TB
	v        *inventory.Version
	x        *moment
	numbers  *numbers
	d        detector
	seq      uint64
	standing map[Rule]finding
	said     []string // "+rule count", "-rule"
}

func newRig(tb testing.TB, d detector) *rig {
	tb.Helper()
	r := &rig{t: tb, v: town(tb, "", "m@a"), numbers: &numbers{}, d: d, standing: map[Rule]finding{}}
	p := place{version: r.v, site: r.v.Site("a"), closures: inventory.NewClosureSet()}
	r.x = &moment{ctx: tb.Context(), now: monday + 8*hourMs, rules: r.v.Rules, place: p, out: r, asks: &asks{left: 1000, failed: func(_ string, err error) { require.NoError(tb, err) }}}
	return r
}

func (r *rig) raise(rule Rule, f finding) {
	if old, ok := r.standing[rule]; !ok || f.once || old.count != f.count {
		r.said = append(r.said, fmt.Sprintf("+%s %d", rule, f.count))
	}
	r.standing[rule] = f
}

func (r *rig) calm(rule Rule) {
	r.said = append(r.said, "-"+string(rule))
	delete(r.standing, rule)
}

// give hands a receipt to numbers first, as the engine does.
func (r *rig) give(b city.Receipt, at int64) {
	r.seq++
	r.giveAs(r.seq, b, at)
}

func (r *rig) giveAs(seq uint64, b city.Receipt, at int64) {
	if b.Method == city.MethodNone {
		b.Method = city.Cash
	}
	c := receiptOf(&city.Reading{Device: "m", HasBoot: true, Boot: 1, Seq: seq, At: at, Receipt: &b})
	c.place = r.x.place
	if r.d != detector(r.numbers) {
		r.numbers.receipt(&moment{ctx: r.x.ctx, now: r.x.now, rules: r.x.rules, place: r.x.place, out: mute{}}, c)
	}
	r.d.receipt(r.x, c)
}

type mute struct{}

func (mute) raise(Rule, finding) {}
func (mute) calm(Rule)           {}

// until lets time pass with a tick every five minutes.
func (r *rig) until(at int64) {
	for r.x.now < at {
		r.x.now = min(at, r.x.now+tickMs)
		r.x.asks.left = asksTick
		r.d.tick(r.x)
	}
}

func (r *rig) pass(ms int64) { r.until(r.x.now + ms) }

func (r *rig) sum(rule Rule, name string) int64 {
	r.t.Helper()
	for _, s := range r.standing[rule].sums {
		if s.Name == name {
			return s.Value
		}
	}
	require.Fail(r.t, "no such sum", "%s of %s: %+v", name, rule, r.standing[rule])
	return 0
}

// world is a follower with its journal.
type world struct {
	t        testing.TB
	f        *Follower
	path     string
	timeline *inventory.Timeline
	o        Options
	pos      uint64
	now      int64
	entries  []journal.Entry // all that was made
	queue    []journal.Entry // made and not applied
}

func newWorld(tb testing.TB, o Options, v *inventory.Version) *world {
	tb.Helper()
	w := &world{t: tb, path: filepath.Join(tb.TempDir(), "watch.db"), timeline: new(inventory.Timeline), o: o, now: monday}
	w.o.Timeline, w.o.Zone = w.timeline, zone
	w.open()
	w.accept(v)
	tb.Cleanup(func() { require.NoError(tb, w.f.Close()) })
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.f, err = Open(w.t.Context(), w.path, w.o)
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

// until brings ticks, one each minute as intake does.
func (w *world) until(at int64) {
	for w.now < at {
		w.now = min(at, w.now+minuteMs)
		w.put(journal.Entry{Type: journal.TypeTick})
	}
}

func (w *world) sent(device string, seq uint64, at int64, b city.Receipt) {
	w.put(journal.Entry{Type: journal.TypeReading, Reading: &city.Reading{
		Device: device, Kind: city.KindReceipt, HasBoot: true, Boot: 1, Seq: seq, At: at, Receipt: &b,
	}})
}

func (w *world) all() []Incident {
	w.t.Helper()
	w.apply()
	list, next, err := w.f.Incidents(w.t.Context(), Query{})
	require.NoError(w.t, err)
	require.Empty(w.t, next)
	return list
}

// rules returns which rules raised anything.
func (w *world) rules() map[Rule]int {
	found := map[Rule]int{}
	for _, i := range w.all() {
		found[i.Rule]++
	}
	return found
}
