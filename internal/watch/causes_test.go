package watch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/watch/baseline"
)

// TestASiteThatIsOutTellsForItsMeter: the silence of a meter that others of its
// site share is theirs; it begins anew when they are back.
func TestASiteThatIsOutTellsForItsMeter(t *testing.T) {
	t.Parallel()
	noon := monday + 14*dayMs + 12*hourMs
	raised := []string{"+meter_silent 1"}
	for name, c := range map[string]struct {
		cause cause
		want  bool
	}{"none": {noCause, true}, "it may be": {mayCause, false}, "it is": {hasCause, false}} {
		r := newRig(t, &silent{})
		r.sells(5*minuteMs, noon)
		r.x.caused = c.cause
		r.pass(3 * hourMs)
		require.Equal(t, c.want, len(r.said) > 0, name)
		if c.cause == hasCause {
			r.x.caused = noCause
			r.pass(30 * minuteMs)
			require.Empty(t, r.said, "it has its time to speak again")
			r.pass(3 * hourMs)
			require.Equal(t, raised, r.said)
		}
	}
}

// TestOthersTellWhetherASiteIsTheCause: a meter that is silent alone has no
// cause; one whose whole site is has one, before that is told and after.
func TestOthersTellWhetherASiteIsTheCause(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, streets(t, "", "", 3))
	s := newSpots(w, 3, 3)
	start := monday + dayMs + 9*hourMs
	for _, x := range s.list[8:16] {
		x.fault, x.from = "dead", start
	}
	s.list[0].fault, s.list[0].from = "dead", start
	s.run(start + tickMs)
	of := func(device string) cause { return w.f.causeOf(&subject{subjectKey: subjectKey{ofMeter, device}}) }
	w.apply()
	require.Equal(t, noCause, of("p0-0"))
	require.Equal(t, mayCause, of("p1-0"))
	s.run(start + hourMs)
	w.apply()
	require.Equal(t, noCause, of("p0-0"))
	require.Equal(t, hasCause, of("p1-0"))
	require.Equal(t, noCause, of("nobody"))
}

// TestSlowDevicesHaveTheirTimeAfterACause: when a site is back, a device that
// speaks seldom is not silent before it could have spoken.
func TestSlowDevicesHaveTheirTimeAfterACause(t *testing.T) {
	t.Parallel()
	v := streets(t, "", "", 2)
	for _, d := range v.Devices {
		if d.ID == "p1-0" {
			d.IntervalS = 3600
		}
	}
	w := newWorld(t, Options{}, v)
	s := newSpots(w, 3, 2)
	start := monday + dayMs + 9*hourMs
	for _, x := range s.list[8:16] {
		x.fault, x.from = "dead", start
	}
	s.run(start + 6*hourMs)
	for _, x := range s.list[9:16] {
		x.fault = ""
	}
	s.run(start + 8*hourMs)
	require.Equal(t, []string{"site_silent p1 +33h closed"}, summary(w.all()))
	s.run(start + 12*hourMs)
	require.ElementsMatch(t, []string{"site_silent p1 +33h closed", "device_silent p1-0 +42h open"}, summary(w.all()), "it did not come back")
}

// TestADeadDeviceStaysToldThroughAnOutage: what was told before its site went
// out neither recovers nor is forgotten when the others are back.
func TestADeadDeviceStaysToldThroughAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, streets(t, "", "", 2))
	s := newSpots(w, 3, 2)
	start := monday + dayMs + 9*hourMs
	s.list[8].fault, s.list[8].from = "dead", start
	s.run(start + 2*hourMs)
	told := summary(w.all())
	require.Len(t, told, 1)
	for _, x := range s.list[9:16] {
		x.fault, x.from = "dead", start+2*hourMs
	}
	s.run(start + 6*hourMs)
	for _, x := range s.list[9:16] {
		x.fault = ""
	}
	s.run(start + 9*hourMs)
	require.Contains(t, summary(w.all()), told[0], "it has never come back")
	for _, i := range w.all() {
		if i.Rule == RuleDeviceSilent {
			require.Equal(t, 1, i.Changed, "opened, and nothing since")
		}
	}
}

// TestACounterThatIsWrongJudgesNoRoad: what a dead or stuck counter says is no
// incident of the road.
func TestACounterThatIsWrongJudgesNoRoad(t *testing.T) {
	t.Parallel()
	jam := monday + 9*dayMs + 12*hourMs
	w := newWorld(t, Options{Roads: simRoad{jamFrom: jam, jamUntil: jam + 3*hourMs, full: 0.3}}, streets(t, "", "", 1))
	w.until(jam)
	w.apply()
	w.f.gadgets.byID["c"].Said |= 1 << saysStuck
	require.True(t, w.f.blind(w.f.inv.Segment("r")))
	w.until(jam + 2*hourMs)
	require.Empty(t, ofRoad(w.all()))
}

// TestDaysOfLebaran: offices that work make another day of it.
func TestDaysOfLebaran(t *testing.T) {
	t.Parallel()
	v := *town(t, "", "m@a")
	v.Holidays = []inventory.Holiday{
		{Date: "2026-03-14", Until: "2026-03-29", Kind: "lebaran", Working: true},
		{Date: "2026-02-19", Until: "2026-03-20", Kind: "ramadan", Working: true},
		{Date: "2026-03-23", Until: "2026-03-24", Kind: "cuti_bersama"},
	}
	for date, want := range map[string]baseline.Kind{
		"2026-03-13": baseline.Ramadan, "2026-03-14": baseline.Lebaran, "2026-03-16": baseline.LebaranWorking,
		"2026-03-24": baseline.Lebaran, "2026-03-25": baseline.LebaranWorking, "2026-03-30": baseline.Working,
	} {
		day, err := time.ParseInLocation(time.DateOnly, date, zone)
		require.NoError(t, err)
		kind, _ := dayKind(&v, day.UnixMilli()+8*hourMs)
		require.Equal(t, want, kind, date)
	}
}

// TestADeviceThatLosesReadings has a longer time before it is silent: what it
// loses is told as gaps.
func TestADeviceThatLosesReadings(t *testing.T) {
	t.Parallel()
	d := &inventory.Device{IntervalS: 600}
	of := func(got, lost float32) int64 {
		g := &gadget{d: d, gadgetState: gadgetState{Got: got, Lost: lost}}
		return g.lossy(30*minuteMs) / minuteMs
	}
	require.Equal(t, int64(30), of(100, 0))
	require.Equal(t, int64(30), of(0, 0))
	require.InDelta(t, 45, of(98, 2), 1)
	require.InDelta(t, 141, of(65, 35), 2)
	require.InDelta(t, 1321, of(1, 99), 2, "bounded")
	require.Zero(t, (&gadget{d: d, gadgetState: gadgetState{Got: 1, Lost: 1}}).lossy(0), "one without an interval")
}

// TestAPlaceThatFlapsTeachesNothing: what a broken sensor says is no arrival of
// which its neighbours would have had as many.
func TestAPlaceThatFlapsTeachesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{}, streets(t, "", "", 1))
	s := newSpots(w, 3, 1)
	start := monday + 2*dayMs + 9*hourMs
	s.run(start)
	w.apply()
	u := w.f.gadgets.byID["p0-0"].usual
	before := u.Came
	s.list[0].fault, s.list[0].from = "flapping", start
	s.run(start + 6*hourMs)
	w.apply()
	require.Less(t, u.Came, before+200, "of 360 changes")
	require.NotEmpty(t, w.all())
}

// TestADayWithAClosureIsNoDayOfDrift: those who were there leave, and nobody
// comes.
func TestADayWithAClosureIsNoDayOfDrift(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	site := *r.v.Site("a")
	site.ResetAt = "04:00"
	r.x.place.site = &site
	r.x.place.closures.Put(closureOf("a", monday+dayMs+12*hourMs, monday+dayMs+20*hourMs))
	s := &drift{}
	for day, out := range []int64{200, 150, 150} {
		date := r.x.place.date(monday + int64(day)*dayMs)
		s.pass(date, false, 200)
		s.pass(date, true, out)
		r.x.now = monday + int64(day+1)*dayMs + 2*hourMs
		s.tick(r.x)
		require.Equal(t, day == 2, len(r.said) > 0, day)
	}
}

// TestWhatIsRareAndSmallIsNoIncident: an incident differs by a share of what is
// usual, in the mean of three points.
func TestWhatIsRareAndSmallIsNoIncident(t *testing.T) {
	t.Parallel()
	s := &series{}
	require.InDelta(t, 1, s.apart(), 1e-9, "where nothing is usual all is apart")
	for _, v := range []float32{5, 100, 100, 40} {
		s.Points = append(s.Points, Point{V: v, Mid: 100})
	}
	require.InDelta(t, -0.2, s.apart(), 1e-6)
}
