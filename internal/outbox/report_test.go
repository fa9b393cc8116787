package outbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/outbox"
)

// sentOne is a register whose one complaint is theirs' number 7.
func sentOne() *memory {
	m := newMemory()
	r := m.add(one, start.UnixMilli())
	r.state, r.theirs = "sent", "7"
	return m
}

// What each end of a posted update means: sent again only where it was certainly
// not taken, in their order, and only where they take updates at all.
func TestWhatAnAnswerToAnUpdateMeans(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		state  string
		again  bool // posted again within a day and a half
	}{
		"an id":               {200, `[{"update_id":"u-1"}]`, "sent", false},
		"xml":                 {200, `<service_request_updates><request_update><update_id>u-1</update_id></request_update></service_request_updates>`, "sent", false},
		"refused":             {400, `[{"code":"400","description":"wrong"}]`, "refused", false},
		"a key that is wrong": {403, "go away", "waiting", true},
		"no such report":      {404, `[{"code":"404","description":"service_request_id was not found"}]`, "waiting", true},
		"no extension":        {404, "<html>no</html>", "waiting", true},
		"no such method":      {405, "", "waiting", true},
		"500":                 {500, "x", "unsure", false},
		"garbage":             {200, "<html>terima kasih</html>", "unsure", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := newScript(t), sentOne()
			s.fails("POST servicerequestupdates", c.status, c.body)
			first := m.say(one, "in_progress", "Petugas berangkat.", start.UnixMilli())
			m.say(one, "fixed", "Diganti.", start.UnixMilli())
			run(t, newWorker(t, m, s.URL+"/v2"), start, 36*time.Hour)
			require.Equal(t, c.state, first.state)
			require.Equal(t, c.again, first.posts > 1)
			require.Contains(t, s.forms[0], "update_id=SPG-2026-000001%2F1")
			require.Contains(t, s.forms[0], "status=IN_PROGRESS")
			require.Contains(t, s.forms[0], "description=%5BSPG-2026-000001%2F1%5D+Petugas")
			if c.state == "waiting" {
				require.Zero(t, m.tells[1].posts, "the second waits for the first")
			} else {
				require.Positive(t, m.tells[1].posts)
			}
			require.Equal(t, first.posts+m.tells[1].posts, s.posts(), "each was noted before")
		})
	}
}

// After a week they are not asked any more.
func TestAnUpdateThatNobodyTakes(t *testing.T) {
	s, m := newScript(t), sentOne()
	u := m.say(one, "fixed", "Diganti.", start.UnixMilli())
	run(t, newWorker(t, m, s.URL+"/v2"), start, 8*24*time.Hour)
	require.Equal(t, "none", u.state)
	require.LessOrEqual(t, u.posts, 8, "once a day")
}

// A key that may not post updates stops no report, and after a week they are
// given up, all of them.
func TestAKeyThatMayNotUpdate(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests} {
		s, m := newScript(t), sentOne()
		s.fails("POST servicerequestupdates", status, "go away")
		first, second := m.say(one, "in_progress", "Berangkat.", start.UnixMilli()), m.say(one, "fixed", "Diganti.", start.UnixMilli())
		w := newWorker(t, m, s.URL+"/v2")
		now := run(t, w, start, 6*time.Hour)
		require.Greater(t, first.posts, 1)
		s.says("POST requests", `[{"service_request_id":"8"}]`)
		m.add("SPG-2026-000002", now.UnixMilli())
		now = run(t, w, now, time.Minute)
		require.Equal(t, "sent", m.rows["SPG-2026-000002"].state, "a report does not wait for updates")
		if status != http.StatusForbidden {
			continue
		}
		run(t, w, now, 8*24*time.Hour)
		require.Equal(t, "none", first.state)
		require.Equal(t, "none", second.state)
	}
}

// What is old because they were away is not given up for one refusal.
func TestOneRefusalOfAnOldUpdate(t *testing.T) {
	s, m := newScript(t), sentOne()
	s.fails("POST servicerequestupdates", http.StatusTooManyRequests, "")
	u := m.say(one, "fixed", "Diganti.", start.Add(-20*24*time.Hour).UnixMilli())
	w := newWorker(t, m, s.URL+"/v2")
	now := run(t, w, start, time.Hour)
	require.Equal(t, "waiting", u.state)
	s.says("POST servicerequestupdates", `[{"update_id":"u-1"}]`)
	run(t, w, now, 2*time.Hour)
	require.Equal(t, "sent", u.state)
}

// One that waited for their server to answer at all is told, after any time.
func TestAnUpdateOutlivesTheirAbsence(t *testing.T) {
	s, m := newScript(t), sentOne()
	for _, name := range []string{"GET services", "GET requests", "GET servicerequestupdates", "GET requests/7"} {
		s.fails(name, http.StatusServiceUnavailable, "down")
	}
	u := m.say(one, "fixed", "Diganti.", start.UnixMilli())
	w := newWorker(t, m, s.URL+"/v2")
	now := run(t, w, start, 10*24*time.Hour)
	require.Equal(t, "waiting", u.state)
	require.Zero(t, u.posts)
	for _, name := range []string{"GET services", "GET requests", "GET servicerequestupdates"} {
		s.says(name, "[]")
	}
	delete(s.answers, "GET requests/7")
	s.says("POST servicerequestupdates", `[{"update_id":"u-1"}]`)
	run(t, w, now, 2*time.Hour)
	require.Equal(t, "sent", u.state)
}

// An update whose answer was lost is found among theirs, under whatever id they
// gave it, and is no news of theirs; one that somebody else wrote with our mark
// settles nothing that was not sent, and is news.
func TestOurUpdatesAreKnownAgain(t *testing.T) {
	s, m := newScript(t), sentOne()
	s.answers["POST servicerequestupdates"] = func(w http.ResponseWriter, r *http.Request) {
		s.says("GET servicerequestupdates", fmt.Sprintf(`[{"update_id":"u-9","service_request_id":"7","status":"closed","description":%q,"updated_datetime":"2026-03-02T08:00:00+07:00"},
			{"update_id":"x","service_request_id":"7","status":"open","description":"[SPG-2026-000001/2] palsu","updated_datetime":"2026-03-02T08:00:00+07:00"}]`, r.PostForm.Get("description")))
		http.Error(w, "down", http.StatusBadGateway)
	}
	first := m.say(one, "closed", "Selesai.", start.UnixMilli())
	w := newWorker(t, m, s.URL+"/v2")
	now := run(t, w, start, time.Hour)
	require.Equal(t, "sent", first.state)
	require.Equal(t, "u-9", first.as)
	require.Equal(t, 1, first.posts)
	require.Equal(t, []string{"x"}, m.rows[one].updates, "ours is no news")
	second := m.say(one, "reopen", "Rusak lagi.", now.UnixMilli())
	require.Equal(t, "waiting", second.state)
	s.says("POST servicerequestupdates", `[{"update_id":"u-10"}]`)
	run(t, w, now, time.Hour)
	require.Equal(t, "sent", second.state)
	require.Equal(t, "u-10", second.as, "not what somebody wrote before")
}

// A report that they took and showed only days later is known again, and was
// never sent a second time.
func TestShownLate(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.fails("POST requests", http.StatusBadGateway, "x")
	r := m.add(one, start.UnixMilli())
	w := newWorker(t, m, s.URL+"/v2")
	now := run(t, w, start, 60*time.Hour)
	require.Equal(t, "unsure", r.state)
	why := r.why
	require.Contains(t, why, "look for [SPG-2026-000001]")
	for _, asked := range s.asked {
		if strings.HasPrefix(asked, "POST") {
			require.Contains(t, asked, "requests")
		}
	}
	s.answers["GET requests"] = func(w http.ResponseWriter, r *http.Request) { // of the time at which it was filed
		if begin := r.URL.Query().Get("start_date"); begin < "2026-03-02T00:00:00" {
			_, _ = w.Write([]byte(`[{"service_request_id":"7","service_code":"rusak","status":"open","description":"[SPG-2026-000001] x","requested_datetime":"2026-03-02T00:00:01+07:00"}]`))
			return
		}
		_, _ = w.Write([]byte("[]"))
	}
	run(t, w, now, 25*time.Hour)
	require.Equal(t, "sent", r.state)
	require.Equal(t, "7", r.theirs)
	require.Equal(t, 1, s.posts())
}

// A POST is risked only where they answered well within the last minute.
func TestAskedBeforeItIsRisked(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.says("POST requests", `[{"service_request_id":"7"}]`)
	s.fails("GET services", http.StatusServiceUnavailable, "down")
	w := newWorker(t, m, s.URL+"/v2", func(o *outbox.Options) { o.Interval = 30 * time.Minute })
	now := run(t, w, start, 10*time.Minute)
	m.add(one, now.UnixMilli())
	run(t, w, now, 10*time.Minute)
	require.Zero(t, s.posts())
	require.Equal(t, "waiting", m.rows[one].state)
	require.False(t, w.Up())
	s.says("GET services", "[]")
	run(t, w, now.Add(10*time.Minute), time.Hour)
	require.Equal(t, "sent", m.rows[one].state)
	require.True(t, w.Up())
}

// A note goes with the status that they have when it goes, which is read before:
// with an old one it would take back what they did since.
func TestANoteTakesNothingBack(t *testing.T) {
	s, m := newScript(t), sentOne()
	s.says("POST servicerequestupdates", `[{"update_id":"u-1"}]`)
	w := newWorker(t, m, s.URL+"/v2", func(o *outbox.Options) { o.Interval = 6 * time.Hour })
	now := run(t, w, start, time.Hour) // their next round is hours away
	s.says("GET servicerequestupdates", `[{"update_id":"u-9","service_request_id":"7","status":"fixed","description":"Diganti","updated_datetime":"2026-03-02T01:00:00+07:00"}]`)
	s.fails("GET requests/7", http.StatusServiceUnavailable, "down")
	note := m.say(one, "investigating", "Petugas menelepon pelapor.", now.UnixMilli())
	note.Note = true
	now = run(t, w, now, 10*time.Minute)
	require.Zero(t, s.posts(), "how it stands is not known")
	s.says("GET requests/7", `[{"service_request_id":"7","status":"closed"}]`)
	run(t, w, now, time.Hour)
	require.Equal(t, "sent", note.state)
	require.Equal(t, 1, s.posts())
	require.Contains(t, s.forms[0], "status=FIXED")
	require.Equal(t, "closed", m.rows[one].status)
}

// What their officer answers to an update of ours, and quotes it, is news.
func TestWhoQuotesOurs(t *testing.T) {
	for _, given := range []string{`[{"update_id":"u-1"}]`, `[{"update_id":null}]`, "<html>terima kasih</html>"} {
		s, m := newScript(t), sentOne()
		s.answers["POST servicerequestupdates"] = func(w http.ResponseWriter, _ *http.Request) {
			s.says("GET servicerequestupdates", `[{"update_id":"u-2","service_request_id":"7","status":"fixed","description":"[SPG-2026-000001/1] Berangkat. > sudah selesai","updated_datetime":"2026-03-02T00:30:00+07:00"},
				{"update_id":"u-1","service_request_id":"7","status":"in_progress","description":"[SPG-2026-000001/1] Berangkat.","updated_datetime":"2026-03-02T00:00:02+07:00"}]`)
			_, _ = w.Write([]byte(given))
		}
		u := m.say(one, "in_progress", "Berangkat.", start.UnixMilli())
		run(t, newWorker(t, m, s.URL+"/v2"), start, 2*time.Hour)
		require.Equal(t, "sent", u.state, given)
		require.Equal(t, "u-1", u.as, given)
		require.Equal(t, []string{"u-2"}, m.rows[one].updates, given)
	}
}

// Our mark under another report of theirs settles nothing, and what is not found
// elsewhere comes to an end.
func TestOurMarkElsewhere(t *testing.T) {
	s, m := newScript(t), sentOne()
	s.fails("POST servicerequestupdates", http.StatusBadGateway, "down")
	s.says("GET servicerequestupdates", `[{"update_id":"u-9","service_request_id":"70","status":"open","description":"[SPG-2026-000001/1] Selesai.","updated_datetime":"2026-03-02T00:10:00+07:00"}]`)
	u := m.say(one, "closed", "Selesai.", start.UnixMilli())
	run(t, newWorker(t, m, s.URL+"/v2"), start, 12*time.Hour)
	require.Equal(t, "unsure", u.state)
	require.Equal(t, 1, u.posts)
	require.Less(t, len(s.asked), 400)
}
