package watch

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/watch/baseline"
)

// simRoad answers as traffic would of a road with rush hours; jam makes it slow.
type simRoad struct {
	jamFrom, jamUntil int64
	full              float64 // at rush hour, of the capacity
}

func (s simRoad) Step(_ context.Context, _ string, from int64, _ uint64) (RoadStep, bool, error) {
	dice := rand.New(rand.NewPCG(uint64(from), 3))
	kind, clock := dayKindOf(from)
	hour := float64(clock) / float64(hourMs)
	bump := func(at float64) float64 { return math.Exp(-(hour - at) * (hour - at) / 2) }
	load := 0.1
	if kind == baseline.Working {
		load += s.full * math.Max(bump(7.5), bump(17.5))
	}
	flow := 3000*load + 60*dice.NormFloat64()
	speed := 50*(1-0.5*load*load) + 2*dice.NormFloat64()
	step := RoadStep{FlowVPH: city.MilliOf(math.Max(0, flow)), SpeedKmh: city.MilliOf(speed), DJ: city.MilliOf(load), Coverage: 1}
	if from >= s.jamFrom && from < s.jamUntil {
		step.FlowVPH, step.SpeedKmh, step.DJ = city.MilliOf(flow/2), city.MilliOf(8+dice.Float64()), city.Milli{}
	}
	return step, true, nil
}

func dayKindOf(at int64) (baseline.Kind, int64) {
	day := (at - monday) / dayMs
	if day%7 > 4 {
		return baseline.Weekend, (at - monday) % dayMs
	}
	return baseline.Working, (at - monday) % dayMs
}

func ofRoad(list []Incident) (all []Incident) {
	for _, i := range list {
		if i.Segment == "r" && i.Device == "" {
			all = append(all, i)
		}
	}
	return all
}

// TestAJamIsAnIncident: four weeks of rush hours are none, a jam at noon is one,
// with its chart, and ends.
func TestAJamIsAnIncident(t *testing.T) {
	t.Parallel()
	jam := monday + 23*dayMs + 12*hourMs
	roads := simRoad{jamFrom: jam, jamUntil: jam + 90*minuteMs, full: 0.55}
	w := newWorld(t, Options{Roads: roads}, streets(t, "", "", 1))
	w.until(jam)
	require.Empty(t, ofRoad(w.all()), "%v", w.all())
	w.until(jam + dayMs)
	list := ofRoad(w.all())
	rules := map[Rule]Incident{}
	for _, i := range list {
		rules[i.Rule] = i
		if i.Rule != RuleParkingLimit { // it settles in two weeks
			require.Equal(t, StateClosed, i.State, i.Rule)
		}
		require.Equal(t, "r", i.Subject)
	}
	require.Len(t, list, 3, "%v", list)
	i := rules[RuleIncident]
	require.Less(t, i.OpenedAt, jam+30*minuteMs)
	require.Len(t, i.Evidence.Chart, mostPoints)
	require.Equal(t, "km/h", i.Evidence.Unit)
	require.Contains(t, rules, RuleLevelF)
	require.LessOrEqual(t, rules[RuleLevelF].OpenedAt, jam+35*minuteMs)
	require.Contains(t, rules, RuleParkingLimit)
}

// TestParkingIsNamedWithItsIncome: where a road is too full for parking, its
// sites, the hours and what they take are told; not for a moment's sake.
func TestParkingIsNamedWithItsIncome(t *testing.T) {
	t.Parallel()
	jam := monday + 8*dayMs + 9*hourMs
	v := streets(t, "", "", 2)
	w := newWorld(t, Options{Roads: simRoad{jamFrom: jam, jamUntil: jam + 2*hourMs, full: 0.3}}, v)
	for _, site := range []string{"p0", "p1"} {
		s := w.f.subject(ofSite, site)
		x := &moment{place: place{version: v, site: v.Site(site)}, now: monday}
		for day := range int64(6) {
			for hour := range int64(24) {
				r := &receipt{Receipt: &city.Receipt{Amount: 1000, Method: city.Cash}, at: monday + day*dayMs + hour*hourMs, place: x.place}
				s.watch[len(s.watch)-1].receipt(x, r)
			}
		}
	}
	w.until(jam + 55*minuteMs)
	for _, i := range ofRoad(w.all()) {
		require.NotEqual(t, RuleParkingLimit, i.Rule)
	}
	w.until(jam + 4*hourMs)
	for _, i := range ofRoad(w.all()) {
		if i.Rule != RuleParkingLimit {
			continue
		}
		require.Equal(t, []string{"p0", "p1"}, i.Evidence.Sites)
		require.Equal(t, []Sum{{"sites", 2}, {"income_forgone_a_day_rp", 4000}}, i.Evidence.Sums)
		require.Equal(t, Range{"2026-03-10 9:00", "2026-03-10 11:00"}, i.Evidence.Ranges[len(i.Evidence.Ranges)-1])
		return
	}
	require.Fail(t, "not raised", "%v", w.all())
}

// TestAClosedRoadIsNoIncident: what a closure brings is muted.
func TestAClosedRoadIsNoIncident(t *testing.T) {
	t.Parallel()
	jam := monday + 9*dayMs + 12*hourMs
	w := newWorld(t, Options{Roads: simRoad{jamFrom: jam, jamUntil: jam + 3*hourMs, full: 0.3}}, streets(t, "", ",r,2026-03-11T11:00:00+07:00,2026-03-11T16:00:00+07:00,flood\n", 1))
	w.until(jam + dayMs)
	require.Empty(t, ofRoad(w.all()))
}

// TestRoadsWaitForTraffic: what traffic has not reached is asked for again, and
// a restart in between changes nothing.
func TestRoadsWaitForTraffic(t *testing.T) {
	t.Parallel()
	jam := monday + 8*dayMs + 9*hourMs
	roads := simRoad{jamFrom: jam, jamUntil: jam + 2*hourMs, full: 0.3}
	w := newWorld(t, Options{Roads: roads}, streets(t, "", "", 1))
	w.until(jam + dayMs)
	want := w.all()
	w.flush()
	require.NotEmpty(t, ofRoad(want))
	dir := t.TempDir()
	for at := 0; at < len(w.entries); at += 311 {
		f, err := Open(t.Context(), dir+"/watch.db", w.f.o)
		require.NoError(t, err)
		require.NoError(t, f.Apply(w.entries[:min(at+311, len(w.entries))]))
		require.NoError(t, f.Flush())
		got, _, err := f.Incidents(t.Context(), Query{})
		require.NoError(t, err)
		if at+311 >= len(w.entries) {
			require.Equal(t, want, got)
		}
		require.NoError(t, f.Close())
	}
}

func TestKindsOfDay(t *testing.T) {
	t.Parallel()
	v := town(t, "", "m@a")
	kind, clock := dayKind(v, monday+8*hourMs)
	require.Equal(t, baseline.Working, kind)
	require.Equal(t, int64(8*hourMs), clock)
	kind, _ = dayKind(v, monday+5*dayMs)
	require.Equal(t, baseline.Weekend, kind)
	kind, _ = dayKind(v, monday+17*dayMs)
	require.Equal(t, baseline.Holiday, kind, "Nyepi")
}
