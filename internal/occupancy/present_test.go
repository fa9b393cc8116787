package occupancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
)

func TestSpots(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"a": {"detection": "spots", "capacity": map[string]int{"car": 4}, "accessible": 1}},
		"s1,spot,a,1,car,600,true", "s2,spot,a,2,car,600,", "s3,spot,a,3,car,600,"))
	require.Equal(t, "-+-+4=4 unknown none", row(w.site("a").Classes[0]))
	require.Equal(t, occupancy.QualityNone, w.site("a").Quality)

	w.spot("s1", begin+minute, false)
	require.Equal(t, "1+0+3=4 open partial", row(w.site("a").Classes[0]))
	require.InDelta(t, 0.25, w.site("a").Confidence, 0)
	require.Equal(t, city.SomeInt(1), w.site("a").AccessibleFree)
	require.Equal(t, 1, w.site("a").AccessibleCapacity)

	w.spot("s2", begin+minute, true)
	w.spot("s3", begin+2*minute, true)
	rev := w.site("a").Rev
	require.Equal(t, "1+2+1=4 open live", row(w.site("a").Classes[0]), "the place without a device is unknown, the quality is that of the devices")
	require.Equal(t, begin+2*minute, w.site("a").ObservedAt)

	w.spot("s3", begin+3*minute, true)
	require.Equal(t, rev, w.site("a").Rev, "older, and nothing else")
	require.Equal(t, begin+3*minute, w.site("a").ObservedAt)

	w.spot("s1", begin+4*minute, true)
	require.Equal(t, "0+3+1=4 almost_full live", row(w.site("a").Classes[0]))
	require.Greater(t, w.site("a").Rev, rev)

	w.spot("s1", begin+2*minute, false) // late
	require.Equal(t, "0+3+1=4 almost_full live", row(w.site("a").Classes[0]), "the present is what was observed last")
	w.spot("s1", begin+4*minute, false) // same time, later position
	require.Equal(t, "1+2+1=4 open live", row(w.site("a").Classes[0]))

	w.tick(begin + 31*minute)
	require.Equal(t, "1+1+2=4 open partial", row(w.site("a").Classes[0]), "s2 expired")
	_, spots, ok := w.f.Site("a")
	require.True(t, ok)
	require.Equal(t, []occupancy.SpotState{
		{Spot: "1", Class: city.Car, State: "free", ObservedAt: begin + 4*minute, Accessible: true},
		{Spot: "2", Class: city.Car, State: "unknown", ObservedAt: begin + minute},
		{Spot: "3", Class: city.Car, State: "occupied", ObservedAt: begin + 3*minute},
	}, spots)
	w.tick(begin + 40*minute)
	require.Equal(t, "-+-+4=4 unknown stale", row(w.site("a").Classes[0]))
	require.Equal(t, begin+4*minute, w.site("a").ObservedAt)
	w.spot("s1", begin+9*minute, true)
	require.Equal(t, "-+-+4=4 unknown stale", row(w.site("a").Classes[0]), "expired when it came")
}

func TestGates(t *testing.T) {
	files := folder(map[string]siteFile{"g": {"detection": "gates", "capacity": map[string]int{"car": 10, "motorcycle": 20}, "reset_at": "04:00"}},
		"in,gate,g,,,60,", "out,gate,g,,,60,")
	w := newWorld(t, files)
	require.Equal(t, "-+-+10=10 unknown none", row(w.site("g").Classes[0]))
	at := begin + 5*hour
	w.tick(at)
	w.gate("in", at, city.Car, 3)
	w.gate("out", at+minute, city.Car, -1)
	require.Equal(t, "8+2+0=10 open estimated", row(w.site("g").Classes[0]))
	w.gate("out", at+2*minute, city.Car, -5)
	require.Equal(t, "10+0+0=10 open estimated", row(w.site("g").Classes[0]), "not below 0")
	w.gate("in", at+90*second, city.Car, 4)
	require.Equal(t, "9+1+0=10 open estimated", row(w.site("g").Classes[0]), "a late one is counted at its time: 0+3-1+4-5")
	w.gate("in", at+3*minute, city.Truck, 2)
	require.Equal(t, "7+3+0=10 open estimated", row(w.site("g").Classes[0]), "a class that the site lacks is counted as the first")
	require.Equal(t, int64(1), w.f.Counts().Mapped)
	require.Equal(t, "20+0+0=20 open estimated", row(w.site("g").Classes[1]))
	w.gate("in", at+4*minute, city.Car, 12)
	require.Equal(t, "0+15+0=10 full estimated", row(w.site("g").Classes[0]), "overfull as counted")

	w.tick(begin + 28*hour) // reset of the next day
	require.Equal(t, "10+0+0=10 open estimated", row(w.site("g").Classes[0]))
	w.gate("in", at+5*minute, city.Car, 7) // of yesterday
	require.Equal(t, "10+0+0=10 open estimated", row(w.site("g").Classes[0]), "a late one changes nothing past the reset")
	w.tick(at + 5*minute + 25*hour)
	require.Equal(t, "-+-+10=10 unknown stale", row(w.site("g").Classes[0]), "silent for a day")
	w.reading(city.Reading{Device: "in", Kind: city.KindHealth, At: at + 5*minute + 25*hour, Health: &city.Health{}})
	require.Equal(t, "10+0+0=10 open estimated", row(w.site("g").Classes[0]), "a gate that says it is well is heard")
}

func TestSharedSpace(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"g": {"detection": "gates", "capacity": map[string]int{"car": 10, "motorcycle": 10}, "shared": []string{"car", "motorcycle"}}}, "in,gate,g,,,60,"))
	w.gate("in", begin, city.Car, 3)
	w.gate("in", begin+1, city.Motorcycle, 4)
	w.gate("in", begin+2, city.Car, -5)
	s := w.site("g")
	require.Equal(t, "6+4+0=10 open estimated", row(s.Classes[0]), "cars do not fall below 0, motorcycles stay")
	require.Equal(t, row(s.Classes[0]), row(s.Classes[1]), "one space")
	require.Equal(t, city.Motorcycle, s.Classes[1].Class)
}

func TestCounts(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{"c": {"detection": "count", "capacity": map[string]int{"car": 100}}},
		"n,count,c,,car,600,", "s,count,c,,,600,"))
	w.counted("n", begin+minute, 30)
	require.Equal(t, "35+30+35=100 open partial", row(w.site("c").Classes[0]), "what the other would see is unknown, as where it has expired")
	require.InDelta(t, 0.65, w.site("c").Confidence, 0)
	w.counted("s", begin+2*minute, 45)
	require.Equal(t, "25+75+0=100 open live", row(w.site("c").Classes[0]), "their sum")
	w.counted("s", begin+3*minute, 75)
	require.Equal(t, "0+105+0=100 full live", row(w.site("c").Classes[0]), "overfull as counted")
	w.tick(begin + 32*minute)
	require.Equal(t, "12+75+13=100 open partial", row(w.site("c").Classes[0]), "of the 25 places left half is unknown with half of the counters")
	w.tick(begin + 34*minute)
	require.Equal(t, "-+-+100=100 unknown stale", row(w.site("c").Classes[0]))
}

// The past says the same as the present of a counter that was never heard.
func TestACounterThatWasNeverHeard(t *testing.T) {
	sites := map[string]siteFile{"c": {"detection": "count", "capacity": map[string]int{"car": 100}}}
	w := newWorld(t, folder(sites, "n,count,c,,car,36000,"))
	w.counted("n", begin, 40)
	w.tick(begin + 10*minute)
	w.version(folder(sites, "n,count,c,,car,36000,", "new,count,c,,car,36000,"))
	require.Equal(t, "30+40+30=100 open partial", row(w.site("c").Classes[0]))
	w.tick(begin + 20*minute)
	w.counted("new", begin+20*minute, 10)
	w.tick(begin + 30*minute)
	require.Equal(t, "50+50+0=100 open live", row(w.site("c").Classes[0]))
	w.reopen()
	points := w.history("c", city.Car, begin, begin+30*minute, 10*minute)
	for i, free := range []int64{60_000, 30_000, 50_000} {
		require.Equal(t, city.SomeMilli(free), points[i].FreeAvg, i)
	}
}

func TestClosures(t *testing.T) {
	files := folder(map[string]siteFile{"c": {"detection": "count", "capacity": map[string]int{"car": 100}}}, "n,count,c,,car,36000,")
	files["closures.csv"] = []byte("site,from,to,reason,places_lost\nc,2026-03-02 02:00,2026-03-02 03:00,works,40\n")
	w := newWorld(t, files)
	w.counted("n", begin, 30)
	w.put(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "x", Site: "c", From: begin + hour, Reason: "flood"}})
	require.Equal(t, "70+30+0=100 open live", row(w.site("c").Classes[0]))
	w.tick(begin + hour)
	require.Equal(t, "70+30+0=100 closed live", row(w.site("c").Classes[0]))
	require.True(t, w.site("c").Closed)
	w.tick(begin + hour + 30*minute)
	w.put(journal.Entry{Type: journal.TypeReopen, Closure: &journal.Closure{ID: "x"}})
	require.Equal(t, "70+30+0=100 open live", row(w.site("c").Classes[0]))
	w.tick(begin + 2*hour)
	require.Equal(t, "30+30+0=60 open live", row(w.site("c").Classes[0]))
	w.flush()
	w.reopen()
	w.tick(begin + 4*hour)
	require.Equal(t, "70+30+0=100 open live", row(w.site("c").Classes[0]))
	points := w.history("c", city.Car, begin, begin+4*hour, 30*minute)
	require.Len(t, points, 8)
	for i, want := range []struct{ free, closed int64 }{{70, 0}, {70, 0}, {70, 1000}, {70, 0}, {30, 0}, {30, 0}, {70, 0}, {70, 0}} {
		require.Equal(t, city.SomeMilli(want.free*1000), points[i].FreeAvg, i)
		require.Equal(t, city.SomeMilli(want.closed), points[i].Closed, i)
		require.Equal(t, city.SomeMilli(1000), points[i].Coverage, i)
		require.Equal(t, city.Int{}, points[i].Arrivals, "a count does not tell who came")
	}
}

func TestInventoryChanges(t *testing.T) {
	w := newWorld(t, folder(map[string]siteFile{
		"a": {"detection": "spots", "capacity": map[string]int{"car": 2}},
		"b": {"detection": "count", "capacity": map[string]int{"car": 10}},
	}, "s1,spot,a,1,car,36000,", "s2,spot,a,2,car,36000,", "n,count,b,,car,36000,"))
	w.spot("s1", begin, true)
	w.spot("s2", begin, true)
	w.counted("n", begin, 4)
	w.tick(begin + hour)
	w.version(folder(map[string]siteFile{
		"a": {"detection": "spots", "capacity": map[string]int{"car": 1}},
		"d": {"detection": "spots", "capacity": map[string]int{"car": 1}},
	}, "s1,spot,a,1,car,36000,", "s2,spot,d,2,car,36000,"))
	w.tick(begin + 2*hour)
	require.Equal(t, "0+1+0=1 full live", row(w.site("a").Classes[0]))
	require.Equal(t, "-+-+1=1 unknown none", row(w.site("d").Classes[0]), "the sensor has not spoken at its new place")
	require.Len(t, w.f.Sites(), 2)
	w.spot("s2", begin+30*minute, false) // of the time before
	w.spot("s2", begin+90*minute, false)
	require.Equal(t, "1+0+0=1 open live", row(w.site("d").Classes[0]))
	check := func() {
		for _, c := range []struct {
			site      string
			free, occ []int64 // each half hour; -1 a gap
		}{
			{"a", []int64{0, 1, 0, 0}, []int64{2, 1, 1, 1}},
			{"b", []int64{6, 6, -1, -1}, []int64{4, 4, -1, -1}},
			{"d", []int64{-1, -1, -1, 1}, []int64{-1, -1, -1, 0}},
		} {
			points := w.history(c.site, city.ClassNone, begin, begin+2*hour, 30*minute)
			for i, p := range points {
				if c.free[i] < 0 {
					require.Equal(t, occupancy.HistoryPoint{T: p.T, Coverage: city.SomeMilli(0), Closed: city.SomeMilli(0)}, p, "%s %d", c.site, i)
					continue
				}
				require.Equal(t, city.SomeMilli(c.free[i]*1000), p.FreeAvg, "%s %d", c.site, i)
				require.Equal(t, city.SomeMilli(c.occ[i]*1000), p.OccupiedAvg, "%s %d", c.site, i)
				require.Equal(t, city.SomeMilli(1000), p.Coverage, "%s %d", c.site, i)
			}
		}
	}
	check()
	w.flush()
	w.reopen()
	check()
}
