package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/open311"
)

const (
	lookMargin = time.Hour // for their clock
	lookSpan   = 89 * 24 * time.Hour
	mostPages  = 20
	lookAgain  = 24 * time.Hour             // for one that is unsure
	never      = 100 * 365 * 24 * time.Hour // from now
)

// look searches their requests for a delivery that may have arrived. Each
// look-up that was complete counts; after the last it is unsure, and looked for
// once a day, for as long as one question reaches: some show what they took only
// days later.
func (w *Worker) look(ctx context.Context, now time.Time, d *Delivery) error {
	from := time.UnixMilli(d.Began).Add(-lookMargin)
	to := now.Add(lookMargin)
	if to.Sub(from) > lookSpan {
		to = from.Add(lookSpan)
	}
	query := url.Values{}
	if last := d.Looks+1 >= len(w.Looks); !last && !d.Unsure { // the last look is at all services
		query.Set("service_code", w.code(d.Filing.ServiceCode))
	}
	list, err := w.window(ctx, now, query, from, to)
	if err != nil {
		return desk(w.Desk.Looked(ctx, now.UnixMilli(), d.ID, w.rest.UnixMilli(), "the look-up failed: "+err.Error(), false))
	}
	if theirs := matching(list.requests, d.ID); theirs != "" {
		w.metrics.count("look", "found")
		w.Log.Info("found with the city's complaint system", slog.String("complaint", d.ID), slog.String("theirs", theirs))
		return w.settle(ctx, now, time.UnixMilli(d.Began), d.ID, theirs, "")
	}
	w.metrics.count("look", "unseen")
	if d.Unsure {
		return desk(w.Desk.Looked(ctx, now.UnixMilli(), d.ID, lookNext(now, d.Began).UnixMilli(), "", false))
	}
	if d.Looks+1 < len(w.Looks) {
		return desk(w.Desk.Looked(ctx, now.UnixMilli(), d.ID, now.Add(w.Looks[d.Looks+1]).UnixMilli(), "not found among their requests", true))
	}
	w.Log.Warn("whether a complaint was filed is unsure: a person must look", slog.String("complaint", d.ID))
	return desk(w.Desk.Unsure(ctx, now.UnixMilli(), d.ID, now.Add(lookAgain).UnixMilli(), fmt.Sprintf("not found among their requests in %d look-ups: look for %s there, then say their id, or that it shall be sent again", len(w.Looks), mark(d.ID))))
}

// lookNext is when one that is unsure is looked for again.
func lookNext(now time.Time, began int64) time.Time {
	if now.Sub(time.UnixMilli(began)) > lookSpan {
		return now.Add(never)
	}
	return now.Add(lookAgain)
}

// ask asks for the id that a token stands for.
func (w *Worker) ask(ctx context.Context, now time.Time, d *Delivery) error {
	a := w.get(ctx, "tokens/"+url.PathEscape(d.Token), url.Values{})
	var got open311.Token
	err := a.trouble()
	switch {
	case a.ok():
		got, err = w.read.Token(a.body)
	case a.lacks():
		err = nil // not yet
	}
	w.metrics.count("token", outcome(err))
	if err != nil {
		w.failed(now, a, err)
	} else if got.ID != "" {
		return w.settle(ctx, now, time.UnixMilli(d.Began), d.ID, got.ID, "")
	}
	waited := now.Sub(time.UnixMilli(d.Began))
	if waited > w.Tokens {
		return desk(w.Desk.Unsure(ctx, now.UnixMilli(), d.ID, lookNext(now, d.Began).UnixMilli(), "their token "+open311.Cut(d.Token, 100)+" has had no id for "+waited.Round(time.Hour).String()))
	}
	next := later(w.rest, now.Add(min(max(waited/4, w.Looks[0]), time.Hour)))
	return desk(w.Desk.Looked(ctx, now.UnixMilli(), d.ID, next.UnixMilli(), "they gave a token, and no id yet", false))
}

// page is what a window of their requests held.
type page struct {
	requests []open311.Request
	full     bool // there may be more than they showed
}

// window reads their requests of a span, page by page while pages come. An
// error says that the destination rests.
func (w *Worker) window(ctx context.Context, now time.Time, query url.Values, from, to time.Time) (*page, error) {
	query.Set("start_date", w.stamp(from))
	query.Set("end_date", w.stamp(to))
	out := &page{}
	seen := map[string]bool{}
	for n := 1; n <= mostPages; n++ {
		if n > 1 {
			query.Set("page", strconv.Itoa(n))
		}
		a := w.get(ctx, "requests", query)
		var list []open311.Request
		err := a.trouble()
		if a.ok() {
			list, err = w.read.Requests(a.body)
		}
		w.metrics.count("list", outcome(err))
		if w.listed(now, listRequests, a, err); err != nil {
			return nil, err
		}
		fresh := 0
		for i := range list {
			if !seen[list[i].ID] {
				seen[list[i].ID] = true
				out.requests = append(out.requests, list[i])
				fresh++
			}
		}
		if fresh == 0 { // the end, or a server that has no pages
			out.full = len(out.requests) >= open311.MaxRows && len(list) > 0
			return out, nil
		}
	}
	out.full = true
	return out, nil
}

// stamp writes a time in the city's zone.
func (w *Worker) stamp(t time.Time) string { return open311.FormatTime(t.UnixMilli(), w.Zone) }

// matching returns the id of the request that holds our id, the earliest where
// there are several; "" where there is none.
func matching(list []open311.Request, id string) string {
	var best *open311.Request
	for i := range list {
		if r := &list[i]; ours(r) == id && (best == nil || r.Requested < best.Requested) {
			best = r
		}
	}
	if best == nil {
		return ""
	}
	return best.ID
}

// ours returns our id as it stands in a request of theirs, "" where none does.
func ours(r *open311.Request) string {
	text := r.Description
	for {
		_, rest, found := strings.Cut(text, "[SPG-")
		if !found {
			break
		}
		number, _, closed := strings.Cut(rest, "]")
		if closed && len(number) <= 24 && isNumber(number) {
			return "SPG-" + number
		}
		text = rest
	}
	if r.Extended == nil {
		return ""
	}
	for _, a := range r.Extended.Attributes {
		if slices.Contains(strings.Fields(ourIDCodes), strings.ToLower(a.Code)) && len(a.Values) == 1 {
			return a.Values[0]
		}
	}
	return ""
}

// isNumber tells whether it is what follows SPG-: a year and a number.
func isNumber(text string) bool {
	year, number, found := strings.Cut(text, "-")
	digits := func(s string) bool {
		return s != "" && strings.Trim(s, "0123456789") == ""
	}
	return found && len(year) == 4 && digits(year) && digits(number)
}
