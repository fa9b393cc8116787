// Package drive moves messages from what makes them to what sends them, at the
// pace of a clock.
package drive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/send"
	"github.com/simpang-id/simpang/firmware-sim/truth"
)

// Source makes messages in the order of their SendAt; false at the end.
type Source interface {
	Next() (message.Message, bool)
}

// Pace ties the time of messages to the wall clock: at Wall it is Start (Unix
// ms), and it runs Speed times as fast; Speed 0 waits for nothing. Live paces
// never let a message go out before its own time has come, so that they catch
// up with the present and then go with it.
type Pace struct {
	Start int64
	Wall  time.Time
	Speed float64
	Live  bool
	End   int64 // 0: none; what is later goes out at the end
}

// Due is when a message of that time goes out.
func (p Pace) Due(at int64) time.Time {
	if p.End > 0 {
		at = min(at, p.End)
	}
	due := p.Wall
	if p.Speed > 0 {
		due = p.Wall.Add(time.Duration(float64(at-p.Start) / p.Speed * float64(time.Millisecond)))
	}
	if own := time.UnixMilli(at); p.Live && own.After(due) {
		due = own
	}
	return due
}

// StartOf returns when a simulation begins that shall end now, or that goes on
// from now: with a speed over 1 (or 0, as fast as can be) it begins in the past.
func StartOf(now time.Time, speed float64, duration, history time.Duration) int64 {
	back := duration
	if back == 0 {
		back = history
	}
	switch {
	case speed == 0:
	case speed <= 1:
		back = 0
	case duration > 0:
		back = duration - time.Duration(float64(duration)/speed)
	}
	return now.Add(-back).Truncate(time.Second).UnixMilli()
}

// Route returns the sender of a device.
type Route func(device string) send.Sender

// Run sends every message of src at its time and returns when all are
// acknowledged. When ctx ends it stops making new ones, and gives those under
// way grace to arrive; that is no error.
func Run(ctx context.Context, src Source, route Route, senders []send.Sender, pace Pace, grace time.Duration, log *slog.Logger) error {
	err := pump(ctx, src, route, pace, log)
	if err != nil && ctx.Err() == nil {
		return err
	}
	wait := ctx
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
	}
	for _, s := range senders {
		if err := s.Idle(wait); err != nil && wait.Err() == nil {
			return fmt.Errorf("waiting for acknowledgements: %w", err)
		}
	}
	if ctx.Err() == nil || wait != ctx {
		return nil
	}
	// The stop came while the last ones were under way.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	for _, s := range senders {
		if err := s.Idle(last); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("waiting for acknowledgements: %w", err)
		}
	}
	return nil
}

func pump(ctx context.Context, src Source, route Route, pace Pace, log *slog.Logger) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	told := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		m, ok := src.Next()
		if !ok {
			return nil
		}
		now := time.Now()
		if wait := pace.Due(m.SendAt).Sub(now); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return nil
			}
		}
		if now.Sub(told) > 10*time.Second {
			told = now
			log.Info("simulated", "time", time.UnixMilli(m.SendAt).Format(time.RFC3339), "messages", n)
		}
		if err := route(m.Device).Send(ctx, m); err != nil {
			return fmt.Errorf("device %s: %w", m.Device, err)
		}
	}
	return nil
}

// Flusher writes the truth file out once a second until ctx ends.
func Flusher(ctx context.Context, w *truth.Writer, log *slog.Logger) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := w.Flush(); err != nil {
				log.Error("the truth is not written any more", "error", err)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
