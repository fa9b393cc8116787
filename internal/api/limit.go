package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"

	"github.com/simpang-id/simpang/internal/city"
)

// maxBody is the largest body of a request, bytes.
const maxBody = 64 << 10

// newLimiter allows that many requests in each second.
func newLimiter(perSecond int) *httprate.RateLimiter {
	return httprate.NewRateLimiter(perSecond, time.Second)
}

func tooMany() error {
	p := problem(http.StatusTooManyRequests, "too many requests from your address; wait a second")
	p.retryAfter = 1
	return p
}

// address returns whom a request is counted for: the client's address, for
// IPv6 its /64. Behind trusted proxies that send no readable address, all
// such requests count together.
func (s *Server) address(r *http.Request) string {
	ip := middleware.GetClientIP(r.Context())
	if ip == "" && len(s.TrustedProxies) == 0 {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		ip = host
	}
	return httprate.CanonicalizeIP(ip)
}

// takeBody checks what a request carries before anything reads it.
func takeBody(t *route, w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	most := max(int64(maxBody), t.MaxBody)
	if t.Sheet {
		most = maxSheet
	}
	if r.ContentLength > most {
		return &http.MaxBytesError{Limit: most}
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if t.Body == nil || t.Bare && r.ContentLength == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && t.Sheet && media == "text/csv" {
		return nil
	}
	if err != nil || media != "application/json" {
		also := ""
		if t.Sheet {
			also = " or text/csv"
		}
		return problem(http.StatusUnsupportedMediaType, "send Content-Type: application/json"+also)
	}
	return nil
}

// readBody decodes the one JSON object of a request strictly.
func readBody(q *request, into any) error {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return badBody(err)
	}
	if q.route.Bare && len(body) == 0 {
		return nil
	}
	return strictJSON(body, into)
}

// badBody names the member that is wrong, where the decoder knows it.
func badBody(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		detail := "must not be a " + wrong.Value
		return problem(http.StatusBadRequest, wrong.Field+": "+detail, city.FieldError{Field: wrong.Field, Detail: detail})
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		name = strings.Trim(name, `"`)
		return problem(http.StatusBadRequest, cut(name)+": unknown member", city.FieldError{Field: cut(name), Detail: "unknown member"})
	}
	return problem(http.StatusBadRequest, "the body is not the JSON object that is expected: "+err.Error())
}
