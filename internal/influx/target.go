package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strconv"
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
	Rate                     int  // points/s at most, 0: no bound

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
	why  string
	hand bool

	dead  bool     // the server has died since it was rewound last
	trail []passed // where it was in the last minutes, the oldest first
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
	t := &Target{o: o, client: c, aside: aside{path: filepath.Join(o.Dir, o.ID+".refused"), most: mostAside}}
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
		t.streams = append(t.streams, &stream{t: t, name: s.name, at: at})
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
		st.Lag = 1 // it has not looked yet
		if s.lag != nil {
			st.Lag = s.lag(s.at.pos)
		}
	case head > max(s.at.pos, s.seen):
		st.Lag = head - max(s.at.pos, s.seen)
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
	s.note(s.t.o.Now())
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

// deliver sends a batch until the server has it, but for the points that it
// refuses for themselves: these are set aside. An error is that of ctx.
func (s *stream) deliver(ctx context.Context, b *batch) error {
	if len(b.ends) == 0 {
		return nil
	}
	begin := time.Duration(0)
	if s.t.o.Rate > 0 {
		begin = time.Duration(len(b.ends)) * time.Second / time.Duration(s.t.o.Rate)
	}
	paced := time.NewTimer(begin)
	defer paced.Stop()
	if err := s.part(ctx, b.text, b.ends, 0); err != nil {
		return err
	}
	if begin > 0 {
		select {
		case <-paced.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// part sends the lines of text; ends are those of lines, counted from base.
func (s *stream) part(ctx context.Context, text []byte, ends []int, base int) error {
	o, m := &s.t.o, s.t.o.Metrics
	for n := 0; ; n++ {
		began := o.Now()
		err := s.t.client.send(ctx, text)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.seconds.WithLabelValues(o.ID).Observe(o.Now().Sub(began).Seconds())
		if died(err) {
			s.mu.Lock()
			s.dead = true
			s.mu.Unlock()
		}
		end, why, wait := judge(err)
		m.requests.WithLabelValues(o.ID, outcomeNames[end]).Inc()
		up := 1.0
		if end == again || end == person {
			up = 0
		}
		m.up.WithLabelValues(o.ID).Set(up)
		switch end {
		case accepted:
			m.points.WithLabelValues(o.ID, "written").Add(float64(len(ends)))
			s.waits("", false)
			return nil
		case expired:
			old := min(dropped(why), len(ends))
			m.points.WithLabelValues(o.ID, "expired").Add(float64(old))
			m.points.WithLabelValues(o.ID, "written").Add(float64(len(ends) - old))
			s.waits("", false)
			return nil
		case refused, tooLarge:
			if len(ends) > 1 {
				half := len(ends) / 2
				cut := ends[half-1]
				if err := s.part(ctx, text[:cut-base], ends[:half], base); err != nil {
					return err
				}
				return s.part(ctx, text[cut-base:], ends[half:], cut)
			}
			if taken, err := s.refusesAll(ctx); err != nil {
				return err
			} else if taken {
				return s.setAside(ctx, why, text)
			}
			end, why = person, "it refuses everything, also a point made for trying ("+why+"): look at url, org and bucket"
		default:
		}
		s.waits(why, end == person)
		if err := s.rest(ctx, n, wait); err != nil {
			return err
		}
		if end == person {
			if err := s.t.client.transport.renew(); err != nil {
				s.waits(err.Error(), true)
			}
		}
	}
}

var droppedPattern = regexp.MustCompile(`dropped=(\d+)`)

// dropped is how many points a server says that it did not keep; 1 where it
// does not say.
func dropped(said string) int {
	if m := droppedPattern.FindStringSubmatch(said); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return n
		}
	}
	return 1
}

// refusesAll tries a point that every server takes: what refuses this one too
// does not refuse others for themselves. taken: it was taken.
func (s *stream) refusesAll(ctx context.Context) (taken bool, err error) {
	o := &s.t.o
	line := appendTag([]byte("simpang"), "city", o.Origin.City)
	f := &fields{b: append(appendTag(line, "gateway", o.Origin.Gateway), ' ')}
	f.int("probe", 1)
	err = s.t.client.send(ctx, f.end(o.Now().UnixNano()))
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	end, _, _ := judge(err)
	return end == accepted, nil
}

// setAside puts a line where a person can look at it, and tries until it is
// there.
func (s *stream) setAside(ctx context.Context, why string, line []byte) error {
	for n := 0; ; n++ {
		err := s.t.aside.put(s.t.o.Now(), why, line)
		if err == nil {
			s.t.o.Metrics.points.WithLabelValues(s.t.o.ID, "refused").Inc()
			return nil
		}
		s.waits(err.Error(), false)
		if err := s.rest(ctx, n, 0); err != nil {
			return err
		}
	}
}

// The waits after a failure: as long as firstRest, and twice as long each time.
const (
	firstRest = 500 * time.Millisecond
	mostRest  = 20 * time.Second
)

// rest waits after n failures before this one, a fifth of it chance.
func (s *stream) rest(ctx context.Context, n int, least time.Duration) error {
	d := max(min(firstRest<<min(n, 10), mostRest), least)
	return pause(ctx, d-time.Duration(rand.Int64N(int64(d)/5+1)))
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
