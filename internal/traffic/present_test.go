package traffic_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// TestWorkedChecks are those of facts/traffic.md, and the formulas' other
// branches by hand.
func TestWorkedChecks(t *testing.T) {
	t.Parallel()
	with := func(s seg, more seg) seg {
		for k, v := range more {
			if v == nil {
				delete(s, k)
			} else {
				s[k] = v
			}
		}
		return s
	}
	for _, c := range []struct {
		name     string
		s        seg
		capacity float64
		freeFlow float64
	}{
		{"4/2-T of the facts", divided("a"), 3162, 60},
		{"2/2-TT of the facts", shared("a", "b"), 2263.52, 42},
		{"4/2-T, lanes of both directions given", with(divided("a"), seg{"lanes": 4}), 3162, 60},
		{"4/2-T by the width of the carriageway", with(divided("a"), seg{"lane_width_m": nil, "width_m": 7}), 3162, 60},
		{"6/2-T", with(divided("a"), seg{"road_type": "6/2-T", "lanes": 3}), 1700 * 3 * (1 - 0.8*0.07), 60},
		{"8/2-T follows 6/2-T", with(divided("a"), seg{"road_type": "8/2-T", "lanes": 4}), 1700 * 4 * (1 - 0.8*0.07), 60},
		{"one way takes the column of 2/2-TT", with(divided("a"), seg{"road_type": "one_way"}), 1700 * 2 * 0.88, 60},
		{"widths are interpolated", with(divided("a"), seg{"lane_width_m": 3.4}), 1700 * 2 * 0.984 * 0.93, 60},
		{"and held at the ends", with(divided("a"), seg{"lane_width_m": 2.5, "edge_width_m": 3}), 1700 * 2 * 0.92 * 0.98, 60},
		{"kerbs are interpolated", with(divided("a"), seg{"edge_width_m": 0.75}), 1700 * 2 * 0.92, 60},
		{"split is interpolated", with(shared("a", "b"), seg{"split": "43-57"}), 2800 * 0.958 * 0.86, 42},
		{"split is held", with(shared("a", "b"), seg{"split": "90-10"}), 2800 * 0.88 * 0.86, 42},
		{"free flow by the tables", with(divided("a"), seg{"free_flow_kmh": nil, "lane_width_m": 3.25}), 1700 * 2 * 0.96 * 0.93, 55},
		{"free flow of a narrow road", with(shared("a", "b"), seg{"width_m": 6.5}), 2800 * 0.935 * 0.94 * 0.86, 40.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			segments := []seg{c.s}
			if c.s["opposite"] != nil {
				other := maps.Clone(c.s)
				other["id"], other["opposite"] = "b", "a"
				segments = append(segments, other)
			}
			r := newRig(t, parse(t, files(t, "", "", segments...)))
			s := r.segment("a")
			require.InDelta(t, c.capacity, val(s.CapacitySMP), 0.001)
			require.InDelta(t, c.freeFlow, val(s.FreeFlowKmh), 0.001)
			require.Equal(t, "none", s.Quality)
			require.Equal(t, "PKJI2023-sekunder", s.Source)
			require.False(t, s.FlowVPH.OK, "nothing was measured: no number")
			require.Equal(t, "open", s.Status)
		})
	}
}

// TestLanesNumberedAcrossTheRoad: a counter may number the lanes of the other
// direction on from its own; each direction is known when all of its are.
func TestLanesNumberedAcrossTheRoad(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("x", "a", 300)+device("y", "d", 300), "", shared("a", "b"), shared("b", "a"), divided("d"))))
	r.reading("x", noon+5*minute, 300, ln(1, 40, 20, 2), speed(back(ln(2, 50, 20, 1)), 25))
	r.tick(noon + 5*minute)
	for id, flow := range map[string]float64{"a": 744, "b": 852} {
		st := r.segment(id)
		require.Equal(t, "live", st.Quality, id)
		require.InDelta(t, flow, val(st.FlowVPH), 0, id)
		require.InDelta(t, (90*0.4+40+3*1.3)*12/2263.52, val(st.DJ), 0.0005, id)
		p := r.history(id, noon, noon+5*minute, 5*minute)[0]
		require.InDelta(t, flow, val(p.FlowVPH), 0, id)
		require.InDelta(t, 1, val(p.Coverage), 0, id)
	}

	// A lane of four that was not heard is missed, whichever it is.
	r.reading("y", noon+5*minute, 300, ln(4, 0, 10, 0))
	require.Equal(t, "partial", r.segment("d").Quality)
	require.False(t, r.segment("d").FlowVPH.OK)
	r.reading("y", noon+10*minute, 300, ln(3, 0, 5, 0), ln(4, 0, 10, 0))
	require.Equal(t, "live", r.segment("d").Quality)
	require.InDelta(t, 60+120, val(r.segment("d").FlowVPH), 0)
	require.False(t, r.history("d", noon, noon+5*minute, 5*minute)[0].FlowVPH.OK, "lane 3 was silent then")
}

// A broken device that makes up lanes does not make the road grow, and hides
// none that was there.
func TestLanesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("x", "d", 300), "", divided("d"))))
	r.reading("x", noon, 300, ln(1, 0, 10, 0), ln(2, 0, 10, 0))
	for n := range uint16(2000) {
		r.reading("x", noon+int64(n)*second/10, 300, ln(1000+n, 0, 10, 0))
	}
	r.reading("x", noon+5*minute, 300, ln(1, 0, 10, 0), ln(2, 0, 10, 0))
	r.tick(noon + 5*minute)
	require.True(t, r.segment("d").FlowVPH.OK)
	require.LessOrEqual(t, r.f.Series(), 64)
}

func TestCapacityUnknown(t *testing.T) {
	t.Parallel()
	s := divided("a")
	delete(s, "side_friction")
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", s)))
	r.reading("d", noon+minute, 60, ln(1, 0, 10, 0), ln(2, 0, 10, 0))
	st := r.segment("a")
	require.False(t, st.CapacitySMP.OK)
	require.False(t, st.DJ.OK)
	require.Empty(t, st.LOS)
	require.InDelta(t, 1200, val(st.FlowVPH), 0)
}

// TestDivided is a 4/2-T direction at the bounds of ekr.
func TestDivided(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 300), "", divided("a"))))
	// 3 x 5 min: 300 SM, 90 KR and 9 KB a lane: 1,596 vehicles/h a lane, over 1,050.
	for i := int64(1); i <= 3; i++ {
		r.reading("d", noon+i*5*minute, 300, speed(ln(1, 100, 30, 3), 60), speed(ln(2, 100, 30, 3), 40))
	}
	s := r.segment("a")
	require.Equal(t, "live", s.Quality)
	require.InDelta(t, 2*12*133, val(s.FlowVPH), 0.001)
	q := 2 * 12 * (100*0.25 + 30 + 3*1.2)
	require.InDelta(t, q, val(s.FlowSMPH), 0.001)
	require.InDelta(t, q/3162, val(s.DJ), 0.0005)
	require.Equal(t, s.DJ, s.DJCounted)
	require.InDelta(t, 2/(1/60.0+1/40.0), val(s.SpeedKmh), 0.001, "harmonic")
	require.InDelta(t, 60/val(s.SpeedKmh), val(s.TTI), 0.001)
	require.InDelta(t, 10*(1-val(s.SpeedKmh)/60), val(s.Index), 0.001)
	require.Equal(t, "C", s.LOS)
	require.Equal(t, "free", s.Regime)
	require.Equal(t, "E", s.LOSPM96)
	require.Equal(t, noon+15*minute, s.ObservedAt)
	require.Empty(t, s.Trend, "there is no quarter of an hour before")

	// Below the bound the other ekr holds, KTB is no flow, unknown is KR.
	r = newRig(t, parse(t, files(t, device("d", "a", 300), "", divided("a"))))
	l := ln(1, 20, 30, 3)
	l.KTB, l.Unknown = 50, 7
	r.reading("d", noon, 300, l, ln(2, 0, 0, 0))
	s = r.segment("a")
	require.InDelta(t, 12*60, val(s.FlowVPH), 0.001)
	require.InDelta(t, 12*(20*0.4+37+3*1.3), val(s.FlowSMPH), 0.001)
	require.False(t, s.SpeedKmh.OK)
	require.False(t, s.Index.OK)
}

func TestSpeedIsWeightedByFlow(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	r.reading("d", noon, 60, speed(ln(1, 0, 30, 0), 60), speed(ln(2, 0, 10, 0), 20))
	require.InDelta(t, 40/(30/60.0+10/20.0), val(r.segment("a").SpeedKmh), 0.001)
}

func TestTwoWay(t *testing.T) {
	t.Parallel()
	v := parse(t, files(t, device("d", "a", 300)+device("e", "b", 300), "", shared("a", "b"), shared("b", "a")))
	r := newRig(t, v)
	r.reading("d", noon, 300, ln(1, 50, 40, 2))
	s := r.segment("a")
	require.Equal(t, "live", s.Quality)
	require.InDelta(t, 12*92, val(s.FlowVPH), 0.001)
	require.False(t, s.DJ.OK, "the other direction is unknown: so is the ratio")
	require.False(t, s.DJCounted.OK)
	require.False(t, s.FlowSMPH.OK, "ekr hangs on both directions")
	require.Empty(t, s.LOS)

	r.reading("e", noon, 300, ln(1, 30, 20, 1))
	low := 12 * (80*0.4 + 60 + 3*1.3) // 143 x 12 = 1,716 vehicles/h: under 1,800
	s = r.segment("a")
	require.InDelta(t, low/2263.52, val(s.DJ), 0.0005)
	require.Equal(t, s.DJ, r.segment("b").DJ, "one ratio for the road")
	require.InDelta(t, 12*(50*0.4+40+2*1.3), val(s.FlowSMPH), 0.001)

	r.reading("e", noon+5*minute, 300, ln(1, 70, 20, 1)) // the mean of e: 71.5; together 1,962
	s = r.segment("a")
	require.InDelta(t, 12*((50+50)*0.25+(40+20)+(2+1)*1.2)/2263.52, val(s.DJ), 0.0005)
}

func TestBackwardLanesFeedTheOpposite(t *testing.T) {
	t.Parallel()
	v := parse(t, files(t, device("d", "a", 300), "", shared("a", "b"), shared("b", "a")))
	r := newRig(t, v)
	r.reading("d", noon, 300, ln(1, 0, 40, 0), back(ln(1, 0, 25, 0)))
	require.InDelta(t, 480, val(r.segment("a").FlowVPH), 0)
	require.InDelta(t, 300, val(r.segment("b").FlowVPH), 0)
	require.InDelta(t, 780/2263.52, val(r.segment("b").DJ), 0.0005)
	require.Equal(t, int64(25), r.counts("b", noon-hour, noon).KR)
}

// TestUnknownIsNoZero: a lane without data makes the quality partial and never
// a low flow.
func TestUnknownIsNoZero(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	r.reading("d", noon, 60, speed(ln(1, 0, 10, 0), 50))
	s := r.segment("a")
	require.Equal(t, "partial", s.Quality)
	require.False(t, s.FlowVPH.OK)
	require.False(t, s.DJ.OK)
	require.InDelta(t, 50, val(s.SpeedKmh), 0.001, "the speed of the lane that is seen")

	blind := city.Lane{Lane: 2}
	r.reading("d", noon+minute, 60, ln(1, 0, 10, 0), blind)
	require.Equal(t, "partial", r.segment("a").Quality, "a lane without counts is no lane with zero")

	r.reading("d", noon+2*minute, 60, ln(1, 0, 0, 0), ln(2, 0, 0, 0))
	s = r.segment("a")
	require.Equal(t, "live", s.Quality)
	require.InDelta(t, 400, val(s.FlowVPH), 0.001, "20 vehicles in three minutes, none in the one of lane 2")

	r = newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	r.reading("d", noon, 60, speed(ln(1, 0, 0, 0), 0), speed(ln(2, 0, 0, 0), 0))
	s = r.segment("a")
	require.Equal(t, city.SomeMilli(0), s.FlowVPH, "measured and no vehicle")
	require.Equal(t, city.SomeMilli(0), s.DJ)
	require.False(t, s.SpeedKmh.OK)
	require.False(t, s.TTI.OK)
	require.Empty(t, s.LOSPM96)
	require.Equal(t, "A", s.LOS)
}

func TestOneLaneDies(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	for i := range int64(20) {
		r.reading("d", noon+i*minute, 60, ln(1, 0, 10, 0), ln(2, 0, 10, 0))
	}
	require.Equal(t, "live", r.segment("a").Quality)
	for i := int64(20); i < 30; i++ {
		r.reading("d", noon+i*minute, 60, ln(1, 0, 10, 0))
		s := r.segment("a")
		if i < 22 {
			require.Equal(t, "live", s.Quality, "three intervals have not passed")
			require.InDelta(t, 1200, val(s.FlowVPH), 0.001)
		}
		if i > 22 {
			require.Equal(t, "partial", s.Quality)
			require.False(t, s.FlowVPH.OK)
		}
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		intervalS        int
		periodS          uint32
		staysMS, staleMS int64
	}{
		{"three intervals", 60, 60, 3 * minute, 3*minute + 1},
		{"three periods where the period is longer", 60, 300, 15 * minute, 15*minute + 1},
		{"three periods where no interval is given", 0, 120, 6 * minute, 6*minute + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := device("d", "a", c.intervalS)
			if c.intervalS == 0 {
				d = "d,traffic,a,\n"
			}
			r := newRig(t, parse(t, files(t, d, "", divided("a"))))
			r.reading("d", noon, c.periodS, speed(ln(1, 0, 1, 0), 30), ln(2, 0, 1, 0))
			r.tick(noon + c.staysMS)
			require.Equal(t, "live", r.segment("a").Quality)
			r.tick(noon + c.staleMS)
			s := r.segment("a")
			require.Equal(t, "stale", s.Quality)
			require.Equal(t, noon, s.ObservedAt)
			require.False(t, s.FlowVPH.OK)
			require.False(t, s.SpeedKmh.OK)
			require.Empty(t, s.LOS)
			require.True(t, s.CapacitySMP.OK)
		})
	}
}

func TestOversaturated(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
	at := noon
	drive := func(n uint32, kmh float64) {
		at += minute
		r.reading("d", at, 60, speed(ln(1, 0, n, 0), kmh), speed(ln(2, 0, n, 0), kmh))
	}
	for range 5 {
		drive(15, 45)
	}
	require.Equal(t, "free", r.segment("a").Regime)
	drive(6, 12)
	require.Equal(t, "free", r.segment("a").Regime, "one period is not enough")
	drive(6, 12)
	s := r.segment("a")
	require.Equal(t, "oversaturated", s.Regime)
	require.Equal(t, "F", s.LOS)
	require.False(t, s.DJ.OK)
	require.True(t, s.DJCounted.OK)
	require.Less(t, val(s.DJCounted), 1.0)

	// Standing on the detector is no sign of a free road.
	at += minute
	standing := city.Lane{HasCounts: true, Occupancy: city.MilliOf(100)}
	one, two := standing, standing
	one.Lane, two.Lane = 1, 2
	r.reading("d", at, 60, one, two)
	require.Equal(t, "oversaturated", r.segment("a").Regime)

	drive(15, 45)
	s = r.segment("a")
	require.NotEqual(t, "oversaturated", s.Regime)
	require.True(t, s.DJ.OK)
}

// TestHysteresis: a ratio that swings about a bound does not flicker.
func TestHysteresis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		ratios []float64 // one each quarter of an hour; the bound of B is 0.44
		want   string
	}{
		{"worse at once, better with a margin", []float64{0.43, 0.45, 0.43}, "BCC"},
		{"better beyond the margin", []float64{0.45, 0.41}, "CB"},
		{"as far as it is better beyond the margin", []float64{0.75, 0.43}, "DC"},
		{"a jump", []float64{0.9, 0.1}, "EA"},
		{"forgotten after half an hour", []float64{0.45, 0.43, 0.43, 0.43}, "CCCB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, parse(t, files(t, device("d", "a", 900), "", divided("a"))))
			var letters strings.Builder
			for i, ratio := range c.ratios {
				n := uint32(ratio * 3162 / 4 / 2)
				r.reading("d", noon+int64(i)*15*minute, 900, ln(1, 0, n, 0), ln(2, 0, n, 0))
				s := r.segment("a")
				require.InDelta(t, ratio, val(s.DJ), 0.003)
				letters.WriteString(s.LOS)
			}
			require.Equal(t, c.want, letters.String())
		})
	}
	t.Run("a gap forgets", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"))))
		r.reading("d", noon, 60, ln(1, 0, 12, 0), ln(2, 0, 12, 0)) // 0.455
		require.Equal(t, "C", r.segment("a").LOS)
		r.reading("d", noon+20*minute, 60, ln(1, 0, 11, 0), ln(2, 0, 11, 0))
		r.reading("d", noon+21*minute, 60, ln(1, 0, 12, 0), ln(2, 0, 11, 0)) // 0.427
		require.Equal(t, "B", r.segment("a").LOS)
	})
}

func TestTrend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, after uint32
		want          string
	}{{100, 150, "rising"}, {100, 111, "rising"}, {100, 110, "steady"}, {100, 90, "steady"}, {100, 89, "falling"}, {100, 60, "falling"}, {0, 1, "steady"}, {0, 20, "rising"}} {
		r := newRig(t, parse(t, files(t, device("d", "a", 900), "", divided("a"))))
		r.reading("d", noon, 900, ln(1, 0, c.before, 0), ln(2, 0, c.before, 0))
		r.reading("d", noon+15*minute, 900, ln(1, 0, c.after, 0), ln(2, 0, c.after, 0))
		require.Equal(t, c.want, r.segment("a").Trend, "%d to %d", c.before, c.after)
	}
}

// Our clock ran ahead, was set right, and a person accepted it.
func TestAClockThatWasSetRight(t *testing.T) {
	r := newRig(t, parse(t, files(t, device("d", "s", 60), "", divided("s"))))
	r.reading("d", noon+minute, 60, ln(1, 6, 6, 0), ln(2, 6, 6, 0))
	want := r.segment("s")
	require.Equal(t, "live", want.Quality)
	r.tick(noon + 30*24*hour)
	require.Equal(t, "stale", r.segment("s").Quality)
	require.NoError(t, r.f.Flush())
	r.now = noon + minute
	r.append(journal.Entry{Type: journal.TypeTick})
	is := r.segment("s")
	is.Rev, want.Rev = 0, 0
	require.Equal(t, want, is)
	r.tick(noon + 30*minute)
	require.Equal(t, "stale", r.segment("s").Quality)
}
