package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
)

func (w *world) lastGap() city.Int {
	w.t.Helper()
	w.apply()
	s, ok := w.f.Device("d")
	require.True(w.t, ok)
	return s.LastGap
}

func TestTheNewestGap(t *testing.T) {
	w := newWorld(t, "d,600")
	w.sent(1, 5, begin)
	w.sent(1, 6, begin+minute)
	require.False(t, w.lastGap().OK, "where a run begins is no gap")
	w.sent(1, 9, begin+2*minute) // 7, 8
	require.Equal(t, city.SomeInt(begin+2*minute), w.lastGap())
	w.sent(1, 12, begin+4*minute) // 10, 11
	require.Equal(t, city.SomeInt(begin+4*minute), w.lastGap())
	w.sent(1, 10, begin+3*minute)
	require.Equal(t, city.SomeInt(begin+4*minute), w.lastGap(), "a part of it came")
	w.flush()
	w.reopen()
	w.tally(0, aside(1, 11, begin+3*minute, city.ReasonImpossible))
	require.Equal(t, city.SomeInt(begin+2*minute), w.lastGap(), "what was set aside is no gap")
	w.sent(2, 77, begin+5*minute)
	require.Equal(t, city.SomeInt(begin+2*minute), w.lastGap(), "a boot is none")
	w.sent(1, 8, begin+90_000)
	w.sent(1, 7, begin+80_000)
	require.False(t, w.lastGap().OK, "all came after all")
	w.tally(0, aside(2, 78, begin+6*minute, city.ReasonImpossible))
	w.sent(2, 79, begin+7*minute)
	require.False(t, w.lastGap().OK)
	for i := range uint64(40) { // each second one is missing
		w.sent(2, 80+2*i, begin+10*minute+int64(i))
	}
	require.Equal(t, city.SomeInt(begin+10*minute+39), w.lastGap())
}

// TestWhatWasSetAsideTheDayBeforeIsNoGap: also after a restart, and where whole
// days lie between.
func TestWhatWasSetAsideTheDayBeforeIsNoGap(t *testing.T) {
	w := newWorld(t, "d,600")
	w.sent(1, 5, begin)
	w.tally(0, aside(1, 6, begin+minute, city.ReasonImpossible))
	w.sent(1, 7, begin+day)
	require.False(t, w.lastGap().OK)
	w.tally(0, aside(1, 8, begin+day+minute, city.ReasonImpossible), aside(1, 9, begin+3*day, city.ReasonImpossible))
	w.flush()
	w.reopen()
	w.sent(1, 10, begin+4*day)
	require.False(t, w.lastGap().OK)
	w.sent(1, 12, begin+5*day)
	require.Equal(t, city.SomeInt(begin+5*day), w.lastGap())
}

func TestGapsOfADeviceThatCountsNoBoots(t *testing.T) {
	w := newWorld(t, "d,600")
	send := func(seq uint64, at int64) { w.reading(city.Reading{Seq: seq, At: at}, 0) }
	send(5, begin)
	send(7, begin+minute)
	require.Equal(t, city.SomeInt(begin+minute), w.lastGap())
	w.reading(city.Reading{Seq: 1, At: begin + 2*minute}, 4) // journal.FlagNewRun
	send(2, begin+3*minute)
	require.Equal(t, city.SomeInt(begin+minute), w.lastGap(), "a new run is no gap")
	send(6, begin+30_000)
	require.False(t, w.lastGap().OK)
}

func TestTheBatteryIsForetoldAcrossRestarts(t *testing.T) {
	w := newWorld(t, "d,600")
	require.Equal(t, health.NoVoltage, w.f.Battery("d", 3100, begin).Reason)
	for i := range int64(30) {
		w.reading(city.Reading{HasBoot: true, Boot: 1, Seq: uint64(i), At: begin + i*day, Kind: city.KindHealth, Health: &city.Health{Battery: city.SomeMilli(3600 - 10*i)}}, 0)
		if i == 17 {
			w.flush()
			w.reopen()
		}
	}
	w.apply()
	f := w.f.Battery("d", 3100, begin+29*day)
	require.Empty(t, f.Reason)
	require.InDelta(t, 21, f.Days.V, 2)
	w.flush()
	w.reopen()
	require.Equal(t, f, w.f.Battery("d", 3100, begin+29*day))
	require.Equal(t, health.NoVoltage, w.f.Battery("nobody", 3100, begin).Reason)
}
