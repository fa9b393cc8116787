package outbox

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/open311"
)

const (
	tellWithin = 7 * 24 * time.Hour // then one that they would not take is given up
	tellLooks  = 3                  // look-ups before one that may have been taken is unsure
	tellMost   = 20                 // read at once
	tellBarred = 24 * time.Hour     // of refusals of our key before one that is old is given up
)

// report takes the most urgent update of ours a step on. As with reports: it is
// noted before the POST, sent again only where it was certainly not taken, and
// looked for after any other end.
func (w *Worker) report(ctx context.Context, now time.Time) (bool, error) {
	list, err := w.Desk.Tellings(ctx, now.UnixMilli(), tellMost)
	if err != nil {
		return false, desk(err)
	}
	for i := range list {
		t := &list[i]
		switch {
		case t.Began != 0 && w.pull.sick(now, listUpdates):
			return true, desk(w.Desk.TellingLater(ctx, now.UnixMilli(), t.ID, w.pull.next[listUpdates].UnixMilli(), "the look-up waits: their list of updates failed", true, false))
		case t.Began != 0:
			return true, w.lookForUpdate(ctx, now, t)
		case now.Before(w.deaf) && t.old(now):
			return true, w.forgo(ctx, now, t)
		case !now.Before(w.muteRest) && !now.Before(w.deaf):
			return true, w.tellThem(ctx, now, t)
		}
	}
	return false, nil
}

// old tells whether it was to be told so long ago that it is given up where they
// take no updates. What waited for them to answer at all is not.
func (t *Telling) old(now time.Time) bool { return now.Sub(time.UnixMilli(t.Since)) > tellWithin }

func (w *Worker) forgo(ctx context.Context, now time.Time, t *Telling) error {
	return desk(w.Desk.TellingEnds(ctx, now.UnixMilli(), t.ID, TellNone, "", "they took no update for "+tellWithin.String()))
}

// tellThem posts an update.
func (w *Worker) tellThem(ctx context.Context, now time.Time, t *Telling) error {
	if !w.lately(ctx, now) {
		return nil
	}
	if t.Note { // with a status that is old it would take back what they did since
		var err error
		id := t.ID
		if t, err = w.refreshed(ctx, now, t); err != nil {
			return err
		}
		if t == nil {
			next := later(w.rest, now)
			if w.pull.sick(now, listUpdates) {
				next = later(next, w.pull.next[listUpdates])
			}
			return desk(w.Desk.TellingLater(ctx, now.UnixMilli(), id, next.UnixMilli(), "how it stands there is not read yet", false, false))
		}
	}
	ms := now.UnixMilli()
	if err := w.Desk.TellingBegins(ctx, ms, t.ID); err != nil {
		return desk(err)
	}
	u := t.Update
	u.ID = tellMark(t.Complaint, t.ID)
	u.Description = describe(u.ID, u.Description)
	form := u.Form(string(w.Key), w.Zone)
	if w.Jurisdiction != "" {
		form.Set("jurisdiction_id", w.Jurisdiction)
	}
	a := w.post(ctx, "servicerequestupdates", form)
	why := ""
	if err := a.trouble(); !a.ok() {
		why = err.Error()
	}
	later := func(next time.Time, taken bool) error {
		return desk(w.Desk.TellingLater(ctx, ms, t.ID, next.UnixMilli(), why, taken, false))
	}
	verdict, theirs := w.judgeUpdate(a)
	w.metrics.count("tell", verdict.String())
	switch verdict {
	case filed:
		w.mute, w.well = 0, now
		return desk(w.Desk.TellingEnds(ctx, ms, t.ID, Told, theirs, ""))
	case refused:
		w.Log.Warn("the city's complaint system refuses an update", slog.String("complaint", t.Complaint), slog.Int64("update", t.ID), slog.String("error", why))
		return desk(w.Desk.TellingEnds(ctx, ms, t.ID, TellRefused, "", why))
	case barred:
		w.barUpdates(now, a)
		if t.old(now) && now.Sub(w.muteFrom) >= tellBarred {
			return w.forgo(ctx, now, t)
		}
		return later(w.muteRest, false)
	case notTaken:
		if a.lacks() && t.old(now) {
			return w.forgo(ctx, now, t)
		}
		if _, ok := w.read.Faults(a.body); ok && a.status == http.StatusNotFound {
			return later(now.Add(noExtension), false) // they have updates, and not this report
		}
		if a.lacks() {
			w.deaf = now.Add(noExtension)
			w.Log.Info("the city's complaint system takes no updates", slog.Int("status", a.status))
			return later(w.deaf, false)
		}
		w.failed(now, a, a.trouble())
		return later(w.rest, false)
	case unclear, tokened:
	}
	w.failed(now, a, a.trouble())
	return later(now.Add(w.Looks[0]), true)
}

// refreshed reads how a request stands with them, and returns what is to be told
// of it then; nil: not now.
func (w *Worker) refreshed(ctx context.Context, now time.Time, t *Telling) (*Telling, error) {
	if ok, err := w.current(ctx, now); !ok || err != nil {
		return nil, err
	}
	if ok, err := w.standing(ctx, now, Filed{ID: t.Complaint, Theirs: t.Update.RequestID}); !ok || err != nil {
		return nil, err
	}
	list, err := w.Desk.Tellings(ctx, now.UnixMilli(), tellMost)
	if err != nil {
		return nil, desk(err)
	}
	if at := slices.IndexFunc(list, func(o Telling) bool { return o.ID == t.ID }); at >= 0 {
		return &list[at], nil
	}
	return nil, nil
}

// barUpdates lets updates rest that are refused for the key, the rate or the
// address: reports and reads go on.
func (w *Worker) barUpdates(now time.Time, a *answer) {
	rest := max(w.backoff(w.mute), a.retry)
	if w.mute == 0 {
		w.muteFrom = now
	}
	w.mute++
	w.muteRest = now.Add(rest)
	w.Log.Warn("the city's complaint system takes no updates from us", slog.Int("status", a.status), slog.String("error", a.trouble().Error()), slog.Duration("rest", rest))
}

// judgeUpdate reads the answer to an update. What is not certain is unclear.
func (w *Worker) judgeUpdate(a *answer) (v verdict, theirs string) {
	if a.lacks() {
		return notTaken, ""
	}
	if a.ok() {
		made, err := w.read.Updated(a.body)
		if err != nil {
			a.err = err
			return unclear, ""
		}
		return filed, made.ID
	}
	v, _ = w.judge(a)
	return v, ""
}

// lookForUpdate searches their updates for one of ours that may have arrived.
func (w *Worker) lookForUpdate(ctx context.Context, now time.Time, t *Telling) error {
	ms := now.UnixMilli()
	query := url.Values{"start_date": {w.stamp(time.UnixMilli(t.Began).Add(-lookMargin))}, "end_date": {w.stamp(now.Add(lookMargin))}}
	a := w.get(ctx, "servicerequestupdates", query)
	if a.lacks() || a.err == nil && a.status == http.StatusBadRequest {
		return desk(w.Desk.TellingEnds(ctx, ms, t.ID, TellUnsure, "", "they show no updates: whether it arrived is not known"))
	}
	var list []open311.Update
	err := a.trouble()
	if a.ok() {
		list, err = w.read.Updates(a.body)
	}
	w.metrics.count("updates", outcome(err))
	if w.listed(now, listUpdates, a, err); err != nil {
		return desk(w.Desk.TellingLater(ctx, ms, t.ID, w.rest.UnixMilli(), "the look-up failed: "+err.Error(), true, false))
	}
	slices.SortStableFunc(list, func(a, b open311.Update) int { return cmp.Compare(a.Updated, b.Updated) })
	for i := range list { // the first: who quotes ours comes after it
		if complaint, number := told(&list[i]); number != t.ID || complaint != t.Complaint {
			continue
		}
		if ours, err := w.heard(ctx, now, t.Complaint, t.ID, &list[i]); ours || err != nil {
			return err
		}
	}
	if t.Looks+1 >= min(tellLooks, len(w.Looks)) {
		w.Log.Warn("whether an update arrived is unsure", slog.String("complaint", t.Complaint), slog.Int64("update", t.ID))
		return desk(w.Desk.TellingEnds(ctx, ms, t.ID, TellUnsure, "", "not found among their updates"))
	}
	return desk(w.Desk.TellingLater(ctx, ms, t.ID, now.Add(w.Looks[t.Looks+1]).UnixMilli(), "not found among their updates", true, true))
}

// heard notes an update of ours that stands among theirs, and tells whether it
// stands with its report: elsewhere somebody wrote our mark into one of his own.
// Who quotes ours has our mark too: one that was heard of stays what it is.
func (w *Worker) heard(ctx context.Context, now time.Time, complaint string, number int64, u *open311.Update) (bool, error) {
	id, err := w.Desk.Known(ctx, u.RequestID)
	if err != nil || id != complaint {
		return false, desk(err)
	}
	err = w.Desk.TellingEnds(ctx, now.UnixMilli(), number, Told, u.ID, "")
	if city.KindOf(err) == city.KindNotFound {
		return false, nil
	}
	return err == nil, desk(err)
}

// tellMark is how an update of ours is named there.
func tellMark(complaint string, number int64) string {
	return complaint + "/" + strconv.FormatInt(number, 10)
}

// told returns which update of ours one of theirs is, by its mark; 0: none.
func told(u *open311.Update) (complaint string, number int64) {
	mark, _, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(u.Description), "["), "]")
	if !found || !strings.HasPrefix(strings.TrimSpace(u.Description), "[SPG-") {
		mark = u.ID // where they keep the id that they are given
	}
	complaint, digits, found := strings.Cut(mark, "/")
	number, err := strconv.ParseInt(digits, 10, 64)
	if !found || err != nil || number <= 0 || !isNumber(strings.TrimPrefix(complaint, "SPG-")) || !strings.HasPrefix(complaint, "SPG-") {
		return "", 0
	}
	return complaint, number
}
