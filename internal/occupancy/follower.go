package occupancy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Options say what the follower stands on. Timeline and Zone are required.
type Options struct {
	Timeline *inventory.Timeline // holds the versions up to each entry before it is applied, at Open up to the cursor
	Zone     *time.Location      // the city's
	Log      *slog.Logger        // nil: none

	// How long what is kept stays, counted from when it was written, so that
	// old data that is replayed is kept as long as new. 0: the default.
	ObservationDays int // observations in event time, with which late readings are taken in; default 40
	StayDays        int // default 90
	RollupDays      int // default 800
	// Hold tells at a flush that nothing may be let go for now. Nil: it may.
	Hold func() bool

	// ChunkSize is the most observations that are kept of a series in memory;
	// at least 2. 0: 127, of spots fewer where there are very many.
	ChunkSize int
}

// Counts are what the follower met that did not go the straight way.
type Counts struct {
	Unknown   int64 // readings of devices that the inventory lacks or gives no site
	Mapped    int64 // readings of a class that the site lacks, taken as another class
	Unused    int64 // readings of a kind by which the site is not measured
	Forgotten int64 // readings so late that retention has dropped their time
}

// accepted is a version of the inventory and when it was accepted, Unix ms.
type accepted struct {
	at      int64
	version *inventory.Version
}

// Follower knows how full each parking place is and was.
type Follower struct {
	o        Options
	db       *sqlite.DB
	ctx      context.Context // of the follower's life: Apply and Flush have none
	timeline *inventory.Timeline
	zone     *time.Location
	changed  chan struct{}

	reads reads

	mu        sync.RWMutex // Apply and Flush write, queries read
	applied   uint64
	flushed   uint64
	cursor    int64 // as stored
	clock     int64 // Unix ms: the receive time of the last entry that is no reading
	rev       uint64
	count     Counts
	inv       *inventory.Version
	accepted  []accepted
	versionAt int64 // when inv was accepted

	sites    map[string]*site
	order    []*site // sorted by id
	devices  map[string]*device
	past     map[pastKey]*device
	closures *inventory.ClosureSet

	byKey  map[spaceKey]*space
	spaces []*space
	many   int                   // series that there are
	index  map[seriesKey]*series // only while a version is taken, which looks all of them up; else nil

	nextSpace, nextSeries int64

	sweep         bool  // the clock or what is closed changed: look at every site
	due           int64 // no present state changes by itself before this time, Unix ms
	dueAt         atomic.Int64
	dirtySites    []*site // to be rendered
	dirty         []*series
	freshSeries   []*series
	dirtySpaces   []*space // with changed blocks
	closuresDirty bool
	stayRows      []stayRow
	staySpans     []staySpan
	lullRows      []lullRow
	purge         purge

	events []event // of the fold that runs
	says   []uint64
}

// Open opens the follower's file and brings back the state that belongs to its
// cursor. The journal is to be applied from there on.
func Open(ctx context.Context, path string, o Options) (*Follower, error) {
	if o.Timeline == nil || o.Zone == nil {
		return nil, errors.New("occupancy: timeline and zone are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.ObservationDays = orDefault(o.ObservationDays, 40)
	o.StayDays = orDefault(o.StayDays, 90)
	o.RollupDays = orDefault(o.RollupDays, 800)
	if o.ChunkSize > 0 {
		o.ChunkSize = max(2, o.ChunkSize)
	}
	files, err := migrations()
	if err != nil {
		return nil, fmt.Errorf("occupancy: %w", err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Normal, Migrations: files, SumsAt: 3, CacheKiB: 1500})
	if err != nil {
		return nil, fmt.Errorf("occupancy: %w", err)
	}
	f := &Follower{
		o: o, db: db, ctx: context.WithoutCancel(ctx), timeline: o.Timeline, zone: o.Zone, changed: make(chan struct{}, 1),
		closures: inventory.NewClosureSet(), sites: map[string]*site{}, devices: map[string]*device{}, past: map[pastKey]*device{},
		byKey: map[spaceKey]*space{},
	}
	if err := f.start(); err != nil {
		return nil, fmt.Errorf("%w (%w)", err, db.Close())
	}
	return f, nil
}

func orDefault(v, fallback int) int {
	if v <= 0 {
		return fallback
	}
	return v
}

func (f *Follower) start() error {
	if err := f.load(); err != nil {
		return err
	}
	f.applied = f.flushed
	if v := f.timeline.Newest(f.applied); v != nil {
		accepted := f.timeline.Accepted(f.applied)
		if err := f.version(f.applied, accepted[len(accepted)-1]); err != nil {
			return err
		}
	}
	return f.render()
}

// Name names the follower.
func (f *Follower) Name() string { return "occupancy" }

// Cursor returns the last position whose effect is durable.
func (f *Follower) Cursor() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.flushed
}

// Changed is signalled when a site's state changed in more than its age.
func (f *Follower) Changed() <-chan struct{} { return f.changed }

// Counts returns what did not go the straight way since the file was made.
func (f *Follower) Counts() Counts {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.count
}

// Close closes the file. What was not flushed is applied again after the next
// Open.
func (f *Follower) Close() error {
	return errors.Join(f.reads.close(), f.db.Close())
}

// Apply takes the next entries of the journal, in order; those that were
// applied already are ignored.
func (f *Follower) Apply(entries []journal.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		if e.Pos <= f.applied {
			continue
		}
		if err := f.apply(e); err != nil {
			return fmt.Errorf("occupancy: entry %d: %w", e.Pos, err)
		}
		f.applied = e.Pos
	}
	if err := f.render(); err != nil {
		return fmt.Errorf("occupancy: %w", err)
	}
	return nil
}

func (f *Follower) apply(e *journal.Entry) error {
	if e.Type == journal.TypeReading {
		return f.reading(e)
	}
	if e.Recv < f.clock {
		f.setBack(e.Recv)
	}
	if e.Recv > f.clock {
		f.clock = e.Recv
		f.sweep = true
	}
	switch e.Type {
	case journal.TypeInventory, journal.TypeDay:
		if e.Day != nil {
			for i := range e.Day.Closures {
				f.openClosure(&e.Day.Closures[i])
			}
		}
		return f.version(e.Pos, e.Recv)
	case journal.TypeClosure:
		f.closure(e.Closure)
	case journal.TypeReopen:
		f.reopen(e.Closure, e.Recv)
	default: // the clock is all they bring
	}
	return nil
}

// openClosure takes up a closure whose own entry lies before the oldest day.
func (f *Follower) openClosure(c *journal.Closure) {
	known := func(k inventory.Closure) bool { return k.ID == c.ID }
	if !slices.ContainsFunc(f.closures.Closures(), known) {
		f.closure(c)
	}
}

func (f *Follower) reading(e *journal.Entry) error {
	r := e.Reading
	switch r.Kind {
	case city.KindSpot, city.KindGate, city.KindCount, city.KindHealth:
	default:
		return nil
	}
	if r.At < 0 || r.At > maxAt {
		f.count.Forgotten++
		return nil
	}
	d := f.resolve(e.Pos, r.At, r.Device)
	if d == nil {
		if r.Kind != city.KindHealth {
			f.count.Unknown++
		}
		return nil
	}
	detection := d.place.spaces[0].key.detection
	switch {
	case r.Kind == city.KindSpot && d.spot != nil:
		return f.observe(d.spot, spotObs(r.At, r.Spot))
	case r.Kind == city.KindGate && detection == gates:
		sp, class, mapped := d.place.space(r.Gate.Class, d.inv.Class)
		if mapped {
			f.count.Mapped++
		}
		if err := f.heard(d, r.At, sp); err != nil {
			return err
		}
		return f.observe(sp.gate, gateObs(r.At, class, r.Gate))
	case r.Kind == city.KindCount && detection == count:
		return f.counted(d, r)
	case r.Kind != city.KindHealth:
		f.count.Unused++
	case d.inv.Kind == inventory.DeviceGate && detection == gates:
		return f.heard(d, r.At, nil)
	}
	return nil
}

// heard tells the spaces that a gate feeds, but for one, that it lives: where
// it counts cars, and none came, it would have counted motorcycles too.
func (f *Follower) heard(d *device, at int64, but *space) error {
	own := d.place.byClass[d.inv.Class]
	for _, sp := range d.place.spaces {
		if sp == but || own != nil && own != sp {
			continue
		}
		if err := f.observe(sp.gate, obs{at: at, v: gateHeard}); err != nil {
			return err
		}
	}
	return nil
}

// counted takes an absolute count. Series of counts are made when a class is
// first counted, since a counter need not be limited to one.
func (f *Follower) counted(d *device, r *city.Reading) error {
	class := r.Count.Class
	sp, _, mapped := d.place.space(class, d.inv.Class)
	if mapped {
		f.count.Mapped++
	}
	s := d.count[class]
	if s == nil {
		s = f.seriesFor(d.inv, sp, class, -1)
		d.count[class] = s
	}
	if now := f.devices[r.Device]; now != nil && !s.current {
		if present, _, _ := now.place.space(class, now.inv.Class); present == sp {
			now.count[class] = s
			f.makeCurrent(s)
		}
	}
	return f.observe(s, countObs(r.At, r.Count.Occupied))
}

type pastKey struct {
	version *inventory.Version
	device  string
}

// resolve returns where a reading goes, by the version that holds at its time.
func (f *Follower) resolve(pos uint64, at int64, id string) *device {
	if at >= f.versionAt || len(f.accepted) <= 1 {
		return f.devices[id]
	}
	d, v := f.timeline.Device(pos, at, id)
	if d == nil || d.Site == "" {
		return nil
	}
	if v == f.inv {
		return f.devices[id]
	}
	key := pastKey{v, id}
	x, ok := f.past[key]
	if !ok {
		if s := v.Site(d.Site); s != nil {
			p := f.placeOf(v, s, -1)
			x = f.deviceOf(d, &p, -1)
		}
		f.past[key] = x
	}
	return x
}

// observe takes an observation into its series, and notes what it changes.
func (f *Follower) observe(s *series, o obs) error {
	in, err := f.insert(s, o)
	if err != nil || in.lost {
		return err
	}
	sp, next, newest := s.sp, in.next, in.newest
	sp.holds(s.until(o))
	if o.at < sp.settled {
		to := min(next, o.at+s.longest())
		if in.first && sp.key.detection == count { // one more counter, also after it expired
			to = min(next, max(to, sp.activeUntil))
		}
		sp.touch(o.at, to)
		if next > to {
			sp.touch(next, next)
		}
	}
	switch sp.key.detection {
	case gates:
		switch {
		case newest && o.at >= sp.cur.at && !sp.cur.stale:
			f.passNow(sp, o)
		case o.v != gateHeard || sp.cur.stale:
			sp.cur.late(o.at)
		}
		f.mark(sp)
	case spots:
		if next > maxAt {
			next = o.at
		}
		s.stays.add(o.at, next)
		fallthrough
	default:
		if newest && s.current {
			f.restate(s)
		}
	}
	return nil
}

// restate moves a current spot or count series to what it says now.
func (f *Follower) restate(s *series) {
	sp := s.sp
	is := f.sayNow(s)
	if is != s.present {
		sp.states[s.present]--
		sp.states[is]++
		s.present = is
	}
	f.mark(sp)
}

// mark says that a space's site is to be rendered.
func (f *Follower) mark(sp *space) {
	if sp.site != nil && !sp.site.dirty {
		sp.site.dirty = true
		f.dirtySites = append(f.dirtySites, sp.site)
	}
}
