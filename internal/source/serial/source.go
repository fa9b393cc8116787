package serial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/source"
)

// Stats are counters since the start; they only grow.
type Stats struct {
	Received     atomic.Uint64 // sentences with a right checksum
	Acked        atomic.Uint64 // ACK sentences after a commit
	NotTaken     atomic.Uint64 // sentences that the sink did not take: the device sends them again
	Noise        atomic.Uint64 // noise, bad checksums and lines too long, offered to the sink
	NoiseDropped atomic.Uint64 // of the same, over the rate: counted only
	Opens        atomic.Uint64 // times that the line was opened
	Failures     atomic.Uint64 // attempts to open it that failed
	Silences     atomic.Uint64 // times that it was opened anew because nothing came
	Unacked      atomic.Int64  // sentences handed on that wait for their commit; goes up and down

	Prints   atomic.Uint64 // escpos: receipts read; Received counts all prints
	Unread   atomic.Uint64 // escpos: prints that were set aside, noise too
	Others   atomic.Uint64 // escpos: prints that a template knows as no receipt
	TapBytes atomic.Uint64 // escpos: bytes of the stream

	Questions  atomic.Uint64 // modbus: questions to units; Received counts readings
	NoAnswers  atomic.Uint64 // modbus: of these without an answer in time
	BadAnswers atomic.Uint64 // modbus: of these with a wrong CRC, or that of another question
	Exceptions atomic.Uint64 // modbus: of these that the unit refused
	Resets     atomic.Uint64 // modbus: counters that began anew
}

// Source is one serial line.
type Source struct {
	o           Options
	stats       Stats
	noise       limiter
	tap         *tap  // format escpos
	poll        *poll // format modbus
	lastMessage source.Moment
	restarts    int // because of silence, since a sentence came; the reader's

	mu        sync.Mutex
	connected bool
	detail    string
}

var _ source.Source = (*Source)(nil)

// New checks the options; it opens nothing.
func New(o Options) (*Source, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.fill()
	s := &Source{o: o, noise: newLimiter(o.NoiseRate), detail: "not opened yet"}
	if o.Tap != nil {
		s.tap = newTap(s)
	}
	if o.Poll != nil {
		s.poll = newPoll(s)
	}
	return s, nil
}

// Run keeps the line open until ctx ends, through any absence of the device.
func (s *Source) Run(ctx context.Context) error {
	defer s.setState(false, "the gateway stops")
	if s.tap != nil {
		defer s.tap.start(ctx)()
	}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		if s.attempt(ctx) {
			attempt = 0
		}
		pause(ctx, s.backoff(attempt))
	}
	return nil
}

// attempt opens the line and stays as long as it is there; stood tells whether
// that was for a while.
func (s *Source) attempt(ctx context.Context) (stood bool) {
	began := time.Now()
	opened, err := s.once(ctx)
	if ctx.Err() != nil {
		return false
	}
	s.ended(opened, err)
	return opened && time.Since(began) > s.o.MaxBackoff
}

// once opens the line and serves it to its end.
func (s *Source) once(ctx context.Context) (opened bool, err error) {
	l, err := s.o.open()
	if err != nil {
		return false, err
	}
	defer func() { _ = l.Close() }()
	s.stats.Opens.Add(1)
	s.setState(true, "")
	s.o.Log.Info("line opened", "port", s.o.Port, "baud", s.o.Baud)
	if s.tap != nil {
		return true, s.tap.read(ctx, l)
	}
	if s.poll != nil {
		return true, s.poll.run(ctx, l)
	}
	return true, s.serve(ctx, l)
}

// ended tells why there is no line.
func (s *Source) ended(opened bool, err error) {
	s.mu.Lock()
	before := s.detail
	s.mu.Unlock()
	detail := err.Error()
	switch {
	case errors.Is(err, os.ErrNotExist):
		detail = s.o.Port + " does not exist; is the device plugged in?"
	case errors.Is(err, errSilent):
		detail = fmt.Sprintf("no sentence for over %s: opening the line anew", s.o.MaxSilence)
	}
	if !opened {
		s.stats.Failures.Add(1)
	}
	s.setState(false, detail)
	if detail != before { // not each attempt again
		s.o.Log.Warn("no line: "+detail, "port", s.o.Port)
	}
}

// backoff is the time before the next attempt: doubled each time, up to the
// greatest, and anything between half of it and all.
func (s *Source) backoff(attempt int) time.Duration {
	d := s.o.MaxBackoff
	if attempt < 16 {
		d = min(d, s.o.MinBackoff<<attempt)
	}
	return d/2 + rand.N(d/2+1)
}

// setDetail tells of something beside whether the line is there.
func (s *Source) setDetail(detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.detail = detail
}

func (s *Source) setState(connected bool, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.detail = connected, detail
}

// Stats returns the counters, which keep counting.
func (s *Source) Stats() *Stats { return &s.stats }

// Status tells whether the line is open, and why not.
func (s *Source) Status() source.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := source.Status{
		ID: s.o.ID, Type: "serial", Connected: s.connected, Detail: s.detail, Received: s.stats.Received.Load(),
		Unacked: int(s.stats.Unacked.Load()), Connects: s.stats.Opens.Load(), Failures: s.stats.Failures.Load(), Restarts: s.stats.Silences.Load(),
	}
	status.Counts = s.counts()
	status.LastMessage = s.lastMessage.Time()
	return status
}

// counts are the numbers of the line's format.
func (s *Source) counts() []source.Count {
	c := &s.stats
	out := []source.Count{{What: "not_taken", N: c.NotTaken.Load()}}
	noise := []source.Count{{What: "noise", N: c.Noise.Load()}, {What: "noise_dropped", N: c.NoiseDropped.Load()}}
	switch {
	case s.poll != nil:
		return append(out, source.Count{What: "questions", N: c.Questions.Load()}, source.Count{What: "no_answer", N: c.NoAnswers.Load()},
			source.Count{What: "bad_answer", N: c.BadAnswers.Load()}, source.Count{What: "exception", N: c.Exceptions.Load()}, source.Count{What: "counter_reset", N: c.Resets.Load()})
	case s.tap != nil:
		out = append(out, source.Count{What: "bytes", N: c.TapBytes.Load()}, source.Count{What: "receipts", N: c.Prints.Load()},
			source.Count{What: "unread", N: c.Unread.Load()}, source.Count{What: "no_receipt", N: c.Others.Load()})
	}
	return append(out, noise...)
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
