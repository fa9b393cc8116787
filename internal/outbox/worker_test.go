package outbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/outbox"
)

const one = "SPG-2026-000001"

// script is a server whose answers a test sets, by method and path.
type script struct {
	*httptest.Server

	answers map[string]func(w http.ResponseWriter, r *http.Request)
	asked   []string // method, path and query
	forms   []string // of POSTs
}

func newScript(t *testing.T) *script {
	t.Helper()
	s := &script{answers: map[string]func(http.ResponseWriter, *http.Request){}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.Method+" "+r.URL.String())
		if r.Method == http.MethodPost {
			_ = r.ParseForm()
			s.forms = append(s.forms, r.PostForm.Encode())
		}
		name := r.Method + " " + strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/v2/"), ".json")
		if f := s.answers[name]; f != nil {
			f(w, r)
			return
		}
		switch name {
		case "GET services", "GET requests", "GET servicerequestupdates":
			_, _ = w.Write([]byte("[]"))
		default:
			http.Error(w, `[{"code":"404","description":"no"}]`, http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *script) says(name, body string) {
	s.answers[name] = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func (s *script) fails(name string, status int, body string) {
	s.answers[name] = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, body, status) }
}

func (s *script) posts() int { return len(s.forms) }

// run steps a worker for so long on its own clock.
func run(t *testing.T, w *outbox.Worker, from time.Time, length time.Duration) time.Time {
	t.Helper()
	now := from
	for now.Before(from.Add(length)) {
		next, err := w.Step(t.Context(), now)
		require.NoError(t, err)
		now = maxTime(next, now.Add(time.Second))
	}
	return now
}

// What each end of a POST means: sent again only where it was certainly not
// taken.
func TestWhatAnAnswerMeans(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		state  string
		again  bool // posted again within a day
	}{
		"an id":                  {200, `[{"service_request_id":7}]`, "sent", false},
		"201":                    {201, `[{"service_request_id":"7","service_notice":null}]`, "sent", false},
		"xml":                    {200, `<service_requests><request><service_request_id>7</service_request_id></request></service_requests>`, "sent", false},
		"refused":                {400, `[{"code":"400","description":"wrong"}]`, "refused", false},
		"no such service":        {404, `[{"code":"404","description":"wrong"}]`, "refused", false},
		"a key that is wrong":    {403, "go away", "waiting", true},
		"too many":               {429, "", "waiting", true},
		"400 in other words":     {400, "<html>bad</html>", "unsure", false},
		"404 of a proxy":         {404, "<html>no</html>", "unsure", false},
		"500":                    {500, "x", "unsure", false},
		"502":                    {502, "x", "unsure", false},
		"503 in their words":     {503, `[{"code":"503","description":"later"}]`, "unsure", false},
		"nothing":                {200, "", "unsure", false},
		"garbage":                {200, "<html>terima kasih</html>", "unsure", false},
		"neither id nor token":   {200, `[{"service_notice":"x"}]`, "unsure", false},
		"an empty list":          {200, `[]`, "unsure", false},
		"an id that is null":     {200, `[{"service_request_id":null,"token":null}]`, "unsure", false},
		"a place to go":          {302, "", "unsure", false},
		"the same elsewhere":     {307, "", "waiting", true},
		"an answer without end":  {200, "[" + strings.Repeat(" ", 9<<20) + "]", "unsure", false},
		"an error with status 2": {200, `[{"code":"500","description":"x"}]`, "unsure", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, m := newScript(t), newMemory()
			s.fails("POST requests", c.status, c.body)
			m.add(one, start.UnixMilli())
			run(t, newWorker(t, m, s.URL+"/v2"), start, 24*time.Hour)
			require.Equal(t, c.state, m.rows[one].state, m.rows[one].why)
			require.Equal(t, c.again, s.posts() > 1)
			require.Equal(t, m.posts[one], s.posts(), "each was noted before")
			if c.state == "unsure" {
				require.Contains(t, m.rows[one].why, "["+one+"]")
			}
			if c.again {
				require.Less(t, s.posts(), 60, "longer and longer waits")
			}
		})
	}
}

// Where nobody listens nothing was taken: it is sent once somebody does, also
// after days.
func TestAbsentForDays(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.says("POST requests", `[{"service_request_id":"7"}]`)
	address := s.URL + "/v2"
	away := true
	w := newWorker(t, m, address, func(o *outbox.Options) {
		inner := &http.Transport{DisableKeepAlives: true}
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if away {
				return nil, errors.New("connection refused")
			}
			return inner.RoundTrip(r)
		})
	})
	for i := range 20 {
		m.add(fmt.Sprintf("SPG-2026-%06d", i+1), start.UnixMilli())
	}
	now := run(t, w, start, 4*24*time.Hour)
	require.Empty(t, s.asked)
	away = false
	s.answers["POST requests"] = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `[{"service_request_id":"%d"}]`, s.posts())
	}
	run(t, w, now, 2*time.Hour)
	m.each(func(r *row) { require.Equal(t, "sent", r.state) })
	require.Equal(t, 20, s.posts())
}

func mustParse(t *testing.T, form string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(form)
	require.NoError(t, err)
	return v
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// While it does not answer well, only something harmless is asked: one unclear
// delivery, not twenty.
func TestAFailureStopsPosts(t *testing.T) {
	s, m := newScript(t), newMemory()
	for i := range 20 {
		m.add(fmt.Sprintf("SPG-2026-%06d", i+1), start.UnixMilli())
	}
	for _, name := range []string{"POST requests", "GET services", "GET requests", "GET servicerequestupdates"} {
		s.fails(name, http.StatusBadGateway, "down")
	}
	run(t, newWorker(t, m, s.URL+"/v2"), start, 3*24*time.Hour)
	require.LessOrEqual(t, s.posts(), 1)
	require.Less(t, len(s.asked), 200)
}

// A list that fails while all else answers is asked for with longer and longer
// waits, and stops nothing else.
func TestAListThatFails(t *testing.T) {
	for _, list := range []string{"servicerequestupdates", "requests", "requests/7"} {
		s, m := newScript(t), sentOne()
		s.says("POST requests", `[{"service_request_id":"8"}]`)
		s.says("POST servicerequestupdates", `[{"update_id":"u-1"}]`)
		s.says("GET requests/7", `[{"service_request_id":"7","status":"open"}]`)
		s.fails("GET "+list, http.StatusGatewayTimeout, "x")
		w := newWorker(t, m, s.URL+"/v2")
		now := run(t, w, start, time.Hour)
		s.asked = nil
		m.add("SPG-2026-000002", now.UnixMilli())
		told := m.say(one, "in_progress", "Berangkat.", now.UnixMilli())
		note := m.say("SPG-2026-000002", "in_progress", "Sudah ditelepon.", now.UnixMilli())
		note.Note = true
		unsure := m.add("SPG-2026-000003", now.UnixMilli())
		unsure.state, unsure.Began = "unsure", now.UnixMilli()
		now = run(t, w, now, 24*time.Hour)
		asked := 0
		for _, a := range s.asked {
			if strings.HasPrefix(a, "GET /v2/"+list+".json") {
				asked++
			}
		}
		require.Less(t, asked, 120, list)
		require.Less(t, len(s.asked), 1000, list)
		require.Equal(t, "sent", m.rows["SPG-2026-000002"].state, list)
		require.Equal(t, "sent", told.state, list)
		if list != "requests/7" {
			require.Equal(t, "open", m.rows[one].status, list)
		}
		delete(s.answers, "GET "+list)
		run(t, w, now, 2*time.Hour)
		require.Equal(t, "sent", note.state, list)
		require.Greater(t, m.cursors["updates"], now.UnixMilli(), list)
		require.Greater(t, m.cursors["requests"], now.UnixMilli(), list)
	}
}

// What is unsure is settled by a request of theirs that holds our id, however
// late it shows; one that somebody else wrote our id into settles nothing.
func TestLateSight(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.fails("POST requests", http.StatusInternalServerError, "x")
	m.add(one, start.UnixMilli())
	m.add("SPG-2026-000002", start.UnixMilli()).next = start.Add(240 * time.Hour).UnixMilli()
	w := newWorker(t, m, s.URL+"/v2")
	now := run(t, w, start, 12*time.Hour)
	require.Equal(t, "unsure", m.rows[one].state)
	s.says("GET requests", `[{"service_request_id":70,"description":"lihat [SPG-2026-000002]"},{"service_request_id":71,"description":"[SPG-2026-000001] Sensor"},
		{"service_request_id":72,"description":"[SPG-2026-999999] bukan milik kami"},{"service_request_id":73,"description":"[SPG-"}]`)
	run(t, w, now, time.Hour)
	require.Equal(t, "sent", m.rows[one].state)
	require.Equal(t, "71", m.rows[one].theirs)
	require.Equal(t, "waiting", m.rows["SPG-2026-000002"].state)
	require.Len(t, m.seen, 3)
	require.Equal(t, 1, s.posts())
}

// A look-up finds what arrived, by description or by attribute, on any page.
func TestLookUpFinds(t *testing.T) {
	for name, found := range map[string]string{
		"by description": `{"service_request_id":"9","description":"x [SPG-2026-000001] y"}`,
		"by attribute":   `{"service_request_id":"9","attributes":[{"code":"SIMPANG_ID","value":"SPG-2026-000001"}]}`,
		"by extension":   `{"service_request_id":"9","extended_attributes":{"anomali_id":"SPG-2026-000001"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, m := newScript(t), newMemory()
			s.fails("POST requests", http.StatusGatewayTimeout, "x")
			s.answers["GET requests"] = func(w http.ResponseWriter, r *http.Request) {
				switch page := r.URL.Query().Get("page"); {
				case s.posts() == 0 || page > "2":
					_, _ = w.Write([]byte("[]"))
				case page == "2":
					_, _ = w.Write([]byte("[" + found + "]"))
				default:
					_, _ = w.Write([]byte(`[{"service_request_id":"1","description":"lain"}]`))
				}
			}
			m.add(one, start.UnixMilli())
			run(t, newWorker(t, m, s.URL+"/v2"), start, time.Hour)
			require.Equal(t, "sent", m.rows[one].state)
			require.Equal(t, "9", m.rows[one].theirs)
			require.Equal(t, 1, s.posts())
		})
	}
}

// A token is asked for until it has an id; one that never gets one is for a
// person.
func TestTokens(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.says("POST requests", `[{"token":"t/1"}]`)
	m.add(one, start.UnixMilli())
	w := newWorker(t, m, s.URL+"/v2")
	now := run(t, w, start, 3*time.Hour)
	require.Equal(t, "sending", m.rows[one].state)
	s.says("GET tokens/t/1", `[{"token":"t/1","service_request_id":77}]`)
	now = run(t, w, now, 2*time.Hour)
	require.Equal(t, "sent", m.rows[one].state)
	require.Equal(t, "77", m.rows[one].theirs)

	delete(s.answers, "GET tokens/t/1")
	m.add("SPG-2026-000002", now.UnixMilli())
	run(t, w, now, 8*24*time.Hour)
	require.Equal(t, "unsure", m.rows["SPG-2026-000002"].state)
	require.Equal(t, 2, s.posts())
}

// An id of theirs that is another's already is for a person.
func TestTheSameIDTwice(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.says("POST requests", `[{"service_request_id":"7"}]`)
	m.add(one, start.UnixMilli())
	m.add("SPG-2026-000002", start.UnixMilli())
	run(t, newWorker(t, m, s.URL+"/v2"), start, time.Hour)
	require.Equal(t, "sent", m.rows[one].state)
	require.Equal(t, "unsure", m.rows["SPG-2026-000002"].state)
	require.Contains(t, m.rows["SPG-2026-000002"].why, one)
}

// The form has our id first, only attributes that their service has, their code
// of the service, and the key; nothing else ever carries the key.
func TestTheForm(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.says("POST requests", `[{"service_request_id":"7"}]`)
	s.says("GET services/R-1", `{"service_code":"R-1","attributes":[{"variable":true,"code":"Simpang_ID"},{"variable":true,"code":"jenis"},{"variable":false,"code":"note"}]}`)
	r := m.add(one, start.UnixMilli())
	r.Filing.Description = strings.Repeat("ä", 5000)
	r.Filing.Attributes = []open311.Answer{{Code: "JENIS", Values: []string{"mati"}}, {Code: "other", Values: []string{"x"}}}
	var logged bytes.Buffer
	w := newWorker(t, m, s.URL+"/v2", func(o *outbox.Options) {
		o.Key, o.Jurisdiction, o.Codes = "s3cret", "kota", map[string]string{"rusak": "R-1"}
		o.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Log.Info("options", "options", fmt.Sprintf("%v %+v %#v", *o, *o, o.Key), "key", o.Key)
	})
	now := run(t, w, start, time.Hour)
	s.fails("GET services", 500, "x")
	s.fails("GET requests", 500, "x")
	run(t, w, now, time.Hour)
	require.Equal(t, 1, s.posts())
	filing, faults := open311.ParseFiling(mustParse(t, s.forms[0]))
	require.Empty(t, faults)
	require.Equal(t, "R-1", filing.ServiceCode)
	require.Equal(t, "kota", filing.Jurisdiction)
	require.True(t, strings.HasPrefix(filing.Description, "[SPG-2026-000001] ä"))
	require.Equal(t, []open311.Answer{{Code: "Simpang_ID", Values: []string{one}}, {Code: "jenis", Values: []string{"mati"}}}, filing.Attributes)
	require.Contains(t, s.forms[0], "api_key=s3cret")
	require.NotContains(t, strings.Join(s.asked, "\n"), "s3cret")
	require.NotEmpty(t, logged.String())
	require.NotContains(t, logged.String(), "s3cret")
}

// A server that never says what a service asks gets its report all the same.
func TestWithoutDefinitions(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.says("POST requests", `[{"service_request_id":"7"}]`)
	s.fails("GET services/rusak", http.StatusInternalServerError, "x")
	m.add(one, start.UnixMilli())
	run(t, newWorker(t, m, s.URL+"/v2"), start, time.Hour)
	require.Equal(t, "sent", m.rows[one].state)
	require.Equal(t, 1, s.posts())
}

// What a batch leaves out is asked for alone; what is gone does not stop the
// others.
func TestStatuses(t *testing.T) {
	s, m := newScript(t), newMemory()
	for i := range 30 {
		r := m.add(fmt.Sprintf("SPG-2026-%06d", i+1), start.UnixMilli())
		r.state, r.theirs = "sent", fmt.Sprintf("P%d", i+1)
	}
	s.answers["GET requests"] = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("service_request_id") == "" {
			_, _ = w.Write([]byte("[]"))
			return
		}
		_, _ = w.Write([]byte(`[{"service_request_id":"P1","status":"open"},{"service_request_id":"P21","status":"closed"},{"service_request_id":"none","status":"closed"}]`))
	}
	s.says("GET requests/P2", `[{"service_request_id":"P2","status":"closed"}]`)
	run(t, newWorker(t, m, s.URL+"/v2"), start, time.Hour)
	for id, want := range map[string]string{one: "open", "SPG-2026-000002": "closed", "SPG-2026-000003": "", "SPG-2026-000021": "closed"} {
		require.Equal(t, want, m.rows[id].status, id)
	}
}

// Updates and new requests are read on from where the last reading ended,
// window by window, also after days.
func TestCursors(t *testing.T) {
	s, m := newScript(t), newMemory()
	r := m.add(one, start.UnixMilli())
	r.state, r.theirs = "sent", "P1"
	m.cursors["updates"] = start.Add(-20 * 24 * time.Hour).UnixMilli()
	at := start.Add(-15 * 24 * time.Hour).UnixMilli()
	s.answers["GET servicerequestupdates"] = func(w http.ResponseWriter, r *http.Request) {
		from, ok := open311.ParseTime(r.URL.Query().Get("start_date"), wib)
		to, _ := open311.ParseTime(r.URL.Query().Get("end_date"), wib)
		if !ok || to-from >= (8*24*time.Hour).Milliseconds() {
			t.Errorf("a window of %d ms", to-from)
		}
		if from <= at && at <= to {
			_, _ = w.Write([]byte(`[{"update_id":5,"service_request_id":"P1","status":"FIXED"},{"update_id":6,"service_request_id":"stranger","status":"FIXED"}]`))
			return
		}
		_, _ = w.Write([]byte("[]"))
	}
	w := newWorker(t, m, s.URL+"/v2")
	now := run(t, w, start, 30*time.Minute)
	require.Equal(t, []string{"5"}, m.rows[one].updates)
	require.Greater(t, m.cursors["updates"], start.UnixMilli()-1)
	s.fails("GET servicerequestupdates", http.StatusNotFound, "no such page")
	before := len(s.asked)
	run(t, w, now, 6*time.Hour)
	asked := 0
	for _, a := range s.asked[before:] {
		if strings.Contains(a, "servicerequestupdates") {
			asked++
		}
	}
	require.Equal(t, 1, asked, "a server without updates is not asked all the time")
}

// Where their updates are not read up to now yet, a window of their requests in
// which one has ended is not taken, and not left behind either.
func TestAWindowThatWaitsForUpdates(t *testing.T) {
	s, m := newScript(t), newMemory()
	requested := start.Add(-48 * time.Hour)
	m.cursors["requests"], m.cursors["updates"] = start.Add(-72*time.Hour).UnixMilli(), start.UnixMilli()
	rewound := false
	s.answers["GET requests"] = func(w http.ResponseWriter, r *http.Request) {
		if !rewound { // as one does that is known to be ours only now
			rewound, m.cursors["updates"] = true, start.Add(-300*24*time.Hour).UnixMilli()
		}
		from, _ := open311.ParseTime(r.URL.Query().Get("start_date"), wib)
		if from > requested.UnixMilli() {
			_, _ = w.Write([]byte("[]"))
			return
		}
		_, _ = fmt.Fprintf(w, `[{"service_request_id":"X1","status":"closed","requested_datetime":%q}]`, requested.Format(time.RFC3339))
	}
	run(t, newWorker(t, m, s.URL+"/v2"), start, time.Hour)
	require.True(t, rewound)
	require.Len(t, m.seen, 1)
	require.Greater(t, m.cursors["requests"], start.UnixMilli()-1)
	require.Greater(t, m.cursors["updates"], start.UnixMilli()-1)
}

// A register that fails stops the step, and nothing is posted without a note.
func TestTheRegisterFails(t *testing.T) {
	s, m := newScript(t), newMemory()
	s.says("POST requests", `[{"service_request_id":"7"}]`)
	m.add(one, start.UnixMilli())
	m.fail = errors.New("disk full")
	w := newWorker(t, m, s.URL+"/v2")
	now := start
	for range 20 {
		next, err := w.Step(t.Context(), now)
		require.ErrorContains(t, err, "disk full")
		now = maxTime(next, now.Add(time.Second))
	}
	require.Zero(t, s.posts())
	m.fail = nil
	run(t, w, now, time.Hour)
	require.Equal(t, "sent", m.rows[one].state)
}

func TestTheBacklogIsTold(t *testing.T) {
	s, m := newScript(t), newMemory()
	reg := prometheus.NewRegistry()
	s.fails("POST requests", http.StatusForbidden, "x")
	m.add(one, start.UnixMilli())
	m.add("SPG-2026-000002", start.UnixMilli()).state = "unsure"
	run(t, newWorker(t, m, s.URL+"/v2", func(o *outbox.Options) { o.Registerer = reg }), start, time.Hour)
	told := map[string]float64{}
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "simpang_outbox_backlog" {
			for _, one := range f.GetMetric() {
				told[one.GetLabel()[0].GetValue()] = one.GetGauge().GetValue()
			}
		}
	}
	require.Equal(t, map[string]float64{"held": 0, "refused": 0, "sending": 0, "unsure": 1, "waiting": 1}, told)
}

func TestAddresses(t *testing.T) {
	for address, fine := range map[string]bool{
		"https://x.example/open311/v2": true, "http://127.0.0.1:8080/v2": true, "http://[::1]/v2": true, "http://localhost/v2": true,
		"http://x.example/v2": false, "x.example": false, "ftp://x.example": false, "https://u:p@x.example": false, "https://x.example/v2?key=1": false, "": false,
	} {
		err := outbox.CheckURL(address, false)
		require.Equal(t, fine, err == nil, "%s: %v", address, err)
	}
	require.NoError(t, outbox.CheckURL("http://x.example/v2", true))
	_, err := outbox.New(outbox.Options{})
	require.Error(t, err)
}
