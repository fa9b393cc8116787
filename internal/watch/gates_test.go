package watch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// TestAGateOutWaitsForWhoCameIn: at a place that fills in the morning and empties in
// the afternoon no gate out is dead in the morning and no gate in in the afternoon;
// nor is one whose place has just opened; one that is dead in its own hours is told.
func TestAGateOutWaitsForWhoCameIn(t *testing.T) {
	t.Parallel()
	for name, hours := range map[string]string{"always open": "24/7", "the last leave after it has closed": "Mo-Su 07:00-16:00"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gatesOfADay(t, hours)
		})
	}
}

func gatesOfADay(t *testing.T, hours string) {
	t.Helper()
	rows := []string{"id,kind,site,interval_s"}
	for _, way := range []string{"in", "out"} {
		for n := range 2 {
			rows = append(rows, fmt.Sprintf("%s%d,gate,g,600", way, n))
		}
	}
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[107.0,-6.24]},
"properties":{"id":"g","name":"g","kind":"off_street","kecamatan":"Bekasi Timur","levy":"street","detection":"gates","reset_at":"03:00","capacity":{"car":900},"opening_hours":"` + hours + `"}}]}`),
		"segments.geojson": []byte(`{"type":"FeatureCollection","features":[]}`), "devices.csv": []byte(strings.Join(rows, "\n")),
	}, zone)
	require.Empty(t, faults)
	w := newWorld(t, Options{}, v)
	seq := map[string]uint64{}
	pass := func(id string, out bool) {
		seq[id]++
		w.put(journal.Entry{Type: journal.TypeReading, Reading: &city.Reading{
			Device: id, Kind: city.KindGate, HasBoot: true, Boot: 1, Seq: seq[id], At: w.now, Gate: &city.Gate{Out: out, Class: city.Car, Count: 1},
		}})
	}
	opens := int64(0) // after 7:00 the first comes
	day := func(dead string) {
		for until := w.now + dayMs; w.now < until; w.until(w.now + 2*minuteMs) {
			for n := range 2 {
				in, out := fmt.Sprint("in", n), fmt.Sprint("out", n)
				for _, id := range []string{in, out} { // it speaks, whatever it counts
					seq[id]++
					w.put(journal.Entry{Type: journal.TypeReading, Reading: &city.Reading{
						Device: id, Kind: city.KindHealth, HasBoot: true, Boot: 1, Seq: seq[id], At: w.now, Health: &city.Health{},
					}})
				}
				switch hour := (w.now - monday) % dayMs / hourMs; {
				case (w.now-monday)%dayMs >= 7*hourMs+opens && hour < 13 && in != dead:
					pass(in, false)
				case hour >= 13 && hour < 20 && out != dead:
					pass(out, true)
				}
			}
		}
	}
	told := func() (list []string) {
		for _, i := range w.all() {
			if i.Rule == RuleCounterDead {
				list = append(list, i.Subject)
			}
		}
		return list
	}
	for range 4 {
		day("")
	}
	require.Empty(t, told())
	if hours != "24/7" {
		opens = 50 * minuteMs
		day("")
		require.Empty(t, told(), "it has just opened")
		opens = 0
	}
	day("out1")
	require.Equal(t, []string{"out1"}, told())
}
