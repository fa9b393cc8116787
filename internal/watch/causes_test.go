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
	noon := int64(monday + 14*dayMs + 12*hourMs)
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
