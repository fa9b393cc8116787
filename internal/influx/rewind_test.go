package influx_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A backlog gets through a link that breaks off every few requests, whether or
// not the server tells that it lives on; nothing is lost by that.
func TestABacklogGetsThroughALinkThatBreaks(t *testing.T) {
	for name, tells := range map[string]bool{"a server that tells when it began": true, "one that does not": false} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			f := newFront(t, s)
			server := serverOf(s)
			server.URL = f.URL
			b := newBed(t, server)
			const n = 40_000
			want := make([]string, 0, n)
			for i := range uint64(n) {
				b.log.read(spot("P1", i, begin+int64(i)*1000))
				want = append(want, fmt.Sprintf("P1:%d", i))
			}
			var writes atomic.Int64
			f.says(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/metrics") && !tells {
					http.NotFound(w, r)
					return true
				}
				if !strings.Contains(r.URL.Path, "write") {
					return false
				}
				if writes.Add(1)%3 == 0 {
					panic(http.ErrAbortHandler)
				}
				return false
			})
			target, _ := b.run()
			b.level(target, "readings")
			sameSet(t, want, points(t, s, "spot"))
			// Eight batches, two of three requests go through: each goes twice at
			// most, also within the seconds in which a start is no proof yet.
			require.LessOrEqual(t, writes.Load(), int64(30))
		})
	}
}

// A server that begins anew forgets, unnoticed by any request: that it is
// another process is seen, after a restart of the gateway too, and although it
// is too busy at first to tell.
func TestANewLifeOfTheServerIsNoticed(t *testing.T) {
	s := start(t)
	f := newFront(t, s)
	server := serverOf(s)
	server.URL = f.URL
	b := newBed(t, server)
	born, forgets := "1.79e+09", true
	var busy atomic.Int64
	f.says(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/metrics") && busy.Add(-1) >= 0:
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.HasSuffix(r.URL.Path, "/metrics"):
			fmt.Fprintf(w, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %s\n", born)
		case forgets:
			w.WriteHeader(http.StatusNoContent)
		default:
			return false
		}
		return true
	})
	var want []string
	more := func(from, to uint64) {
		for i := from; i < to; i++ {
			b.log.read(spot("P1", i, begin+int64(i)*1000))
			want = append(want, fmt.Sprintf("P1:%d", i))
		}
	}
	more(0, 100)
	target, end := b.run()
	b.level(target, "readings")
	end()
	born, forgets = "1.80e+09", false
	busy.Store(1)
	for i := uint64(100); i < 103; i++ { // each in a request of its own
		more(i, i+1)
		if i == 100 {
			target, _ = b.run()
		}
		b.level(target, "readings")
	}
	b.until(func() bool { return len(points(t, s, "spot")) >= len(want) }, func() any { return points(t, s, "spot") })
	sameSet(t, want, points(t, s, "spot"))
}
