package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
)

// Log is the journal as targets read it.
type Log interface {
	// Head returns the last position that was handed on.
	Head() uint64
	// Next returns what follows a position, and waits until there is something
	// or ctx ends. A position that was retired is a *journal.RetiredError.
	Next(ctx context.Context, after uint64) ([]journal.Entry, error)
	// Archived calls each with what follows a position in the days that the
	// journal has retired, and returns the position after which the journal
	// goes on.
	Archived(ctx context.Context, after uint64, each func([]journal.Entry) error) (uint64, error)
}

// Options say what a target is and stands on.
type Options struct {
	ID     string // of the configuration
	Server Server
	Origin Origin

	Readings, Rollups, Books bool // what is written; receipts go with Books
	Rate                     int  // points/s at most, of all streams together, 0: no bound

	Dir      string // where what it refuses is set aside
	Store    *Store
	Log      Log
	Timeline *inventory.Timeline
	Ledger   Ledger  // of Books
	History  History // of Rollups
	Metrics  *Metrics
	Logger   *slog.Logger
	Now      func() time.Time // the wall clock, for what is set aside and waits
}

// The streams of a target.
const (
	streamReadings = "readings"
	streamRollups  = "rollups"
	streamBooks    = "books"
)

// Target sends to one server. Its streams run in goroutines of their own.
type Target struct {
	o      Options
	client *client
	aside  aside
	pace   pace

	streams []*stream
}

// Stream is one of a target's streams, to be run by a goroutine.
type Stream interface {
	// Run sends until ctx ends.
	Run(ctx context.Context)
}

// Status is how a stream is.
type Status struct {
	Name    string // TARGET/STREAM
	Stream  string
	Cursor  uint64 // durable; of books the number of the entry
	Lag     uint64 // entries that it has not sent
	Recv    int64  // receipt of what it sent last, Unix ms, 0 none since the start
	Detail  string // why it waits, "" where it does not
	Person  bool   // it waits for somebody to mend something
	Oldest  uint64 // position of the journal of the first that it has not sent, 0: none
	Journal uint64 // what comes after it is still needed of the journal; of books the most there is
}

// stream is what streams share.
type stream struct {
	t    *Target
	name string

	mu   sync.Mutex
	at   cursor
	seen uint64 // of the journal, where that is more than the cursor
	lag  func(pos uint64) uint64
	recv int64
	owes uint64 // of books: position of the journal of the entry that is being sent first, 0: none
	why  string
	hand bool

	past past
}

// New makes a target and loads its cursors. It sends nothing.
func New(ctx context.Context, o Options) (*Target, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := newClient(o.Server)
	if err != nil {
		return nil, fmt.Errorf("influx %s: %w", o.ID, err)
	}
	o.Metrics.begin(o.ID)
	t := &Target{o: o, client: c, aside: aside{path: filepath.Join(o.Dir, o.ID+".refused"), most: mostAside}, pace: pace{rate: o.Rate}}
	for _, s := range []struct {
		name string
		on   bool
	}{{streamReadings, o.Readings}, {streamRollups, o.Rollups}, {streamBooks, o.Books}} {
		if !s.on {
			continue
		}
		at, err := o.Store.load(ctx, o.ID, s.name)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		before, err := o.Store.loadPast(ctx, o.ID, s.name)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		t.streams = append(t.streams, &stream{t: t, name: s.name, at: at, past: before})
	}
	return t, nil
}

// Streams returns what is to be run.
func (t *Target) Streams() (all []Stream) {
	for _, s := range t.streams {
		switch s.name {
		case streamReadings:
			all = append(all, &readings{stream: s, enc: newEncoder(t.o.Origin, t.o.Timeline)})
		case streamRollups:
			all = append(all, &rollups{stream: s})
		case streamBooks:
			all = append(all, &books{stream: s})
		}
	}
	return all
}

// ID returns the target's id.
func (t *Target) ID() string { return t.o.ID }

// Status tells of each stream.
func (t *Target) Status() (all []Status) {
	for _, s := range t.streams {
		all = append(all, s.status())
	}
	return all
}

// Close lets go of the connections. The streams have ended.
func (t *Target) Close() error { return t.client.close() }

func (s *stream) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Name: s.t.o.ID + "/" + s.name, Stream: s.name, Cursor: s.at.pos, Recv: s.recv, Detail: s.why, Person: s.hand, Journal: s.at.pos}
	head := s.t.o.Log.Head()
	switch {
	case s.name == streamBooks:
		st.Journal = 1<<64 - 1
		st.Oldest = s.owes
		st.Lag = 1 // it has not looked yet
		if s.lag != nil {
			st.Lag = s.lag(s.at.pos)
		}
	case head > max(s.at.pos, s.seen):
		st.Lag = head - max(s.at.pos, s.seen)
		st.Oldest = max(s.at.pos, s.seen) + 1
	}
	return st
}

func (s *stream) cursor() cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// moved notes a cursor that is durable.
func (s *stream) moved(c cursor, recv int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past.note(s.t.o.Now(), s.at)
	s.at = c
	if recv != 0 {
		s.recv = recv
	}
}

// waits notes why a stream waits, "" that it does not.
func (s *stream) waits(why string, hand bool) {
	s.mu.Lock()
	before := s.why
	s.why, s.hand = why, hand
	s.mu.Unlock()
	log := s.t.o.Logger.With("target", s.t.o.ID, "stream", s.name)
	switch {
	case why == before:
	case why == "":
		log.Info("influx: it goes on")
	case before == "": // what changes while it waits is told by readyz
		log.Warn("influx: a target is not written to for now, and gets later what it misses", "because", why)
	}
}
