package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/simpang-id/simpang/internal/sqlite"
)

// Options say how a journal is opened.
type Options struct {
	Zone *time.Location // the city's; a day's file holds what was received on that local date
	Log  *slog.Logger   // nil: no log

	// DayStart tells what the first entry of a new day's file carries beside
	// its date and the hash before it: the inventory's hash and the closures
	// that are still open. It is called inside Append, again when that is
	// tried again, and must not call the journal. Nil: nothing.
	DayStart func(date string) Day

	ReadOnly bool // nothing is written and no file is made: for verify beside a running gateway
}

// Journal is an append-only log in one SQLite file a day. One goroutine
// appends; any number read.
type Journal struct {
	dir  string
	o    Options
	kept *sqlite.DB // what outlives retired days; nil where nothing was retired and the journal is read only

	head atomic.Uint64
	days atomic.Pointer[[]*day] // oldest first; the slice is never changed

	retiring sync.Mutex // one Retire at a time; taken before mu
	remove   func(path string) error
	sync     func(dir string) error // fsyncDir

	mu     sync.Mutex // the writer's
	closed bool
	torn   bool  // the last append failed: what the file holds is looked up before the next
	stray  *day  // a day that was to begin and did not: its file goes before the next append
	dayEnd int64 // end of the newest day, Unix ms
	enc    encoder

	openMu sync.Mutex
	opened []*day // older days with open connections, least recently used first

	decoders sync.Pool
}

const keptName = "kept.db"

// Open opens the journal in dir and makes it where there is none. The newest
// batches are checked; damage is a *DamageError and never served.
func Open(ctx context.Context, dir string, o Options) (j *Journal, err error) {
	if o.Zone == nil {
		return nil, errors.New("journal: no time zone given")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	j = &Journal{dir: dir, o: o, remove: os.Remove, sync: fsyncDir}
	j.decoders.New = func() any { return new(decoder) }
	defer func() {
		if err != nil {
			err = errors.Join(err, j.Close())
			j = nil
		}
	}()
	if !o.ReadOnly {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return j, fmt.Errorf("journal: %w", err)
		}
		// The folder's own name must be as durable as what is acknowledged in it.
		if err := fsyncDir(filepath.Dir(filepath.Clean(dir))); err != nil {
			return j, fmt.Errorf("journal: %w", err)
		}
	}
	if err := j.openKept(ctx); err != nil {
		return j, err
	}
	return j, j.load(ctx)
}

func (j *Journal) openKept(ctx context.Context) error {
	path := filepath.Join(j.dir, keptName)
	o := sqlite.Options{Sync: sqlite.Full, Readers: 1, ReadOnly: j.o.ReadOnly}
	if j.o.ReadOnly {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	} else {
		o.Migrations, o.SumsAt = migrationsOf("kept"), 3
	}
	db, err := sqlite.Open(ctx, path, o)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.kept = db
	if _, err := db.CheckSums(ctx); errors.Is(err, sqlite.ErrSum) { // there are few rows
		return &DamageError{File: path, Detail: "it is not whole", Err: err}
	} else if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// load lists the days and checks that they follow each other.
func (j *Journal) load(ctx context.Context) error {
	dates, err := listDays(j.dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	var days []*day // newest first
	for _, date := range slices.Backward(dates) {
		d := &day{date: date, path: filepath.Join(j.dir, date+".db")}
		ok, err := d.load(ctx, len(days) == 0)
		if err != nil {
			return errors.Join(err, d.close())
		}
		if err := d.close(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if ok {
			days = append(days, d)
		}
	}
	for i, k := 0, len(days)-1; i < k; i, k = i+1, k-1 {
		days[i], days[k] = days[k], days[i]
	}
	for i := 1; i < len(days); i++ {
		if before := days[i-1].last.Load(); days[i].first != before+1 {
			return days[i].damaged(0, fmt.Sprintf("it begins at position %d, but the day before (%s) ends at %d", days[i].first, days[i-1].date, before), nil)
		}
	}
	j.days.Store(&days)
	if len(days) == 0 {
		return j.loadRetiredHead(ctx)
	}
	if _, err := j.origin(ctx, days[0]); err != nil {
		return err
	}
	newest := days[len(days)-1]
	j.head.Store(newest.last.Load())
	j.dayEnd = j.endOf(newest.date)
	if j.o.ReadOnly {
		return nil
	}
	return newest.open(ctx, true)
}

// loadRetiredHead refuses a journal whose days are all gone although some were
// retired: the newest day is never retired.
func (j *Journal) loadRetiredHead(ctx context.Context) error {
	if j.kept == nil {
		return nil
	}
	var last uint64
	if err := j.kept.R.QueryRowContext(ctx, "SELECT coalesce(max(last), 0) FROM retired").Scan(&last); err != nil {
		return &DamageError{File: j.kept.Path(), Detail: "cannot be read", Err: err}
	}
	if last > 0 {
		return &DamageError{File: j.dir, Detail: fmt.Sprintf("no day's file is there, but positions up to %d were retired before", last)}
	}
	return nil
}

// listDays returns the dates of the days' files, sorted.
func listDays(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "????-??-??.db"))
	if err != nil {
		return nil, err
	}
	dates := make([]string, 0, len(names))
	for _, name := range names {
		date := filepath.Base(name)[:len("2006-01-02")]
		if _, err := time.Parse(time.DateOnly, date); err == nil {
			dates = append(dates, date)
		}
	}
	sort.Strings(dates)
	return dates, nil
}

func (j *Journal) dateOf(ms int64) string {
	return time.UnixMilli(ms).In(j.o.Zone).Format(time.DateOnly)
}

// endOf returns the first instant after a date in the city's zone, Unix ms.
func (j *Journal) endOf(date string) int64 {
	t, err := time.ParseInLocation(time.DateOnly, date, j.o.Zone)
	if err != nil {
		return 0
	}
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, j.o.Zone).UnixMilli()
}

// Head returns the last committed position, 0 in an empty journal.
func (j *Journal) Head() uint64 { return j.head.Load() }

// LastRecv returns the newest receive time committed, Unix ms, 0 in an empty
// journal.
func (j *Journal) LastRecv() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	days := j.list()
	if len(days) == 0 {
		return 0
	}
	return days[len(days)-1].recv
}

// DayInfo is one day's file. The last of them is the one that is written.
type DayInfo struct {
	Date     string // YYYY-MM-DD in the city's zone
	First    uint64 // positions
	Last     uint64
	Readings int64
	Path     string
}

// Days returns the days that the journal has, oldest first.
func (j *Journal) Days() []DayInfo {
	days := j.list()
	infos := make([]DayInfo, len(days))
	for i, d := range days {
		infos[i] = DayInfo{Date: d.date, First: d.first, Last: d.last.Load(), Readings: d.readings.Load(), Path: d.path}
	}
	return infos
}

func (j *Journal) list() []*day {
	if days := j.days.Load(); days != nil {
		return *days
	}
	return nil
}

// Close closes the files; the journal cannot be used afterwards.
func (j *Journal) Close() error {
	j.retiring.Lock()
	defer j.retiring.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	var errs []error
	for _, d := range j.list() {
		errs = append(errs, d.close())
	}
	if j.kept != nil {
		errs = append(errs, j.kept.Close())
		j.kept = nil
	}
	return errors.Join(errs...)
}
