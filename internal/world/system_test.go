package world

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/health"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/keys"
	"github.com/simpang-id/simpang/internal/ledger"
	"github.com/simpang-id/simpang/internal/occupancy"
	"github.com/simpang-id/simpang/internal/series"
	"github.com/simpang-id/simpang/internal/source"
	"github.com/simpang-id/simpang/internal/sqlite/powercut"
	"github.com/simpang-id/simpang/internal/traffic"
	"github.com/simpang-id/simpang/internal/wire"
	"github.com/simpang-id/simpang/internal/wire/native"
)

// follower is what app calls one.
type follower interface {
	Name() string
	Cursor() uint64
	Apply(entries []journal.Entry) error
	Flush() error
	Close() error
}

// runner carries one follower along the journal, a step a call.
type runner struct {
	follower
	applied, flushed uint64
}

// answers are the followers that are asked.
type answers struct {
	occupancy *occupancy.Follower
	traffic   *traffic.Follower
	ledger    *ledger.Follower
	health    *health.Follower
}

// openAnswers opens the followers in a folder.
func openAnswers(ctx context.Context, dir string, timeline *inventory.Timeline, track func(func() error)) (a answers, err error) {
	path := func(name string) string { return filepath.Join(dir, name) }
	if a.occupancy, err = occupancy.Open(ctx, path("occupancy.db"), occupancy.Options{Timeline: timeline, Zone: zone, ChunkSize: 8}); err != nil {
		return a, err
	}
	track(a.occupancy.Close)
	if a.traffic, err = traffic.Open(ctx, path("traffic.db"), traffic.Options{Timeline: timeline, Zone: zone, Log: slog.New(slog.DiscardHandler)}); err != nil {
		return a, err
	}
	track(a.traffic.Close)
	if a.ledger, err = ledger.Open(ctx, path("ledger.db"), ledger.Options{Timeline: timeline, Zone: zone}); err != nil {
		return a, err
	}
	track(a.ledger.Close)
	if a.health, err = health.Open(ctx, path("health.db"), health.Options{Timeline: timeline, Zone: zone}); err != nil {
		return a, err
	}
	track(a.health.Close)
	return a, nil
}

func (a *answers) each() []follower { return []follower{a.occupancy, a.traffic, a.ledger, a.health} }

// system is the gateway as app builds it, without its goroutines.
type system struct {
	answers

	dir        string
	journal    *journal.Journal
	quarantine *journal.Quarantine
	series     *series.Follower
	runners    []*runner
	feed       *journal.Feed
	store      *intake.Store
	dedupe     *intake.Dedupe
	gate       *intake.Gate
	queue      *intake.Queue
	clock      *intake.ClockGuard
	versions   *versions
	closures   []journal.Closure

	saved uint64        // the memory of de-duplication is durable up to here
	image *intake.Image // taken, and not saved yet

	items []intake.Item // taken from the queue, not committed
	plan  *intake.Plan  // of items

	reloading bool // a version is on its way

	known    bool  // our clock was trusted once
	offset   int64 // wall - mono then
	accepted bool  // a person has accepted the clock

	closers []func() error
}

func (s *system) track(f func() error) { s.closers = append(s.closers, f) }

// Bounds of the queue: small, so that sources are held back.
const (
	queueItems = 12
	queueBytes = 1 << 20
)

// maxAge is the longest max_age of the sources.
const maxAge = 7 * day

func limits(id string) source.Limits {
	if id == "lora" {
		return source.Limits{MaxAge: 36 * time.Hour, MaxAhead: 5 * time.Minute}
	}
	return source.Limits{MaxAge: 7 * 24 * time.Hour, MaxAhead: 5 * time.Minute}
}

func decode(_, device string, raw []byte) wire.Decoded { return native.Decode(device, raw) }

// open opens everything from the folder, in the order in which app does.
func (w *World) open() {
	s := &system{dir: w.dir}
	w.sys = s
	var err error
	if w.power {
		w.disks++
		w.disk = powercut.New(w.o.tb, w.dir, w.seed<<8+w.disks).Checkpoint(pick(w.dice, 8, 40, 1000))
	}
	w.point("open journal")
	s.journal, err = journal.Open(w.ctx, s.path("journal"), journal.Options{Zone: zone, DayStart: w.dayStart})
	must(err, "open the journal")
	s.track(s.journal.Close)
	w.model.reopened(s.journal.Head())
	s.feed = journal.NewFeed(s.journal, 64)
	s.versions, err = openVersions(w.ctx, s)
	must(err, "open the versions of the inventory")
	key, err := keys.LoadOrMake(s.path("keys/quarantine.key"))
	must(err, "open the quarantine's key")
	s.quarantine, err = journal.OpenQuarantine(w.ctx, s.path("quarantine.db"), key, journal.Limits{})
	must(err, "open the quarantine")
	s.track(s.quarantine.Close)
	w.point("open followers")
	s.answers, err = openAnswers(w.ctx, s.dir, s.versions.timeline, s.track)
	must(err, "open the followers")
	s.series, err = series.Open(w.ctx, s.path("archive"), series.Options{Journal: s.journal, Zone: zone, Index: s.path("series.db"), Segment: 64})
	must(err, "open the series")
	s.track(s.series.Close)
	for _, f := range append(s.each(), s.series) {
		if f.Cursor() > s.journal.Head() {
			failf("%s has cursor %d beyond the journal's head %d", f.Name(), f.Cursor(), s.journal.Head())
		}
		s.runners = append(s.runners, &runner{follower: f, applied: f.Cursor(), flushed: f.Cursor()})
	}
	w.openIntake()
	w.note("open head %d dedupe %d followers %v", s.journal.Head(), s.saved, s.cursors())
	w.acceptFolder()
}

func (s *system) path(name string) string { return filepath.Join(s.dir, name) }

func (s *system) cursors() (list []uint64) {
	for _, r := range s.runners {
		list = append(list, r.Cursor())
	}
	return list
}

func (w *World) openIntake() {
	s := w.sys
	var err error
	w.point("open intake")
	s.store, err = intake.OpenStore(w.ctx, s.path("dedupe.db"))
	must(err, "open the memory of de-duplication")
	s.track(s.store.Close)
	s.dedupe, s.saved = w.remembered(s.store)
	s.clock = intake.NewClockGuard(0, s.journal.LastRecv())
	s.closures, err = s.journal.OpenClosures(w.ctx)
	must(err, "read the closures")
	s.queue = intake.NewQueue(queueItems, queueBytes)
	s.gate, err = intake.New(intake.Options{
		Journal: cutJournal{s.journal, w}, Quarantine: cutQuarantine{s.quarantine, w}, Dedupe: s.dedupe, Clock: s.clock,
		Plates: intake.NewPlates(s.path("keys")), Metrics: intake.NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler),
		Inventory: func() *inventory.Version { return s.versions.current }, Limits: limits, Decode: decode,
		Accepting: func(hash string) *inventory.Version { return s.versions.waiting[hash] },
		Books:     s.ledger.Content, Committed: w.committed,
	}, s.journal.Head(), s.journal.LastRecv())
	must(err, "make the gate")
}

// remembered is the memory of de-duplication at the journal's head.
func (w *World) remembered(store *intake.Store) (*intake.Dedupe, uint64) {
	s := w.sys
	memory := intake.NewDedupe(maxAge)
	pos, err := store.Load(w.ctx, memory)
	must(err, "load the memory of de-duplication")
	from := pos
	if w.o.mutant == shortReplay {
		from = s.journal.Head()
	}
	reached, err := s.series.Replay(w.ctx, from, func(entries []journal.Entry) error {
		return memory.Replay(w.ctx, portion(entries), entries[0].Pos-1)
	})
	must(err, "replay the archive")
	must(memory.Replay(w.ctx, s.journal, reached), "replay the journal's tail")
	return memory, pos
}

// portion is entries that were read already, as a log.
type portion []journal.Entry

// Read returns those after a position.
func (p portion) Read(_ context.Context, after uint64, _ int) ([]journal.Entry, error) {
	for i := range p {
		if p[i].Pos > after {
			return p[i:], nil
		}
	}
	return nil, nil
}

func (w *World) dayStart(string) journal.Day {
	d := journal.Day{Closures: append([]journal.Closure(nil), w.sys.closures...)}
	if v := w.sys.versions.current; v != nil {
		d.InventoryHash = v.Hash
	}
	return d
}

// committed is told each batch, as app tells its parts.
func (w *World) committed(entries []journal.Entry) {
	s := w.sys
	w.point("hand on")
	s.versions.committed(entries)
	for i := range entries {
		s.closures = journal.FoldClosures(s.closures, &entries[i])
	}
	s.feed.Publish(entries)
	w.point("handed on")
}

// seedKeys makes the keys of plates, which are chance otherwise.
func seedKeys(dir string) {
	must(os.MkdirAll(filepath.Join(dir, "keys"), 0o700), "make the keys' folder")
	for _, month := range []string{"2026-09", "2026-10", "2026-11", "2026-12"} {
		var key [32]byte
		copy(key[:], "plates of "+month+" ..............................")
		must(os.WriteFile(filepath.Join(dir, "keys", "plates-"+month+".key"), key[:], 0o600), "write a key")
	}
}

// versions holds the accepted versions of the inventory, as app's inventories.
type versions struct {
	store    *inventory.Store
	timeline *inventory.Timeline
	current  *inventory.Version
	waiting  map[string]*inventory.Version
}

func openVersions(ctx context.Context, s *system) (*versions, error) {
	store, err := inventory.OpenStore(s.path("inventory"))
	if err != nil {
		return nil, err
	}
	accepted, err := s.journal.Versions(ctx)
	if err != nil {
		return nil, err
	}
	v := &versions{store: store, timeline: &inventory.Timeline{}, waiting: map[string]*inventory.Version{}}
	for _, e := range accepted {
		var names []inventory.NamedHash
		for _, f := range e.Inventory.Files {
			names = append(names, inventory.NamedHash{Name: f.Name, SHA256: f.SHA256})
		}
		version, err := store.Load(names, zone)
		if err != nil {
			return nil, err
		}
		v.timeline.Accept(e.Pos, e.Recv, version)
		v.current = version
	}
	return v, nil
}

// prepare keeps a version's files and returns the entry that accepts it.
func (v *versions) prepare(version *inventory.Version) (journal.Entry, error) {
	if err := v.store.Save(version); err != nil {
		return journal.Entry{}, err
	}
	v.waiting[version.Hash] = version
	var files []journal.FileHash
	for _, f := range version.FileHashes() {
		files = append(files, journal.FileHash{Name: f.Name, SHA256: f.SHA256})
	}
	return journal.Entry{Type: journal.TypeInventory, Inventory: &journal.InventoryVersion{Hash: version.Hash, Files: files}}, nil
}

func (v *versions) committed(entries []journal.Entry) {
	for i := range entries {
		if e := &entries[i]; e.Type == journal.TypeInventory {
			version := v.waiting[e.Inventory.Hash]
			if version == nil {
				failf("a version was committed that nobody prepared")
			}
			v.timeline.Accept(e.Pos, e.Recv, version)
			v.current = version
		}
	}
}

var errFull = errors.New("no room on the disk, by the world")
