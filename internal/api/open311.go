package api

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/open311"
	"github.com/simpang-id/simpang/internal/token"
)

// fault is an error answer of the standard: one status, one or more entries.
func fault(status int, details ...string) *problemError {
	faults := make([]city.FieldError, len(details))
	for i, d := range details {
		faults[i] = city.FieldError{Detail: d}
	}
	return problem(status, details[0], faults...)
}

func faultsOf(list []open311.Fault) error {
	details := make([]string, len(list))
	for i, f := range list {
		details[i] = f.Description
	}
	return fault(http.StatusBadRequest, details...)
}

// is311 tells whether a path is of the Open311 face.
func is311(path string) bool { return strings.HasPrefix(path, open311Root) }

// formatOf tells how an answer of the face is to be written: by the ending of
// the path, else by Accept.
func formatOf(r *http.Request) open311.Format {
	switch path.Ext(r.URL.Path) {
	case ".xml":
		return open311.XML
	case ".json":
		return open311.JSON
	}
	for one := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		switch media, _, _ := strings.Cut(strings.TrimSpace(one), ";"); strings.ToLower(strings.TrimSpace(media)) {
		case "text/xml", "application/xml":
			return open311.XML
		case "application/json", "*/*":
			return open311.JSON
		}
	}
	return open311.JSON
}

// fail311 writes the answer for an error as the standard has it.
func (s *Server) fail311(w http.ResponseWriter, r *http.Request, p *problemError) {
	status := p.Status
	switch status {
	case http.StatusUnauthorized:
		status = http.StatusForbidden
	case http.StatusUnprocessableEntity, http.StatusConflict, http.StatusUnsupportedMediaType:
		status = http.StatusBadRequest
	}
	details := []string{p.Detail}
	if len(p.Errors) > 0 {
		details = details[:0]
		for _, f := range p.Errors {
			if f.Field != "" {
				f.Detail = f.Field + ": " + f.Detail
			}
			details = append(details, f.Detail)
		}
	}
	faults := make([]open311.Fault, len(details))
	for i, d := range details {
		faults[i] = open311.Fault{Code: strconv.Itoa(status), Description: d}
	}
	writer := open311.Writer{Format: formatOf(r), Zone: s.zone}
	body, err := writer.Faults(faults)
	if err != nil {
		s.log.Error("an error answer could not be written", slog.String("error", err.Error()))
		body = nil
	}
	h := w.Header()
	h.Set("Content-Type", writer.Format.MediaType())
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.allow != "" {
		h.Set("Allow", p.allow)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// write311 answers with what one of the writer's methods makes.
func (s *Server) write311(w http.ResponseWriter, q *request, make func(open311.Writer) ([]byte, error)) error {
	writer := open311.Writer{Format: formatOf(q.Request), Zone: s.zone}
	body, err := make(writer)
	if err != nil {
		return err
	}
	if path.Ext(q.URL.Path) == "" {
		w.Header().Add("Vary", "Accept")
	}
	if q.Method == http.MethodPost {
		h := w.Header()
		h.Set("Content-Type", writer.Format.MediaType())
		h["Cache-Control"] = notStored
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
		return nil
	}
	writePublic(w, q, []string{writer.Format.MediaType()}, body)
	return nil
}

// values311 returns the parameters of a request: those of the form before those
// of the address. A value that was declared several times is joined by commas.
func values311(q *request) url.Values {
	out := url.Values{}
	maps.Copy(out, q.URL.Query())
	maps.Copy(out, q.PostForm)
	return out
}

func words(v url.Values, name string) []string {
	var out []string
	for _, one := range v[name] {
		for word := range strings.SplitSeq(one, ",") {
			if word = strings.TrimSpace(word); word != "" && !slices.Contains(out, word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// open311Of checks that the face is there and meant, and returns the inventory.
func (s *Server) open311Of(v url.Values) (*inventory.Version, error) {
	version := s.Inventory.Current()
	if s.Open311.Reports == nil || version == nil {
		return nil, &city.Error{Kind: city.KindUnavailable, Message: "complaints are not served yet; try again shortly"}
	}
	if id := strings.TrimSpace(v.Get("jurisdiction_id")); id != "" && !strings.EqualFold(id, s.Open311.Jurisdiction) {
		return nil, fault(http.StatusNotFound, "jurisdiction_id "+cut(id)+" was not found: this is "+s.Open311.Jurisdiction)
	}
	return version, nil
}

// keyOf311 finds the token of api_key, or of the Authorization header.
func (s *Server) keyOf311(q *request, v url.Values) (*token.Token, error) {
	secret := strings.TrimSpace(v.Get("api_key"))
	if scheme, bearer, found := strings.Cut(q.Header.Get("Authorization"), " "); secret == "" && found && strings.EqualFold(scheme, "Bearer") {
		secret = strings.TrimSpace(bearer)
	}
	if secret == "" {
		return nil, fault(http.StatusForbidden, "api_key was not provided: "+keyHelp)
	}
	found, err := s.Tokens.Lookup(q.Context(), secret, q.now)
	for _, known := range []error{token.ErrUnknown, token.ErrExpired, token.ErrRevoked} {
		if errors.Is(err, known) {
			return nil, fault(http.StatusForbidden, "api_key is not valid: "+keyHelp)
		}
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

const keyHelp = "ask the city for one (simpang token -role reporter)"

// baseOf returns the address of the face as the client sees it.
func (s *Server) baseOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || len(s.TrustedProxies) > 0 && r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host, Path: strings.TrimSuffix(open311Root, "/")}).String()
}

// bare returns the id of a path without the format's ending.
func bare(q *request) string {
	id := q.text("id")
	return strings.TrimSuffix(strings.TrimSuffix(id, ".xml"), ".json")
}
