package app

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/influx"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
)

// servers are the targets that are written to, and the one that is read back.
type servers struct {
	targets []*influx.Target
	hold    map[string]int // days, by target
	room    func(dir string) (free, size uint64)
	past    *influx.Past // nil: nothing is read back
}

// openInflux makes the targets of the configuration. It reaches none of them.
func (g *gateway) openInflux(ctx context.Context, undo *stack) error {
	g.servers = &servers{hold: map[string]int{}, room: diskRoom}
	if len(g.cfg.Influx) == 0 {
		return nil
	}
	store, err := influx.OpenStore(ctx, g.path("influx.db"))
	if err != nil {
		return err
	}
	undo.push("influx", store.Close)
	if err := os.MkdirAll(g.path("influx"), 0o700); err != nil {
		return fmt.Errorf("influx: %w", err)
	}
	metrics := influx.NewMetrics(g.registry)
	for i := range g.cfg.Influx {
		c := &g.cfg.Influx[i]
		target, err := influx.New(ctx, influx.Options{
			ID: c.ID, Server: serverOf(c), Origin: influx.Origin{Gateway: c.Gateway, City: g.cfg.City.ID}, Rate: c.Rate,
			Readings: slices.Contains(c.What, config.InfluxReadings), Rollups: slices.Contains(c.What, config.InfluxRollups), Books: slices.Contains(c.What, config.InfluxBooks),
			Dir: g.path("influx"), Store: store, Log: influxLog{g}, Timeline: g.inventory.timeline, Ledger: &g.ledger, History: rolledUp{g},
			Metrics: metrics, Logger: g.log, Now: time.Now,
		})
		if err != nil {
			return err
		}
		undo.push("influx "+c.ID, target.Close)
		g.servers.targets = append(g.servers.targets, target)
		g.servers.hold[c.ID] = c.HoldDays
	}
	c := g.cfg.SeriesTarget()
	if c == nil {
		return nil
	}
	reader, err := influx.NewReader(serverOf(c), influx.Origin{Gateway: c.Gateway, City: g.cfg.City.ID})
	if err != nil {
		return err
	}
	undo.push("influx reader", reader.Close)
	g.servers.past = &influx.Past{Local: &g.series, Remote: reader, Whole: g.wholeSince, Now: time.Now, Log: g.log}
	return nil
}

func serverOf(c *config.Influx) influx.Server {
	s := influx.Server{URL: c.URL, Org: c.Org, Bucket: c.Bucket, CAFile: c.CAFile, Timeout: c.Timeout.Duration, Gzip: c.Gzip}
	if c.TokenFile != "" {
		s.Token = func() (string, error) {
			token, err := config.ReadSecret(c.TokenFile)
			if err != nil {
				return "", fmt.Errorf("influx %s: token_file: %w", c.ID, err)
			}
			return token.Reveal(), nil
		}
	}
	return s
}

// aheadMost is how far ahead of our clock a device's may be, at most, whatever
// `max_ahead` says or said: what was received before a day may be of a time
// within it.
const aheadMost = 24 * time.Hour

// wholeSince is from when on (event time, Unix ms) all readings but receipts
// are kept here: from the begin of the oldest day of which nothing was let go.
func (g *gateway) wholeSince() int64 {
	date := ""
	if days := g.journal.Days(); len(days) > 0 {
		date = days[0].Date
	}
	archived := g.series.now().Archived()
	for i := range slices.Backward(archived) {
		let := slices.ContainsFunc(archived[i].Files, func(f archive.File) bool {
			return f.Removed && f.Kind != city.KindReceipt.String() && isReading(f.Kind)
		})
		if let && archived[i].Date < date {
			break
		}
		date = min(date, archived[i].Date)
	}
	begin, err := time.ParseInLocation(time.DateOnly, date, g.cfg.City.Zone)
	if err != nil {
		return 1<<63 - 1 // nothing is here yet
	}
	return begin.Add(aheadMost).UnixMilli()
}

func isReading(kind string) bool {
	_, ok := city.ParseKind(kind)
	return ok
}

// run lists what goes on until its context ends.
func (s *servers) run() (all []influx.Stream) {
	for _, t := range s.targets {
		all = append(all, t.Streams()...)
	}
	return all
}

// ready tells of each stream, and what a person must mend.
func (s *servers) ready(ctx context.Context, r *readiness, now time.Time, misses func(*influx.Target, *influx.Status) string) (list []api.FollowerReady, problems []string) {
	for _, t := range s.targets {
		for _, st := range t.Status() {
			ready := api.FollowerReady{
				Name: "influx/" + st.Name, Cursor: st.Cursor, Lag: st.Lag, Detail: api.TextOrNull(st.Detail), LastMessage: api.FormatTime(st.Recv, r.zone),
			}
			if st.Recv != 0 {
				ready.AgeS = city.SomeInt(max(now.UnixMilli()-st.Recv, 0) / 1000)
			}
			ready.LagS = city.SomeMilli(0)
			if st.Oldest > 0 {
				ready.LagS = city.SomeMilli(r.behind(ctx, st.Oldest-1, max(st.Lag, 1), now).Milliseconds())
			}
			list = append(list, ready)
			if st.Person {
				problems = append(problems, st.Name+" waits: "+st.Detail)
			}
			if lost := misses(t, &st); lost != "" {
				problems = append(problems, lost)
			}
		}
	}
	return list, problems
}

// influxLog is the journal as targets read it.
type influxLog struct{ g *gateway }

var _ influx.Log = influxLog{}

// Head is the feed's.
func (l influxLog) Head() uint64 { return l.g.feed.Head() }

// Next is the feed's.
func (l influxLog) Next(ctx context.Context, after uint64) ([]journal.Entry, error) {
	return l.g.feed.Next(ctx, after)
}

// Archived asks the series.
func (l influxLog) Archived(ctx context.Context, after uint64, each func([]journal.Entry) error) (uint64, error) {
	return l.g.archived(ctx, after, each)
}

// rolledUp is what occupancy and traffic have rolled up.
type rolledUp struct{ g *gateway }

var _ influx.History = rolledUp{}

// Reached asks the followers' runners.
func (r rolledUp) Reached(pos uint64) bool {
	for _, x := range r.g.runners {
		if (x.f == Follower(&r.g.occupancy) || x.f == Follower(&r.g.traffic)) && x.reached.Load() < pos {
			return false
		}
	}
	return true
}

// Parking asks occupancy.
func (r rolledUp) Parking(ctx context.Context, site string, class city.Class, from, to int64) ([]occupancy.Rollup, error) {
	return ask(&r.g.occupancy.seat, func(f *occupancy.Follower) ([]occupancy.Rollup, error) { return f.Rollups(ctx, site, class, from, to) })
}

// Road asks traffic.
func (r rolledUp) Road(ctx context.Context, segment string, from, to int64) ([]traffic.HistoryPoint, error) {
	const step = 5 * 60 * 1000
	return ask(&r.g.traffic.seat, func(f *traffic.Follower) ([]traffic.HistoryPoint, error) {
		return f.History(ctx, segment, from, to, step)
	})
}

var _ influx.Local = (*seriesSeat)(nil)
