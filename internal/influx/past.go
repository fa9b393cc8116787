package influx

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/series"
)

// Local is the readings that are kept here.
type Local interface {
	// Readings returns a device's readings in the order of time and position.
	Readings(ctx context.Context, q series.Query) (series.Page, error)
}

// Past answers for readings that are kept here and for older ones that a target
// has, as one.
type Past struct {
	Local  Local
	Remote *Reader
	// Whole is from when on (event time, Unix ms) everything is kept here.
	Whole func() int64
	Now   func() time.Time
	Log   *slog.Logger

	failed atomic.Pointer[failure] // nil: the last question was answered
}

// failure is when and why a question was not answered.
type failure struct {
	at  time.Time
	why string
}

// respite is how long a target that did not answer is not asked: questions do
// not pile up behind its time-outs.
const respite = 5 * time.Second

// Readings answers as the local readings do. missing says why readings from
// before Whole may lack: what is kept here is told then, "" nothing lacks.
func (p *Past) Readings(ctx context.Context, q series.Query) (page series.Page, missing string, err error) {
	page, err = p.Local.Readings(ctx, q)
	if err != nil {
		return page, "", err
	}
	from, to := q.From, min(q.To, p.Whole())
	if q.After != nil {
		from = max(from, q.After.At)
	}
	if page.Next != nil {
		to = min(to, page.Next.At+1) // what comes after is for the next page
	}
	kinds := wanted(q.Kinds)
	if from >= to || len(kinds) == 0 {
		return page, "", nil
	}
	from = max(from, 0)
	const what = "readings older than what is kept here are missing: "
	if f := p.failed.Load(); f != nil && p.Now().Sub(f.at) < respite {
		return page, what + f.why, nil
	}
	there, err := p.Remote.readings(ctx, q.Device, kinds, from, to, q.After, q.Limit+1)
	if err != nil {
		if ctx.Err() != nil {
			return page, "", ctx.Err()
		}
		if p.failed.Swap(&failure{p.Now(), err.Error()}) == nil {
			p.Log.WarnContext(ctx, "influx: history older than what is kept here cannot be read for now", "error", err)
		}
		return page, what + err.Error(), nil
	}
	if p.failed.Swap(nil) != nil {
		p.Log.InfoContext(ctx, "influx: older history can be read again")
	}
	if there.upTo >= to {
		there.upTo = 1<<63 - 1 // beyond, what is kept here is all
	}
	if there.broken > 0 {
		missing = fmt.Sprintf("%d readings of this time are not in the InfluxDB as this gateway wrote them (a point is lost, or somebody else writes there) and are left out", there.broken)
	}
	return join(page, there.found, there.upTo, q.Limit), missing, nil
}

// wanted is the kinds of a query that a target is asked for.
func wanted(kinds []city.Kind) []city.Kind {
	if len(kinds) == 0 {
		return Kinds
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k city.Kind) bool { return !slices.Contains(Kinds, k) })
}

// join merges a local page with what a target has of its time before upTo.
func join(page series.Page, remote []point, upTo int64, limit int) series.Page {
	known := make(map[pointKey]bool, len(page.Entries))
	for i := range page.Entries {
		known[keyOf(&page.Entries[i])] = true
	}
	all := slices.Clone(page.Entries) // those of the page are shared
	for i := range remote {
		p := &remote[i]
		if !known[p.key()] {
			known[p.key()] = true
			all = append(all, p.entry)
		}
	}
	slices.SortFunc(all, func(a, b journal.Entry) int { return compare(cursorAt(&a), cursorAt(&b)) })
	more := page.Next != nil
	if n := len(all); n > 0 && all[n-1].Reading.At >= upTo {
		all = slices.DeleteFunc(all, func(e journal.Entry) bool { return e.Reading.At >= upTo })
		more = true
	}
	if len(all) > limit {
		all, more = all[:limit], true
	}
	more = more || upTo < 1<<63-1
	out := series.Page{Entries: all}
	if more && len(all) > 0 {
		last := cursorAt(&all[len(all)-1])
		out.Next = &last
	}
	return out
}

func cursorAt(e *journal.Entry) series.Cursor { return series.Cursor{At: e.Reading.At, Pos: e.Pos} }

func compare(a, b series.Cursor) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Pos, b.Pos))
}
