package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Options say what the follower stands on. Timeline and Zone are required.
type Options struct {
	Timeline       *inventory.Timeline // holds the versions up to each entry before it is applied, at Open up to the cursor
	Zone           *time.Location      // the city's: days are its
	Log            *slog.Logger        // nil: none
	Stays          Stays               // nil: payments are not compared with stays
	Reconciliation Reconciliation      // nil: no leaks are raised
	Roads          Roads               // nil: roads are not watched
	Days           int                 // how long a closed incident is kept after it was opened; default 3,660
	Hold           func() bool         // tells at a flush that nothing may be let go for now; nil: it may
}

// Follower keeps incidents.
type Follower struct {
	o    Options
	db   *sqlite.DB
	ctx  context.Context // of the follower's life: Apply and Flush have none
	asks asks

	mu       sync.RWMutex // Apply and Flush write, queries read
	applied  uint64
	flushed  uint64
	cursor   int64 // as stored
	clock    int64 // Unix ms: the receive time of the last entry that is no reading
	ticked   int64 // the clock's multiple of tickMs at which detectors were called last
	still    int64 // how long the gateway was off in all, ms: no device was silent then
	back     int64 // the running clock since which devices can find it: it was off before, or none was ever heard
	passed   int64 // the clock up to which it was looked at
	judgedAt int64 // the running clock at the last tick
	lately   int64 // in a tick: the time since the one before it, ms
	purged   int64 // the clock's day in which old incidents were dropped last
	inv      *inventory.Version
	closures *inventory.ClosureSet
	reclosed bool // closures changed since the last flush

	subjects map[subjectKey]*subject
	order    []*subject // those of the newest version, sorted
	dirty    []*subject
	gadgets  gadgets
	out      *outages // of the last tick; nil: none yet
	incidents
}

// Open opens the follower's file and brings back the state that belongs to its
// cursor. The journal is to be applied from there on.
func Open(ctx context.Context, path string, o Options) (*Follower, error) {
	if o.Timeline == nil || o.Zone == nil {
		return nil, errors.New("watch: timeline and zone are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Days <= 0 {
		o.Days = 3660
	}
	files, err := migrations()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Full, Migrations: files, SumsAt: 3, CacheKiB: 1000})
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	f := &Follower{
		o: o, db: db, ctx: context.WithoutCancel(ctx), closures: inventory.NewClosureSet(),
		subjects: map[subjectKey]*subject{}, gadgets: newGadgets(), incidents: incidents{standing: map[key]*record{}, dirty: map[string]*record{}},
	}
	f.asks = asks{stays: o.Stays, reconciliation: o.Reconciliation, roads: o.Roads, failed: func(what string, err error) {
		o.Log.WarnContext(f.ctx, "a day could not be asked for; it is asked for again", "of", what, "error", err)
	}}
	if err := f.load(); err != nil {
		return nil, fmt.Errorf("watch: %w (%w)", err, db.Close())
	}
	f.applied = f.flushed
	f.version(f.applied)
	return f, nil
}

// Name names the follower.
func (f *Follower) Name() string { return "watch" }

// Cursor returns the last position whose effect is durable.
func (f *Follower) Cursor() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.flushed
}

// Pending returns how many incidents changed since the last flush: who follows
// changes does not see them before. It is called from the goroutine of Apply.
func (f *Follower) Pending() int { return len(f.incidents.dirty) }

// Close closes the file. What was not flushed is applied again after the next
// Open.
func (f *Follower) Close() error { return f.db.Close() }

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
		f.apply(e)
		f.applied = e.Pos
	}
	return nil
}

// offMs without an entry that is no reading means that the gateway was off, for
// it appends a tick each minute.
const offMs = 2 * minuteMs

func (f *Follower) apply(e *journal.Entry) {
	if e.Type == journal.TypeReading {
		f.hear(e)
		if e.Reading.Kind == city.KindReceipt {
			f.receipt(e)
		}
		return
	}
	if e.Recv < f.clock { // our clock ran ahead, was set right, and a person accepted it
		f.ticked, f.purged = e.Recv/tickMs, 0
	}
	f.clock = e.Recv
	if passed := f.clock - f.passed; f.passed != 0 && passed > offMs {
		f.still += passed
		f.back = f.running()
	}
	f.passed = f.clock
	switch e.Type {
	case journal.TypeInventory, journal.TypeDay:
		if e.Day != nil {
			for i := range e.Day.Closures {
				f.openClosure(&e.Day.Closures[i])
			}
		}
		f.version(e.Pos)
	case journal.TypeClosure:
		f.closure(e.Closure)
	case journal.TypeReopen:
		f.reclosed = f.closures.Reopen(e.Closure.ID, e.Recv) || f.reclosed
	default: // the clock is all they bring
	}
	if f.clock/tickMs > f.ticked {
		f.ticked = f.clock / tickMs
		f.tick(e.Pos)
	}
}

func (f *Follower) closure(c *journal.Closure) {
	f.closures.Put(inventory.Closure{
		ID: c.ID, Site: c.Site, Segment: c.Segment, From: c.From, Until: c.Until, Reason: c.Reason, Note: c.Note, PlacesLost: c.PlacesLost,
	})
	f.reclosed = true
}

// openClosure takes up a closure whose own entry lies before the oldest day.
func (f *Follower) openClosure(c *journal.Closure) {
	if !slices.ContainsFunc(f.closures.Closures(), func(k inventory.Closure) bool { return k.ID == c.ID }) {
		f.closure(c)
	}
}

// version makes the newest version at a position the present one.
func (f *Follower) version(pos uint64) {
	v := f.o.Timeline.Newest(pos)
	if v == nil || v == f.inv {
		return
	}
	f.inv, f.order = v, nil
	paying := map[string]bool{}
	for _, d := range v.Devices {
		if d.Kind == inventory.DeviceMeter {
			f.order = append(f.order, f.subject(ofMeter, d.ID))
			paying[d.Site] = true
		}
	}
	for _, s := range v.Sites {
		if paying[s.ID] {
			f.order = append(f.order, f.subject(ofSite, s.ID))
		}
	}
	for _, s := range v.Segments {
		f.order = append(f.order, f.subject(ofSegment, s.ID))
	}
	slices.SortFunc(f.order, compareSubjects)
	f.equip()
}

// receipt gives a receipt to the detectors of its meter, then to those of its
// site.
func (f *Follower) receipt(e *journal.Entry) {
	if f.inv == nil {
		return // a journal begins with a version
	}
	r := receiptOf(e.Reading)
	d, v := f.o.Timeline.Device(e.Pos, r.at, e.Reading.Device)
	r.place = place{version: v, closures: f.closures}
	if d != nil {
		r.place.site = v.Site(d.Site)
	}
	f.hand(f.subject(ofMeter, e.Reading.Device), r, e.Pos)
	if r.place.known() {
		f.hand(f.subject(ofSite, r.place.site.ID), r, e.Pos)
	}
}

func (f *Follower) hand(s *subject, r *receipt, pos uint64) {
	x := f.moment(s, pos)
	for i, d := range s.watch {
		d.receipt(x, r)
		f.soil(s, i)
	}
}

// moment is what a subject's detectors are called with.
func (f *Follower) moment(s *subject, pos uint64) *moment {
	out := &subjectOf{i: &f.incidents, kind: s.kind, id: s.id, now: f.clock, pos: pos}
	x := &moment{ctx: f.ctx, now: f.clock, pos: pos, rules: f.inv.Rules, out: out, asks: &f.asks}
	x.place = place{version: f.inv, site: f.siteOf(s), closures: f.closures}
	if x.place.site != nil {
		out.site = x.place.site.ID
	}
	if s.kind == ofSite {
		x.boxesOf = f.boxesOf
	}
	if s.kind == ofSegment {
		out.segment, x.segment, x.takings = s.id, f.inv.Segment(s.id), f.takingsOf
		x.muted = f.inv.Rules.Maintained(s.id, f.clock)
	}
	return x
}

// takingsOf is what is known of a site's takings, nil where it takes nothing.
func (f *Follower) takingsOf(site string) *takings {
	if s := f.subjects[subjectKey{ofSite, site}]; s != nil {
		for _, d := range s.watch {
			if t, ok := d.(*takings); ok && t.Day != "" {
				return t
			}
		}
	}
	return nil
}

func (f *Follower) siteOf(s *subject) *inventory.Site {
	if s.kind == ofSite {
		return f.inv.Site(s.id)
	}
	if d := f.inv.Device(s.id); d != nil {
		return f.inv.Site(d.Site)
	}
	return nil
}

// tick calls the detectors of every subject of the newest version.
func (f *Follower) tick(pos uint64) {
	if f.inv == nil {
		return
	}
	f.asks.left = asksTick
	f.tickGadgets(pos)
	for _, s := range f.order {
		x := f.moment(s, pos)
		x.caused, x.blind = f.causeOf(s), f.blind(x.segment)
		for i, d := range s.watch {
			if d.tick(x) {
				f.soil(s, i)
			}
		}
	}
	f.incidents.tick(f.clock, func(r *record) bool {
		switch {
		case r.Of == ofSource:
			return false
		case r.Device != "":
			return f.inv.Device(r.Device) == nil
		case r.Of == ofSegment:
			return f.inv.Segment(r.Segment) == nil
		}
		return f.inv.Site(r.Site) == nil
	})
	f.forgetClosures()
}

// closureMs is how long after its end a closure may still touch a day that is
// judged.
const closureMs = mostDue + 2*dayMs

func (f *Follower) forgetClosures() {
	for _, c := range f.closures.Closures() {
		if c.Until != 0 && c.Until < f.clock-closureMs && f.closures.Remove(c.ID) {
			f.reclosed = true
		}
	}
}
