package api

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/simpang-id/simpang/internal/city"
)

// Problem is an error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type   string            `json:"type" doc:"always about:blank: the status says it all"`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitempty" doc:"what is wrong, and what to do"`
	Errors []city.FieldError `json:"errors,omitempty" doc:"the faults one by one"`
}

// problemError is a problem as handlers return it.
type problemError struct {
	Problem

	retryAfter int    // s; 0: no header
	challenge  string // WWW-Authenticate
	allow      string // Allow
	cause      error  // for the log only
}

// Error tells the problem and its cause.
func (p *problemError) Error() string {
	if p.cause != nil {
		return p.Detail + ": " + p.cause.Error()
	}
	return p.Title + ": " + p.Detail
}

// Unwrap returns the cause.
func (p *problemError) Unwrap() error { return p.cause }

func problem(status int, detail string, faults ...city.FieldError) *problemError {
	return &problemError{Problem: Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: faults}}
}

func badParameter(field, detail string) *problemError {
	return problem(http.StatusBadRequest, field+": "+detail, city.FieldError{Field: field, Detail: detail})
}

func notFound(detail string) *problemError { return problem(http.StatusNotFound, detail) }

var statusOf = map[city.ErrorKind]int{
	city.KindInvalid:     http.StatusBadRequest,
	city.KindNotFound:    http.StatusNotFound,
	city.KindConflict:    http.StatusConflict,
	city.KindUnprocessed: http.StatusUnprocessableEntity,
	city.KindUnavailable: http.StatusServiceUnavailable,
}

// problemOf turns any error into an answer; what is ours is not shown.
func problemOf(err error) *problemError {
	if p, ok := errors.AsType[*problemError](err); ok {
		return p
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem(http.StatusRequestEntityTooLarge, "the body is over "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes")
	}
	if known, ok := errors.AsType[*city.Error](err); ok {
		if status, ok := statusOf[known.Kind]; ok {
			p := problem(status, known.Message, known.Fields...)
			p.cause = known.Err
			if status == http.StatusServiceUnavailable {
				p.retryAfter = 5
			}
			return p
		}
	}
	p := problem(http.StatusInternalServerError, "the gateway failed to answer; its log says why")
	p.cause = err
	return p
}

// fail writes the answer for an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		if r.Context().Err() != nil {
			return // who asked has gone
		}
		s.log.Error("request failed", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", p.Status), slog.String("error", p.Error()))
	}
	s.refuse(w, r, p)
}

// refuse writes a problem, or what Open311 has in its place.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, p *problemError) {
	if is311(r.URL.Path) {
		s.fail311(w, r, p)
		return
	}
	writeProblem(w, p)
}

func writeProblem(w http.ResponseWriter, p *problemError) {
	body, err := json.Marshal(p.Problem)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	h := w.Header()
	h.Del("Etag")
	h.Del("Last-Modified")
	h.Del("Content-Disposition")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.challenge != "" {
		h.Set("Www-Authenticate", p.challenge)
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}
