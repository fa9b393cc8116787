package outbox

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/open311"
)

// statuses asks how a batch of what is filed stands; what a batch leaves out is
// asked for one by one.
func (w *Worker) statuses(ctx context.Context, now time.Time) (bool, error) {
	p := &w.pull
	filed := p.missing[:min(len(p.missing), 1)]
	if len(filed) == 0 {
		var err error
		if filed, err = w.Desk.Outstanding(ctx, p.after, batch); err != nil {
			return false, desk(err)
		}
		if len(filed) == 0 {
			p.after, p.statuses = "", now.Add(w.Interval)
			return false, nil
		}
	}
	list, a, err := w.byID(ctx, filed)
	w.metrics.count("status", outcome(err))
	if err == nil || !a.unknown() {
		if w.listed(now, listStatuses, a, err); err != nil {
			return true, nil //nolint:nilerr // the destination rests
		}
	}
	if ok, err := w.settled(ctx, now, list); !ok || err != nil {
		if p.sick(now, listUpdates) {
			p.statuses = later(p.statuses, p.next[listUpdates])
		}
		return true, err
	}
	told := map[string]bool{}
	for i := range list {
		r := &list[i]
		at := slices.IndexFunc(filed, func(f Filed) bool { return f.Theirs == r.ID })
		if at < 0 {
			continue
		}
		told[r.ID] = true
		if err := w.taken(w.Desk.Status(ctx, now.UnixMilli(), filed[at].ID, r), "a status", r.ID); err != nil {
			return true, err
		}
	}
	switch {
	case len(p.missing) > 0:
		if !told[filed[0].Theirs] {
			w.Log.Warn("the city's complaint system does not know a request any more", slog.String("complaint", filed[0].ID), slog.String("theirs", filed[0].Theirs))
		}
		p.missing = p.missing[1:]
	default:
		p.after = filed[len(filed)-1].ID
		p.missing = slices.DeleteFunc(slices.Clone(filed), func(f Filed) bool { return told[f.Theirs] })
	}
	return true, nil
}

// standing takes how one request stands with them. It tells whether that went
// well; one that they do not know stands as it did.
func (w *Worker) standing(ctx context.Context, now time.Time, f Filed) (bool, error) {
	list, a, err := w.byID(ctx, []Filed{f})
	w.metrics.count("status", outcome(err))
	switch {
	case err != nil && a.unknown():
		return true, nil
	case err != nil:
		w.failed(now, a, err)
		return false, nil
	}
	w.well = now
	for i := range list {
		if r := &list[i]; r.ID == f.Theirs {
			if err := w.taken(w.Desk.Status(ctx, now.UnixMilli(), f.ID, r), "a status", r.ID); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// byID asks for requests by their ids.
func (w *Worker) byID(ctx context.Context, filed []Filed) ([]open311.Request, *answer, error) {
	var a *answer
	if len(filed) == 1 {
		a = w.get(ctx, "requests/"+url.PathEscape(filed[0].Theirs), url.Values{})
	} else {
		ids := make([]string, len(filed))
		for i, f := range filed {
			ids[i] = f.Theirs
		}
		a = w.get(ctx, "requests", url.Values{"service_request_id": {strings.Join(ids, ",")}})
	}
	if !a.ok() {
		return nil, a, a.trouble()
	}
	list, err := w.read.Requests(a.body)
	return list, a, err
}
