package mqtt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/simpang-id/simpang/internal/source"
)

// Stats are counters since the start; they only grow.
type Stats struct {
	Received    atomic.Uint64 // publishes handed to the sink, refused ones too
	Acked       atomic.Uint64 // PUBACKs after a commit
	NotTaken    atomic.Uint64 // connections ended because the sink did not take a message
	Redelivered atomic.Uint64 // publishes that the broker marked as sent again
	TooLarge    atomic.Uint64 // payloads over source.MaxPayload
	Connects    atomic.Uint64 // connections with their subscriptions in place
	Failures    atomic.Uint64 // attempts to connect that failed
	Silences    atomic.Uint64 // connections ended because no message came for too long
	Unacked     atomic.Int64  // messages handed on that wait for their commit; goes up and down
}

// Source is one outside broker.
type Source struct {
	o           Options
	url         *url.URL
	stats       Stats
	lastMessage source.Moment
	silent      source.Moment // when silence last ended a connection
	restarts    int           // because of silence, since a message came; Run's

	mu        sync.Mutex
	connected bool
	detail    string
	client    paho.Client // nil: not connected
}

var _ source.Source = (*Source)(nil)

// New checks the options; it opens nothing.
func New(o Options) (*Source, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.fill()
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", o.ID, err)
	}
	return &Source{o: o, url: u, detail: "not connected yet"}, nil
}

// Run keeps a connection until ctx ends, through any absence of the broker.
func (s *Source) Run(ctx context.Context) error {
	defer s.setState(false, "the gateway stops")
	for attempt := 0; ctx.Err() == nil; attempt++ {
		if s.attempt(ctx) {
			attempt = 0
		}
		pause(ctx, s.backoff(attempt))
	}
	return nil
}

// attempt connects and stays as long as the connection does; stood tells
// whether it stood for a while.
func (s *Source) attempt(ctx context.Context) (stood bool) {
	began := time.Now()
	subscribed, err := s.session(ctx)
	if ctx.Err() != nil {
		return false
	}
	if !subscribed {
		s.stats.Failures.Add(1)
	}
	lasted := time.Since(began)
	s.lost(subscribed, lasted, err)
	return subscribed && lasted > s.o.MaxBackoff
}

// lost tells what ended a session.
func (s *Source) lost(subscribed bool, lasted time.Duration, err error) {
	if errors.Is(err, errSilent) {
		s.silent.Now()
		s.setState(false, err.Error())
		s.o.Log.Warn("no message for too long: connecting anew; the broker keeps the session and what it holds for us", "limit", s.o.MaxSilence, "in_a_row", s.restarts)
		return
	}
	err = s.explain(err)
	what := "cannot connect: "
	if subscribed {
		what = "connection lost: "
		if lasted < 3*time.Second && !errors.Is(err, errNotTaken) {
			err = fmt.Errorf("%w; if it happens again and again, another client has client_id %q", err, s.o.ClientID)
		}
	}
	s.setState(false, what+err.Error())
	s.o.Log.Warn("broker: "+what+"trying again", "error", err)
}

// backoff is the time before the next attempt: doubled each time, up to the
// greatest, and anything between half of it and all, so that gateways that lost
// a broker together do not come back together.
func (s *Source) backoff(attempt int) time.Duration {
	d := s.o.MaxBackoff
	if attempt < 16 {
		d = min(d, s.o.MinBackoff<<attempt)
	}
	return d/2 + rand.N(d/2+1)
}

func (s *Source) setState(connected bool, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.detail = connected, detail
}

// Stats returns the counters, which keep counting.
func (s *Source) Stats() *Stats { return &s.stats }

// Status tells whether the subscriptions are in place, and why not.
func (s *Source) Status() source.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := source.Status{
		ID: s.o.ID, Type: "mqtt", Connected: s.connected, Detail: s.detail, Received: s.stats.Received.Load(),
		Unacked: int(s.stats.Unacked.Load()), Connects: s.stats.Connects.Load(), Failures: s.stats.Failures.Load(), Restarts: s.stats.Silences.Load(),
	}
	status.LastMessage = s.lastMessage.Time()
	if s.silent.Time().After(status.LastMessage) && s.connected {
		status.Detail = strings.TrimPrefix(s.detail+"; ", "; ") + fmt.Sprintf("connected, but no message for over %s", s.o.MaxSilence)
	}
	return status
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
