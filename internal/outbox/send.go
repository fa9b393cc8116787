package outbox

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/open311"
)

// deliver takes the most urgent delivery a step on.
func (w *Worker) deliver(ctx context.Context, now time.Time) (bool, error) {
	due, err := w.Desk.Due(ctx, now.UnixMilli(), 20)
	if err != nil {
		return false, desk(err)
	}
	for i := range due {
		d := &due[i]
		switch {
		case d.Token != "":
			return true, w.ask(ctx, now, d)
		case (d.Began != 0 || d.Unsure) && w.pull.sick(now, listRequests):
			return true, desk(w.Desk.Looked(ctx, now.UnixMilli(), d.ID, w.pull.next[listRequests].UnixMilli(), "the look-up waits: their list of requests failed", false))
		case d.Began != 0 || d.Unsure:
			return true, w.look(ctx, now, d)
		case !now.Before(w.keyRest):
			return true, w.send(ctx, now, d)
		}
	}
	return false, nil
}

// send files a delivery.
func (w *Worker) send(ctx context.Context, now time.Time, d *Delivery) error {
	filing := d.Filing
	filing.ServiceCode = w.code(filing.ServiceCode)
	filing.Jurisdiction = w.Jurisdiction
	filing.Description = describe(d.ID, filing.Description)
	definition, err := w.definition(ctx, now, filing.ServiceCode)
	if err != nil {
		return nil //nolint:nilerr // the destination rests, and the delivery waits
	}
	filing.Attributes = fit(d, filing.Attributes, definition)
	if !w.lately(ctx, now) {
		return nil // the destination rests, and the delivery waits
	}
	if err := w.Desk.Sending(ctx, now.UnixMilli(), d.ID); err != nil {
		return desk(err)
	}
	a := w.post(ctx, "requests", filing.Values(string(w.Key)))
	verdict, made := w.judge(a)
	w.metrics.count("post", verdict.String())
	ms := now.UnixMilli()
	switch verdict {
	case filed:
		w.barred, w.well = 0, now
		w.Log.Info("filed with the city's complaint system", slog.String("complaint", d.ID), slog.String("theirs", made.ID))
		return w.settle(ctx, now, now, d.ID, made.ID, made.Notice)
	case tokened:
		w.barred, w.well = 0, now
		return desk(w.Desk.Tokened(ctx, ms, d.ID, made.Token, now.Add(w.Looks[0]).UnixMilli()))
	case refused:
		return desk(w.Desk.Refused(ctx, ms, d.ID, a.trouble().Error()))
	case barred:
		w.bar(now, a)
		return desk(w.Desk.Failed(ctx, ms, d.ID, w.keyRest.UnixMilli(), a.trouble().Error()))
	case notTaken:
		w.failed(now, a, a.trouble())
		return desk(w.Desk.Failed(ctx, ms, d.ID, w.rest.UnixMilli(), a.trouble().Error()))
	case unclear:
	}
	w.failed(now, a, a.trouble())
	return desk(w.Desk.Looked(ctx, ms, d.ID, now.Add(w.Looks[0]).UnixMilli(), a.trouble().Error(), false))
}

// verdict is what an answer to a POST says of it.
type verdict uint8

const (
	unclear  verdict = iota // it may be filed
	filed                   // it is, and has an id
	tokened                 // it is, and will have an id
	refused                 // it is not, and will not be as it is
	barred                  // it is not: the key, the rate, or another address
	notTaken                // it never reached them
)

// String names it for metrics.
func (v verdict) String() string {
	return [...]string{"unclear", "filed", "token", "refused", "barred", "not_taken"}[v]
}

// judge reads the answer to a POST. What is not certain is unclear.
func (w *Worker) judge(a *answer) (verdict, open311.Created) {
	switch {
	case a.err != nil && !a.begun:
		return notTaken, open311.Created{}
	case a.elsewhere():
		return barred, open311.Created{}
	case a.err != nil:
		return unclear, open311.Created{}
	case a.ok():
		made, err := w.read.Created(a.body)
		switch {
		case err != nil:
			a.err = err
			return unclear, made
		case made.ID != "":
			return filed, made
		}
		return tokened, made
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden, a.status == http.StatusTooManyRequests:
		return barred, open311.Created{}
	case a.status < 400 || a.status > 499 || a.status == http.StatusRequestTimeout:
		return unclear, open311.Created{}
	}
	if _, ok := w.read.Faults(a.body); ok {
		return refused, open311.Created{}
	}
	return unclear, open311.Created{}
}

// bar lets reports rest that are refused for the key, the rate or the address;
// reads and updates go on.
func (w *Worker) bar(now time.Time, a *answer) {
	rest := max(w.backoff(w.barred), a.retry)
	w.barred++
	w.keyRest = now.Add(rest)
	w.Log.Warn("the city's complaint system takes no reports from us", slog.Int("status", a.status), slog.String("error", a.trouble().Error()), slog.Duration("rest", rest))
}

// settle notes their id of one of ours, that was filed at a time. An id that is
// another's is for a person.
func (w *Worker) settle(ctx context.Context, now, filed time.Time, id, theirs, notice string) error {
	of, err := w.Desk.Known(ctx, theirs)
	if err != nil {
		return desk(err)
	}
	if of != "" && of != id {
		return desk(w.Desk.Unsure(ctx, now.UnixMilli(), id, now.Add(lookAgain).UnixMilli(), "they answered with id "+theirs+", which is that of "+of))
	}
	if err := w.rewind(ctx, filed); err != nil {
		return desk(err)
	}
	return desk(w.Desk.Sent(ctx, now.UnixMilli(), id, theirs, notice))
}

// asked is a definition as it was.
type asked struct {
	at         time.Time
	definition *open311.Definition // nil: the service asks nothing, or does not say
	failures   int                 // to tell it, in a row
}

const (
	askAgain   = 24 * time.Hour
	asksMost   = 3   // failures after which a report goes without attributes
	mostAsked  = 500 // services remembered
	ourIDCodes = "simpang_id anomali_id external_id"
)

var errUnwell = errors.New("the destination does not answer well")

// definition returns what a service of theirs asks besides, remembered for a
// day. An error says that the destination rests.
func (w *Worker) definition(ctx context.Context, now time.Time, code string) (*open311.Definition, error) {
	known := w.asks[code]
	if known.failures == 0 && !known.at.IsZero() && now.Sub(known.at) < askAgain {
		return known.definition, nil
	}
	a := w.get(ctx, "services/"+url.PathEscape(code), url.Values{})
	var found *open311.Definition
	switch {
	case a.ok():
		if d, err := w.read.Definition(a.body); err == nil {
			found, w.well = &d, now
		}
	case a.err == nil && a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests: // it asks nothing, or the POST will tell
	case known.failures+1 < asksMost:
		w.asks[code] = asked{failures: known.failures + 1}
		w.failed(now, a, a.trouble())
		return nil, errUnwell
	}
	if len(w.asks) >= mostAsked {
		clear(w.asks)
	}
	w.asks[code] = asked{at: now, definition: found}
	return found, nil
}

// fit leaves only the attributes that their service has, and adds our id where
// it has a place for it.
func fit(d *Delivery, given []open311.Answer, definition *open311.Definition) []open311.Answer {
	if definition == nil {
		return nil
	}
	var out []open311.Answer
	for i := range definition.Attributes {
		a := &definition.Attributes[i]
		switch at := slices.IndexFunc(given, func(g open311.Answer) bool { return strings.EqualFold(g.Code, a.Code) }); {
		case !a.Variable:
		case slices.Contains(strings.Fields(ourIDCodes), strings.ToLower(a.Code)):
			out = append(out, open311.Answer{Code: a.Code, Values: []string{d.ID}})
		case at >= 0:
			out = append(out, open311.Answer{Code: a.Code, Values: given[at].Values})
		}
	}
	return out
}
