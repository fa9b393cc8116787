package health_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/journal"
)

func TestState(t *testing.T) {
	w := newWorld(t, "d,600", "e,")
	w.now = begin + minute
	w.reading(city.Reading{HasBoot: true, Boot: 3, Seq: 7, At: begin, Kind: city.KindSpot, Spot: &city.Spot{Battery: city.SomeMilli(3600), RSSI: city.SomeMilli(-97_000)}}, 0)
	w.reading(city.Reading{HasBoot: true, Boot: 3, Seq: 8, At: begin + minute, Kind: city.KindHealth, Health: &city.Health{
		Firmware: "1.2", UptimeS: city.SomeInt(50), Errors: []string{"cold"},
	}}, 0)
	w.reading(city.Reading{HasBoot: true, Boot: 3, Seq: 6, At: begin - minute, Kind: city.KindSpot, Spot: &city.Spot{
		Battery: city.SomeMilli(3700), Temperature: city.SomeMilli(21_500),
	}}, 0)
	w.tally(2, aside(3, 9, begin, city.ReasonImpossible), aside(3, 9, begin, city.ReasonImpossible), journal.Quarantined{Reason: city.ReasonNotJSON})
	want := health.DeviceState{
		ID: "d", LastSeen: begin + minute, LastAt: begin + minute, SkewMs: city.SomeInt(0), Boot: city.SomeInt(3), Seq: city.SomeInt(8),
		Battery: city.SomeMilli(3600), Temperature: city.SomeMilli(21_500), RSSI: city.SomeMilli(-97_000), UptimeS: city.SomeInt(50),
		Firmware: "1.2", Errors: []string{"cold"}, Readings: 3, Duplicates: 2, Quarantined: 2,
	}
	check := func() {
		got, ok := w.f.Device("d")
		require.True(t, ok)
		require.Equal(t, want, got, "the late reading changes nothing but what only it knows")
		require.Equal(t, []health.DeviceState{want, {ID: "e"}}, w.f.Devices())
	}
	w.apply()
	check()
	w.reopen() // with nothing flushed
	check()
	w.flush()
	w.reopen()
	check()

	w.tick(begin + 31*minute)
	w.apply()
	check()
	w.tick(begin + 31*minute + 1)
	w.apply()
	want.Silent = true
	check()
	w.tick(begin + day + 1)
	w.apply()
	e, _ := w.f.Device("e")
	require.True(t, e.Silent, "never heard since it is in the inventory")
	w.accept(version(t, "d,600"))
	_, ok := w.f.Device("e")
	require.False(t, ok)
	require.Len(t, w.f.Devices(), 1)
}

func TestCompleteness(t *testing.T) {
	w := newWorld(t, "d,600")
	for _, seq := range []uint64{10, 11, 13, 14, 20} {
		w.sent(1, seq, begin+int64(seq)*minute)
	}
	require.Equal(t, health.Completeness{
		Device: "d", Date: "2026-03-02", Expected: 11, Received: 5, Missing: 6,
		Gaps: []health.Gap{{HasBoot: true, Boot: 1, FromSeq: 12, ToSeq: 12}, {HasBoot: true, Boot: 1, FromSeq: 15, ToSeq: 19}},
	}, w.completeness("2026-03-02"), "on a boot's first day highest - lowest + 1")

	w.sent(1, 23, begin+day)
	w.now = begin + day
	w.sent(2, 1, begin+day+minute)
	w.sent(2, 3, begin+day+3*minute)
	w.tally(4)
	require.Equal(t, health.Completeness{
		Device: "d", Date: "2026-03-03", Expected: 6, Received: 3, Missing: 3, Duplicate: 4,
		Gaps: []health.Gap{{HasBoot: true, Boot: 1, FromSeq: 21, ToSeq: 22}, {HasBoot: true, Boot: 2, FromSeq: 2, ToSeq: 2}},
	}, w.completeness("2026-03-03"), "the gap over midnight belongs to the day of the reading after it")
	w.flush()
	w.reopen()

	w.sent(1, 21, begin+21*minute) // late, of the day before
	require.Equal(t, health.Completeness{
		Device: "d", Date: "2026-03-02", Expected: 12, Received: 6, Late: 1, Missing: 6,
		Gaps: []health.Gap{{HasBoot: true, Boot: 1, FromSeq: 12, ToSeq: 12}, {HasBoot: true, Boot: 1, FromSeq: 15, ToSeq: 19}},
	}, w.completeness("2026-03-02"))
	require.Equal(t, []health.Gap{{HasBoot: true, Boot: 1, FromSeq: 22, ToSeq: 22}, {HasBoot: true, Boot: 2, FromSeq: 2, ToSeq: 2}}, w.completeness("2026-03-03").Gaps)
	require.Equal(t, int64(5), w.completeness("2026-03-03").Expected)
	require.Equal(t, health.Completeness{Device: "d", Date: "2026-03-09"}, w.completeness("2026-03-09"))

	_, err := w.f.Completeness(t.Context(), "nobody", "2026-03-02")
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	_, err = w.f.Completeness(t.Context(), "d", "2 March")
	require.Equal(t, city.KindInvalid, city.KindOf(err))
}

func TestSetAside(t *testing.T) {
	w := newWorld(t, "d,600")
	w.sent(1, 1, begin)
	w.sent(1, 2, begin)
	w.sent(1, 6, begin)
	w.tally(0, aside(1, 3, begin, city.ReasonImpossible), aside(1, 4, 4e12, city.ReasonTooFarAhead), aside(1, 2, begin, city.ReasonSequenceConflict))
	w.tally(0, aside(1, 3, begin, city.ReasonImpossible), aside(1, 7, begin, city.ReasonImpossible))
	require.Equal(t, health.Completeness{
		Device: "d", Date: "2026-03-02", Expected: 7, Received: 3, Quarantined: 3, Missing: 1,
		Gaps: []health.Gap{{HasBoot: true, Boot: 1, FromSeq: 5, ToSeq: 5}},
	}, w.completeness("2026-03-02"), "3, 4 and 7, each once; 2 was accepted; the day of 4 is that of its receipt")
	w.reading(city.Reading{HasBoot: true, Boot: 1, Seq: 3, At: begin}, journal.FlagRetried)
	w.tally(0, journal.Quarantined{Reason: city.ReasonNotJSON}, journal.Quarantined{Reason: city.ReasonNotJSON})
	require.Equal(t, health.Completeness{
		Device: "d", Date: "2026-03-02", Expected: 7, Received: 4, Quarantined: 4,
		Gaps: []health.Gap{{HasBoot: true, Boot: 1, FromSeq: 5, ToSeq: 5}},
	}, w.completeness("2026-03-02"), "3 was taken up; two more could not be read")
}

// TestSetAsideBeside: what a network tells beside the frames has numbers made of
// time, which leave no gaps.
func TestSetAsideBeside(t *testing.T) {
	w := newWorld(t, "d,600")
	w.sent(1, 1, begin)
	w.sent(1, 2, begin)
	w.tally(0, aside(city.BesideBoot, uint64(begin)*4, begin, city.ReasonTooOld), aside(city.BesideBoot, uint64(begin+hour)*4, begin+hour, city.ReasonTooOld))
	got := w.completeness("2026-03-02")
	require.Equal(t, int64(2), got.Expected)
	require.Equal(t, int64(2), got.Received)
	require.Zero(t, got.Missing)
	require.Empty(t, got.Gaps)
}

func TestRunsWithoutBoot(t *testing.T) {
	w := newWorld(t, "d,600")
	at := func(i int64) int64 { return begin + i*minute }
	w.reading(city.Reading{Seq: 100, At: at(1)}, 0)
	w.reading(city.Reading{Seq: 103, At: at(2)}, 0)
	w.reading(city.Reading{Seq: 5, At: at(3)}, journal.FlagNewRun)
	w.reading(city.Reading{Seq: 6, At: at(4)}, 0)
	w.flush()
	w.reopen()
	w.reading(city.Reading{Seq: 2, At: at(5)}, journal.FlagNewRun)
	w.reading(city.Reading{Seq: 101, At: at(1) + 1}, 0) // late, of the first run
	require.Equal(t, health.Completeness{
		Device: "d", Date: "2026-03-02", Expected: 4 + 2 + 1, Received: 6, Missing: 1, Gaps: []health.Gap{{FromSeq: 102, ToSeq: 102}},
	}, w.completeness("2026-03-02"))
}

// A gateway that was away hears a run after the one that followed it.
func TestAWholeRunThatComesLate(t *testing.T) {
	w := newWorld(t, "d,600")
	at := func(i int64) int64 { return begin + i*minute }
	w.reading(city.Reading{Seq: 100, At: at(1)}, 0)
	w.reading(city.Reading{Seq: 2, At: at(50)}, journal.FlagNewRun)
	w.flush()
	w.reading(city.Reading{Seq: 10, At: at(20)}, journal.FlagNewRun) // the second run, whose last is 12
	w.reopen()
	w.reading(city.Reading{Seq: 12, At: at(22)}, 0)
	w.reading(city.Reading{Seq: 9, At: at(19)}, journal.FlagNewRun) // its first
	w.reading(city.Reading{Seq: 1, At: at(49)}, journal.FlagNewRun) // the third's first
	require.Equal(t, health.Completeness{
		Device: "d", Date: "2026-03-02", Expected: 1 + 4 + 2, Received: 6, Missing: 1, Gaps: []health.Gap{{FromSeq: 11, ToSeq: 11}},
	}, w.completeness("2026-03-02"))
}

// A clock that is years ahead must not cost the past before a person sees it.
func TestNothingGoesWhileTheGatewayHoldsOn(t *testing.T) {
	w := newWorld(t, "d,60")
	w.sent(1, 1, begin)
	w.sent(1, 2, begin+day)
	w.flush()
	aDay := func(from int64) {
		for h := range int64(25) {
			w.tick(from + h*hour)
			w.flush()
		}
	}
	w.hold.Store(true)
	aDay(begin + 10*365*day)
	require.EqualValues(t, 1, w.completeness("2026-03-02").Received)
	w.hold.Store(false)
	aDay(begin + 10*365*day + 2*day)
	require.Zero(t, w.completeness("2026-03-02").Received)
}

// TestQueriesMeanwhile asks from other goroutines while the follower follows.
func TestQueriesMeanwhile(t *testing.T) {
	w := newWorld(t, "d,600")
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			last := int64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				c, err := w.f.Completeness(t.Context(), "d", "2026-03-02")
				if err != nil || c.Received < last || c.Missing != 0 {
					t.Error(c, err)
					return
				}
				last = c.Received
				_ = w.f.Devices()
			}
		})
	}
	for i := range uint64(150) {
		w.sent(1, i, begin+int64(i))
		w.flush()
	}
	close(done)
	wg.Wait()
	require.Equal(t, int64(150), w.completeness("2026-03-02").Received)
}

// Our clock ran ahead, was set right, and a person accepted it.
func TestAClockThatWasSetRight(t *testing.T) {
	w := newWorld(t, "d,60")
	w.now = begin + 30*day
	w.put(journal.Entry{Type: journal.TypeTick})
	w.flush()
	require.True(t, w.f.Devices()[0].Silent)
	w.now = begin + minute
	w.put(journal.Entry{Type: journal.TypeTick})
	w.put(journal.Entry{Type: journal.TypeReading, Reading: &city.Reading{Device: "d", Kind: city.KindSpot, Seq: 1, At: w.now, Spot: &city.Spot{}}})
	w.put(journal.Entry{Type: journal.TypeTick})
	w.apply()
	require.False(t, w.f.Devices()[0].Silent)
	w.now += 4 * minute
	w.put(journal.Entry{Type: journal.TypeTick})
	w.flush()
	require.True(t, w.f.Devices()[0].Silent)
}
