package certificate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/sqlite"
)

// Source is health as this package asks it.
type Source interface {
	// CompletenessOf tells of days (YYYY-MM-DD) of a device, all as of one
	// position. KindNotFound, with empty days as of a position: up to there it was
	// never in the inventory.
	CompletenessOf(ctx context.Context, device string, dates []string) ([]health.Day, error)
}

// Options say what the follower stands on. Timeline, Zone, City and Source are
// required.
type Options struct {
	Timeline *inventory.Timeline // holds the versions up to each entry before it is applied, at Open up to the cursor
	Zone     *time.Location      // the city's: days are its
	City     string              // its id
	Source   Source
	Window   time.Duration     // after a day's end in which a late reading is taken; default 7 days
	Keep     time.Duration     // how long a day's certificates are kept; default ten years
	Ours     func(string) bool // tells of a device whether the gateway numbers its readings; nil: none
	Log      *slog.Logger      // nil: none
	Now      func() time.Time  // for how long a draft is kept; nil: none is kept
	Hold     func() bool       // tells that nothing may be let go for now; nil: it may
}

const (
	dayMs = 24 * 60 * 60 * 1000

	// mostWindow keeps a day's close well before health forgets its numbers.
	mostWindow = 300 * 24 * time.Hour

	// reviseMs is how old a day may be that is revised: health still knows its
	// numbers, and those of the days before it.
	reviseMs = 365 * dayMs

	// reachDays is how many days after a late reading are looked at for the next
	// one of its run: a gap belongs to the day of the reading after it.
	reachDays = 62
)

// Follower notes which closed days something comes for. Apply, Flush and Close
// are called from one goroutine, Work from another, all else from any.
type Follower struct {
	o   Options
	db  *sqlite.DB
	ctx context.Context // of the follower's life: Apply and Flush have none

	mu      sync.RWMutex
	applied uint64
	flushed uint64
	clock   int64 // Unix ms: the receive time of the last tick, or other entry that is no reading
	meta    meta
	amended map[amendKey]uint64 // since the last flush: the position
	days    *city.Calendar

	drafts   drafts
	unproved atomic.Int64

	run uint64 // of Work: the position up to which closed days are looked at again; 0: they are not
}

// meta is what is stored beside the certificates; times in Unix ms, dates like
// 20260302, 0 none.
type meta struct {
	cursor  int64
	clock   int64 // as flushed
	first   int64 // the first day that is certified
	closed  int64 // the last one
	closing int64 // the day that is being closed
	after   int64 // position which the answers about it must have reached
	revised int64 // the day in which closed days were looked at again last
}

type amendKey struct {
	date   int64
	device string
}

// Open opens the follower's file and brings back the state that belongs to its
// cursor. The journal is to be applied from there on.
func Open(ctx context.Context, path string, o Options) (*Follower, error) {
	if o.Timeline == nil || o.Zone == nil || o.Source == nil || o.City == "" {
		return nil, errors.New("certificates: timeline, zone, city and source are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Window <= 0 {
		o.Window = 7 * 24 * time.Hour
	}
	if o.Keep <= 0 {
		o.Keep = 10 * 365 * 24 * time.Hour
	}
	if o.Ours == nil {
		o.Ours = func(string) bool { return false }
	}
	o.Window = min(o.Window, mostWindow)
	files, err := migrations()
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Sync: sqlite.Full, Migrations: files})
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	f := &Follower{o: o, db: db, ctx: context.WithoutCancel(ctx), amended: map[amendKey]uint64{}, drafts: newDrafts(), days: city.NewCalendar(o.Zone)}
	if err := f.load(ctx); err != nil {
		return nil, fmt.Errorf("certificates: %w (%w)", err, db.Close())
	}
	return f, nil
}

// Name names the follower.
func (f *Follower) Name() string { return "certificates" }

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
		f.apply(e)
		f.applied = e.Pos
	}
	return nil
}

func (f *Follower) apply(e *journal.Entry) {
	switch e.Type {
	case journal.TypeReading:
		if !e.Reading.Beside() {
			f.touch(e.Pos, e.Reading.Device, e.Reading.At)
		}
		return // a reading taken up from quarantine has its first receive time
	case journal.TypeTally:
		f.tally(e)
	default: // the clock is all they bring
	}
	f.clock = e.Recv
	if f.meta.first == 0 {
		f.meta.first = f.days.Date(e.Recv)
	}
}

// tally notes the days of what was not accepted, as health counts it.
func (f *Follower) tally(e *journal.Entry) {
	t := e.Tally
	if t.Duplicates > 0 {
		f.touch(e.Pos, t.Device, e.Recv)
	}
	for i := range t.Quarantined {
		q := &t.Quarantined[i]
		f.touch(e.Pos, t.Device, e.Recv)
		if q.At != 0 {
			f.touch(e.Pos, t.Device, q.At)
		}
	}
}

// touch notes that something came for a device's day, where it is closed, or is
// being closed.
func (f *Follower) touch(pos uint64, device string, at int64) {
	if m := &f.meta; m.closed == 0 && m.closing == 0 || f.clock-at > reviseMs {
		return
	}
	date := max(f.days.Date(at), f.meta.first) // the first day's numbers go on from what lies before it
	if date > max(f.meta.closed, f.meta.closing) {
		return
	}
	if d, _ := f.o.Timeline.Device(pos, at, device); d != nil { // anyone could name any number of others
		f.amended[amendKey{date, device}] = pos
	}
}

// span returns a day's begin and end, Unix ms, the end exclusive.
func (f *Follower) span(date int64) (from, to int64) { return city.DaySpan(date, f.o.Zone) }

// shift returns the day some days later.
func shift(date int64, days int) int64 {
	y, m, d := time.Date(int(date/10_000), time.Month(date/100%100), int(date%100)+days, 0, 0, 0, 0, time.UTC).Date()
	return int64(y)*10_000 + int64(m)*100 + int64(d)
}

// dateText writes a day as YYYY-MM-DD.
func dateText(date int64) string {
	return fmt.Sprintf("%04d-%02d-%02d", date/10_000, date/100%100, date%100)
}

// dateNumber reads a day, 0 where it is none.
func dateNumber(text string) int64 {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0
	}
	return int64(t.Year())*10_000 + int64(t.Month())*100 + int64(t.Day())
}
