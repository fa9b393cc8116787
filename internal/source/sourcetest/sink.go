// Package sourcetest is the behaviour suite that every source passes, and what
// its tests share: a sink that is worked by hand and a plain MQTT client.
package sourcetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/simpang-id/simpang/internal/source"
)

// Wait is how long a test waits for what must happen.
const Wait = 10 * time.Second

// Quiet is how long a test watches that something does not happen.
const Quiet = 150 * time.Millisecond

// Sink is a source.Sink whose messages a test takes and finishes by hand.
type Sink struct{ queue chan source.Message }

var _ source.Sink = (*Sink)(nil)

// NewSink returns a sink whose queue holds size messages.
func NewSink(size int) *Sink { return &Sink{queue: make(chan source.Message, size)} }

// Offer queues m and blocks while the queue is full.
func (s *Sink) Offer(ctx context.Context, m source.Message) error {
	select {
	case s.queue <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Take returns the next message.
func (s *Sink) Take(tb testing.TB) source.Message {
	tb.Helper()
	select {
	case m := <-s.queue:
		return m
	case <-time.After(Wait):
		require.FailNow(tb, "no message came")
		return source.Message{}
	}
}

// TakeDone returns the next message after it was finished as committed.
func (s *Sink) TakeDone(tb testing.TB) source.Message {
	tb.Helper()
	m := s.Take(tb)
	m.Done(true)
	return m
}

// None checks that no message comes for a while.
func (s *Sink) None(tb testing.TB) {
	tb.Helper()
	select {
	case m := <-s.queue:
		require.FailNow(tb, "a message came", "%s %q", m.Topic, m.Payload)
	case <-time.After(Quiet):
	}
}

// Messages is the queue.
func (s *Sink) Messages() <-chan source.Message { return s.queue }

// Len is how many messages wait in the queue.
func (s *Sink) Len() int { return len(s.queue) }

// Drain finishes everything as committed until ctx ends.
func (s *Sink) Drain(ctx context.Context) {
	for {
		select {
		case m := <-s.queue:
			m.Done(!m.Silent)
		case <-ctx.Done():
			return
		}
	}
}

// Run runs src in the background, waits until it is connected if connected is
// set, and stops it at the end of the test; Stop may be called earlier.
func Run(tb testing.TB, src source.Source, connected bool) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- src.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			require.NoError(tb, err)
		case <-time.After(Wait):
			require.FailNow(tb, "Run did not end with its context")
		}
	}
	tb.Cleanup(stop)
	if connected {
		Until(tb, func() bool { return src.Status().Connected }, "the source did not connect: %+v", src)
	}
	return stop
}

// Until polls condition until it holds.
func Until(tb testing.TB, condition func() bool, message string, args ...any) {
	tb.Helper()
	require.Eventuallyf(tb, condition, Wait, 2*time.Millisecond, message, args...)
}
