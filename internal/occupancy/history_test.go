package occupancy_test

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/occupancy"
)

func TestHistorySteps(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 1}}}, "s,spot,a,1,car,1200,"))
	w.spot("s", begin+hour, false)
	w.spot("s", begin+hour+30*minute, true)
	w.spot("s", begin+hour+45*minute, false)
	w.tick(begin + 26*hour + 2*minute)

	day := w.history("a", city.ClassNone, begin, begin+48*hour, 24*hour)
	require.Equal(t, []occupancy.HistoryPoint{
		{
			T: begin, FreeAvg: city.SomeMilli(857), FreeMin: city.SomeInt(0), OccupiedAvg: city.SomeMilli(143),
			Arrivals: city.SomeInt(1), Departures: city.SomeInt(1), Coverage: city.SomeMilli(72), Closed: city.SomeMilli(0),
		},
		{T: begin + 24*hour, Coverage: city.SomeMilli(0), Closed: city.SomeMilli(0)},
	}, day, "a day is the city's; 90 of 105 known minutes free")

	points := w.history("a", city.Car, begin+hour+1, begin+hour+32*minute, 15*minute)
	require.Len(t, points, 2, "the points that begin in the time asked for")
	require.Equal(t, begin+hour+15*minute, points[0].T)
	require.Equal(t, city.SomeMilli(0), points[1].FreeAvg)
	require.Equal(t, city.SomeInt(1), points[1].Arrivals)

	w.spot("s", begin+26*hour+minute, true)
	open := w.history("a", city.Car, begin+26*hour, begin+26*hour+5*minute, 5*minute)
	require.Equal(t, city.SomeMilli(200), open[0].Coverage, "the open bucket, up to the newest tick")
	require.Equal(t, city.SomeMilli(1000), open[0].OccupiedAvg)
	require.Equal(t, city.SomeInt(0), open[0].Arrivals, "whether one came in the silence is not known")

	for _, c := range []struct{ from, to, step int64 }{{begin, begin + hour, minute}, {begin, begin + hour, 0}, {0, begin, 5 * minute}} {
		_, err := w.f.History(t.Context(), "a", city.Car, c.from, c.to, c.step)
		require.Equal(t, city.KindInvalid, city.KindOf(err))
	}
	for _, site := range []string{"a", "nowhere"} {
		_, err := w.f.History(t.Context(), site, city.Bus, begin, begin+hour, 5*minute)
		require.Equal(t, city.KindNotFound, city.KindOf(err))
	}
}

// TestLateReading: it corrects from its time to the next reading, whether that
// is in memory or long written.
func TestLateReading(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 1}}}, "s,spot,a,1,car,7200,"))
	for at := begin; at < begin+24*hour; at += 2 * minute {
		w.spot("s", at, false)
	}
	w.tick(begin + 24*hour)
	w.flush()
	w.reopen()
	w.spot("s", begin+61*minute, true)
	points := w.history("a", city.Car, begin+hour, begin+hour+10*minute, 5*minute)
	require.Equal(t, city.SomeMilli(200), points[0].OccupiedAvg, "one minute of five, to the next reading")
	require.Equal(t, []city.Int{city.SomeInt(1), city.SomeInt(1)}, []city.Int{points[0].Arrivals, points[0].Departures})
	require.Equal(t, city.SomeMilli(0), points[1].OccupiedAvg)
	require.Equal(t, "1+0+0=1 open live", row(w.site("a").Classes[0]))
	w.flush()
	stays, err := w.f.Stays(t.Context(), "a", 0, w.now, 10)
	require.NoError(t, err)
	require.Equal(t, []occupancy.Stay{{Device: "s", Class: city.Car, From: begin + 61*minute, Until: begin + 62*minute, Known: true}}, stays)
}

func TestRetention(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 1}}}, "s,spot,a,1,car,3600,"),
		func(o *occupancy.Options) { o.ObservationDays, o.StayDays, o.RollupDays, o.ChunkSize = 2, 3, 5, 4 })
	for day := range int64(8) {
		for h := range int64(24) {
			w.spot("s", begin+day*24*hour+h*hour, h%2 == 1)
			w.tick(begin + day*24*hour + h*hour)
			w.flush()
		}
	}
	now := begin + 8*24*hour
	stays, err := w.f.Stays(t.Context(), "a", 0, now, 1000)
	require.NoError(t, err)
	require.InDelta(t, 3*12, len(stays), 2)
	points := w.history("a", city.Car, begin, now, 24*hour)
	for day, p := range points {
		require.Equal(t, day >= 2, p.Coverage.V > 0, "day %d", day)
	}
	before := points[6]
	w.spot("s", begin+2*24*hour, true)
	w.flush()
	require.Equal(t, int64(1), w.f.Counts().Forgotten, "its time is forgotten, and nothing of it changes")
	require.Equal(t, before, w.history("a", city.Car, begin, now, 24*hour)[6])
	w.reopen()
	require.Equal(t, points, w.history("a", city.Car, begin, now, 24*hour))
	require.Equal(t, int64(1), w.f.Counts().Forgotten)
}

// A clock that is years ahead must not cost the past before a person sees it.
func TestNothingGoesWhileTheGatewayHoldsOn(t *testing.T) {
	var hold atomic.Bool
	hold.Store(true)
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 1}}}, "s,spot,a,1,car,3600,"),
		func(o *occupancy.Options) { o.Hold = hold.Load })
	for h := range int64(72) {
		w.spot("s", begin+h*hour, h%2 == 1)
		w.tick(begin + h*hour)
		w.flush()
	}
	before := w.history("a", city.Car, begin, begin+24*hour, hour)
	ahead := begin + 10*365*24*hour
	for m := range int64(2) {
		w.tick(ahead + m*minute)
		w.flush()
	}
	require.Equal(t, before, w.history("a", city.Car, begin, begin+24*hour, hour))
	hold.Store(false)
	w.tick(ahead + 2*minute)
	w.flush()
	for _, p := range w.history("a", city.Car, begin, begin+24*hour, hour) {
		require.Zero(t, p.Coverage.V)
	}
}

// TestReplayOfOldData: a source may be opened for data that is years old; it
// makes history, and a present that is stale.
func TestReplayOfOldData(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{
		"c": {"detection": "count", "capacity": map[string]int{"car": 500}},
		"g": {"detection": "gates", "capacity": map[string]int{"car": 500}, "reset_at": "03:00"},
	}, "n,count,c,,car,1800,", "in,gate,g,,,,"))
	old := begin - 10*365*24*hour
	for i := range int64(400) {
		w.counted("n", old+i*30*minute, uint32(i%100))
		w.gate("in", old+i*30*minute, city.Car, 1)
		if i%50 == 0 {
			w.flush()
		}
	}
	w.flush()
	require.Equal(t, "-+-+500=500 unknown stale", row(w.site("c").Classes[0]))
	require.Equal(t, old+399*30*minute, w.site("c").ObservedAt)
	require.Equal(t, occupancy.QualityStale, w.site("g").Quality)
	for i, p := range w.history("c", city.Car, old, old+400*30*minute, 30*minute) {
		require.Equal(t, city.SomeMilli(int64(i%100)*1000), p.OccupiedAvg, i)
		require.Equal(t, city.SomeMilli(1000), p.Coverage, i)
	}
	level := int64(0)
	for i, p := range w.history("g", city.Car, old, old+400*30*minute, 30*minute) {
		if i%48 == 6 {
			level = 0
		}
		level++
		require.Equal(t, city.SomeMilli(level*1000), p.OccupiedAvg, i)
		require.Equal(t, city.SomeInt(1), p.Arrivals, i)
	}
}

// TestFoldGoesOn: a reading that comes in the very moment in which the one
// before expires is a change, also where the fold was stopped just there.
func TestFoldGoesOn(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 2}}}, "s,spot,a,1,car,120,", "x,spot,a,2,car,120,"))
	w.tick(begin + minute)
	w.spot("s", begin-330*second, true)
	w.spot("s", begin+30*second, false)
	w.spot("x", begin+2*minute, true)
	for range 3 {
		p := w.history("a", city.Car, begin, begin+5*minute, 5*minute)[0]
		require.Equal(t, city.SomeInt(1), p.Departures)
		w.tick(w.now + 10*minute)
	}
}
