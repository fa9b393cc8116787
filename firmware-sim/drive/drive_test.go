package drive_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/firmware-sim/drive"
	"github.com/simpang-id/simpang/firmware-sim/message"
	"github.com/simpang-id/simpang/firmware-sim/send"
)

// list is a source of messages at these times.
type list struct {
	at   []int64
	next int
}

func (l *list) Next() (message.Message, bool) {
	if l.next == len(l.at) {
		return message.Message{}, false
	}
	l.next++
	return message.Message{Device: "dev-1", SendAt: l.at[l.next-1]}, true
}

// sink notes when messages came.
type sink struct {
	came []time.Time
	fail error
}

func (s *sink) Send(_ context.Context, _ message.Message) error {
	s.came = append(s.came, time.Now())
	return s.fail
}
func (s *sink) Idle(context.Context) error { return nil }
func (s *sink) Close() error               { return nil }

func play(ctx context.Context, s *sink, p drive.Pace, at ...int64) error {
	return drive.Run(ctx, &list{at: at}, func(string) send.Sender { return s }, []send.Sender{s}, p, time.Second, slog.New(slog.DiscardHandler))
}

func since(start time.Time, came []time.Time) (out []time.Duration) {
	for _, t := range came {
		out = append(out, t.Sub(start))
	}
	return out
}

func TestPaces(t *testing.T) {
	const s = int64(1000)
	for _, c := range []struct {
		name  string
		speed float64
		live  bool
		start int64 // before now, seconds
		end   int64
		at    []int64 // after start, seconds
		want  []time.Duration
	}{
		{"real time", 1, true, 0, 0, []int64{0, 1, 3}, []time.Duration{0, time.Second, 3 * time.Second}},
		{"twice as fast", 2, false, 1000, 0, []int64{0, 2, 6}, []time.Duration{0, time.Second, 3 * time.Second}},
		{"at once", 0, false, 1000, 0, []int64{0, 2, 6}, []time.Duration{0, 0, 0}},
		{"catches up and goes on", 10, true, 90, 0, []int64{0, 50, 100, 110, 120}, []time.Duration{0, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second}},
		{"at once, then live", 0, true, 10, 0, []int64{0, 10, 12}, []time.Duration{0, 0, 2 * time.Second}},
		{"late ones at the end", 1, true, 0, 4, []int64{0, 4, 90}, []time.Duration{0, 4 * time.Second, 4 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				p := drive.Pace{Start: now.UnixMilli() - c.start*s, Wall: now, Speed: c.speed, Live: c.live}
				if c.end > 0 {
					p.End = p.Start + c.end*s
				}
				for i := range c.at {
					c.at[i] = p.Start + c.at[i]*s
				}
				var got sink
				require.NoError(t, play(t.Context(), &got, p, c.at...))
				require.Equal(t, c.want, since(now, got.came))
			})
		})
	}
}

func TestStartOf(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		speed             float64
		duration, history time.Duration
		want              time.Duration // before now
	}{
		{1, time.Hour, 3 * time.Hour, 0},
		{0, time.Hour, 3 * time.Hour, time.Hour},
		{0, 0, 3 * time.Hour, 3 * time.Hour},
		{60, 0, 3 * time.Hour, 3 * time.Hour},
		{60, time.Hour, 3 * time.Hour, 59 * time.Minute}, // and the hour is done in a minute: it ends now
		{0.5, 0, 3 * time.Hour, 0},
	} {
		require.Equal(t, now.Add(-c.want).UnixMilli(), drive.StartOf(now, c.speed, c.duration, c.history))
	}
}

func TestRunStopsAndFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var s sink
		now := time.Now()
		p := drive.Pace{Start: now.UnixMilli(), Wall: now, Speed: 1, Live: true}
		require.NoError(t, play(ctx, &s, p, p.Start, p.Start+2000, p.Start+60_000), "a stop is no error")
		require.Len(t, s.came, 2)

		broken := sink{fail: errors.New("no line")}
		require.ErrorContains(t, play(t.Context(), &broken, p, p.Start), "dev-1: no line")
	})
}
