package influx

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/traffic"
)

// History is what occupancy and traffic have rolled up.
type History interface {
	// Reached tells whether both have applied a position of the journal.
	Reached(pos uint64) bool
	// Parking returns the roll-ups of a class at a site in [from, to), Unix ms.
	Parking(ctx context.Context, site string, class city.Class, from, to int64) ([]occupancy.Rollup, error)
	// Road returns the steps of five minutes of a segment in [from, to).
	Road(ctx context.Context, segment string, from, to int64) ([]traffic.HistoryPoint, error)
}

const (
	stepMs  = occupancy.BucketMs
	graceMs = 2 * 60 * 1000 // after the end of five minutes; what comes later is sent again

	firstBack = 4096 // entries before the head in which a tick is looked for

	chunkMs  = msPerDay           // one look-up
	behindMs = 6 * 60 * 60 * 1000 // who catches up sends so much at once
	beforeMs = 7 * msPerDay       // measured before the first inventory was accepted
	siteMark = "site:"
	roadMark = "road:"
)

// rollups sends five minutes that are over, and again what changes later. It
// reads the journal for our clock and for what comes late.
type rollups struct {
	*stream

	buf     batch
	at      cursor
	now     int64            // newest tick, Unix ms
	marks   map[string]int64 // what is to be sent again -> from when on
	changed map[string]int64 // of marks, since they were made durable; 0: gone
}

var _ Stream = (*rollups)(nil)

// Run sends until ctx ends.
func (s *rollups) Run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		err := s.begin(ctx)
		for err == nil {
			if err = s.step(ctx); err == nil {
				n = 0
			}
		}
		if ctx.Err() != nil {
			return
		}
		s.waits(err.Error(), false)
		if s.rest(ctx, n, 0) != nil {
			return
		}
	}
}

// begin goes on from what is durable.
func (s *rollups) begin(ctx context.Context) (err error) {
	s.at, s.changed, s.now = s.cursor(), map[string]int64{}, 0
	if s.marks, err = s.t.o.Store.marks(ctx, s.t.o.ID); err != nil {
		return err
	}
	head := s.t.o.Log.Head()
	if s.at.sent == 0 { // a first start: all is sent, and nothing is late; the newest tick is enough
		s.at.pos = head - min(head, firstBack)
	}
	s.at.pos = min(s.at.pos, head) // beyond: restored from before our cursor
	s.buf.reset()
	return nil
}

func (s *rollups) step(ctx context.Context) error {
	entries, err := s.t.o.Log.Next(ctx, s.at.pos)
	if _, retired := errors.AsType[*journal.RetiredError](err); retired {
		reached, err := s.t.o.Log.Archived(ctx, s.at.pos, func(entries []journal.Entry) error {
			s.read(entries)
			return ctx.Err()
		})
		s.at.pos = max(s.at.pos, reached)
		return err
	}
	if err != nil {
		return err
	}
	s.read(entries)
	over := s.now - graceMs - (s.now-graceMs)%stepMs
	s.saw(s.at.pos)
	level := s.t.o.Log.Head()-s.at.pos < backlog
	if s.now == 0 || over <= s.at.sent || !level && over-s.at.sent < behindMs || !s.t.o.History.Reached(s.at.pos) {
		return nil // the next entries, a tick at the latest, look again
	}
	return s.send(ctx, over)
}

// read notes our clock and what came late.
func (s *rollups) read(entries []journal.Entry) {
	for i := range entries {
		e := &entries[i]
		if e.Pos <= s.at.pos {
			continue
		}
		s.at.pos = e.Pos
		switch e.Type {
		case journal.TypeTick:
			s.now = e.Recv
			if s.at.sent == 0 {
				s.at.sent = s.first(e)
			}
		case journal.TypeReading:
			s.late(e)
		default:
		}
	}
}

// saw notes how far the journal was read.
func (s *rollups) saw(pos uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = pos
}

// first is from when on there may be roll-ups.
func (s *rollups) first(e *journal.Entry) int64 {
	first := e.Recv
	if times := s.t.o.Timeline.Accepted(e.Pos); len(times) > 0 {
		first = min(first, times[0])
	}
	return max(first-first%stepMs-beforeMs, 1)
}

// late marks what a reading changes that was sent already: a state holds until
// the next one, so that all after it may differ.
func (s *rollups) late(e *journal.Entry) {
	r := e.Reading
	from := r.At
	if r.Traffic != nil {
		from -= int64(r.Traffic.PeriodS) * 1000
	}
	if from >= s.at.sent || r.Kind == city.KindReceipt || r.Kind == city.KindHealth {
		return
	}
	d, v := s.t.o.Timeline.Device(e.Pos, r.At, r.Device)
	if d == nil {
		return
	}
	from = max(from-from%stepMs, 1)
	if r.Traffic == nil {
		s.mark(siteMark+d.Site, from)
		return
	}
	s.mark(roadMark+d.Segment, from)
	if g := v.Segment(d.Segment); g != nil && g.Opposite != "" {
		s.mark(roadMark+g.Opposite, from) // they may share the road, or a lane feeds it
	}
}

func (s *rollups) mark(subject string, from int64) {
	if since, ok := s.marks[subject]; ok && since <= from {
		return
	}
	s.marks[subject], s.changed[subject] = from, from
}

// send sends what was marked up to what was sent, and then what is over.
func (s *rollups) send(ctx context.Context, over int64) error {
	for _, subject := range slices.Sorted(maps.Keys(s.marks)) {
		kind, id, _ := strings.Cut(subject, ":")
		for from := s.marks[subject]; from < s.at.sent; {
			to := s.until(from, min(from+chunkMs, s.at.sent))
			only := func(k, other string) bool { return k == kind+":" && other == id }
			if err := s.span(ctx, from, to, only); err != nil {
				return err
			}
			from = to
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		delete(s.marks, subject)
		s.changed[subject] = 0
	}
	for s.at.sent < over {
		to := s.until(s.at.sent, min(s.at.sent+chunkMs, over))
		if err := s.span(ctx, s.at.sent, to, func(string, string) bool { return true }); err != nil {
			return err
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
		s.at.sent = to
		if back, ok := s.rewound(ctx, s.at); ok && back.sent > 0 {
			s.at.sent = min(to, back.sent)
		}
		if err := s.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *rollups) save(ctx context.Context) error {
	if err := s.t.o.Store.saveMarks(ctx, s.t.o.ID, s.at, s.changed); err != nil {
		return err
	}
	clear(s.changed)
	s.moved(s.at, s.now)
	return s.keep(ctx)
}

// span sends the roll-ups of a time of all that is wanted.
func (s *rollups) span(ctx context.Context, from, to int64, wanted func(kind, id string) bool) error {
	sites, segments := s.places(from, to)
	for _, site := range sites {
		if !wanted(siteMark, site.ID) {
			continue
		}
		for _, class := range site.Classes {
			list, err := s.t.o.History.Parking(ctx, site.ID, class, from, to)
			if err != nil && city.KindOf(err) != city.KindNotFound {
				return err
			}
			for i := range list {
				parking(&s.buf, s.t.o.Origin, site, class, &list[i])
			}
			if err := s.enough(ctx); err != nil {
				return err
			}
		}
	}
	for _, segment := range segments {
		if !wanted(roadMark, segment.ID) {
			continue
		}
		list, err := s.t.o.History.Road(ctx, segment.ID, from, to)
		if err != nil && city.KindOf(err) != city.KindNotFound {
			return err
		}
		for i := range list {
			if list[i].Coverage.V > 0 {
				road(&s.buf, s.t.o.Origin, segment.ID, &list[i])
			}
		}
		if err := s.enough(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *rollups) enough(ctx context.Context) error {
	if len(s.buf.ends) < batchPoints {
		return nil
	}
	return s.flush(ctx)
}

func (s *rollups) flush(ctx context.Context) error {
	err := s.deliver(ctx, &s.buf)
	s.buf.reset()
	return err
}
