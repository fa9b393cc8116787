package outbox

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/simpang-id/simpang/internal/open311"
)

// The lists that are pulled by time, as the desk's cursors are named.
const (
	listRequests = "requests"
	listUpdates  = "updates"
	listStatuses = "statuses" // no cursor: by id
)

const (
	overlap     = 2 * time.Hour      // read again, for what was late at theirs
	widest      = 7 * 24 * time.Hour // of one window
	narrowest   = time.Minute
	firstReach  = 24 * time.Hour // of a list that was never read
	batch       = 20             // ids in one question
	noExtension = 24 * time.Hour // before a server without updates is asked again
)

// puller is how far a round of pulling is.
type puller struct {
	after    string    // of the outstanding
	statuses time.Time // no round of them before
	missing  []Filed   // what the last batch left out
	wordless bool      // they had no updates when they were asked last
	spans    map[string]time.Duration
	next     map[string]time.Time
	failed   map[string]int // answers that were none, in a row
}

func (p *puller) init() {
	p.spans = map[string]time.Duration{listRequests: widest, listUpdates: widest}
	p.next, p.failed = map[string]time.Time{}, map[string]int{}
}

// sick tells whether a list rests that failed when it was asked for last.
func (p *puller) sick(now time.Time, list string) bool {
	return p.failed[list] > 0 && now.Before(p.next[list])
}

// listed notes how asking for a list went. One that fails rests longer each time,
// though other calls go well in between.
func (w *Worker) listed(now time.Time, list string, a *answer, err error) {
	p := &w.pull
	if err == nil {
		w.well, p.failed[list] = now, 0
		return
	}
	w.failed(now, a, err)
	p.next[list] = later(w.rest, now.Add(w.backoff(p.failed[list])))
	p.failed[list]++
}

// pullOne pulls one piece of what is due: statuses, updates, new requests.
func (w *Worker) pullOne(ctx context.Context, now time.Time) (bool, error) {
	p := &w.pull
	switch {
	case !now.Before(p.next[listUpdates]):
		return true, w.pullList(ctx, now, listUpdates, w.updates)
	case !now.Before(p.next[listRequests]):
		return true, w.pullList(ctx, now, listRequests, w.requests)
	case !now.Before(p.statuses) && !p.sick(now, listStatuses):
		return w.statuses(ctx, now)
	}
	return false, nil
}

// errNotTaken says that nothing of a window was taken, so that it is read again.
var errNotTaken = errors.New("nothing of it was taken")

// pullList takes one window of a list, from its cursor on.
func (w *Worker) pullList(ctx context.Context, now time.Time, list string, take func(context.Context, time.Time, time.Time, time.Time) (full bool, err error)) error {
	p := &w.pull
	cursor, err := w.Desk.Cursor(ctx, list)
	if err != nil {
		return desk(err)
	}
	from := time.UnixMilli(cursor)
	if cursor == 0 {
		from = now.Add(-firstReach)
	}
	to := from.Add(p.spans[list])
	if to.After(now) {
		to = now
	}
	reach := w.overlap(list)
	full, err := take(ctx, now, from.Add(-reach), to.Add(lookMargin))
	if errors.Is(err, errNotTaken) {
		if p.sick(now, listUpdates) {
			p.next[list] = later(p.next[list], p.next[listUpdates])
		}
		return nil
	}
	if err != nil || w.failures > 0 {
		return err
	}
	if span := to.Sub(from); full && span > narrowest {
		p.spans[list] = max(span/2, narrowest)
		return nil
	}
	if full {
		w.Log.Error("the city's complaint system shows no more than a part of a minute's requests: what lies beyond it is not seen", slog.String("list", list), slog.Time("minute", from))
	}
	p.spans[list] = min(p.spans[list]*2, widest)
	if to.Equal(now) {
		p.next[list] = later(p.next[list], now.Add(w.Interval))
	}
	return desk(w.Desk.SetCursor(ctx, list, to.UnixMilli()))
}

// current reads their updates up to now: what they say of a request in words
// comes before its bare status, which has two. It tells whether that went well.
func (w *Worker) current(ctx context.Context, now time.Time) (bool, error) {
	if w.pull.wordless && now.Before(w.pull.next[listUpdates]) {
		return true, nil
	}
	if w.pull.sick(now, listUpdates) {
		return false, nil
	}
	for range mostPages {
		if err := w.pullList(ctx, now, listUpdates, w.updates); err != nil || w.failures > 0 {
			return false, err
		}
		cursor, err := w.Desk.Cursor(ctx, listUpdates)
		if err != nil || cursor >= now.UnixMilli() {
			return err == nil, desk(err)
		}
	}
	return false, nil
}

// settled has their updates read before requests are taken, where one has ended.
func (w *Worker) settled(ctx context.Context, now time.Time, list []open311.Request) (bool, error) {
	if !slices.ContainsFunc(list, func(r open311.Request) bool { return r.Status == open311.Closed }) {
		return true, nil
	}
	return w.current(ctx, now)
}

// overlap narrows with the window, so that a list which shows only so much can
// be read on.
func (w *Worker) overlap(list string) time.Duration { return min(overlap, w.pull.spans[list]) }

// updates takes changes of requests.
func (w *Worker) updates(ctx context.Context, now, from, to time.Time) (bool, error) {
	query := url.Values{"start_date": {w.stamp(from)}, "end_date": {w.stamp(to)}}
	a := w.get(ctx, "servicerequestupdates", query)
	w.pull.wordless = a.lacks() || a.err == nil && a.status == http.StatusBadRequest
	if w.pull.wordless {
		w.pull.next[listUpdates] = now.Add(noExtension)
		w.metrics.count("updates", "none")
		return false, nil
	}
	var list []open311.Update
	err := a.trouble()
	if a.ok() {
		list, err = w.read.Updates(a.body)
	}
	w.metrics.count("updates", outcome(err))
	if w.listed(now, listUpdates, a, err); err != nil {
		return false, nil //nolint:nilerr // the destination rests
	}
	slices.SortStableFunc(list, func(a, b open311.Update) int { return cmp.Compare(a.Updated, b.Updated) })
	for i := range list {
		u := &list[i]
		if complaint, number := told(u); number != 0 {
			ours, err := w.heard(ctx, now, complaint, number, u)
			if err != nil {
				return false, err
			}
			if ours && u.ID == tellMark(complaint, number) {
				continue // named by us: also where they called it another way at first
			}
		}
		id, err := w.Desk.Known(ctx, u.RequestID)
		if err != nil {
			return false, desk(err)
		}
		if id == "" {
			continue
		}
		if err := w.taken(w.Desk.Update(ctx, now.UnixMilli(), id, u), "an update", u.RequestID); err != nil {
			return false, err
		}
	}
	return len(list) >= open311.MaxRows, nil
}

// requests takes new requests: those with our id settle what is not settled,
// others are shown to the register.
func (w *Worker) requests(ctx context.Context, now, from, to time.Time) (bool, error) {
	list, err := w.window(ctx, now, url.Values{}, from, to)
	if err != nil {
		return false, nil //nolint:nilerr // the destination rests
	}
	switch ok, err := w.settled(ctx, now, list.requests); {
	case err != nil:
		return false, err
	case !ok:
		return false, errNotTaken
	}
	for i := range list.requests {
		if err := w.seen(ctx, now, &list.requests[i]); err != nil {
			return false, err
		}
	}
	return list.full, nil
}

func (w *Worker) seen(ctx context.Context, now time.Time, r *open311.Request) error {
	known, err := w.Desk.Known(ctx, r.ID)
	if err != nil {
		return desk(err)
	}
	if known != "" {
		return w.taken(w.Desk.Status(ctx, now.UnixMilli(), known, r), "a status", r.ID)
	}
	if id := ours(r); id != "" {
		unsettled, err := w.Desk.Unsettled(ctx, id)
		if err != nil {
			return desk(err)
		}
		if unsettled { // else somebody wrote our id into a report of his own
			return w.settle(ctx, now, filedAt(r, now), id, r.ID, r.Notice)
		}
	}
	return w.taken(w.Desk.Seen(ctx, now.UnixMilli(), r), "a request", r.ID)
}

// filedAt is when a request was filed there, as they say.
func filedAt(r *open311.Request, now time.Time) time.Time {
	if r.Requested == 0 {
		return now
	}
	return time.UnixMilli(r.Requested)
}

// rewind has their updates read again from a time on, where they were read past
// it: of what is known to be ours only now nothing was taken. What was taken
// counts once.
func (w *Worker) rewind(ctx context.Context, to time.Time) error {
	cursor, err := w.Desk.Cursor(ctx, listUpdates)
	if err != nil || to.UnixMilli() >= cursor {
		return err
	}
	return w.Desk.SetCursor(ctx, listUpdates, to.UnixMilli())
}
