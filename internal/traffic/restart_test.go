package traffic_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/traffic"
)

func drawLane(t *rapid.T, number uint16, load uint32) city.Lane {
	l := city.Lane{Lane: number}
	if rapid.IntRange(0, 9).Draw(t, "counted") > 0 {
		l = ln(number, rapid.Uint32Range(0, load).Draw(t, "sm"), rapid.Uint32Range(0, load).Draw(t, "kr"), rapid.Uint32Range(0, load/4).Draw(t, "kb"))
		l.KTB, l.Unknown = rapid.Uint32Range(0, 3).Draw(t, "ktb"), rapid.Uint32Range(0, 2).Draw(t, "unknown")
	}
	if rapid.IntRange(0, 9).Draw(t, "speed?") > 1 {
		l.Speed = city.SomeMilli(rapid.SampledFrom([]int64{0, 5_000, 12_345, 18_000, 25_000, 40_000, 61_000}).Draw(t, "speed"))
	}
	if rapid.IntRange(0, 4).Draw(t, "occupancy?") == 0 {
		l.Occupancy = city.SomeMilli(rapid.SampledFrom([]int64{0, 49_000, 90_000}).Draw(t, "occupancy"))
	}
	return l
}

// drawReading moves mostly forward in time, and sometimes far back. Readings
// of one lane differ in time, as a device's do.
func (r *rig) drawReading(t *rapid.T, used map[string]bool) {
	device := rapid.SampledFrom([]string{"d", "e", "g", "h"}).Draw(t, "device")
	period := rapid.SampledFrom([]uint32{60, 60, 60, 300, 300, 900, 3600}).Draw(t, "period")
	at := r.now + rapid.Int64Range(-120, 60).Draw(t, "at")*second
	switch rapid.IntRange(0, 9).Draw(t, "late") {
	case 0:
		at -= rapid.Int64Range(0, 300).Draw(t, "minutes") * minute
	case 1:
		r.now += rapid.Int64Range(0, 20).Draw(t, "pause") * minute
	default:
		r.now += rapid.Int64Range(0, 90).Draw(t, "step") * second
	}
	for used[fmt.Sprint(device, at)] {
		at++
	}
	used[fmt.Sprint(device, at)] = true
	load := rapid.SampledFrom([]uint32{0, 3, 30, 60}).Draw(t, "load") * (period / 60)
	var lanes []city.Lane
	switch device {
	case "d": // both directions of a
		lanes = append(lanes, drawLane(t, 1, load), back(drawLane(t, 1, load)))
	case "e":
		lanes = append(lanes, drawLane(t, 1, load))
	default: // on c
		lanes = append(lanes, drawLane(t, 1, load))
		if rapid.Bool().Draw(t, "two") {
			lanes = append(lanes, drawLane(t, 2, load))
		}
		if rapid.IntRange(0, 29).Draw(t, "three") == 0 {
			lanes = append(lanes, drawLane(t, 3, load))
		}
	}
	r.seq++
	r.append(journal.Entry{Type: journal.TypeReading, Reading: &city.Reading{
		Device: device, Kind: city.KindTraffic, Seq: r.seq, At: at, Traffic: &city.Traffic{PeriodS: period, Lanes: lanes},
	}})
}

func plain(states []traffic.SegmentState) []traffic.SegmentState {
	for i := range states {
		states[i].Rev = 0
	}
	return states
}

func near(t require.TestingT, want, got city.Milli, what string, states ...any) {
	require.Equal(t, want.OK, got.OK, append([]any{what}, states...)...)
	require.InDelta(t, float64(want.V), float64(got.V), 1+1e-6*math.Abs(float64(want.V)), what)
}

// TestAgainstModel drives the follower with late, doubled, gappy readings,
// flushes and crashes, and holds it against a plain model, and against a
// follower that reads the same journal at once.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	v := parse(t, files(t, device("d", "a", 60)+device("e", "b", 300)+device("g", "c", 60)+"h,traffic,c,\n", "",
		shared("a", "b"), shared("b", "a"), divided("c")))
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		r := &rig{t: t, path: filepath.Join(dir, strconv.Itoa(n)), timeline: &inventory.Timeline{}, now: noon}
		r.open()
		defer func() { require.NoError(rt, r.f.Close()) }()
		r.accept(v)
		used := map[string]bool{}
		for range rapid.IntRange(1, 120).Draw(rt, "steps") {
			switch rapid.IntRange(0, 30).Draw(rt, "what") {
			case 0:
				r.tick(r.now + rapid.Int64Range(0, 30).Draw(rt, "minutes")*minute)
			case 1:
				r.reopen()
			case 2, 3:
				require.NoError(rt, r.f.Flush())
			case 4, 5:
				r.f.Segments() // asking changes nothing
			default:
				r.drawReading(rt, used)
			}
		}
		got := plain(r.f.Segments())
		m := newModel(v, r.entries)
		for i, id := range []string{"a", "b", "c"} {
			want, have := m.state(id), got[i]
			near(rt, want.FlowVPH, have.FlowVPH, "flow", want, have)
			near(rt, want.FlowSMPH, have.FlowSMPH, "smp", want, have)
			near(rt, want.CapacitySMP, have.CapacitySMP, "capacity")
			near(rt, want.DJ, have.DJ, "dj", want, have)
			near(rt, want.DJCounted, have.DJCounted, "dj counted", want, have)
			near(rt, want.SpeedKmh, have.SpeedKmh, "speed", want, have)
			near(rt, want.TTI, have.TTI, "tti")
			near(rt, want.Index, have.Index, "index")
			for _, s := range []*traffic.SegmentState{&want, &have} {
				s.FlowVPH, s.FlowSMPH, s.CapacitySMP, s.DJ, s.DJCounted = city.Milli{}, city.Milli{}, city.Milli{}, city.Milli{}, city.Milli{}
				s.SpeedKmh, s.TTI, s.Index = city.Milli{}, city.Milli{}, city.Milli{}
			}
			require.Equal(rt, want, have)
		}

		// Another follower reads everything at once.
		o := &rig{t: t, path: r.path + "-o", timeline: r.timeline}
		o.open()
		defer func() { require.NoError(rt, o.f.Close()) }()
		require.NoError(rt, o.f.Apply(r.entries))
		require.Equal(rt, got, plain(o.f.Segments()))
		for _, id := range []string{"a", "b", "c"} {
			from, to := noon-8*hour, r.now+hour
			require.Equal(rt, r.history(id, from, to, 15*minute), o.history(id, from, to, 15*minute))
		}
		// d alone counts backward lanes on b, with e: only a is seen by one device.
		var c traffic.Counts
		for _, e := range r.entries {
			if e.Type == journal.TypeReading && e.Reading.Device == "d" && e.Reading.Traffic.Lanes[0].HasCounts {
				l := e.Reading.Traffic.Lanes[0]
				c.SM, c.KR, c.KB = c.SM+int64(l.SM), c.KR+int64(l.KR), c.KB+int64(l.KB)
				c.KTB, c.Unknown = c.KTB+int64(l.KTB), c.Unknown+int64(l.Unknown)
				c.CoveredMS += int64(e.Reading.Traffic.PeriodS) * 1000
			}
		}
		require.Equal(rt, c, r.counts("a", noon-8*hour, r.now+hour), "counts are exact")
	})
}

// TestCursorAndDurability: what is flushed is there without the journal.
func TestCursorAndDurability(t *testing.T) {
	t.Parallel()
	v := parse(t, files(t, device("d", "a", 300), "", divided("a")))
	r := newRig(t, v)
	require.Equal(t, "traffic", r.f.Name())
	r.reading("d", noon, 300, ln(1, 0, 5, 0), ln(2, 0, 5, 0))
	require.Zero(t, r.f.Cursor())
	require.NoError(t, r.f.Flush())
	require.Equal(t, uint64(2), r.f.Cursor())
	want := plain(r.f.Segments())
	r.reading("d", noon+5*minute, 300, ln(1, 0, 9, 0), ln(2, 0, 9, 0))
	require.NoError(t, r.f.Close())
	r.open()
	require.Equal(t, uint64(2), r.f.Cursor())
	require.Equal(t, want, plain(r.f.Segments()), "the clock is kept too")
	require.Equal(t, int64(10), r.counts("a", noon-hour, noon+hour).KR)
	require.NoError(t, r.f.Apply(r.entries))
	require.Equal(t, int64(28), r.counts("a", noon-hour, noon+hour).KR)
}

func TestOpenRefusesDamage(t *testing.T) {
	t.Parallel()
	_, err := traffic.Open(t.Context(), filepath.Join(t.TempDir(), "no", "such", "folder"), traffic.Options{Timeline: &inventory.Timeline{}, Zone: time.UTC})
	require.Error(t, err)
}
