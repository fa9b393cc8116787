package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/open311"
)

// answer is what came back of a call: all of it, or err.
type answer struct {
	status int
	body   []byte
	retry  time.Duration // Retry-After; 0: none
	begun  bool          // a connection was made: they may have read it
	err    error         // it did not end well, whatever came before
}

// ok tells whether it is a whole answer of success.
func (a *answer) ok() bool { return a.err == nil && a.status >= 200 && a.status < 300 }

// lacks tells whether they say that there is no such thing.
func (a *answer) lacks() bool {
	return a.err == nil && (a.status == http.StatusNotFound || a.status == http.StatusGone || a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented)
}

// unknown tells whether they say that what is asked for is not to be had.
func (a *answer) unknown() bool {
	return a.err == nil && a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests
}

// elsewhere tells whether they ask that the same POST be made at another place:
// 307 and 308 say that this one did nothing, as no other redirect does.
func (a *answer) elsewhere() bool {
	return errors.Is(a.err, errElsewhere) && (a.status == http.StatusTemporaryRedirect || a.status == http.StatusPermanentRedirect)
}

// trouble says why a call did not end well.
func (a *answer) trouble() error {
	if a.err != nil {
		return a.err
	}
	if faults, ok := (open311.Reader{Zone: time.UTC}).Faults(a.body); ok {
		return fmt.Errorf("they answered %d: %s", a.status, faults[0].Description)
	}
	return fmt.Errorf("they answered %d", a.status)
}

// get asks for a path below the base, with the format's ending. Reads follow a
// redirect within the host; they never carry the key.
func (w *Worker) get(ctx context.Context, path string, query url.Values) *answer {
	if w.Jurisdiction != "" {
		query.Set("jurisdiction_id", w.Jurisdiction)
	}
	address := w.address(path)
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return w.call(ctx, http.MethodGet, address, "")
}

// post sends a form. No redirect is followed: its answer is unclear then.
func (w *Worker) post(ctx context.Context, path string, form url.Values) *answer {
	return w.call(ctx, http.MethodPost, w.address(path), form.Encode())
}

func (w *Worker) address(path string) string {
	ending := ".json"
	if w.Format == open311.XML {
		ending = ".xml"
	}
	return w.base() + "/" + path + ending
}

// errElsewhere ends a redirect that is not followed.
var errElsewhere = errors.New("they send us to another place, which is not followed: set the endpoint to it if it is right")

func (w *Worker) call(ctx context.Context, method, address, form string) *answer {
	w.calls++
	a := &answer{}
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	var begun atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { begun.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		a.err = errors.New("the address cannot be called")
		return a
	}
	req.Header.Set("User-Agent", "Simpang")
	req.Header.Set("Accept", strings.Split(w.Format.MediaType(), ";")[0])
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		req.GetBody = nil // nobody sends it a second time
	}
	res, err := w.client.Do(req)
	a.begun = begun.Load()
	if err != nil {
		a.err = unwrapURL(err)
		return a
	}
	defer func() { _ = res.Body.Close() }()
	a.status = res.StatusCode
	a.retry = retryAfter(res.Header.Get("Retry-After"))
	a.body, err = io.ReadAll(io.LimitReader(res.Body, w.MaxBytes+1))
	switch {
	case err != nil:
		a.err = fmt.Errorf("the answer was cut off: %w", unwrapURL(err))
	case int64(len(a.body)) > w.MaxBytes:
		a.err = fmt.Errorf("the answer is over %d bytes", w.MaxBytes)
	case a.status >= 300 && a.status < 400:
		a.err = errElsewhere
	}
	return a
}

// redirect allows a read to follow within its host.
func redirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || len(via) > 3 || req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// unwrapURL leaves out the address, which says nothing new.
func unwrapURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// retryAfter reads seconds, at most an hour; a date is not read.
func retryAfter(text string) time.Duration {
	s, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || s <= 0 {
		return 0
	}
	return time.Duration(min(s, 3600)) * time.Second
}
