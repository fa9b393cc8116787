package api

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// Values of headers that every answer has; shared, never changed.
var (
	noSniff     = []string{"nosniff"}
	noContent   = []string{"default-src 'none'; frame-ancestors 'none'"}
	anyOrigin   = []string{"*"}
	shownHeader = []string{"ETag, Link, Retry-After"}
	sameSite    = []string{"same-origin"}
)

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Content-Type-Options"] = noSniff
	h["Content-Security-Policy"] = noContent
	defer s.recover(w, r)
	s.router.ServeHTTP(w, r)
}

func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	caught := recover()
	if caught == nil {
		return
	}
	if caught == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(caught)
	}
	s.log.Error("a handler panicked", "path", r.URL.Path, "panic", fmt.Sprint(caught), "stack", string(debug.Stack()))
	s.refuse(w, r, problem(http.StatusInternalServerError, "the gateway failed to answer; its log says why"))
}

func (s *Server) newRouter() *chi.Mux {
	m := chi.NewRouter()
	if len(s.TrustedProxies) > 0 {
		prefixes := make([]string, len(s.TrustedProxies))
		for i, p := range s.TrustedProxies {
			prefixes[i] = p.String()
		}
		m.Use(middleware.ClientIPFromXFF(prefixes...))
	}
	preflight := map[string]bool{}
	for _, t := range s.routes {
		h := s.handle(t)
		for _, path := range t.paths() {
			m.Method(t.Method, path, h)
			if t.Method == http.MethodGet {
				m.Method(http.MethodHead, path, h)
			}
			if t.public() && !preflight[path] {
				preflight[path] = true
				m.Method(http.MethodOptions, path, http.HandlerFunc(allowReads))
			}
		}
	}
	for _, path := range []string{"/", "/status", "/docs", "/static/*"} {
		m.Method(http.MethodGet, path, s.Pages)
		m.Method(http.MethodHead, path, s.Pages)
	}
	m.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, notFound("there is nothing at "+cut(r.URL.Path)+"; /docs tells what there is"))
	})
	m.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		p := problem(http.StatusMethodNotAllowed, r.Method+" is not served here")
		p.allow = strings.Join(s.allowed(r.URL.Path), ", ")
		s.refuse(w, r, p)
	})
	return m
}

// allowed returns the methods that a path has.
func (s *Server) allowed(path string) []string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPost, http.MethodDelete} {
		if s.router.Match(chi.NewRouteContext(), method, path) {
			methods = append(methods, method)
		}
	}
	return methods
}

// allowReads answers a browser's preflight of a public read.
func allowReads(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "If-None-Match, Last-Event-ID, Cache-Control")
	if is311(r.URL.Path) { // forms of citizens' pages, with the key in the form
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
		h.Set("Access-Control-Allow-Headers", "If-None-Match, Cache-Control, Content-Type, Authorization")
	}
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// handle puts a route's checks before its handler: the token and its role,
// the rate, the body's type, the parameters.
func (s *Server) handle(t *route) http.Handler {
	observe := s.metrics.of(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, began := &statusWriter{ResponseWriter: w}, s.Now()
		defer func() { observe(seen, s.Now().Sub(began)) }()
		if t.public() {
			h := w.Header()
			h["Access-Control-Allow-Origin"] = anyOrigin
			if r.Header.Get("Origin") != "" {
				h["Access-Control-Expose-Headers"] = shownHeader
			}
		} else {
			w.Header()["Cross-Origin-Resource-Policy"] = sameSite
		}
		if err := s.answer(t, seen, r); err != nil {
			s.fail(seen, r, err)
		}
	})
}

func (s *Server) answer(t *route, w http.ResponseWriter, r *http.Request) error {
	q := &request{Request: r, route: t, now: s.Now()}
	refused := s.authorize(r.Context(), q)
	if q.token == nil && !t.Free && s.limiter != nil && s.limiter.OnLimit(w, r, s.address(r)) {
		return tooMany()
	}
	if refused != nil {
		return refused
	}
	if err := takeBody(t, w, r); err != nil {
		return err
	}
	if t.Kept && r.URL.RawQuery != "" {
		if p, ok := s.board.Load().kept.get(t, r.URL.RawQuery); ok {
			writeBytes(w, r, jsonType, shortly, p.etag, p.body)
			return nil
		}
	}
	args, err := s.parse(t, r)
	if err != nil {
		return err
	}
	q.args = args
	if err := s.logAccess(r.Context(), q); err != nil {
		return err
	}
	return t.Handle(s, w, q)
}
