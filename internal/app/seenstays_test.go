package app

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
)

type heldInventory struct{ v *inventory.Version }

func (h heldInventory) Current() *inventory.Version { return h.v }

// TestSeenStays asks a real occupancy for a day of spots, gates and a counter.
func TestSeenStays(t *testing.T) {
	zone := time.FixedZone("WIB", 7*60*60)
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, zone).UnixMilli()
	const minute, hour = int64(60_000), int64(3_600_000)
	feature := func(id string, capacity map[string]int, more map[string]any) any {
		p := map[string]any{"id": id, "name": id, "kind": "off_street", "kecamatan": "x", "levy": "street", "capacity": capacity}
		maps.Copy(p, more)
		return map[string]any{"type": "Feature", "properties": p, "geometry": map[string]any{"type": "Point", "coordinates": []float64{107.0, -6.24}}}
	}
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": []any{
		feature("s", map[string]int{"car": 2, "motorcycle": 9}, map[string]any{"detection": "spots", "observed": map[string]any{"motorcycle": 0.5}}),
		feature("g", map[string]int{"car": 50}, map[string]any{"detection": "gates"}),
		feature("c", map[string]int{"car": 50}, map[string]any{"detection": "count"}),
	}})
	require.NoError(t, err)
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": geo, "segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`),
		"devices.csv": []byte("id,kind,site,spot,class,interval_s\ns1,spot,s,1,car,3600\ns2,spot,s,2,car,3600\ng1,gate,g,,car,3600\nc1,count,c,,car,3600\n"),
	}, zone)
	require.Empty(t, faults)
	timeline := new(inventory.Timeline)
	f, err := occupancy.Open(t.Context(), filepath.Join(t.TempDir(), "occupancy.db"), occupancy.Options{Timeline: timeline, Zone: zone})
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()

	var entries []journal.Entry
	put := func(at int64, e journal.Entry) {
		e.Pos, e.Recv = uint64(len(entries)+1), at
		entries = append(entries, e)
	}
	seq := uint64(0)
	say := func(device string, at int64, r city.Reading) {
		seq++
		r.Device, r.At, r.HasBoot, r.Boot, r.Seq = device, at, true, 1, seq
		put(at, journal.Entry{Type: journal.TypeReading, Reading: &r})
	}
	timeline.Accept(1, midnight-5*hour, v)
	put(midnight-5*hour, journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: v.Hash}})
	spot := func(device string, at int64, occupied bool) {
		say(device, at, city.Reading{Kind: city.KindSpot, Spot: &city.Spot{Occupied: occupied}})
	}
	for h := int64(-4); h < 28; h++ { // s1: over midnight, an hour, a minute, over the next midnight
		at := midnight + h*hour
		spot("s1", at, h < 2 || h == 9 || h >= 22 && h < 26)
		if h == 12 {
			spot("s1", at+10*minute, true)
			spot("s1", at+11*minute, false)
		}
		if h < 0 || h > 3 { // s2 is not heard for an hour more than it may be silent
			spot("s2", at, false)
		}
		say("g1", at+minute, city.Reading{Kind: city.KindGate, Gate: &city.Gate{Class: city.Car, Count: 2}})
		say("g1", at+2*minute, city.Reading{Kind: city.KindGate, Gate: &city.Gate{Class: city.Car, Count: 1, Out: true}})
		put(at+3*minute, journal.Entry{Type: journal.TypeTick})
	}
	require.NoError(t, f.Apply(entries))
	require.NoError(t, f.Flush())

	seat := &occupancySeat{}
	require.NoError(t, seat.take(t.Context(), func(context.Context) (*occupancy.Follower, error) { return f, nil }))
	s := seenStays{seat: seat, inventory: heldInventory{v}}
	seen, ok, err := s.Seen(t.Context(), "s", midnight, midnight+24*hour, 2*minute, f.Cursor())
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, []city.Class{city.Car}, seen.Classes, "not all motorcycles are seen")
	require.Equal(t, []int64{2, 2}, []int64{seen.Ended, seen.Began})
	require.Less(t, seen.Coverage, 1.0, "one of two places was unknown for a while")
	require.Greater(t, seen.Coverage, 0.9)

	_, ok, err = s.Seen(t.Context(), "s", midnight, midnight+24*hour, 2*minute, f.Cursor()+1)
	require.NoError(t, err)
	require.False(t, ok, "it has not come so far")

	seen, _, err = s.Seen(t.Context(), "g", midnight, midnight+24*hour, 2*minute, f.Cursor())
	require.NoError(t, err)
	require.Equal(t, []int64{24, 48}, []int64{seen.Ended, seen.Began})
	require.Equal(t, []city.Class{city.Car}, seen.Classes)

	for _, site := range []string{"c", "none"} {
		seen, ok, err = s.Seen(t.Context(), site, midnight, midnight+24*hour, 0, f.Cursor())
		require.NoError(t, err)
		require.True(t, ok)
		require.Empty(t, seen.Classes)
	}
}
