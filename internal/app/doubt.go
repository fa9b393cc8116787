package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/keys"
)

// A machine may start with a clock that is years ahead, or a person may accept
// a wrong one: neither can be told from a gateway that was off for that long,
// and all that is kept would look past its retention. What is deleted does not
// come back, so a doubtful clock must first have run for a while, in which a
// person sees it.
const (
	longSilence = 3 * 24 * time.Hour // since the newest commit before the start
	doubtFor    = 24 * time.Hour     // of the gateway's running
)

// doubtFile keeps a doubt over a restart: by then the newest commit is of the
// doubtful clock itself, and says nothing any more.
const doubtFile = "clock-doubt.json"

// doubt is how long nothing is let go because of our clock.
type doubt struct {
	path string
	log  *slog.Logger

	mu    sync.Mutex
	until int64 // ms on the monotonic clock
	why   string
	kept  bool // there is a file
}

// doubted is what the file says.
type doubted struct {
	LeftMs int64  `json:"left_ms"` // of the gateway's running
	Why    string `json:"why"`
}

// started judges our clock at the start: by what was left of a doubt, and by
// the newest commit (Unix ms, 0 none).
func (d *doubt) started(ctx context.Context, now intake.Instant, newest int64) error {
	b, err := os.ReadFile(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		was := doubted{LeftMs: doubtFor.Milliseconds(), Why: "a doubt that cannot be read"}
		_ = json.Unmarshal(b, &was) // one that is cut off is a whole doubt
		left := min(max(was.LeftMs, 0), doubtFor.Milliseconds())
		d.mu.Lock()
		d.until, d.why, d.kept = now.Mono+left, was.Why, true
		d.mu.Unlock()
		d.log.WarnContext(ctx, "our clock was doubtful before the start: nothing is let go yet that is past its retention", "for", time.Duration(left)*time.Millisecond, "why", was.Why)
	}
	if silent := time.Duration(now.Wall-newest) * time.Millisecond; newest > 0 && silent > longSilence {
		return d.begin(ctx, now, "the newest commit was "+silent.Round(time.Hour).String()+" before the start")
	}
	return nil
}

// begin begins a time in which nothing is let go. It holds also where it cannot
// be kept over a restart.
func (d *doubt) begin(ctx context.Context, now intake.Instant, why string) error {
	d.mu.Lock()
	d.until, d.why = now.Mono+doubtFor.Milliseconds(), why
	d.mu.Unlock()
	d.log.WarnContext(ctx, "our clock may be wrong: days over are put away, but for 24 h nothing is let go that is past its retention; look at the clock", "why", why)
	return d.keep(now)
}

// keep writes down what is left. It is called now and then.
func (d *doubt) keep(now intake.Instant) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := d.until - now.Mono
	if left <= 0 {
		if !d.kept {
			return nil
		}
		if err := os.Remove(d.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		d.kept = false
		return nil
	}
	b, err := json.Marshal(doubted{LeftMs: left, Why: d.why})
	if err != nil {
		return err
	}
	d.kept = true
	return keys.WriteFile(d.path, append(b, '\n'))
}

// left tells for how long nothing is let go yet, and why; 0 where it may go.
func (d *doubt) left(now intake.Instant) (time.Duration, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(max(d.until-now.Mono, 0)) * time.Millisecond, d.why
}

// over tells whether what is past its retention may go.
func (d *doubt) over(now intake.Instant) bool {
	left, _ := d.left(now)
	return left == 0
}
