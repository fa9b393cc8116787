package traffic_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/traffic"
)

func TestClosures(t *testing.T) {
	t.Parallel()
	// 2026-03-04 is a Wednesday; the file closes b every Wednesday from 13:00 to 14:00.
	v := parse(t, files(t, "", "segment,from,to,rrule,reason\nb,2026-02-04T13:00:00Z,2026-02-04T14:00:00Z,FREQ=WEEKLY;BYDAY=WE,cfd\n", divided("a"), divided("b")))
	r := newRig(t, v)
	at := func(now int64) string {
		r.tick(now)
		return r.segment("a").Status + " " + r.segment("b").Status
	}
	require.Equal(t, "open open", at(noon))
	r.append(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "c1", Segment: "a", From: noon + 10*minute, Until: noon + 3*hour, Reason: "flood"}})
	require.Equal(t, "open open", at(noon+9*minute))
	require.Equal(t, "closed open", at(noon+10*minute))
	require.NoError(t, r.f.Flush())
	r.reopen()
	require.Equal(t, "closed closed", at(noon+hour))
	r.append(journal.Entry{Type: journal.TypeReopen, Closure: &journal.Closure{ID: "c1"}})
	require.Equal(t, "open closed", at(noon+hour))
	require.Equal(t, "open open", at(noon+2*hour))
	r.append(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "c2", Segment: "a", From: noon, Reason: "works", PlacesLost: city.SomeInt(3)}})
	require.Equal(t, "limited open", at(noon+2*hour))
	r.append(journal.Entry{Type: journal.TypeDay, Day: &journal.Day{Date: "2026-03-04", Closures: []journal.Closure{{ID: "c3", Segment: "b", From: noon, Reason: "event"}}}})
	require.Equal(t, "limited closed", at(noon+2*hour), "a day's begin tells what is open")
	require.NoError(t, r.f.Flush())
	r.reopen()
	require.Equal(t, "limited closed", at(noon+2*hour))
}

// TestClosureInsideAMinute holds that a closure which is set, ends or is taken
// back between two minutes is told at once, not with the next minute.
func TestClosureInsideAMinute(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, "", "", divided("a"), divided("b"))))
	at := func(now int64) string {
		r.tick(now)
		return r.segment("a").Status
	}
	closure := func(id string, from, until int64) {
		r.append(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: id, Segment: "a", From: from, Until: until, Reason: "flood"}})
	}
	const second = minute / 60
	require.Equal(t, "open", at(noon))
	require.Equal(t, "open", at(noon+20*second))
	closure("c1", noon+10*second, 0)
	require.Equal(t, "closed", r.segment("a").Status, "from a moment of this minute on")
	require.Equal(t, "closed", at(noon+30*second))
	r.append(journal.Entry{Type: journal.TypeReopen, Closure: &journal.Closure{ID: "c1"}})
	require.Equal(t, "open", r.segment("a").Status, "taken back in the minute in which it held")
	closure("c2", noon+35*second, noon+40*second)
	require.Equal(t, "open", r.segment("a").Status)
	require.Equal(t, "closed", at(noon+35*second))
	require.NoError(t, r.f.Flush())
	r.reopen()
	require.Equal(t, "closed", at(noon+39*second))
	require.Equal(t, "open", at(noon+40*second), "the end is no part of it")
}

func TestCongestion(t *testing.T) {
	t.Parallel()
	devices, segments := many(14)
	r := newRig(t, parse(t, files(t, devices, "", segments...)))
	c := r.f.Congestion()
	require.False(t, c.Index.OK, "nothing was measured")
	require.Equal(t, 14, c.Levels["unknown"])
	require.Empty(t, c.Worst)
	require.Len(t, c.Levels, 7)

	r.reading("ds00", noon, 60, ln(1, 0, 0, 0), ln(2, 0, 0, 0))
	c = r.f.Congestion()
	require.Equal(t, city.SomeMilli(0), c.Index, "measured, and nobody drove")

	// All lines are equally long: weights are flows. s12 is closed, s13 silent.
	var weight, sum float64
	for i := 1; i < 13; i++ {
		kmh := float64(60 - 2*i)
		n := uint32(i)
		r.reading(fmt.Sprintf("ds%02d", i), noon+second, 60, speed(ln(1, 0, n, 0), kmh), speed(ln(2, 0, n, 0), kmh))
		if i < 12 {
			weight += float64(n)
			sum += float64(n) * 10 * (1 - kmh/60)
		}
	}
	r.append(journal.Entry{Type: journal.TypeClosure, Closure: &journal.Closure{ID: "c", Segment: "s12", From: noon, Reason: "cfd"}})
	c = r.f.Congestion()
	require.InDelta(t, sum/weight, val(c.Index), 0.001)
	require.Equal(t, 13, c.Levels["A"]+c.Levels["B"]+c.Levels["C"])
	require.Equal(t, 1, c.Levels["unknown"])
	require.Len(t, c.Worst, 10)
	require.Equal(t, "s11", c.Worst[0].ID)
	require.Equal(t, "s02", c.Worst[9].ID)
	require.Equal(t, noon+second, c.ObservedAt)
}

// TestInventoryChange: from a version's acceptance on, a device's lanes go
// where that version says; what they said before stays where it was.
func TestInventoryChange(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 300), "", divided("a"), divided("b"))))
	r.reading("d", noon+5*minute, 300, ln(1, 0, 5, 0), ln(2, 0, 5, 0))
	r.now = noon + hour
	r.accept(parse(t, files(t, device("d", "b", 300), "", divided("b"))))
	r.reading("d", noon+hour+5*minute, 300, ln(1, 0, 7, 0), ln(2, 0, 7, 0))
	r.reading("d", noon+10*minute, 300, ln(1, 0, 1, 0), ln(2, 0, 1, 0)) // late: of the time of the first version
	require.Equal(t, int64(14), r.counts("b", noon, noon+2*hour).KR)
	_, known := r.f.Segment("a")
	require.False(t, known, "the new version has no such segment")
	r.accept(parse(t, files(t, device("d", "b", 300), "", divided("a"), divided("b"))))
	require.Equal(t, int64(12), r.counts("a", noon, noon+2*hour).KR)

	// A device of a newer version that spoke before it was in the inventory.
	r.reading("new", noon+hour+10*minute, 300, ln(1, 0, 1, 0))
	r.accept(parse(t, files(t, device("new", "a", 300), "", divided("a"))))
	r.reading("new", noon+20*minute, 300, ln(1, 0, 3, 0))
	require.Equal(t, int64(15), r.counts("a", noon, noon+2*hour).KR)
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	v := parse(t, files(t, device("d", "a", 300), "", divided("a")))
	r := newRig(t, v)
	before := r.f.Segments()
	r.reading("stranger", noon, 60, ln(1, 0, 1, 0))
	r.reading("d", noon, 60, back(ln(1, 0, 1, 0))) // there is no opposite
	require.NoError(t, r.f.Apply(r.entries), "entries that were applied are ignored")
	require.Equal(t, before, r.f.Segments())
	require.Equal(t, traffic.Counts{}, r.counts("a", noon-hour, noon+hour))
}

func TestChangedAndRev(t *testing.T) {
	t.Parallel()
	r := newRig(t, parse(t, files(t, device("d", "a", 60), "", divided("a"), divided("b"))))
	drained := func() bool {
		select {
		case <-r.f.Changed():
			return true
		default:
			return false
		}
	}
	require.True(t, drained())
	require.False(t, drained(), "one signal waits, no more")
	a, b := r.segment("a").Rev, r.segment("b").Rev
	r.reading("d", noon, 60, ln(1, 0, 1, 0), ln(2, 0, 1, 0))
	require.True(t, drained())
	require.Greater(t, r.segment("a").Rev, a)
	require.Equal(t, b, r.segment("b").Rev)
	a = r.segment("a").Rev
	r.tick(noon + minute)
	require.True(t, drained())
	require.Equal(t, a, r.segment("a").Rev, "a tick alone changes nothing")
	r.append(journal.Entry{Type: journal.TypeTally, Tally: &journal.Tally{Device: "d", Duplicates: 1}})
	require.False(t, drained())
}

func TestRetention(t *testing.T) {
	t.Parallel()
	v := parse(t, files(t, device("d", "a", 300), "", divided("a")))
	r := newRig(t, v)
	r.reading("d", noon, 300, ln(1, 0, 5, 0))
	require.NoError(t, r.f.Flush())
	r.reading("d", noon+9*24*hour, 300, ln(1, 0, 7, 0))
	require.NoError(t, r.f.Flush())
	require.NoError(t, r.f.Close())
	hold := true
	f, err := traffic.Open(t.Context(), r.path, traffic.Options{Timeline: r.timeline, Retain: 48 * time.Hour, Hold: func() bool { return hold }})
	require.NoError(t, err)
	r.f = f
	t.Cleanup(func() { _ = f.Close() })
	require.Equal(t, int64(12), r.counts("a", noon-hour, noon+20*24*hour).KR)
	r.tick(noon + 10*24*hour)
	require.NoError(t, f.Flush())
	require.Equal(t, int64(12), r.counts("a", noon-hour, noon+20*24*hour).KR, "held")
	hold = false
	r.tick(noon + 10*24*hour)
	require.NoError(t, f.Flush())
	require.Equal(t, int64(7), r.counts("a", noon-hour, noon+20*24*hour).KR)
	r.reading("d", noon-9*365*24*hour, 300, ln(1, 0, 3, 0)) // a replay of old data
	require.NoError(t, f.Flush())
	r.tick(noon + 11*24*hour)
	require.NoError(t, f.Flush())
	require.Equal(t, int64(3), r.counts("a", noon-10*365*24*hour, noon).KR)
	r.tick(noon + 13*24*hour)
	require.NoError(t, f.Flush())
	require.Zero(t, r.counts("a", noon-10*365*24*hour, noon).KR)
}
