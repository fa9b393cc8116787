package endtoend_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// event is one event, or a comment, of a stream.
type event struct {
	name, id string
	data     object
	comment  bool
}

// stream is an open event stream.
type stream struct {
	t      *testing.T
	events chan event
	end    context.CancelFunc
}

// listen opens the stream.
func listen(t *testing.T, g *gateway, query, last string) *stream {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.http+"/v1/stream"+query, nil)
	require.NoError(t, err)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Client{}).Do(req) //nolint:bodyclose // closed below, when its reader has ended
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, resp.Header.Get("Content-Type"), "text/event-stream")
	require.Equal(t, "*", resp.Header.Get("Access-Control-Allow-Origin"))
	s := &stream{t, make(chan event, 4096), end}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 1<<20)
		var e event
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimPrefix(value, " ")
			switch {
			case lines.Text() == "":
				if e.name != "" {
					s.events <- e
				}
				e = event{}
			case field == "":
				s.events <- event{comment: true}
			case field == "event":
				e.name = value
			case field == "id":
				e.id = value
			case field == "data":
				if json.Unmarshal([]byte(value), &e.data) != nil {
					e.data = nil
				}
			}
		}
	}()
	t.Cleanup(func() {
		end()
		<-done
		_ = resp.Body.Close()
	})
	return s
}

// next waits for an event; comments are passed over.
func (s *stream) next() event {
	s.t.Helper()
	return s.until("an event", func(e event) bool { return !e.comment })
}

func (s *stream) until(what string, ok func(event) bool) event {
	s.t.Helper()
	after := time.After(17 * time.Second)
	for {
		select {
		case e := <-s.events:
			if ok(e) {
				return e
			}
		case <-after:
			s.t.Fatalf("the stream does not send %s", what)
		}
	}
}

// all reads n different items and returns the last event's id.
func (s *stream) all(n int, names ...string) (last string) {
	s.t.Helper()
	seen := map[any]bool{}
	for len(seen) < n {
		e := s.next()
		require.Contains(s.t, names, e.name)
		require.Regexp(s.t, `^.+-\d+$`, e.id)
		if e.name == "site" {
			e.data.has(s.t, siteMembers)
		} else {
			e.data.has(s.t, segmentMembers)
		}
		zoned(s.t, "stream", map[string]any(e.data))
		seen[e.data["id"]] = true
		last = e.id
	}
	return last
}

func (c *tour) stream(t *testing.T) {
	g, v, p := c.g, c.v, c.p
	occupied := func(device string, seq int, taken bool, want float64) func(event) bool {
		p.up(device, spotReading(1, seq, at(0), taken))
		return func(e event) bool {
			return e.name == "site" && e.data["id"] == alunAlun && e.data.items(t, "classes")[0]["occupied"] == want
		}
	}
	both := listen(t, g, "", "")
	last := both.all(len(v.Sites)+len(v.Segments), "site", "segment")
	taken := g.fetch(t, "/v1/parking/sites/"+alunAlun).decode(t).items(t, "classes")[0]["occupied"].(float64)
	changed := both.until("the change", occupied("spot-alun-alun-1-c005", 2, true, taken+1))
	require.NotEqual(t, last, changed.id)
	var list object
	require.NoError(t, json.Unmarshal(g.fetch(t, "/v1/parking/sites").body, &list))
	item := one(t, list.items(t, "items"), "id", alunAlun)
	delete(item, "age_s")
	delete(changed.data, "age_s")
	require.Equal(t, item, changed.data, "the data is the item as in its list")
	both.end()

	// What happened while nobody listened comes first, and nothing else.
	meanwhile := occupied("spot-alun-alun-1-c006", 2, true, taken+2)
	g.until("it is shown", func() bool {
		return g.fetch(t, "/v1/parking/sites/"+alunAlun).decode(t).items(t, "classes")[0]["occupied"] == taken+2
	})
	resumed := listen(t, g, "", changed.id)
	require.True(t, meanwhile(resumed.next()), "it resumes where it broke off")
	select {
	case e := <-resumed.events:
		require.Equal(t, "segment", e.name, "only what changed: %v", e)
	case <-time.After(200 * time.Millisecond):
	}

	parking := listen(t, g, "?topics=parking", "")
	parking.all(len(v.Sites), "site")
	for _, wrong := range []string{"another-7", "nonsense", strings.TrimRight(changed.id, "0123456789") + "99999999"} {
		s := listen(t, g, "?topics=parking", wrong)
		require.Equal(t, "reset", s.next().name, wrong)
		s.all(len(v.Sites), "site")
		s.end()
	}
}
