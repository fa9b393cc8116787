package complaint

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
)

// TestLifeOfAReport follows a citizen's report from its receipt to its end,
// with every deadline worked out by hand.
func TestLifeOfAReport(t *testing.T) {
	t.Parallel()
	r, ctx := fresh(t, Options{Destination: Destination{Set: true}}), t.Context()
	photo, err := r.PutPhoto(ctx, at(2, 9), "image/jpeg", []byte("pixels"))
	require.NoError(t, err)
	n := report()
	n.Photos = []string{photo}
	c, err := r.Receive(ctx, at(2, 9), n)
	require.NoError(t, err)
	require.Equal(t, "SPG-2026-000001", c.ID)
	require.Equal(t, StateReceived, c.State)
	require.Equal(t, "dishub", c.Agency)
	require.Equal(t, []string{"s1"}, c.Subjects.Sites, "11 m away")
	require.Equal(t, "Bekasi Timur", c.Kecamatan)
	// Monday 2 March; the 3rd is a holiday: 4, 5 and 6 are the three days.
	require.Equal(t, at(7, 0), c.VerifyDue)
	due, err := r.Due(ctx, at(2, 10), 9)
	require.NoError(t, err)
	require.Empty(t, due, "nothing leaves before an officer verified it")

	_, _, err = r.Update(ctx, at(4, 8), c.ID, NewUpdate{State: StateClosed, By: "t1"})
	require.Equal(t, city.KindUnprocessed, city.KindOf(err))
	require.ErrorContains(t, err, "say first what was done")
	c, u, err := r.Update(ctx, at(4, 8), c.ID, NewUpdate{State: StateVerified, By: "t1"})
	require.NoError(t, err)
	require.Equal(t, StatusInvestigating, u.Status)
	require.Equal(t, at(12, 0), c.FollowDue, "5, 6, 9, 10 and 11 March")
	require.Equal(t, DeliveryWaiting, c.Delivery)
	due, err = r.Due(ctx, at(4, 8), 9)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Zero(t, due[0].Complaint.Private, "personal data never leaves")
	require.Equal(t, "Truk di trotoar", due[0].Complaint.Description)

	_, _, err = r.Update(ctx, at(5, 8), c.ID, NewUpdate{State: StateAnswered, By: "t2"})
	require.ErrorContains(t, err, "needs a text")
	_, _, err = r.Update(ctx, at(5, 8), c.ID, NewUpdate{State: StateInProgress, By: "t2"})
	require.NoError(t, err)
	c, _, err = r.Update(ctx, at(6, 8), c.ID, NewUpdate{State: StateAnswered, Text: "Truk diderek.", By: "t2"})
	require.NoError(t, err)
	require.Equal(t, at(21, 0), c.CloseDue, "ten working days from Monday the 9th to Friday the 20th")
	c, _, err = r.Update(ctx, at(9, 8), c.ID, NewUpdate{State: StateClosed, By: "t1"})
	require.NoError(t, err)
	require.False(t, c.State.Open())

	c, u, err = r.Update(ctx, at(10, 8), c.ID, NewUpdate{State: StateVerified, Text: "Truk kembali", By: "t1"})
	require.NoError(t, err)
	require.Equal(t, "reopened", u.What)
	require.Equal(t, StatusReopen, u.Status)
	require.Equal(t, 1, c.Reopened)
	require.Zero(t, c.Closed)
	require.Equal(t, at(6, 8), c.FirstAnswered)
	require.Equal(t, at(18, 0), c.FollowDue)

	history, err := r.History(ctx, c.ID)
	require.NoError(t, err)
	var whats []string
	for i, u := range history {
		require.EqualValues(t, i+1, u.ID)
		whats = append(whats, u.What)
	}
	require.Equal(t, []string{"received", "verified", "in_progress", "answered", "closed", "reopened"}, whats)
	require.Equal(t, len(whats), c.Updates)
	got, err := r.Photo(ctx, photo)
	require.NoError(t, err)
	require.Equal(t, c.ID, got.Complaint)
	rows, err := r.db.CheckSums(ctx)
	require.NoError(t, err)
	require.Positive(t, rows)
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	r, ctx := fresh(t, Options{}), t.Context()
	bad := report()
	bad.Attributes = []Attribute{{"plates", []string{"many"}}, {"colour", []string{"red"}}}
	bad.Located = false
	_, err := r.Receive(ctx, at(2, 9), bad)
	e := new(city.Error)
	require.ErrorAs(t, err, &e)
	require.Equal(t, city.KindInvalid, e.Kind)
	require.Len(t, e.Fields, 4, "%v", e.Fields)
	for _, service := range []string{"nothing", "money"} {
		n := report()
		n.Service = service
		_, err = r.Receive(ctx, at(2, 9), n)
		require.Equal(t, city.KindNotFound, city.KindOf(err), "%s: citizens file no such thing", service)
	}
	for _, id := range []string{"", "SPG-2026-1", "SPG-2026-000001", "x"} {
		_, err = r.Complaint(ctx, id)
		require.Equal(t, city.KindNotFound, city.KindOf(err), id)
	}
	a, err := r.Receive(ctx, at(2, 9), report())
	require.NoError(t, err)
	require.Equal(t, "SPG-2026-000001", a.ID, "what was refused took no number")
	b, err := r.Receive(ctx, at(2, 9), report())
	require.NoError(t, err)
	near, err := r.Near(ctx, &b)
	require.NoError(t, err)
	require.Len(t, near, 1)
	require.Equal(t, a.ID, near[0].ID)
	for name, n := range map[string]NewUpdate{
		"itself": {State: StateDuplicate, Of: a.ID}, "none": {State: StateDuplicate, Of: "SPG-2026-000099"}, "nothing": {},
		"no agency": {Agency: "x"}, "no state": {State: "done"}, "no word": {Text: "x", Status: "FIXED"}, "same": {State: StateReceived},
	} {
		_, _, err := r.Update(ctx, at(2, 9), a.ID, n)
		require.Equal(t, city.KindUnprocessed, city.KindOf(err), name)
	}
	b, _, err = r.Update(ctx, at(2, 9), b.ID, NewUpdate{State: StateDuplicate, Of: a.ID})
	require.NoError(t, err)
	require.Equal(t, a.ID, b.Duplicate)
	next, err := r.Receive(ctx, time.Date(2027, 1, 1, 0, 0, 1, 0, wib).UnixMilli(), report())
	require.NoError(t, err)
	require.Equal(t, "SPG-2027-000001", next.ID)
}

// TestIncidentsBecomeComplaintsOnce: what is of one place is filed together,
// nothing twice, and an agency gets no more than its limit.
func TestIncidentsBecomeComplaintsOnce(t *testing.T) {
	t.Parallel()
	f := &feed{}
	r, ctx := fresh(t, Options{Incidents: f, Limit: 5, Destination: Destination{Set: true}}), t.Context()
	f.add(anomaly("a", "silent", "d1"), anomaly("b", "stuck", "d3"))
	low := anomaly("low", "silent", "d9")
	low.Severity = "low"
	f.add(low, anomaly("none", "unheard_of", "d1"))
	require.NoError(t, r.Work(ctx, at(2, 9)))
	all, _, err := r.Complaints(ctx, Query{})
	require.NoError(t, err)
	require.Empty(t, all, "others may join them yet")
	later := at(2, 9) + (10 * time.Minute).Milliseconds()
	for range 2 {
		require.NoError(t, r.Work(ctx, later))
		all, _, err = r.Complaints(ctx, Query{})
		require.NoError(t, err)
		require.Len(t, all, 2)
	}
	require.Equal(t, StateVerified, all[0].State, "it leaves at once")
	require.Equal(t, "Rawalumbu", all[0].Kecamatan)
	require.Equal(t, "Sensor rusak (stuck): d3 sejak 2026-03-02 08:00 WIB.", all[0].Description)

	over := anomaly("a", "silent", "d1")
	over.Over, over.OverAt = true, at(2, 12)
	f.add(over)
	require.NoError(t, r.Work(ctx, at(2, 12)))
	c, err := r.Complaint(ctx, all[1].ID)
	require.NoError(t, err)
	require.Equal(t, StateVerified, c.State, "a person closes it")
	require.Equal(t, at(2, 12), c.Recovered)
	_, _, err = r.Update(ctx, at(4, 8), c.ID, NewUpdate{State: StateClosed, By: "t1"})
	require.NoError(t, err)
	f.add(anomaly("a2", "silent", "d1")) // another incident of the same subject
	require.NoError(t, r.Work(ctx, at(5, 8)))
	c, err = r.Complaint(ctx, all[1].ID)
	require.NoError(t, err)
	require.Equal(t, StateVerified, c.State)
	require.Equal(t, 1, c.Reopened)

	for i := range 40 { // half of the town is dead
		f.add(anomaly(fmt.Sprint("m", i), "silent", fmt.Sprint("x", i)))
	}
	require.NoError(t, r.Work(ctx, at(6, 8)))
	f.add(anomaly("m40", "silent", "x40"))
	require.NoError(t, r.Work(ctx, at(6, 9)))
	require.NoError(t, r.Work(ctx, at(6, 10)))
	all, _, err = r.Complaints(ctx, Query{})
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Len(t, all[0].Subjects.Devices, 41)
	waiting, err := r.Waiting(ctx)
	require.NoError(t, err)
	require.Zero(t, waiting)
}

func TestLimitLeavesTheRestWaitingAndToldWorstFirst(t *testing.T) {
	t.Parallel()
	f := &feed{}
	r, ctx := fresh(t, Options{Incidents: f, Limit: 5, Digest: 100}), t.Context()
	for i := range 9 {
		f.add(anomaly(fmt.Sprint("m", i), "silent", fmt.Sprint("x", i)))
	}
	high := anomaly("h", "stuck", "d1")
	high.Severity = "high"
	require.NoError(t, r.Work(ctx, at(6, 8)))
	require.NoError(t, r.Work(ctx, at(6, 9)))
	f.add(high)
	require.NoError(t, r.Work(ctx, at(6, 10)))
	require.NoError(t, r.Work(ctx, at(6, 11)))
	all, _, err := r.Complaints(ctx, Query{})
	require.NoError(t, err)
	require.Len(t, all, 5)
	require.Equal(t, "stuck", all[0].Rule, "the last fifth of a day's is for what is high")
	waiting, err := r.Waiting(ctx)
	require.NoError(t, err)
	require.Equal(t, 5, waiting)
	for _, d := range []struct{ day, filed int }{{7, 9}, {9, 9}, {10, 10}} { // Saturday's are Monday's
		require.NoError(t, r.Work(ctx, at(d.day, 11)))
		all, _, err = r.Complaints(ctx, Query{})
		require.NoError(t, err)
		require.Len(t, all, d.filed, "March %d", d.day)
	}
}

// TestMoneyIsForFewEyes: amounts are in no text that leaves, nothing leaves
// before an officer confirmed it, nor to a destination that is not for it.
func TestMoneyIsForFewEyes(t *testing.T) {
	t.Parallel()
	for _, confidential := range []bool{false, true} {
		f := &feed{}
		r, ctx := fresh(t, Options{Incidents: f, Destination: Destination{Set: true, Confidential: confidential}}), t.Context()
		leak := anomaly("l", "leak", "")
		leak.Subject, leak.Site, leak.Money, leak.Sums = "s2", "s2", true, []Sum{{"missing_rp", 1_250_000}}
		f.add(leak)
		require.NoError(t, r.Work(ctx, at(2, 9)))
		require.NoError(t, r.Work(ctx, at(2, 10)))
		all, _, err := r.Complaints(ctx, Query{})
		require.NoError(t, err)
		require.Len(t, all, 1)
		c := all[0]
		require.Equal(t, StateReceived, c.State)
		require.Equal(t, "bapenda", c.Agency)
		require.NotContains(t, c.Description, "1250000")
		require.Contains(t, c.Private.Text, "missing_rp=1250000")
		public, _, err := r.Complaints(ctx, Query{Public: true})
		require.NoError(t, err)
		require.Empty(t, public)
		require.Equal(t, at(5, 0), c.VerifyDue, "one day after Monday; Tuesday is a holiday")
		c, _, err = r.Update(ctx, at(2, 11), c.ID, NewUpdate{State: StateVerified, By: "t1"})
		require.NoError(t, err)
		due, err := r.Due(ctx, at(2, 11), 9)
		require.NoError(t, err)
		if !confidential {
			require.Empty(t, due)
			require.Equal(t, DeliveryHeld, c.Delivery)
			require.ErrorContains(t, r.Resend(ctx, at(2, 11), c.ID, "t1"), "by hand")
			require.NoError(t, r.FiledByHand(ctx, at(2, 11), c.ID, "POT-7", "t1"))
			continue
		}
		require.Len(t, due, 1)
		require.Zero(t, due[0].Complaint.Private)
		updates, err := r.Updates(ctx, 0, 0, 0, 100, true)
		require.NoError(t, err)
		require.Empty(t, updates)
	}
}

// TestDeadlinesArePassedUpTheLine: each office once, at each deadline anew.
func TestDeadlinesArePassedUpTheLine(t *testing.T) {
	t.Parallel()
	r, ctx := fresh(t, Options{}), t.Context()
	c, err := r.Receive(ctx, at(2, 9), report())
	require.NoError(t, err)
	for _, step := range []struct {
		day, hour, escalated int
	}{{6, 23, 0}, {7, 0, 1}, {7, 1, 1}, {11, 23, 1}, {12, 0, 2}, {30, 0, 2}} { // three working days more: the 9th, 10th and 11th
		require.NoError(t, r.Work(ctx, at(step.day, step.hour)))
		c, err = r.Complaint(ctx, c.ID)
		require.NoError(t, err)
		require.Equal(t, step.escalated, c.Escalated, "March %d %d h", step.day, step.hour)
	}
	late, _, err := r.Complaints(ctx, Query{Overdue: true, Now: at(7, 0)})
	require.NoError(t, err)
	require.Len(t, late, 1)
	c, _, err = r.Update(ctx, at(30, 8), c.ID, NewUpdate{State: StateVerified, By: "t1"})
	require.NoError(t, err)
	require.Zero(t, c.Escalated)
	require.Equal(t, 2, c.Escalates)
	rows, err := r.Monev(ctx, MonevQuery{From: at(1, 0), To: at(31, 0), Now: at(31, 0)})
	require.NoError(t, err)
	require.Equal(t, []Monev{{
		Agency: "dishub", Received: 1, VerifyDone: 1, VerifyLate: 1, Escalated: 1,
		VerifyHours: Spread{N: 1, Median: 28*24 - 1, NinetyPc: 28*24 - 1}, Open: Ages{Older: 1},
	}}, rows)
}

// TestMirror: what the city's system says holds, each update of it once, and
// what came from it is never sent there.
func TestMirror(t *testing.T) {
	t.Parallel()
	r, ctx := fresh(t, Options{Destination: Destination{Set: true}}), t.Context()
	n := report()
	n.Source, n.Theirs = SourceCity, "POT-1"
	c, err := r.Receive(ctx, at(2, 9), n)
	require.NoError(t, err)
	again, err := r.Receive(ctx, at(4, 9), n)
	require.NoError(t, err)
	require.Equal(t, c, again)
	for range 2 {
		c, _, err = r.Pulled(ctx, at(4, 9), c.ID, NewUpdate{State: StateAnswered, Text: "Selesai", Theirs: "u1"})
		require.NoError(t, err)
		require.Equal(t, 2, c.Updates)
	}
	due, err := r.Due(ctx, at(30, 9), 9)
	require.NoError(t, err)
	require.Empty(t, due)
	own, err := r.Receive(ctx, at(4, 9), report())
	require.NoError(t, err)
	_, _, err = r.Update(ctx, at(4, 9), own.ID, NewUpdate{State: StateVerified, By: "t1"})
	require.NoError(t, err)
	require.NoError(t, r.Sending(ctx, at(4, 10), own.ID))
	require.NoError(t, r.Unsure(ctx, at(4, 11), own.ID, at(5, 11), "no answer"))
	require.Equal(t, city.KindConflict, city.KindOf(r.Sent(ctx, at(4, 12), own.ID, "POT-1", "")))
	require.NoError(t, r.Sent(ctx, at(4, 12), own.ID, "POT-2", ""))
	require.NoError(t, r.Sent(ctx, at(4, 13), own.ID, "POT-2", ""))
	known, err := r.Known(ctx, "POT-2")
	require.NoError(t, err)
	require.Equal(t, own.ID, known)
	list, err := r.Outstanding(ctx, "", 9)
	require.NoError(t, err)
	require.Equal(t, []Filed{{c.ID, "POT-1"}, {own.ID, "POT-2"}}, list)
	b, err := r.Backlog(ctx)
	require.NoError(t, err)
	require.Equal(t, Backlog{}, b)
	history, err := r.History(ctx, own.ID)
	require.NoError(t, err)
	require.Len(t, history, 4, "received, verified, undelivered, delivered: the second Sent changed nothing")
}
