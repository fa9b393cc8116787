package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/source"
)

// Options are what a Server is made of. Everything without a note is required.
type Options struct {
	Parking      Parking
	Traffic      Traffic
	Books        Books
	Proofs       Proofs
	Devices      Devices
	Certificates Certificates
	Anomalies    Anomalies
	Complaints   Complaints
	Readings     Readings
	Quarantine   Quarantine
	Unknown      Unknown
	Commands     Commands
	TurnedAway   func() []source.TurnedAway // refused log-ins, the newest first
	Gate         Gate
	Inventory    Inventory
	Tokens       Tokens
	Readiness    Readiness
	Reporting    Reporting
	Open311      Open311     // optional: without a register the face answers 503
	CityUp       func() bool // optional: whether the city's own complaint system answers well; nil: there is none

	Zone *time.Location   // the city's
	Now  func() time.Time // the wall clock
	Log  *slog.Logger

	Version        string                // of the program; shown in the OpenAPI document
	Pages          http.Handler          // optional: serves /, /status, /docs and /static/
	Registerer     prometheus.Registerer // optional: takes the metrics
	RateLimit      int                   // requests/s an address, 0 none
	TrustedProxies []netip.Prefix        // whose X-Forwarded-For is believed; optional
	MaxStreams     int                   // open event streams; default 1,000
	KeepAlive      time.Duration         // between comments on an idle stream; default 15 s
	WriteTimeout   time.Duration         // of one write on a stream; default 10 s
}

func (o *Options) setDefaults() {
	if o.MaxStreams == 0 {
		o.MaxStreams = 1000
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 15 * time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	o.Reporting.setDefaults()
	o.Open311.setDefaults(o.Reporting.City)
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Pages == nil {
		o.Pages = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, notFound("there is no such page")) })
	}
}

func (o *Options) validate() error {
	var errs []error
	need := func(name string, missing bool) {
		if missing {
			errs = append(errs, fmt.Errorf("api: Options.%s is missing", name))
		}
	}
	need("Parking", o.Parking == nil)
	need("Traffic", o.Traffic == nil)
	need("Books", o.Books == nil)
	need("Proofs", o.Proofs == nil)
	need("Devices", o.Devices == nil)
	need("Certificates", o.Certificates == nil)
	need("Anomalies", o.Anomalies == nil)
	need("Complaints", o.Complaints == nil)
	need("Readings", o.Readings == nil)
	need("Quarantine", o.Quarantine == nil)
	need("Unknown", o.Unknown == nil)
	need("Commands", o.Commands == nil)
	need("Gate", o.Gate == nil)
	need("Inventory", o.Inventory == nil)
	need("Tokens", o.Tokens == nil)
	need("Readiness", o.Readiness == nil)
	need("Zone", o.Zone == nil)
	need("Now", o.Now == nil)
	need("Log", o.Log == nil)
	if err := o.Reporting.validate(); err != nil {
		errs = append(errs, err)
	}
	if o.RateLimit < 0 || o.MaxStreams < 0 {
		errs = append(errs, errors.New("api: limits must not be negative"))
	}
	return errors.Join(errs...)
}

// Server answers HTTP. Run must run for the answers from memory to stay young.
type Server struct {
	Options

	log      *slog.Logger
	zone     *time.Location
	router   *chi.Mux
	routes   []*route
	defaults map[*route]args       // of requests without a query
	limiter  *httprate.RateLimiter // nil: no limit
	filings  *httprate.RateLimiter // of reports with a key that citizens share
	photos   chan struct{}         // room for the pictures that are decoded at once
	metrics  *metrics
	openapi  []byte

	board  atomic.Pointer[board]
	render sync.Mutex // one rendering at a time
	shown  []SiteSpot // see spots; whoever renders
	poked  chan struct{}
	hub    *hub
}

// New makes a server and renders its first board.
func New(o Options) (*Server, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{Options: o, log: o.Log, zone: o.Zone, poked: make(chan struct{}, 1)}
	s.hub = newHub(rand.Text()[:8], o.MaxStreams)
	s.photos = make(chan struct{}, 1)
	s.filings = httprate.NewRateLimiter(o.Open311.Filings, time.Hour)
	if o.RateLimit > 0 {
		s.limiter = newLimiter(o.RateLimit)
	}
	var err error
	if s.metrics, err = newMetrics(o.Registerer, s.hub); err != nil {
		return nil, err
	}
	if s.openapi, err = OpenAPI(o.Version); err != nil {
		return nil, err
	}
	s.routes = allRoutes()
	s.defaults = make(map[*route]args, len(s.routes))
	for _, t := range s.routes {
		s.defaults[t] = s.defaultArgs(t)
	}
	s.router = s.newRouter()
	s.Render(o.Now())
	return s, nil
}

// NewServer returns an http.Server with every timeout set, whose shutdown
// ends the event streams. The caller serves and shuts down.
func (s *Server) NewServer(addr string) *http.Server {
	h := newHTTPServer(addr, s, s.log)
	h.ConnContext = withConn
	h.RegisterOnShutdown(s.hub.close)
	return h
}

func newHTTPServer(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr: addr, Handler: h,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
