package traffic

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Options of a Follower.
type Options struct {
	Timeline *inventory.Timeline // required
	Zone     *time.Location      // the city's; default UTC
	Log      *slog.Logger        // default slog.Default
	Retain   time.Duration       // how long roll-ups are kept, from their time and from when they last grew; 0: always
	Hold     func() bool         // tells at a flush that nothing may be let go for now; nil: it may
}

// Follower folds the journal's traffic readings into the present and the
// past of every segment. Apply, Flush and Close are called from one
// goroutine, the questions from any.
type Follower struct {
	ctx context.Context // of the flushes: they outlive what opened us
	db  *sqlite.DB
	o   Options

	mu       sync.Mutex // held by questions and, briefly, by Apply and Flush
	applied  uint64
	durable  uint64
	now      int64 // newest receive time, Unix ms: the only clock
	segments map[string]*segment
	all      []*series // by id - 1
	closures *inventory.ClosureSet
	rev      uint64

	version *inventory.Version // holds at now
	roads   map[string]*road   // of version
	olderOf *inventory.Version // asked for by the last history of older days
	older   map[string]*road   // of olderOf
	shut    bool               // closures changed since the last evaluation
	due     atomic.Int64       // no evaluated state changes by itself before this time, Unix ms

	devices map[string]*deviceLanes // Apply's own: not under mu
	dirty   []*series               // touched since the last flush
	closing bool                    // closures changed since the last flush
	pruned  int64                   // roll-ups before it are gone
	changed chan struct{}
}

// deviceLanes is where a device's lanes go under one version.
type deviceLanes struct {
	version  *inventory.Version
	forward  string // segment ids, "" none
	backward string
	lanes    map[laneOf]*series
	full     bool // it told of more lanes than it may
}

type laneOf struct {
	number   uint16
	backward bool
}

// Open opens or makes the store at path and loads what it knows.
func Open(ctx context.Context, path string, o Options) (*Follower, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("traffic: %w", err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Normal, Migrations: sub, SumsAt: 3})
	if err != nil {
		return nil, fmt.Errorf("traffic: %w", err)
	}
	f := &Follower{
		ctx: context.WithoutCancel(ctx), db: db, o: o,
		segments: map[string]*segment{}, devices: map[string]*deviceLanes{},
		closures: inventory.NewClosureSet(), changed: make(chan struct{}, 1),
	}
	if err := f.load(ctx); err != nil {
		return nil, fmt.Errorf("traffic: load %s: %w", path, closing(db, err))
	}
	return f, nil
}

// Name returns "traffic".
func (*Follower) Name() string { return "traffic" }

// Cursor returns the last position whose effect is durable.
func (f *Follower) Cursor() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.durable
}

// Close closes the store; what was not flushed is applied again at the next
// start.
func (f *Follower) Close() error { return f.db.Close() }

// Changed receives when the answer of Segments may have changed. A receiver
// that is busy misses none: one signal waits.
func (f *Follower) Changed() <-chan struct{} { return f.changed }

// Apply takes the next entries of the journal. It touches memory only.
func (f *Follower) Apply(entries []journal.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	touched := false
	for i := range entries {
		e := &entries[i]
		if e.Pos <= f.applied {
			continue
		}
		f.applied = e.Pos
		if e.Type != journal.TypeReading && e.Recv < f.now {
			// Our clock ran ahead, was set right, and a person accepted it.
			f.now, f.pruned, f.shut = e.Recv, 0, true
		}
		f.now = max(f.now, e.Recv)
		switch e.Type {
		case journal.TypeReading:
			if e.Reading.Kind == city.KindTraffic {
				touched = f.reading(e) || touched
			}
		case journal.TypeTick, journal.TypeInventory:
			touched = true
		case journal.TypeClosure:
			f.close(e.Closure)
			touched, f.shut = true, true
		case journal.TypeReopen:
			f.closing = f.closures.Reopen(e.Closure.ID, e.Recv) || f.closing
			touched, f.shut = true, true
		case journal.TypeDay:
			f.day(e)
			touched, f.shut = true, true
		default:
		}
	}
	if touched {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
	return nil
}

// reading takes one traffic reading; false if it feeds no segment.
func (f *Follower) reading(e *journal.Entry) bool {
	r := e.Reading
	d := f.device(e.Pos, r.At, r.Device)
	touched := false
	for i := range r.Traffic.Lanes {
		l := &r.Traffic.Lanes[i]
		s := f.seriesOf(d, r.Device, l)
		if s == nil {
			continue
		}
		touched = true
		p := sampleOf(r.At, r.Traffic.PeriodS, l)
		s.recent.add(p)
		if !s.touched {
			s.touched = true
			f.dirty = append(f.dirty, s)
		}
		p.split(s.put)
		f.stir(s.segment)
	}
	return touched
}

// stir lets the segment, and the one that shares its road, be evaluated anew.
func (f *Follower) stir(id string) {
	f.segments[id].until = 0
	if r := f.roads[id]; r != nil && r.opposite != nil {
		if o := f.segments[r.opposite.segment.ID]; o != nil {
			o.until = 0
		}
	}
}

// device returns where a device's lanes go at the time of a reading.
func (f *Follower) device(pos uint64, at int64, id string) *deviceLanes {
	d := f.devices[id]
	if d != nil && d.version != nil && d.version == f.o.Timeline.At(pos, at) {
		return d
	}
	found, holds := f.o.Timeline.Device(pos, at, id)
	d = &deviceLanes{version: holds, lanes: map[laneOf]*series{}}
	if found != nil && found.Kind == inventory.DeviceTraffic {
		if s := holds.Segment(found.Segment); s != nil {
			d.forward, d.backward = s.ID, s.Opposite
		}
	}
	if d.forward == "" && f.devices[id] == nil {
		f.o.Log.Warn("a traffic reading feeds no segment: name the device's segment in devices.csv", "device", id)
	}
	f.devices[id] = d
	return d
}

// seriesOf returns the series that a lane feeds, nil if there is no segment
// for it. A backward lane of a road without an opposite feeds none.
func (f *Follower) seriesOf(d *deviceLanes, device string, l *city.Lane) *series {
	key := laneOf{l.Lane, l.Backward}
	if s, ok := d.lanes[key]; ok {
		return s
	}
	id := d.forward
	if l.Backward {
		id = d.backward
	}
	if id == "" {
		return nil
	}
	if road := f.segmentOf(id); len(road.lanes) >= maxLanes && !road.has(l.Lane) { // a broken device invents them
		if !d.full {
			d.full = true
			f.o.Log.Warn("a device tells of more lanes than a road has: those that are new feed nothing", "device", device, "segment", id, "lanes", maxLanes)
		}
		return nil
	}
	s := f.makeSeries(id, l.Lane, device)
	d.lanes[key] = s
	return s
}

// maxLanes bounds the lanes of a segment that are told apart.
const maxLanes = 64

// makeSeries returns the series of a device on a lane, made where it is not.
func (f *Follower) makeSeries(id string, number uint16, device string) *series {
	l := f.segmentOf(id).lane(number)
	i, ok := l.find(device)
	if ok {
		return l.series[i]
	}
	s := &series{id: int64(len(f.all)) + 1, segment: id, lane: number, device: device}
	f.all = append(f.all, s)
	l.insert(i, s)
	return s
}

func (f *Follower) segmentOf(id string) *segment {
	s := f.segments[id]
	if s == nil {
		s = &segment{id: id}
		f.segments[id] = s
	}
	return s
}

var _ interface {
	Name() string
	Cursor() uint64
	Apply(entries []journal.Entry) error
	Flush() error
	Close() error
} = (*Follower)(nil)
