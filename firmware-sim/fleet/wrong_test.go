package fleet_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/truth"
	"github.com/simpang-id/simpang/internal/city"
)

// noon to six of the first day.
const (
	plantedFrom  = 6 * 3_600_000
	plantedUntil = 12 * 3_600_000
	plantedTimes = "from: 2026-03-02T12:00:00+07:00, until: 2026-03-02T18:00:00+07:00"
)

// within are the messages of a device of that time, and those before and after.
func (r *ran) within(device string) (in, out []message.Message) {
	for _, m := range r.messages {
		if m.Device != device {
			continue
		}
		if at := m.SendAt - r.start; at >= plantedFrom && at < plantedUntil {
			in = append(in, m)
		} else {
			out = append(out, m)
		}
	}
	return in, out
}

// plantedOne plants one thing and runs a day; the truth tells it once.
func plantedOne(t *testing.T, what string) *ran {
	t.Helper()
	r := run(t, "devices: {health: 0s}\nplanted: [{"+what+", "+plantedTimes+"}]", 24, 7, message.Native)
	told := 0
	for _, l := range r.lines {
		if l.What == truth.Fault {
			told++
			at := l.At - r.start
			require.True(t, at >= plantedFrom && at < plantedUntil, "%+v", l)
		}
	}
	if told == 0 {
		require.Fail(t, "the truth does not tell it", what)
	}
	return r
}

func TestWhatIsPlantedOnASpot(t *testing.T) {
	t.Parallel()
	const spot = "spot-c01"
	of := func(kind string, more string) (in, out []message.Message) {
		return plantedOne(t, "kind: "+kind+", device: "+spot+more).within(spot)
	}
	in, out := of("dead", "")
	require.Empty(t, in)
	require.NotEmpty(t, out)

	for kind, taken := range map[string]bool{"stuck_taken": true, "stuck_free": false} {
		in, out = of(kind, "")
		other := false
		for _, m := range in {
			require.Equal(t, taken, m.Reading.Spot.Occupied, kind)
		}
		for _, m := range out {
			other = other || m.Reading.Spot.Occupied != taken
		}
		require.True(t, other)
	}

	in, _ = of("flapping", "")
	changes := 0
	for i := 1; i < len(in); i++ {
		if in[i].Reading.Spot.Occupied != in[i-1].Reading.Spot.Occupied {
			changes++
		}
	}
	require.Greater(t, changes, 6*40)

	in, _ = of("rebooting", ", by: 30")
	boots := map[uint64]bool{}
	for _, m := range in {
		boots[m.Boot] = true
	}
	require.Len(t, boots, 12)

	in, out = of("battery_low", ", by: 2.9")
	for _, m := range in {
		require.Equal(t, int64(2900), m.Reading.Spot.Battery.V)
	}
	for _, m := range out {
		require.NotEqual(t, int64(2900), m.Reading.Spot.Battery.V)
	}
	in, _ = of("battery_sinking", ", by: 2.8")
	require.Greater(t, in[0].Reading.Spot.Battery.V, int64(3000))
	require.InDelta(t, 2800, in[len(in)-1].Reading.Spot.Battery.V, 50)

	in, _ = of("clock_off", ", by: 600")
	for _, m := range in {
		require.Equal(t, int64(600_000), m.At-m.SendAt)
	}
	in, out = of("clock_off", ", by: -600")
	require.Equal(t, int64(600_000), in[len(in)-1].SendAt-in[len(in)-1].At, "it never runs back")
	require.Equal(t, out[0].SendAt, out[0].At)
	in, _ = of("clock_drift", ", by: 2400")
	require.InDelta(t, 600_000, in[len(in)-1].At-in[len(in)-1].SendAt, 20_000, "a quarter of a day")

	in, _ = of("gaps", ", share: 0.5")
	require.InDelta(t, 36, len(in), 15)

	in, _ = of("overstay", "")
	last := in[len(in)-1].Reading.Spot
	require.True(t, last.Occupied)
}

func TestWhatIsPlantedOnASite(t *testing.T) {
	t.Parallel()
	r := plantedOne(t, "kind: dark, site: S-GATE")
	for _, device := range []string{"gate-c-in", "gate-c-out", "meter-s-gate-1"} {
		in, out := r.within(device)
		require.Empty(t, in, device)
		require.NotEmpty(t, out, device)
	}

	r = plantedOne(t, `kind: link_away, site: "S-*"`)
	late := 0
	for _, m := range r.messages {
		at := m.SendAt - r.start
		if r.version.Device(m.Device).Site == "" {
			continue
		}
		require.False(t, at >= plantedFrom && at < plantedUntil, "%s at %d", m.Device, at)
		if at >= plantedUntil && m.At-r.start < plantedUntil-1000 {
			late++
		}
	}
	require.Greater(t, late, 500, "it comes all the same")

	for kind, device := range map[string]string{"misses_in": "gate-c-in", "misses_out": "gate-c-out"} {
		seen := func(r *ran) (n int) {
			in, _ := r.within(device)
			for _, m := range in {
				if m.Kind == city.KindGate {
					n++
				}
			}
			return n
		}
		all := seen(run(t, "devices: {health: 0s}", 24, 7, message.Native))
		require.Less(t, seen(plantedOne(t, "kind: "+kind+", site: S-GATE, share: 0.6")), all*3/4)
	}
	in, _ := plantedOne(t, "kind: counts_nothing, device: gate-c-in").within("gate-c-in")
	require.NotEmpty(t, in)
	for _, m := range in {
		require.Equal(t, city.KindHealth, m.Kind)
	}
}

func TestWhatIsPlantedOnARoad(t *testing.T) {
	t.Parallel()
	flow := func(r *ran) (vehicles, speed float64) {
		in, _ := r.within("tc-1")
		for _, m := range in {
			if m.Reading.Traffic == nil || m.At-r.start <= plantedFrom {
				continue // a period before it is told within it
			}
			for _, l := range m.Reading.Traffic.Lanes {
				if l.Backward {
					continue // the other road
				}
				vehicles += float64(l.SM + l.KR + l.KB)
				speed = max(speed, float64(l.Speed.V))
			}
		}
		return vehicles, speed / 1000
	}
	usual, _ := flow(run(t, "", 24, 7, message.Native))
	n, _ := flow(plantedOne(t, "kind: emptied, segment: r-1-t, share: 0.1"))
	require.InDelta(t, 0.1*usual, n, 0.05*usual)
	n, speed := flow(plantedOne(t, "kind: blocked, segment: r-1-t, share: 0.2"))
	require.Less(t, n, usual)
	require.Less(t, speed, 20.)
	n, _ = flow(plantedOne(t, "kind: loaded, segment: r-1-t, by: 200"))
	require.InDelta(t, 6*200/0.57, n, 300)
	n, _ = flow(plantedOne(t, "kind: counts_nothing, device: tc-1"))
	require.Zero(t, n)
	in, _ := plantedOne(t, "kind: counts_same, device: tc-1").within("tc-1")
	require.Greater(t, len(in), 300)
	for _, m := range in {
		require.Equal(t, in[0].Reading.Traffic.Lanes, m.Reading.Traffic.Lanes)
	}
}

func TestWhatIsPlantedOnAMeter(t *testing.T) {
	t.Parallel()
	const meter = "meter-s-gate-1"
	papers := func(what string) (numbers map[string]int, voids, n int, counts []int64) {
		r := plantedOne(t, what)
		numbers = map[string]int{}
		in, _ := r.within(meter)
		for _, m := range in {
			if m.Kind != city.KindReceipt {
				continue
			}
			n++
			counts = append(counts, m.Reading.Receipt.TotalCount.V)
			if m.Reading.Receipt.Void {
				voids++
				continue
			}
			numbers[m.Reading.Receipt.Number]++
		}
		return numbers, voids, n, counts
	}
	_, voids, _, _ := papers("kind: day_voids, device: " + meter + ", share: 0.5")
	require.Greater(t, voids, 5)
	numbers, _, _, _ := papers("kind: number_doubled, device: " + meter + ", share: 0.4")
	doubled := 0
	for _, n := range numbers {
		if n > 1 {
			doubled++
		}
	}
	require.Greater(t, doubled, 2)
	_, _, sold, _ := papers("kind: phantom, site: S-GATE, share: 0.9")
	_, _, sent, counts := papers("kind: papers_unsent, device: " + meter + ", share: 0.5")
	require.Less(t, sent, sold*2/3)
	require.Greater(t, counts[len(counts)-1]-counts[0], int64(sent), "it counted them")
	_, _, _, counts = papers("kind: meter_rollback, device: " + meter + ", by: 20")
	require.NotEmpty(t, counts)
}

// TestSeasonsAndMoods: days of Ramadan differ as they are told to, and days
// differ from each other.
func TestSeasonsAndMoods(t *testing.T) {
	t.Parallel()
	arrivals := func(text string) (n int) {
		for _, l := range run(t, text, 24, 7, message.Native).lines {
			if l.What == truth.Stay && l.Entered > 0 {
				n++
			}
		}
		return n
	}
	usual := arrivals("")
	require.Equal(t, usual, arrivals("days: {ramadan: {parking: 1, traffic: 1}}"), "its own inventory has no Ramadan, or it is as usual")
	seen := map[int]bool{}
	for _, sigma := range []float64{0, 0.2, 0.4} {
		seen[arrivals(fmt.Sprintf("parking: {mood: %g}", sigma))] = true
	}
	require.Len(t, seen, 3)
}
