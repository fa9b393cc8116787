package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/web"
)

// openAPI makes the API's server; it listens later.
func (g *gateway) openAPI(ctx context.Context, undo *stack) (err error) {
	g.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g.kept = newKeepMetrics(g.registry)
	g.ready = &readiness{
		journal: g.journal, committer: g.committer, clockBad: func() string { return g.clock.Fault(g.instant()) }, runners: g.runners, now: g.now,
		zone: g.cfg.City.Zone, began: g.journal.Head(), kept: g.keptBack, unsigned: g.signer.status, office: g.office.problem,
		servers: func(ctx context.Context, r *readiness, now time.Time) ([]api.FollowerReady, []string) {
			return g.servers.ready(ctx, r, now, g.misses)
		},
	}
	pages, err := web.New(web.Options{City: g.cfg.City.Name, Version: g.o.Version})
	if err != nil {
		return err
	}
	g.server, err = api.New(api.Options{
		Parking: parking{&g.occupancy}, Traffic: roads{&g.traffic}, Books: &g.ledger, Proofs: g.signer, Devices: &g.health, Certificates: &g.certs, Anomalies: &g.watch,
		Complaints: g.office.register, CityUp: g.office.up(),
		Open311:  api.Open311{Reports: g.office.register, Jurisdiction: cmp.Or(g.cfg.Complaints.JurisdictionID, g.cfg.City.ID)},
		Readings: readings{&g.series, g.servers.past},
		Unknown:  g.strangers(), Commands: g.commands, TurnedAway: g.turnedAway,
		Quarantine: g.quarantine, Gate: g.staff, Inventory: g.inventory, Tokens: g.tokens, Readiness: g.ready, Reporting: api.Reporting{Reports: g.reports, City: g.cfg.City.Name, Region: g.cfg.City.RegionCode},
		Zone: g.cfg.City.Zone, Now: g.now, Log: g.log, Version: g.o.Version, Pages: pages, Registerer: g.registry,
		RateLimit: g.cfg.HTTP.RateLimit, TrustedProxies: g.cfg.HTTP.Trusted,
	})
	if err != nil {
		return err
	}
	g.registerMetrics()
	g.commands.register(g.registry)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var done sync.WaitGroup
	done.Go(func() { _ = g.server.Run(running) }) // it ends with its context only
	undo.push("renderer", func() error {
		stop()
		done.Wait()
		return nil
	})
	return nil
}

// listen opens the API's and the admin's listener and serves them.
func (g *gateway) listen(ctx context.Context, undo *stack) error {
	public := g.server.NewServer(g.cfg.HTTP.Listen)
	if g.cfg.HTTP.TLSCertFile != "" {
		pair, err := tls.LoadX509KeyPair(g.cfg.HTTP.TLSCertFile, g.cfg.HTTP.TLSKeyFile)
		if err != nil {
			return fmt.Errorf("http.tls_cert_file and tls_key_file: %w", err)
		}
		public.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	admin := api.NewAdminServer(g.cfg.HTTP.AdminListen, g.registry, g.log)
	conns := api.NewConns(httpConns(broker.OpenFiles()), g.cfg.HTTP.Trusted)
	if err := conns.Register(g.registry); err != nil {
		return err
	}
	var err error
	if g.httpListener, err = serveHTTP(ctx, public, conns, "http.listen", undo); err != nil {
		return err
	}
	g.adminListener, err = serveHTTP(ctx, admin, api.NewConns(adminConns, nil), "http.admin_listen", undo)
	return err
}

// adminConns is how many connections the admin listener has at once.
const adminConns = 128

// httpConns is how many connections a limit of open files leaves the API. The
// built-in broker leaves 2,000 of the files, or half of a small limit, to all
// else; a quarter of that is the store's.
func httpConns(files int) int {
	const most = 1500
	return min(files*3/8, most)
}

func serveHTTP(ctx context.Context, s *http.Server, conns *api.Conns, setting string, undo *stack) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program: stop it, or set %s to another address", s.Addr, setting)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	bound := l
	l = conns.Bind(s, l)
	if s.TLSConfig != nil {
		s.TLSConfig.NextProtos = []string{"h2", "http/1.1"}
		l = tls.NewListener(l, s.TLSConfig)
	}
	var done sync.WaitGroup
	var failed error
	done.Go(func() { failed = s.Serve(l) })
	undo.push(setting, func() error {
		const patience = time.Second
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err := s.Shutdown(ctx)
		if err != nil {
			err = s.Close()
		}
		done.Wait()
		if !errors.Is(failed, http.ErrServerClosed) {
			err = errors.Join(err, failed)
		}
		return err
	})
	return bound, nil
}

func (g *gateway) addresses() Addresses {
	a := Addresses{HTTP: g.httpListener.Addr().String(), Admin: g.adminListener.Addr().String(), Brokers: map[string]string{}}
	for id, b := range g.brokers {
		a.Brokers[id] = cmp.Or(b.Addr(), b.TLSAddr())
	}
	return a
}

// parking is occupancy as the API asks it.
type parking struct{ seat *occupancySeat }

// Sites returns the present of every site. A revision of a follower that was
// replaced is none of the one that sits there now.
func (p parking) Sites() []occupancy.SiteState {
	at := p.seat.at.Load()
	states := at.f.Sites()
	for i := range states {
		states[i].Rev += at.turn << 48
	}
	return states
}

// Site returns the present of one site.
func (p parking) Site(id string) (occupancy.SiteState, []occupancy.SpotState, bool) {
	return p.seat.now().Site(id)
}

// Changed is the signal of the follower that sits there.
func (p parking) Changed() <-chan struct{} { return p.seat.now().Changed() }

// History passes the step in ms.
func (p parking) History(ctx context.Context, site string, class city.Class, from, to int64, step time.Duration) ([]occupancy.HistoryPoint, error) {
	return ask(&p.seat.seat, func(f *occupancy.Follower) ([]occupancy.HistoryPoint, error) {
		return f.History(ctx, site, class, from, to, step.Milliseconds())
	})
}

// roads is traffic as the API asks it.
type roads struct{ seat *trafficSeat }

// Segments returns the present of every segment.
func (r roads) Segments() []traffic.SegmentState { return r.seat.now().Segments() }

// Congestion returns the city's.
func (r roads) Congestion() traffic.Congestion { return r.seat.now().Congestion() }

// Changed is the signal of the follower that sits there.
func (r roads) Changed() <-chan struct{} { return r.seat.now().Changed() }

// History passes the step in ms.
func (r roads) History(ctx context.Context, segment string, from, to int64, step time.Duration) ([]traffic.HistoryPoint, error) {
	return ask(&r.seat.seat, func(f *traffic.Follower) ([]traffic.HistoryPoint, error) {
		return f.History(ctx, segment, from, to, step.Milliseconds())
	})
}

var _ api.Quarantine = (*journal.Quarantine)(nil)
