package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/inventory"
)

// live is a stage that listens.
type live struct {
	*stage
	url string
}

func listen(t *testing.T, st *stage) *live {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := st.s.NewServer("")
	srv.ReadTimeout = 300 * time.Millisecond // must not end a stream
	srv.WriteTimeout = 300 * time.Millisecond
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, srv.Shutdown(ctx), "the streams end with the server")
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return &live{st, "http://" + l.Addr().String()}
}

// sse is one event or comment as a client sees it.
type sse struct{ event, id, data, comment string }

// reader reads a stream.
type reader struct {
	t      *testing.T
	events chan sse
	end    context.CancelFunc
}

func (l *live) stream(t *testing.T, query, lastID string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+"/v1/stream"+query, nil)
	require.NoError(t, err)
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream; charset=utf-8", res.Header.Get("Content-Type"))
	require.Empty(t, res.Header.Get("Content-Encoding"))
	out := &reader{t, make(chan sse, 1000), cancel}
	t.Cleanup(func() {
		cancel()
		require.NoError(t, res.Body.Close())
	})
	go func() {
		defer close(out.events)
		s := bufio.NewScanner(res.Body)
		s.Buffer(nil, 1<<20)
		var e sse
		for s.Scan() {
			line := s.Text()
			name, value, _ := strings.Cut(line, ": ")
			switch {
			case line == "":
				if e != (sse{}) {
					select {
					case out.events <- e:
					case <-ctx.Done(): // nobody reads any more
						return
					}
				}
				e = sse{}
			case name == "event":
				e.event = value
			case name == "id":
				e.id = value
			case name == "data":
				e.data = value
			case name == "":
				e.comment = value
			}
		}
	}()
	return out
}

// next returns the next event, or fails after a while.
func (r *reader) next() sse {
	r.t.Helper()
	select {
	case e, ok := <-r.events:
		require.True(r.t, ok, "the stream has ended")
		return e
	case <-time.After(20 * time.Second):
		require.FailNow(r.t, "no event came")
		return sse{}
	}
}

func (r *reader) nothing() {
	r.t.Helper()
	select {
	case e, ok := <-r.events:
		require.False(r.t, ok, "an event came: %v", e)
	case <-time.After(100 * time.Millisecond):
	}
}

func (r *reader) many(n int) []sse {
	r.t.Helper()
	all := make([]sse, n)
	for i := range all {
		all[i] = r.next()
	}
	return all
}

func itemOf(t *testing.T, e sse) (id string, free *int) {
	t.Helper()
	var item struct {
		ID      string
		Classes []struct{ Free *int }
	}
	require.NoError(t, json.Unmarshal([]byte(e.data), &item))
	if len(item.Classes) > 0 {
		free = item.Classes[0].Free
	}
	return item.ID, free
}

func TestStreamSendsAllAndThenWhatChanges(t *testing.T) {
	l := listen(t, newStage(t))
	r := l.stream(t, "", "")
	seen := map[string]string{}
	for _, e := range r.many(5) {
		require.Regexp(t, `^[0-9A-Z]+-\d+$`, e.id)
		id, _ := itemOf(t, e)
		seen[id] = e.event
	}
	require.Equal(t, map[string]string{"s-alun": "site", "s-mall": "site", "s-pasar": "site", "veteran-s": "segment", "veteran-u": "segment"}, seen)

	l.Parking.Set(alun(1, 2, 1))
	l.render()
	e := r.next()
	id, free := itemOf(t, e)
	require.Equal(t, "site s-alun", e.event+" "+id)
	require.Equal(t, 1, *free)
	var site struct{ Items []json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(l.get(t, "/v1/parking/sites").body), &site))
	require.JSONEq(t, string(site.Items[0]), e.data, "the item as in its list")

	l.Clock.Move(3 * time.Second)
	l.render()
	r.nothing() // age alone is no event
	l.Parking.Set(alun(1, 2, 1))
	l.render()
	r.nothing() // nor is the same state again
}

func TestStreamOfOneTopic(t *testing.T) {
	l := listen(t, newStage(t))
	r := l.stream(t, "?topics=traffic", "")
	for _, e := range r.many(2) {
		require.Equal(t, "segment", e.event)
	}
	l.Parking.Set(alun(1, 2, 1))
	l.render()
	r.nothing()
	l.Traffic.Set(veteran(12_000))
	l.render()
	require.Equal(t, "segment", r.next().event)
}

func TestStreamResumes(t *testing.T) {
	l := listen(t, newStage(t))
	first := l.stream(t, "", "")
	last := first.many(5)[4]
	first.end()
	l.Parking.Set(alun(1, 2, 1))
	l.render()
	l.Traffic.Set(veteran(12_000))
	l.render()
	second := l.stream(t, "", last.id)
	a, b := second.next(), second.next()
	require.Equal(t, []string{"site", "segment"}, []string{a.event, b.event}, "what was missed, and nothing else")
	second.nothing()
	l.stream(t, "", b.id).nothing()
}

// A stream may break off within the items that come first: whoever resumes
// from any of them ends with the same as everybody.
func TestStreamResumesFromWithinTheFirstItems(t *testing.T) {
	l := listen(t, newStage(t))
	l.Parking.Set(alun(1, 2, 1))
	l.render()
	all := l.stream(t, "", "").many(5)
	for broken := range all {
		have := map[string]bool{}
		for _, e := range all[:broken+1] {
			id, _ := itemOf(t, e)
			have[id] = true
		}
		r := l.stream(t, "", all[broken].id)
		for len(have) < 5 {
			e := r.next()
			if e.event == "reset" {
				clear(have)
				continue
			}
			id, _ := itemOf(t, e)
			have[id] = true
		}
	}
}

func TestStreamResets(t *testing.T) {
	l := listen(t, newStage(t))
	last := l.stream(t, "", "").many(5)[4]
	for _, id := range []string{"OLDEPOCH-3", "nonsense", strings.Split(last.id, "-")[0] + "-99999"} {
		r := l.stream(t, "", id)
		require.Equal(t, sse{event: "reset", data: "{}"}, r.next(), id)
		seen := map[string]bool{}
		for _, e := range r.many(5) {
			item, _ := itemOf(t, e)
			seen[item] = true
		}
		require.Len(t, seen, 5)
	}
}

// Who was away for long gets what is so now, once for each item, and what is
// kept for it does not grow.
func TestStreamResumesAfterLong(t *testing.T) {
	l := listen(t, newStage(t))
	parking, traffic := l.stream(t, "?topics=parking", "").many(3)[2], l.stream(t, "?topics=traffic", "").many(2)[1]
	for i := range 5000 {
		l.Parking.Set(alun(i%3, 2, 1))
		l.render()
	}
	l.Traffic.Set(veteran(9_000))
	l.render()
	r := l.stream(t, "?topics=parking", parking.id)
	_, free := itemOf(t, r.next())
	require.Equal(t, 4999%3, *free)
	r.nothing()
	r = l.stream(t, "?topics=traffic", traffic.id)
	require.Equal(t, "segment", r.next().event)
	r.nothing()
}

func TestStreamBeginsAnewWhenAnItemVanishes(t *testing.T) {
	l := listen(t, newStage(t))
	r := l.stream(t, "?topics=parking", "")
	r.many(3)
	smaller := *l.Version
	smaller.Sites = append([]*inventory.Site{}, l.Version.Sites[:2]...)
	l.Version = &smaller
	l.render()
	require.Equal(t, "reset", r.next().event)
	require.Len(t, r.many(2), 2)
	r.nothing()
}

func TestStreamKeepsAlive(t *testing.T) {
	l := listen(t, newStage(t, func(o *api.Options) { o.KeepAlive = 150 * time.Millisecond }))
	r := l.stream(t, "?topics=traffic", "")
	r.many(2)
	for range 4 { // longer than the server's timeouts
		require.Equal(t, sse{comment: "still here"}, r.next())
	}
}

func TestStreamsAreBounded(t *testing.T) {
	l := listen(t, newStage(t, func(o *api.Options) { o.MaxStreams = 20 })) // 2 of them an address
	a, b := l.stream(t, "", ""), l.stream(t, "", "")
	a.many(5)
	b.many(5)
	status, header := l.ask(t)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, header.Get("Retry-After"))
	a.end()
	require.Eventually(t, func() bool {
		status, _ := l.ask(t)
		return status == http.StatusOK
	}, 30*time.Second, 10*time.Millisecond)
}

// ask asks for a stream by HEAD, which does not stay open.
func (l *live) ask(t *testing.T) (status int, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, l.url+"/v1/stream", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, res.Header
}

// Who does not read is cut, and nobody waits for it.
func TestSlowReadersAreCut(t *testing.T) {
	if testing.Short() {
		t.Skip("filling a socket takes seconds")
	}
	st := newStage(t, func(o *api.Options) { o.WriteTimeout = 200 * time.Millisecond })
	l := listen(t, st)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(l.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	_, err = conn.Write([]byte("GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return streams(t, l.stage) == 1 }, 30*time.Second, 5*time.Millisecond)
	until := time.Now().Add(20 * time.Second)
	for i := 0; streams(t, l.stage) > 0; i++ {
		require.True(t, time.Now().Before(until), "it was not cut")
		for j := range 100 {
			l.Parking.Set(alun(i%4, j, 1))
			l.render()
		}
	}
	require.InDelta(t, 1, metric(t, l.stage, "simpang_http_streams_cut_total"), 0)
}

// streams reads how many streams are open from the metrics.
func streams(t *testing.T, st *stage) float64 {
	t.Helper()
	return metric(t, st, "simpang_http_streams")
}

func metric(t *testing.T, st *stage, name string) float64 {
	t.Helper()
	families, err := st.Metrics.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	require.FailNow(t, "there is no such metric")
	return 0
}

func TestRunRendersWhatChanges(t *testing.T) {
	l := listen(t, newStage(t))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.s.Run(ctx) }()
	r := l.stream(t, "?topics=parking", "")
	r.many(3)
	l.Parking.Set(alun(0, 3, 1))
	_, free := itemOf(t, r.next())
	require.Equal(t, 0, *free)
	l.Clock.Move(10 * time.Second)
	require.Eventually(t, func() bool {
		return strings.Contains(l.get(t, "/v1/parking/sites").body, `"age_s":100,`)
	}, 30*time.Second, 20*time.Millisecond, "ages are rendered once a second")
	cancel()
	require.NoError(t, <-done)
	_, open := <-r.events
	require.False(t, open, "streams end with Run")
}
