package complaint

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// told returns what is to be told, as it may leave, without changing it.
func tellingsOf(t *testing.T, r *Register, now int64) (list []Telling) {
	t.Helper()
	list, err := r.Tellings(t.Context(), now, 100)
	require.NoError(t, err)
	return list
}

// TestOurUpdatesGoToTheCity: an answer given here, a note for all and what the
// sensors see is told to the city's system once it has the complaint, in order;
// what is for colleagues or came from there is not, and of money only how it
// stands.
func TestOurUpdatesGoToTheCity(t *testing.T) {
	t.Parallel()
	f := &feed{}
	r := fresh(t, Options{Destination: Destination{Set: true, Confidential: true}, Incidents: f, Gather: 1})
	ctx := t.Context()
	act := func(id string, n NewUpdate) {
		t.Helper()
		n.By = "t1"
		_, _, err := r.Update(ctx, at(4, 10), id, n)
		require.NoError(t, err)
	}
	c, err := r.Receive(ctx, at(4, 9), report())
	require.NoError(t, err)
	act(c.ID, NewUpdate{State: StateVerified})
	act(c.ID, NewUpdate{Text: "untuk rekan", Hidden: true})
	act(c.ID, NewUpdate{State: StateInProgress, Text: "Petugas berangkat"})
	act(c.ID, NewUpdate{State: StateAnswered, Text: "Diderek"})
	require.Empty(t, tellingsOf(t, r, at(4, 11)), "they do not have it yet")
	n, err := r.TellingBacklog(ctx)
	require.NoError(t, err)
	require.Empty(t, n)
	require.NoError(t, r.Sending(ctx, at(4, 11), c.ID))
	require.NoError(t, r.Sent(ctx, at(4, 11), c.ID, "POT-1", ""))
	_, _, err = r.Pulled(ctx, at(4, 12), c.ID, NewUpdate{Text: "dari sana", Theirs: "POT-1/9"})
	require.NoError(t, err)

	first := tellingsOf(t, r, at(4, 12))
	require.Len(t, first, 1, "of each complaint the first")
	require.Equal(t, "Petugas berangkat", first[0].Update.Text)
	require.Equal(t, StatusInProgress, first[0].Update.Status)
	require.Equal(t, "POT-1", first[0].Theirs)
	require.NoError(t, r.TellingEnds(ctx, at(4, 12), first[0].Update.ID, DeliverySent, "x", ""))
	require.Len(t, tellingsOf(t, r, at(4, 12)), 1, "somebody else's words settle nothing that was not sent")
	require.NoError(t, r.TellingBegins(ctx, at(4, 12), first[0].Update.ID))
	require.NoError(t, r.TellingLater(ctx, at(4, 12), first[0].Update.ID, at(4, 13), "500", true, false))
	require.Empty(t, tellingsOf(t, r, at(4, 12)))
	require.NoError(t, r.TellingEnds(ctx, at(4, 12), first[0].Update.ID, DeliverySent, "U-1", ""))
	mine, err := r.IsTold(ctx, c.ID, "U-1")
	require.NoError(t, err)
	require.True(t, mine)
	second := tellingsOf(t, r, at(4, 12))
	require.Len(t, second, 1)
	require.Equal(t, "Diderek", second[0].Update.Text)
	n, err = r.TellingBacklog(ctx)
	require.NoError(t, err)
	require.Equal(t, map[Delivering]int{DeliveryWaiting: 1}, n)

	leak := anomaly("a1", "leak", "d1")
	leak.Money, leak.Sums = true, []Sum{{"missing_rp", 1_250_000}}
	f.add(leak)
	require.NoError(t, r.Work(ctx, at(4, 13)))
	money, _, err := r.Complaints(ctx, Query{Money: true})
	require.NoError(t, err)
	require.Len(t, money, 1)
	id := money[0].ID
	act(id, NewUpdate{State: StateVerified})
	require.NoError(t, r.Sending(ctx, at(4, 14), id))
	require.NoError(t, r.Sent(ctx, at(4, 14), id, "POT-2", ""))
	act(id, NewUpdate{Text: "Rp 1.250.000 kurang"})
	act(id, NewUpdate{State: StateAnswered, Text: "Rp 1.250.000 disetor"})
	for _, one := range tellingsOf(t, r, at(4, 15)) {
		if one.Theirs == "POT-2" {
			require.Equal(t, "Sudah ditindaklanjuti.", one.Update.Text)
			require.Equal(t, StatusFixed, one.Update.Status)
			return
		}
	}
	require.Fail(t, "that it was answered is to be told")
}

// TestNothingIsToldWhereNobodyListens: without a destination.
func TestNothingIsToldWhereNobodyListens(t *testing.T) {
	t.Parallel()
	r := fresh(t, Options{})
	c, err := r.Receive(t.Context(), at(4, 9), report())
	require.NoError(t, err)
	_, _, err = r.Update(t.Context(), at(4, 10), c.ID, NewUpdate{State: StateVerified, By: "t1"})
	require.NoError(t, err)
	var rows int
	require.NoError(t, r.db.R.QueryRowContext(t.Context(), "SELECT count(*) FROM telling").Scan(&rows))
	require.Zero(t, rows)
}

// TestMonevReadsNoMoreThanItNeeds: a month's figures are those of a walk through
// the whole register.
func TestMonevReadsNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	r := fresh(t, Options{})
	ctx, chance := t.Context(), rand.New(rand.NewPCG(4, 2))
	for range 150 {
		received := at(2, 0) + chance.Int64N(90*86_400_000)
		c, err := r.Receive(ctx, received, report())
		require.NoError(t, err)
		for _, to := range []State{StateVerified, StateAnswered, StateClosed, StateVerified}[:chance.IntN(5)] {
			received += chance.Int64N(20 * 86_400_000)
			_, _, err := r.Update(ctx, received, c.ID, NewUpdate{State: to, Text: "x", By: "t1"})
			require.NoError(t, err)
		}
	}
	for month := range 4 {
		q := MonevQuery{From: at(1+30*month, 0), To: at(31+30*month, 0), Now: at(200, 0)}
		got, err := r.Monev(ctx, q)
		require.NoError(t, err)
		m := monev{v: r.o.Inventory(), q: q, end: q.To, rows: map[string]*monevRow{}}
		require.NoError(t, r.each(ctx, &Query{To: q.To}, func(rec *record) bool {
			m.count(&rec.Complaint)
			return true
		}))
		require.Len(t, got, len(m.rows))
		for _, row := range got {
			want := m.rows[row.Agency]
			want.VerifyHours, want.AnswerHours, want.CloseHours = spread(want.verify), spread(want.answer), spread(want.end)
			require.Equal(t, want.Monev, row)
			require.Positive(t, row.Open.Of())
		}
	}
}

// TestAnsweredWithoutAVerification: who answers a complaint at once has verified
// it then: hours, deadlines and the way to the city's system are those of one
// that went step by step.
func TestAnsweredWithoutAVerification(t *testing.T) {
	t.Parallel()
	r := fresh(t, Options{Destination: Destination{Set: true}})
	ctx := t.Context()
	theirs := report()
	theirs.Source, theirs.Theirs = SourceCity, "X1"
	mirrored, err := r.Receive(ctx, at(4, 9), theirs)
	require.NoError(t, err)
	mirrored, _, err = r.Pulled(ctx, at(4, 11), mirrored.ID, NewUpdate{State: StateAnswered, Status: StatusFixed, Text: "Diderek", Theirs: "X1/1"})
	require.NoError(t, err)
	require.Equal(t, at(4, 11), mirrored.Verified)

	ours, err := r.Receive(ctx, at(4, 9), report())
	require.NoError(t, err)
	ours, _, err = r.Update(ctx, at(4, 13), ours.ID, NewUpdate{State: StateAnswered, Text: "Diderek", By: "t1", Through: true})
	require.NoError(t, err)
	require.Equal(t, DeliveryWaiting, ours.Delivery)
	require.NoError(t, r.Sending(ctx, at(4, 14), ours.ID))
	require.NoError(t, r.Sent(ctx, at(4, 14), ours.ID, "POT-1", ""))
	told := tellingsOf(t, r, at(4, 14))
	require.Len(t, told, 1, "its answer is told too")
	require.Equal(t, StatusFixed, told[0].Update.Status)

	shut, err := r.Receive(ctx, at(4, 9), report())
	require.NoError(t, err)
	shut, _, err = r.Update(ctx, at(4, 13), shut.ID, NewUpdate{State: StateClosed, By: "t1", Through: true})
	require.NoError(t, err)
	require.Equal(t, DeliveryNone, shut.Delivery, "nobody confirmed it")

	rows, err := r.Monev(ctx, MonevQuery{From: at(1, 0), To: at(31, 0), Now: at(5, 0)})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	row := rows[0]
	require.Equal(t, 2, row.AnswerDone)
	require.Equal(t, 2, row.AnswerInTime)
	require.Zero(t, row.AnswerLate)
	require.Equal(t, 2, row.VerifyDone)
	require.Zero(t, row.VerifyLate)
	require.Equal(t, Spread{N: 2, Median: 2, NinetyPc: 4}, row.VerifyHours)
	require.Equal(t, Spread{N: 2}, row.AnswerHours)
}

// TestANoteChangesNoStatus: a note goes with the status that they have: what they
// said last, in their word, or what they heard of us before it.
func TestANoteChangesNoStatus(t *testing.T) {
	t.Parallel()
	r := fresh(t, Options{Destination: Destination{Set: true}})
	ctx := t.Context()
	c, err := r.Receive(ctx, at(4, 9), report())
	require.NoError(t, err)
	act := func(n NewUpdate) {
		t.Helper()
		n.By = "t1"
		_, _, err := r.Update(ctx, at(4, 10), c.ID, n)
		require.NoError(t, err)
	}
	city := func(n NewUpdate) {
		t.Helper()
		_, _, err := r.Pulled(ctx, at(4, 11), c.ID, n)
		require.NoError(t, err)
	}
	next := func(note bool, want Status) {
		t.Helper()
		list := tellingsOf(t, r, at(4, 12))
		require.Len(t, list, 1)
		require.Equal(t, note, list[0].Note)
		require.Equal(t, want, list[0].Update.Status)
	}
	act(NewUpdate{State: StateVerified})
	require.NoError(t, r.Sending(ctx, at(4, 10), c.ID))
	require.NoError(t, r.Sent(ctx, at(4, 10), c.ID, "POT-1", ""))
	act(NewUpdate{Text: "pelapor ditelepon"})
	next(true, StatusInvestigating)
	act(NewUpdate{State: StateInProgress})
	next(true, StatusInvestigating)
	city(NewUpdate{Status: "planned", State: StateInProgress, Theirs: "POT-1/1"})
	next(true, "planned")
	city(NewUpdate{Status: StatusFixed, State: StateAnswered, Text: "Diderek", Theirs: "POT-1/2"})
	next(true, StatusFixed)
	city(NewUpdate{Status: StatusUnchanged, Text: "foto menyusul", Theirs: "POT-1/3"})
	next(true, StatusFixed)
	require.NoError(t, r.TellingBegins(ctx, at(4, 12), tellingsOf(t, r, at(4, 12))[0].Update.ID))
	require.NoError(t, r.TellingEnds(ctx, at(4, 12), tellingsOf(t, r, at(4, 12))[0].Update.ID, DeliverySent, "U-1", ""))
	next(false, StatusInProgress)

	id := tellingsOf(t, r, at(4, 12))[0].Update.ID
	require.NoError(t, r.TellingBegins(ctx, at(4, 12), id))
	for _, theirs := range []string{"", "U-2", "U-3"} { // the last is of who quotes it
		require.NoError(t, r.TellingEnds(ctx, at(4, 12), id, DeliverySent, theirs, ""))
	}
	for theirs, want := range map[string]bool{"U-1": true, "U-2": true, "U-3": false} {
		mine, err := r.IsTold(ctx, c.ID, theirs)
		require.NoError(t, err)
		require.Equal(t, want, mine, theirs)
	}
}
