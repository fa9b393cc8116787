package watch

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// mall is a site with two gates in and two out, that each send their health
// every five minutes.
func mall(tb testing.TB) *inventory.Version {
	tb.Helper()
	geo, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": []any{map[string]any{
		"type": "Feature", "geometry": map[string]any{"type": "Point", "coordinates": []float64{107.0, -6.24}},
		"properties": map[string]any{
			"id": "m", "name": "m", "kind": "off_street", "kecamatan": "Bekasi Timur", "levy": "special", "tariff": "t",
			"detection": "gates", "capacity": map[string]int{"car": 500},
		},
	}}})
	require.NoError(tb, err)
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": geo, "tariffs.yaml": []byte(tariffs),
		"devices.csv": []byte("id,kind,site,interval_s\nin1,gate,m,300\nin2,gate,m,300\nout1,gate,m,300\nout2,gate,m,300\n"),
	}, zone)
	require.Empty(tb, faults)
	return v
}

// trade lets days pass at a mall: who comes from eight to fourteen leaves from
// fifteen to twenty-one. A blind gate lives and sees nobody.
func (w *world) trade(seq map[string]uint64, until int64, blind string) {
	for w.now < until {
		w.until(w.now + 5*minuteMs)
		hour := (w.now - monday) % dayMs / hourMs
		for _, id := range []string{"in1", "in2", "out1", "out2"} {
			r := city.Reading{Device: id, HasBoot: true, Boot: 1, At: w.now}
			out := id[0] == 'o'
			if moves := !out && hour >= 8 && hour < 14 || out && hour >= 15 && hour < 21; moves && id != blind {
				seq[id]++
				r.Seq, r.Kind, r.Gate = seq[id], city.KindGate, &city.Gate{Out: out, Class: city.Car, Count: 1}
				w.put(journal.Entry{Type: journal.TypeReading, Reading: &r})
				continue
			}
			seq[id]++
			r.Seq, r.Kind, r.Health = seq[id], city.KindHealth, &city.Health{}
			w.put(journal.Entry{Type: journal.TypeReading, Reading: &r})
		}
	}
}

// TestNobodyLeavesInTheMorning: a gate out is not dead in the hours in which
// only those in see anybody, also over a restart; in its own hours it is.
func TestNobodyLeavesInTheMorning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, mall(t))
	seq := map[string]uint64{}
	w.trade(seq, monday+10*dayMs+12*hourMs, "")
	w.flush()
	w.reopen()
	w.trade(seq, monday+14*dayMs+14*hourMs, "")
	require.Empty(t, summary(w.all()))
	w.trade(seq, monday+14*dayMs+21*hourMs, "out2")
	require.Equal(t, []string{fmt.Sprintf("counter_dead out2 +%dh open", 14*24+16)}, summary(w.all()))
}
