package series

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/simpang-id/simpang/internal/archive"
	"github.com/simpang-id/simpang/internal/city"
	"github.com/simpang-id/simpang/internal/journal"
)

// Due returns the dates of the journal's days that are over and not archived
// yet, oldest first. The newest day is never over: a tick a minute begins the
// next one.
func (f *Follower) Due() []string {
	var due []string
	days := f.o.Journal.Days()
	for i := range max(len(days)-1, 0) {
		if _, ok := f.store.Day(days[i].Date); !ok {
			due = append(due, days[i].Date)
		}
	}
	return due
}

// Unrecorded returns the newest archived day where the journal has no
// TypeArchive entry of it yet, as far as was applied; nil where it has. The
// caller appends it, once what the journal has was applied. Appending it twice
// does no harm.
func (f *Follower) Unrecorded() *journal.Archive {
	days := f.store.Days()
	if len(days) == 0 {
		return nil
	}
	last := days[len(days)-1]
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.recorded >= last.Date {
		return nil
	}
	a := last.Archive()
	return &a
}

// Seal archives the oldest day that is Due, and returns what is to be appended
// to the journal as TypeArchive before the next day can be sealed. It is called
// when every follower's cursor lies past the day; it takes seconds and reads
// the journal beside all others. Cut off anywhere, it leaves the day in the
// journal as it was, or archived whole.
func (f *Follower) Seal(ctx context.Context, date string) (journal.Archive, error) {
	f.change.Lock()
	defer f.change.Unlock()
	if a := f.Unrecorded(); a != nil {
		return journal.Archive{}, fmt.Errorf("series: day %s is archived, but the journal does not say so yet", a.Date)
	}
	due := f.Due()
	if len(due) == 0 || due[0] != date {
		return journal.Archive{}, fmt.Errorf("series: day %s is not the oldest that is over and not archived", date)
	}
	var day journal.DayInfo
	for _, d := range f.o.Journal.Days() {
		if d.Date == date {
			day = d
		}
	}
	if applied := f.Applied(); applied < day.Last {
		return journal.Archive{}, fmt.Errorf("series: day %s ends at position %d, applied is %d", date, day.Last, applied)
	}
	a, err := f.store.Write(ctx, day, f.o.Journal.Read)
	if err != nil {
		return journal.Archive{}, fmt.Errorf("series: %w", err)
	}
	f.mu.Lock()
	if len(f.days) > 0 && f.days[0].date == date {
		f.days = append([]*dayIndex(nil), f.days[1:]...)
	}
	f.mu.Unlock()
	f.o.Log.InfoContext(ctx, "series: day archived", "date", date, "readings", a.Rows)
	return a, nil
}

// Policy says how long what is kept, in days after the day of receipt; 0 keeps
// for good.
type Policy struct {
	Parking int // spot, gate and count readings
	Traffic int
	Health  int
	Money   int // receipts, and with them all that is no reading: closures, inventories, counts of refusals
	Journal int // days that are archived stay in the journal too; 0: no longer than they must
}

// DefaultPolicy keeps what was measured for two years and money for ten.
func DefaultPolicy() Policy {
	return Policy{Parking: 731, Traffic: 731, Health: 366, Money: 3653, Journal: 2}
}

// kept returns how many days a kind of file is kept.
func (p Policy) kept(kind string) int {
	k, _ := city.ParseKind(kind)
	switch k {
	case city.KindSpot, city.KindGate, city.KindCount:
		return p.Parking
	case city.KindTraffic:
		return p.Traffic
	case city.KindHealth:
		return p.Health
	case city.KindReceipt, city.KindNone:
		return p.Money
	default:
		return p.Money
	}
}

// Retain unlinks archive files that are past their retention at now (Unix ms),
// and retires days of the journal whose archive is whole and recorded in the
// journal, and which every cursor has passed: passed is the least of them, and
// no backup may run. It returns the dates that were retired.
func (f *Follower) Retain(ctx context.Context, now int64, p Policy, passed uint64) (retired []string, err error) {
	f.change.Lock()
	defer f.change.Unlock()
	today := time.UnixMilli(now).In(f.o.Zone)
	before := func(days int) string { return today.AddDate(0, 0, -days).Format(time.DateOnly) }
	var errs []error
	for _, day := range f.store.Days() {
		var over []string
		for i := range day.Files {
			if kept := p.kept(day.Files[i].Kind); !day.Files[i].Removed && kept > 0 && day.Date < before(kept) {
				over = append(over, day.Files[i].Kind)
			}
		}
		if len(over) == 0 {
			continue
		}
		if err := f.store.Remove(day.Date, over...); err != nil {
			errs = append(errs, err)
			continue
		}
		f.o.Log.InfoContext(ctx, "series: past retention", "date", day.Date, "kinds", over)
	}
	for {
		days := f.o.Journal.Days()
		if len(days) < 2 || days[0].Last > passed || days[0].Date >= before(p.Journal) || !f.safe(days[0].Date) {
			break
		}
		if err := f.retire(ctx, days[0].Date); err != nil {
			errs = append(errs, err)
			break
		}
		retired = append(retired, days[0].Date)
	}
	if err := errors.Join(errs...); err != nil {
		return retired, fmt.Errorf("series: %w", err)
	}
	return retired, nil
}

// safe tells whether a day is archived and the journal says so.
func (f *Follower) safe(date string) bool {
	_, ok := f.store.Day(date)
	a := f.Unrecorded()
	return ok && (a == nil || a.Date != date)
}

// retire checks a day's archive files by their hash before the journal lets
// go of the day.
func (f *Follower) retire(ctx context.Context, date string) error {
	if err := f.store.Verify(ctx, date); err != nil {
		return fmt.Errorf("day %s stays in the journal: %w", date, err)
	}
	return f.o.Journal.Retire(ctx, date)
}

// Verify recomputes the hashes of all files of the archive, and compares them
// with those that the journal has of them. The error names the first file that
// disagrees. progress may be nil.
func (f *Follower) Verify(ctx context.Context, progress func(date string)) error {
	if err := f.ties(); err != nil {
		return fmt.Errorf("series: %w", err)
	}
	for _, day := range f.store.Days() {
		if progress != nil {
			progress(day.Date)
		}
		if err := f.store.Verify(ctx, day.Date); err != nil {
			return fmt.Errorf("series: %w", err)
		}
		err := f.store.Others(ctx, day.Date, f.compare)
		if err != nil {
			return fmt.Errorf("series: %w", err)
		}
	}
	for after := f.archivedTo(); after < f.o.Journal.Head(); {
		entries, err := f.o.Journal.Read(ctx, after, 4096)
		if err != nil {
			return fmt.Errorf("series: %w", err)
		}
		for i := range entries {
			if err := f.compare(&entries[i]); err != nil {
				return fmt.Errorf("series: %w", err)
			}
		}
		after = entries[len(entries)-1].Pos
	}
	return nil
}

// compare compares what the journal says of an archived day with its manifest.
func (f *Follower) compare(e *journal.Entry) error {
	if e.Type != journal.TypeArchive {
		return nil
	}
	day, ok := f.store.Day(e.Archive.Date)
	if !ok {
		return &archive.DamageError{File: e.Archive.Date, Detail: fmt.Sprintf("position %d of the journal says that this day is archived, but the archive does not have it", e.Pos)}
	}
	have := day.Archive()
	for i := range e.Archive.Files {
		if i >= len(have.Files) || have.Files[i] != e.Archive.Files[i] {
			return &archive.DamageError{File: e.Archive.Files[i].Name, Detail: fmt.Sprintf("position %d of the journal has another hash of it than the archive", e.Pos)}
		}
	}
	return nil
}
