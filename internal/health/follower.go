package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

const (
	// DefaultIntervalS is the interval_s by which a reading is late where the
	// inventory gives none.
	DefaultIntervalS = 3600

	// A device is silent after this many intervals, or after a day where the
	// inventory gives no interval: it may speak only when something happens.
	silentIntervals = 3
	silentMs        = 24 * 60 * 60 * 1000

	lateIntervals = 2
)

// Options say what the follower stands on. Timeline and Zone are required.
type Options struct {
	Timeline *inventory.Timeline // holds the versions up to each entry before it is applied, at Open up to the cursor
	Zone     *time.Location      // the city's: days are its
	Log      *slog.Logger        // nil: none
	Days     int                 // how long a device's day is kept after it was written; default 400
	Hold     func() bool         // tells at a flush that nothing may be let go for now; nil: it may
}

// Follower knows which devices speak, and what of their readings is missing.
type Follower struct {
	o        Options
	db       *sqlite.DB
	ctx      context.Context // of the follower's life: Apply and Flush have none
	timeline *inventory.Timeline
	zone     *time.Location

	mu      sync.RWMutex // Apply and Flush write, queries read
	applied uint64
	flushed uint64
	cursor  int64 // as stored
	clock   int64 // Unix ms: the receive time of the last entry that is no reading
	purged  int64 // the clock's hour in which old days were dropped last

	inv       *inventory.Version
	versionAt int64
	versions  int

	devices map[string]*device
	order   []*device // of the newest version, sorted by id
	dirty   []*device
	nextID  int64
	days    *city.Calendar
}

// Open opens the follower's file and brings back the state that belongs to its
// cursor. The journal is to be applied from there on.
func Open(ctx context.Context, path string, o Options) (*Follower, error) {
	if o.Timeline == nil || o.Zone == nil {
		return nil, errors.New("health: timeline and zone are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Days <= 0 {
		o.Days = 400
	}
	files, err := migrations()
	if err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Normal, Migrations: files, SumsAt: 3, CacheKiB: 1000})
	if err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	f := &Follower{
		o: o, db: db, ctx: context.WithoutCancel(ctx), timeline: o.Timeline, zone: o.Zone,
		devices: map[string]*device{}, days: city.NewCalendar(o.Zone),
	}
	if err := f.load(); err != nil {
		return nil, fmt.Errorf("health: %w (%w)", err, db.Close())
	}
	f.applied = f.flushed
	f.version(f.applied)
	return f, nil
}

// Name names the follower.
func (f *Follower) Name() string { return "health" }

// Cursor returns the last position whose effect is durable.
func (f *Follower) Cursor() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.flushed
}

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
		if err := f.apply(e); err != nil {
			return fmt.Errorf("health: entry %d: %w", e.Pos, err)
		}
		f.applied = e.Pos
	}
	return nil
}

func (f *Follower) apply(e *journal.Entry) error {
	if e.Type == journal.TypeReading {
		return f.reading(e)
	}
	if e.Recv < f.clock { // our clock ran ahead, was set right, and a person accepted it
		f.purged = 0
	}
	f.clock = e.Recv
	switch e.Type {
	case journal.TypeTally:
		return f.tally(e)
	case journal.TypeInventory, journal.TypeDay:
		f.version(e.Pos)
	default: // the clock is all they bring
	}
	return nil
}

// version makes the newest version at a position the present one.
func (f *Follower) version(pos uint64) {
	v := f.timeline.Newest(pos)
	if v == nil || v == f.inv {
		return
	}
	accepted := f.timeline.Accepted(pos)
	f.inv, f.versions, f.versionAt = v, len(accepted), accepted[len(accepted)-1]
	f.order = f.order[:0]
	for _, d := range f.devices {
		d.inv = nil
	}
	for _, inv := range v.Devices {
		d := f.deviceFor(inv.ID)
		d.inv, d.since = inv, f.versionAt
		for _, at := range slices.Backward(accepted) {
			if f.timeline.At(pos, at).Device(inv.ID) == nil {
				break
			}
			d.since = at
		}
		f.order = append(f.order, d)
	}
	slices.SortFunc(f.order, func(a, b *device) int { return strings.Compare(a.name, b.name) })
}

func (f *Follower) deviceFor(id string) *device {
	d := f.devices[id]
	if d == nil {
		d = &device{name: id}
		f.devices[id] = d
	}
	return d
}

// soil says that a device is to be written.
func (f *Follower) soil(d *device) {
	if d.dirty {
		return
	}
	if d.id == 0 {
		f.nextID++
		d.id = f.nextID
	}
	d.dirty = true
	f.dirty = append(f.dirty, d)
}

func (f *Follower) reading(e *journal.Entry) error {
	r := e.Reading
	d := f.devices[r.Device]
	if d == nil { // accepted by a version that is not known here
		d = f.deviceFor(r.Device)
	}
	f.soil(d)
	before := d.mark()
	d.hear(e)
	if r.Beside() { // its numbers say nothing of what is missing
		return nil
	}
	if !r.HasBoot {
		if e.Flags&journal.FlagNewRun != 0 {
			d.begin(r.At, r.Seq)
		}
		d.lower(r.At, r.Seq)
	}
	day, err := f.day(d, r.At)
	if err != nil {
		return err
	}
	key := d.runOf(r.HasBoot, r.Boot, r.At)
	run := day.run(key)
	aside := run.aside
	if before.gap(key, r) {
		if aside, err = f.asideSince(d, &before, day, run); err != nil {
			return err
		}
	}
	d.number(before, key, e, aside)
	run.received++
	run.seqs.add(r.Seq)
	if e.Recv-r.At > lateIntervals*1000*f.interval(e, d) {
		run.late++
	}
	return nil
}

// interval returns a device's interval_s at an event.
func (f *Follower) interval(e *journal.Entry, d *device) int64 {
	inv := d.inv
	if f.versions > 1 && e.Reading.At < f.versionAt {
		inv, _ = f.timeline.Device(e.Pos, e.Reading.At, e.Reading.Device)
	}
	if inv == nil || inv.IntervalS <= 0 {
		return DefaultIntervalS
	}
	return int64(inv.IntervalS)
}

// tally takes in what a device sent and what was not accepted. Devices that
// the inventory never had are not kept: anyone could name any number of them.
func (f *Follower) tally(e *journal.Entry) error {
	t := e.Tally
	d := f.devices[t.Device]
	if d == nil {
		return nil
	}
	f.soil(d)
	d.more().duplicates += uint64(t.Duplicates)
	if t.Duplicates > 0 {
		day, err := f.day(d, e.Recv)
		if err != nil {
			return err
		}
		day.duplicates += int64(t.Duplicates)
	}
	for i := range t.Quarantined {
		if err := f.aside(e, d, &t.Quarantined[i]); err != nil {
			return err
		}
	}
	return nil
}

// aside takes in a reading that was set aside. It belongs to the day of its
// time, or of its receipt where its time is not to be believed.
func (f *Follower) aside(e *journal.Entry, d *device, q *journal.Quarantined) error {
	at := q.At
	if at == 0 || q.Reason == city.ReasonTooFarAhead || q.Reason == city.ReasonTooOld {
		at = e.Recv
	}
	day, err := f.day(d, at)
	if err != nil {
		return err
	}
	if !q.HasSeq || q.HasBoot && q.Boot == city.BesideBoot {
		day.unread++
		d.more().quarantined++
		return nil
	}
	key := d.runOf(q.HasBoot, q.Boot, at)
	if d.trend != nil {
		d.trend.fill(key, q.Seq, q.Seq)
	}
	if day.run(key).aside.add(q.Seq) {
		d.more().quarantined++
	}
	return nil
}

// day returns the device's day in which a time lies, to be changed.
func (f *Follower) day(d *device, at int64) (*day, error) {
	date := f.days.Date(at)
	x := d.today
	if x == nil || x.date != date {
		for x = d.days; x != nil && x.date != date; {
			x = x.other
		}
		if x == nil {
			var err error
			if x, err = f.storedDay(f.ctx, d, date); err != nil {
				return nil, err
			}
			x.other, d.days = d.days, x
		}
		d.today = x
	}
	x.dirty = true
	return x, nil
}
