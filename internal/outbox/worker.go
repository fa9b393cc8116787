package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/open311"
)

// Worker delivers to one destination and pulls from it. It is not safe for
// concurrent use: one call at a time is the bound of what a destination gets.
type Worker struct {
	Options

	client  *http.Client
	read    open311.Reader
	metrics *metrics

	calls    int       // of the present step
	failures int       // of the destination, in a row
	rest     time.Time // no call before
	barred   int       // refusals of our key, in a row
	keyRest  time.Time // no report is posted before
	mute     int       // refusals of our key for updates, in a row
	muteFrom time.Time // when the first of them came
	muteRest time.Time // no update is posted before
	turn     int       // whose turn it is
	well     time.Time // when they answered well last
	deaf     time.Time // they take no updates: none is posted before
	up       atomic.Bool
	asks     map[string]asked
	pull     puller
}

// New makes a worker. It does no I/O.
func New(o Options) (*Worker, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	w := &Worker{Options: o, client: &http.Client{Transport: o.Transport, CheckRedirect: redirect}, read: open311.Reader{Zone: o.Zone}, metrics: m}
	w.asks = map[string]asked{}
	w.pull.init()
	w.up.Store(true)
	return w, nil
}

// Step does at most one piece of work: it sends one delivery or update, looks
// for one, or pulls one page. It returns when it wants to be called again; a new
// delivery may be told by calling at once. An error is the desk's, and nothing
// was done that would be done twice.
func (w *Worker) Step(ctx context.Context, now time.Time) (time.Time, error) {
	if now.Before(w.rest) {
		return w.rest, nil
	}
	w.calls = 0
	worked, err := w.work(ctx, now)
	if errGauge := w.tell(ctx, now); err == nil {
		err = errGauge
	}
	if pace := now.Add(time.Duration(w.calls) * w.Pace); w.calls > 0 && pace.After(w.rest) {
		w.rest = pace
	}
	if err != nil {
		return later(w.rest, now.Add(w.Pace)), err
	}
	if worked {
		return later(w.rest, now), nil
	}
	return now.Add(min(w.Interval, 15*time.Second)), nil
}

func (w *Worker) work(ctx context.Context, now time.Time) (bool, error) {
	if w.failures > 0 {
		w.probe(ctx, now)
		return true, nil
	}
	w.turn++
	all := [...]func(context.Context, time.Time) (bool, error){w.deliver, w.pullOne, w.report}
	for i := range all {
		if worked, err := all[(w.turn+i)%len(all)](ctx, now); worked || err != nil {
			return worked, err
		}
	}
	return false, nil
}

// Up tells whether the destination answered well when it was last asked. It may
// be called from any goroutine.
func (w *Worker) Up() bool { return w.up.Load() }

// lately tells whether they answered well so lately that a POST may be risked;
// else something harmless is asked first, and tells.
func (w *Worker) lately(ctx context.Context, now time.Time) bool {
	const late = time.Minute
	if since := now.Sub(w.well); since >= 0 && since < late {
		return true
	}
	w.probe(ctx, now)
	return w.failures == 0
}

// probe asks for something harmless, after a failure or before a POST.
func (w *Worker) probe(ctx context.Context, now time.Time) {
	a := w.get(ctx, "services", url.Values{})
	err := a.trouble()
	if a.ok() {
		_, err = w.read.Services(a.body)
	}
	w.metrics.count("probe", outcome(err))
	if err != nil {
		w.failed(now, a, err)
		return
	}
	w.well = now
	if w.failures > 0 {
		w.Log.Info("the city's complaint system answers again", slog.Int("failures", w.failures))
	}
	w.failures = 0
	w.metrics.up.Set(1)
	w.up.Store(true)
}

// failed lets the destination rest, longer each time.
func (w *Worker) failed(now time.Time, a *answer, err error) {
	rest := max(w.backoff(w.failures), a.retry)
	w.failures++
	w.rest = now.Add(rest)
	w.metrics.up.Set(0)
	w.up.Store(false)
	w.Log.Warn("the city's complaint system does not answer well", slog.String("error", err.Error()), slog.Int("failures", w.failures), slog.Duration("rest", rest))
}

// backoff is the wait after n failures before this one, a fifth of it chance.
func (w *Worker) backoff(n int) time.Duration {
	d := w.Backoff << min(n, 6)
	return d - time.Duration(w.Rand.Int64N(int64(d)/5+1))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func outcome(err error) string {
	if err != nil {
		return "failed"
	}
	return "ok"
}

// mark is how our id stands in a description.
func mark(id string) string { return "[" + id + "]" }

// describe puts our id before a description: what they cut off is its end.
func describe(id, text string) string {
	return open311.Cut(strings.TrimSpace(mark(id)+" "+text), open311.MaxDescription)
}

func (w *Worker) code(ours string) string {
	if theirs, ok := w.Codes[ours]; ok {
		return theirs
	}
	return ours
}

// taken passes an error of the desk on, but where the desk says that it cannot
// take what they sent: that is logged and left out, else it would be in the way
// of all that follows.
func (w *Worker) taken(err error, what, theirs string) error {
	switch city.KindOf(err) {
	case city.KindInvalid, city.KindNotFound, city.KindConflict, city.KindUnprocessed:
		w.metrics.count("take", "refused")
		w.Log.Warn("the register does not take what the city's complaint system says", slog.String("what", what), slog.String("theirs", theirs), slog.String("error", err.Error()))
		return nil
	default:
		return desk(err)
	}
}

// desk wraps an error of the desk.
func desk(err error) error {
	if err != nil {
		return fmt.Errorf("outbox: the register: %w", err)
	}
	return nil
}
