package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

var freshSuite = suite{
	name: "fresh", load: "one counting device publishes a new number 20 times a second at uneven times, while 2,000 readings/s of the whole city come in; one event stream, and one connection that asks for the site every millisecond; 10 s a round",
	rows: []line{
		{key: "api", name: "publish to the API showing it, 2,000 readings/s, p99: ms", bar: 50, atMost: true},
		{key: "stream", name: "publish to the event stream showing it, 2,000 readings/s, p99: ms", bar: 50, atMost: true},
	},
	run: (*bench).fresh,
}

// The device whose number is watched: the only one of its site.
const (
	freshDevice = "count-lingkar-utara-t1"
	freshSite   = "BKS-LINGKAR-UTARA"
	freshClass  = "truck"
)

// sightings notes when a growing number was published, and first seen.
type sightings struct {
	mu        sync.Mutex
	published []time.Time // of number i+1
	seen      int         // the highest number seen
	times     latencies
}

func (s *sightings) publish() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = append(s.published, time.Now())
	return len(s.published)
}

// see notes that a number is shown: it and all before it were published.
func (s *sightings) see(number int) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.seen < min(number, len(s.published)); s.seen++ {
		s.times.add(now.Sub(s.published[s.seen]))
	}
}

func (s *sightings) missing() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.published) - s.seen
}

// fresh measures the time from a publish until the API and the event stream
// show it.
func (b *bench) fresh(ctx context.Context) (err error) {
	dir, err := b.scratch("fresh")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const readings = 2000
	g, end, err := b.startLive(ctx, dir, readings, freshDevice)
	if g != nil {
		defer stopping(&err, g)
	}
	if err != nil {
		return err
	}
	p, err := connect(ctx, g.mqtt, who{id: freshDevice, user: freshDevice, password: g.secrets[freshDevice], window: 100})
	if err != nil {
		return err
	}
	defer func() { _ = p.close() }()
	l := newLoad([]string{freshDevice})
	l.boot = 100 // the live city sends for this device too, with lower numbers
	var byAPI, byStream, api50, stream50 []float64
	span := b.span(10 * time.Second)
	for range b.rounds {
		l.boot++
		l.seq[0] = 0
		api, stream := &sightings{}, &sightings{}
		if err := freshRound(ctx, g, p, l, span, api, stream); err != nil {
			return err
		}
		g.accepted += float64(len(api.published) + 1)
		byAPI, byStream = append(byAPI, api.times.quantile(0.99)), append(byStream, stream.times.quantile(0.99))
		api50, stream50 = append(api50, api.times.quantile(0.5)), append(stream50, stream.times.quantile(0.5))
	}
	b.row("api", median(byAPI), fmt.Sprintf("%.1f (p50 %.1f ms)", median(byAPI), median(api50)))
	b.row("stream", median(byStream), fmt.Sprintf("%.1f (p50 %.1f ms)", median(byStream), median(stream50)))
	return end()
}

// freshRound publishes 1, 2, 3 .. after a first 0, and watches.
func freshRound(ctx context.Context, g *gateway, p *publisher, l *load, span time.Duration, api, stream *sightings) error {
	send := func(number int) error {
		return p.publish(1, func(b []byte) (string, []byte) {
			l.seq[0]++
			b = l.head(b, "count", 0, stampOf(time.Now()))
			b = strconv.AppendInt(append(b, `,"class":"`+freshClass+`","occupied":`...), int64(number), 10)
			return l.topic(0), append(b, '}')
		})
	}
	if err := send(0); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // until the 0 of this round is what is shown
	watching, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, 2)
	var wait sync.WaitGroup
	wait.Go(func() { errs[0] = watchAPI(watching, g.http, api.see) })
	wait.Go(func() { errs[1] = watchStream(watching, g.http, stream.see) })
	time.Sleep(200 * time.Millisecond) // until both watch
	begin := time.Now()
	var failed error
	for time.Since(begin) < span && failed == nil && ctx.Err() == nil {
		number := api.publish()
		stream.publish()
		failed = send(number)
		time.Sleep(time.Duration(30+rand.IntN(40)) * time.Millisecond)
	}
	deadline := time.Now().Add(5 * time.Second)
	for failed == nil && (api.missing() > 0 || stream.missing() > 0) && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	wait.Wait()
	if n, m := api.missing(), stream.missing(); failed == nil && n+m > 0 {
		failed = fmt.Errorf("of %d numbers the API never showed %d, the stream %d", len(api.published), n, m)
	}
	return errors.Join(failed, errs[0], errs[1])
}

// watchAPI asks for the site every millisecond.
func watchAPI(ctx context.Context, addr string, see func(int)) error {
	a, err := newAsker(ctx, addr)
	if err != nil {
		return err
	}
	defer a.close()
	request := a.request("/v1/parking/sites/"+freshSite, "")
	for ctx.Err() == nil {
		if err := a.ask(request, true); err != nil {
			return err
		}
		if n, ok := shown(a.body); ok {
			see(n)
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// watchStream reads the event stream.
func watchStream(ctx context.Context, addr string, see func(int)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v1/stream?topics=parking", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("stream: %s", resp.Status)
	}
	scan := bufio.NewScanner(resp.Body)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		if line := scan.Bytes(); bytes.HasPrefix(line, []byte("data: ")) && bytes.Contains(line, []byte(`"id":"`+freshSite+`"`)) {
			if n, ok := shown(line); ok {
				see(n)
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errors.New("the stream ended"), scan.Err())
}

// shown finds the site's number of vehicles in its JSON.
func shown(body []byte) (int, bool) {
	_, rest, ok := bytes.Cut(body, []byte(`"class":"`+freshClass+`"`))
	if !ok {
		return 0, false
	}
	if _, rest, ok = bytes.Cut(rest, []byte(`"occupied":`)); !ok {
		return 0, false
	}
	end := bytes.IndexAny(rest, ",}")
	if end < 0 {
		return 0, false
	}
	n, err := strconv.Atoi(string(rest[:end]))
	return n, err == nil
}
