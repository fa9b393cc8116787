package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/simpang-id/simpang/internal/api"
	"github.com/simpang-id/simpang/internal/config"
	"github.com/simpang-id/simpang/internal/intake"
	"github.com/simpang-id/simpang/internal/inventory"
	"github.com/simpang-id/simpang/internal/journal"
	"github.com/simpang-id/simpang/internal/report"
	"github.com/simpang-id/simpang/internal/source/broker"
	"github.com/simpang-id/simpang/internal/spool"
	"github.com/simpang-id/simpang/internal/token"
	"github.com/simpang-id/simpang/internal/wire/escpos"
)

// gateway is everything that runs, in the order in which it is built.
type gateway struct {
	o        Options
	cfg      *config.Config
	log      *slog.Logger
	now      func() time.Time
	began    time.Time
	stopping time.Time // when the stop began
	registry *prometheus.Registry

	journal    *journal.Journal
	inventory  *inventories
	loaded     *inventory.Version // from the folder, at the start
	quarantine *journal.Quarantine
	spool      *spool.Spool // nil: no line is tapped, and none was
	templates  map[string]*escpos.Templates
	tokens     *token.Store

	series    seriesSeat
	occupancy occupancySeat
	traffic   trafficSeat
	ledger    ledgerSeat
	health    healthSeat
	watch     watchSeat
	reports   *report.Reporter
	runners   []*runner
	signer    *signer
	office    *office
	servers   *servers

	feed      *journal.Feed
	queue     *intake.Queue
	gate      *intake.Gate
	adapt     func(*intake.Options) // of a Replay; nil: the gate as it is
	dedupe    *intake.Store
	clock     *intake.ClockGuard
	doubt     *doubt
	committer *committer
	staff     *staff
	kept      *keepMetrics
	ready     *readiness

	server        *api.Server
	httpListener  net.Listener
	adminListener net.Listener
	brokers       map[string]*broker.Source
	formats       formats
}

func (g *gateway) path(parts ...string) string {
	return filepath.Join(append([]string{g.cfg.DataDir}, parts...)...)
}

// openDir makes data_dir and takes it for this process alone.
func (g *gateway) openDir(_ context.Context, undo *stack) error {
	if err := os.MkdirAll(g.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("%w: give the gateway's user the right to write there, or name another data_dir", err)
	}
	lock, err := lockDir(g.cfg.DataDir)
	if err != nil {
		return err
	}
	undo.push("lock", lock.Close)
	return notHalfRestored(g.cfg.DataDir)
}

func (g *gateway) openJournal(ctx context.Context, undo *stack) (err error) {
	g.journal, err = journal.Open(ctx, g.path("journal"), journal.Options{Zone: g.cfg.City.Zone, Log: g.log, DayStart: g.dayStart})
	if err != nil {
		return err
	}
	undo.push("journal", g.journal.Close)
	g.feed = journal.NewFeed(g.journal, 0)
	g.doubt = &doubt{path: g.path(doubtFile), log: g.log}
	if g.adapt != nil {
		return nil // a replay's clock is its caller's
	}
	return g.doubt.started(ctx, g.instant(), g.journal.LastRecv())
}

// dayStart is what a new day's file begins with.
func (g *gateway) dayStart(string) journal.Day {
	day := journal.Day{}
	if v := g.inventory.Current(); v != nil {
		day.InventoryHash = v.Hash
	}
	day.Closures = g.staff.Closures()
	return day
}

// openInventory reads the folder and every version that was accepted before.
// A folder with faults stops the start, with every fault.
func (g *gateway) openInventory(ctx context.Context, _ *stack) error {
	loaded, faults, err := inventory.Load(g.cfg.Inventory, g.cfg.City.Zone)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return &FaultsError{Faults: faults}
	}
	g.loaded = loaded
	g.inventory, err = openInventories(ctx, g.cfg.Inventory, g.path("inventory"), g.cfg.City.Zone, g.journal)
	if err != nil {
		return err
	}
	g.inventory.restart = g.changedSettings
	return nil
}

// changedSettings names what differs in the configuration file since the start.
func (g *gateway) changedSettings() ([]string, error) {
	if g.o.Reread == nil {
		return nil, nil
	}
	fresh, faults := g.o.Reread()
	if len(faults) > 0 {
		return nil, &FaultsError{Faults: faults}
	}
	return config.Changed(g.cfg, fresh), nil
}

func (g *gateway) openQuarantine(ctx context.Context, undo *stack) error {
	key, err := g.keyOf("quarantine")
	if err != nil {
		return err
	}
	g.quarantine, err = journal.OpenQuarantine(ctx, g.path("quarantine.db"), key, journal.Limits{})
	if err != nil {
		return err
	}
	undo.push("quarantine", g.quarantine.Close)
	return nil
}

func (g *gateway) openTokens(ctx context.Context, undo *stack) (err error) {
	g.tokens, err = token.Open(ctx, TokensPath(g.cfg), g.log)
	if err != nil {
		return err
	}
	undo.push("tokens", func() error { return g.tokens.Close(context.WithoutCancel(ctx)) })
	return nil
}

// TokensPath is the file of the access tokens; `simpang token` opens it too.
func TokensPath(c *config.Config) string { return filepath.Join(c.DataDir, "tokens.db") }

// openIntake loads what de-duplication knows and replays the journal's tail.
func (g *gateway) openIntake(ctx context.Context, undo *stack) (err error) {
	g.dedupe, err = intake.OpenStore(ctx, g.path("dedupe.db"))
	if err != nil {
		return err
	}
	undo.push("memory of de-duplication", g.dedupe.Close)
	maxAge := time.Duration(0)
	limits := map[string]sourceLimits{}
	for _, s := range g.cfg.Sources {
		maxAge = max(maxAge, s.MaxAge.Duration)
		limits[s.ID] = limitsOf(s)
	}
	memory := intake.NewDedupe(maxAge.Milliseconds())
	pos, err := g.dedupe.Load(ctx, memory)
	if err != nil {
		return err
	}
	if err := g.checkHeads(pos); err != nil {
		return err
	}
	if err := g.remember(ctx, memory, pos); err != nil {
		return fmt.Errorf("replay the journal's tail: %w", err)
	}
	g.clock = intake.NewClockGuard(buildTime(g.o.Built), g.journal.LastRecv())
	closures, err := g.journal.OpenClosures(ctx)
	if err != nil {
		return err
	}
	g.queue = intake.NewQueue(queueItems, queueBytes)
	wake := make(chan struct{}, 1)
	g.staff = &staff{
		queue: g.queue, quarantine: g.quarantine, clock: g.clock, instant: g.instant, wake: wake, inventory: g.inventory, log: g.log, closures: closures,
		books: &g.ledger, now: g.now,
		lag:      func(ctx context.Context) time.Duration { return g.ready.lag(ctx, g.ledger.Name()) },
		accepted: func(ctx context.Context) error { return g.doubt.begin(ctx, g.instant(), "a person accepted it") },
	}
	g.formats = newFormats(g.cfg.Sources, g.inventory.Current, g.now)
	commits := newCommitMetrics(g.registry)
	options := intake.Options{
		Journal: &timedJournal{g.journal, commits}, Quarantine: g.quarantine, Dedupe: memory, Clock: g.clock,
		Plates: intake.NewPlates(g.path("keys")), Metrics: intake.NewMetrics(g.registry), Log: g.log,
		Inventory: g.inventory.Current, Limits: limitsBy(limits), Decode: g.decode,
		Accepting: g.inventory.accepting, Books: g.ledger.Content, Committed: g.committed,
	}
	if g.adapt != nil {
		g.adapt(&options)
	}
	g.gate, err = intake.New(options, g.journal.Head(), g.journal.LastRecv())
	if err != nil {
		return err
	}
	g.committer = &committer{queue: g.queue, gate: g.gate, store: g.dedupe, clock: g.instant, disk: g.cfg.DataDir, log: g.log, imageEvery: time.Minute, wake: wake, saved: &atomic.Uint64{}}
	g.committer.saved.Store(pos)
	return nil
}

// Bounds of the queue before the gate.
const (
	queueItems = 16_384
	queueBytes = 64 << 20
)

// committed is told each batch by the committer, before anyone else sees it.
func (g *gateway) committed(entries []journal.Entry) {
	g.inventory.committed(entries)
	g.staff.committed(entries)
	g.feed.Publish(entries)
}

// holdOn tells that nothing that is past its retention may be let go for now.
func (g *gateway) holdOn() bool { return !g.doubt.over(g.instant()) }

// instant reads both clocks.
func (g *gateway) instant() intake.Instant {
	return intake.Instant{Wall: g.now().UnixMilli(), Mono: time.Since(g.began).Milliseconds()}
}

// acceptInventory has the folder's version accepted where it is a new one,
// before anything is taken from a source.
func (g *gateway) acceptInventory(ctx context.Context, _ *stack) error {
	defer func() { g.loaded = nil }() // what was accepted is held by the timeline
	if current := g.inventory.Current(); current != nil && current.Hash == g.loaded.Hash {
		return nil
	}
	entry, err := g.inventory.prepare(g.loaded)
	if err != nil {
		return err
	}
	_, _, err = g.staff.do(ctx, intake.Command{Entries: []journal.Entry{entry}})
	if fault := g.clock.Fault(g.instant()); err != nil && fault != "" {
		// The API has to run, so that a person can accept the clock; the
		// version waits first in the queue.
		g.log.ErrorContext(ctx, "nothing is taken: set the clock, or accept it by POST /v1/admin/clock", "clock", fault)
		return nil
	}
	if cause := g.committer.cause(); err != nil && cause != nil {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// stopLeft is what is left of the time for a clean stop, for the committer and
// the followers: what was stopped before them took its part.
func (g *gateway) stopLeft() time.Duration {
	const least = time.Second
	if g.stopping.IsZero() {
		return stopWithin
	}
	return max(stopWithin-time.Since(g.stopping), least)
}

// start begins the goroutines: committer, followers, ticks.
func (g *gateway) start(ctx context.Context, undo *stack) error {
	background := context.WithoutCancel(ctx)
	abandon, abandonNow := context.WithCancel(background)
	stopFollowers, followersStop := context.WithCancel(background)
	stopTicks, ticksStop := context.WithCancel(background)
	var commits, follows, ticks sync.WaitGroup
	for _, r := range g.runners {
		follows.Go(func() { r.run(stopFollowers, abandon) })
	}
	commits.Go(func() { g.committer.run(abandon) })
	ticks.Go(func() { g.tick(stopTicks) })
	ticks.Go(func() { g.keep(stopTicks) })
	ticks.Go(func() { g.signer.run(stopTicks) })
	ticks.Go(func() { g.attend(stopTicks) })
	if g.office.outbox != nil {
		ticks.Go(func() { g.deliver(stopTicks) })
	}
	for _, s := range g.servers.run() {
		ticks.Go(func() { s.Run(stopTicks) })
	}
	undo.push("committer and followers", func() error {
		timer := time.AfterFunc(g.stopLeft(), abandonNow)
		defer timer.Stop()
		ticksStop()
		ticks.Wait()
		g.queue.Close()
		commits.Wait()
		followersStop()
		follows.Wait()
		if err := g.signer.sign(abandon); err != nil {
			g.log.Error("what came last could not be signed; the next start does it", "error", err)
		}
		if abandon.Err() != nil {
			return errors.New("what was not committed in time was left to the sources, which send it again")
		}
		abandonNow()
		return nil
	})
	return nil
}
