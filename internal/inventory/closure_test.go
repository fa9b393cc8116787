package inventory_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
)

const closureHeader = "id,site,segment,from,to,rrule,except,reason,places_lost\n"

// closed reads an inventory of site S-1 and segment A-1 with these closures.
func closed(tb testing.TB, rows ...string) *inventory.Version {
	tb.Helper()
	files, err := inventory.ReadDir("testdata/good/site-alone")
	require.NoError(tb, err)
	segments, err := inventory.ReadDir("testdata/good/segment-alone")
	require.NoError(tb, err)
	v, faults := inventory.Parse(map[string][]byte{
		"sites.geojson": files["sites.geojson"], "segments.geojson": segments["segments.geojson"],
		"closures.csv": []byte(closureHeader + strings.Join(rows, "\n")),
	}, jakarta(tb))
	require.Empty(tb, faults)
	return v
}

func moment(tb testing.TB, text string) int64 {
	tb.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, jakarta(tb))
	require.NoError(tb, err)
	return at.UnixMilli()
}

func TestClosureState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, row    string
		open, closed []string
	}{
		{"once", "c,S-1,,2026-01-04T06:00:00+07:00,2026-01-04T10:00:00+07:00,,,event,", []string{"2026-01-04 05:59", "2026-01-04 10:00", "2026-01-11 07:00"}, []string{"2026-01-04 06:00", "2026-01-04 09:59"}},
		{"another zone", "c,S-1,,2026-01-03T23:00:00Z,2026-01-04T03:00:00Z,,,event,", []string{"2026-01-04 05:59", "2026-01-04 10:00"}, []string{"2026-01-04 06:00"}},
		{"open end", "c,S-1,,2026-01-04,,,,works,", []string{"2026-01-03 23:59"}, []string{"2026-01-04 00:00", "2099-01-01 00:00"}},
		{"whole days", "c,S-1,,2026-01-04,2026-01-06,,,works,", []string{"2026-01-06 00:00"}, []string{"2026-01-05 23:59"}},
		{"days cut out", "c,S-1,,2026-01-04,2026-01-08,,2026-01-07 2026-01-05,works,", []string{"2026-01-05 00:00", "2026-01-05 23:59", "2026-01-07 12:00"}, []string{"2026-01-04 23:59", "2026-01-06 00:00"}},
		{"open end, a day cut out", "c,S-1,,2026-01-04,,,2026-01-05,works,", []string{"2026-01-05 12:00"}, []string{"2026-01-04 12:00", "2030-01-01 00:00"}},
		{"weekly", "c,S-1,,2026-01-04 06:00,2026-01-04 10:00,FREQ=WEEKLY;BYDAY=SU,2026-01-18,cfd,", []string{"2025-12-28 07:00", "2026-01-18 07:00", "2026-01-05 07:00", "2026-01-11 10:00"}, []string{"2026-01-04 07:00", "2026-01-11 06:00", "2026-01-25 09:59", "2036-01-06 07:00"}},
		{"until a day", "c,S-1,,2026-01-04 06:00,2026-01-04 10:00,FREQ=DAILY;UNTIL=20260106,,cfd,", []string{"2026-01-07 07:00"}, []string{"2026-01-06 07:00"}},
		{"count", "c,S-1,,2026-01-04 06:00,2026-01-04 10:00,FREQ=DAILY;COUNT=2,,cfd,", []string{"2026-01-06 07:00"}, []string{"2026-01-05 07:00"}},
		{"past midnight", "c,S-1,,2026-01-03 22:00,2026-01-04 02:00,FREQ=WEEKLY,2026-01-11,cfd,", []string{"2026-01-04 02:00", "2026-01-10 21:59"}, []string{"2026-01-04 01:59", "2026-01-11 01:00", "2026-01-17 23:00"}},
		{"longer than its step", "c,S-1,,2026-01-04 06:00,2026-01-05 12:00,FREQ=DAILY;COUNT=3,,works,", []string{"2026-01-07 12:00"}, []string{"2026-01-05 03:00", "2026-01-07 11:59"}},
		{"first Sunday", "c,S-1,,2026-01-04 06:00,2026-01-04 10:00,FREQ=MONTHLY;BYDAY=1SU,,cfd,", []string{"2026-01-11 07:00"}, []string{"2026-02-01 07:00", "2026-03-01 07:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, set := closed(t, c.row), inventory.NewClosureSet()
			for range 2 { // again from what was expanded
				for _, at := range c.closed {
					is, lost, reason := set.State(v, "S-1", "", moment(t, at))
					require.True(t, is, "closed at %s", at)
					require.Zero(t, lost)
					require.NotEmpty(t, reason)
				}
				for _, at := range c.open {
					is, lost, reason := set.State(v, "S-1", "", moment(t, at))
					require.False(t, is, "open at %s", at)
					require.Zero(t, lost)
					require.Empty(t, reason)
				}
			}
			is, _, _ := set.State(v, "S-2", "A-1", moment(t, c.closed[0]))
			require.False(t, is, "another place")
		})
	}
}

func TestPlacesLost(t *testing.T) {
	t.Parallel()
	v := closed(t, "a,S-1,,2026-01-04,2026-01-08,,,works,2", "b,S-1,,2026-01-05,2026-01-07,,,event,1", "c,S-1,,2026-01-06,2026-01-07,,,flood,", "d,,A-1,2026-01-06,2026-01-07,,,cfd,")
	set := inventory.NewClosureSet()
	for at, want := range map[string]string{
		"2026-01-04 12:00": "false 2 works", "2026-01-05 12:00": "false 3 works", "2026-01-06 12:00": "true 0 flood", "2026-01-07 12:00": "false 2 works", "2026-01-08 12:00": "false 0 ",
	} {
		is, lost, reason := set.State(v, "S-1", "", moment(t, at))
		require.Equal(t, want, fmt.Sprint(is, " ", lost, " ", reason), at)
	}
	is, _, reason := set.State(v, "", "A-1", moment(t, "2026-01-06 12:00"))
	require.True(t, is)
	require.Equal(t, "cfd", reason)
	is, _, _ = set.State(v, "S-9", "A-1", moment(t, "2026-01-06 12:00"))
	require.True(t, is, "a closed road closes the site on it, where both are asked")
}

func TestClosuresOfTheAPI(t *testing.T) {
	t.Parallel()
	v, set := closed(t), &inventory.ClosureSet{}
	at := func(text string) bool {
		is, _, _ := set.State(v, "S-1", "", moment(t, text))
		return is
	}
	set.Put(inventory.Closure{ID: "x", Site: "S-1", From: moment(t, "2026-01-04 06:00"), Reason: "flood", Note: "deep", RRule: "FREQ=DAILY"})
	require.True(t, at("2026-01-09 12:00"))
	require.False(t, at("2026-01-04 05:00"))
	is, _, reason := set.State(nil, "S-1", "", moment(t, "2026-01-05 12:00"))
	require.True(t, is, "without a version those of the API hold")
	require.Equal(t, "flood", reason)

	require.True(t, set.Reopen("x", moment(t, "2026-01-08 00:00")))
	require.False(t, at("2026-01-09 12:00"))
	require.True(t, at("2026-01-07 12:00"), "before it was reopened it was closed")
	require.False(t, set.Reopen("x", moment(t, "2026-01-09 00:00")), "it has ended")
	require.False(t, set.Reopen("y", 0))

	set.Put(inventory.Closure{ID: "x", Site: "S-1", From: moment(t, "2026-02-01 00:00"), Until: moment(t, "2026-02-02 00:00"), Reason: "works", PlacesLost: city.SomeInt(1)})
	require.False(t, at("2026-01-07 12:00"), "the same id is replaced")
	_, lost, _ := set.State(v, "S-1", "", moment(t, "2026-02-01 12:00"))
	require.Equal(t, 1, lost)
	set.Put(inventory.Closure{ID: "w", Segment: "A-1", From: 0, Reason: "event"})
	require.Equal(t, []string{"w", "x"}, ids(set.Closures()))
	require.True(t, set.Reopen("x", moment(t, "2026-01-15 00:00")), "before it began")
	require.Equal(t, []string{"w"}, ids(set.Closures()))
	require.True(t, set.Remove("w"))
	require.False(t, set.Remove("w"))
	require.Empty(t, set.Closures())
}

func ids(closures []inventory.Closure) (out []string) {
	for _, c := range closures {
		out = append(out, c.ID)
	}
	return out
}

func TestSpans(t *testing.T) {
	t.Parallel()
	v := closed(t, "c,S-1,,2026-01-04 06:00,2026-01-04 10:00,FREQ=WEEKLY,2026-01-11,cfd,", "w,S-1,,2026-01-17,,,,works,1", "r,,A-1,2026-01-18,2026-01-19,,,event,")
	set := inventory.NewClosureSet()
	set.Put(inventory.Closure{ID: "f", Site: "S-1", From: moment(t, "2026-01-25 07:00"), Until: moment(t, "2026-01-25 08:00"), Reason: "flood", Note: "deep"})
	show := func(spans []inventory.Span) (out []string) {
		for _, s := range spans {
			to := "open"
			if s.To != 0 {
				to = time.UnixMilli(s.To).In(jakarta(t)).Format("02 15:04")
			}
			out = append(out, fmt.Sprint(s.ID, " ", s.Site, s.Segment, " ", time.UnixMilli(s.From).In(jakarta(t)).Format("02 15:04"), " to ", to, " ", s.Reason, " ", s.PlacesLost.V, " ", s.API, s.Note))
		}
		return out
	}
	month := []string{
		"c S-1 04 06:00 to 04 10:00 cfd 0 false", "w S-1 17 00:00 to open works 1 false",
		"c S-1 18 06:00 to 18 10:00 cfd 0 false", "c S-1 25 06:00 to 25 10:00 cfd 0 false", "f S-1 25 07:00 to 25 08:00 flood 0 truedeep",
	}
	from, to := moment(t, "2026-01-01 00:00"), moment(t, "2026-01-31 00:00")
	require.Equal(t, month, show(set.Spans(v, "S-1", "", from, to)))
	set.State(v, "S-1", "", from) // what is expanded already gives the same
	require.Equal(t, month, show(set.Spans(v, "S-1", "", from, to)))
	require.Equal(t, month[:1], show(set.Spans(v, "S-1", "", moment(t, "2026-01-04 09:00"), moment(t, "2026-01-04 09:01"))))
	require.Empty(t, set.Spans(v, "S-1", "", moment(t, "2026-01-04 10:00"), moment(t, "2026-01-05 00:00")))
	require.Len(t, set.All(v, from, to), 6)
	require.Len(t, set.Spans(v, "", "A-1", from, to), 1)
}

// TestStateAgreesWithSpans holds both answers together, whatever the order of
// the questions, so that the kept window cannot change an answer.
func TestStateAgreesWithSpans(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		from := moment(t, "2024-01-01 00:00") + rapid.Int64Range(0, 500*24*60).Draw(rt, "minute")*60_000
		minutes := rapid.Int64Range(1, 3*24*60).Draw(rt, "minutes")
		rule := rapid.SampledFrom([]string{"FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SA", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=DAILY;INTERVAL=3;COUNT=50", "FREQ=YEARLY", "FREQ=WEEKLY;UNTIL=20250601"}).Draw(rt, "rule")
		zone := jakarta(t)
		v := closed(t, fmt.Sprintf("c,S-1,,%s,%s,\"%s\",2024-06-01|2025-01-01,event,", time.UnixMilli(from).In(zone).Format(time.RFC3339), time.UnixMilli(from+minutes*60_000).In(zone).Format(time.RFC3339), rule))
		set := inventory.NewClosureSet()
		for range 20 {
			at := moment(t, "2023-06-01 00:00") + rapid.Int64Range(0, 5*365*24*60).Draw(rt, "at")*60_000
			spans := set.Spans(v, "S-1", "", at, at+1)
			is, _, _ := set.State(v, "S-1", "", at)
			want := slices.ContainsFunc(spans, func(s inventory.Span) bool { return s.From <= at && (s.To == 0 || at < s.To) })
			if is != want {
				rt.Fatalf("at %s: State %v, Spans %v", time.UnixMilli(at).In(zone), is, spans)
			}
		}
	})
}

func TestClosuresConcurrently(t *testing.T) {
	t.Parallel()
	v, set := closed(t, "c,S-1,,2026-01-04 06:00,2026-01-04 10:00,FREQ=DAILY,,cfd,"), inventory.NewClosureSet()
	at := moment(t, "2026-01-05 07:00")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range int64(200) {
				set.Put(inventory.Closure{ID: strconv.Itoa(i), Segment: "A-1", From: at, Reason: "event"})
				is, _, _ := set.State(v, "S-1", "", at+k*11*24*3600*1000)
				if !is {
					t.Error("daily closure does not hold")
				}
				set.Remove(strconv.Itoa(i))
			}
		})
	}
	wg.Wait()
}

func BenchmarkState(b *testing.B) {
	v, set := closed(b, "c,S-1,,2020-01-05 06:00,2020-01-05 10:00,FREQ=WEEKLY,,cfd,"), inventory.NewClosureSet()
	at := moment(b, "2026-01-05 07:00")
	for b.Loop() {
		set.State(v, "S-1", "", at)
	}
}
