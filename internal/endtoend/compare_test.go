package endtoend_test

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/inventory"
)

// span are query parameters of some time.
func span(from, to time.Time) string {
	return "from=" + url.QueryEscape(from.In(zone).Format(time.RFC3339)) + "&to=" + url.QueryEscape(to.In(zone).Format(time.RFC3339))
}

// compare holds what the API says against what truth files say, everything of
// it. The gateway must have everything.
func compare(t *testing.T, g *gateway, v *inventory.Version, w *world) {
	t.Helper()
	begin := time.Now()
	g.level()
	aside := map[string][]quarantined{}
	for _, q := range list[quarantined](g, "/v1/quarantine") {
		aside[q.Device] = append(aside[q.Device], q)
	}
	from, to := time.UnixMilli(w.start).Add(-48*time.Hour), time.Now().Add(24*time.Hour)
	total := 0
	for id, f := range w.devices {
		require.Zero(t, f.unacked, "%s: what is not acknowledged cannot be judged", id)
		compareReadings(t, g, id, f, from, to)
		compareCounters(t, g, id, f, aside[id])
		compareCompleteness(t, g, v.Device(id), f, aside[id], from, to)
		total += len(f.delivered)
	}
	compareParking(t, g, v, w)
	compareFlows(t, g, v, w)
	compareBooks(t, g, v, w, from, to)
	t.Logf("%d readings of %d devices are there, each once; faults %v; %d sent again; compared in %v", total, len(w.devices), w.faults, w.resent(), time.Since(begin).Round(time.Millisecond))
}

// compareReadings: exactly what was delivered, each once. It notes where the
// journal has each.
func compareReadings(t *testing.T, g *gateway, id string, f *fate, from, to time.Time) {
	t.Helper()
	path := "/v1/devices/" + url.PathEscape(id) + "/readings?" + span(from, to)
	got := map[string]reading{}
	for _, r := range list[reading](g, path) {
		before, twice := got[r.id()]
		require.False(t, twice, "%s: %s is there twice: %s and %s", id, r.id(), before.said(), r.said())
		got[r.id()] = r
	}
	for i := range f.delivered {
		want := &f.delivered[i]
		have, ok := got[want.id()]
		require.True(t, ok, "%s: was delivered and is not there: %s", id, want.said())
		require.Equal(t, want.said(), have.said(), "%s", id)
		want.Pos, want.ReceivedAt = have.Pos, have.ReceivedAt
		delete(got, want.id())
	}
	require.Empty(t, got, "%s: readings that were never delivered", id)
}

// compareCounters: duplicates and refusals, where what was sent again may have
// been known already.
func compareCounters(t *testing.T, g *gateway, id string, f *fate, aside []quarantined) {
	t.Helper()
	var d struct {
		Readings    int `json:"readings"`
		Duplicates  int `json:"duplicates"`
		Quarantined int `json:"quarantined"`
	}
	g.get("/v1/devices/"+url.PathEscape(id), &d)
	require.Equal(t, len(f.delivered), d.Readings, id)
	require.GreaterOrEqual(t, d.Duplicates, f.duplicates, id)
	if !f.redelivered {
		require.LessOrEqual(t, d.Duplicates, f.duplicates+f.resent, id)
	}
	want, have := map[string]int{}, map[string]int{}
	for _, l := range f.refused {
		want[l.Reason]++
	}
	for _, q := range aside {
		have[q.Reason]++
	}
	require.Equal(t, want, have, "%s: what was set aside", id)
	if f.resent == 0 && !f.redelivered {
		require.Equal(t, len(f.refused), d.Quarantined, id)
	}
}

func compareCompleteness(t *testing.T, g *gateway, d *inventory.Device, f *fate, aside []quarantined, from, to time.Time) {
	t.Helper()
	want := complete(f, aside, time.Duration(d.IntervalS)*time.Second)
	duplicates := 0
	var inGaps, missing int64
	var told []string
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		date := day.In(zone).Format("2006-01-02")
		var c completeness
		g.get("/v1/devices/"+url.PathEscape(d.ID)+"/completeness?date="+date, &c)
		duplicates += int(c.Duplicate)
		missing += c.Missing
		told = append(told, fmt.Sprintf("%s %+v", date, c))
		for _, gap := range c.Gaps {
			require.LessOrEqual(t, gap.FromSeq, gap.ToSeq)
			inGaps += int64(gap.ToSeq - gap.FromSeq + 1)
		}
		c.Duplicate, c.Gaps = 0, nil
		if blurred(f, aside) {
			require.Equal(t, want[date].Received, c.Received, "%s %s", d.ID, date)
			require.Equal(t, want[date].Late, c.Late, "%s %s", d.ID, date)
			continue
		}
		if f.resent > 0 || f.redelivered { // what came twice may have been refused twice
			w := want[date]
			require.Equal(t, w.Received, c.Received, "%s %s", d.ID, date)
			require.Equal(t, w.Late, c.Late, "%s %s", d.ID, date)
			require.Equal(t, w.Expected, c.Expected, "%s %s: %s", d.ID, date, runsOf(f, aside))
			continue
		}
		require.Equal(t, want[date], c, "%s %s: %s", d.ID, date, runsOf(f, aside))
	}
	for _, q := range aside { // its number is expected on its own day, and it counts as set aside on the day it came
		if q.Reason == "too_old" || q.Reason == "too_far_ahead" {
			inGaps++
		}
	}
	if blurred(f, aside) {
		inGaps, missing = 0, 0
	}
	require.GreaterOrEqual(t, inGaps, missing, "%s: what is missing lies in gaps: %v %v", d.ID, told, aside)
	require.GreaterOrEqual(t, duplicates, f.duplicates, d.ID)
	if !f.redelivered {
		require.LessOrEqual(t, duplicates, f.duplicates+f.resent, d.ID)
	}
}

// blurred tells whether a device that counts no boots has refused readings
// whose time is not to be believed: where minutes pass in milliseconds nobody
// can tell to which run they belong.
func blurred(f *fate, aside []quarantined) bool {
	return len(f.delivered) > 0 && f.delivered[0].Boot == nil && slices.ContainsFunc(aside, func(q quarantined) bool {
		return q.Reason == "too_old" || q.Reason == "too_far_ahead"
	})
}

// compareParking: every place of every site at one and the same moment of the
// last minute, since what expires is told each minute.
func compareParking(t *testing.T, g *gateway, v *inventory.Version, w *world) {
	t.Helper()
	type item struct {
		ID      string      `json:"id"`
		Classes []siteClass `json:"classes"`
	}
	p := newParking(v, w)
	got := map[string]string{}
	for _, s := range list[item](g, "/v1/parking/sites") {
		got[s.ID] = show(s.Classes)
	}
	require.Len(t, got, len(v.Sites))
	now := time.Now()
	var differ []string
	for back := -time.Second; back <= 65*time.Second; back += time.Second {
		differ = nil
		for _, s := range v.Sites {
			if want := show(p.site(s, now.Add(-back))); want != got[s.ID] {
				differ = append(differ, fmt.Sprintf("%s: %s instead of %s", s.ID, got[s.ID], want))
			}
		}
		if len(differ) == 0 {
			return
		}
	}
	require.Empty(t, strings.Join(differ, "\n"), "no moment of the last minute explains the sites")
}

func show(classes []siteClass) string {
	var text strings.Builder
	for _, c := range classes {
		n := func(p *int) string {
			if p == nil {
				return "null"
			}
			return strconv.Itoa(*p)
		}
		fmt.Fprintf(&text, "[%s capacity %d free %s occupied %s unknown %d %s %s]", c.Class, c.Capacity, n(c.Free), n(c.Occupied), c.Unknown, c.State, c.Quality)
	}
	return text.String()
}

// compareFlows: each five minutes of each segment.
func compareFlows(t *testing.T, g *gateway, v *inventory.Version, w *world) {
	t.Helper()
	want := flows(v, w)
	from := time.UnixMilli(w.start).Truncate(5 * time.Minute)
	to := time.Now().Truncate(5 * time.Minute).Add(5 * time.Minute)
	measured := 0
	for _, s := range v.Segments {
		var history struct{ Points []trafficPoint }
		g.get("/v1/traffic/segments/"+s.ID+"/history?step=5m&"+span(from, to), &history)
		require.Len(t, history.Points, int(to.Sub(from)/(5*time.Minute)))
		for _, p := range history.Points {
			lanes := want[bucket{s.ID, p.T.Unix()}]
			flow, coverage := pointOf(s, lanes, 300)
			require.InDelta(t, coverage, p.Coverage, 0.0006, "%s %s", s.ID, p.T)
			if flow == nil {
				require.Nil(t, p.FlowVPH, "%s %s", s.ID, p.T)
				continue
			}
			require.NotNil(t, p.FlowVPH, "%s %s", s.ID, p.T)
			require.InDelta(t, *flow, *p.FlowVPH, 0.0006, "%s %s: vehicles/h", s.ID, p.T)
			measured++
		}
	}
	if len(want) > 0 {
		require.Positive(t, measured)
	}
}

// compareBooks: every receipt and every rupiah.
func compareBooks(t *testing.T, g *gateway, v *inventory.Version, w *world, from, to time.Time) {
	t.Helper()
	for _, group := range []string{"site", "method", "class"} {
		want := newBooks(v, w, group)
		got := list[bookRow](g, "/v1/revenue/daily?group="+group+"&"+span(from, to))
		sort.Slice(got, func(i, j int) bool { return got[i].Date+got[i].Key < got[j].Date+got[j].Key })
		if group != "site" {
			for i := range got {
				got[i].Due = 0
			}
		}
		require.Equal(t, want.rows, got, "daily by %s", group)
	}
	want := newBooks(v, w, "site").receipts
	for _, r := range list[receipt](g, "/v1/revenue/receipts?"+span(from, to)) {
		r.Account = ""
		key := r.key()
		require.Equal(t, want[key], r)
		delete(want, key)
	}
	missing := []string{}
	for id := range want {
		missing = append(missing, id)
	}
	slices.Sort(missing)
	require.Empty(t, missing, "receipts that are not in the books")
}

// runsOf shows where a device's numbers begin and end, and what was refused.
func runsOf(f *fate, aside []quarantined) string {
	var text strings.Builder
	list := slices.Clone(f.delivered)
	sort.Slice(list, func(i, j int) bool { return list[i].At.Before(list[j].At) })
	for i, r := range list {
		if i == 0 || i+1 == len(list) || r.Seq > list[i-1].Seq+1 || r.Seq < list[i-1].Seq || list[i+1].Seq < r.Seq || r.At.In(zone).Day() != list[i-1].At.In(zone).Day() {
			fmt.Fprintf(&text, "%s %s\n", r.id(), r.At.In(zone).Format(time.RFC3339))
		}
	}
	for _, l := range f.refused {
		fmt.Fprintf(&text, "refused %s %d %s %s after %s\n", idOf(l.Boot, l.Seq, l.At), l.Seq, l.Reason, time.UnixMilli(l.At).In(zone).Format(time.RFC3339), l.after.In(zone).Format(time.RFC3339))
	}
	for _, q := range aside {
		seq := "?"
		if q.Seq != nil {
			seq = strconv.FormatUint(*q.Seq, 10)
		}
		fmt.Fprintf(&text, "aside %s %s %s\n", seq, q.Reason, q.ReceivedAt.Format(time.RFC3339))
	}
	return text.String()
}
