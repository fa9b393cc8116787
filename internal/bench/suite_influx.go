package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api/write"

	"github.com/simpang-id/simpang/internal/app"
	"github.com/simpang-id/simpang/internal/influx/influxtest"
	"github.com/simpang-id/simpang/internal/inventory"
)

var influxSuite = suite{
	name: "influx", load: "InfluxDB 1.8.10 on these cores; 10 publishers that together keep 5,000 messages/s for a minute, without and with it; then a backlog of 5,000,000 readings, taken by the gateway's own code beforehand, drains; one round",
	rows: []line{
		{key: "level", name: "InfluxDB on the same cores, 5,000 readings/s for a minute (one round): seconds after the end until it has them all", bar: 2, atMost: true},
		{key: "p99", name: "publish to PUBACK meanwhile, p99: ms over the same without InfluxDB", bar: 10, atMost: true},
		{key: "drain", name: "a backlog of 5 million readings drains to InfluxDB (one round): readings/s against the bare client with the same points", bar: 0.5},
		{key: "flat", name: "resident memory while it drains, the last fifth's most against the second fifth's (one round)", bar: 1.05, atMost: true},
	},
	run: (*bench).influx,
}

// influx measures what a target costs, and how fast one that was away is level.
func (b *bench) influx(ctx context.Context) (err error) {
	dir, err := b.scratch("influx")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.liveInflux(ctx, dir); err != nil {
		return err
	}
	return b.drainInflux(ctx, dir)
}

// withInflux starts an InfluxDB in a folder of dir.
func withInflux(ctx context.Context, dir, name string) (*influxtest.Server, error) {
	dir, err := os.MkdirTemp(dir, name)
	if err != nil {
		return nil, err
	}
	s, err := influxtest.New(ctx, dir)
	if err != nil {
		return nil, err
	}
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return s, s.Start(starting)
}

// target adds a target to a laid gateway.
func (g *gateway) target(s *influxtest.Server, what string) error {
	f, err := os.OpenFile(g.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "\ninflux: [{id: bench, url: %q, bucket: %q, what: [%s]}]\n", s.URL, s.Bucket, what)
	return errors.Join(err, f.Close())
}

// liveInflux measures PUBACK without and with a target.
func (b *bench) liveInflux(ctx context.Context, dir string) error {
	var p99 [2]float64
	var behind time.Duration
	for i := range p99 {
		s, err := withInflux(ctx, dir, "live")
		if err != nil {
			return err
		}
		p99[i], behind, err = b.pacedInflux(ctx, dir, s, i == 1)
		s.Stop(syscall.SIGKILL)
		if err != nil {
			return err
		}
	}
	b.row("level", behind.Seconds(), fmt.Sprintf("%.2f", behind.Seconds()))
	b.row("p99", p99[1]-p99[0], fmt.Sprintf("%.2f (p99 %.2f ms against %.2f ms)", p99[1]-p99[0], p99[1], p99[0]))
	return nil
}

func (b *bench) pacedInflux(ctx context.Context, dir string, s *influxtest.Server, on bool) (p99 float64, behind time.Duration, err error) {
	store, err := os.MkdirTemp(dir, "gateway")
	if err != nil {
		return 0, 0, err
	}
	g, err := b.layGateway(ctx, store, referenceCity, builtIn)
	if err != nil {
		return 0, 0, err
	}
	if on {
		if err := g.target(s, "readings, rollups, books"); err != nil {
			return 0, 0, err
		}
	}
	if err := g.serve(ctx, b.bin); err != nil {
		return 0, 0, err
	}
	defer stopping(&err, g)
	const publishers, window, rate = 10, 1000, 5000
	c, err := join(ctx, g.mqtt, publishers, window, g.bridge)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = c.leave() }()
	seen := &latencies{}
	n, err := newLoad(b.devices).paced(ctx, c, rate, b.span(time.Minute), seen)
	if err != nil {
		return 0, 0, err
	}
	end := time.Now()
	if _, _, err = g.accept(ctx, n, time.Minute); err != nil {
		return 0, 0, err
	}
	behind = time.Since(end)
	if on {
		err = holds(ctx, s, n)
	}
	return seen.quantile(0.99), behind, err
}

// holds compares how many readings a server has with what was sent.
func holds(ctx context.Context, s *influxtest.Server, n int) error {
	text, err := s.Influx(ctx, "SELECT count(seq) FROM spot")
	if err != nil {
		return err
	}
	text = strings.TrimSpace(text)
	if got := text[strings.LastIndexByte(text, ',')+1:]; got != strconv.Itoa(n) {
		return fmt.Errorf("InfluxDB holds %s readings, sent were %d", got, n)
	}
	return nil
}

// drainInflux measures a backlog against the bare client.
func (b *bench) drainInflux(ctx context.Context, dir string) (err error) {
	store, err := os.MkdirTemp(dir, "gateway")
	if err != nil {
		return err
	}
	g, err := b.layGateway(ctx, store, referenceCity, builtIn)
	if err != nil {
		return err
	}
	const readings, bare = 5_000_000, 1_000_000
	n, few := b.sized(readings), b.sized(bare)
	now := time.Now()
	from := now.Add(-6 * time.Hour)
	if err := prepare(ctx, g, manyACommit, from, now, func(_ *app.Replay, give func(received) error) error {
		return spotReadings(b.devices, from, now, n, give)
	}); err != nil {
		return err
	}
	theirs, err := bareClient(ctx, dir, b.devices, from, now, few)
	if err != nil {
		return fmt.Errorf("the bare client: %w", err)
	}
	s, err := withInflux(ctx, dir, "drain")
	if err != nil {
		return err
	}
	defer s.Stop(syscall.SIGKILL)
	if err := g.target(s, "readings"); err != nil {
		return err
	}
	if err := g.serve(ctx, b.bin); err != nil {
		return err
	}
	defer stopping(&err, g)
	begin := time.Now()
	lag, err := g.targetLag(ctx)
	if err != nil {
		return err
	}
	var seen residents
	left := lag
	const patience, every = 10 * time.Minute, 100 * time.Millisecond
	err = waitFor(ctx, "the target is level", patience, every, func() bool {
		if size, err := g.resident(); err == nil {
			seen = append(seen, size)
		}
		left, err = g.targetLag(ctx)
		return err == nil && left == 0 || g.ended()
	})
	took := time.Since(begin)
	if err := errors.Join(err, g.fate(), holds(ctx, s, n)); err != nil {
		return err
	}
	ours := lag / took.Seconds()
	b.row("drain", ours/theirs, fmt.Sprintf("%.2f (%.0f/s against %.0f/s; %.0f readings in %.1f s)", ours/theirs, ours, theirs, lag, took.Seconds()))
	early, late := seen.most(0.2, 0.4), seen.most(0.8, 1)
	b.row("flat", float64(late)/float64(early), fmt.Sprintf("%.3f (%.0f MB against %.0f MB)", float64(late)/float64(early), mb(late), mb(early)))
	return nil
}

// targetLag is how many entries the target's readings are behind.
func (g *gateway) targetLag(ctx context.Context) (lag float64, err error) {
	err = get(ctx, "http://"+g.admin+"/metrics", func(r io.Reader) error {
		for scan := bufio.NewScanner(r); scan.Scan(); {
			if rest, ok := strings.CutPrefix(scan.Text(), lagMetric+`{follower="influx/bench/readings"} `); ok {
				lag, err = strconv.ParseFloat(rest, 64)
				return err
			}
		}
		return errors.New("the target's lag is not told")
	})
	return lag, err
}

// bareClient writes the same points by the client's own means: points made and
// encoded by it, as many a request as ours.
func bareClient(ctx context.Context, dir string, devices []string, from, until time.Time, n int) (rate float64, err error) {
	s, err := withInflux(ctx, dir, "bare")
	if err != nil {
		return 0, err
	}
	defer s.Stop(syscall.SIGKILL)
	v, faults, err := inventory.Load(referenceCity, time.UTC)
	if err != nil || len(faults) > 0 {
		return 0, fmt.Errorf("%v: %w", faults, err)
	}
	client := influxdb2.NewClientWithOptions(s.URL, "", influxdb2.DefaultOptions().SetUseGZip(true))
	defer client.Close()
	to := client.WriteAPIBlocking("", s.Bucket)
	const most = 5000
	var points []*write.Point
	flush := func() error {
		err := to.WritePoint(ctx, points...)
		points = points[:0]
		return err
	}
	begin := time.Now()
	pos := int64(0)
	err = spotReadings(devices, from, until, n, func(m received) error {
		pos++
		r := &m.m.Decoded.Readings[0]
		d := v.Device(r.Device)
		site := v.Site(d.Site)
		occupied := int64(0)
		if r.Spot.Occupied {
			occupied = 1
		}
		battery, _ := r.Spot.Battery.Float()
		p := write.NewPointWithMeasurement("spot").AddTag("city", "bekasi").AddTag("class", d.Class.String()).AddTag("device", r.Device).AddTag("gateway", "bekasi").
			AddTag("kecamatan", site.Kecamatan).AddTag("segment", site.Segment).AddTag("site", site.ID).
			AddField("occupied", occupied).AddField("battery_v", battery).AddField("boot", int64(r.Boot)).AddField("seq", int64(r.Seq)).AddField("pos", pos).
			AddField("recv", m.at.UnixMilli()).AddField("source", m.m.Source).SetTime(time.UnixMilli(r.At).Add(time.Duration(r.Seq % 1_000_000)))
		if points = append(points, p); len(points) < most {
			return nil
		}
		return flush()
	})
	if err == nil && len(points) > 0 {
		err = flush()
	}
	return float64(n) / time.Since(begin).Seconds(), err
}
