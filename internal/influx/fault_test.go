package influx_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/influx"
	"github.com/simpang-id/simpang/internal/influx/influxtest"
)

// The server is filled to its disk's limit, paused, killed and started again
// while readings come in: at the end it holds each once, compared by query with
// the truth. What comes in is never held up.
func TestAServerThatIsKilledPausedAndFilledHoldsEachReadingOnce(t *testing.T) {
	s, disk := influxtest.OnDisk(t, "48m")
	server := serverOf(s)
	server.Timeout = 2 * time.Second
	b := newBed(t, server)
	target, _ := b.run()
	var want []string
	seq := uint64(0)
	slowest := time.Duration(0)
	more := func(n int) {
		for range n {
			seq++
			r := spot([]string{"P1", "P2"}[seq%2], seq, begin+int64(seq/3)*1000)
			want = append(want, fmt.Sprintf("%s:%d", r.Device, seq))
			began := time.Now()
			b.log.read(r)
			slowest = max(slowest, time.Since(began))
		}
	}
	// trouble waits until the target has met what was done to the server.
	trouble := func(what string) {
		b.until(func() bool { return target.Status()[0].Detail != "" }, func() any { return what })
		require.False(t, target.Status()[0].Person, target.Status()[0].Detail)
	}
	well := func() { b.level(target, "readings") }
	more(3000)
	well()

	ballast := filepath.Join(disk, "ballast")
	influxtest.Fill(t, ballast)
	more(12_000)
	trouble("its disk is full")
	more(1000)
	// InfluxDB 1.8 does not get over a full disk by itself: its log of writes
	// fails until it is started again.
	s.Stop(syscall.SIGKILL)
	require.NoError(t, os.Remove(ballast))
	s.Again(t)
	well()
	sameSet(t, want, points(t, s, "spot"))

	require.NoError(t, s.Signal(syscall.SIGSTOP))
	more(3000)
	trouble("it is paused")
	require.NoError(t, s.Signal(syscall.SIGCONT))
	well()
	sameSet(t, want, points(t, s, "spot"))

	more(6000) // in flight
	s.Stop(syscall.SIGKILL)
	more(3000)
	trouble("it is killed")
	s.Again(t)
	well()

	sameSet(t, want, points(t, s, "spot"))
	require.Less(t, slowest, 200*time.Millisecond, "who appends waits for nobody")
	require.NoFileExists(t, filepath.Join(b.dir, "pusat.refused"))
}

// sameSet compares two long lists, and tells how they differ in few words.
func sameSet(t *testing.T, want, got []string) {
	t.Helper()
	count := map[string]int{}
	for _, x := range want {
		count[x]++
	}
	for _, x := range got {
		count[x]--
	}
	var missing, extra []string
	for x, n := range count {
		if n > 0 {
			missing = append(missing, x)
		} else if n < 0 {
			extra = append(extra, x)
		}
	}
	sort.Strings(missing)
	require.Empty(t, extra)
	if n := len(missing); n > 0 {
		t.Logf("want %d got %d", len(want), len(got))
		t.Fatalf("%d are missing, from %s to %s", n, missing[0], missing[n-1])
	}
}

// front is what stands before a server and answers in its place where told to.
type front struct {
	*httptest.Server

	answer atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool] // true: it answered
	mu     sync.Mutex
	tokens []string
}

func newFront(t *testing.T, s *influxtest.Server) *front {
	t.Helper()
	to, err := url.Parse(s.URL)
	require.NoError(t, err)
	f := &front{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.tokens = append(f.tokens, r.Header.Get("Authorization"))
		f.mu.Unlock()
		if answer := f.answer.Load(); answer == nil || !(*answer)(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		f.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // it is
	})
	return f
}

func (f *front) says(answer func(w http.ResponseWriter, r *http.Request) bool) {
	f.answer.Store(&answer)
}

// What a person must mend is told, waits, and goes on once it is mended: nothing
// is set aside meanwhile. What passes by itself needs nobody.
func TestWhatAServerRefuses(t *testing.T) {
	s := start(t)
	f := newFront(t, s)
	token := filepath.Join(t.TempDir(), "token")
	for _, c := range []struct {
		name   string
		code   int
		body   string
		why    string
		person bool
		redir  bool
	}{
		{"token", 401, `{"code":"unauthorized","message":"unauthorized access"}`, "refuses our token", true, false},
		{"rights", 403, `{"code":"forbidden","message":"insufficient permissions"}`, "refuses our token", true, false},
		{"bucket", 404, `{"code":"not found","message":"bucket \"x\" not found"}`, "does not know the organisation or bucket", true, false},
		{"everything", 400, `{"code":"invalid","message":"no"}`, "refuses everything", true, false},
		{"busy", 429, `{"code":"too many requests","message":"slow down"}`, "busy", false, false},
		{"failing", 503, "upstream", "fails: 503", false, false},
		{"redirect", 307, "", "redirects", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := serverOf(s)
			server.URL = f.URL
			require.NoError(t, os.WriteFile(token, []byte("old"), 0o600))
			server.Token = func() (string, error) {
				data, err := os.ReadFile(token)
				return string(data), err
			}
			b := newBed(t, server)
			b.o.Origin.Gateway = "gw-" + c.name
			f.says(func(w http.ResponseWriter, r *http.Request) bool {
				if c.code == 401 && r.Header.Get("Authorization") == "Token new" {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				if c.redir {
					w.Header().Set("Location", s.URL)
				}
				w.WriteHeader(c.code)
				_, _ = w.Write([]byte(c.body))
				return true
			})
			for i := range uint64(20) {
				b.log.read(spot("P1", i, begin+int64(i)*1000))
			}
			target, _ := b.run()
			b.until(func() bool { return target.Status()[0].Detail != "" }, func() any { return target.Status() })
			st := target.Status()[0]
			require.Contains(t, st.Detail, c.why)
			require.Equal(t, c.person, st.Person)
			require.NotContains(t, st.Detail, "old", "no secret is told")
			require.Zero(t, st.Cursor)
			require.NoError(t, os.WriteFile(token, []byte("new"), 0o600))
			if c.code != 401 {
				f.says(func(http.ResponseWriter, *http.Request) bool { return false })
			}
			b.level(target, "readings")
			require.Empty(t, target.Status()[0].Detail)
			require.NoFileExists(t, filepath.Join(b.dir, "pusat.refused"))
		})
	}
}

// A token file that is not there stops nothing: it is told, and read once it is.
func TestATokenThatComesLater(t *testing.T) {
	s := start(t)
	f := newFront(t, s)
	f.says(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Token good" {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	file := filepath.Join(t.TempDir(), "token")
	server := serverOf(s)
	server.URL, server.Token = f.URL, func() (string, error) {
		data, err := os.ReadFile(file)
		return string(data), err
	}
	b := newBed(t, server)
	b.log.read(spot("P1", 1, begin))
	target, _ := b.run()
	b.until(func() bool { return strings.Contains(target.Status()[0].Detail, file) }, func() any { return target.Status() })
	require.True(t, target.Status()[0].Person)
	require.NoError(t, os.WriteFile(file, []byte("good"), 0o600))
	b.level(target, "readings")
	require.Equal(t, []string{"P1:1"}, points(t, s, "spot"))
}

// A request that is too large is halved; a server that says that it has it while
// it does not answer is asked again.
func TestALargeRequestIsHalved(t *testing.T) {
	s := start(t)
	f := newFront(t, s)
	f.says(func(w http.ResponseWriter, r *http.Request) bool {
		if r.ContentLength < 0 || r.ContentLength > 4000 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return true
		}
		return false
	})
	server := serverOf(s)
	server.URL, server.Gzip = f.URL, false
	b := newBed(t, server)
	var want []string
	for i := range uint64(500) {
		b.log.read(spot("P1", i, begin+int64(i)*1000))
		want = append(want, fmt.Sprintf("P1:%d", i))
	}
	target, _ := b.run()
	b.level(target, "readings")
	sort.Strings(want)
	require.Equal(t, want, points(t, s, "spot"))
}

// Two targets are two cursors: one that is away holds up nobody.
func TestATargetThatIsAwayHoldsUpNoOther(t *testing.T) {
	s := start(t)
	b := newBed(t, serverOf(s))
	away := newBed(t, influx.Server{URL: "http://127.0.0.1:1", Bucket: "x", Timeout: time.Second})
	away.log, away.timeline, away.o.Log, away.o.Timeline, away.o.ID = b.log, b.timeline, b.log, b.timeline, "away"
	for i := range uint64(100) {
		b.log.read(spot("P1", i, begin+int64(i)*1000))
	}
	lost, _ := away.run()
	target, _ := b.run()
	b.level(target, "readings")
	b.until(func() bool { return strings.Contains(lost.Status()[0].Detail, "refused") }, func() any { return lost.Status() })
	require.Equal(t, uint64(101), lost.Status()[0].Lag)
	require.Len(t, points(t, s, "spot"), 100)
}
