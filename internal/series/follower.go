// Package series keeps readings as time series: the days that are not archived
// yet lie in the journal and are found by an index of positions, the others lie
// in the archive. It answers range queries over both, archives days
// that are over, and unlinks what is past its retention.
package series

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Options say what a follower stands on.
type Options struct {
	Journal *journal.Journal // required
	Zone    *time.Location   // required; the city's
	Log     *slog.Logger     // nil: no log

	// Index is the file that keeps where each device's readings lie in the
	// journal. Required, but where ReadOnly is set.
	Index string
	// Segment is how many readings the index gathers in memory before it writes
	// them; after a crash no more than these are read again. 0: the default.
	Segment int

	ReadOnly bool // nothing is changed and nothing applied: for verify beside a running gateway
}

// defaultSegment costs 3 MB in memory, and 0.1 s at a start.
const defaultSegment = 1 << 17

// Follower indexes the journal's days that are not archived yet, and answers
// queries. The archive and the journal are the truth; its own file only says
// where in the journal to look, and can be built again. Apply, Flush and Close
// are called from one goroutine, Seal and Retain from one (another, if need
// be), queries from any.
type Follower struct {
	o     Options
	ctx   context.Context // of the follower's life: Flush has none
	store *archive.Store
	index *indexFile // nil where ReadOnly is set

	change sync.Mutex   // one Seal or Retain at a time
	sweeps sync.RWMutex // for reading while a query looks up the index

	mu       sync.RWMutex
	applied  uint64
	since    uint64      // from here the index's file has all
	stored   uint64      // up to here
	days     []*dayIndex // not archived, oldest first
	recorded string      // date of the newest day whose TypeArchive was applied

	left    leftovers
	helpers chan struct{} // see newHelpers

	names  []string          // of the devices that are fresh or were
	byName map[string]uint32 // place among the names
}

// Open opens the archive in dir, and the index. The caller then applies the
// journal's entries after Cursor.
func Open(ctx context.Context, dir string, o Options) (*Follower, error) {
	if o.Journal == nil || o.Zone == nil || (o.Index == "" && !o.ReadOnly) {
		return nil, errors.New("series: journal, zone and index are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Segment <= 0 {
		o.Segment = defaultSegment
	}
	open := archive.Open
	if o.ReadOnly {
		open = archive.OpenReadOnly
	}
	store, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("series: %w", err)
	}
	f := &Follower{o: o, ctx: context.WithoutCancel(ctx), store: store, helpers: newHelpers(), byName: map[string]uint32{}}
	if err := f.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("series: %w", err), f.Close())
	}
	return f, nil
}

func (f *Follower) start() error {
	if err := f.ties(); err != nil {
		return err
	}
	if f.o.ReadOnly {
		f.applied = f.Cursor()
		return nil
	}
	var err error
	if f.index, err = openIndex(f.ctx, f.o.Index); err != nil {
		return err
	}
	f.resume()
	if len(f.days) > 0 && f.days[0].first < f.since {
		// A day was archived, and its segments were removed, but the archive
		// does not have it any more: the journal still does.
		f.o.Log.Warn("series: the archive lacks a day that it had; the index of the journal is built again", "date", f.days[0].date)
		if err := f.index.clear(f.ctx); err != nil {
			return err
		}
		f.resume()
	}
	return nil
}

// resume goes on from what the index's file and the archive have.
func (f *Follower) resume() {
	f.since, f.stored, f.recorded = f.index.at.since, f.index.at.pos, f.index.at.recorded
	f.applied = f.Cursor()
	if f.applied > f.stored {
		f.since = f.applied + 1
	}
	f.days = nil
	for _, day := range f.o.Journal.Days() {
		if _, ok := f.store.Day(day.Date); !ok && day.First <= f.applied {
			f.days = append(f.days, &dayIndex{date: day.Date, first: day.First})
		}
	}
}

// ties checks that the archived days follow each other and reach the journal.
func (f *Follower) ties() error {
	days := f.store.Days()
	for i := 1; i < len(days); i++ {
		if days[i].First != days[i-1].Last+1 {
			return fmt.Errorf("the archive has position %d (%s) where %d must follow (%s): a day's files or its manifest are missing; bring them back from a backup",
				days[i].First, days[i].Date, days[i-1].Last+1, days[i-1].Date)
		}
	}
	here := f.o.Journal.Days()
	if len(days) == 0 || len(here) == 0 {
		return nil
	}
	if last := days[len(days)-1]; here[0].First > last.Last+1 {
		return fmt.Errorf("the journal begins at position %d (%s), the archive ends at %d (%s): what lies between is missing; restore a backup of both",
			here[0].First, here[0].Date, last.Last, last.Date)
	}
	return nil
}

// Name returns the follower's name.
func (f *Follower) Name() string { return "series" }

// Cursor returns the last position whose effect is durable: in the archive, or
// in the index.
func (f *Follower) Cursor() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return max(f.stored, f.archivedTo())
}

// archivedTo returns the last position that is archived.
func (f *Follower) archivedTo() uint64 {
	last := uint64(0)
	if here := f.o.Journal.Days(); len(here) > 0 {
		last = here[0].First - 1
	}
	if days := f.store.Days(); len(days) > 0 {
		last = max(last, days[len(days)-1].Last)
	}
	return last
}

// Applied returns the last position that queries see.
func (f *Follower) Applied() uint64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.applied
}

// Apply takes entries into the index. Those at or before the last applied
// position are ignored.
func (f *Follower) Apply(entries []journal.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		if e.Pos <= f.applied {
			continue
		}
		if e.Pos != f.applied+1 {
			return fmt.Errorf("series: position %d after %d", e.Pos, f.applied)
		}
		switch e.Type {
		case journal.TypeReading:
			if len(f.days) == 0 {
				return fmt.Errorf("series: position %d lies in no day", e.Pos)
			}
			f.days[len(f.days)-1].fresh.add(f.named(e.Reading.Device), e)
		case journal.TypeDay:
			f.days = append(f.days, &dayIndex{date: e.Day.Date, first: e.Pos})
		case journal.TypeArchive:
			f.recorded = max(f.recorded, e.Archive.Date)
		default:
		}
		f.applied = e.Pos
	}
	return nil
}

// named returns the place of a device among the names.
func (f *Follower) named(device string) uint32 {
	n, ok := f.byName[device]
	if !ok {
		n = uint32(len(f.names))
		device = strings.Clone(device) // as received it may lie in a message that is much larger
		f.names = append(f.names, device)
		f.byName[device] = n
	}
	return n
}

// Flush writes to the index's file what has gathered where it is enough, and
// removes what the archive has taken over. It moves the cursor only then: what
// is left in memory is read from the journal again after a start.
func (f *Follower) Flush() error {
	for day, pos := f.due(); day != nil; day, pos = f.due() {
		// Only Apply and Flush change what is written, and they are called from
		// one goroutine: queries need not wait for the disk.
		if err := f.index.write(f.ctx, &day.fresh, f.names, extent{f.since, pos, f.recorded}); err != nil {
			return fmt.Errorf("series: %w", err)
		}
		f.mu.Lock()
		day.fresh.clear()
		if day != f.days[len(f.days)-1] {
			day.fresh = fresh{}
		}
		f.stored = pos
		f.mu.Unlock()
	}
	f.sweeps.Lock()
	defer f.sweeps.Unlock()
	f.mu.RLock()
	before := f.applied
	if len(f.days) > 0 {
		before = f.days[0].first
	}
	f.mu.RUnlock()
	if err := f.index.sweep(f.ctx, before); err != nil {
		return fmt.Errorf("series: %w", err)
	}
	f.since = max(f.since, f.index.at.since)
	return nil
}

// due returns the oldest day of which something is to be written, and the
// position up to which the index is whole then; nil where there is none.
func (f *Follower) due() (*dayIndex, uint64) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for i, day := range f.days {
		switch {
		case day.fresh.len() == 0:
		case i < len(f.days)-1:
			return day, f.days[i+1].first - 1
		case day.fresh.len() >= f.o.Segment:
			return day, f.applied
		}
	}
	return nil, 0
}

// Close closes the files. What was not written is applied again after the next
// Open.
func (f *Follower) Close() error {
	err := f.store.Close()
	if f.index != nil {
		err = errors.Join(err, f.index.close())
	}
	return err
}

// Archived returns the archived days, oldest first.
func (f *Follower) Archived() []archive.Day { return f.store.Days() }

// kindsMask returns a bit for each kind; none means all.
func kindsMask(kinds []city.Kind) uint8 {
	if len(kinds) == 0 {
		return 0xff
	}
	mask := uint8(0)
	for _, k := range kinds {
		mask |= 1 << k
	}
	return mask
}
