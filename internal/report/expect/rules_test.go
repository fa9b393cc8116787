package expect_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/report/expect"
)

// board is sensors that say what a test wrote.
type board struct {
	stays  []occupancy.Stay
	closed [][2]int64
	point  func(class city.Class, t int64) occupancy.HistoryPoint // nil: all seen, nobody left
	asked  int
	fails  error
}

func (b *board) History(_ context.Context, _ string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error) {
	b.asked++
	if b.fails != nil {
		return nil, b.fails
	}
	var out []occupancy.HistoryPoint
	for t := from; t < to; t += step.Milliseconds() {
		p := occupancy.HistoryPoint{T: t, Coverage: city.SomeMilli(1000), FreeAvg: city.SomeMilli(40_000), OccupiedAvg: city.SomeMilli(0), Departures: city.SomeInt(0)}
		if b.point != nil {
			p = b.point(class, t)
		}
		out = append(out, p)
	}
	return out, nil
}

func (b *board) Stays(_ context.Context, _ string, from, to int64, _ int) ([]occupancy.Stay, error) {
	var out []occupancy.Stay
	for _, s := range b.stays {
		if s.Until >= from && s.Until < to {
			out = append(out, s)
		}
	}
	return out, nil
}

func (b *board) Lulls(context.Context, string, int64, int64) ([]occupancy.Lull, error) {
	return nil, nil
}

func (b *board) Closed(_ string, from, to int64) [][2]int64 {
	var out [][2]int64
	for _, x := range b.closed {
		if x[0] < to && x[1] > from {
			out = append(out, [2]int64{max(x[0], from), min(x[1], to)})
		}
	}
	return out
}

// monday is the day that is asked.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, zone).UnixMilli()

func stayOf(from, minutes int64) occupancy.Stay {
	at := monday + from*minute
	return occupancy.Stay{Device: "d", Class: city.Car, From: at, Until: at + minutes*minute, Known: true}
}

func ask(t *testing.T, b *board, site string, change func(*expect.Question)) expect.Answer {
	t.Helper()
	v := townVersion(t)
	q := expect.Question{Site: v.Site(site), Version: v, Date: "2026-03-02", Now: monday + 48*hour}
	if change != nil {
		change(&q)
	}
	a, err := expect.New(b, zone).Day(t.Context(), q)
	require.NoError(t, err)
	return a
}

func TestStaysThatAreSeenWholeAreExact(t *testing.T) {
	for name, c := range map[string]struct {
		site   string
		stays  []occupancy.Stay
		closed [][2]int64
		want   city.Rupiah
	}{
		"flat":                       {"flat", []occupancy.Stay{stayOf(600, 30), stayOf(700, 300)}, nil, 8000},
		"by the hour":                {"hourly", []occupancy.Stay{stayOf(600, 61)}, nil, 6000},
		"under the street's minimum": {"flat", []occupancy.Stay{stayOf(600, 1), stayOf(610, 2)}, nil, 4000},
		"free at night":              {"hourly", []occupancy.Stay{stayOf(60, 120)}, nil, 0},
		"the day on which it ends":   {"flat", []occupancy.Stay{stayOf(-60, 120), stayOf(1430, 20)}, nil, 4000},
		"ends in a closure":          {"flat", []occupancy.Stay{stayOf(600, 30), stayOf(700, 30)}, [][2]int64{{monday + 11*hour, monday + 13*hour}}, 4000},
		"nobody came":                {"flat", nil, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, &board{stays: c.stays, closed: c.closed}, c.site, nil)
			require.True(t, a.Known, a.Why)
			require.Equal(t, expect.Interval{Low: c.want, Mid: c.want, High: c.want}, a.Expected)
			require.Equal(t, c.want, a.Seen)
			require.InDelta(t, 1, a.Share, 1e-9)
			require.Empty(t, a.Gaps)
			require.True(t, a.Whole)
		})
	}
}

func TestASubscriptionTakesItsStaysOff(t *testing.T) {
	b := &board{stays: []occupancy.Stay{stayOf(600, 30), stayOf(700, 30), stayOf(800, 30)}}
	a := ask(t, b, "flat", func(q *expect.Question) { q.Subscribed = map[city.Class]int{city.Car: 1} })
	require.EqualValues(t, 8000, a.Expected.Mid)
	a = ask(t, b, "flat", func(q *expect.Question) { q.Subscribed = map[city.Class]int{city.ClassNone: 9} })
	require.Zero(t, a.Expected.Mid, "never below nothing")
	require.Zero(t, a.Expected.Low)
}

func TestWhatCannotBeToldIsUnknown(t *testing.T) {
	dark := func(city.Class, int64) occupancy.HistoryPoint { return occupancy.HistoryPoint{} }
	a := ask(t, &board{point: dark}, "flat", nil)
	require.False(t, a.Known)
	require.Equal(t, expect.NoDays, a.Why)
	require.Zero(t, a.Expected)
	require.NotEmpty(t, a.Gaps)

	a = ask(t, &board{}, "flat", func(q *expect.Question) { q.Now = monday })
	require.Equal(t, expect.NotYet, a.Why)
	require.False(t, a.Whole)

	a = ask(t, &board{}, "flat", func(q *expect.Question) { q.Now = monday + 10*hour })
	require.True(t, a.Known)
	require.False(t, a.Whole)

	old := ask(t, &board{stays: []occupancy.Stay{{Device: "d", Class: city.Car, From: time.Date(2019, 1, 7, 9, 0, 0, 0, zone).UnixMilli(), Until: time.Date(2019, 1, 7, 10, 0, 0, 0, zone).UnixMilli(), Known: true}}}, "flat",
		func(q *expect.Question) { q.Date = "2019-01-07" })
	require.Equal(t, expect.NoTariff, old.Why)
}

// TestStaysThatAreNotKeptAnyMore holds that a day whose roll-ups outlived its
// stays is unknown, not worth nothing.
func TestStaysThatAreNotKeptAnyMore(t *testing.T) {
	b := &board{point: func(_ city.Class, at int64) occupancy.HistoryPoint {
		return occupancy.HistoryPoint{T: at, Coverage: city.SomeMilli(1000), FreeAvg: city.SomeMilli(30_000), OccupiedAvg: city.SomeMilli(10_000), Departures: city.SomeInt(9)}
	}}
	a := ask(t, b, "flat", nil)
	require.False(t, a.Known)
	require.Equal(t, expect.NoStays, a.Why)
}

func TestClassesOutOfSightBringNothing(t *testing.T) {
	v := townVersion(t)
	site := *v.Site("flat")
	site.Classes = []city.Class{city.Car, city.Motorcycle, city.Truck}
	site.Capacity = map[city.Class]int{city.Car: 40, city.Motorcycle: 10, city.Truck: 2}
	site.Observed = map[city.Class]float64{city.Truck: 0}
	a := ask(t, &board{stays: []occupancy.Stay{stayOf(600, 30)}}, "flat", func(q *expect.Question) { q.Site = &site })
	require.Equal(t, []city.Class{city.Motorcycle, city.Truck}, a.Unseen)
	require.EqualValues(t, 4000, a.Expected.Mid)

	counted := site
	counted.Detection = inventory.DetectCount
	a = ask(t, &board{}, "flat", func(q *expect.Question) { q.Site = &counted })
	require.Equal(t, expect.NoSensors, a.Why)
}

func TestWhatTheStoreSays(t *testing.T) {
	a := ask(t, &board{fails: &city.Error{Kind: city.KindNotFound}}, "flat", nil)
	require.Equal(t, expect.NoDays, a.Why, "a site of which nothing was heard yet")
	v := townVersion(t)
	_, err := expect.New(&board{fails: context.Canceled}, zone).Day(t.Context(), expect.Question{Site: v.Site("flat"), Version: v, Date: "2026-03-02", Now: monday + 48*hour})
	require.ErrorIs(t, err, context.Canceled)
	_, err = expect.New(&board{}, zone).Day(t.Context(), expect.Question{Site: v.Site("flat"), Version: v, Date: "2 March"})
	require.Error(t, err)
}

// TestOfficialVehiclesPayNothing holds the share of rules.yaml: of two stays of
// 4,000 nine in ten pay.
func TestOfficialVehiclesPayNothing(t *testing.T) {
	v := townVersion(t)
	files := v.Files
	files["rules.yaml"] = []byte("expected: {official_share: 0.1}\n")
	strict, faults := inventory.Parse(files, zone)
	require.Empty(t, faults)
	a := ask(t, &board{stays: []occupancy.Stay{stayOf(600, 30), stayOf(700, 30)}}, "flat", func(q *expect.Question) { q.Version, q.Site = strict, strict.Site("flat") })
	require.EqualValues(t, 7200, a.Expected.Mid)
	require.Less(t, a.Expected.Low, a.Expected.Mid)
	require.Greater(t, a.Expected.High, a.Expected.Mid)
}

// TestAStayWhoseBeginWasNotSeen costs what others paid that were as long and
// longer: here 4,000 or 6,000, by two stays of 30 and 90 minutes.
func TestAStayWhoseBeginWasNotSeen(t *testing.T) {
	begun := stayOf(800, 20)
	begun.Known = false
	a := ask(t, &board{stays: []occupancy.Stay{stayOf(600, 30), stayOf(700, 90), begun}}, "hourly", nil)
	require.True(t, a.Known, a.Why)
	require.EqualValues(t, 10_000, a.Seen)
	require.EqualValues(t, 15_000, a.Expected.Mid)
	require.Less(t, a.Share, 1.0)
	require.Less(t, a.Expected.Low, city.Rupiah(15_000))
}

// TestAClosureIsNoBlindness holds that nothing is expected, and nothing missed,
// while a site is closed and its sensors are silent.
func TestAClosureIsNoBlindness(t *testing.T) {
	closed := [2]int64{monday + 6*hour, monday + 18*hour}
	b := &board{closed: [][2]int64{closed}, stays: []occupancy.Stay{stayOf(20*60, 30)}}
	b.point = func(_ city.Class, at int64) occupancy.HistoryPoint {
		p := occupancy.HistoryPoint{T: at, Coverage: city.SomeMilli(1000), FreeAvg: city.SomeMilli(40_000), OccupiedAvg: city.SomeMilli(0), Departures: city.SomeInt(0), Closed: city.SomeMilli(0)}
		if at >= closed[0] && at < closed[1] {
			return occupancy.HistoryPoint{T: at, Closed: city.SomeMilli(1000)}
		}
		return p
	}
	a := ask(t, b, "flat", nil)
	require.True(t, a.Known, a.Why)
	require.Empty(t, a.Gaps)
	require.Equal(t, expect.Interval{Low: 4000, Mid: 4000, High: 4000}, a.Expected)
}

// TestASilentGateIsBlind holds that an hour in which nobody left, although the
// other days say that many do, is estimated and told.
func TestASilentGateIsBlind(t *testing.T) {
	b := &board{point: func(_ city.Class, at int64) occupancy.HistoryPoint {
		p := occupancy.HistoryPoint{T: at, Coverage: city.SomeMilli(1000), OccupiedAvg: city.SomeMilli(30_000), Departures: city.SomeInt(20)}
		if at >= monday+10*hour && at < monday+14*hour {
			p.Departures = city.SomeInt(0)
		}
		return p
	}}
	a := ask(t, b, "mall", nil)
	require.True(t, a.Known, a.Why)
	require.Len(t, a.Gaps, 1)
	require.Equal(t, [2]int64{monday + 10*hour, monday + 14*hour}, [2]int64{a.Gaps[0].From, a.Gaps[0].To})
	require.Zero(t, a.Gaps[0].Known)
	full := ask(t, b, "mall", func(q *expect.Question) { q.Date = "2026-02-27" })
	require.Empty(t, full.Gaps)
	require.InEpsilon(t, float64(full.Expected.Mid), float64(a.Expected.Mid), 0.1)
	require.Greater(t, a.Expected.High-a.Expected.Low, full.Expected.High-full.Expected.Low)
}

// TestGatesThatContradictEachOther holds that a day on which half of those who
// came were not seen to leave is estimated from other days, and unknown where
// they are all like that.
func TestGatesThatContradictEachOther(t *testing.T) {
	from := monday // since when a gate out counts nobody
	b := &board{point: func(_ city.Class, at int64) occupancy.HistoryPoint {
		p := occupancy.HistoryPoint{T: at, Coverage: city.SomeMilli(1000), OccupiedAvg: city.SomeMilli(30_000), Arrivals: city.SomeInt(20), Departures: city.SomeInt(20)}
		if at >= from {
			p.Departures, p.OccupiedAvg = city.SomeInt(10), city.SomeMilli(100_000)
		}
		return p
	}}
	mall := func(reset string) func(*expect.Question) {
		return func(q *expect.Question) {
			site := *q.Site
			site.ResetAt = reset
			q.Site = &site
		}
	}
	days := ask(t, b, "mall", mall(""))
	require.Empty(t, days.Gaps, "vehicles may stay for days")
	a := ask(t, b, "mall", mall("04:00"))
	require.True(t, a.Known, a.Why)
	require.Len(t, a.Gaps, 1)
	require.Equal(t, [2]int64{monday, monday + 24*hour}, [2]int64{a.Gaps[0].From, a.Gaps[0].To})
	require.Less(t, a.Coverage, 0.01)
	full := ask(t, b, "mall", func(q *expect.Question) { mall("04:00")(q); q.Date = "2026-02-27" })
	require.Empty(t, full.Gaps)
	require.InEpsilon(t, float64(full.Expected.Mid), float64(a.Expected.Mid), 0.1)
	from = 0
	require.False(t, ask(t, b, "mall", mall("04:00")).Known)
	today := ask(t, b, "mall", func(q *expect.Question) { mall("04:00")(q); q.Now = monday + 12*hour })
	require.Empty(t, today.Gaps, "who came today has time to leave")
}

// TestASharedSpaceIsOfAnyClass holds that the interval reaches from the cheapest
// class that may use a space to the dearest.
func TestASharedSpaceIsOfAnyClass(t *testing.T) {
	b := &board{stays: []occupancy.Stay{stayOf(9*60, 30), stayOf(10*60, 30)}}
	shared := func(q *expect.Question) {
		site := *q.Site
		site.Classes, site.Shared = []city.Class{city.Car, city.Motorcycle}, []city.Class{city.Car, city.Motorcycle}
		q.Site = &site
	}
	a := ask(t, b, "flat", shared)
	require.True(t, a.Known, a.Why)
	require.Equal(t, []city.Class{city.Car}, a.Classes)
	require.Equal(t, expect.Interval{Low: 4000, Mid: 6000, High: 8000}, a.Expected)
	b.point = func(_ city.Class, at int64) occupancy.HistoryPoint { // nothing seen on the day
		if at >= monday {
			return occupancy.HistoryPoint{T: at, Coverage: city.SomeMilli(0)}
		}
		return occupancy.HistoryPoint{T: at, Coverage: city.SomeMilli(1000), FreeAvg: city.SomeMilli(40_000), OccupiedAvg: city.SomeMilli(0), Departures: city.SomeInt(2)}
	}
	b.stays = nil
	for day := int64(-60); day < 0; day++ {
		for n := range int64(48) {
			b.stays = append(b.stays, stayOf(day*24*60+n*30, 10))
		}
	}
	one, both := ask(t, b, "flat", nil), ask(t, b, "flat", shared)
	require.True(t, one.Known, one.Why)
	require.InDelta(t, float64(one.Expected.Low)/2, float64(both.Expected.Low), 1)
	require.Equal(t, one.Expected.High, both.Expected.High)
}

func TestOtherDaysAreReadOnce(t *testing.T) {
	town := &board{point: func(_ city.Class, at int64) occupancy.HistoryPoint {
		return occupancy.HistoryPoint{T: at, Coverage: city.SomeMilli(1000), OccupiedAvg: city.SomeMilli(30_000), Departures: city.SomeInt(20)}
	}}
	v := townVersion(t)
	e := expect.New(town, zone)
	q := expect.Question{Site: v.Site("mall"), Version: v, Date: "2026-03-02", Now: monday + 48*hour}
	first, err := e.Day(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, 9, town.asked)
	second, err := e.Day(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, 10, town.asked)
	require.Equal(t, first, second)
	q.Now += 11 * minute
	_, err = e.Day(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, 19, town.asked)
}
