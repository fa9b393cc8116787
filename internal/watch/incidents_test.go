package watch

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// engine drives incidents of one subject by hand.
type engine struct {
	incidents
	at int64
}

func newEngine() *engine {
	return &engine{incidents: incidents{standing: map[key]*record{}, dirty: map[string]*record{}}, at: monday}
}

func (e *engine) say() *subjectOf {
	return &subjectOf{i: &e.incidents, kind: ofMeter, id: "m", site: "a", now: e.at, pos: uint64(e.at)}
}

func (e *engine) pass(ms int64) {
	for until := e.at + ms; e.at < until; {
		e.at = min(until, e.at+tickMs)
		e.tick(e.at, func(*record) bool { return false })
	}
}

func (e *engine) states() (all []string) {
	for _, r := range e.dirty {
		for _, c := range r.Changes {
			all = append(all, c.What)
		}
	}
	return all
}

func standing(count int64) finding {
	return finding{at: monday, count: count, recover: hourMs, sums: []Sum{{"n", count}}}
}

func TestWhatStandsRecoversAndComesBack(t *testing.T) {
	e := newEngine()
	e.say().raise(RuleTotalGap, standing(2))
	e.pass(5 * hourMs)
	e.say().raise(RuleTotalGap, standing(2)) // nothing new
	require.Equal(t, []string{"opened"}, e.states())
	e.say().calm(RuleTotalGap)
	e.pass(30 * minuteMs)
	e.say().raise(RuleTotalGap, standing(5))
	e.pass(5 * hourMs)
	require.Equal(t, []string{"opened", "recovering", "again"}, e.states(), "the same incident")
	e.say().raise(RuleTotalGap, standing(1))
	r := e.standing[key{RuleTotalGap, "m"}]
	require.Equal(t, int64(5), r.Count, "the most that stood at once")
	require.Equal(t, []Sum{{"n", 1}}, r.Evidence.Sums, "what stands now")
	e.say().calm(RuleTotalGap)
	e.say().calm(RuleTotalGap)
	e.pass(hourMs)
	require.Equal(t, []string{"opened", "recovering", "again", "recovering", "closed"}, e.states())
	require.Empty(t, e.standing)
	closed := e.dirty[r.ID]
	require.Equal(t, StateClosed, closed.State)
	require.Equal(t, e.at, closed.ClosedAt)

	e.say().raise(RuleTotalGap, standing(1))
	require.Len(t, e.dirty, 2, "another incident")
}

func TestWhatHappenedOnceSettles(t *testing.T) {
	e := newEngine()
	event := func(id string) finding {
		return finding{at: e.at, count: 2, once: true, settle: dayMs, recover: hourMs, readings: []string{id}, ranges: []Range{{id, id}}}
	}
	e.say().raise(RuleOffTariff, event("1"))
	e.pass(20 * hourMs)
	e.say().raise(RuleOffTariff, event("2"))
	e.pass(20 * hourMs)
	require.Equal(t, []string{"opened"}, e.states())
	r := e.standing[key{RuleOffTariff, "m"}]
	require.Equal(t, int64(4), r.Count)
	require.Equal(t, []string{"1", "2"}, r.Evidence.Readings)
	require.Equal(t, monday+20*hourMs, r.LastAt)
	e.pass(5 * hourMs)
	require.Equal(t, []string{"opened", "recovering", "closed"}, e.states())
}

func TestIncidentsAreBounded(t *testing.T) {
	e := newEngine()
	for i := range 500 {
		e.say().raise(RuleOffTariff, finding{at: e.at, count: 1, once: true, settle: hourMs, recover: 10 * hourMs, readings: []string{strconv.Itoa(i)}, ranges: []Range{{strconv.Itoa(i), ""}}})
		e.pass(2 * hourMs)
	}
	r := e.standing[key{RuleOffTariff, "m"}]
	require.Len(t, r.Evidence.Readings, mostReadings)
	require.Equal(t, "0", r.Evidence.Readings[0], "the first")
	require.Equal(t, "499", r.Evidence.Readings[mostReadings-1], "and the newest")
	require.Len(t, r.Evidence.Ranges, mostRanges)
	require.Len(t, r.Changes, mostChanges)
	require.Equal(t, "opened", r.Changes[0].What)
	require.Equal(t, 1000, r.Changed)
}

// TestOurClockRanAhead: what was noted by a clock that was set right since does
// not stand for ever.
func TestOurClockRanAhead(t *testing.T) {
	w := newWorld(t, Options{}, town(t, "", "m@a"))
	right := w.now
	w.now += 300 * dayMs
	w.put(journal.Entry{Type: journal.TypeTick})
	w.sent("m", 1, right, city.Receipt{Number: "1", Amount: 4000, Method: city.Cash, Class: city.Car, TotalCount: city.SomeInt(1)})
	w.sent("m", 3, right, city.Receipt{Number: "3", Amount: 5000, Method: city.Cash, Class: city.Car, TotalCount: city.SomeInt(9)})
	w.sent("m", 4, right, city.Receipt{Number: "1", Amount: 9000, Method: city.Cash, Class: city.Car, TotalCount: city.SomeInt(10)})
	w.until(w.now + tickMs)
	w.now = right
	w.until(w.now + 3*hourMs)
	require.Equal(t, map[Rule]int{RuleNumberDoubled: 1, RuleNumberMissing: 1, RuleTotalGap: 1}, w.rules())
	w.until(w.now + 60*dayMs)
	for _, i := range w.all() {
		if i.Rule != RuleMeterSilent {
			require.Equal(t, StateClosed, i.State, "%+v", i)
		}
	}
}

func TestAMeterThatIsTakenAway(t *testing.T) {
	w := newWorld(t, Options{}, town(t, "", "m@a", "n@a"))
	w.sent("m", 1, w.now, city.Receipt{Number: "1", Amount: 4000, Method: city.Cash})
	w.sent("m", 3, w.now, city.Receipt{Number: "3", Amount: 4000, Method: city.Cash})
	w.until(w.now + 3*hourMs)
	require.Equal(t, StateOpen, w.all()[0].State)
	w.accept(town(t, "", "n@a"))
	w.until(w.now + 3*hourMs)
	require.Equal(t, StateClosed, w.all()[0].State)
	changes := w.all()[0].Changes
	require.Equal(t, "no longer in the inventory", changes[len(changes)-2].Note)
}

func TestARuleThatIsOff(t *testing.T) {
	var off strings.Builder
	for _, group := range []string{"meter_totals", "receipt_numbers", "meter_silent", "off_tariff", "voids", "stays", "leak", "device_silent", "device_flapping", "device_stuck", "device_battery", "device_skew", "device_gaps"} {
		off.WriteString(group + ": {off: true}\n")
	}
	w := story(t, 300)
	require.NotEmpty(t, w.all())
	quiet := newWorld(t, Options{Stays: always{}, Reconciliation: always{}}, town(t, off.String(), "m1@a", "m2@b"))
	for _, e := range w.entries {
		if e.Inventory == nil {
			quiet.now = e.Recv
			quiet.put(e)
		}
	}
	require.Empty(t, quiet.all())
}

func TestAcknowledge(t *testing.T) {
	w := newWorld(t, Options{}, town(t, "", "m@a"))
	w.sent("m", 1, w.now, city.Receipt{Number: "1", Amount: 4000, Method: city.Cash})
	w.sent("m", 3, w.now, city.Receipt{Number: "3", Amount: 4000, Method: city.Cash})
	w.until(w.now + 3*hourMs)
	id := w.all()[0].ID
	ctx := t.Context()

	// It is in memory only; the acknowledgement is durable all the same, and
	// after a crash it stays with the incident that is found again.
	got, err := w.f.Acknowledge(ctx, id, "tok1", "I look into it", w.now+5)
	require.NoError(t, err)
	require.Equal(t, StateAcknowledged, got.State)
	require.Zero(t, w.f.Cursor())
	w.reopen()
	require.Equal(t, []Incident{got}, w.all())
	require.Equal(t, &Ack{By: "tok1", Note: "I look into it", At: w.now + 5}, got.Ack)
	require.Equal(t, Change{At: w.now + 5, What: "acknowledged", By: "tok1", Note: "I look into it"}, got.Changes[1])

	again, err := w.f.Acknowledge(ctx, id, "tok2", "me too", w.now+9)
	require.NoError(t, err)
	require.Equal(t, got, again, "twice is once")
	w.flush()
	w.reopen()
	for _, q := range []Query{{}, {State: StateAcknowledged}} {
		list, _, err := w.f.Incidents(ctx, q)
		require.NoError(t, err)
		require.Equal(t, []Incident{got}, list)
	}
	list, _, err := w.f.Incidents(ctx, Query{State: StateOpen})
	require.NoError(t, err)
	require.Empty(t, list)

	w.sent("m", 2, w.now, city.Receipt{Number: "2", Amount: 4000, Method: city.Cash})
	w.until(w.now + tickMs)
	require.Equal(t, StateRecovering, w.all()[0].State)
	w.until(w.now + 2*hourMs)
	require.Equal(t, StateClosed, w.all()[0].State)
	require.Equal(t, got.Ack, w.all()[0].Ack)

	_, err = w.f.Acknowledge(ctx, "in-none", "tok1", "", w.now)
	require.Equal(t, city.KindNotFound, city.KindOf(err))
	_, err = w.f.Acknowledge(ctx, id, "tok1", strings.Repeat("x", NoteMost+1), w.now)
	require.Equal(t, city.KindInvalid, city.KindOf(err))

	_, err = w.f.db.W.ExecContext(ctx, "UPDATE ack SET by_token = 'tok9'")
	require.NoError(t, err)
	_, err = w.f.Incident(ctx, id)
	require.ErrorContains(t, err, "checksum")
	_, _, err = w.f.Incidents(ctx, Query{})
	require.ErrorContains(t, err, "checksum")
}

func TestOldIncidentsGo(t *testing.T) {
	w := newWorld(t, Options{Days: 30, Hold: func() bool { return false }}, town(t, "", "m@a"))
	for i := range uint64(3) {
		w.sent("m", 1+2*i, w.now, city.Receipt{Number: strconv.FormatUint(1+2*i, 10), Amount: 4000, Method: city.Cash})
	}
	w.until(w.now + 3*hourMs)
	w.sent("m", 2, w.now, city.Receipt{Number: "2", Amount: 4000, Method: city.Cash})
	w.sent("m", 4, w.now, city.Receipt{Number: "4", Amount: 4000, Method: city.Cash})
	w.until(w.now + 3*hourMs)
	w.flush()
	_, err := w.f.Acknowledge(t.Context(), w.all()[0].ID, "t", "", 1)
	require.NoError(t, err)
	for range 40 {
		w.until(w.now + dayMs)
		w.flush()
	}
	require.Equal(t, []Rule{RuleMeterSilent}, rulesOf(w.all()), "what stands is kept")
	var acks int
	require.NoError(t, w.f.db.R.QueryRowContext(t.Context(), "SELECT count(*) FROM ack").Scan(&acks))
	require.Zero(t, acks)
}

// TestMemoryIsBounded: whatever comes, what is remembered of a subject has a
// bound.
func TestMemoryIsBounded(t *testing.T) {
	w := story(t, 6000)
	largest := func() (n int) {
		for _, s := range w.f.subjects {
			size := 0
			for _, d := range s.watch {
				data, err := json.Marshal(d)
				require.NoError(t, err)
				size += len(data)
			}
			n = max(n, size)
		}
		return n
	}
	w.flush()
	require.Less(t, largest(), 64<<10)
	require.Len(t, w.f.subjects, 4)
	require.Empty(t, w.f.incidents.dirty)
	require.LessOrEqual(t, len(w.f.standing), 4*len(Rules))
	require.LessOrEqual(t, len(w.f.closures.Closures()), 3)
}

// FuzzState: what decodes encodes to what decodes to the same.
func FuzzState(f *testing.F) {
	w := story(f, 300)
	for _, s := range w.f.subjects {
		for i, d := range s.watch {
			data, err := json.Marshal(d)
			require.NoError(f, err)
			f.Add(string(s.kind), uint8(i), data)
		}
	}
	f.Fuzz(func(t *testing.T, kind string, unit uint8, data []byte) {
		s := newSubject(subjectKey{subjectKind(kind), "m"})
		d := s.watch[int(unit)%len(s.watch)]
		if json.Unmarshal(data, d) != nil {
			return
		}
		once, err := json.Marshal(d)
		require.NoError(t, err)
		again := newSubject(s.subjectKey).watch[int(unit)%len(s.watch)]
		require.NoError(t, json.Unmarshal(once, again))
		twice, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(once), string(twice))
	})
}
